// Puts records into time order as perf does (tools/perf/util/ordered-events.c): a ring buffer per CPU is read in
// rounds, and a FINISHED_ROUND record says that nothing older than the round before can follow. Within a round the
// records of a CPU are in order, so the queue is a few sorted runs that are merged.
import { StreamHeap, type TimedStream } from "../heap.ts";
import { viewOf } from "../words.ts";

/** Bytes of blocks that records wait in, and records; beyond it the older half is passed on whatever may follow. */
const MAX_WAITING = 1 << 26;
const MAX_RECORDS = 1 << 19;

/** Bytes that records lie in; nobody changes them. The kernel's memory may move (kernel-blocks.ts): ask for them anew. */
export class Block {
  bytes: Uint8Array;
  view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  /** Keeps the first `length` bytes only. */
  cut(length: number): void {
    this.bytes = this.bytes.subarray(0, length);
    this.view = viewOf(this.bytes);
  }
}

/** Takes one record, [start, end) of the block, in time order. */
export type Visit = (block: Block, start: number, end: number) => void;

/** Records in arrival order whose times do not fall: indices [at, end) of the queue. */
class Run implements TimedStream {
  hi: number;
  lo: number;
  at: number;
  end: number;

  constructor(at: number, high: number, low: number) {
    this.at = at;
    this.end = at + 1;
    this.hi = high;
    this.lo = low;
  }
}

/** The waiting records. They stay where they were read: a block of them is held as long as one of its records waits. */
export class RoundQueue {
  readonly #visit: Visit;
  /** Blocks that records wait in, and the bytes of them all. */
  #blocks: Block[] = [];
  #held = 0;
  /** Per record: time halves, block, place in it. */
  #high: Uint32Array = new Uint32Array(4096);
  #low: Uint32Array = new Uint32Array(4096);
  #block: Uint32Array = new Uint32Array(4096);
  #start: Uint32Array = new Uint32Array(4096);
  #end: Uint32Array = new Uint32Array(4096);
  #count = 0;
  #runs: Run[] = [];
  #maxHigh = 0;
  #maxLow = 0;
  #flushHigh = 0;
  #flushLow = 0;
  /** Records were passed on before their round was complete: the queue was full. */
  overflows = 0;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  /** Queues a record, [start, end) of `from`, with its time (two halves, not 0). */
  add(from: Block, start: number, end: number, high: number, low: number): void {
    let block = this.#blocks.length - 1;
    if (block < 0 || this.#blocks[block] !== from) {
      if (this.#held + from.bytes.length > MAX_WAITING && block >= 0) this.#overflow();
      block = this.#blocks.push(from) - 1;
      this.#held += from.bytes.length;
    }
    if (this.#count === MAX_RECORDS) {
      this.#overflow();
      block = this.#blockOf(from);
    }
    if (this.#count === this.#high.length) this.#growColumns();
    const i = this.#count++;
    this.#high[i] = high;
    this.#low[i] = low;
    this.#block[i] = block;
    this.#start[i] = start;
    this.#end[i] = end;
    const run = this.#runs[this.#runs.length - 1];
    if (run !== undefined && run.end === i && !isBefore(high, low, this.#high[i - 1]!, this.#low[i - 1]!))
      run.end = i + 1;
    else this.#runs.push(new Run(i, high, low));
    if (isBefore(this.#maxHigh, this.#maxLow, high, low)) {
      this.#maxHigh = high;
      this.#maxLow = low;
    }
  }

  /** Index of a block, which is held from here on; the last one is the one being read. */
  #blockOf(block: Block): number {
    const last = this.#blocks.length - 1;
    if (last >= 0 && this.#blocks[last] === block) return last;
    this.#held += block.bytes.length;
    return this.#blocks.push(block) - 1;
  }

  /** A FINISHED_ROUND: passes on what is not newer than the newest record of the round before. */
  finishRound(): void {
    this.#flush(this.#flushHigh, this.#flushLow);
    this.#flushHigh = this.#maxHigh;
    this.#flushLow = this.#maxLow;
  }

  /** Passes on everything. */
  end(): void {
    this.#flush(0xffffffff, 0xffffffff);
  }

  #overflow(): void {
    this.overflows++;
    // The middle of the times that wait, as perf's OE_FLUSH__HALF takes it.
    let high = 0xffffffff;
    let low = 0xffffffff;
    for (const run of this.#runs) {
      if (isBefore(run.hi, run.lo, high, low)) {
        high = run.hi;
        low = run.lo;
      }
    }
    const from = high * 4294967296 + low;
    const to = this.#maxHigh * 4294967296 + this.#maxLow;
    const middle = from + (to - from) / 2;
    this.#flush(Math.floor(middle / 4294967296), middle % 4294967296);
    if (this.#held > MAX_WAITING / 2 || this.#count > MAX_RECORDS / 2) this.end();
  }

  #flush(high: number, low: number): void {
    const heap = new StreamHeap<Run>();
    for (const run of this.#runs) if (!isBefore(high, low, run.hi, run.lo)) heap.add(run);
    for (let run = heap.top; run !== undefined; run = heap.top) {
      const i = run.at++;
      this.#visit(this.#blocks[this.#block[i]!]!, this.#start[i]!, this.#end[i]!);
      if (run.at < run.end) {
        run.hi = this.#high[run.at]!;
        run.lo = this.#low[run.at]!;
        if (isBefore(high, low, run.hi, run.lo)) heap.drop();
        else heap.sift();
      } else heap.drop();
    }
    this.#compact();
  }

  /** Moves what still waits to the front, run by run, and lets go of blocks that nothing waits in. */
  #compact(): void {
    const left = this.#runs.filter((run) => run.at < run.end);
    const blocks: Block[] = [];
    const moved = new Int32Array(this.#blocks.length).fill(-1);
    let held = 0;
    let count = 0;
    for (const run of left) {
      const first = count;
      for (let i = run.at; i < run.end; i++, count++) {
        const from = this.#block[i]!;
        if (moved[from] === -1) {
          const block = this.#blocks[from]!;
          moved[from] = blocks.push(block) - 1;
          held += block.bytes.length;
        }
        this.#high[count] = this.#high[i]!;
        this.#low[count] = this.#low[i]!;
        this.#block[count] = moved[from]!;
        this.#start[count] = this.#start[i]!;
        this.#end[count] = this.#end[i]!;
      }
      run.at = first;
      run.end = count;
    }
    this.#runs = left;
    this.#blocks = blocks;
    this.#held = held;
    this.#count = count;
  }

  #growColumns(): void {
    this.#high = doubled(this.#high);
    this.#low = doubled(this.#low);
    this.#block = doubled(this.#block);
    this.#start = doubled(this.#start);
    this.#end = doubled(this.#end);
  }
}

function doubled(from: Uint32Array): Uint32Array {
  const to = new Uint32Array(from.length * 2);
  to.set(from);
  return to;
}

function isBefore(high: number, low: number, thanHigh: number, thanLow: number): boolean {
  return high < thanHigh || (high === thanHigh && low < thanLow);
}
