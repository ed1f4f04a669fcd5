// A worker thread that makes a file's checksum (file-hash.ts) and posts it.
import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";

const CHUNK_BYTES = 1 << 18;

export interface HashTask {
  /** Open for reading; descriptors are the whole process's. */
  readonly fd: number;
  /** Bytes from the beginning. */
  readonly size: number;
  /** Nice value of the thread, where threads have one. */
  readonly nice: number;
}

/** SHA-256 of the file's first `size` bytes, hexadecimal. */
function hashFile({ fd, size }: HashTask): string {
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

// Elsewhere a nice value is the process's, on Linux the thread's (setpriority(2), "C library/kernel differences").
const task = workerData as HashTask;
if (process.platform === "linux" && task.nice !== 0) setPriority(task.nice);
parentPort?.postMessage(hashFile(task));
