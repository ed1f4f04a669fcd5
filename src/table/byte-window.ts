// A stretch of a file read block by block where it is needed, a few blocks kept. Used by stored-table.ts, whose columns are
// read by row, mostly forwards.
import { corrupt, type RandomAccess } from "./arrow-ipc.ts";

const BLOCK_SHIFT = 16;
const BLOCK: number = 1 << BLOCK_SHIFT;
/** Blocks kept: one of each residue. */
const WAYS = 8;

/** The bytes [at, at + length) of a file. */
export class ByteWindow {
  readonly length: number;
  /** Where range() put the bytes asked for. */
  rangeStart = 0;
  readonly #source: RandomAccess;
  readonly #at: number;
  readonly #held: Int32Array = new Int32Array(WAYS).fill(-1);
  readonly #blocks: Uint8Array[] = [];
  #block = -1;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(source: RandomAccess, at: number, length: number) {
    this.#source = source;
    this.#at = at;
    this.length = length;
  }

  byte(at: number): number {
    const index = this.#seek(at);
    return this.#bytes[index]!;
  }

  /** The little-endian int32 at `at`, a multiple of 4. */
  int32(at: number): number {
    const index = this.#seek(at);
    const bytes = this.#bytes;
    return bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
  }

  /** An array that holds the bytes [at, at + length) from `rangeStart` on. Valid until the next call. */
  range(at: number, length: number): Uint8Array {
    this.rangeStart = 0;
    if (length === 0) return new Uint8Array(0);
    const index = this.#seek(at);
    if (index + length <= this.#bytes.length) {
      this.rangeStart = index;
      return this.#bytes;
    }
    return this.#read(at, length);
  }

  /** Makes the block of `at` the current one; returns the place in it. */
  #seek(at: number): number {
    const block = Math.floor(at / BLOCK);
    if (block !== this.#block) this.#turnTo(block);
    return at - block * BLOCK;
  }

  #turnTo(block: number): void {
    const way = block % WAYS;
    if (this.#held[way] !== block) {
      const from = block * BLOCK;
      this.#blocks[way] = this.#read(from, Math.min(BLOCK, this.length - from));
      this.#held[way] = block;
    }
    this.#bytes = this.#blocks[way]!;
    this.#block = block;
  }

  #read(at: number, length: number): Uint8Array {
    const bytes = length > 0 ? this.#source.readAt(this.#at + at, length) : new Uint8Array(0);
    if (length <= 0 || bytes.length < length) throw corrupt("it ends before the cells it announces");
    return bytes.slice();
  }
}
