// Where a CPU's pages come from: read from the file a block at a time, or decompressed a chunk at a time. Memory is
// bounded by a budget that all CPUs of a file share.
import { type ByteSource, CodecError, readInto } from "../source.ts";
import { u32 } from "../words.ts";

/** Where one CPU's pages lie in their file. */
export interface CpuData {
  readonly cpu: number;
  readonly at: number;
  readonly size: number;
}

/** Bytes of decoded pages that all CPUs together may hold. */
export const PAGE_BUDGET: number = 1 << 28;
/** A chunk as trace-cmd writes it is 10 pages (PAGES_IN_CHUNK); one larger than this is a lie. */
const MAX_CHUNK = 1 << 24;
const BLOCK = 1 << 18;

/** What the budget has left. */
export interface Budget {
  left: number;
}

/** Pages one after the other. */
export interface PageSource {
  readonly pageSize: number;
  /** The page is bytes[at, at + pageSize); valid until the block ends, records are used before that. */
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Pages in front of this one could not be read. */
  readonly wasDamaged: boolean;
  /** The data ended before its size, or could not be read to its end. */
  readonly isCut: boolean;
  next(): boolean;
  /** As next(), over some pages, which are put into `into` and not into `bytes`. Returns their bytes, 0 where next() would be false. */
  fill(into: Uint8Array): number;
}

/** Pages as they lie in the file. */
export class PlainPages implements PageSource {
  readonly pageSize: number;
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  readonly wasDamaged = false;
  isCut = false;
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #block: number;
  #next: number;

  /** `cpus` share the budget. */
  constructor(source: ByteSource, data: CpuData, pageSize: number, cpus: number) {
    this.pageSize = pageSize;
    this.#source = source;
    this.#next = data.at;
    this.#end = Math.min(data.at + data.size, source.size);
    this.isCut = data.at + data.size > source.size;
    const share = Math.min(BLOCK, PAGE_BUDGET / cpus);
    this.#block = Math.max(1, Math.floor(share / pageSize)) * pageSize;
  }

  next(): boolean {
    this.at += this.pageSize;
    if (this.at + this.pageSize <= this.bytes.length) return true;
    const size = this.#sizeOfNext(this.#block);
    if (size === 0) return false;
    this.bytes = this.#source.readAt(this.#next, size).slice();
    this.at = 0;
    return this.#advance(size, this.bytes.length) > 0;
  }

  fill(into: Uint8Array): number {
    const size = this.#sizeOfNext(into.length);
    if (size === 0) return 0;
    const read = readInto(this.#source, this.#next, into.subarray(0, size));
    return this.#advance(size, read);
  }

  /** Bytes of the whole pages that come next, at most `limit`. */
  #sizeOfNext(limit: number): number {
    const length = Math.min(limit, this.#end - this.#next);
    const size = Math.floor(length / this.pageSize) * this.pageSize;
    if (size > 0) return size;
    if (length > 0) this.isCut = true;
    return 0;
  }

  /** `size` bytes were asked for, `read` came; returns those of whole pages. */
  #advance(size: number, read: number): number {
    this.#next += size;
    if (read < this.pageSize) this.isCut = true;
    return Math.floor(read / this.pageSize) * this.pageSize;
  }
}

/** Pages in compressed chunks: <4> count, then for each <4> packed size, <4> size and the data. */
export class PackedPages implements PageSource {
  readonly pageSize: number;
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  wasDamaged = false;
  isCut = false;
  /** What the first damaged chunk was. */
  damage = "";
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #big: boolean;
  readonly #unpack: (bytes: Uint8Array, size: number) => Uint8Array;
  readonly #budget: Budget;
  #next: number;
  #chunks: number;

  constructor(
    source: ByteSource,
    data: CpuData,
    pageSize: number,
    big: boolean,
    unpack: (bytes: Uint8Array, size: number) => Uint8Array,
    budget: Budget,
  ) {
    this.pageSize = pageSize;
    this.#source = source;
    this.#big = big;
    this.#unpack = unpack;
    this.#budget = budget;
    // The size an option gives leaves out some of the chunks' heads in trace-cmd 3.1.6: the number of chunks counts.
    this.#end = source.size;
    const head = data.size >= 4 ? source.readAt(data.at, 4) : new Uint8Array(0);
    this.#chunks = head.length === 4 ? u32(head, 0, big) : 0;
    this.#next = data.at + 4;
  }

  next(): boolean {
    this.at += this.pageSize;
    this.wasDamaged = false;
    if (this.at + this.pageSize <= this.bytes.length) return true;
    while (this.#chunks > 0) {
      this.#chunks--;
      if (this.#nextChunk()) return true;
      if (this.isCut) this.#chunks = 0;
      this.wasDamaged = true;
    }
    this.#release();
    return false;
  }

  fill(into: Uint8Array): number {
    if (!this.next()) return 0;
    const { at, bytes, pageSize } = this;
    const length = Math.floor(Math.min(into.length, bytes.length - at) / pageSize) * pageSize;
    this.at += length - pageSize;
    into.set(bytes.subarray(at, at + length));
    return length;
  }

  /** Decodes one chunk; false when it is damaged, or, with isCut, when no further one can be found. */
  #nextChunk(): boolean {
    this.#release();
    const head = this.#next + 8 <= this.#end ? this.#source.readAt(this.#next, 8) : new Uint8Array(0);
    if (head.length < 8) return this.#cut("the file ends inside its chunks");
    const packed = u32(head, 0, this.#big);
    const size = u32(head, 4, this.#big);
    const at = this.#next + 8;
    if (packed > this.#end - at) return this.#cut("a chunk reaches beyond the file's end");
    this.#next = at + packed;
    if (size > MAX_CHUNK || size > this.#budget.left || size < this.pageSize) {
      return this.#damaged(`a chunk claims ${size} bytes`);
    }
    try {
      const bytes = this.#unpack(this.#source.readAt(at, packed), size);
      if (bytes.length < size) return this.#damaged(`a chunk of ${size} bytes decodes to ${bytes.length}`);
      this.#budget.left -= bytes.length;
      this.bytes = bytes;
      this.at = 0;
      return true;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return this.#damaged(error.message);
    }
  }

  #damaged(what: string): boolean {
    if (this.damage === "") this.damage = what;
    return false;
  }

  #cut(what: string): boolean {
    this.isCut = true;
    return this.#damaged(what);
  }

  #release(): void {
    this.#budget.left += this.bytes.length;
    this.bytes = new Uint8Array(0);
    this.at = 0;
  }
}
