// PageMerge by WebAssembly: the kernel (assembly/pages.ts) walks the pages of all CPUs, merges them by time and makes rows of the
// records whose plans it knows. Here its slabs are filled, its rows taken, and what it leaves is decoded.
import { type AtLine, constantsOf, instanceOf, type KernelExports, KernelRows } from "../kernel-rows.ts";
import type { Sink } from "../sink.ts";
import type { TaskNames } from "../task-names.ts";
import type { RecordDecoder } from "../tracepoints/decoder.ts";
import { KernelPlans } from "../tracepoints/kernel-plans.ts";
import type { PageSource } from "./page-source.ts";
import type { PageLayout } from "./pages.ts";
import { PAGES_WASM } from "./pages-wasm.ts";

/** Pages that wait to be read: of one CPU, and of all. */
const SLAB = 1 << 18;
const SLABS = 1 << 26;
/** The kernel looks this far behind a record. */
const MARGIN = 64;

/** What the kernel stops for. */
const Stop = { done: 0, leftRecord: 1, slabEmpty: 2, rowsFull: 3, namesFull: 4 } as const;
/** Words of STATE; times are floats, counted in float64s. */
const State = {
  stream: 0,
  records: 1,
  rows: 2,
  comms: 3,
  pointers: 4,
  skimmed: 5,
  maxCpu: 6,
  lowest: 4,
  highest: 5,
  last: 6,
} as const;
/** Words of a stream; times and losses count in units of their own size. */
const Stream = {
  seconds: 0,
  nanos: 2,
  cpu: 3,
  lost: 2,
  pending: 3,
  start: 8,
  end: 9,
  damagedPages: 13,
  nextPage: 14,
  slabEnd: 15,
  wasDamaged: 16,
  isOver: 17,
} as const;

const CONSTANTS = [
  "PLAN_OF",
  "PLANS",
  "PLAN_BYTES",
  "MAX_PLANS",
  "MAX_FIELDS",
  "SKIPS",
  "ROW_IDS",
  "STREAMS",
  "STREAM_BYTES",
  "MAX_STREAMS",
  "STATE",
  "HEAP",
] as const;
type Constants = Readonly<Record<(typeof CONSTANTS)[number], number>>;

interface Exports extends KernelExports {
  reset(): void;
  forgetNames(): void;
  setLayout(pageSize: number, commitAt: number, commitSize: number, dataAt: number): void;
  setNames(at: number, count: number, unknown: number): void;
  addStream(cpu: number): number;
  run(epoch: number, leaveAll: number): number;
}

/** One CPU's pages. */
export interface CpuPages {
  readonly cpu: number;
  readonly source: PageSource;
}

/** How a CPU's pages ended. */
export interface PagesEnd {
  readonly damagedPages: number;
  /** As CpuStream.lostAtEnd. */
  readonly lostAtEnd: number;
}

export interface KernelMergeOptions {
  readonly sink: Sink;
  readonly decoder: RecordDecoder;
  readonly names: TaskNames;
  readonly layout: PageLayout;
  readonly pages: readonly CpuPages[];
  /** Tells of events lost in front of record `line`. */
  readonly onLost: (cpu: number, events: number, line: number) => void;
  /** A record was decoded here; the first that begins the trace is. */
  readonly onDecoded: () => void;
  readonly onProgress: (read: number) => void;
}

/** A module's instance; one recording is read at a time. */
interface Kernel {
  readonly exports: Exports;
  readonly at: Constants;
  readonly rows: KernelRows;
}

let idle: Kernel | undefined;

function takeKernel(): Kernel {
  const kernel = idle;
  idle = undefined;
  if (kernel !== undefined) return kernel;
  const exports = instanceOf(PAGES_WASM) as Exports;
  return { exports, at: constantsOf(exports, CONSTANTS), rows: new KernelRows(exports) };
}

/** Reads all pages, once. Null, and nothing was read, when the kernel does not take so many CPUs or so large pages. */
export function mergeByKernel(
  options: KernelMergeOptions,
): { readonly records: number; readonly ends: readonly PagesEnd[] } | null {
  const { pages } = options;
  const pageSize = pages[0]?.source.pageSize ?? 0;
  const slab = Math.max(1, Math.floor(Math.min(SLAB, SLABS / pages.length) / pageSize)) * pageSize;
  const kernel = takeKernel();
  if (pages.length === 0 || pages.length > kernel.at.MAX_STREAMS || slab * pages.length > SLABS) {
    idle = kernel;
    return null;
  }
  const merge = new KernelMerge(kernel, options, slab);
  merge.run();
  // After an error the instance is not used again.
  idle = kernel;
  return { records: merge.records, ends: merge.ends() };
}

class KernelMerge {
  readonly #kernel: Kernel;
  readonly #options: KernelMergeOptions;
  readonly #slab: number;
  readonly #slabs: number;
  readonly #plans: KernelPlans;
  readonly #view: DataView;
  readonly #floats: Float64Array;
  readonly #state: number;
  #read = 0;

  constructor(kernel: Kernel, options: KernelMergeOptions, slab: number) {
    const { exports, at, rows } = kernel;
    const { decoder, layout, pages, names, sink } = options;
    this.#kernel = kernel;
    this.#options = options;
    this.#slab = slab;
    exports.reset();
    rows.forgetNames();
    const { ids, unknown } = names.table();
    this.#slabs = at.HEAP + ids.length * 4;
    rows.makeRoom(this.#slabs + slab * pages.length + MARGIN);
    const { buffer } = rows.words;
    this.#view = new DataView(buffer);
    this.#floats = new Float64Array(buffer);
    this.#state = at.STATE >> 2;
    this.#plans = new KernelPlans(at, decoder, buffer);
    rows.adoptNames(sink.comms.size);
    const known = rows.words.subarray(at.HEAP >> 2, this.#slabs >> 2);
    for (let tid = 0; tid < ids.length; tid++) known[tid] = ids[tid]! < 0 ? -1 : rows.namesBeside + ids[tid]!;
    exports.setNames(at.HEAP, ids.length, rows.namesBeside + unknown);
    exports.setLayout(pages[0]?.source.pageSize ?? 0, layout.commitAt, layout.commitSize, layout.dataAt);
    for (const { cpu } of pages) exports.addStream(cpu);
  }

  get records(): number {
    return this.#kernel.rows.words[this.#state + State.records]! >>> 0;
  }

  ends(): PagesEnd[] {
    return this.#options.pages.map((_, stream) => ({
      damagedPages: this.#kernel.rows.words[this.#wordsOf(stream) + Stream.damagedPages]!,
      lostAtEnd: this.#floats[(this.#wordsOf(stream) >> 1) + Stream.pending]!,
    }));
  }

  run(): void {
    const { exports, rows } = this.#kernel;
    const { sink } = this.#options;
    for (;;) {
      const epoch = sink.epochSeconds;
      const stop = exports.run(epoch, epoch < 0 ? 1 : 0);
      this.#take();
      if (stop === Stop.done) break;
      const stream = rows.words[this.#state + State.stream]!;
      if (stop === Stop.slabEmpty) this.#fill(stream);
      else if (stop === Stop.leftRecord) this.#decode(stream);
      else if (stop === Stop.namesFull) {
        exports.forgetNames();
        rows.forgetNames();
      }
    }
    this.#plans.count();
  }

  #wordsOf(stream: number): number {
    const { STREAMS, STREAM_BYTES } = this.#kernel.at;
    return (STREAMS + stream * STREAM_BYTES) >> 2;
  }

  /** The rows made since the last stop, and what was counted. */
  #take(): void {
    const { rows } = this.#kernel;
    const { words } = rows;
    const at = this.#state;
    const floats = at >> 1;
    const { sink } = this.#options;
    sink.skimSpan(
      words[at + State.skimmed]!,
      this.#floats[floats + State.lowest]!,
      this.#floats[floats + State.highest]!,
      this.#floats[floats + State.last]!,
      words[at + State.maxCpu]!,
    );
    const comms = words[at + State.comms]!;
    rows.take(sink, 0, words[at + State.rows]!, comms, words[at + State.pointers]!, this.#atLine);
  }

  readonly #atLine: AtLine = (line) => {
    const { at, rows } = this.#kernel;
    const made = rows.words[this.#state + State.rows]!;
    const row = rows.rows.line.subarray(0, made).indexOf(line);
    this.#options.decoder.showRecord(this.#view.getUint16(at.ROW_IDS + row * 2, true), line);
  };

  /** Puts pages of the source's current block into a CPU's slab. */
  #fill(stream: number): void {
    const { rows } = this.#kernel;
    const { source } = this.#options.pages[stream]!;
    const { words } = rows;
    const at = this.#wordsOf(stream);
    const slab = this.#slabs + stream * this.#slab;
    const length = source.fill(rows.bytes.subarray(slab, slab + this.#slab));
    if (length === 0) {
      words[at + Stream.isOver] = 1;
      if (source.isCut || source.wasDamaged) this.#floats[(at >> 1) + Stream.pending] = -1;
      return;
    }
    if (source.wasDamaged) words[at + Stream.wasDamaged] = 1;
    words[at + Stream.nextPage] = slab;
    words[at + Stream.slabEnd] = slab + length;
    this.#read += length;
    this.#options.onProgress(this.#read);
  }

  /** The record that a CPU's stream stands at. */
  #decode(stream: number): void {
    const { rows } = this.#kernel;
    const { sink, decoder, onLost, onDecoded } = this.#options;
    const { words } = rows;
    const at = this.#wordsOf(stream);
    const line = this.records;
    const cpu = words[at + Stream.cpu]!;
    const lost = this.#floats[(at >> 1) + Stream.lost]!;
    if (lost !== 0) onLost(cpu, lost, line);
    const start = words[at + Stream.start]!;
    const end = words[at + Stream.end]!;
    const { head } = sink;
    head.hi = (words[at + Stream.seconds + 1]! >>> 0) * 4294967296 + (words[at + Stream.seconds]! >>> 0);
    head.lo = words[at + Stream.nanos]!;
    head.cpu = cpu;
    head.line = line;
    decoder.decode(rows.bytes, this.#view, start, end);
    onDecoded();
    if (end - start >= 2) this.#plans.teach(this.#view.getUint16(start, true));
  }
}
