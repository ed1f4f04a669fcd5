// The fast way through text: one loop over whole lines. A line whose head is printed column by column as the format
// prints it, and whose event begins as one met before (event-shapes.ts), is counted or decoded here; every other
// line goes to the reader's line(), which is the reference. Both ways give the same rows, counts and problems
// (test/ingest/twins.test.ts).
import type { EventHead } from "./event-head.ts";
import type { EventDecoder } from "./events.ts";
import { handLine, type LineHandler, MAX_LINE } from "./lines.ts";
import { SPACE } from "./numbers.ts";
import type { Sink } from "./sink.ts";

const LF = 0x0a;

/** A format's share of the loop. */
export interface ScannedFormat extends LineHandler {
  /**
   * Reads the head of the line at `start`, whose end is not known: sets tid, tgid, cpu, flagsStart, flagsEnd, hi, lo
   * and body. False for every line that is not printed plainly or holds a number no kernel prints; a line feed must
   * make it false. It may accept no line that line() does not, nor read another number in it.
   */
  readonly readHead: (head: EventHead, bytes: Uint8Array, start: number) => boolean;
  /** Counts a line whose head was read and that line() will not see. */
  count(head: EventHead): void;
  /** Sets comm and ctx, and `end` where the format's lines end before `end`. False: line() must read this one. */
  complete(head: EventHead): boolean;
}

/** Reads bytes[from, to), whole lines, the first of which has the number `lineNo` + 1. Returns the last one's number. */
export function scanLines(
  sink: Sink,
  decoder: EventDecoder,
  format: ScannedFormat,
  bytes: Uint8Array,
  from: number,
  to: number,
  lineNo: number,
): number {
  const { shapes } = decoder;
  const { skipped, nameIds } = shapes;
  const { head } = sink;
  const { readHead } = format;
  let line = lineNo;
  let at = from;
  let isReady = sink.canSkim();
  while (at < to) {
    line++;
    if (isReady && readHead(head, bytes, at) && sink.takesTime(head)) {
      const shape = shapes.find(bytes, head.body);
      if (shape >= 0) {
        let stop = shapes.end;
        while (bytes[stop] !== LF) stop++;
        const nameId = nameIds[shape]!;
        if (nameId < 0 && stop - at <= MAX_LINE) {
          format.count(head);
          sink.skim(head);
          skipped[shape]! += 1;
          at = stop + 1;
          continue;
        }
        if (nameId >= 0 && stop - at <= MAX_LINE) {
          head.bytes = bytes;
          head.start = at;
          head.end = stop;
          head.line = line;
          if (format.complete(head)) {
            format.count(head);
            if (sink.begin()) decoder.decodeNamed(nameId, bodyOf(bytes, shapes.end));
            at = stop + 1;
            continue;
          }
        }
      }
    }
    at = handLine(format, bytes, at, line);
    isReady = sink.canSkim();
  }
  return line;
}

/** The body begins behind the blanks that pad the name; the line feed ends them at the latest. */
function bodyOf(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at++;
  return at;
}
