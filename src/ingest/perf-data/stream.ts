// The records of a perf.data file one after the other, decompressed ones among them: a header of 8 bytes (type, misc,
// size) and a body. Reads the file in blocks; knows nothing of what a record means.
import { type ByteSource, readInto } from "../source.ts";
import { u32, u64 } from "../words.ts";
import { PERF_RECORD } from "./record-types.ts";
import { Block } from "./rounds.ts";

const HEADER = 8;
const BLOCK = 1 << 20;
/** Tracing data of a pipe: the formats of every event are some MB. */
export const MAX_TRACING_DATA: number = 1 << 26;

/** What stands at the current place. */
export class RecordStream {
  block: Block = new Block(new Uint8Array(0));
  start = 0;
  end = 0;
  type = 0;
  /** Data that follow a HEADER_TRACING_DATA record. */
  trailing: Uint8Array = new Uint8Array(0);
  /** Why reading stopped before the end: "" when it did not. */
  damage = "";
  /** Place of the current record in the file. */
  at: number;
  readonly #source: ByteSource;
  readonly #limit: number;
  readonly #big: boolean;
  readonly #newBlock: (length: number) => Block;
  #blockAt = 0;
  #next: number;

  /** Records of [at, limit). `newBlock` makes the blocks they are read into. */
  constructor(
    source: ByteSource,
    at: number,
    limit: number,
    big: boolean,
    newBlock: (length: number) => Block = (length) => new Block(new Uint8Array(length)),
  ) {
    this.#newBlock = newBlock;
    this.#source = source;
    this.#limit = Math.min(limit, source.size);
    this.#big = big;
    this.at = at;
    this.#next = at;
  }

  get read(): number {
    return this.#next;
  }

  /** Goes to the next record; false at the end, or where no record can be. */
  next(): boolean {
    this.at = this.#next;
    const left = this.#limit - this.#next;
    if (left <= 0) return false;
    if (left < HEADER || !this.#load(HEADER)) return this.#stop("the file ends inside a record");
    const from = this.#next - this.#blockAt;
    const { view } = this.block;
    const size = view.getUint16(from + 6, !this.#big);
    if (size < HEADER) return this.#stop(`a record claims ${size} bytes`);
    if (size > left || !this.#load(size)) return this.#stop("the file ends inside a record");
    this.start = this.#next - this.#blockAt;
    this.end = this.start + size;
    this.type = this.block.view.getUint32(this.start, !this.#big);
    this.#next += size;
    if (this.type === PERF_RECORD.auxtrace) return this.#skipAux(size);
    return this.type !== PERF_RECORD.headerTracingData || this.#takeTracingData(size);
  }

  /** Passes over `length` bytes of whole records from the current one on, which were read elsewhere. */
  pass(length: number): void {
    this.#next = this.at + length;
  }

  /** PERF_RECORD_AUXTRACE: its first field is the size of the data behind it. */
  #skipAux(size: number): boolean {
    if (size < HEADER + 8) return this.#stop("an AUXTRACE record without a size");
    const length = u64(this.block.bytes, this.start + HEADER, this.#big);
    if (length > this.#limit - this.#next) return this.#stop("the file ends inside AUX data");
    this.#next += length;
    return true;
  }

  /** Its first field is the size of the data behind it, which end at a multiple of 8. */
  #takeTracingData(size: number): boolean {
    if (size < HEADER + 4) return this.#stop("a TRACING_DATA record without a size");
    const length = u32(this.block.bytes, this.start + HEADER, this.#big);
    if (length > MAX_TRACING_DATA || length > this.#limit - this.#next) {
      return this.#stop(`tracing data claim ${length} bytes`);
    }
    this.trailing = this.#source.readAt(this.#next, length).slice();
    this.#next += Math.ceil(length / 8) * 8;
    return true;
  }

  #stop(what: string): boolean {
    this.damage = what;
    return false;
  }

  /** Puts `length` bytes from the current place into the block. */
  #load(length: number): boolean {
    const from = this.#next - this.#blockAt;
    if (from >= 0 && from + length <= this.block.bytes.length) return true;
    const block = this.#newBlock(Math.min(BLOCK, this.#limit - this.#next));
    const read = readInto(this.#source, this.#next, block.bytes);
    if (read < block.bytes.length) block.cut(read);
    this.block = block;
    this.#blockAt = this.#next;
    return this.block.bytes.length >= length;
  }
}
