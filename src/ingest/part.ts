// Reading a part of a trace apart from the rest, in another thread: whole lines in, rows and counts out, with the part's
// own ids. Pure. What the part's lines mean can depend on what stood before it (the epoch, which probe came first, a
// header's legend): a part is read with the state the trace's beginning left, only as far as its lines are plain, and
// index.ts reads on by itself from where a part stops. So the result is that of reading all of it in one go.
import type { FormatName } from "./detect.ts";
import { headOfLine } from "./event-head.ts";
import { FtraceTextReader } from "./ftrace-text/index.ts";
import { type KernelFormat, theKernel } from "./kernel.ts";
import { PerfScriptReader } from "./perf-script/index.ts";
import type { FormatReader, ReaderOptions } from "./reader.ts";
import { type ReaderState, type ReaderTally, ScannedReader } from "./scanned-reader.ts";
import { Sink, type SinkTally } from "./sink.ts";
import { TraceCmdReportReader } from "./trace-cmd-report/index.ts";

/** Formats whose parts can be read apart. */
const READERS: Readonly<Record<KernelFormat, new (options: ReaderOptions) => ScannedReader>> = {
  "ftrace-text": FtraceTextReader,
  "trace-cmd-report": TraceCmdReportReader,
  "perf-script": PerfScriptReader,
};

/** What a part is read with. Can be sent to another thread. */
export interface PartState {
  readonly format: KernelFormat;
  readonly epochSeconds: number;
  readonly reader: ReaderState;
}

/** A part read as far as its lines are plain. Can be sent to another thread. */
export interface Part {
  /** Bytes and lines that were read, and bytes that were not. */
  readonly bytes: number;
  readonly left: number;
  readonly lines: number;
  /** As in the state it was read with. */
  readonly irqColumn: number;
  readonly sink: SinkTally;
  readonly reader: ReaderTally;
}

/** State for the parts that follow what `reader` and `sink` have read; null while a part would not be read plainly. */
export function partState(format: FormatName, reader: FormatReader, sink: Sink): PartState | null {
  if (
    !(reader instanceof ScannedReader) ||
    !isPartFormat(format) ||
    sink.epochSeconds < 0 ||
    reader.isWaiting
  )
    return null;
  return { format, epochSeconds: sink.epochSeconds, reader: reader.state() };
}

/**
 * Reads bytes[from, to), whole lines. Null when a line of it is defective: all of it has to be read in its place.
 * `byKernel` false: by the kernel's twin in TypeScript.
 */
export function readPart(
  state: PartState,
  bytes: Uint8Array,
  from: number,
  to: number,
  byKernel = true,
): Part | null {
  const sink = Sink.ofPart(state.epochSeconds);
  const reader = new READERS[state.format]({ sink, probes: new Map(), state: state.reader });
  const cursor = { at: from, line: 0 };
  if (byKernel) reader.readByKernel(bytes, cursor, to);
  else reader.readPlain(bytes, cursor, to);
  if (sink.problems.list().length > 0) return null;
  const { irqColumn } = state.reader;
  return {
    irqColumn,
    bytes: cursor.at - from,
    left: to - cursor.at,
    lines: cursor.line,
    sink: sink.tally(),
    reader: reader.tally(),
  };
}

/** What `part`'s rows lie in, for handing them to another thread without a copy. */
export function buffersOf({ sink }: Part): ArrayBufferLike[] {
  const { length: _length, ...columns } = sink.rows;
  return Object.values(columns).map((column) => column.buffer);
}

/** Memory for a part of `length` bytes that the kernel need not copy; until the next call. */
export function partRoom(length: number): Uint8Array {
  return theKernel().room(length);
}

/** Adds `part`, whose bytes `bytes()` begin with, to what `reader` and `sink` have read. False when it was read under another condition than theirs. */
export function takePart(
  part: Part,
  reader: FormatReader,
  sink: Sink,
  bytes: () => Uint8Array,
  linesBefore: number,
): boolean {
  if (
    !(reader instanceof ScannedReader) ||
    !sink.canSkim() ||
    reader.isWaiting ||
    reader.irqColumn !== part.irqColumn
  )
    return false;
  sink.absorb(part.sink, linesBefore, (line) => headOfLine(sink.head, bytes(), 0, linesBefore + 1, line));
  reader.absorb(part.reader);
  return true;
}

function isPartFormat(format: FormatName): format is KernelFormat {
  return format in READERS;
}
