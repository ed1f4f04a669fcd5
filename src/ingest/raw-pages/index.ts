// Reader of raw ring-buffer pages: per_cpu/cpuN/trace_pipe_raw of tracefs, copied beside events/header_page and the events'
// format files. Format: Documentation/trace/ring-buffer-design.rst and kernel/trace/ring_buffer.c of the kernel. The pages are
// those of trace.dat; ../ring-buffer reads them.
import { InputError } from "../../base/errors.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { MAX_CPU } from "../limits.ts";
import type { RecordingReader, RecordingReaderOptions } from "../recordings/reader.ts";
import { PageMerge } from "../ring-buffer/merge.ts";
import { PlainPages } from "../ring-buffer/page-source.ts";
import { commitOf, type PageLayout, readPageLayout, TICK_CLOCKS } from "../ring-buffer/pages.ts";
import type { NamedSource } from "../source.ts";
import { TaskNames } from "../task-names.ts";
import { RecordDecoder } from "../tracepoints/decoder.ts";
import { Symbols } from "../tracepoints/symbols.ts";
import { findRawFiles, type RawFiles } from "./files.ts";

/** A text file of tracefs is no larger; kallsyms of a distribution's kernel is below 16 MiB. */
const MAX_TEXT = 1 << 26;
const MAX_FORMATS = 65536;
/** Pages are those of the kernel, or of buffer_subbuf_size_kb (6.8 on). */
const MAX_PAGE = 1 << 22;

export class RawPagesReader implements RecordingReader {
  readonly #options: RecordingReaderOptions;
  #merge: PageMerge | undefined;
  #decoder: RecordDecoder | undefined;

  constructor(options: RecordingReaderOptions) {
    this.#options = options;
  }

  get records(): number {
    return this.#merge?.records ?? 0;
  }

  read(): void {
    const { sink, files, naive, onProgress } = this.#options;
    const found = findRawFiles(files);
    const { headerPage, formats, pages } = found;
    if (headerPage === undefined || formats.length === 0 || pages.length === 0) this.#refuse(found);
    const layout = readPageLayout(textOf(headerPage));
    if (layout === null || layout.pageSize < leastPage(layout) || layout.pageSize > MAX_PAGE)
      throw new InputError(
        "raw-pages/header",
        `${this.#options.path}: ${headerPage.name} describes no ring-buffer page; expected the text of events/header_page`,
      );
    const big = isBigEndian(pages, layout);
    this.#describe(found);
    const names = new TaskNames(sink);
    if (found.cmdlines !== undefined) names.readSaved(bytesOf(found.cmdlines));
    const decoder = this.#openDecoder(found, names, big);
    this.#decoder = decoder;
    const merge = new PageMerge({ sink, decoder, names, layout, rule: null, naive, onProgress });
    this.#merge = merge;
    for (const { cpu, file } of pages) {
      if (cpu > MAX_CPU) continue;
      const source = new PlainPages(file, { cpu, at: 0, size: file.size }, layout.pageSize, pages.length);
      merge.add(cpu, 0, source);
    }
    merge.run(false, []);
  }

  skipped(): Record<string, number> {
    return this.#decoder?.skipped() ?? {};
  }

  probes(): ProbeInfo[] {
    return this.#decoder?.probes() ?? [];
  }

  #refuse({ headerPage, formats, pages }: RawFiles): never {
    throw new InputError(
      "raw-pages/files",
      `${this.#options.path}: ${headerPage === undefined ? "no header_page" : "a header_page"}, ${formats.length} event formats, ` +
        `pages of ${pages.length} CPUs; expected copies of events/header_page, events/SYSTEM/EVENT/format and per_cpu/cpuN/trace_pipe_raw`,
    );
  }

  #describe({ pages, clock, release }: RawFiles): void {
    const { sink } = this.#options;
    // "local global counter uptime perf [mono] mono_raw boot tai x86-tsc"
    sink.clock = /\[([\w-]+)\]/.exec(clock === undefined ? "" : textOf(clock))?.[1] ?? "unknown";
    sink.head.ticks = TICK_CLOCKS.has(sink.clock);
    sink.kernel = release === undefined ? "" : (/^\S{1,64}/.exec(textOf(release))?.[0] ?? "");
    sink.declareCpus(Math.min(MAX_CPU, Math.max(...pages.map(({ cpu }) => cpu))) + 1);
  }

  #openDecoder({ formats, kallsyms }: RawFiles, names: TaskNames, big: boolean): RecordDecoder {
    const { sink, probes } = this.#options;
    let symbols: Symbols | undefined;
    const decoder = new RecordDecoder({
      sink,
      big,
      probes,
      commOf: (tid) => names.of(tid),
      symbols: () => {
        if (kallsyms === undefined) return null;
        symbols ??= new Symbols(bytesOf(kallsyms));
        return symbols;
      },
      taskFromRecord: true,
    });
    for (const { system, file } of formats.slice(0, MAX_FORMATS)) {
      const bytes = bytesOf(file);
      decoder.addFormat({ bytes, start: 0, end: bytes.length, system });
    }
    return decoder;
  }
}

/** A page holds its own head and an entry. */
function leastPage({ commitAt, commitSize, dataAt }: PageLayout): number {
  return Math.max(commitAt + commitSize, dataAt) + 8;
}

function bytesOf(file: NamedSource): Uint8Array {
  return file.readAt(0, Math.min(file.size, MAX_TEXT)).slice();
}

function textOf(file: NamedSource): string {
  return new TextDecoder().decode(bytesOf(file));
}

/** Nothing beside the pages tells their byte order: a commit word larger than its page was read the wrong way round. */
function isBigEndian(pages: RawFiles["pages"], layout: PageLayout): boolean {
  const { pageSize, dataAt } = layout;
  for (const { file } of pages) {
    const page = file.readAt(0, pageSize);
    if (page.length < pageSize) continue;
    const little = commitOf(page, 0, layout, false);
    const big = commitOf(page, 0, layout, true);
    if (little > 0 && little <= pageSize - dataAt) return false;
    if (big > 0 && big <= pageSize - dataAt) return true;
  }
  return false;
}
