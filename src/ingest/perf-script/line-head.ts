// Line head of perf script (perf_sample__fprintf_start(), tools/perf/builtin-script.c):
//   "            perf  3400 [000]   405.903022: "          comm, tid, cpu, time
//   "            perf  3400/3400  [000]   405.903022: "    with -F pid,tid
//   "simple-terminat     9/9     198791.127353: "          cpu left out
// The name is printed with %16s (unpadded when call chains are shown), so the columns behind it are looked for from
// column 16 leftwards: no name can fake them.
import { NONE } from "../../table/event-batch.ts";
import { type EventHead, readTime, setComm } from "../event-head.ts";
import { DASH, digitsEnd, LBRACKET, RBRACKET, readDecimal, SPACE, skipSpaces } from "../numbers.ts";

const COMM_WIDTH = 16;
const SLASH = 0x2f;

/** Reads the head of bytes[start, end); false when the line has no such head. */
export function readPerfHead(head: EventHead, bytes: Uint8Array, start: number, end: number): boolean {
  for (let gap = Math.min(start + COMM_WIDTH, end - 1); gap >= start; gap--) {
    if (bytes[gap] === SPACE && bytes[gap + 1] !== LBRACKET && readAfterComm(head, bytes, gap, end)) {
      setComm(head, bytes, start, gap);
      return true;
    }
  }
  return false;
}

function readAfterComm(head: EventHead, bytes: Uint8Array, gap: number, end: number): boolean {
  const first = skipSpaces(bytes, gap, end);
  const firstEnd = pidEnd(bytes, first, end);
  if (firstEnd < 0) return false;
  head.tid = readPid(bytes, first, firstEnd);
  head.tgid = NONE;
  let at = firstEnd;
  if (bytes[at] === SLASH) {
    const second = skipSpaces(bytes, at + 1, end);
    at = pidEnd(bytes, second, end);
    if (at < 0) return false;
    head.tgid = head.tid;
    head.tid = readPid(bytes, second, at);
  }
  if (bytes[at] !== SPACE) return false;
  at = skipSpaces(bytes, at, end);
  head.cpu = NONE;
  if (bytes[at] === LBRACKET) {
    const cpuEnd = digitsEnd(bytes, at + 1, end);
    if (cpuEnd === at + 1 || bytes[cpuEnd] !== RBRACKET) return false;
    head.cpu = readDecimal(bytes, at + 1, cpuEnd);
    at = skipSpaces(bytes, cpuEnd + 1, end);
  }
  if (!readTime(head, bytes, at, end) || head.ticks) return false;
  head.body = skipPeriod(bytes, head.body, end);
  return true;
}

/** "    1001001 cpu-clock: ": a period stands before the event's name. */
function skipPeriod(bytes: Uint8Array, at: number, end: number): number {
  const stop = digitsEnd(bytes, at, end);
  return stop > at && bytes[stop] === SPACE ? skipSpaces(bytes, stop, end) : at;
}

/** End of "3400" or "-1" at `at`, -1 when there is no number. */
function pidEnd(bytes: Uint8Array, at: number, end: number): number {
  const from = bytes[at] === DASH ? at + 1 : at;
  const stop = digitsEnd(bytes, from, end);
  return stop === from ? -1 : stop;
}

/** A dead task is printed as -1 and becomes NONE. */
function readPid(bytes: Uint8Array, from: number, to: number): number {
  return bytes[from] === DASH ? NONE : readDecimal(bytes, from, to);
}
