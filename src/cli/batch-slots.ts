// Batches of rows from one thread to another through shared memory: the writer fills a slot and tells its number, the reader lets go
// of it when it is done. A writer that is as many batches ahead as there are slots waits.
import { assert } from "../base/assert.ts";
import { BATCH_ROWS, EVENT_COLUMNS, type EventBatch, INT32_COLUMNS } from "../table/event-batch.ts";

const SLOTS = 4;
/** Bytes of a row in all columns. */
const ROW_BYTES = 8 + 1 + 2 + 1 + 4 + INT32_COLUMNS.length * 4;
/** In front of the slots: how many batches were let go. */
const HEAD_BYTES = 64;

/** Shared memory for batches of at most `rows` rows. */
export class BatchSlots {
  readonly memory: SharedArrayBuffer;
  readonly #released: Int32Array;
  readonly #slots: readonly EventBatch[];
  #filled = 0;

  /** Without `memory`: new ones. */
  constructor(memory?: SharedArrayBuffer, rows: number = BATCH_ROWS) {
    this.memory = memory ?? new SharedArrayBuffer(HEAD_BYTES + SLOTS * rows * ROW_BYTES);
    this.#released = new Int32Array(this.memory, 0, 1);
    this.#slots = Array.from({ length: SLOTS }, (_, slot) =>
      slotAt(this.memory, HEAD_BYTES + slot * rows * ROW_BYTES, rows),
    );
  }

  /** Copies a batch into a slot, once there is one; returns its number for view(). */
  fill(batch: EventBatch): number {
    for (let released = this.#wasReleased(); this.#filled - released >= SLOTS; ) {
      Atomics.wait(this.#released, 0, released);
      released = this.#wasReleased();
    }
    const slot = this.#filled++ % SLOTS;
    const to = this.#at(slot);
    for (const name of EVENT_COLUMNS) to[name].set(batch[name].subarray(0, batch.length));
    return slot;
  }

  /** The batch of `length` rows in a slot, until release(). */
  view(slot: number, length: number): EventBatch {
    return { ...this.#at(slot), length };
  }

  /** Lets go of the batch that was filled first. */
  release(): void {
    Atomics.add(this.#released, 0, 1);
    Atomics.notify(this.#released, 0);
  }

  #at(slot: number): EventBatch {
    const batch = this.#slots[slot];
    assert(batch !== undefined, "a slot's number");
    return batch;
  }

  #wasReleased(): number {
    return Atomics.load(this.#released, 0);
  }
}

/** Columns one behind the other, the widest first: each begins at a multiple of its width. */
function slotAt(memory: SharedArrayBuffer, start: number, rows: number): EventBatch {
  let at = start;
  const place = (width: number): number => {
    const from = at;
    at += width * rows;
    return from;
  };
  const ns = new Float64Array(memory, place(8), rows);
  const line = new Uint32Array(memory, place(4), rows);
  const words = Object.fromEntries(
    INT32_COLUMNS.map((name) => [name, new Int32Array(memory, place(4), rows)]),
  ) as Record<(typeof INT32_COLUMNS)[number], Int32Array>;
  const cpu = new Int16Array(memory, place(2), rows);
  const kind = new Uint8Array(memory, place(1), rows);
  const ctx = new Uint8Array(memory, place(1), rows);
  return { length: 0, ns, line, ...words, cpu, kind, ctx };
}
