// The fast way through text: one loop over whole lines. A line whose head is printed column by column as the format
// prints it, and whose event begins as one met before (event-shapes.ts), is counted or decoded here; every other
// line goes to the reader's line(), which is the reference. Both ways give the same rows, counts and problems
// (test/ingest/twins.test.ts).
import type { EventHead } from "./event-head.ts";
import type { EventDecoder } from "./events.ts";
import { MAX_LINE } from "./lines.ts";
import { SPACE } from "./numbers.ts";
import type { Sink } from "./sink.ts";

const LF = 0x0a;

/** A format's share of the loop. */
export interface ScannedFormat {
  /**
   * Reads the head of the line at `start`, whose end is not known: sets tid, tgid, cpu, flagsStart, flagsEnd, hi, lo
   * and body. False for every line that is not printed plainly or holds a number no kernel prints; a line feed must
   * make it false. It may accept no line that line() does not, nor read another number in it.
   */
  readonly readHead: (head: EventHead, bytes: Uint8Array, start: number) => boolean;
  /** Counts a line whose head was read and that line() will not see. */
  count(head: EventHead): void;
  /** Sets comm and ctx. False: line() must read this one. */
  complete(head: EventHead): boolean;
}

/** Where a reading stands: the next byte, and the number of the last line. */
export interface Cursor {
  at: number;
  line: number;
}

/** Reads whole lines of bytes[cursor.at, to) until one is not plain; the cursor then stands on it, else on `to`. */
export function scanPlain(
  sink: Sink,
  decoder: EventDecoder,
  format: ScannedFormat,
  bytes: Uint8Array,
  cursor: Cursor,
  to: number,
): void {
  if (!sink.canSkim()) return;
  const { shapes } = decoder;
  const { skipped, nameIds } = shapes;
  const { head } = sink;
  const { readHead } = format;
  let { at, line } = cursor;
  while (at < to) {
    if (!readHead(head, bytes, at) || !sink.takesTime(head)) break;
    const shape = shapes.find(bytes, head.body);
    if (shape < 0) break;
    let stop = shapes.end;
    while (bytes[stop] !== LF) stop++;
    if (stop - at > MAX_LINE) break;
    const nameId = nameIds[shape]!;
    if (nameId < 0) {
      format.count(head);
      sink.skim(head);
      skipped[shape]! += 1;
    } else {
      head.bytes = bytes;
      head.start = at;
      head.end = stop;
      head.line = line + 1;
      if (!format.complete(head)) break;
      format.count(head);
      if (sink.begin()) decoder.decodeNamed(nameId, bodyOf(bytes, shapes.end));
    }
    line++;
    at = stop + 1;
  }
  cursor.at = at;
  cursor.line = line;
}

/** The body begins behind the blanks that pad the name; the line feed ends them at the latest. */
function bodyOf(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at++;
  return at;
}
