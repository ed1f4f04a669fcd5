// Heads of lines byte by byte: the rules of src/ingest/plain-head.ts and perf-script/plain-head.ts, for those that have not
// the layout of others (layout.ts).
import { COMM_WIDTH, setHead } from "./layout";
import {
  COLON,
  DASH,
  DOT,
  HASH,
  holdsLineFeed,
  isDigit,
  LBRACKET,
  LPAREN,
  MAX_CPU,
  MAX_PID,
  number,
  RBRACKET,
  RPAREN,
  SLASH,
  SPACE,
  spaces,
  stop,
  TAB,
} from "./text";

const MAX_SECOND_DIGITS: usize = 9;

// What the head read last says, beside what setHead() was given.
export let tid: i32 = 0;
export let tgid: i32 = 0;
export let flagsStart: usize = 0;
export let flagsEnd: usize = 0;

/** readPlainTime(). */
function readTime(cpu: i32, at: usize): bool {
  if (!isDigit(load<u8>(at))) return false;
  const hi = number(at, 99999999);
  if (load<u8>(stop) != DOT || stop - at > MAX_SECOND_DIGITS) return false;
  const fraction = stop + 1;
  let lo = number(fraction, 99999999);
  const digits = stop - fraction;
  if (digits == 6) lo *= 1000;
  else if (digits != 9) return false;
  if (load<u8>(stop) != COLON || load<u8>(stop + 1) != SPACE) return false;
  setHead(cpu, hi, lo, spaces(stop + 2));
  return true;
}

/** readPlainHead(). */
export function readTaskPid(start: usize): bool {
  let i = start + COMM_WIDTH;
  if (load<u8>(i) != DASH || load<u8>(start) == HASH || holdsLineFeed(start)) return false;
  if (!isDigit(load<u8>(++i))) return false;
  tid = number(i, MAX_PID);
  i = spaces(stop);
  tgid = -1;
  if (load<u8>(i) == LPAREN) {
    i = spaces(i + 1);
    if (isDigit(load<u8>(i))) {
      tgid = number(i, MAX_PID);
      i = stop;
    }
    while (load<u8>(i) == DASH) i++;
    if (load<u8>(i) != RPAREN) return false;
    i = spaces(i + 1);
  }
  if (load<u8>(i) != LBRACKET || !isDigit(load<u8>(++i))) return false;
  const cpu = number(i, MAX_CPU);
  if (load<u8>(stop) != RBRACKET || load<u8>(stop + 1) != SPACE) return false;
  if (cpu > MAX_CPU || tid > MAX_PID || tgid > MAX_PID) return false;
  i = spaces(stop + 2);
  flagsStart = i;
  let c = load<u8>(i);
  while (c > SPACE && c != COLON) c = load<u8>(++i);
  if (c == COLON) {
    flagsEnd = flagsStart;
    return readTime(cpu, flagsStart);
  }
  flagsEnd = i;
  if (c != SPACE || i - flagsStart < 3 || i - flagsStart > 9) return false;
  return readTime(cpu, spaces(i));
}

/** readTask() of perf-script/plain-head.ts: the number, NONE for a negative one, above MAX_PID for no task's. */
// @ts-ignore: decorator
@inline
function task(at: usize): i32 {
  const isNone = load<u8>(at) == DASH;
  const from = at + usize(isNone);
  if (!isDigit(load<u8>(from))) return MAX_PID + 1;
  const value = number(from, MAX_PID);
  return isNone ? -1 : value;
}

/** readPlainPerfHead(). */
export function readPerf(start: usize): bool {
  let i = start + COMM_WIDTH;
  if (load<u8>(i) != SPACE || load<u8>(start) == TAB || load<u8>(i + 1) == LBRACKET) return false;
  if (holdsLineFeed(start)) return false;
  tid = task(spaces(i));
  tgid = -1;
  if (tid > MAX_PID) return false;
  if (load<u8>(stop) == SLASH) {
    tgid = tid;
    tid = task(spaces(stop + 1));
  }
  if (tid > MAX_PID || load<u8>(stop) != SPACE) return false;
  i = spaces(stop);
  if (load<u8>(i) != LBRACKET || !isDigit(load<u8>(++i))) return false;
  const cpu = number(i, MAX_CPU);
  if (load<u8>(stop) != RBRACKET || cpu > MAX_CPU) return false;
  flagsStart = flagsEnd = 0;
  return readTime(cpu, spaces(stop + 1));
}
