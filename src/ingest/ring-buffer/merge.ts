// The pages of all CPUs and instances merged by time, each record handed to the decoder; what was lost or damaged is told
// to the sink. Used by the readers of trace.dat and of raw pages.
import { StreamHeap } from "../heap.ts";
import { RECORDING_CUT, TRACE_DAT_DAMAGED, TRACE_DAT_DUPLICATE, TRACE_DAT_MISSED } from "../problems.ts";
import type { Sink } from "../sink.ts";
import type { RecordDecoder } from "../tracepoints/decoder.ts";
import { u16 } from "../words.ts";
import { PackedPages, type PageSource } from "./page-source.ts";
import type { CpuStream } from "./pages.ts";

const PROGRESS_EVERY = 1 << 16;

export class PageMerge {
  /** Records met so far; the current one's number is the `line` of its row. */
  records = 0;
  /** CPUs whose pages told of lost events. */
  readonly gaps: Set<number> = new Set();
  readonly #sink: Sink;
  readonly #decoder: RecordDecoder;
  readonly #onProgress: (read: number) => void;
  readonly #heap = new StreamHeap<CpuStream>();
  readonly #pages: { readonly stream: CpuStream; readonly source: PageSource }[] = [];
  /** Buffer an event id is read from, by id; -1 while it was not met. */
  readonly #owner: Int16Array = new Int16Array(65536).fill(-1);

  constructor(sink: Sink, decoder: RecordDecoder, onProgress: (read: number) => void) {
    this.#sink = sink;
    this.#decoder = decoder;
    this.#onProgress = onProgress;
  }

  /** One CPU of one buffer; `source` is what `stream` reads. */
  add(stream: CpuStream, source: PageSource): void {
    this.#pages.push({ stream, source });
    if (stream.next()) this.#heap.add(stream);
  }

  /** Reads all of it. `hasInstances`: several buffers may hold the same events. `armed`: ids of events that are known to have been on. */
  run(hasInstances: boolean, armed: readonly number[]): void {
    const sink = this.#sink;
    const head = sink.head;
    const heap = this.#heap;
    let read = 0;
    let isDeclared = armed.length === 0;
    for (let stream = heap.top; stream !== undefined; stream = heap.top) {
      const line = ++this.records;
      if (stream.lost !== 0) {
        sink.lost(stream.cpu, stream.lost, line);
        this.gaps.add(stream.cpu);
        sink.problems.add(TRACE_DAT_MISSED, line, lossText(stream.cpu, stream.lost));
      }
      head.hi = stream.hi;
      head.lo = stream.lo;
      head.cpu = stream.cpu;
      head.line = line;
      read += stream.end - stream.start + 4;
      if (!hasInstances || this.#isOwner(stream))
        this.#decoder.decode(stream.bytes, stream.view, stream.start, stream.end);
      if (!isDeclared && sink.events > 0) {
        this.#decoder.declareArmed(armed);
        isDeclared = true;
      }
      if (stream.next()) heap.sift();
      else heap.drop();
      if (line % PROGRESS_EVERY === 0) this.#onProgress(read);
    }
    this.#sumUp();
  }

  /** Two instances may record the same events: each event id is taken from the buffer that has it first. */
  #isOwner(stream: CpuStream): boolean {
    if (stream.end - stream.start < 2) return true;
    const id = u16(stream.bytes, stream.start, this.#decoder.big);
    const owner = this.#owner[id]!;
    if (owner === -1) this.#owner[id] = stream.buffer;
    if (owner === -1 || owner === stream.buffer) return true;
    this.#sink.problems.add(TRACE_DAT_DUPLICATE, this.records, this.#decoder.nameOf(id));
    return false;
  }

  #sumUp(): void {
    const sink = this.#sink;
    for (const { stream, source } of this.#pages) {
      const { cpu, damagedPages, lostAtEnd } = stream;
      if (damagedPages > 0) sink.problems.add(TRACE_DAT_DAMAGED, 0, `a page of CPU ${cpu}`, damagedPages);
      if (source instanceof PackedPages && source.damage !== "")
        sink.problems.add(TRACE_DAT_DAMAGED, 0, `CPU ${cpu}: ${source.damage}`);
      if (source.isCut) sink.problems.add(RECORDING_CUT, 0, `CPU ${cpu}`);
      if (lostAtEnd !== 0) sink.lost(cpu, lostAtEnd, this.records);
    }
  }
}

/** "CPU:1 [145 EVENTS DROPPED]", as trace-cmd report prints it. */
function lossText(cpu: number, lost: number): string {
  return `CPU:${cpu} [${lost < 0 ? "" : `${lost} `}EVENTS DROPPED]`;
}
