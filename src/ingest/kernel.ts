// scanPlain() by WebAssembly: the kernel (assembly/plain.ts) reads heads, counts what is skipped and makes rows of
// sched_switch, of a task's life and of probes (assembly/rows.ts); other wanted lines come back as records and are decoded here.
import type { EventBatch } from "../table/event-batch.ts";
import { headOfLine } from "./event-head.ts";
import type { EventDecoder } from "./events.ts";
import { KERNEL_WASM } from "./kernel-wasm.ts";
import { ascii } from "./numbers.ts";
import { ARG_NAMES } from "./probe-args.ts";
import type { Cursor, ScannedFormat } from "./scan.ts";
import { replaceIds, type Sink } from "./sink.ts";

/** Formats by their number in the kernel. */
export const KERNEL_FORMATS = ["ftrace-text", "trace-cmd-report", "perf-script"] as const;
export type KernelFormat = (typeof KERNEL_FORMATS)[number];

/** Longest beginning of an event the kernel compares. */
const TEXT_BYTES = 64;
const PAGE_BYTES = 1 << 16;
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
const COMM_BYTES = 16;
const KEY_BYTES = 16;

/** What is used of WebAssembly, which neither ES nor Node's types declare. */
interface Host {
  readonly WebAssembly: {
    readonly Module: new (binary: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  };
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  reset(shapes: number, format: number): void;
  scan(from: number, to: number, format: number, epoch: number, irqColumn: number): number;
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

/** What lines are scanned with and for. */
export interface KernelScan {
  readonly sink: Sink;
  readonly decoder: EventDecoder;
  readonly format: KernelScanned;
  readonly name: KernelFormat;
  /** As ReaderState.irqColumn. */
  readonly irqColumn: number;
}

/** Addresses in the kernel's memory, by the names it exports them under. */
const ADDRESSES = [
  "SHAPES",
  "LENGTHS",
  "NAME_IDS",
  "SKIPPED",
  "ACTIONS",
  "KINDS",
  "ALIASES",
  "RECORDS",
  "STATE",
  "COMMS",
  "COMM_LENGTHS",
  "POINTERS",
  "KEYS",
  "KEY_LENGTHS",
  "KEY_CODES",
  "NS",
  "KIND",
  "CPU",
  "CTX",
  "TID",
  "TGID",
  "COMM",
  "ARG_TID",
  "ARG_COMM",
  "MM",
  "MM2",
  "USERS",
  "COUNT",
  "FLAGS",
  "LINE_NUMBERS",
  "HEAP",
] as const;
type Addresses = Readonly<Record<(typeof ADDRESSES)[number], number>>;

/** As in Sink.addMany. */
type AtLine = (line: number) => void;

let kernel: Kernel | undefined;

/** The thread's one, made when it is first asked for. */
export function theKernel(): Kernel {
  kernel ??= new Kernel();
  return kernel;
}

/** One a thread: the module's memory holds one part at a time. */
class Kernel {
  readonly #exports: Exports;
  readonly #at: Addresses;
  readonly #shapeBytes: number;
  readonly #maxShapes: number;
  readonly #maxRecords: number;
  readonly #maxRows: number;
  readonly #rowRoom: number;
  readonly #recordWords: number;
  /** The sink's ids of the kernel's names and pointers, as far as they are known. */
  readonly #commIds: Int32Array;
  readonly #pointerIds: Int32Array;
  #comms = 0;
  #pointers = 0;
  /** Views of the memory; made again when it has grown. */
  #words: Int32Array = new Int32Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #rows: EventBatch | null = null;

  constructor() {
    const binary = Uint8Array.from(atob(KERNEL_WASM), (c) => c.charCodeAt(0));
    const { Module, Instance } = (globalThis as unknown as Host).WebAssembly;
    this.#exports = new Instance(new Module(binary), {}).exports as Exports;
    const constant = (name: string): number => (this.#exports[name] as { readonly value: number }).value;
    this.#shapeBytes = constant("SHAPE_BYTES");
    this.#maxShapes = constant("MAX_SHAPES");
    this.#maxRecords = constant("MAX_RECORDS");
    this.#maxRows = constant("MAX_ROWS");
    this.#rowRoom = constant("ROW_ROOM");
    this.#recordWords = constant("RECORD_WORDS");
    this.#at = Object.fromEntries(ADDRESSES.map((name) => [name, constant(name)])) as Addresses;
    this.#commIds = new Int32Array(constant("MAX_COMMS"));
    this.#pointerIds = new Int32Array(constant("MAX_POINTERS"));
    this.#view();
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
    const state = this.#words.subarray(STATE >> 2, (STATE >> 2) + 16);
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
      isFull = state[State.records] === this.#maxRecords || state[State.rows]! >= this.#maxRows;
    } while (isFull && at < end);
    this.#count(decoder);
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
  }

  /** The arguments of probes that have a meaning. */
  #teachKeys(): void {
    const { KEYS, KEY_LENGTHS, KEY_CODES } = this.#at;
    let key = 0;
    for (const [name, code] of ARG_NAMES) {
      this.#bytes.set(ascii(`${name}=`), KEYS + key * KEY_BYTES);
      this.#words[(KEY_LENGTHS >> 2) + key] = name.length + 1;
      this.#words[(KEY_CODES >> 2) + key] = code;
      key++;
    }
  }

  #teach(decoder: EventDecoder, format: number): boolean {
    const { shapes } = decoder;
    if (shapes.size > this.#maxShapes) return false;
    const { SHAPES, LENGTHS, NAME_IDS, ACTIONS: AT, KINDS, ALIASES } = this.#at;
    const memory = this.#bytes;
    const words = this.#words;
    for (let id = 0; id < shapes.size; id++) {
      const printed = shapes.printed(id);
      if (printed.length > TEXT_BYTES) return false;
      const at = SHAPES + id * this.#shapeBytes;
      memory.fill(0, at, at + this.#shapeBytes);
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
    this.#comms = 0;
    this.#pointers = 0;
    return true;
  }

  /** Where bytes[from, to) stand in the kernel's memory: they are copied unless they lie there, in room(). */
  #load(bytes: Uint8Array, from: number, to: number): number {
    if (bytes.buffer === this.#bytes.buffer) return bytes.byteOffset + from;
    this.room(to - from).set(bytes.subarray(from, to));
    return this.#at.HEAP;
  }

  /** `length` bytes of the kernel's memory, for text that scan() will be given; until the next call. */
  room(length: number): Uint8Array {
    const { memory } = this.#exports;
    const { HEAP } = this.#at;
    const missing = HEAP + length + MARGIN - memory.buffer.byteLength;
    if (missing > 0) {
      memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.#view();
    }
    return this.#bytes.subarray(HEAP, HEAP + length);
  }

  #view(): void {
    const { buffer } = this.#exports.memory;
    const at = this.#at;
    const rows = this.#rowRoom;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#rows = {
      length: rows,
      ns: new Float64Array(buffer, at.NS, rows),
      kind: new Uint8Array(buffer, at.KIND, rows),
      cpu: new Int16Array(buffer, at.CPU, rows),
      ctx: new Uint8Array(buffer, at.CTX, rows),
      tid: new Int32Array(buffer, at.TID, rows),
      tgid: new Int32Array(buffer, at.TGID, rows),
      comm: new Int32Array(buffer, at.COMM, rows),
      argTid: new Int32Array(buffer, at.ARG_TID, rows),
      argComm: new Int32Array(buffer, at.ARG_COMM, rows),
      mm: new Int32Array(buffer, at.MM, rows),
      mm2: new Int32Array(buffer, at.MM2, rows),
      users: new Int32Array(buffer, at.USERS, rows),
      count: new Int32Array(buffer, at.COUNT, rows),
      flags: new Int32Array(buffer, at.FLAGS, rows),
      line: new Uint32Array(buffer, at.LINE_NUMBERS, rows),
    };
  }

  /** The rows and the records of the lines scanned last, in the text's order. */
  #decode(
    { sink, decoder, format }: KernelScan,
    bytes: Uint8Array,
    state: Int32Array,
    shift: number,
    atLine: AtLine,
  ): void {
    const words = this.#words;
    const { head } = sink;
    head.ticks = false;
    let taken = 0;
    let at = this.#at.RECORDS >> 2;
    for (let i = 0; i < state[State.records]!; i++, at += this.#recordWords) {
      taken = this.#take(sink, taken, words[at + 12]!, words[at + 13]!, words[at + 14]!, atLine);
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
    this.#take(sink, taken, state[State.rows]!, state[State.comms]!, state[State.pointers]!, atLine);
  }

  /**
   * Adds rows [start, end) with the sink's ids; `comms` and `pointers` of the kernel's have been met up to there. Ids are
   * given in the order of first sight, whoever reads the line.
   */
  #take(sink: Sink, start: number, end: number, comms: number, pointers: number, atLine: AtLine): number {
    const { COMMS, COMM_LENGTHS, POINTERS } = this.#at;
    const words = this.#words;
    for (; this.#comms < comms; this.#comms++) {
      const at = COMMS + this.#comms * COMM_BYTES;
      const length = words[(COMM_LENGTHS >> 2) + this.#comms]!;
      this.#commIds[this.#comms] = sink.comms.intern(this.#bytes, at, at + length);
    }
    for (; this.#pointers < pointers; this.#pointers++) {
      const at = (POINTERS >> 2) + this.#pointers * 2;
      this.#pointerIds[this.#pointers] = sink.pointers.ofWords(words[at + 1]!, words[at]!);
    }
    const rows = this.#rows!;
    replaceIds(rows.comm, start, end, this.#commIds);
    replaceIds(rows.argComm, start, end, this.#commIds);
    replaceIds(rows.mm, start, end, this.#pointerIds);
    replaceIds(rows.mm2, start, end, this.#pointerIds);
    sink.addMany(rows, start, end, atLine);
    return end;
  }

  #count(decoder: EventDecoder): void {
    const { shapes } = decoder;
    const from = this.#at.SKIPPED >> 2;
    for (let id = 0; id < shapes.size; id++) {
      const nameId = shapes.nameIds[id]!;
      const lines = this.#words[from + id]!;
      if (nameId < 0) shapes.skipped[id]! += lines;
      else if (lines > 0) decoder.countProbed(nameId, lines);
    }
  }
}
