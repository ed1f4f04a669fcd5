// What a format reader gets and gives. index.ts picks one, feeds it lines and asks it for its share of TraceMeta.
import type { ProbeInfo } from "../table/event-batch.ts";
import type { LinesHandler } from "./lines.ts";
import { BINARY_DATA, LONG_LINE } from "./problems.ts";
import type { ReaderState } from "./scanned-reader.ts";
import type { Sink } from "./sink.ts";

/** A format's reader. Lines go in through LinesHandler, rows come out of the sink. */
export interface FormatReader extends LinesHandler {
  /** Lines that are nothing the format prints; judged against `matched` at the end. */
  readonly unmatched: number;
  /** Lines that are: events, headers, gaps, blanks excluded. */
  readonly matched: number;
  /** Called once after the last line. */
  end(): void;
  skipped(): Record<string, number>;
  probes(): ProbeInfo[];
}

/** What every reader is made from. */
export interface ReaderOptions {
  readonly sink: Sink;
  /** EVENT -> FUNCTION, from --probe. */
  readonly probes: ReadonlyMap<string, string>;
  /** Left by the trace's beginning, when a part of it is read apart. */
  readonly state?: ReaderState;
  /** As IngestOptions.naive, for readers whose line() has a fast way of its own. */
  readonly naive?: boolean;
}

/** Counts a line too long to be read. */
export function countLongLine(
  sink: Sink,
  bytes: Uint8Array,
  start: number,
  end: number,
  lineNo: number,
): void {
  sink.problem(LONG_LINE, lineNo, bytes, start, end);
}

/** Whether the line holds NUL bytes; counts it as binary data when it does. */
export function countBinary(
  sink: Sink,
  bytes: Uint8Array,
  start: number,
  end: number,
  lineNo: number,
): boolean {
  const nul = bytes.indexOf(0, start);
  if (nul < 0 || nul >= end) return false;
  sink.problem(BINARY_DATA, lineNo, bytes, start, end);
  return true;
}
