// Decompressors for blocks inside binary recordings, as src/ingest asks for them: zlib of Node and fzstd. Sizes the
// input claims are bounded before anything is allocated.
import { inflateSync } from "node:zlib";
import { Decompress } from "fzstd";
import { CodecError, type Codecs } from "../ingest/index.ts";

/** Largest window a frame may ask for: what `zstd -d` allows unless told otherwise (ZSTD_WINDOWLOG_LIMIT_DEFAULT, 27). */
const MAX_WINDOW = 1 << 27;
const FRAME_HEADER_BYTES = 18;
/** A window that may be larger than the content: the least that decoders have to support (RFC 8878 3.1.1.1.2). */
const MIN_WINDOW = 1 << 23;

/** The decompressors of the command line. */
export const CODECS: Codecs = {
  zlib: (bytes, limit) => attempt("zlib", () => inflateSync(bytes, { maxOutputLength: Math.max(1, limit) })),
  zstd: (bytes, limit) =>
    attempt("zstd", () => {
      checkWindow(bytes, Math.max(limit, MIN_WINDOW));
      // Not decompress() with a buffer: it does not tell how much of it was filled.
      const parts = new Parts(limit);
      new Decompress((part) => parts.add(part)).push(bytes, true);
      return parts.take();
    }),
  zstdStream: () => {
    let held: Uint8Array = new Uint8Array(0);
    let isChecked = false;
    let parts = new Parts(0);
    const stream = new Decompress((part) => parts.add(part.slice()));
    return (piece, limit) =>
      attempt("zstd", () => {
        parts = new Parts(limit);
        // fzstd keeps what it was pushed until it has been decoded.
        held = isChecked ? piece.slice() : joined([held, piece]);
        if (!isChecked && held.length < FRAME_HEADER_BYTES) return new Uint8Array(0);
        if (!isChecked) checkWindow(held, MAX_WINDOW);
        isChecked = true;
        stream.push(held);
        return parts.take();
      });
  },
};

/** Decoded pieces, together not more than `limit` bytes. */
class Parts {
  readonly #limit: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > this.#limit) throw new CodecError(`zstd: decodes to more than ${this.#limit} bytes`);
    if (part.length > 0) this.#parts.push(part);
  }

  take(): Uint8Array {
    return joined(this.#parts);
  }
}

/**
 * RFC 8878 3.1.1.1: refuses a frame at the start of `bytes` whose window is larger than `most` bytes. Without a window
 * descriptor the window is the whole content.
 */
function checkWindow(bytes: Uint8Array, most: number): void {
  const descriptor = bytes[4] ?? 0;
  const byte = bytes[5] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const window = isSingleSegment ? contentSize(bytes) : 2 ** (10 + (byte >> 3)) * (1 + (byte & 7) / 8);
  if (window > most) throw new CodecError(`zstd: a frame asks for a window of ${window} bytes`);
}

/** Frame_Content_Size of a single-segment frame. */
function contentSize(bytes: Uint8Array): number {
  const descriptor = bytes[4] ?? 0;
  const flag = descriptor >> 6;
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  let size = 0;
  for (let i = (1 << flag) - 1; i >= 0; i--) size = size * 256 + (bytes[at + i] ?? 0);
  return flag === 1 ? size + 256 : size;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whatever a decoder throws on damaged data (fzstd: RangeErrors of its typed arrays as well) is damage. */
function attempt(name: string, decode: () => Uint8Array): Uint8Array {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
