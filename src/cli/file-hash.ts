// A file's SHA-256 by a thread of its own (hash-worker.ts), while this one reads the file. Used for long files of text and
// for long recordings.
import { Worker } from "node:worker_threads";
import type { HashTask } from "./hash-worker.ts";

/** A shorter file is hashed, and a recording read, by the main thread: starting another one takes as long. */
export const APART_BYTES: number = 32 << 20;

/** A checksum being made. It begins at once: a worker starts, and ends, without this thread's event loop. */
export class FileHash {
  readonly #worker: Worker;
  readonly #digest: Promise<string>;

  /** The first `size` bytes of `fd`, which stays open until digest() or end() has come back. `nice`: how much it stands back. */
  constructor(fd: number, size: number, nice: number) {
    const workerData: HashTask = { fd, size, nice };
    this.#worker = new Worker(new URL("./hash-worker.js", import.meta.url), { workerData });
    this.#digest = new Promise((resolve, reject) => {
      this.#worker.once("message", resolve);
      this.#worker.once("error", reject);
      // Behind an answer this rejects nothing any more.
      this.#worker.once("exit", () =>
        reject(new Error("the thread that makes the checksum ended without one")),
      );
    });
    // A failure is thrown where the digest is asked for; until then it must not count as unhandled.
    this.#digest.catch(() => {});
  }

  /** Hexadecimal. */
  digest(): Promise<string> {
    return this.#digest;
  }

  /** Stops it, if it still runs. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
