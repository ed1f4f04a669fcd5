// Byte strings <-> small integers. Hot: every event line interns its task name and pointers, so the lookup
// hashes bytes in place and decodes a string only when it is new.

const EMPTY = -1;

/** Interns byte ranges. Ids are dense, from 0, in order of first sight; equal bytes give equal ids. */
export class ByteInterner {
  #slots: Int32Array = new Int32Array(1024).fill(EMPTY);
  #hashes: Int32Array = new Int32Array(512);
  #starts: Int32Array = new Int32Array(513);
  #heap: Uint8Array = new Uint8Array(8192);
  #size = 0;
  readonly #decoder = new TextDecoder("utf-8");

  get size(): number {
    return this.#size;
  }

  /** Id of bytes[start, end). */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let h = 0x811c9dc5;
    for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
    h ^= h >>> 15;
    const mask = this.#slots.length - 1;
    let slot = h & mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id === EMPTY) return this.#insert(bytes, start, end, h, slot);
      if (this.#hashes[id] === h && this.#equals(id, bytes, start, end)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** Id of bytes[start, end), -1 when they were never interned. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let h = 0x811c9dc5;
    for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
    h ^= h >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = h & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]!;
      if (id === EMPTY || (this.#hashes[id] === h && this.#equals(id, bytes, start, end))) return id;
    }
  }

  /** Id of a string's UTF-8 bytes. */
  internText(text: string): number {
    const bytes = new TextEncoder().encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The text of an id; broken UTF-8 becomes U+FFFD. */
  text(id: number): string {
    return this.#decoder.decode(this.#heap.subarray(this.#starts[id]!, this.#starts[id + 1]!));
  }

  /** All byte strings, one behind the other, and where each begins; the last one's end stands behind its beginning. */
  packed(): { readonly heap: Uint8Array; readonly starts: Int32Array } {
    const starts = this.#starts.slice(0, this.#size + 1);
    return { heap: this.#heap.slice(0, starts[this.#size]), starts };
  }

  /** All texts, by id. */
  texts(): string[] {
    const out: string[] = [];
    for (let id = 0; id < this.#size; id++) out.push(this.text(id));
    return out;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[id]!;
    if (this.#starts[id + 1]! - from !== end - start) return false;
    for (let i = start, j = from; i < end; i++, j++) if (bytes[i] !== this.#heap[j]) return false;
    return true;
  }

  #insert(bytes: Uint8Array, start: number, end: number, h: number, slot: number): number {
    const id = this.#size++;
    if (id + 1 >= this.#starts.length) {
      this.#starts = grown(this.#starts, this.#starts.length * 2);
      this.#hashes = grown(this.#hashes, this.#hashes.length * 2);
    }
    const at = this.#starts[id]!;
    const length = end - start;
    if (at + length > this.#heap.length) {
      const heap = new Uint8Array(Math.max(this.#heap.length * 2, at + length));
      heap.set(this.#heap);
      this.#heap = heap;
    }
    for (let i = 0; i < length; i++) this.#heap[at + i] = bytes[start + i]!;
    this.#starts[id + 1] = at + length;
    this.#hashes[id] = h;
    this.#slots[slot] = id;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = this.#hashes[id]! & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

function grown(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
