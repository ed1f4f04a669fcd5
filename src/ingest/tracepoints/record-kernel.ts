// What the kernels for ring-buffer pages and for perf.data have in common (assembly/records.ts, taken.ts): plans, rows, counts and
// records that are left. One recording is read at a time by an instance.
import { type AtLine, constantsOf, instanceOf, type KernelExports, KernelRows } from "../kernel-rows.ts";
import type { Sink } from "../sink.ts";
import type { RecordDecoder } from "./decoder.ts";
import { KernelPlans } from "./kernel-plans.ts";

const CONSTANTS = [
  "PLAN_OF",
  "PLANS",
  "PLAN_BYTES",
  "MAX_PLANS",
  "MAX_FIELDS",
  "SKIPS",
  "ROW_IDS",
  "STATE",
  "HEAP",
] as const;
/** Words of STATE that all kernels have; times are float64s. */
const State = {
  rows: 2,
  comms: 3,
  pointers: 4,
  taken: 5,
  maxCpu: 6,
  lastId: 7,
  lastLine: 14,
  lowest: 4,
  highest: 5,
  last: 6,
} as const;

export interface RecordKernelExports extends KernelExports {
  reset(): void;
  forgetNames(): void;
  setNames(at: number, count: number, unknown: number): void;
}

/** An instance of a kernel's module. */
export class RecordKernel<Exports extends RecordKernelExports> {
  readonly exports: Exports;
  readonly rows: KernelRows;
  /** Where the memory begins that is nobody's. */
  readonly heap: number;
  readonly #at: Readonly<Record<(typeof CONSTANTS)[number], number>>;

  constructor(wasm: string) {
    this.exports = instanceOf(wasm) as Exports;
    this.rows = new KernelRows(this.exports);
    this.#at = constantsOf(this.exports, CONSTANTS);
    this.heap = this.#at.HEAP;
  }

  /** Forgets the recording before. */
  open(sink: Sink, decoder: RecordDecoder): OpenKernel {
    this.exports.reset();
    this.rows.forgetNames();
    const plans = new KernelPlans(this.#at, decoder, this.rows);
    return new OpenKernel(this, this.#at, sink, decoder, plans);
  }
}

/** One recording's reading by a kernel. */
export class OpenKernel {
  readonly #kernel: RecordKernel<RecordKernelExports>;
  readonly #state: number;
  readonly #rowIds: number;
  readonly #sink: Sink;
  readonly #decoder: RecordDecoder;
  readonly #plans: KernelPlans;

  constructor(
    kernel: RecordKernel<RecordKernelExports>,
    { STATE, ROW_IDS }: { readonly STATE: number; readonly ROW_IDS: number },
    sink: Sink,
    decoder: RecordDecoder,
    plans: KernelPlans,
  ) {
    this.#kernel = kernel;
    this.#state = STATE >> 2;
    this.#rowIds = ROW_IDS;
    this.#sink = sink;
    this.#decoder = decoder;
    this.#plans = plans;
  }

  /** A word of STATE. */
  state(word: number): number {
    return this.#kernel.rows.words[this.#state + word]!;
  }

  /** Takes over the rows made since the last stop, and what was counted. */
  take(): void {
    const { rows } = this.#kernel;
    const floats = this.#state >> 1;
    const [lowest, highest, last] = rows.floats.subarray(floats + State.lowest, floats + State.last + 1);
    this.#sink.skimSpan(this.state(State.taken), lowest!, highest!, last!, this.state(State.maxCpu));
    const [made, comms, pointers] = [State.rows, State.comms, State.pointers].map((word) => this.state(word));
    rows.take(this.#sink, 0, made!, comms!, pointers!, this.#atLine);
    // A row that no record makes, as a loss's at the end, shows the record before it when it is late.
    if (this.state(State.taken) > 0)
      this.#decoder.showRecord(this.state(State.lastId), this.state(State.lastLine) >>> 0);
  }

  /** The kernel's names and pointers are as many as it has room for. */
  forgetNames(): void {
    this.#kernel.exports.forgetNames();
    this.#kernel.rows.forgetNames();
  }

  /** Tells the kernel what to do with records as the one at `start` of its memory, if that is settled. */
  teach(start: number, end: number): void {
    if (end - start >= 2) this.#plans.teach(this.#kernel.rows.view.getUint16(start, true));
  }

  /** When all is read: gives the decoder what the kernel counted. */
  count(): void {
    this.#plans.count();
  }

  readonly #atLine: AtLine = (line) => {
    const { rows } = this.#kernel;
    const row = rows.rows.line.subarray(0, this.state(State.rows)).indexOf(line);
    this.#decoder.showRecord(rows.view.getUint16(this.#rowIds + row * 2, true), line);
  };
}

/** Instances by module that read nothing now. */
const idle = new Map<string, RecordKernel<RecordKernelExports>>();

/** Gives `read` an instance of a module; one that failed is not used again. */
export function withKernel<Exports extends RecordKernelExports, T>(
  wasm: string,
  read: (kernel: RecordKernel<Exports>) => T,
): T {
  const known = idle.get(wasm) as RecordKernel<Exports> | undefined;
  idle.delete(wasm);
  const kernel = known ?? new RecordKernel<Exports>(wasm);
  const result = read(kernel);
  idle.set(wasm, kernel);
  return result;
}
