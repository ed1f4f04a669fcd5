// The fast twin of line-head.ts, for lines whose name is padded to 16 columns and that name task, CPU and time.
import { NONE } from "../../table/event-batch.ts";
import type { EventHead } from "../event-head.ts";
import { MAX_CPU, MAX_PID } from "../limits.ts";
import { DASH, LBRACKET, RBRACKET, SPACE } from "../numbers.ts";
import { COMM_WIDTH, holdsLineFeed, readPlainTime } from "../plain-head.ts";

const TAB = 0x09;
const SLASH = 0x2f;

/** "            perf  3400/3400  [000]   405.903022: ". As ScannedFormat.readHead, its line ends as in readPlainHead. */
export function readPlainPerfHead(head: EventHead, bytes: Uint8Array, start: number): boolean {
  let i = start + COMM_WIDTH;
  if (bytes[i] !== SPACE || bytes[start] === TAB || bytes[i + 1] === LBRACKET) return false;
  if (holdsLineFeed(bytes, start, i)) return false;
  while (bytes[i] === SPACE) i++;
  i = readTask(head, bytes, i);
  if (i < 0) return false;
  head.tgid = NONE;
  if (bytes[i] === SLASH) {
    const tgid = head.tid;
    i++;
    while (bytes[i] === SPACE) i++;
    i = readTask(head, bytes, i);
    if (i < 0) return false;
    head.tgid = tgid;
  }
  if (bytes[i] !== SPACE) return false;
  while (bytes[i] === SPACE) i++;
  if (bytes[i] !== LBRACKET) return false;
  let digit = bytes[++i]! - 0x30;
  if (!(digit >= 0 && digit <= 9)) return false;
  let cpu = digit;
  for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
    cpu = cpu * 10 + digit;
  }
  if (bytes[i] !== RBRACKET || cpu > MAX_CPU) return false;
  i++;
  while (bytes[i] === SPACE) i++;
  head.cpu = cpu;
  head.ctx = 0;
  return readPlainTime(head, bytes, i);
}

/** "3400", or "-1" for a dead task: sets tid. Returns where it ends, -1 when it is no task's number. */
function readTask(head: EventHead, bytes: Uint8Array, at: number): number {
  const isNone = bytes[at] === DASH;
  let i = isNone ? at + 1 : at;
  let digit = bytes[i]! - 0x30;
  if (!(digit >= 0 && digit <= 9)) return -1;
  let tid = digit;
  for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
    tid = tid * 10 + digit;
  }
  head.tid = isNone ? NONE : tid;
  return !isNone && tid > MAX_PID ? -1 : i;
}
