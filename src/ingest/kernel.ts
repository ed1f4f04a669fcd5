// scanPlain() by WebAssembly: the kernel (assembly/plain.ts) reads heads, counts what is skipped and makes rows of
// sched_switch, of a task's life and of probes (assembly/rows.ts); other wanted lines come back as records and are decoded here.
import { headOfLine } from "./event-head.ts";
import type { EventDecoder } from "./events.ts";
import { type AtLine, constantsOf, instanceOf, type KernelExports, KernelRows } from "./kernel-rows.ts";
import { KERNEL_WASM } from "./kernel-wasm.ts";
import { ascii } from "./numbers.ts";
import { ARG_NAMES } from "./probe-args.ts";
import type { Cursor, ScannedFormat } from "./scan.ts";
import type { Sink } from "./sink.ts";

/** Formats by their number in the kernel. */
export const KERNEL_FORMATS = ["ftrace-text", "trace-cmd-report", "perf-script"] as const;
export type KernelFormat = (typeof KERNEL_FORMATS)[number];

/** Longest beginning of an event the kernel compares. */
const TEXT_BYTES = 64;
/** The kernel looks this far behind the text. */
const MARGIN = 160;

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
  rows: 13,
  comms: 14,
  pointers: 15,
} as const;
/** Of ACTIONS in the kernel. */
const ACTIONS = { none: 0, switch: 1, probe: 2, task: 3 } as const;
const KEY_BYTES = 16;

interface Exports extends KernelExports {
  reset(shapes: number, format: number): void;
  scan(from: number, to: number, format: number, epoch: number, irqColumn: number): number;
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

/** What lines are scanned with and for. */
export interface KernelScan {
  readonly sink: Sink;
  readonly decoder: EventDecoder;
  readonly format: KernelScanned;
  readonly name: KernelFormat;
  /** As ReaderState.irqColumn. */
  readonly irqColumn: number;
}

/** Addresses and sizes in the kernel's memory, by the names it exports them under. */
const CONSTANTS = [
  "SHAPES",
  "SHAPE_BYTES",
  "MAX_SHAPES",
  "LENGTHS",
  "NAME_IDS",
  "SKIPPED",
  "ACTIONS",
  "KINDS",
  "ALIASES",
  "RECORDS",
  "MAX_RECORDS",
  "RECORD_WORDS",
  "MAX_ROWS",
  "STATE",
  "KEYS",
  "KEY_LENGTHS",
  "KEY_CODES",
  "HEAP",
] as const;

let kernel: Kernel | undefined;

/** The thread's one, made when it is first asked for. */
export function theKernel(): Kernel {
  kernel ??= new Kernel();
  return kernel;
}

/** One a thread: the module's memory holds one part at a time. */
class Kernel {
  readonly #exports: Exports;
  readonly #at: Readonly<Record<(typeof CONSTANTS)[number], number>>;
  readonly #rows: KernelRows;

  constructor() {
    this.#exports = instanceOf(KERNEL_WASM) as Exports;
    this.#at = constantsOf(this.#exports, CONSTANTS);
    this.#rows = new KernelRows(this.#exports);
    this.#teachKeys();
  }

  /** As scanPlain, while the sink can skim. Nothing is read when the decoder's shapes are too many or too long. */
  scan(run: KernelScan, bytes: Uint8Array, cursor: Cursor, to: number): void {
    const { sink, decoder, format, name, irqColumn } = run;
    const number = KERNEL_FORMATS.indexOf(name);
    if (!this.#teach(decoder, number)) return;
    const length = to - cursor.at;
    const text = this.#load(bytes, cursor.at, to);
    const { STATE } = this.#at;
    const state = this.#rows.words.subarray(STATE >> 2, (STATE >> 2) + 16);
    state[State.line] = cursor.line;
    const end = text + length;
    const shift = cursor.at - text;
    const { at: from, line } = cursor;
    const atLine: AtLine = (wanted) => headOfLine(sink.head, bytes, from, line + 1, wanted);
    let at = text;
    let isFull: boolean;
    do {
      at = this.#exports.scan(at, end, number, sink.epochSeconds, irqColumn);
      this.#decode(run, bytes, state, shift, atLine);
      isFull = state[State.records] === this.#at.MAX_RECORDS || state[State.rows]! >= this.#at.MAX_ROWS;
    } while (isFull && at < end);
    this.#count(decoder);
    const stamp = (hi: number, lo: number): [number, number] => [state[hi]!, state[lo]!];
    const lowest = stamp(State.lowestHi, State.lowestLo);
    const highest = stamp(State.highestHi, State.highestLo);
    const last = stamp(State.lastHi, State.lastLo);
    sink.skimMany(state[State.skimmed]!, lowest, highest, last, state[State.maxCpu]!);
    format.countMany(state[State.line]! - cursor.line, {
      first: stamp(State.firstHi, State.firstLo),
      last,
      stepsBack: state[State.stepsBack]!,
    });
    cursor.at = at + shift;
    cursor.line = state[State.line]!;
  }

  /** The arguments of probes that have a meaning. */
  #teachKeys(): void {
    const { KEYS, KEY_LENGTHS, KEY_CODES } = this.#at;
    let key = 0;
    for (const [name, code] of ARG_NAMES) {
      this.#rows.bytes.set(ascii(`${name}=`), KEYS + key * KEY_BYTES);
      this.#rows.words[(KEY_LENGTHS >> 2) + key] = name.length + 1;
      this.#rows.words[(KEY_CODES >> 2) + key] = code;
      key++;
    }
  }

  #teach(decoder: EventDecoder, format: number): boolean {
    const { shapes } = decoder;
    if (shapes.size > this.#at.MAX_SHAPES) return false;
    const { SHAPES, SHAPE_BYTES, LENGTHS, NAME_IDS, ACTIONS: AT, KINDS, ALIASES } = this.#at;
    const memory = this.#rows.bytes;
    const words = this.#rows.words;
    for (let id = 0; id < shapes.size; id++) {
      const printed = shapes.printed(id);
      if (printed.length > TEXT_BYTES) return false;
      const at = SHAPES + id * SHAPE_BYTES;
      memory.fill(0, at, at + SHAPE_BYTES);
      memory.set(printed, at);
      memory.fill(0xff, at + TEXT_BYTES, at + TEXT_BYTES + printed.length);
      const nameId = shapes.nameIds[id]!;
      words[(LENGTHS >> 2) + id] = printed.length;
      words[(NAME_IDS >> 2) + id] = nameId;
      if (nameId < 0) continue;
      const { rows, kind, isAlias } = decoder.kernelAction(nameId);
      words[(AT >> 2) + id] = ACTIONS[rows];
      words[(KINDS >> 2) + id] = kind;
      words[(ALIASES >> 2) + id] = isAlias ? 1 : 0;
    }
    this.#exports.reset(shapes.size, format);
    this.#rows.forgetNames();
    return true;
  }

  /** Where bytes[from, to) stand in the kernel's memory: they are copied unless they lie there, in room(). */
  #load(bytes: Uint8Array, from: number, to: number): number {
    if (bytes.buffer === this.#rows.bytes.buffer) return bytes.byteOffset + from;
    this.room(to - from).set(bytes.subarray(from, to));
    return this.#at.HEAP;
  }

  /** `length` bytes of the kernel's memory, for text that scan() will be given; until the next call. */
  room(length: number): Uint8Array {
    const { HEAP } = this.#at;
    this.#rows.makeRoom(HEAP + length + MARGIN);
    return this.#rows.bytes.subarray(HEAP, HEAP + length);
  }

  /** The rows and the records of the lines scanned last, in the text's order. */
  #decode(
    { sink, decoder, format }: KernelScan,
    bytes: Uint8Array,
    state: Int32Array,
    shift: number,
    atLine: AtLine,
  ): void {
    const words = this.#rows.words;
    const { head } = sink;
    head.ticks = false;
    let taken = 0;
    let at = this.#at.RECORDS >> 2;
    for (let i = 0; i < state[State.records]!; i++, at += this.#at.RECORD_WORDS) {
      taken = this.#rows.take(sink, taken, words[at + 12]!, words[at + 13]!, words[at + 14]!, atLine);
      head.bytes = bytes;
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
    this.#rows.take(sink, taken, state[State.rows]!, state[State.comms]!, state[State.pointers]!, atLine);
  }

  #count(decoder: EventDecoder): void {
    const { shapes } = decoder;
    const from = this.#at.SKIPPED >> 2;
    for (let id = 0; id < shapes.size; id++) {
      const nameId = shapes.nameIds[id]!;
      const lines = this.#rows.words[from + id]!;
      if (nameId < 0) shapes.skipped[id]! += lines;
      else if (lines > 0) decoder.countProbed(nameId, lines);
    }
  }
}
