// Rows of the events most of a trace is made of: sched_switch as the kernel prints it, and probes whose arguments are
// plain. The rules are those of src/ingest/sched-switch.ts, probe-args.ts and probe-rows.ts; a line that needs anything
// else is left to them.
import { commOf, hex16, idOfPointer, isHex, MAX_COMM } from "./intern";
import { DASH, EQUALS, endsWith, isDigit, LPAREN, MAX_PID, number, RPAREN, SPACE, spaces, stop } from "./text";

export const MAX_ROWS: i32 = 8192;
/** Columns of an EventBatch. */
export const NS: usize = memory.data(8 * 8192, 16);
export const KIND: usize = memory.data(8192, 16);
export const CPU: usize = memory.data(2 * 8192, 16);
export const CTX: usize = memory.data(8192, 16);
export const TID: usize = memory.data(4 * 8192, 16);
export const TGID: usize = memory.data(4 * 8192, 16);
export const COMM: usize = memory.data(4 * 8192, 16);
export const ARG_TID: usize = memory.data(4 * 8192, 16);
export const ARG_COMM: usize = memory.data(4 * 8192, 16);
export const MM: usize = memory.data(4 * 8192, 16);
export const MM2: usize = memory.data(4 * 8192, 16);
export const USERS: usize = memory.data(4 * 8192, 16);
export const COUNT: usize = memory.data(4 * 8192, 16);
export const FLAGS: usize = memory.data(4 * 8192, 16);
export const LINE_NUMBERS: usize = memory.data(4 * 8192, 16);

/** Rows written since the TypeScript took them. */
export let rows: i32 = 0;

export function forgetRows(): void {
  rows = 0;
}

const NONE: i32 = -1;
const NO_MM: i32 = -1;
const NO_VALUE: i32 = i32.MIN_VALUE;
const NULL_MM: i32 = 0;
const CTX_TASK: i32 = 1;
const CTX_IRQ: i32 = 2;
const CTX_ALIAS: i32 = 4;
const SWITCH_MM_NO_TASK: i32 = 1;
const SCHED_SWITCH: i32 = 1;

// EventKind numbers whose columns are not (mm, users, count).
const UPROBE_DUP_MMAP: i32 = 13;
const DUP_MMAP: i32 = 15;
const DUP_MMAP_RET: i32 = 16;
const COPY_PAGE_RANGE: i32 = 17;
const COPY_PROCESS: i32 = 18;
const SWITCH_MM: i32 = 20;
const ENTER_LAZY_TLB: i32 = 21;
const GET_TASK_MM: i32 = 26;
const MM_ACCESS: i32 = 28;
const EXEC_BEGIN: i32 = 35;
const EXEC_MM_RELEASE: i32 = 36;
const EXIT_MM_RELEASE: i32 = 37;
const FLUSH_TLB_MM_RANGE: i32 = 44;

/** Head of the line a row is made of; set by the caller. */
export let headTid: i32 = 0;
let headTgid: i32 = 0;
let headCpu: i32 = 0;
let headCtx: i32 = 0;
let headNs: f64 = 0;
let headLine: i32 = 0;
let commStart: usize = 0;
let commEnd: usize = 0;

/** The flag of trace_print_lat_fmt()'s hardirq/softirq column as CTX_* bits: contextOf() of task-pid-head.ts. */
function contextOf(flag: u8): i32 {
  if (flag == 0x2e) return CTX_TASK;
  return flag == 0x68 || flag == 0x48 || flag == 0x73 || flag == 0x5a || flag == 0x7a ? CTX_IRQ : 0;
}

/** contextOfFlags(). */
// @ts-expect-error: decorator
@inline
export function contextOfFlags(from: usize, to: usize, irqColumn: i32): i32 {
  if (from == to) return 0;
  const column = irqColumn >= 0 ? irqColumn : to - from == 7 ? 3 : 2;
  return contextOf(load<u8>(from + column));
}

/** Takes over a line's head. The name is [start, end) without the blanks around it. */
// @ts-expect-error: decorator
@inline
export function setHead(tid: i32, tgid: i32, cpu: i32, ctx: i32, ns: f64, line: i32, start: usize, end: usize): void {
  headTid = tid;
  headTgid = tgid;
  headCpu = cpu;
  headCtx = ctx;
  headNs = ns;
  headLine = line;
  let from = spaces(start);
  let to = end;
  if (from > end) from = end;
  while (to > from && load<u8>(to - 1) == SPACE) to--;
  commStart = from;
  commEnd = to;
}

/** Id of the name [start, end); -1 for one whose reading is left to the sink: ":123", and what is too long. */
// @ts-expect-error: decorator
@inline
function comm(start: usize, end: usize): i32 {
  if (end - start > MAX_COMM || load<u8>(start) == 0x3a) return -1;
  return commOf(start, end);
}

/** Sink.add(): the row whose columns other than the head's are absent. */
// @ts-expect-error: decorator
@inline
function add(kind: i32, tid: i32, name: i32, isAlias: i32): i32 {
  const row = rows++;
  store<f64>(NS + row * 8, headNs);
  store<u8>(KIND + row, u8(kind));
  store<i16>(CPU + row * 2, i16(headCpu));
  store<u8>(CTX + row, u8(headCtx | (isAlias ? CTX_ALIAS : 0)));
  const at = usize(row) * 4;
  store<i32>(TID + at, tid);
  store<i32>(TGID + at, headTgid);
  store<i32>(COMM + at, name);
  store<i32>(ARG_TID + at, NONE);
  store<i32>(ARG_COMM + at, NONE);
  store<i32>(MM + at, NO_MM);
  store<i32>(MM2 + at, NO_MM);
  store<i32>(USERS + at, NO_VALUE);
  store<i32>(COUNT + at, NO_VALUE);
  store<i32>(FLAGS + at, 0);
  store<i32>(LINE_NUMBERS + at, headLine);
  return row;
}


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
  let i = end;
  while (i > at && isDigit(load<u8>(i - 1))) i--;
  if (i < end && i > at && load<u8>(i - 1) == DASH) i--;
  return i;
}

/** A negative pid stands for none. */
// @ts-expect-error: decorator
@inline
function pid(from: usize): i32 {
  return load<u8>(from) == DASH ? NONE : number(from, MAX_PID);
}

let prevPid: i32 = 0;
let prevCommEnd: usize = 0;
let stateStart: usize = 0;

/** readPrev() and isPrev(), for the head's task. */
function readPrev(at: usize, end: usize): bool {
  stateStart = end;
  while (stateStart > at && load<u8>(stateStart - 1) != EQUALS) stateStart--;
  if (stateStart == end || !endsWith(at, stateStart, PREV_STATE, 12)) return false;
  const prioEnd = stateStart - 12;
  const prioStart = digitsStart(at, prioEnd);
  if (prioStart == prioEnd || !endsWith(at, prioStart, PREV_PRIO, 11)) return false;
  const pidEnd = prioStart - 11;
  const pidStart = digitsStart(at, pidEnd);
  if (pidStart == pidEnd || !endsWith(at, pidStart, PREV_PID, 10)) return false;
  prevPid = pid(pidStart);
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
  const nextPid = pid(pidStart);
  const nextEnd = pidStart - 10;
  const leftmost = nextEnd - at > MAX_COMM ? nextEnd - MAX_COMM : at;
  for (let start = nextEnd; start >= leftmost; start--) {
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
    const name = isNamed ? comm(at + 10, prevCommEnd) : comm(commStart, commEnd);
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

/** Slots of the arguments' values: Arg of probe-args.ts. */
const VALUES: usize = memory.data(4 * 16, 16);
const ARG_MM: i32 = 0;
const ARG_OLDMM: i32 = 1;
const ARG_NEWMM: i32 = 2;
const ARG_NEXT: i32 = 3;
const ARG_PREV: i32 = 4;
const ARG_SRC_MM: i32 = 5;
const ARG_DST_MM: i32 = 6;
const ARG_TSK: i32 = 7;
const ARG_TASK: i32 = 8;
const ARG_PID: i32 = 9;
const ARG_USERS: i32 = 10;
const ARG_COUNT: i32 = 11;
const ARG_FLAGS: i32 = 12;
const ARG_RET: i32 = 13;
const ARG_FREED: i32 = 14;

/** The arguments' names with their "=", padded to 16 bytes; written by the TypeScript. */
export const MAX_KEYS: i32 = 32;
export const KEYS: usize = memory.data(16 * 32, 16);
export const KEY_LENGTHS: usize = memory.data(4 * 32, 16);
export const KEY_CODES: usize = memory.data(4 * 32, 16);
/** The key that followed a key, or stood first in a shape (behind the keys), last time: id + 1. */
const FOLLOWERS: usize = memory.data(4 * (32 + 1024), 16);

// @ts-expect-error: decorator
@inline
function value(slot: i32): i32 {
  return load<i32>(VALUES + slot * 4);
}

// @ts-expect-error: decorator
@inline
function isKey(key: i32, at: usize): bool {
  const unlike = i8x16.bitmask(i8x16.ne(v128.load(at), v128.load(KEYS + key * 16)));
  return (unlike & ((1 << load<i32>(KEY_LENGTHS + key * 4)) - 1)) == 0;
}

function findKey(at: usize): i32 {
  for (let key = 0; key < MAX_KEYS && load<i32>(KEY_LENGTHS + key * 4) > 0; key++) if (isKey(key, at)) return key;
  return -1;
}

// @ts-expect-error: decorator
@inline
function wordEnd(at: usize, end: usize): usize {
  let i = at;
  while (i < end && load<u8>(i) != SPACE) i++;
  return i;
}

// @ts-expect-error: decorator
@inline
function hasHexPrefix(from: usize, to: usize): bool {
  return to - from > 2 && load<u16>(from) == 0x7830;
}

/** -1 for what is no hexadecimal digit. */
function hexDigit(c: u8): i32 {
  if (isDigit(c)) return i32(c) - 0x30;
  const letter = i32(c | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** readInt32(). */
function int32(from: usize, to: usize): i32 {
  if (hasHexPrefix(from, to)) {
    let value: i64 = 0;
    for (let i = from + 2; i < to; i++) {
      const digit = hexDigit(load<u8>(i));
      if (digit < 0) return NO_VALUE;
      if (value <= 0x7fffffff) value = value * 16 + digit;
    }
    return value <= 0x7fffffff ? i32(value) : NO_VALUE;
  }
  const isNegative = from < to && load<u8>(from) == DASH;
  const first = from + usize(isNegative);
  if (first >= to || to - first > 10) return NO_VALUE;
  let value: i64 = 0;
  for (let i = first; i < to; i++) {
    if (!isDigit(load<u8>(i))) return NO_VALUE;
    value = value * 10 + i64(load<u8>(i)) - 0x30;
  }
  if (isNegative) value = -value;
  return i64(i32(value)) == value ? i32(value) : NO_VALUE;
}

/** readHexLow() behind "0x". */
function hexLow(from: usize, to: usize): i32 {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = hexDigit(load<u8>(i));
    if (digit < 0) break;
    value = (value << 4) | digit;
  }
  return value;
}

/** Takes in the pointer at `from`; returns where it ends, 0 when its reading is left to the sink. */
// @ts-expect-error: decorator
@inline
function readPointer(code: i32, from: usize, end: usize): usize {
  if (end - from < 3 || load<u16>(from) != 0x7830) return 0;
  const stop = from + 18;
  let id = 0;
  let to = stop;
  if (stop <= end && (stop == end || load<u8>(stop) == SPACE)) {
    const pointer = hex16(from + 2);
    if (!isHex) return 0;
    id = idOfPointer(pointer);
    if (id < 0) return 0;
  } else {
    to = from + 3;
    if (load<u8>(from, 2) != 0x30 || (to < end && load<u8>(to) != SPACE)) return 0;
  }
  store<i32>(VALUES + code * 4, id);
  return to;
}

/** Takes in a value; returns where it ends, 0 as readPointer. */
// @ts-expect-error: decorator
@inline
function readValue(code: i32, from: usize, end: usize): usize {
  if (code <= ARG_DST_MM) return readPointer(code, from, end);
  const to = wordEnd(from, end);
  let value: i32;
  if (code <= ARG_TASK) {
    if (load<u8>(from) == LPAREN) return 0;
    let i = hasHexPrefix(from, to) ? from + 2 : from;
    while (i < to && load<u8>(i) == 0x30) i++;
    value = i == to && to > from ? NULL_MM : 1;
  } else if (code == ARG_FLAGS && hasHexPrefix(from, to)) value = hexLow(from + 2, to);
  else value = int32(from, to);
  store<i32>(VALUES + code * 4, value);
  return to;
}

/** "lm0=", "lz0=", "cm0=": a sampled CPU, which makes a row of its own. */
// @ts-expect-error: decorator
@inline
function isSample(at: usize): bool {
  const pair = load<u16>(at);
  return (pair == 0x6d6c || pair == 0x7a6c || pair == 0x6d63) && isDigit(load<u8>(at, 2));
}

/** ProbeArgs.read(). False: left to it. */
function readArgs(from: usize, end: usize, shape: i32): bool {
  for (let slot = 0; slot <= ARG_TASK; slot++) store<i32>(VALUES + slot * 4, NO_MM);
  for (let slot = ARG_TASK + 1; slot <= ARG_FREED; slot++) store<i32>(VALUES + slot * 4, NO_VALUE);
  let before = MAX_KEYS + shape;
  let at = spaces(from);
  while (at < end) {
    let key = load<i32>(FOLLOWERS + before * 4) - 1;
    if (key < 0 || !isKey(key, at)) {
      key = findKey(at);
      if (key < 0) {
        if (isSample(at)) return false;
        at = spaces(wordEnd(at, end));
        continue;
      }
      store<i32>(FOLLOWERS + before * 4, key + 1);
    }
    before = key;
    at = readValue(load<i32>(KEY_CODES + key * 4), at + load<i32>(KEY_LENGTHS + key * 4), end);
    if (at == 0) return false;
    at = spaces(at);
  }
  return true;
}

/** setMm(). */
// @ts-expect-error: decorator
@inline
function setMm(row: usize, mm: i32): void {
  store<i32>(MM + row, mm);
  if (mm == NULL_MM) return;
  store<i32>(USERS + row, value(ARG_USERS));
  store<i32>(COUNT + row, value(ARG_COUNT));
}

/** pidOf(). */
// @ts-expect-error: decorator
@inline
function pidOf(base: i32): i32 {
  const pid = value(ARG_PID);
  return value(base) == NULL_MM || pid < 0 || pid > MAX_PID ? NONE : pid;
}

/** addProbeRow() of a body "(place) mm=… users=…" of a kind whose rows show no caller. False: nothing was added. */
export function addProbe(kind: i32, isAlias: i32, at: usize, end: usize, shape: i32): bool {
  if (load<u8>(at) != LPAREN) return false;
  let close = at + 1;
  while (close < end && load<u8>(close) != RPAREN) close++;
  if (close == at + 1 || close >= end) return false;
  if (!readArgs(close + 1, end, shape)) return false;
  const name = comm(commStart, commEnd);
  if (name < 0) return false;
  const row = usize(add(kind, headTid, name, isAlias)) * 4;
  if (kind == SWITCH_MM) {
    setMm(row, value(ARG_NEXT));
    store<i32>(MM2 + row, value(ARG_PREV));
    store<i32>(ARG_TID + row, pidOf(ARG_TSK));
    if (value(ARG_TSK) == NULL_MM) store<i32>(FLAGS + row, SWITCH_MM_NO_TASK);
  } else if (kind == ENTER_LAZY_TLB || kind == EXEC_MM_RELEASE || kind == EXIT_MM_RELEASE) {
    setMm(row, value(ARG_MM));
    store<i32>(ARG_TID + row, pidOf(ARG_TSK));
  } else if (kind == GET_TASK_MM || kind == MM_ACCESS) {
    store<i32>(ARG_TID + row, pidOf(ARG_TASK));
  } else if (kind == DUP_MMAP || kind == UPROBE_DUP_MMAP) {
    setMm(row, value(ARG_OLDMM));
    const isBare = kind == DUP_MMAP && value(ARG_NEWMM) == NO_MM;
    store<i32>(MM2 + row, isBare ? value(ARG_MM) : value(ARG_NEWMM));
  } else if (kind == COPY_PAGE_RANGE) {
    setMm(row, value(ARG_SRC_MM));
    store<i32>(MM2 + row, value(ARG_DST_MM));
  } else if (kind == EXEC_BEGIN) {
    setMm(row, value(ARG_NEWMM) == NO_MM ? value(ARG_MM) : value(ARG_NEWMM));
  } else if (kind == DUP_MMAP_RET) {
    store<i32>(FLAGS + row, value(ARG_RET) == NO_VALUE ? 0 : value(ARG_RET));
  } else if (kind == COPY_PROCESS) {
    store<i32>(FLAGS + row, value(ARG_FLAGS) == NO_VALUE ? 0 : value(ARG_FLAGS));
  } else if (kind == FLUSH_TLB_MM_RANGE) {
    setMm(row, value(ARG_MM));
    store<i32>(FLAGS + row, value(ARG_FREED) == NO_VALUE ? -1 : value(ARG_FREED));
  } else setMm(row, value(ARG_MM));
  return true;
}
