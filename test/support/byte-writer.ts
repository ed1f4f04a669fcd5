// Builds binary recordings for tests: fields of either byte order one behind the other, and where the fields lie that a
// fuzzer should lie in (sizes, counts, offsets).

/** A growing file. */
export class ByteWriter {
  readonly big: boolean;
  /** Places and widths of sizes, counts and offsets. */
  readonly marks: { readonly at: number; readonly size: number }[] = [];
  #bytes: Uint8Array = new Uint8Array(4096);
  #length = 0;

  constructor(big: boolean) {
    this.big = big;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  raw(bytes: Uint8Array | readonly number[]): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  text(text: string): this {
    return this.raw(new TextEncoder().encode(text));
  }

  /** A number of `size` bytes. */
  int(size: number, value: number | bigint): this {
    const at = this.#length;
    this.#room(size);
    this.#length += size;
    this.patch(at, size, value);
    return this;
  }

  /** A number that is a size, a count or an offset. */
  mark(size: number, value: number | bigint = 0): number {
    const at = this.#length;
    this.marks.push({ at, size });
    this.int(size, value);
    return at;
  }

  /** Writes a number over what stands at `at`. */
  patch(at: number, size: number, value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < size; i++) {
      this.#bytes[this.big ? at + size - 1 - i : at + i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }

  /** Fills up with zeros to a multiple of `step`. */
  align(step: number): this {
    const length = Math.ceil(this.#length / step) * step;
    this.#room(length - this.#length);
    this.#length = length;
    return this;
  }

  #room(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
