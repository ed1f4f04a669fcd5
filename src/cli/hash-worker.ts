// A worker thread's share of reading a long file: its checksum. Loaded by piscina (text-file.ts).
import { createHash } from "node:crypto";
import { readSync } from "node:fs";

const CHUNK_BYTES = 1 << 18;

export interface HashTask {
  /** Open for reading; descriptors are the whole process's. */
  readonly fd: number;
  /** Bytes from the beginning. */
  readonly size: number;
}

/** SHA-256 of the file's first `size` bytes, hexadecimal. */
export function hashFile({ fd, size }: HashTask): string {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < size; ) {
    const n = readSync(fd, chunk, 0, Math.min(CHUNK_BYTES, size - at), at);
    if (n === 0) break;
    hash.update(chunk.subarray(0, n));
    at += n;
  }
  return hash.digest("hex");
}
