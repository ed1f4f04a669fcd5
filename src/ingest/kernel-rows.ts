// What the WebAssembly kernels (assembly/) have in common: a module's memory, and rows whose names and pointers have ids of the
// kernel's own, handed to the sink with the sink's. Used by kernel.ts for text, ring-buffer/kernel-merge.ts for pages.
import { type EventBatch, newBatch } from "../table/event-batch.ts";
import type { Sink } from "./sink.ts";

const PAGE_BYTES = 1 << 16;
const COMM_BYTES = 16;

/** What is used of WebAssembly, which neither ES nor Node's types declare. */
interface Host {
  readonly WebAssembly: {
    readonly Module: new (binary: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  };
}

/** What every kernel exports; addresses and sizes are constants. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** Gives rows [from, to) the ids that stand in COMM_IDS and POINTER_IDS. */
  translate(from: number, to: number): void;
  readonly [constant: string]: unknown;
}

/** As in Sink.addMany. */
export type AtLine = (line: number) => void;

/** Makes an instance of a module given as base64. */
export function instanceOf(wasm: string): KernelExports {
  const binary = Uint8Array.from(atob(wasm), (c) => c.charCodeAt(0));
  const { Module, Instance } = (globalThis as unknown as Host).WebAssembly;
  return new Instance(new Module(binary), {}).exports as KernelExports;
}

/** The values of exported constants, by name. */
export function constantsOf<Name extends string>(
  exports: KernelExports,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const value = (name: Name): number => (exports[name] as { readonly value: number }).value;
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, number>;
}

const NAMES = [
  "COMMS",
  "COMM_LENGTHS",
  "COMM_IDS",
  "MAX_COMMS",
  "POINTERS",
  "POINTER_IDS",
  "ROW_ROOM",
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
] as const;

/** A kernel's memory and the rows in it. */
export class KernelRows {
  /** Views of the memory; others after it has grown. */
  words: Int32Array = new Int32Array(0);
  bytes: Uint8Array = new Uint8Array(0);
  floats: Float64Array = new Float64Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Room for rows; `length` is all of it. */
  rows: EventBatch = newBatch(0);
  /** Names with ids from here on are the sink's: its id and this. */
  readonly namesBeside: number;
  readonly #exports: KernelExports;
  readonly #at: Readonly<Record<(typeof NAMES)[number], number>>;
  /** Of the kernel's names and pointers as many have the sink's ids. */
  #comms = 0;
  #pointers = 0;

  constructor(exports: KernelExports) {
    this.#exports = exports;
    this.#at = constantsOf(exports, NAMES);
    this.namesBeside = this.#at.MAX_COMMS;
    this.#view();
  }

  /** Makes the memory at least `length` bytes long. True when all views are others now. */
  makeRoom(length: number): boolean {
    const { memory } = this.#exports;
    const missing = length - memory.buffer.byteLength;
    if (missing <= 0) return false;
    memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#view();
    return true;
  }

  /** The kernel gives new ids from here on. */
  forgetNames(): void {
    this.#comms = 0;
    this.#pointers = 0;
  }

  /**
   * Adds rows [start, end) with the sink's ids; `comms` and `pointers` of the kernel's have been met up to there. Ids are
   * given in the order of first sight, whoever reads the event.
   */
  take(sink: Sink, start: number, end: number, comms: number, pointers: number, atLine: AtLine): number {
    const { COMMS, COMM_LENGTHS, COMM_IDS, POINTERS, POINTER_IDS } = this.#at;
    const words = this.words;
    for (; this.#comms < comms; this.#comms++) {
      const at = COMMS + this.#comms * COMM_BYTES;
      const length = words[(COMM_LENGTHS >> 2) + this.#comms]!;
      words[(COMM_IDS >> 2) + this.#comms] = sink.comms.intern(this.bytes, at, at + length);
    }
    for (; this.#pointers < pointers; this.#pointers++) {
      const at = (POINTERS >> 2) + this.#pointers * 2;
      words[(POINTER_IDS >> 2) + this.#pointers] = sink.pointers.ofWords(words[at + 1]!, words[at]!);
    }
    this.#exports.translate(start, end);
    sink.addMany(this.rows, start, end, atLine);
    return end;
  }

  #view(): void {
    const { buffer } = this.#exports.memory;
    const at = this.#at;
    const rows = at.ROW_ROOM;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.floats = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.rows = {
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
}
