// The line head that `cat trace` and `trace-cmd report` share:
//   "            bash-2853    (   2853) [001] .....   373.938493: "    trace_print_context(), kernel/trace/trace_output.c
// The task name is printed with %16s and holds at most 15 bytes, so the dash before the pid stands at column 16 or,
// in a file that lost its leading blanks, further left: searching leftwards from there no name can fake a head.
import { CTX_IRQ, CTX_TASK, NONE } from "../table/event-batch.ts";
import { type EventHead, readTime, setComm } from "./event-head.ts";
import {
  COLON,
  DASH,
  DOT,
  digitsEnd,
  LBRACKET,
  LPAREN,
  RBRACKET,
  RPAREN,
  readDecimal,
  SPACE,
  skipSpaces,
} from "./numbers.ts";

const COMM_WIDTH = 16;

/**
 * Reads the head of bytes[start, end). `irqColumn` is the hardirq/softirq position among the flags, -1 to go by
 * their number. False when the line has no such head.
 */
export function readTaskPidHead(
  head: EventHead,
  bytes: Uint8Array,
  start: number,
  end: number,
  irqColumn: number,
): boolean {
  for (let dash = Math.min(start + COMM_WIDTH, end - 1); dash >= start; dash--) {
    if (bytes[dash] === DASH && readAfterDash(head, bytes, dash, end, irqColumn)) {
      setComm(head, bytes, start, dash);
      return true;
    }
  }
  return false;
}

function readAfterDash(
  head: EventHead,
  bytes: Uint8Array,
  dash: number,
  end: number,
  irqColumn: number,
): boolean {
  const tidEnd = digitsEnd(bytes, dash + 1, end);
  if (tidEnd === dash + 1) return false;
  let at = skipSpaces(bytes, tidEnd, end);
  head.tgid = NONE;
  if (bytes[at] === LPAREN) {
    at = readTgid(head, bytes, at + 1, end);
    if (at < 0) return false;
  }
  if (bytes[at] !== LBRACKET) return false;
  const cpuEnd = digitsEnd(bytes, at + 1, end);
  if (cpuEnd === at + 1 || bytes[cpuEnd] !== RBRACKET || bytes[cpuEnd + 1] !== SPACE) return false;
  head.tid = readDecimal(bytes, dash + 1, tidEnd);
  head.cpu = readDecimal(bytes, at + 1, cpuEnd);
  return readFlagsAndTime(head, bytes, skipSpaces(bytes, cpuEnd + 1, end), end, irqColumn);
}

/** "(   1629)", "(-------)", "(-----)": returns where the next column begins, -1 when it is none of these. */
function readTgid(head: EventHead, bytes: Uint8Array, from: number, end: number): number {
  let at = skipSpaces(bytes, from, end);
  const stop = digitsEnd(bytes, at, end);
  if (stop > at) head.tgid = readDecimal(bytes, at, stop);
  at = stop;
  while (at < end && bytes[at] === DASH) at++;
  if (bytes[at] !== RPAREN) return -1;
  return skipSpaces(bytes, at + 1, end);
}

/** "d..2.   261.316316: ", "....1..    14.751930: ", "d..3 21926.770086: ", or the time alone (irq-info off). */
export function readFlagsAndTime(
  head: EventHead,
  bytes: Uint8Array,
  from: number,
  end: number,
  irqColumn: number,
): boolean {
  let stop = from;
  while (stop < end && bytes[stop] !== SPACE && bytes[stop] !== COLON) stop++;
  head.ctx = 0;
  if (bytes[stop] !== SPACE) return readTime(head, bytes, from, end);
  if (stop - from < 3 || stop - from > 9) return false;
  head.ctx = contextOfFlags(bytes, from, stop, irqColumn);
  return readTime(head, bytes, skipSpaces(bytes, stop, end), end);
}

/** CTX_* bits of the flags bytes[from, to), 0 when there are none; `irqColumn` as in readTaskPidHead. */
export function contextOfFlags(bytes: Uint8Array, from: number, to: number, irqColumn: number): number {
  if (from === to) return 0;
  return contextOf(bytes[from + (irqColumn >= 0 ? irqColumn : to - from === 7 ? 3 : 2)]!);
}

/** hardirq/softirq column of trace_print_lat_fmt(): "h" "H" "s" "Z" "z", "." in task context. */
function contextOf(flag: number): number {
  if (flag === DOT) return CTX_TASK;
  if (flag === 0x68 || flag === 0x48 || flag === 0x73 || flag === 0x5a || flag === 0x7a) return CTX_IRQ;
  return 0;
}
