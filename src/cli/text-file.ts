// A file of plain text into an ingest: read here, or, when it is long, by worker threads that each read ranges of it
// (part-worker.ts), whose results are taken in the file's order. Its checksum is made beside that. Other inputs
// (compressed, a pipe) go through trace-input.ts.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { serialize } from "node:v8";
import type { Piscina } from "piscina";
import { InputError } from "../base/errors.ts";
import { detectRecordingHead, type Ingest, type PartState } from "../ingest/index.ts";
import { describeSystemError } from "./exit.ts";
import { APART_BYTES, FileHash } from "./file-hash.ts";
import { type Range, type RangePart, readRange } from "./part-range.ts";
import type { RangeTask } from "./part-worker.ts";
import { readAt } from "./read-at.ts";
import { isTar, TAR_HEAD } from "./tar-files.ts";
import { isCompressed, quotePath } from "./trace-input.ts";

/** Read and pushed at a time. */
const CHUNK_BYTES = 1 << 20;
/** Read here before any range is given away: it teaches what the others are read with. */
const FIRST_BYTES = 256 << 10;
/** One range, of a long file: some 10 ms of work. Each costs a reader of its own and two messages. */
const RANGE_BYTES = 4 << 20;
/** Of a short file: as many for each thread. */
const RANGES_A_THREAD = 8;
const MIN_RANGE_BYTES = 64 << 10;
/** Ranges on their way for each worker: one being read, one behind it, one read and waiting to be taken in. */
const RANGES_A_WORKER = 3;
/** Ranges read here that wait for an earlier one. */
const MAX_READ_HERE = 4;
/** How much the checksum stands back for the threads that read ranges: it is not asked for before the end. */
const HASH_NICE = 10;
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
 * Pushes all of `file` into `ingest`. `threads`: how many read ranges of it, this one among them; undefined: one a CPU, and
 * this one alone for a short file. `whenRead` runs when all has been pushed, while the checksum may still be on its way.
 * Returns the SHA-256 of what was read, hexadecimal. Throws InputError when it cannot be read. Closes the file.
 */
export async function feedTextFile(
  file: TextFile,
  ingest: Ingest,
  threads: number | undefined,
  onProgress: (read: number, size: number) => void,
  whenRead: () => Promise<void>,
): Promise<string> {
  const useful = Math.ceil(file.size / MIN_RANGE_BYTES);
  const workers = Math.min(threads ?? defaultThreads(file.size), useful) - 1;
  const isHashedApart = workers > 0 || (threads === undefined && file.size >= APART_BYTES);
  const hashing = isHashedApart ? new FileHash(file.fd, file.size, HASH_NICE) : null;
  const reading = workers > 0 ? await newPool(workers) : null;
  try {
    const feed = new Feed(file, ingest, onProgress, hashing === null);
    if (reading !== null) await feed.inRanges(reading, workers);
    await feed.upTo(file.size);
    // A worker holds some 30 MB, which what follows has use for.
    await reading?.destroy();
    await whenRead();
    return hashing === null ? feed.digest() : await hashing.digest();
  } finally {
    await reading?.destroy();
    await hashing?.end();
    closeSync(file.fd);
  }
}

function defaultThreads(size: number): number {
  return size >= PARTS_BYTES ? availableParallelism() : 1;
}

/** Two tasks at a time: the next one must not wait until this thread has seen the last one's result. */
async function newPool(threads: number): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  return new Piscina({
    filename: new URL("./part-worker.js", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 2,
  });
}

/** What ranges are read with, here and in other threads. */
interface SharedState {
  readonly state: PartState;
  readonly shared: SharedArrayBuffer;
  readonly id: number;
}

/** A range that is read apart, which ends at `to`. */
interface SentRange {
  readonly to: number;
  readonly part: Promise<RangePart | null>;
  isRead: boolean;
  readonly isHere: boolean;
}

class Feed {
  readonly #file: TextFile;
  readonly #ingest: Ingest;
  readonly #onProgress: (read: number, size: number) => void;
  readonly #hash = createHash("sha256");
  readonly #isHashing: boolean;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #at = 0;
  #state: SharedState | null = null;
  #states = 0;

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
      this.#state = null;
      this.#moveTo(this.#at + bytes.length);
      await eventLoopTurn();
    }
  }

  /** Reads what follows the beginning in ranges, some ahead: the pool's threads do, and this one while it has none to take in. */
  async inRanges(pool: Piscina, workers: number): Promise<void> {
    await this.upTo(Math.min(FIRST_BYTES, this.#file.size));
    const { size } = this.#file;
    const share = Math.ceil(size / ((workers + 1) * RANGES_A_THREAD));
    const length = Math.min(RANGE_BYTES, Math.max(MIN_RANGE_BYTES, share));
    const ranges: SentRange[] = [];
    for (let next = this.#at; next < size || ranges.length > 0; ) {
      while (next < size && ranges.filter((range) => !range.isHere).length < workers * RANGES_A_WORKER) {
        const to = Math.min(size, next + length);
        ranges.push(this.#send(pool, next, to));
        next = to;
      }
      // Results come in between two turns of the event loop.
      await eventLoopTurn();
      const isWaiting = ranges[0]?.isRead === false;
      if (isWaiting && next < size && ranges.filter((range) => range.isHere).length < MAX_READ_HERE) {
        const to = Math.min(size, next + length);
        const state = this.#partState();
        const part = state === null ? null : readRange(this.#rangeOf(next, to), state.state);
        ranges.push({ to, part: Promise.resolve(part), isRead: true, isHere: true });
        next = to;
        continue;
      }
      const first = ranges.shift();
      if (first !== undefined) await this.#take(await first.part, first.to);
    }
  }

  #rangeOf(from: number, to: number): Range {
    const { fd, size } = this.#file;
    return { fd, from, to, size };
  }

  #send(pool: Piscina, from: number, to: number): SentRange {
    const state = this.#partState();
    if (state === null) return { to, part: Promise.resolve(null), isRead: true, isHere: false };
    const task: RangeTask = { ...this.#rangeOf(from, to), state: state.shared, stateId: state.id };
    const part = pool.run(task, { name: "rangeOf" }) as Promise<RangePart | null>;
    const range: SentRange = { to, part, isRead: false, isHere: false };
    const done = (): void => {
      range.isRead = true;
    };
    part.then(done, done);
    return range;
  }

  /** The ingest's state, asked for again only when something was read here line by line, which may have taught it more. */
  #partState(): SharedState | null {
    if (this.#state !== null) return this.#state;
    const state = this.#ingest.partState();
    if (state === null) return null;
    const bytes = serialize(state);
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    this.#state = { state, shared, id: ++this.#states };
    return this.#state;
  }

  /** What `part` leaves out up to `to` is read here. */
  async #take(part: RangePart | null, to: number): Promise<void> {
    if (part === null) return this.upTo(to);
    await this.upTo(part.start);
    this.#ingest.pushPart(part.part, () => this.#range(part.start, part.end));
    if (part.part.left > 0) this.#state = null;
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
