// Rows of probes whose arguments are plain. The rules are those of src/ingest/probe-args.ts and probe-rows.ts; a line that
// needs anything else is left to them.
import { hex16, idOfPointer, isHex } from "./intern";
import { add, ARG_TID, COUNT, FLAGS, headComm, headTid, MM, MM2, NO_MM, NO_VALUE, NONE, USERS } from "./rows";
import { DASH, digitsOf, eight, find, hexDigit, hexLow, isDigit, LPAREN, MAX_PID, RPAREN, SPACE, spaces } from "./text";

const NULL_MM: i32 = 0;
const SWITCH_MM_NO_TASK: i32 = 1;

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
  return find(SPACE, at, end);
}

// @ts-expect-error: decorator
@inline
function hasHexPrefix(from: usize, to: usize): bool {
  return to - from > 2 && load<u16>(from) == 0x7830;
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
  // Eight decimal digits at most and nothing else: nearly all values are.
  const length = ctz(~digitsOf(v128.load(from)));
  const behind = from + length;
  if (code > ARG_TASK && length - 1 < 8 && (behind == end || load<u8>(behind) == SPACE)) {
    store<i32>(VALUES + code * 4, eight(load<u64>(from) << (64 - 8 * u64(length))));
    return behind;
  }
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
  v128.store(VALUES, i32x4.splat(NO_MM), 0);
  v128.store(VALUES, i32x4.splat(NO_MM), 16);
  v128.store(VALUES, i32x4(NO_MM, NO_VALUE, NO_VALUE, NO_VALUE), 32);
  v128.store(VALUES, i32x4.splat(NO_VALUE), 48);
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
  const close = find(RPAREN, at + 1, end);
  if (close == at + 1 || close >= end) return false;
  if (!readArgs(close + 1, end, shape)) return false;
  const name = headComm();
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
