// Rows of probes whose arguments are plain. The rules are those of src/ingest/probe-args.ts and probe-rows.ts; a line that
// needs anything else is left to them.
import { hex16, idOfPointer, isHex } from "./intern";
import {
  addProbeRow,
  ARG_DST_MM,
  ARG_FLAGS,
  ARG_MM,
  ARG_TASK,
  clearValues,
  NULL_MM,
  SAMPLE_LAZY,
  SAMPLES,
  value,
  VALUES,
} from "./probe-rows";
import { headComm, NO_VALUE } from "./rows";
import { DASH, EQUALS, digitsOf, eight, find, hexDigit, hexLow, isDigit, LPAREN, RPAREN, SPACE, spaces } from "./text";

/** CPUs of the line read last. */
let sampled: i32 = 0;
let lastSampled: i32 = -1;
let sampleEnd: usize = 0;
// "lm", "lz", "cm"
const LM: u16 = 0x6d6c;
const LZ: u16 = 0x7a6c;
const CM: u16 = 0x6d63;

/** The arguments' names with their "=", padded to 16 bytes; written by the TypeScript. */
export const MAX_KEYS: i32 = 32;
export const KEYS: usize = memory.data(16 * 32, 16);
export const KEY_LENGTHS: usize = memory.data(4 * 32, 16);
export const KEY_CODES: usize = memory.data(4 * 32, 16);
/** The key that followed a key, or stood first in a shape (behind the keys), last time: id + 1. */
const FOLLOWERS: usize = memory.data(4 * (32 + 1024), 16);

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
  return (pair == LM || pair == LZ || pair == CM) && isDigit(load<u8>(at, 2));
}

/** Id of the pointer at `at`, which a blank follows, or `end`; -1 when its reading is left to the sink. Sets sampleEnd. */
function samplePointer(at: usize, end: usize): i32 {
  sampleEnd = readPointer(ARG_MM, at, end);
  return sampleEnd == 0 ? -1 : value(ARG_MM);
}

/** "lm3=0x… lz3=0 cm3=0x…" of a CPU above the last one's. Returns where it ends, 0 when its reading is left to ProbeArgs. */
function readSample(at: usize, end: usize): usize {
  const isWide = isDigit(load<u8>(at, 3));
  const width: usize = isWide ? 4 : 3;
  const tens = isWide ? (load<u8>(at, 2) - 0x30) * 10 : 0;
  const cpu = i32(tens) + i32(load<u8>(at + width - 1)) - 0x30;
  if (load<u16>(at) != LM || load<u8>(at + width) != EQUALS || cpu <= lastSampled) return 0;
  const mm = value(ARG_MM);
  const loaded = samplePointer(at + width + 1, end);
  // " lz3=0 cm3="
  const lazy = sampleEnd + 1;
  const current = lazy + width + 3;
  if (loaded < 0 || current + width >= end || load<u8>(lazy - 1) != SPACE || load<u8>(current - 1) != SPACE) return 0;
  if (load<u16>(lazy) != LZ || load<u16>(current) != CM) return 0;
  if (load<u8>(lazy + width) != EQUALS || load<u8>(current + width) != EQUALS) return 0;
  for (let i: usize = 2; i < width; i++) {
    const digit = load<u8>(at + i);
    if (load<u8>(lazy + i) != digit || load<u8>(current + i) != digit) return 0;
  }
  const isLazy = load<u8>(lazy + width + 1);
  const task = samplePointer(current + width + 1, end);
  if (task < 0 || !isDigit(isLazy)) return 0;
  const sample = SAMPLES + sampled++ * 16;
  store<i32>(sample, cpu);
  store<i32>(sample, loaded, 4);
  store<i32>(sample, isLazy == 0x30 ? 0 : SAMPLE_LAZY, 8);
  store<i32>(sample, task, 12);
  lastSampled = cpu;
  store<i32>(VALUES + ARG_MM * 4, mm);
  return sampleEnd;
}

/** ProbeArgs.read(). False: left to it. */
function readArgs(from: usize, end: usize, shape: i32): bool {
  sampled = 0;
  lastSampled = -1;
  clearValues();
  let before = MAX_KEYS + shape;
  let at = spaces(from);
  while (at < end) {
    let key = load<i32>(FOLLOWERS + before * 4) - 1;
    if (key < 0 || !isKey(key, at)) {
      if (isSample(at)) {
        at = readSample(at, end);
        if (at == 0) return false;
        at = spaces(at);
        continue;
      }
      key = findKey(at);
      if (key < 0) {
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

/** addProbeRow() of a body "(place) mm=… users=…" of a kind whose rows show no caller. False: nothing was added. */
export function addProbe(kind: i32, isAlias: i32, at: usize, end: usize, shape: i32): bool {
  if (load<u8>(at) != LPAREN) return false;
  const close = find(RPAREN, at + 1, end);
  if (close == at + 1 || close >= end) return false;
  if (!readArgs(close + 1, end, shape)) return false;
  const name = headComm();
  if (name < 0) return false;
  addProbeRow(kind, isAlias, name, sampled);
  return true;
}
