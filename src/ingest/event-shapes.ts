// How the events of a trace begin, byte for byte: "sched_waking: ", "sys_read(", "sys_read -> ". The scanners compare a
// line with the beginning it is likely to have; what is not known here goes the long way through events.ts, which
// teaches this table. A trace has a few dozen.
const BUCKETS = 1024;
/** "hrtimer_expire_entry" and "hrtimer_expire_exit" are alike where bucketOf looks. */
const WAYS = 4;
const MAX_SHAPES = 4096;

/** Beginnings of lines whose fate is known. Ids are dense, from 0. */
export class EventShapes {
  /** Lines skipped so far, by id. */
  readonly skipped: Float64Array = new Float64Array(MAX_SHAPES);
  /** Where the beginning found last ends. */
  end = 0;
  /** Id of the event's name, by shape id; -1 where the lines are skipped. */
  readonly nameIds: Int16Array = new Int16Array(MAX_SHAPES);
  readonly texts: string[] = [];
  readonly #printed: Uint8Array[] = [];
  #taught = 0;
  readonly #slots: Int16Array = new Int16Array(BUCKETS * WAYS).fill(-1);

  get size(): number {
    return this.#printed.length;
  }

  /**
   * Id of the beginning that stands at `at`, -1 when it is not known. None holds a line feed: one stands whole inside
   * its line, and bytes behind the line end decide nothing.
   */
  find(bytes: Uint8Array, at: number): number {
    const bucket = bucketOf(bytes, at);
    for (let slot = bucket; slot < bucket + WAYS; slot++) {
      const id = this.#slots[slot]!;
      if (id < 0) break;
      const printed = this.#printed[id]!;
      const { length } = printed;
      let i = 0;
      while (i < length && bytes[at + i] === printed[i]) i++;
      if (i === length) {
        this.end = at + length;
        return id;
      }
    }
    return this.#taught > 0 ? this.#recall(bytes, at, bucket) : -1;
  }

  printed(id: number): Uint8Array {
    return this.#printed[id]!;
  }

  /** Takes in a beginning known elsewhere; ids go on by one. */
  teach(printed: Uint8Array, nameId: number): void {
    this.nameIds[this.#printed.push(printed) - 1] = nameId;
    this.#taught++;
  }

  /** Takes in what find() does not know: that bytes[at, end) begins a line's event and decides its fate; `nameId` as in nameIds, `text` its name. */
  learn(bytes: Uint8Array, at: number, end: number, nameId: number, text: string): void {
    const printed = bytes.slice(at, end);
    let id = this.#printed.findIndex((known) => isEqual(known, printed));
    if (id < 0) {
      if (this.size === MAX_SHAPES) return;
      id = this.#printed.push(printed) - 1;
      this.nameIds[id] = nameId;
      this.texts.push(text);
    }
    this.#put(bucketOf(bytes, at), id);
  }

  /** A line has not been near enough to a taught beginning's bucket yet. */
  #recall(bytes: Uint8Array, at: number, bucket: number): number {
    const id = this.#printed.findIndex((printed) => printed.every((byte, i) => bytes[at + i] === byte));
    if (id < 0) return -1;
    this.#put(bucket, id);
    this.end = at + this.#printed[id]!.length;
    return id;
  }

  #put(bucket: number, id: number): void {
    let way = 0;
    while (way < WAYS - 1 && this.#slots[bucket + way]! >= 0) way++;
    this.#slots[bucket + way] = id;
  }
}

/** Index of the first slot for a line whose event begins at `at`. */
function bucketOf(bytes: Uint8Array, at: number): number {
  const sample = bytes[at + 2]! ^ (bytes[at + 5]! << 7) ^ (bytes[at + 10]! << 14) ^ (bytes[at + 12]! << 21);
  return (Math.imul(sample, 0x9e3779b1) >>> 22) * WAYS;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
