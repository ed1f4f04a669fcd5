// PageMerge by WebAssembly: the kernel (assembly/pages.ts) walks the pages of all CPUs, merges them by time and makes rows of the
// records whose plans it knows. Here its slabs are filled, its rows taken, and what it leaves is decoded.
import { constantsOf } from "../kernel-rows.ts";
import type { Sink } from "../sink.ts";
import type { TaskNames } from "../task-names.ts";
import type { RecordDecoder } from "../tracepoints/decoder.ts";
import {
  type OpenKernel,
  type RecordKernel,
  type RecordKernelExports,
  withKernel,
} from "../tracepoints/record-kernel.ts";
import type { PageSource } from "./page-source.ts";
import type { PageLayout } from "./pages.ts";
import { PAGES_WASM } from "./pages-wasm.ts";

/** Pages that wait to be read: of one CPU, and of all. */
const SLAB = 1 << 18;
const SLABS = 1 << 26;
/** The kernel looks this far behind a record. */
const MARGIN = 64;

/** What the kernel stops for. */
const Stop = { done: 0, leftRecord: 1, slabEmpty: 2, rowsFull: 3, namesFull: 4 } as const;
/** Words of STATE that are this kernel's own. */
const State = { stream: 0, records: 1 } as const;
/** Words of a stream; times and losses count in units of their own size. */
const Stream = {
  seconds: 0,
  nanos: 2,
  cpu: 3,
  lost: 2,
  pending: 3,
  start: 8,
  end: 9,
  damagedPages: 13,
  nextPage: 14,
  slabEnd: 15,
  wasDamaged: 16,
  isOver: 17,
} as const;

const CONSTANTS = ["STREAMS", "STREAM_BYTES", "MAX_STREAMS"] as const;

interface Exports extends RecordKernelExports {
  setLayout(pageSize: number, commitAt: number, commitSize: number, dataAt: number): void;
  addStream(cpu: number): number;
  run(epoch: number, leaveAll: number): number;
}

/** One CPU's pages. */
export interface CpuPages {
  readonly cpu: number;
  readonly source: PageSource;
}

/** How a CPU's pages ended. */
export interface PagesEnd {
  readonly damagedPages: number;
  /** As CpuStream.lostAtEnd. */
  readonly lostAtEnd: number;
}

export interface KernelMergeOptions {
  readonly sink: Sink;
  readonly decoder: RecordDecoder;
  readonly names: TaskNames;
  readonly layout: PageLayout;
  readonly pages: readonly CpuPages[];
  /** Tells of events lost in front of record `line`. */
  readonly onLost: (cpu: number, events: number, line: number) => void;
  /** A record was decoded here; the first that begins the trace is. */
  readonly onDecoded: () => void;
  readonly onProgress: (read: number) => void;
}

/** Reads all pages, once. Null, and nothing was read, when the kernel does not take so many CPUs or so large pages. */
export function mergeByKernel(
  options: KernelMergeOptions,
): { readonly records: number; readonly ends: readonly PagesEnd[] } | null {
  const { pages } = options;
  const pageSize = pages[0]?.source.pageSize ?? 0;
  const slab = Math.max(1, Math.floor(Math.min(SLAB, SLABS / pages.length) / pageSize)) * pageSize;
  if (pages.length === 0 || slab * pages.length > SLABS) return null;
  return withKernel<Exports, ReturnType<typeof mergeByKernel>>(PAGES_WASM, (kernel) => {
    if (pages.length > constantsOf(kernel.exports, CONSTANTS).MAX_STREAMS) return null;
    const merge = new KernelMerge(kernel, options, slab);
    merge.run();
    return { records: merge.records, ends: merge.ends() };
  });
}

class KernelMerge {
  readonly #kernel: RecordKernel<Exports>;
  readonly #open: OpenKernel;
  readonly #options: KernelMergeOptions;
  readonly #streams: number;
  readonly #streamBytes: number;
  readonly #slab: number;
  readonly #slabs: number;
  #read = 0;

  constructor(kernel: RecordKernel<Exports>, options: KernelMergeOptions, slab: number) {
    const { exports, rows, heap } = kernel;
    const { decoder, layout, pages, names, sink } = options;
    const { STREAMS, STREAM_BYTES } = constantsOf(exports, CONSTANTS);
    this.#kernel = kernel;
    this.#options = options;
    this.#streams = STREAMS;
    this.#streamBytes = STREAM_BYTES;
    this.#slab = slab;
    this.#open = kernel.open(sink, decoder);
    const { ids, unknown } = names.table();
    this.#slabs = heap + ids.length * 4;
    rows.makeRoom(this.#slabs + slab * pages.length + MARGIN);
    const known = rows.words.subarray(heap >> 2, this.#slabs >> 2);
    for (let tid = 0; tid < ids.length; tid++) known[tid] = ids[tid]! < 0 ? -1 : rows.namesBeside + ids[tid]!;
    exports.setNames(heap, ids.length, rows.namesBeside + unknown);
    exports.setLayout(pages[0]?.source.pageSize ?? 0, layout.commitAt, layout.commitSize, layout.dataAt);
    for (const { cpu } of pages) exports.addStream(cpu);
  }

  get records(): number {
    return this.#open.state(State.records) >>> 0;
  }

  ends(): PagesEnd[] {
    const { words, floats } = this.#kernel.rows;
    return this.#options.pages.map((_, stream) => ({
      damagedPages: words[this.#wordsOf(stream) + Stream.damagedPages]!,
      lostAtEnd: floats[(this.#wordsOf(stream) >> 1) + Stream.pending]!,
    }));
  }

  run(): void {
    const { exports } = this.#kernel;
    const { sink } = this.#options;
    const open = this.#open;
    for (;;) {
      const epoch = sink.epochSeconds;
      const stop = exports.run(epoch, epoch < 0 ? 1 : 0);
      open.take();
      if (stop === Stop.done) break;
      const stream = open.state(State.stream);
      if (stop === Stop.slabEmpty) this.#fill(stream);
      else if (stop === Stop.leftRecord) this.#decode(stream);
      else if (stop === Stop.namesFull) open.forgetNames();
    }
    open.count();
  }

  #wordsOf(stream: number): number {
    return (this.#streams + stream * this.#streamBytes) >> 2;
  }

  /** Puts pages of the source's current block into a CPU's slab. */
  #fill(stream: number): void {
    const { rows } = this.#kernel;
    const { source } = this.#options.pages[stream]!;
    const { words } = rows;
    const at = this.#wordsOf(stream);
    const slab = this.#slabs + stream * this.#slab;
    const length = source.fill(rows.bytes.subarray(slab, slab + this.#slab));
    if (length === 0) {
      words[at + Stream.isOver] = 1;
      if (source.isCut || source.wasDamaged) rows.floats[(at >> 1) + Stream.pending] = -1;
      return;
    }
    if (source.wasDamaged) words[at + Stream.wasDamaged] = 1;
    words[at + Stream.nextPage] = slab;
    words[at + Stream.slabEnd] = slab + length;
    this.#read += length;
    this.#options.onProgress(this.#read);
  }

  /** The record that a CPU's stream stands at. */
  #decode(stream: number): void {
    const { rows } = this.#kernel;
    const { sink, decoder, onLost, onDecoded } = this.#options;
    const { words } = rows;
    const at = this.#wordsOf(stream);
    const line = this.records;
    const cpu = words[at + Stream.cpu]!;
    const lost = rows.floats[(at >> 1) + Stream.lost]!;
    if (lost !== 0) onLost(cpu, lost, line);
    const start = words[at + Stream.start]!;
    const end = words[at + Stream.end]!;
    const { head } = sink;
    head.hi = (words[at + Stream.seconds + 1]! >>> 0) * 4294967296 + (words[at + Stream.seconds]! >>> 0);
    head.lo = words[at + Stream.nanos]!;
    head.cpu = cpu;
    head.line = line;
    decoder.decode(rows.bytes, rows.view, start, end);
    onDecoded();
    this.#open.teach(start, end);
  }
}
