// The reading of perf.data's records by WebAssembly: the kernel (assembly/perf.ts) puts them into time order and makes rows of the
// samples whose plans it knows. Here blocks are laid into its memory, its rows taken, and what it leaves is handed back.

import { constantsOf } from "../kernel-rows.ts";
import type { Sink } from "../sink.ts";
import type { TaskNames } from "../task-names.ts";
import type { RecordDecoder } from "../tracepoints/decoder.ts";
import {
  type OpenKernel,
  type RecordKernel,
  type RecordKernelExports,
  withKernel,
} from "../tracepoints/record-kernel.ts";
import { type AttrTable, isRawTracepoint } from "./attrs.ts";
import { type KernelBlock, KernelBlocks } from "./kernel-blocks.ts";
import { PERF_WASM } from "./perf-wasm.ts";
import { Block } from "./rounds.ts";

/** What the kernel stops for. */
const Stop = { done: 0, leftRecord: 1, noEvent: 2, rowsFull: 3, namesFull: 4 } as const;
/** Words of STATE that are this kernel's own. */
const State = { place: 0, samples: 1 } as const;
const ATTR_WORDS = 16;

interface Exports extends RecordKernelExports {
  readonly blocks: { readonly value: number };
  readonly overflows: { readonly value: number };
  readonly records: { readonly value: number };
  setAttrs(
    at: number,
    count: number,
    table: number,
    slots: number,
    sampleId: number,
    trailerId: number,
  ): void;
  enter(block: number, size: number, from: number, hasRounds: number): void;
  place(): number;
  finish(): void;
  run(epoch: number, samples: number, leaveAll: number, leaveIdle: number): number;
}

export interface KernelRoundsOptions {
  readonly sink: Sink;
  readonly decoder: RecordDecoder;
  readonly names: TaskNames;
  readonly attrs: AttrTable;
  /** Takes a record whose turn it is, [start, end) of the block. */
  readonly onRecord: (block: Block, start: number, end: number) => void;
  /** A record belongs to no event. */
  readonly onStray: () => void;
}

/** Counts that the kernel and its caller go on with in turn. */
export interface RoundCounts {
  records: number;
  /** Samples whose turn has come. */
  samples: number;
  /** A tracepoint's sample of the idle task proved what was armed. */
  isDeclared: boolean;
}

export class KernelRounds {
  readonly #kernel: RecordKernel<Exports>;
  readonly #open: OpenKernel;
  readonly #options: KernelRoundsOptions;
  readonly #counts: RoundCounts;
  readonly #blocks: KernelBlocks;
  readonly #waiting: number;
  #current: KernelBlock | null = null;
  #attrsAt = -1;
  #attrs = 0;
  #namesAt = -1;
  #names = 0;

  constructor(kernel: RecordKernel<Exports>, options: KernelRoundsOptions, counts: RoundCounts) {
    const { rows, heap, exports } = kernel;
    this.#kernel = kernel;
    this.#options = options;
    this.#counts = counts;
    this.#open = this.#kernel.open(options.sink, options.decoder);
    this.#waiting = constantsOf(exports, ["BLOCKS"]).BLOCKS >> 2;
    this.#blocks = new KernelBlocks(rows, heap, () => this.#waitedIn());
    this.#layNames();
    options.names.onSet = (tid, id) => this.#setName(tid, id);
  }

  /** Records were passed on before their round was complete. */
  get overflows(): number {
    return this.#kernel.exports.overflows.value;
  }

  /** A block for records; the one before is not read on. */
  readonly newBlock = (length: number): KernelBlock => {
    if (this.#current !== null) this.#blocks.release(this.#current);
    this.#current = this.#blocks.block(length);
    return this.#current;
  };

  /**
   * Reads the records of the block that newBlock() gave last from byte `from` on; returns where it stopped: behind the last whole one,
   * or at one of perf's own other than FINISHED_ROUND.
   */
  read(from: number): number {
    return this.#current === null ? from : this.#read(this.#current, from, true);
  }

  /** `bytes` in a block beside the one that is read; `use` gets a function that reads it as read() does, but stops at FINISHED_ROUND as well. */
  beside<T>(bytes: Uint8Array, use: (read: (from: number) => number) => T): T {
    const block = this.#blocks.block(bytes.length);
    block.bytes.set(bytes);
    const result = use((from) => this.#read(block, from, false));
    this.#blocks.release(block);
    return result;
  }

  #read(block: KernelBlock, from: number, hasRounds: boolean): number {
    this.#layAttrs();
    this.#kernel.exports.enter(block.at, block.bytes.length, block.at + from, hasRounds ? 1 : 0);
    this.#run();
    return this.#kernel.exports.place() - block.at;
  }

  /** Passes on all that waits. */
  end(): void {
    this.#kernel.exports.finish();
    this.#run();
    this.#open.count();
    this.#options.names.onSet = () => {};
  }

  #run(): void {
    const { exports } = this.#kernel;
    const { sink } = this.#options;
    const counts = this.#counts;
    const open = this.#open;
    for (;;) {
      const before = exports.records.value;
      const epoch = sink.epochSeconds;
      const stop = exports.run(epoch, counts.samples, epoch < 0 ? 1 : 0, counts.isDeclared ? 0 : 1);
      counts.records += exports.records.value - before;
      counts.samples = open.state(State.samples);
      open.take();
      if (stop === Stop.done) return;
      if (stop === Stop.leftRecord) this.#left(open.state(State.place));
      else if (stop === Stop.noEvent) this.#options.onStray();
      else if (stop === Stop.namesFull) open.forgetNames();
    }
  }

  /** The record at `at` of the memory. */
  #left(at: number): void {
    const { rows } = this.#kernel;
    const size = rows.view.getUint16(at + 6, true);
    const block = new Block(rows.bytes.subarray(at, at + size));
    this.#options.onRecord(block, 0, size);
  }

  /** Tells the kernel what to do with the tracepoint records [start, end) of a block that onRecord() got. */
  teach({ bytes }: Block, start: number, end: number): void {
    this.#open.teach(bytes.byteOffset + start, bytes.byteOffset + end);
  }

  #waitedIn(): ReadonlySet<number> {
    const { words } = this.#kernel.rows;
    const places = new Set<number>();
    for (let i = 0; i < this.#kernel.exports.blocks.value; i++) places.add(words[this.#waiting + i * 2]!);
    return places;
  }

  /** Attributes and the table of their ids, when there are others than before. */
  #layAttrs(): void {
    const { attrs } = this.#options;
    const { length } = attrs.attrs;
    if (length === this.#attrs) return;
    const { low, high, index } = attrs.table();
    const slots = index.length;
    if (this.#attrsAt >= 0) this.#blocks.unpin(this.#attrsAt);
    const at = this.#blocks.pin(length * ATTR_WORDS * 4 + slots * 12);
    const { words } = this.#kernel.rows;
    for (const [i, attr] of attrs.attrs.entries()) {
      const { sample, trailer } = attr;
      words.set(
        [
          attr.sampleType,
          attr.readFormat,
          attr.hasSampleId ? 1 : 0,
          isRawTracepoint(attr) ? 1 : 0,
          ...[sample.tid, sample.time, sample.cpu, sample.rest],
          ...[trailer.tid, trailer.time, trailer.cpu, trailer.rest],
        ],
        (at >> 2) + i * ATTR_WORDS,
      );
    }
    const table = at + length * ATTR_WORDS * 4;
    for (const [i, column] of [low, high, index].entries()) words.set(column, (table >> 2) + i * slots);
    this.#kernel.exports.setAttrs(at, length, table, slots, attrs.sampleIdAt, attrs.trailerIdAt);
    this.#attrsAt = at;
    this.#attrs = length;
  }

  /** The names of all tasks, with room for more. */
  #layNames(): void {
    const { names } = this.#options;
    const { rows, exports } = this.#kernel;
    const { ids, unknown } = names.table();
    if (this.#namesAt >= 0) this.#blocks.unpin(this.#namesAt);
    this.#namesAt = this.#blocks.pin(ids.length * 4);
    this.#names = ids.length;
    for (let tid = 0; tid < ids.length; tid++) this.#layName(tid, ids[tid]!);
    exports.setNames(this.#namesAt, ids.length, rows.namesBeside + unknown);
  }

  #setName(tid: number, id: number): void {
    if (tid >= this.#names) this.#layNames();
    else this.#layName(tid, id);
  }

  #layName(tid: number, id: number): void {
    const { rows } = this.#kernel;
    rows.words[(this.#namesAt >> 2) + tid] = id < 0 ? -1 : rows.namesBeside + id;
  }
}

/** Gives `read` what reads records by the kernel; one recording at a time. */
export function withRounds<T>(
  options: KernelRoundsOptions,
  counts: RoundCounts,
  read: (rounds: KernelRounds) => T,
): T {
  return withKernel<Exports, T>(PERF_WASM, (kernel) => read(new KernelRounds(kernel, options, counts)));
}
