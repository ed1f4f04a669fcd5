// What a trace.dat file says of itself, whichever version wrote it. header-v6.ts and header-v7.ts fill it, index.ts
// reads it. Format: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5) of trace-cmd 3.1.6.
import type { CpuData } from "../ring-buffer/page-source.ts";
import type { FormatText } from "../tracepoints/decoder.ts";

/** The ring buffer of one trace instance. */
export interface BufferData {
  /** "" for the top instance. */
  readonly name: string;
  readonly pageSize: number;
  readonly isCompressed: boolean;
  readonly cpus: readonly CpuData[];
}

/** A file's metadata. */
export interface Layout {
  readonly version: number;
  readonly big: boolean;
  /** "none", "zlib", "zstd" or a name this program does not know. */
  codec: string;
  pageSize: number;
  /** Text of events/header_page. */
  headerPage: string;
  readonly formats: FormatText[];
  /** Text of /proc/kallsyms, read when asked. */
  kallsyms: () => Uint8Array | null;
  /** Text of saved_cmdlines: "1828 bash" lines. */
  cmdlines: Uint8Array;
  /** "" when the file does not tell. */
  clock: string;
  /** Of uname(): "Linux lab 6.1.0-56-amd64 x86_64". */
  uname: string;
  /** Nanoseconds to add to every time stamp: options DATE and OFFSET. */
  offset: bigint;
  /** Of option TSC2NSEC: ns = ticks * mult >> shift. */
  tsc: { readonly mult: number; readonly shift: number } | null;
  cpuCount: number;
  /** Texts of per_cpu/cpuN/stats. */
  readonly stats: string[];
  readonly buffers: BufferData[];
  /** Parts that could not be read, in words. */
  readonly damaged: string[];
}

/** CPUs of a file: more than a kernel has are a lie. */
export const MAX_CPUS = 8192;
/** A header's or table's decoded bytes: kallsyms and the formats of a distribution's kernel are below 16 MiB. */
export const MAX_SECTION: number = 1 << 26;
const MAX_FORMATS = 65536;

/** Adds a format text, as long as there are not more than ids. */
export function addFormatText(layout: Layout, bytes: Uint8Array, system: string): void {
  if (layout.formats.length < MAX_FORMATS)
    layout.formats.push({ bytes, start: 0, end: bytes.length, system });
}

/** Option ids that both versions share. */
const OPTION = {
  date: 1,
  cpuStat: 2,
  traceClock: 4,
  uname: 5,
  offset: 7,
  cpuCount: 8,
  tsc2nsec: 14,
} as const;

/** Takes in an option both versions have; others are passed over. */
export function readOption(
  layout: Layout,
  id: number,
  data: Uint8Array,
  u32At: (at: number) => number,
): void {
  const text = (): string => new TextDecoder().decode(data).replace(/\0.*$/s, "");
  switch (id) {
    case OPTION.date:
      // microseconds, as trace-cmd record --date measured them
      layout.offset += integerOf(text()) * 1000n;
      return;
    case OPTION.offset:
      layout.offset += integerOf(text());
      return;
    case OPTION.cpuStat:
      if (layout.stats.length < MAX_CPUS * 4) layout.stats.push(text());
      return;
    case OPTION.traceClock:
      // "local global counter uptime perf [mono] mono_raw boot tai x86-tsc"
      layout.clock = /\[([\w-]+)\]/.exec(text())?.[1] ?? layout.clock;
      return;
    case OPTION.uname:
      layout.uname = text();
      return;
    case OPTION.cpuCount:
      if (data.length >= 4) layout.cpuCount = u32At(0);
      return;
    case OPTION.tsc2nsec:
      if (data.length >= 8 && u32At(4) < 64 && u32At(0) > 0) layout.tsc = { mult: u32At(0), shift: u32At(4) };
      return;
    default:
  }
}

/** As strtoll(text, NULL, 0) reads it: "0x15a3…", "-42"; 0 for what is no number. */
function integerOf(text: string): bigint {
  const match = /^\s*([+-]?)(0x[0-9a-f]{1,16}|\d{1,20})/i.exec(text);
  if (match === null) return 0n;
  const value = BigInt(match[2] ?? "0");
  return BigInt.asIntN(64, match[1] === "-" ? -value : value);
}
