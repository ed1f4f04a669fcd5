// What every text format prints in front of an event, as ranges and numbers of the line being read. One object
// per trace, overwritten line by line: format readers fill it, the decoder and the sink read it.
import { NONE } from "../table/event-batch.ts";
import { COLON, DOT, digitsEnd, LF, readDecimal, readFractionNs, SPACE, skipSpaces } from "./numbers.ts";

/** Head of the current event line. Time is hi * 1e9 + lo, in ns or in ticks. */
export class EventHead {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** 1-based. */
  line = 0;
  commStart = 0;
  commEnd = 0;
  /** Id of the task's name where a format keeps names by id; -1 when the range above holds it. */
  commId: number = NONE;
  tid: number = NONE;
  tgid: number = NONE;
  cpu: number = NONE;
  /** Range of the flags column; set by the plain heads only. */
  flagsStart = 0;
  flagsEnd = 0;
  /** CTX_* bits, 0 where the format prints no flags. */
  ctx = 0;
  hi = 0;
  lo = 0;
  /** The time stamp is an integer of the clock's own unit. */
  ticks = false;
  /** Where the event's name begins. */
  body = 0;
}

/** Makes line `line` the head's, of text whose first line, at `from`, is line `first`. */
export function headOfLine(
  head: EventHead,
  bytes: Uint8Array,
  from: number,
  first: number,
  line: number,
): void {
  let start = from;
  for (let before = first; before < line; before++) start = bytes.indexOf(LF, start) + 1;
  head.bytes = bytes;
  head.start = start;
  head.end = bytes.indexOf(LF, start);
  head.line = line;
}

/**
 * Reads "1042.000007: " (seconds) or "3250316082770: " (clocks counter, x86-tsc, uptime) at `at` and sets the time
 * and `body`. False when it is neither.
 */
export function readTime(head: EventHead, bytes: Uint8Array, at: number, end: number): boolean {
  const whole = digitsEnd(bytes, at, end);
  if (whole === at) return false;
  let stop = whole;
  if (bytes[whole] === DOT) {
    stop = digitsEnd(bytes, whole + 1, end);
    if (stop === whole + 1) return false;
    head.hi = readDecimal(bytes, at, whole);
    head.lo = readFractionNs(bytes, whole + 1, stop);
    head.ticks = false;
  } else {
    const split = Math.max(at, whole - 9);
    head.hi = readDecimal(bytes, at, split);
    head.lo = readDecimal(bytes, split, whole);
    head.ticks = true;
  }
  if (stop >= end || bytes[stop] !== COLON) return false;
  if (stop + 1 < end && bytes[stop + 1] !== SPACE) return false;
  head.body = skipSpaces(bytes, stop + 1, end);
  return true;
}

/** Sets the comm range to [start, end) without the padding around it. */
export function setComm(head: EventHead, bytes: Uint8Array, start: number, end: number): void {
  let from = start;
  let to = end;
  while (from < to && bytes[from] === SPACE) from++;
  while (to > from && bytes[to - 1] === SPACE) to--;
  head.commStart = from;
  head.commEnd = to;
}
