// Puts rows into time order with bounded memory: recorders print nearly sorted lines (per-CPU buffers, local
// clock, bpftrace). Sorted input pays one comparison a row. Fed by the sink, read by the caller's onBatch.
import { EVENT_COLUMNS, type EventBatch, INT32_COLUMNS, newBatch } from "../table/event-batch.ts";

/** Where a sink puts rows. */
export interface RowStore {
  readonly out: EventBatch;
  readonly rows: number;
  readonly floorNs: number;
  /** Rows that append() can take. */
  readonly room: number;
  makeRoom(): void;
  claim(ns: number): number;
  /** Appends rows from[start, end), as claim() and their writing would; at most `room`. */
  append(from: EventBatch, start: number, end: number): void;
  end(): void;
}

/** Rows of a part as they come: all of them kept, none moved. */
export class PartRows implements RowStore {
  out: EventBatch = newBatch(4096);
  readonly floorNs: number = Number.NEGATIVE_INFINITY;
  readonly room: number = Number.POSITIVE_INFINITY;
  #capacity = 4096;

  get rows(): number {
    return this.out.length;
  }

  makeRoom(rows = 1): void {
    if (this.out.length + rows <= this.#capacity) return;
    while (this.#capacity < this.out.length + rows) this.#capacity *= 2;
    const grown = newBatch(this.#capacity);
    copyRows(this.out, 0, this.out.length, grown);
    this.out = grown;
  }

  append(from: EventBatch, start: number, end: number): void {
    this.makeRoom(end - start);
    copyRows(from, start, end, this.out);
  }

  claim(ns: number): number {
    const row = this.out.length++;
    this.out.ns[row] = ns;
    return row;
  }

  end(): void {}
}

/** A window of 2 x `half` rows; the older half leaves when it is full. */
export class Reorder implements RowStore {
  /** Rows are written here, at the index `claim` returned. */
  out: EventBatch;
  #spare: EventBatch | null = null;
  readonly #half: number;
  readonly #onBatch: (batch: EventBatch) => void;
  #sorted = true;
  #lastNs = Number.NEGATIVE_INFINITY;
  #floorNs = Number.NEGATIVE_INFINITY;
  #rows = 0;

  constructor(half: number, onBatch: (batch: EventBatch) => void) {
    this.#half = half;
    this.#onBatch = onBatch;
    this.out = newBatch(half * 2);
  }

  /** Rows claimed so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Time of the newest row passed on; a row older than this can only be clamped. */
  get floorNs(): number {
    return this.#floorNs;
  }

  /** Passes on the older half when the window is full. `out` may be another object and floorNs higher afterwards. */
  makeRoom(): void {
    if (this.out.length === this.#half * 2) this.#emit(this.#half);
  }

  /** Index in `out` of a new row at `ns`, which is not below floorNs; makeRoom() has been called. */
  claim(ns: number): number {
    if (ns < this.#lastNs) this.#sorted = false;
    else this.#lastNs = ns;
    const row = this.out.length++;
    this.out.ns[row] = ns;
    this.#rows++;
    return row;
  }

  get room(): number {
    return this.#half * 2 - this.out.length;
  }

  append(from: EventBatch, start: number, end: number): void {
    const { ns } = from;
    for (let row = start; row < end; row++) {
      if (ns[row]! < this.#lastNs) this.#sorted = false;
      else this.#lastNs = ns[row]!;
    }
    this.#rows += end - start;
    copyRows(from, start, end, this.out);
  }

  /** Passes on what is left. */
  end(): void {
    while (this.out.length > 0) this.#emit(Math.min(this.#half, this.out.length));
  }

  #emit(rows: number): void {
    if (!this.#sorted) this.#sort();
    const all = this.out;
    const length = all.length;
    all.length = rows;
    this.#floorNs = all.ns[rows - 1]!;
    this.#onBatch(all);
    shiftDown(all, rows, length);
    all.length = length - rows;
  }

  #sort(): void {
    const from = this.out;
    const n = from.length;
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    const ns = from.ns;
    order.sort((a, b) => ns[a]! - ns[b]! || a - b);
    const to = this.#spare ?? newBatch(this.#half * 2);
    gather(from, to, order);
    to.length = n;
    this.#spare = from;
    this.out = to;
    this.#sorted = true;
  }
}

/** Below this, copying row by row is faster than a subarray of each column. */
const FEW_ROWS = 24;

/** Appends from[start, end) to `to`, which has room. */
function copyRows(from: EventBatch, start: number, end: number, to: EventBatch): void {
  if (end - start < FEW_ROWS) {
    for (let row = start; row < end; row++) copyRow(from, row, to, to.length++);
    return;
  }
  for (const name of EVENT_COLUMNS) to[name].set(from[name].subarray(start, end), to.length);
  to.length += end - start;
}

function copyRow(from: EventBatch, row: number, to: EventBatch, at: number): void {
  to.ns[at] = from.ns[row]!;
  to.kind[at] = from.kind[row]!;
  to.cpu[at] = from.cpu[row]!;
  to.ctx[at] = from.ctx[row]!;
  to.tid[at] = from.tid[row]!;
  to.tgid[at] = from.tgid[row]!;
  to.comm[at] = from.comm[row]!;
  to.argTid[at] = from.argTid[row]!;
  to.argComm[at] = from.argComm[row]!;
  to.mm[at] = from.mm[row]!;
  to.mm2[at] = from.mm2[row]!;
  to.users[at] = from.users[row]!;
  to.count[at] = from.count[row]!;
  to.flags[at] = from.flags[row]!;
  to.line[at] = from.line[row]!;
}

function shiftDown(batch: EventBatch, from: number, length: number): void {
  for (const name of EVENT_COLUMNS) batch[name].copyWithin(0, from, length);
}

function gather(from: EventBatch, to: EventBatch, order: Uint32Array): void {
  gatherFloat64(from.ns, to.ns, order);
  gatherUint8(from.kind, to.kind, order);
  gatherUint8(from.ctx, to.ctx, order);
  gatherInt16(from.cpu, to.cpu, order);
  gatherUint32(from.line, to.line, order);
  for (const name of INT32_COLUMNS) gatherInt32(from[name], to[name], order);
}

// One loop per array type: a shared one goes megamorphic and took a quarter of an unsorted CSV's time.
function gatherFloat64(from: Float64Array, to: Float64Array, order: Uint32Array): void {
  for (let i = 0; i < order.length; i++) to[i] = from[order[i]!]!;
}

function gatherUint8(from: Uint8Array, to: Uint8Array, order: Uint32Array): void {
  for (let i = 0; i < order.length; i++) to[i] = from[order[i]!]!;
}

function gatherInt16(from: Int16Array, to: Int16Array, order: Uint32Array): void {
  for (let i = 0; i < order.length; i++) to[i] = from[order[i]!]!;
}

function gatherUint32(from: Uint32Array, to: Uint32Array, order: Uint32Array): void {
  for (let i = 0; i < order.length; i++) to[i] = from[order[i]!]!;
}

function gatherInt32(from: Int32Array, to: Int32Array, order: Uint32Array): void {
  for (let i = 0; i < order.length; i++) to[i] = from[order[i]!]!;
}
