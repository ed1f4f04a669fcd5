// Ids of task names as they lie in an event, sixteen bytes with a NUL in them: names come again and again, and four words are
// compared sooner than a name is hashed byte by byte. Used by events.ts.
import type { Sink } from "../sink.ts";

/** TASK_COMM_LEN, include/linux/sched.h. */
export const COMM_BYTES = 16;
const SLOTS = 1024;

export class CommCache {
  readonly #sink: Sink;
  readonly #words = new Int32Array(SLOTS * 4);
  readonly #ids = new Int32Array(SLOTS).fill(-1);

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Id of the name at `at`, as Sink.comm() gives it. */
  idOf(bytes: Uint8Array, view: DataView, at: number): number {
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    const hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ d, 0x27d4eb2f);
    const slot = hash >>> 22;
    const words = this.#words;
    const from = slot * 4;
    const isHere =
      words[from] === a && words[from + 1] === b && words[from + 2] === c && words[from + 3] === d;
    const known = this.#ids[slot]!;
    if (isHere && known >= 0) return known;
    let end = at;
    while (end < at + COMM_BYTES && bytes[end] !== 0) end++;
    const id = this.#sink.comm(bytes, at, end);
    words[from] = a;
    words[from + 1] = b;
    words[from + 2] = c;
    words[from + 3] = d;
    this.#ids[slot] = id;
    return id;
  }
}
