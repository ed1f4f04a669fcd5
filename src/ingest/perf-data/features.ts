// Feature sections of a perf.data header that tell something of the recording: tools/perf/Documentation/
// perf.data-file-format.txt and HEADER_* of tools/perf/util/header.h (6.12).
import { Cursor, EndOfData, memorySource } from "../cursor.ts";
import type { FormatText } from "../tracepoints/decoder.ts";

/** Bits of the header's feature mask, and ids of HEADER_FEATURE records. */
export const FEATURE = { tracingData: 1, osRelease: 4, nrCpus: 7, compressed: 27 } as const;
/** HEADER_FEAT_BITS. */
export const FEATURE_BITS = 256;
export const PERF_COMP_ZSTD = 1;
const MAX_TEXT = 4096;
const MAX_FORMATS = 65536;

/** "len, chars, NUL padding". */
export function readFeatureText(bytes: Uint8Array, big: boolean): string {
  const c = new Cursor(memorySource(bytes), big);
  const length = c.u32();
  return new TextDecoder().decode(c.bytes(Math.min(length, c.left, MAX_TEXT))).replace(/\0.*$/s, "");
}

/** What the embedded tracing data hold. */
export interface TracingData {
  readonly formats: readonly FormatText[];
  /** /proc/kallsyms; often left empty. */
  readonly kallsyms: Uint8Array;
}

/**
 * Tracing data: 17 08 44 "tracing", a version, byte order, long and page size, then the tables of trace.dat version 6
 * up to the kernel's symbols. Throws EndOfData where it is cut. perf tools/perf/util/trace-event-info.c.
 */
export function readTracingData(bytes: Uint8Array): TracingData {
  const c = new Cursor(memorySource(bytes), false);
  c.skip(10);
  c.text(16);
  c.big = c.u8() === 1;
  c.u8();
  c.u32();
  c.text(64);
  c.skip(c.u64());
  c.text(64);
  c.skip(c.u64());
  const formats: FormatText[] = [];
  const add = (system: string): void => {
    const text = c.bytes(c.u64());
    if (formats.length < MAX_FORMATS) formats.push({ bytes: text, start: 0, end: text.length, system });
  };
  for (let n = c.u32(); n > 0; n--) add("ftrace");
  for (let systems = c.u32(); systems > 0; systems--) {
    const system = c.text(256);
    for (let n = c.u32(); n > 0; n--) add(system);
  }
  try {
    return { formats, kallsyms: c.bytes(c.u32()) };
  } catch (error) {
    if (!(error instanceof EndOfData)) throw error;
    return { formats, kallsyms: new Uint8Array(0) };
  }
}
