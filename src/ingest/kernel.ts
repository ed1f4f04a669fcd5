// scanPlain() by WebAssembly: the kernel (assembly/plain.ts) reads heads and counts what is skipped, the wanted lines
// come back as records and are decoded here. For parts only: a short trace is read before a module would be compiled.
import type { EventDecoder } from "./events.ts";
import { KERNEL_WASM } from "./kernel-wasm.ts";
import type { Cursor, ScannedFormat } from "./scan.ts";
import type { Sink } from "./sink.ts";

/** Formats by their number in the kernel. */
export const KERNEL_FORMATS = ["ftrace-text", "trace-cmd-report", "perf-script"] as const;
export type KernelFormat = (typeof KERNEL_FORMATS)[number];

/** Longest beginning of an event the kernel compares. */
const TEXT_BYTES = 64;
const PAGE_BYTES = 1 << 16;
/** The kernel looks this far behind the text. */
const MARGIN = 64;

/** Words of STATE. */
const State = {
  line: 0,
  records: 1,
  maxCpu: 2,
  highestHi: 3,
  highestLo: 4,
  lowestHi: 5,
  lowestLo: 6,
  firstHi: 7,
  firstLo: 8,
  lastHi: 9,
  lastLo: 10,
  stepsBack: 11,
  skimmed: 12,
} as const;

/** What is used of WebAssembly, which neither ES nor Node's types declare. */
interface Host {
  readonly WebAssembly: {
    readonly Module: new (binary: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  };
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  reset(shapes: number): void;
  scan(from: number, to: number, format: number, epoch: number): number;
  readonly [constant: string]: unknown;
}

/** Stamps the kernel has seen, of all lines: seconds and ns. */
export interface SeenStamps {
  readonly first: readonly [number, number];
  readonly last: readonly [number, number];
  readonly stepsBack: number;
}

/** A format that can be scanned by the kernel. */
export interface KernelScanned extends ScannedFormat {
  /** Counts `lines` lines that line() will not see. */
  countMany(lines: number, stamps: SeenStamps): void;
}

/** One a thread: the module's memory holds one part at a time. */
export class Kernel {
  readonly #exports: Exports;
  readonly #at: Readonly<
    Record<"SHAPES" | "LENGTHS" | "NAME_IDS" | "SKIPPED" | "RECORDS" | "STATE" | "HEAP", number>
  >;
  readonly #shapeBytes: number;
  readonly #maxShapes: number;
  readonly #maxRecords: number;
  readonly #recordWords: number;

  constructor() {
    const binary = Uint8Array.from(atob(KERNEL_WASM), (c) => c.charCodeAt(0));
    const { Module, Instance } = (globalThis as unknown as Host).WebAssembly;
    this.#exports = new Instance(new Module(binary), {}).exports as Exports;
    const constant = (name: string): number => (this.#exports[name] as { readonly value: number }).value;
    this.#shapeBytes = constant("SHAPE_BYTES");
    this.#maxShapes = constant("MAX_SHAPES");
    this.#maxRecords = constant("MAX_RECORDS");
    this.#recordWords = constant("RECORD_WORDS");
    this.#at = {
      SHAPES: constant("SHAPES"),
      LENGTHS: constant("LENGTHS"),
      NAME_IDS: constant("NAME_IDS"),
      SKIPPED: constant("SKIPPED"),
      RECORDS: constant("RECORDS"),
      STATE: constant("STATE"),
      HEAP: constant("HEAP"),
    };
  }

  /** As scanPlain, for a decoder all of whose shapes were taught. False, and nothing read, when they are too many or too long. */
  scan(
    sink: Sink,
    decoder: EventDecoder,
    format: KernelScanned,
    name: KernelFormat,
    bytes: Uint8Array,
    cursor: Cursor,
    to: number,
  ): boolean {
    const { shapes } = decoder;
    if (!this.#teach(decoder)) return false;
    const length = to - cursor.at;
    this.#load(bytes, cursor.at, to);
    const { HEAP, STATE, SKIPPED } = this.#at;
    const words = new Int32Array(this.#exports.memory.buffer);
    const state = words.subarray(STATE >> 2, (STATE >> 2) + 16);
    state[State.line] = cursor.line;
    const end = HEAP + length;
    const shift = cursor.at - HEAP;
    const number = KERNEL_FORMATS.indexOf(name);
    let at = HEAP;
    do {
      at = this.#exports.scan(at, end, number, sink.epochSeconds);
      this.#decode(sink, decoder, format, bytes, words, state[State.records]!, shift);
    } while (state[State.records] === this.#maxRecords && at < end);
    for (let id = 0; id < shapes.size; id++) shapes.skipped[id]! += words[(SKIPPED >> 2) + id]!;
    const stamp = (hi: number, lo: number): [number, number] => [state[hi]!, state[lo]!];
    const lowest = stamp(State.lowestHi, State.lowestLo);
    const highest = stamp(State.highestHi, State.highestLo);
    sink.skimMany(state[State.skimmed]!, lowest, highest, state[State.maxCpu]!);
    format.countMany(state[State.line]! - cursor.line, {
      first: stamp(State.firstHi, State.firstLo),
      last: stamp(State.lastHi, State.lastLo),
      stepsBack: state[State.stepsBack]!,
    });
    cursor.at = at + shift;
    cursor.line = state[State.line]!;
    return true;
  }

  #teach({ shapes }: EventDecoder): boolean {
    if (shapes.size > this.#maxShapes) return false;
    this.#exports.reset(shapes.size);
    const { SHAPES, LENGTHS, NAME_IDS } = this.#at;
    const { buffer } = this.#exports.memory;
    const memory = new Uint8Array(buffer);
    const words = new Int32Array(buffer);
    for (let id = 0; id < shapes.size; id++) {
      const printed = shapes.printed(id);
      if (printed.length > TEXT_BYTES) return false;
      const at = SHAPES + id * this.#shapeBytes;
      memory.fill(0, at, at + this.#shapeBytes);
      memory.set(printed, at);
      memory.fill(0xff, at + TEXT_BYTES, at + TEXT_BYTES + printed.length);
      words[(LENGTHS >> 2) + id] = printed.length;
      words[(NAME_IDS >> 2) + id] = shapes.nameIds[id]!;
    }
    return true;
  }

  #load(bytes: Uint8Array, from: number, to: number): void {
    const { memory } = this.#exports;
    const { HEAP } = this.#at;
    const missing = HEAP + to - from + MARGIN - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    new Uint8Array(memory.buffer).set(bytes.subarray(from, to), HEAP);
  }

  /** The records of wanted lines, in the text's order. */
  #decode(
    sink: Sink,
    decoder: EventDecoder,
    format: ScannedFormat,
    bytes: Uint8Array,
    words: Int32Array,
    count: number,
    shift: number,
  ): void {
    const { head } = sink;
    head.bytes = bytes;
    head.ticks = false;
    let at = this.#at.RECORDS >> 2;
    for (let i = 0; i < count; i++, at += this.#recordWords) {
      head.start = words[at]! + shift;
      head.end = words[at + 1]! + shift;
      head.line = words[at + 2]!;
      head.tid = words[at + 3]!;
      head.tgid = words[at + 4]!;
      head.cpu = words[at + 5]!;
      head.flagsStart = words[at + 6]! + shift;
      head.flagsEnd = words[at + 7]! + shift;
      head.hi = words[at + 8]!;
      head.lo = words[at + 9]!;
      head.ctx = 0;
      format.complete(head);
      if (sink.begin()) decoder.decodeNamed(words[at + 10]!, words[at + 11]! + shift);
    }
  }
}
