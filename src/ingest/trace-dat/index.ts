// Reader of trace.dat, as trace-cmd record and extract write it (versions 6 and 7). Metadata first, then the pages of
// all CPUs and instances merged by time; records go to the shared decoder.
import { InputError, quote } from "../../base/errors.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { Cursor, EndOfData, Unreadable } from "../cursor.ts";
import { MAX_CPU } from "../limits.ts";
import { TRACE_DAT_DAMAGED, TRACE_DAT_OVERRUN } from "../problems.ts";
import type { RecordingReader, RecordingReaderOptions } from "../recordings/reader.ts";
import { PageMerge } from "../ring-buffer/merge.ts";
import { type Budget, PAGE_BUDGET, PackedPages, PlainPages } from "../ring-buffer/page-source.ts";
import { type PageLayout, readPageLayout, TICK_CLOCKS, type TimeRule } from "../ring-buffer/pages.ts";
import { type ByteSource, CodecError } from "../source.ts";
import { TaskNames } from "../task-names.ts";
import { RecordDecoder } from "../tracepoints/decoder.ts";
import { Symbols } from "../tracepoints/symbols.ts";
import { readHeaderV6 } from "./header-v6.ts";
import { readHeaderV7, type Unpack } from "./header-v7.ts";
import type { BufferData, Layout } from "./layout.ts";

const MAGIC_LENGTH = 10;
const MIN_PAGE = 64;
const MAX_PAGE = 1 << 22;

export class TraceDatReader implements RecordingReader {
  readonly #options: RecordingReaderOptions;
  readonly #sink: RecordingReaderOptions["sink"];
  readonly #source: ByteSource;
  #decoder: RecordDecoder | null = null;
  #merge: PageMerge | undefined;

  constructor(options: RecordingReaderOptions) {
    this.#options = options;
    this.#sink = options.sink;
    const [file] = options.files;
    if (file === undefined || options.files.length > 1) {
      throw new InputError("trace-dat/header", `${options.path}: a trace.dat is one file`);
    }
    this.#source = file;
  }

  get records(): number {
    return this.#merge?.records ?? 0;
  }

  read(): void {
    const layout = this.#readLayout();
    const pageLayout = readPageLayout(layout.headerPage);
    if (pageLayout === null) this.#refuse("describes no ring-buffer page (events/header_page)");
    this.#describe(layout);
    const names = new TaskNames(this.#sink);
    names.readSaved(layout.cmdlines);
    const decoder = this.#openDecoder(layout, names);
    this.#decoder = decoder;
    const { onProgress, naive } = this.#options;
    const tsc = layout.clock === "x86-tsc" ? layout.tsc : null;
    this.#sink.head.ticks = TICK_CLOCKS.has(layout.clock) && tsc === null;
    const rule: TimeRule | null =
      layout.offset === 0n && tsc === null ? null : { offset: layout.offset, tsc };
    const merge = new PageMerge({
      sink: this.#sink,
      decoder,
      names,
      layout: pageLayout,
      rule,
      naive,
      onProgress,
    });
    this.#merge = merge;
    this.#addPages(layout, pageLayout, merge);
    merge.run(layout.buffers.length > 1, wasSelected(layout) ? decoder.ids : []);
    for (const text of layout.stats) this.#checkStats(text, merge);
  }

  skipped(): Record<string, number> {
    return this.#decoder?.skipped() ?? {};
  }

  probes(): ProbeInfo[] {
    return this.#decoder?.probes() ?? [];
  }

  #refuse(what: string): never {
    throw new InputError("trace-dat/header", `${this.#options.path} (trace-dat) ${what}`);
  }

  #readLayout(): Layout {
    const c = new Cursor(this.#source, false);
    try {
      return this.#readHeader(c);
    } catch (error) {
      if (error instanceof EndOfData) this.#refuse("ends inside its header: the recording was cut short");
      if (error instanceof Unreadable) this.#refuse(error.message);
      if (error instanceof CodecError) this.#refuse(`has a damaged header section (${error.message})`);
      throw error;
    }
  }

  #readHeader(c: Cursor): Layout {
    const magic = c.bytes(MAGIC_LENGTH);
    if (magic[0] !== 0x17 || magic[1] !== 0x08 || magic[2] !== 0x44)
      this.#refuse("does not begin as a trace.dat does");
    const versionText = c.text(16);
    const version = /^[0-9]$/.test(versionText) ? Number(versionText) : 0;
    const big = c.u8() === 1;
    c.u8();
    c.big = big;
    const layout: Layout = {
      version,
      big,
      codec: "none",
      pageSize: c.u32(),
      headerPage: "",
      formats: [],
      kallsyms: () => null,
      cmdlines: new Uint8Array(0),
      clock: "",
      uname: "",
      offset: 0n,
      tsc: null,
      cpuCount: 0,
      stats: [],
      buffers: [],
      damaged: [],
    };
    if (version === 6) {
      readHeaderV6(layout, this.#source, c);
    } else if (version === 7) {
      layout.codec = c.text(64);
      const codecVersion = c.text(64);
      readHeaderV7(layout, this.#source, c, this.#unpackOf(layout.codec, codecVersion));
    } else {
      this.#refuse(`is of version ${quote(versionText)}; versions 6 and 7 are read`);
    }
    return layout;
  }

  #unpackOf(codec: string, version: string): Unpack {
    const { codecs } = this.#options;
    if (codec === "zlib") return (bytes, size) => codecs.zlib(bytes, size);
    if (codec === "zstd") return (bytes, size) => codecs.zstd(bytes, size);
    return () =>
      this.#refuse(
        `is compressed with ${JSON.stringify(`${codec} ${version}`)}, which is not decoded; ` +
          "expected zstd, zlib or none (trace-cmd convert --compression none rewrites it)",
      );
  }

  #describe(layout: Layout): void {
    const sink = this.#sink;
    sink.clock = layout.clock === "" ? "unknown" : layout.clock;
    // "Linux lab 6.1.0-56-amd64 x86_64": sysname, nodename, release, machine
    sink.kernel = layout.uname.split(" ")[2] ?? "";
    sink.declareCpus(layout.cpuCount);
    for (const what of layout.damaged) sink.problems.add(TRACE_DAT_DAMAGED, 0, what);
  }

  #openDecoder(layout: Layout, names: TaskNames): RecordDecoder {
    let symbols: Symbols | null | undefined;
    const decoder = new RecordDecoder({
      sink: this.#sink,
      big: layout.big,
      probes: this.#options.probes,
      commOf: (tid) => names.of(tid),
      symbols: () => {
        symbols ??= this.#readSymbols(layout);
        return symbols;
      },
      taskFromRecord: true,
    });
    for (const text of layout.formats) decoder.addFormat(text);
    return decoder;
  }

  #readSymbols(layout: Layout): Symbols | null {
    try {
      const text = layout.kallsyms();
      return text === null ? null : new Symbols(text);
    } catch (error) {
      if (!(error instanceof EndOfData || error instanceof Unreadable || error instanceof CodecError))
        throw error;
      this.#sink.problems.add(TRACE_DAT_DAMAGED, 0, "the kernel's symbols (kallsyms)");
      return new Symbols(new Uint8Array(0));
    }
  }

  #addPages(layout: Layout, pageLayout: PageLayout, merge: PageMerge): void {
    const budget: Budget = { left: PAGE_BUDGET };
    const unpack = this.#unpackOf(layout.codec, "");
    const cpus = layout.buffers.reduce((n, buffer) => n + buffer.cpus.length, 0);
    layout.buffers.forEach((buffer, index) => {
      const size = this.#pageSizeOf(buffer, pageLayout);
      for (const data of buffer.cpus) {
        if (data.size === 0 || data.cpu > MAX_CPU) continue;
        const source = buffer.isCompressed
          ? new PackedPages(this.#source, data, size, layout.big, unpack, budget)
          : new PlainPages(this.#source, data, size, cpus);
        merge.add(data.cpu, index, source);
      }
    });
  }

  #pageSizeOf({ pageSize }: BufferData, { dataAt, commitAt, commitSize }: PageLayout): number {
    const least = Math.max(MIN_PAGE, dataAt, commitAt + commitSize);
    if (pageSize < least || pageSize > MAX_PAGE) this.#refuse(`claims pages of ${pageSize} bytes`);
    return pageSize;
  }

  /** per_cpu/cpuN/stats: "CPU: 1\nentries: 14424\noverrun: 0\n…dropped events: 0\nread events: 1081". */
  #checkStats(text: string, merge: PageMerge): void {
    const sink = this.#sink;
    const cpu = Number(/^CPU: (\d{1,5})/m.exec(text)?.[1] ?? Number.NaN);
    if (!(cpu <= MAX_CPU) || merge.gaps.has(cpu)) return;
    for (const key of ["overrun", "dropped events"]) {
      const count = Number(new RegExp(`^${key}: (\\d{1,15})$`, "m").exec(text)?.[1] ?? 0);
      if (count === 0) continue;
      sink.problems.add(TRACE_DAT_OVERRUN, 0, `CPU ${cpu}: ${key} ${count}`, count);
      // Up to here not all of the CPU's events are in the file.
      sink.bufferStarted(cpu, merge.records);
      if (sink.lostEvents >= 0) sink.lostEvents += count;
    }
  }
}

/**
 * Whether the formats in the file are those of the events that were asked for. trace-cmd writes only what its -e options name
 * (listed_events, trace-record.c, 3.4), but those of all events when there is none, as `trace-cmd extract` does: then the kernel's
 * own are among them, on or off. It also writes what -v -e switches off, which the file does not tell.
 */
function wasSelected({ formats }: Layout): boolean {
  const systems = new Set(formats.map(({ system }) => system));
  return !CORE_SYSTEMS.every((system) => systems.has(system));
}

/** Systems of events in kernel/ and include/trace/events/ that are built wherever there are tracepoints. */
const CORE_SYSTEMS = ["irq", "sched", "signal", "task", "timer", "workqueue"] as const;
