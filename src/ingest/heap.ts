// Merges streams that are each in time order: the one whose record is oldest stands at the top; of equal times the one
// opened first, so that a merge is the same every time. Used by the readers of per-CPU recordings.

/** A stream of records with a time hi * 1e9 + lo. */
export interface TimedStream {
  readonly hi: number;
  readonly lo: number;
}

/** A binary heap of streams. */
export class StreamHeap<S extends TimedStream> {
  readonly #streams: S[] = [];
  /** Order of opening, beside each stream. */
  readonly #ranks: number[] = [];
  #opened = 0;

  /** The stream whose record comes next; undefined when all are at their end. */
  get top(): S | undefined {
    return this.#streams[0];
  }

  /** Takes in a stream that stands at its first record. */
  add(stream: S): void {
    this.#streams.push(stream);
    this.#ranks.push(this.#opened++);
    let at = this.#streams.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Puts the top in its place after it went on to its next record. */
  sift(): void {
    const size = this.#streams.length;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= size) return;
      const child = left + 1 < size && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  /** Leaves out the top, which is at its end. */
  drop(): void {
    const last = this.#streams.pop();
    const rank = this.#ranks.pop();
    if (last === undefined || rank === undefined || this.#streams.length === 0) return;
    this.#streams[0] = last;
    this.#ranks[0] = rank;
    this.sift();
  }

  #isBefore(a: number, b: number): boolean {
    const x = this.#streams[a]!;
    const y = this.#streams[b]!;
    if (x.hi !== y.hi) return x.hi < y.hi;
    return x.lo < y.lo || (x.lo === y.lo && this.#ranks[a]! < this.#ranks[b]!);
  }

  #swap(a: number, b: number): void {
    const stream = this.#streams[a]!;
    this.#streams[a] = this.#streams[b]!;
    this.#streams[b] = stream;
    const rank = this.#ranks[a]!;
    this.#ranks[a] = this.#ranks[b]!;
    this.#ranks[b] = rank;
  }
}
