// What a recording in a binary format is read from: files with random access, and the decompressors their blocks may
// need. The CLI implements both over node:fs, node:zlib and fzstd; this room does no I/O.

/** One file of a recording. */
export interface ByteSource {
  /** Bytes in the file. */
  readonly size: number;
  /**
   * The bytes [at, at + length), fewer at the end of the file, none beyond it. `at` and `length` are not negative. The
   * array is the caller's until the next readAt of the same source. `into` is the caller's memory, which they may be read to.
   */
  readAt(at: number, length: number, into?: Uint8Array): Uint8Array;
}

/** Fills `into` with the bytes from `at` on; returns how many there were. */
export function readInto(source: ByteSource, at: number, into: Uint8Array): number {
  const bytes = source.readAt(at, into.length, into);
  // A source that has its bytes in memory gives those.
  if (bytes.buffer !== into.buffer || bytes.byteOffset !== into.byteOffset) into.set(bytes);
  return bytes.length;
}

/** A file and its name; for a directory the path below it with "/" between the parts, sorted by name. */
export interface NamedSource extends ByteSource {
  readonly name: string;
}

/** Compressed data that cannot be decoded: damaged, cut, or larger than was allowed for. */
export class CodecError extends Error {
  override readonly name = "CodecError";
}

/** Decompressors. Each throws CodecError; what they return is the caller's. */
export interface Codecs {
  /** A zlib block (RFC 1950) of at most `limit` decoded bytes. */
  zlib(bytes: Uint8Array, limit: number): Uint8Array;
  /** Whole zstd frames (RFC 8878) of at most `limit` decoded bytes together. */
  zstd(bytes: Uint8Array, limit: number): Uint8Array;
  /** One zstd stream cut into pieces: call the result with each in turn; `limit` holds per piece. */
  zstdStream(): (piece: Uint8Array, limit: number) => Uint8Array;
}
