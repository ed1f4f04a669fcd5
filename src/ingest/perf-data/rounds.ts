// Puts records into time order as perf does (tools/perf/util/ordered-events.c): a ring buffer per CPU is read in
// rounds, and a FINISHED_ROUND record says that nothing older than the round before can follow. Within a round the
// records of a CPU are in order, so the queue is a few sorted runs that are merged.
import { StreamHeap, type TimedStream } from "../heap.ts";

/** Bytes of records that wait, and their number; beyond it the older half is passed on whatever may follow. */
const MAX_WAITING = 1 << 26;
const MAX_RECORDS = 1 << 19;
const FIRST_ARENA = 1 << 16;

/** Takes one record, bytes[start, end), in time order. */
export type Visit = (bytes: Uint8Array, start: number, end: number) => void;

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

/** The waiting records. */
export class RoundQueue {
  readonly #visit: Visit;
  #arena: Uint8Array = new Uint8Array(FIRST_ARENA);
  #used = 0;
  /** Per record: time halves, place in the arena. */
  #high: Uint32Array = new Uint32Array(4096);
  #low: Uint32Array = new Uint32Array(4096);
  #start: Uint32Array = new Uint32Array(4096);
  #length: Uint32Array = new Uint32Array(4096);
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

  /** Copies a record with its time (two halves, not 0) into the queue. */
  add(bytes: Uint8Array, start: number, end: number, high: number, low: number): void {
    const length = end - start;
    if (this.#used + length > MAX_WAITING || this.#count === MAX_RECORDS) this.#overflow();
    if (this.#used + length > this.#arena.length) this.#growArena(length);
    if (this.#count === this.#high.length) this.#growColumns();
    const i = this.#count++;
    this.#arena.set(bytes.subarray(start, end), this.#used);
    this.#high[i] = high;
    this.#low[i] = low;
    this.#start[i] = this.#used;
    this.#length[i] = length;
    this.#used += length;
    const run = this.#runs[this.#runs.length - 1];
    if (run !== undefined && run.end === i && !isBefore(high, low, this.#high[i - 1]!, this.#low[i - 1]!))
      run.end = i + 1;
    else this.#runs.push(new Run(i, high, low));
    if (isBefore(this.#maxHigh, this.#maxLow, high, low)) {
      this.#maxHigh = high;
      this.#maxLow = low;
    }
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
    if (this.#used > MAX_WAITING / 2 || this.#count > MAX_RECORDS / 2) this.end();
  }

  #flush(high: number, low: number): void {
    const heap = new StreamHeap<Run>();
    for (const run of this.#runs) if (!isBefore(high, low, run.hi, run.lo)) heap.add(run);
    for (let run = heap.top; run !== undefined; run = heap.top) {
      const i = run.at++;
      const start = this.#start[i]!;
      this.#visit(this.#arena, start, start + this.#length[i]!);
      if (run.at < run.end) {
        run.hi = this.#high[run.at]!;
        run.lo = this.#low[run.at]!;
        if (isBefore(high, low, run.hi, run.lo)) heap.drop();
        else heap.sift();
      } else heap.drop();
    }
    this.#compact();
  }

  /** Moves what still waits to the front, run by run. */
  #compact(): void {
    const left = this.#runs.filter((run) => run.at < run.end);
    let count = 0;
    let used = 0;
    for (const run of left) {
      const from = this.#start[run.at]!;
      const to = this.#start[run.end - 1]! + this.#length[run.end - 1]!;
      this.#arena.copyWithin(used, from, to);
      const first = count;
      for (let i = run.at; i < run.end; i++, count++) {
        this.#high[count] = this.#high[i]!;
        this.#low[count] = this.#low[i]!;
        this.#length[count] = this.#length[i]!;
        this.#start[count] = this.#start[i]! - from + used;
      }
      used += to - from;
      run.at = first;
      run.end = count;
    }
    this.#runs = left;
    this.#count = count;
    this.#used = used;
  }

  #growArena(length: number): void {
    const grown = new Uint8Array(Math.max(this.#arena.length * 2, this.#used + length));
    grown.set(this.#arena.subarray(0, this.#used));
    this.#arena = grown;
  }

  #growColumns(): void {
    this.#high = doubled(this.#high);
    this.#low = doubled(this.#low);
    this.#start = doubled(this.#start);
    this.#length = doubled(this.#length);
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
