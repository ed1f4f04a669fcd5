// A long trace to worker threads: its bytes are gathered into slabs of whole lines in shared memory, each slab is read
// by a worker (part-worker.ts), and the results are taken in the trace's order. A short trace never starts a thread.
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import type { Ingest, Part } from "../ingest/index.ts";
import type { PartTask } from "./part-worker.ts";

const LF = 0x0a;
/** About 40,000 lines: a worker's answer takes some 20 ms. */
const SLAB_BYTES = 4 << 20;
/** Read here: it teaches what the others are read with. */
const FIRST_SLAB_BYTES = 256 << 10;
/** Slabs on their way for each worker: one being read, one waiting. */
const SLABS_A_WORKER = 2;
/** Text behind this is read by threads: starting two of them costs as much CPU time as reading 100 MB. */
const THREADS_BYTES = 256 << 20;

interface Sent {
  readonly slab: Uint8Array;
  readonly length: number;
  readonly part: Promise<Part | null>;
}

/** Feeds an ingest. Bytes go in by `push`; `settle` is awaited between pushes, so that memory stays bounded. */
export class Slabs {
  readonly #ingest: Ingest;
  readonly #threads: number;
  readonly #sent: Sent[] = [];
  readonly #free: Uint8Array[] = [];
  #slab: Uint8Array = newSlab();
  #length = 0;
  #isLong: boolean;
  #read = 0;
  #pool: Piscina | undefined;

  /** `threads` undefined: one a CPU, and none for a short trace; 1: none. */
  constructor(ingest: Ingest, threads: number | undefined) {
    this.#ingest = ingest;
    this.#threads = threads ?? availableParallelism();
    this.#isLong = threads !== undefined;
  }

  /** Runs `feed`, which pushes; returns what it returns when all of that has been taken in. */
  async over<T>(feed: () => Promise<T>): Promise<T> {
    try {
      const result = await feed();
      await this.#end();
      return result;
    } finally {
      await this.#pool?.destroy();
    }
  }

  /** Takes the next bytes; they may be reused afterwards. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = (this.#read === 0 ? FIRST_SLAB_BYTES : SLAB_BYTES) - this.#length;
      const taken = Math.min(bytes.length - at, room);
      this.#slab.set(bytes.subarray(at, at + taken), this.#length);
      this.#length += taken;
      at += taken;
      if (taken === room) this.#send();
    }
  }

  /** Waits until another slab's bytes can be pushed. */
  async settle(): Promise<void> {
    if (this.#pool === undefined && this.#isLong && this.#threads > 1 && this.#read > 0) await this.#start();
    while (this.#sent.length > this.#threads * SLABS_A_WORKER) await this.#take();
  }

  async #end(): Promise<void> {
    while (this.#sent.length > 0) await this.#take();
    if (this.#length > 0) this.#ingest.push(this.#slab.subarray(0, this.#length));
    this.#length = 0;
  }

  async #start(): Promise<void> {
    const { Piscina } = await import("piscina");
    this.#pool = new Piscina({
      filename: new URL("./part-worker.js", import.meta.url).href,
      name: "readSlab",
      minThreads: this.#threads,
      maxThreads: this.#threads,
    });
  }

  /** Sends the whole lines of the current slab on; what is left of it opens the next one. */
  #send(): void {
    const slab = this.#slab;
    const end = slab.lastIndexOf(LF, this.#length - 1) + 1;
    const length = end === 0 ? this.#length : end;
    const next = this.#free.pop() ?? newSlab();
    next.set(slab.subarray(length, this.#length));
    this.#slab = next;
    this.#length -= length;
    this.#read += length;
    if (this.#read >= THREADS_BYTES) this.#isLong = true;
    const state = end > 0 && this.#pool !== undefined ? this.#ingest.partState() : null;
    if (this.#sent.length === 0 && state === null) {
      this.#ingest.push(slab.subarray(0, length));
      this.#free.push(slab);
      return;
    }
    const task: PartTask | null = state === null ? null : { state, slab: slab.subarray(0, length) };
    const part = task === null ? Promise.resolve(null) : (this.#pool?.run(task) ?? Promise.resolve(null));
    // A failure is thrown where the part is taken; until then it must not count as unhandled.
    part.catch(() => {});
    this.#sent.push({ slab, length, part });
  }

  async #take(): Promise<void> {
    const first = this.#sent.shift();
    if (first === undefined) return;
    this.#ingest.pushPart(first.slab.subarray(0, first.length), await first.part);
    this.#free.push(first.slab);
  }
}

function newSlab(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(SLAB_BYTES));
}
