// The data of a perf.data's COMPRESSED records: one zstd stream cut into pieces, each decoded to records of the kernel, of which the
// last may end in the next piece.
import { CodecError, type Codecs } from "../source.ts";

/** What one compressed record may decode to: perf's ring buffer is 512 KiB unless -m makes it larger. */
const MAX_DECODED = 1 << 26;

export class Pieces {
  /** The stream broke: no further piece can be decoded. */
  isBroken = false;
  readonly #codecs: Codecs;
  #decode: ((piece: Uint8Array, limit: number) => Uint8Array) | null = null;
  #carry: Uint8Array = new Uint8Array(0);
  /** The last piece gave nothing: it is part of a block that is not complete. */
  #isWaiting = false;

  constructor(codecs: Codecs) {
    this.#codecs = codecs;
  }

  /** The records of the next piece, the beginning that was kept in front. Throws CodecError. */
  decode(piece: Uint8Array): Uint8Array {
    if (this.isBroken) throw new CodecError("the stream was damaged before");
    this.#decode ??= this.#codecs.zstdStream();
    const decoded = this.#decode(piece, MAX_DECODED);
    this.#isWaiting = decoded.length === 0 && piece.length > 0;
    const carry = this.#carry;
    if (carry.length === 0) return decoded;
    const bytes = new Uint8Array(carry.length + decoded.length);
    bytes.set(carry);
    bytes.set(decoded, carry.length);
    return bytes;
  }

  /** Whether a piece is missing behind the last one: perf flushes the stream whenever it writes. */
  get isUnfinished(): boolean {
    return !this.isBroken && (this.#isWaiting || this.#carry.length > 0);
  }

  /** Keeps the beginning of a record that the next piece goes on with. */
  keep(beginning: Uint8Array): void {
    this.#carry = beginning;
  }
}
