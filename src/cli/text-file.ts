// A file of plain text into an ingest: read here, or, when it is long, by worker threads that each read ranges of it
// (part-worker.ts), whose results are taken in the file's order. Its checksum is made beside that. Other inputs
// (compressed, a pipe) go through trace-input.ts.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import { InputError } from "../base/errors.ts";
import { detectRecordingHead, type Ingest } from "../ingest/index.ts";
import { describeSystemError } from "./exit.ts";
import type { HashTask } from "./hash-worker.ts";
import type { RangePart, RangeTask } from "./part-worker.ts";
import { readAt } from "./read-at.ts";
import { isTar, TAR_HEAD } from "./tar-files.ts";
import { isCompressed, quotePath } from "./trace-input.ts";

/** Read and pushed at a time. */
const CHUNK_BYTES = 1 << 20;
/** Read here before any range is given away: it teaches what the others are read with. */
const FIRST_BYTES = 256 << 10;
/** One range: a worker takes some 5 ms for it. */
const RANGE_BYTES = 2 << 20;
/** Ranges on their way for each worker: one being read, one waiting. */
const RANGES_A_WORKER = 2;
/** A shorter file is hashed here: starting a thread takes as long. */
const HASH_APART_BYTES = 32 << 20;
/** A shorter file is read by this thread alone. */
const PARTS_BYTES = 128 << 20;

/** An open file of text. */
export interface TextFile {
  readonly path: string;
  readonly fd: number;
  /** Bytes when it was opened; what is appended later is not read. */
  readonly size: number;
}

/**
 * Opens `path` when it is a regular file that is neither compressed nor, unless `isText`, a recording; else null. Throws
 * InputError when it cannot be opened.
 */
export function openTextFile(path: string, isText: boolean): TextFile | null {
  return reading(path, () => {
    // Opening a pipe would wait for its writer, and take what openInput() is to read.
    if (!statSync(path).isFile()) return null;
    const fd = openSync(path, "r");
    const { size } = fstatSync(fd);
    const head = new Uint8Array(TAR_HEAD);
    const isPlain = (): boolean => {
      const found = readAt(fd, head, 0);
      return !isCompressed(found) && (isText || (detectRecordingHead(found) === null && !isTar(found)));
    };
    // Files of tracefs and procfs have no size: they are read as streams.
    if (size > 0 && isPlain()) return { path, fd, size };
    closeSync(fd);
    return null;
  });
}

/**
 * Pushes all of `file` into `ingest`. `threads`: how many read ranges of it; 1: none beside this one; undefined: one a CPU
 * but one, and none for a short file. Returns the SHA-256 of what was read, hexadecimal. Throws InputError when it cannot
 * be read. Closes the file.
 */
export async function feedTextFile(
  file: TextFile,
  ingest: Ingest,
  threads: number | undefined,
  onProgress: (read: number, size: number) => void,
): Promise<string> {
  const workers = threads === undefined ? defaultWorkers(file.size) : threads === 1 ? 0 : threads;
  const isHashedApart = workers > 0 || (threads === undefined && file.size >= HASH_APART_BYTES);
  const pool = isHashedApart ? await newPool(workers) : null;
  try {
    const hash: HashTask = { fd: file.fd, size: file.size };
    const digest = pool?.run(hash, { filename: workerFile("hash-worker"), name: "hashFile" }) as
      | Promise<string>
      | undefined;
    // A failure is thrown where the digest is asked for; until then it must not count as unhandled.
    digest?.catch(() => {});
    const feed = new Feed(file, ingest, onProgress, digest === undefined);
    if (pool !== null && workers > 0) await feed.inRanges(pool, workers);
    await feed.upTo(file.size);
    return digest === undefined ? feed.digest() : await digest;
  } finally {
    await pool?.destroy();
    closeSync(file.fd);
  }
}

/** This thread takes parts in and writes rows, and the checksum takes as long: on two CPUs, one worker has the other's half. */
function defaultWorkers(size: number): number {
  return size >= PARTS_BYTES ? Math.max(1, availableParallelism() - 1) : 0;
}

/** Threads for parts, and one for the checksum. */
async function newPool(workers: number): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  return new Piscina({ minThreads: workers + 1, maxThreads: workers + 1 });
}

function workerFile(name: string): string {
  return new URL(`./${name}.js`, import.meta.url).href;
}

class Feed {
  readonly #file: TextFile;
  readonly #ingest: Ingest;
  readonly #onProgress: (read: number, size: number) => void;
  readonly #hash = createHash("sha256");
  readonly #isHashing: boolean;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #at = 0;

  constructor(
    file: TextFile,
    ingest: Ingest,
    onProgress: (read: number, size: number) => void,
    isHashing: boolean,
  ) {
    this.#file = file;
    this.#ingest = ingest;
    this.#onProgress = onProgress;
    this.#isHashing = isHashing;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  /** Reads and pushes what is missing up to `end`. */
  async upTo(end: number): Promise<void> {
    while (this.#at < end) {
      const bytes = this.#read(this.#chunk.subarray(0, end - this.#at), this.#at);
      if (bytes.length === 0) return;
      if (this.#isHashing) this.#hash.update(bytes);
      this.#ingest.push(bytes);
      this.#moveTo(this.#at + bytes.length);
      await eventLoopTurn();
    }
  }

  /** Lets the pool's threads read what follows the beginning, some ranges ahead. */
  async inRanges(pool: Piscina, workers: number): Promise<void> {
    await this.upTo(Math.min(FIRST_BYTES, this.#file.size));
    const { fd, size } = this.#file;
    const sent: { readonly to: number; readonly part: Promise<RangePart | null> }[] = [];
    for (let next = this.#at; next < size || sent.length > 0; ) {
      while (next < size && sent.length < workers * RANGES_A_WORKER) {
        const to = Math.min(size, next + RANGE_BYTES);
        const state = this.#ingest.partState();
        const task: RangeTask | null = state === null ? null : { fd, from: next, to, size, state };
        const part = (
          task === null
            ? Promise.resolve(null)
            : pool.run(task, { filename: workerFile("part-worker"), name: "readRange" })
        ) as Promise<RangePart | null>;
        part.catch(() => {});
        sent.push({ to, part });
        next = to;
      }
      const first = sent.shift();
      if (first !== undefined) await this.#take(await first.part, first.to);
    }
  }

  /** What `part` leaves out up to `to` is read here. */
  async #take(part: RangePart | null, to: number): Promise<void> {
    if (part === null) return this.upTo(to);
    await this.upTo(part.start);
    this.#ingest.pushPart(part.part, () => this.#range(part.start, part.end));
    this.#moveTo(part.end);
  }

  #moveTo(at: number): void {
    this.#at = at;
    this.#onProgress(at, this.#file.size);
  }

  #range(start: number, end: number): Uint8Array {
    return this.#read(new Uint8Array(end - start), start);
  }

  /** Fewer bytes at the end of a file that was cut off meanwhile. */
  #read(into: Uint8Array, at: number): Uint8Array {
    return reading(this.#file.path, () => readAt(this.#file.fd, into, at));
  }
}

function reading<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("input/unreadable", `${quotePath(path)}: ${describeSystemError(error)}`);
  }
}

/** Lets timers and signals through between chunks. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
