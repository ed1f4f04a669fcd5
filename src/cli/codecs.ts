// Decompressors for blocks inside binary recordings, as src/ingest asks for them: zlib of Node and fzstd. Sizes the
// input claims are bounded before anything is allocated.
import { inflateSync } from "node:zlib";
import { Decompress, decompress } from "fzstd";
import { CodecError, type Codecs } from "../ingest/index.ts";

/** Largest window a frame may ask for: what `zstd -d` allows unless told otherwise (ZSTD_WINDOWLOG_LIMIT_DEFAULT, 27). */
const MAX_WINDOW = 1 << 27;
const FRAME_HEADER_BYTES = 18;

/** The decompressors of the command line. */
export const CODECS: Codecs = {
  zlib: (bytes, limit) => attempt("zlib", () => inflateSync(bytes, { maxOutputLength: Math.max(1, limit) })),
  zstd: (bytes, limit) =>
    attempt("zstd", () => {
      checkWindow(bytes);
      return decompress(bytes, new Uint8Array(limit));
    }),
  zstdStream: () => {
    let held: Uint8Array = new Uint8Array(0);
    let isChecked = false;
    let parts: Uint8Array[] = [];
    let length = 0;
    let room = 0;
    const stream = new Decompress((part) => {
      length += part.length;
      if (length > room) throw new CodecError("zstd: decodes to more than the record format allows");
      if (part.length > 0) parts.push(part.slice());
    });
    return (piece, limit) =>
      attempt("zstd", () => {
        parts = [];
        length = 0;
        room = limit;
        let bytes = piece;
        if (!isChecked) {
          held = joined([held, piece]);
          if (held.length < FRAME_HEADER_BYTES) return new Uint8Array(0);
          checkWindow(held);
          isChecked = true;
          bytes = held;
        }
        // fzstd keeps what it was pushed until it has been decoded.
        stream.push(bytes.slice());
        return joined(parts);
      });
  },
};

/** RFC 8878 3.1.1.1: window size of the frame at the start of `bytes`, refused when it is larger than MAX_WINDOW. */
function checkWindow(bytes: Uint8Array): void {
  const descriptor = bytes[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if (isSingleSegment) return;
  const byte = bytes[5] ?? 0;
  const window = 2 ** (10 + (byte >> 3)) * (1 + (byte & 7) / 8);
  if (window > MAX_WINDOW) throw new CodecError(`zstd: a window of ${window} bytes is larger than 128 MiB`);
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
