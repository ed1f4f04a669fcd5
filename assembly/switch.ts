// Rows of sched_switch as the kernel prints it. The rules are those of src/ingest/sched-switch.ts; a line that needs anything
// else is left to it. Numbers and names are found from the right, 16 bytes at a time.
import { MAX_COMM } from "./intern";
import { add, ARG_COMM, ARG_TID, comm, FLAGS, headComm, headTid, NONE } from "./rows";
import { behindLast, DASH, digitsOf, EQUALS, eight, endsWith, isDigit, MAX_PID, number, SPACE } from "./text";

const SCHED_SWITCH: i32 = 1;

/** Literals, padded to 16 bytes. */
const WORDS: usize = memory.data<u8>([
  // "prev_comm="
  0x70, 0x72, 0x65, 0x76, 0x5f, 0x63, 0x6f, 0x6d, 0x6d, 0x3d, 0, 0, 0, 0, 0, 0,
  // " prev_pid="
  0x20, 0x70, 0x72, 0x65, 0x76, 0x5f, 0x70, 0x69, 0x64, 0x3d, 0, 0, 0, 0, 0, 0,
  // " prev_prio="
  0x20, 0x70, 0x72, 0x65, 0x76, 0x5f, 0x70, 0x72, 0x69, 0x6f, 0x3d, 0, 0, 0, 0, 0,
  // " prev_state="
  0x20, 0x70, 0x72, 0x65, 0x76, 0x5f, 0x73, 0x74, 0x61, 0x74, 0x65, 0x3d, 0, 0, 0, 0,
  // " ==> next_comm="
  0x20, 0x3d, 0x3d, 0x3e, 0x20, 0x6e, 0x65, 0x78, 0x74, 0x5f, 0x63, 0x6f, 0x6d, 0x6d, 0x3d, 0,
  // " next_pid="
  0x20, 0x6e, 0x65, 0x78, 0x74, 0x5f, 0x70, 0x69, 0x64, 0x3d, 0, 0, 0, 0, 0, 0,
  // " next_prio="
  0x20, 0x6e, 0x65, 0x78, 0x74, 0x5f, 0x70, 0x72, 0x69, 0x6f, 0x3d, 0, 0, 0, 0, 0,
], 16);
const PREV_COMM: usize = WORDS;
const PREV_PID: usize = WORDS + 16;
const PREV_PRIO: usize = WORDS + 32;
const PREV_STATE: usize = WORDS + 48;
const ARROW_NEXT_COMM: usize = WORDS + 64;
const NEXT_PID: usize = WORDS + 80;
const NEXT_PRIO: usize = WORDS + 96;
/** Length of " next_comm=", which ARROW_NEXT_COMM ends with. */
const NEXT_COMM_LENGTH: usize = 11;

/** Start of the digits (with sign) that end at `end`; `end` when there are none. */
// @ts-expect-error: decorator
@inline
function digitsStart(at: usize, end: usize): usize {
  const length = clz(~(digitsOf(v128.load(end - 16)) << 16));
  let i = max(end - length, at);
  while (length == 16 && i > at && isDigit(load<u8>(i - 1))) i--;
  if (i < end && i > at && load<u8>(i - 1) == DASH) i--;
  return i;
}

/** The number [from, to), as number() gives it; a negative pid stands for none. */
// @ts-expect-error: decorator
@inline
function pid(from: usize, to: usize): i32 {
  if (load<u8>(from) == DASH) return NONE;
  return to - from > 8 ? number(from, MAX_PID) : eight(load<u64>(to - 8) & (u64(-1) << (64 - 8 * u64(to - from))));
}

let prevPid: i32 = 0;
let prevCommEnd: usize = 0;
let stateStart: usize = 0;

/** readPrev() and isPrev(), for the head's task. */
function readPrev(at: usize, end: usize): bool {
  stateStart = behindLast(EQUALS, end);
  while (stateStart > at && load<u8>(stateStart - 1) != EQUALS) stateStart--;
  if (stateStart == end || !endsWith(at, stateStart, PREV_STATE, 12)) return false;
  const prioEnd = stateStart - 12;
  const prioStart = digitsStart(at, prioEnd);
  if (prioStart == prioEnd || !endsWith(at, prioStart, PREV_PRIO, 11)) return false;
  const pidEnd = prioStart - 11;
  const pidStart = digitsStart(at, pidEnd);
  if (pidStart == pidEnd || !endsWith(at, pidStart, PREV_PID, 10)) return false;
  prevPid = pid(pidStart, pidEnd);
  prevCommEnd = pidStart - 10;
  const commStart = at + 10;
  if (prevCommEnd < commStart || prevCommEnd - commStart > MAX_COMM) return false;
  return headTid == NONE || prevPid == headTid;
}

/** SwitchState of "R", "R+", "S", "X|Z" …; -1 for a number. */
function stateOf(from: usize, to: usize): i32 {
  if (isDigit(load<u8>(from))) return -1;
  let state = 3;
  for (let i = from; i < to; i++) {
    const c = load<u8>(i);
    if (c == 0x58) return 5;
    if (c == 0x5a) state = 4;
    else if (c == 0x52 && state == 3) state = 1;
    else if (c == 0x2b && state == 1) state = 2;
  }
  return state;
}

/** addSchedSwitch() of "prev_comm=a prev_pid=1 … ==> next_comm=b next_pid=2 next_prio=120". False: nothing was added. */
export function addSwitch(at: usize, end: usize): bool {
  let last = end;
  while (last > at && load<u8>(last - 1) == SPACE) last--;
  if (at + 10 > last || !endsWith(at, at + 10, PREV_COMM, 10)) return false;
  const prioStart = digitsStart(at, last);
  if (prioStart == last || !endsWith(at, prioStart, NEXT_PRIO, 11)) return false;
  const pidEnd = prioStart - 11;
  const pidStart = digitsStart(at, pidEnd);
  if (pidStart == pidEnd || !endsWith(at, pidStart, NEXT_PID, 10)) return false;
  const nextPid = pid(pidStart, pidEnd);
  const nextEnd = pidStart - 10;
  const leftmost = nextEnd - at > MAX_COMM ? nextEnd - MAX_COMM : at;
  for (let start = behindLast(EQUALS, nextEnd); start >= leftmost; start--) {
    if (load<u8>(start - 1) != EQUALS) continue;
    if (!endsWith(at, start, ARROW_NEXT_COMM, 15)) {
      if (endsWith(at, start, ARROW_NEXT_COMM + 4, NEXT_COMM_LENGTH)) return false;
      continue;
    }
    const prevEnd = start - 15;
    if (!readPrev(at, prevEnd)) continue;
    if (prevPid > MAX_PID || nextPid > MAX_PID) return false;
    const state = stateOf(stateStart, prevEnd);
    if (state < 0) return false;
    const isNamed = prevCommEnd > at + 10;
    const name = isNamed ? comm(at + 10, prevCommEnd) : headComm();
    if (name < 0) return false;
    const next = nextEnd > start ? comm(start, nextEnd) : NONE;
    if (next < 0 && nextEnd > start) return false;
    const row = usize(add(SCHED_SWITCH, prevPid, name, 0)) * 4;
    store<i32>(ARG_TID + row, nextPid);
    store<i32>(ARG_COMM + row, next);
    store<i32>(FLAGS + row, state);
    return true;
  }
  return false;
}
