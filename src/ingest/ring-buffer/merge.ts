// The pages of all CPUs and instances merged by time, each record handed to the decoder; what was lost or damaged is told
// to the sink. Used by the readers of trace.dat and of raw pages.
import { StreamHeap } from "../heap.ts";
import { RECORDING_CUT, TRACE_DAT_DAMAGED, TRACE_DAT_DUPLICATE, TRACE_DAT_MISSED } from "../problems.ts";
import type { Sink } from "../sink.ts";
import type { TaskNames } from "../task-names.ts";
import type { RecordDecoder } from "../tracepoints/decoder.ts";
import { u16 } from "../words.ts";
import { type CpuPages, mergeByKernel, type PagesEnd } from "./kernel-merge.ts";
import { PackedPages, type PageSource } from "./page-source.ts";
import { CpuStream, type PageLayout, type TimeRule } from "./pages.ts";

const PROGRESS_EVERY = 1 << 16;

/** What pages are read with. */
export interface PageMergeOptions {
  readonly sink: Sink;
  readonly decoder: RecordDecoder;
  readonly names: TaskNames;
  readonly layout: PageLayout;
  readonly rule: TimeRule | null;
  /** As RecordingOptions.naive. */
  readonly naive: boolean;
  readonly onProgress: (read: number) => void;
}

/** One CPU of one buffer. */
interface BufferPages extends CpuPages {
  readonly buffer: number;
}

export class PageMerge {
  /** Records met so far; the current one's number is the `line` of its row. */
  records = 0;
  /** CPUs whose pages told of lost events. */
  readonly gaps: Set<number> = new Set();
  readonly #options: PageMergeOptions;
  readonly #pages: BufferPages[] = [];
  /** What is still to be declared. */
  #armed: readonly number[] = [];
  /** Buffer an event id is read from, by id; -1 while it was not met. */
  readonly #owner: Int16Array = new Int16Array(65536).fill(-1);

  constructor(options: PageMergeOptions) {
    this.#options = options;
  }

  add(cpu: number, buffer: number, source: PageSource): void {
    this.#pages.push({ cpu, buffer, source });
  }

  /** Reads all of it. `hasInstances`: several buffers may hold the same events. `armed`: ids of events that are known to have been on. */
  run(hasInstances: boolean, armed: readonly number[]): void {
    this.#armed = armed;
    const { sink, decoder, rule, naive } = this.#options;
    const isKernels = !naive && !hasInstances && rule === null && !decoder.big && !sink.head.ticks;
    const read = isKernels ? this.#byKernel() : null;
    this.#sumUp(read ?? this.#byRecord(hasInstances));
  }

  /** Null when the kernel does not take it. */
  #byKernel(): readonly PagesEnd[] | null {
    const onLost = (cpu: number, events: number, line: number): void => this.#lost(cpu, events, line);
    const onDecoded = (): void => this.#declareArmed();
    const read = mergeByKernel({ ...this.#options, pages: this.#pages, onLost, onDecoded });
    if (read === null) return null;
    this.records = read.records;
    return read.ends;
  }

  /** Once, at the first event. */
  #declareArmed(): void {
    const { sink, decoder } = this.#options;
    if (this.#armed.length === 0 || sink.events === 0) return;
    decoder.declareArmed(this.#armed);
    this.#armed = [];
  }

  /** The reference: one record after the other. */
  #byRecord(hasInstances: boolean): readonly PagesEnd[] {
    const { sink, decoder, layout, rule, onProgress } = this.#options;
    const { head } = sink;
    const streams = this.#pages.map(
      ({ cpu, buffer, source }) => new CpuStream(cpu, buffer, source, layout, decoder.big, rule),
    );
    const heap = new StreamHeap<CpuStream>();
    for (const stream of streams) if (stream.next()) heap.add(stream);
    let read = 0;
    for (let stream = heap.top; stream !== undefined; stream = heap.top) {
      const line = ++this.records;
      if (stream.lost !== 0) this.#lost(stream.cpu, stream.lost, line);
      head.hi = stream.hi;
      head.lo = stream.lo;
      head.cpu = stream.cpu;
      head.line = line;
      read += stream.end - stream.start + 4;
      if (!hasInstances || this.#isOwner(stream))
        decoder.decode(stream.bytes, stream.view, stream.start, stream.end);
      this.#declareArmed();
      if (stream.next()) heap.sift();
      else heap.drop();
      if (line % PROGRESS_EVERY === 0) onProgress(read);
    }
    return streams;
  }

  #lost(cpu: number, events: number, line: number): void {
    const { sink } = this.#options;
    sink.lost(cpu, events, line);
    this.gaps.add(cpu);
    sink.problems.add(TRACE_DAT_MISSED, line, lossText(cpu, events));
  }

  /** Two instances may record the same events: each event id is taken from the buffer that has it first. */
  #isOwner(stream: CpuStream): boolean {
    if (stream.end - stream.start < 2) return true;
    const { sink, decoder } = this.#options;
    const id = u16(stream.bytes, stream.start, decoder.big);
    const owner = this.#owner[id]!;
    if (owner === -1) this.#owner[id] = stream.buffer;
    if (owner === -1 || owner === stream.buffer) return true;
    sink.problems.add(TRACE_DAT_DUPLICATE, this.records, decoder.nameOf(id));
    return false;
  }

  #sumUp(ends: readonly PagesEnd[]): void {
    const { sink } = this.#options;
    for (const [i, { cpu, source }] of this.#pages.entries()) {
      const { damagedPages, lostAtEnd } = ends[i]!;
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
