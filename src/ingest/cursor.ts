// Reads a file's fields one after the other, from a window of it. Used for headers and tables; the hot loops have
// loops of their own. Every read is checked against the end.
import type { ByteSource } from "./source.ts";
import { nulAt, u16, u32, u64 } from "./words.ts";

const WINDOW = 1 << 16;

/** A field lies beyond the end of what is read. */
export class EndOfData extends Error {
  override readonly name = "EndOfData";
}

/** What a file says cannot be; the message says what, so that "FILE: " can stand in front of it. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** Bytes in memory as a source. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    readAt: (at, length) => bytes.subarray(Math.min(at, bytes.length), Math.min(at + length, bytes.length)),
  };
}

/** A place in a source. */
export class Cursor {
  at: number;
  big: boolean;
  readonly #source: ByteSource;
  readonly #limit: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  /** Reads from `at` up to `limit` (exclusive), at most to the end of the source. */
  constructor(source: ByteSource, big: boolean, at = 0, limit: number = source.size) {
    this.#source = source;
    this.big = big;
    this.at = at;
    this.#limit = Math.min(limit, source.size);
  }

  get left(): number {
    return Math.max(0, this.#limit - this.at);
  }

  skip(length: number): void {
    if (!(length <= this.left)) throw new EndOfData();
    this.at += length;
  }

  u8(): number {
    return this.#field(1)[this.at++ - this.#windowAt]!;
  }

  u16(): number {
    const value = u16(this.#field(2), this.at - this.#windowAt, this.big);
    this.at += 2;
    return value;
  }

  u32(): number {
    const value = u32(this.#field(4), this.at - this.#windowAt, this.big);
    this.at += 4;
    return value;
  }

  u64(): number {
    const value = u64(this.#field(8), this.at - this.#windowAt, this.big);
    this.at += 8;
    return value;
  }

  /** A copy of the next `length` bytes. Nothing is allocated for a length beyond the end. */
  bytes(length: number): Uint8Array {
    if (!(length <= this.left)) throw new EndOfData();
    const bytes = this.#source.readAt(this.at, length).slice();
    if (bytes.length < length) throw new EndOfData();
    this.at += length;
    return bytes;
  }

  /** A text that ends in NUL, at most `most` bytes long. */
  text(most: number): string {
    const length = Math.min(most, this.left);
    const bytes = this.#field(length);
    const from = this.at - this.#windowAt;
    const end = nulAt(bytes, from, from + length);
    if (end === from + length) throw new EndOfData();
    this.at += end - from + 1;
    return new TextDecoder().decode(bytes.subarray(from, end));
  }

  /** The window, with the next `length` bytes in it. */
  #field(length: number): Uint8Array {
    const from = this.at - this.#windowAt;
    if (from >= 0 && from + length <= this.#window.length) return this.#window;
    if (!(length <= this.left)) throw new EndOfData();
    this.#window = this.#source.readAt(this.at, Math.min(this.left, Math.max(length, WINDOW))).slice();
    this.#windowAt = this.at;
    if (this.#window.length < length) throw new EndOfData();
    return this.#window;
  }
}
