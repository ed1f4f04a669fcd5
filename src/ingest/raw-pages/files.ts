// Which files of a directory are a copy of tracefs with raw ring-buffer pages: events/header_page, event formats, and a file of
// pages a CPU. Told by their place below the directory as tracefs names them. Used by index.ts and by detection.
import type { NamedSource } from "../source.ts";

/** A CPU's pages, as per_cpu/cpuN/trace_pipe_raw gives them. */
export interface PageFile {
  readonly cpu: number;
  readonly file: NamedSource;
}

/** The parts of such a directory; all but the first three may be absent. */
export interface RawFiles {
  readonly headerPage: NamedSource | undefined;
  readonly formats: readonly { readonly system: string; readonly file: NamedSource }[];
  readonly pages: readonly PageFile[];
  readonly cmdlines: NamedSource | undefined;
  readonly clock: NamedSource | undefined;
  readonly release: NamedSource | undefined;
  readonly kallsyms: NamedSource | undefined;
}

/** Pages under "…/cpuN/trace_pipe_raw", "…/cpuN.raw" or a file named "cpuN". */
const PAGES = /(?:^|\/)cpu(\d{1,5})(?:\/trace_pipe_raw|\.raw|)$/;
/** "…/SYSTEM/EVENT/format" */
const FORMAT = /(?:^|\/)([\w-]+)\/[\w.-]+\/format$/;

/** The parts among `files`. */
export function findRawFiles(files: readonly NamedSource[]): RawFiles {
  const named = (name: string): NamedSource | undefined =>
    files.find((file) => file.name === name || file.name.endsWith(`/${name}`));
  return {
    headerPage: named("header_page"),
    formats: files.flatMap((file) => {
      const system = FORMAT.exec(file.name)?.[1];
      return system === undefined ? [] : [{ system, file }];
    }),
    pages: files.flatMap((file) => {
      const cpu = PAGES.exec(file.name)?.[1];
      return cpu === undefined || file.size === 0 ? [] : [{ cpu: Number(cpu), file }];
    }),
    cmdlines: named("saved_cmdlines"),
    clock: named("trace_clock"),
    release: named("osrelease"),
    kallsyms: named("kallsyms"),
  };
}

/** Whether these files can be read as raw pages. */
export function holdsRawPages(files: readonly NamedSource[]): boolean {
  const { headerPage, formats, pages } = findRawFiles(files);
  return headerPage !== undefined && formats.length > 0 && pages.length > 0;
}
