// Heads of lines by their layout. A recorder prints every head with the same columns, so the columns the last lines had are
// the next one's: which bytes are which character, which are digits, which are a number padded with blanks. A head is held
// against them in a few steps of 16 bytes, its numbers are taken from eight bytes at once. A layout is made from a head
// that readTaskPid() or readPerf() accepted, and takes no head they would refuse or read otherwise: whatever is printed
// elsewise goes to them. Byte by byte a head took 60 ns, so 5.
import {
  COLON,
  DASH,
  DOT,
  digitsOf,
  eight,
  holdsLineFeed,
  isDigit,
  LBRACKET,
  LPAREN,
  MAX_CPU,
  MAX_PID,
  SLASH,
  SPACE,
  spaces,
} from "./text";

/** Columns of the name, %16s, which a layout begins behind. */
export const COMM_WIDTH: usize = 16;
/** Columns a layout reaches over: one bit each. */
const WIDTH: usize = 64;
const MAX_LAYOUTS: i32 = 4;

// Of a layout: masks of columns, a bit each, and offsets from the line's start.
/** The character in the column is the layout's. */
const FIXED: usize = 0;
/** Digits: the column is always one, of a padded number the outermost. */
const DIGITS: usize = 8;
/** A number with blanks behind it, and one with blanks before it; 0 for none. */
const LEFT: usize = 16;
const RIGHT: usize = 24;
/** RIGHT and the seconds, which have blanks before them. */
const RIGHTS: usize = 32;
/** LEFT and RIGHTS. */
const PADDED: usize = 40;
/** "(-------" where RIGHT can be that; 0 where it cannot. */
const DASHES: usize = 48;
/** Where LEFT or RIGHT has a seventh digit, which can make it more than MAX_PID. */
const SEVENTH: usize = 56;
const LEFT_START: usize = 64;
const RIGHT_END: usize = 68;
const CPU_END: usize = 72;
/** Of the four bytes that end there. */
const CPU_BYTES: usize = 76;
/** Of the eight bytes that end there. */
const SECOND_BYTES: usize = 80;
const DOT_AT: usize = 88;
const IS_NS: usize = 92;
/** Of the 16 columns behind the dot. */
const FRACTION: usize = 96;
const BODY: usize = 100;
const FLAGS_START: usize = 104;
const FLAGS_END: usize = 108;
/** Of the 16 columns from FLAGS_START on. */
const FLAGS_COLUMNS: usize = 112;
/** 64 bytes from COMM_WIDTH on: FIXED characters, blanks elsewhere. */
const TEXT: usize = 128;
/** 80 bytes: which of a head's are those of the head before, if only the fraction of the second differs. */
const ALIKE: usize = 192;
const BYTES: usize = 272;

const LAYOUTS: usize = memory.data(272 * 4, 16);
let count: i32 = 0;
let next: i32 = 0;
let layout: usize = LAYOUTS;
let first: u8 = 0;

// What the head read last says.
export let cpu: i32 = 0;
export let hi: i32 = 0;
export let lo: i32 = 0;
export let body: usize = 0;
/** Columns of the head of that layout read last; where its line begins, 0 when cpu and hi are not of it. */
let digits: u64 = 0;
let laidAt: usize = 0;

/** Begins a part of a format none of whose heads begins with `forbidden`. */
export function forgetLayouts(forbidden: u8): void {
  count = 0;
  next = 0;
  layout = LAYOUTS;
  first = forbidden;
  laidAt = 0;
}

/** Which of 16 bytes are as the layout at `l` has them. */
// @ts-expect-error: decorator
@inline
function sameAs(text: v128, l: usize): u64 {
  return u64(u32(i8x16.bitmask(i8x16.eq(text, v128.load(l, TEXT)))));
}

/** Whether the line at `start` has the layout; then reads cpu, hi, lo and body. */
function isLaidOut(start: usize): bool {
  const l = layout;
  const text0 = v128.load(start, 16);
  const text1 = v128.load(start, 32);
  const text2 = v128.load(start, 48);
  const text3 = v128.load(start, 64);
  const areDigits = u64(digitsOf(text0)) | (u64(digitsOf(text1)) << 16) | (u64(digitsOf(text2)) << 32) | (u64(digitsOf(text3)) << 48);
  const same =
    sameAs(text0, l) | (sameAs(text1, l + 16) << 16) | (sameAs(text2, l + 32) << 32) | (sameAs(text3, l + 48) << 48);
  const dashes = load<u64>(l, DASHES);
  const areDashes = i32(dashes != 0) & i32(load<u64>(start + load<u32>(l, RIGHT_END) - 8) == dashes);
  const filled = areDashes ? areDigits | load<u64>(l, RIGHT) : areDigits;
  const blank = ~filled;
  let unlike = load<u64>(l, FIXED) & ~same;
  unlike |= load<u64>(l, DIGITS) & blank;
  unlike |= load<u64>(l, PADDED) & blank & ~same;
  // No blank follows a digit of a number that ends in its last column, no digit a blank of one that begins in its first.
  const rights = load<u64>(l, RIGHTS);
  unlike |= ((filled & rights) << 1) & rights & blank;
  const left = load<u64>(l, LEFT);
  unlike |= ((left & blank) << 1) & left & filled;
  const flags = v128.load(start + load<u32>(l, FLAGS_START));
  const areFlags = v128.and(i8x16.gt_u(flags, i8x16.splat(SPACE)), i8x16.ne(flags, i8x16.splat(COLON)));
  unlike |= u64(load<u32>(l, FLAGS_COLUMNS) & ~i8x16.bitmask(areFlags));
  if (unlike != 0 || holdsLineFeed(start) || load<u8>(start) == first) return false;
  digits = areDigits;
  if ((areDigits & load<u64>(l, SEVENTH)) != 0 && !areTasks(start)) return false;
  let number = load<u32>(start + load<u32>(l, CPU_END) - 4) & load<u32>(l, CPU_BYTES) & 0x0f0f0f0f;
  number = ((number * 2561) >> 8) & 0x00ff00ff;
  cpu = (number * 100 + (number >> 16)) & 0xffff;
  if (cpu > MAX_CPU) return false;
  const dot = start + load<u32>(l, DOT_AT);
  hi = eight(load<u64>(dot - 8) & load<u64>(l, SECOND_BYTES));
  lo = fraction(l, dot);
  body = start + load<u32>(l, BODY);
  laidAt = start;
  return true;
}

/** Parts of a second behind the dot, in ns. */
// @ts-expect-error: decorator
@inline
function fraction(l: usize, dot: usize): i32 {
  return load<i32>(l, IS_NS)
    ? eight(load<u64>(dot, 1)) * 10 + i32(load<u8>(dot, 9)) - 0x30
    : eight(load<u64>(dot, 1) << 16) * 1000;
}

// @ts-expect-error: decorator
@inline
function unlikeLast(l: usize, start: usize, at: usize): v128 {
  return v128.and(v128.xor(v128.load(start + at), v128.load(laidAt + at)), v128.load(l + at, ALIKE));
}

/**
 * Whether the line at `start` has the head of the last laid out one but for the fraction of its second; then reads lo and
 * body. A third to nine tenths of a recording's lines are such: a task that makes one event makes others.
 */
// @ts-expect-error: decorator
@inline
function isAlike(start: usize): bool {
  if (laidAt == 0) return false;
  const l = layout;
  let unlike = v128.or(
    v128.or(unlikeLast(l, start, 0), unlikeLast(l, start, 16)),
    v128.or(unlikeLast(l, start, 32), unlikeLast(l, start, 48)),
  );
  const bodyAt = load<u32>(l, BODY);
  if (bodyAt > 64) unlike = v128.or(unlike, unlikeLast(l, start, 64));
  const dot = start + load<u32>(l, DOT_AT);
  const areNoDigits = i8x16.gt_u(i8x16.sub(v128.load(dot, 1), i8x16.splat(0x30)), i8x16.splat(9));
  if (v128.any_true(unlike) || (i8x16.bitmask(areNoDigits) & load<i32>(l, FRACTION)) != 0) return false;
  lo = fraction(l, dot);
  body = start + bodyAt;
  laidAt = start;
  return true;
}

/** Whether the line at `start` has the layout the last lines had; then reads cpu, hi, lo and body. */
// @ts-expect-error: decorator
@inline
export function readLaidOut(start: usize): bool {
  return isAlike(start) || (count > 0 && (isLaidOut(start) || readOther(start)));
}

/** Forgets where the head before stands: its bytes are no longer there. */
export function forgetLaidOut(): void {
  laidAt = 0;
}

function readOther(start: usize): bool {
  const last = layout;
  for (let i = 0; i < count; i++) {
    layout = LAYOUTS + usize(i) * BYTES;
    if (layout != last && isLaidOut(start)) return true;
  }
  layout = last;
  return false;
}

/** The number with blanks behind it; -1 when the layout has none. Of at most seven digits. */
function leftNumber(start: usize): i32 {
  const length = popcnt(digits & load<u64>(layout, LEFT));
  return length == 0 ? -1 : eight(load<u64>(start + load<u32>(layout, LEFT_START)) << (64 - 8 * length));
}

/** The number with blanks before it; -1 when there is none. Of at most seven digits. */
function rightNumber(start: usize): i32 {
  const length = popcnt(digits & load<u64>(layout, RIGHT));
  return length == 0 ? -1 : eight(load<u64>(start + load<u32>(layout, RIGHT_END) - 8) & (u64(-1) << (64 - 8 * length)));
}

/** Whether both numbers are tasks'. */
function areTasks(start: usize): bool {
  if (popcnt(digits & load<u64>(layout, LEFT)) > 7 || popcnt(digits & load<u64>(layout, RIGHT)) > 7) return false;
  return leftNumber(start) <= MAX_PID && rightNumber(start) <= MAX_PID;
}

/** Of the line that readLaidOut() took. */
// @ts-expect-error: decorator
@inline
export function laidTid(start: usize): i32 {
  return load<u64>(layout, LEFT) == 0 ? rightNumber(start) : leftNumber(start);
}

// @ts-expect-error: decorator
@inline
export function laidTgid(start: usize): i32 {
  return load<u64>(layout, LEFT) == 0 ? -1 : rightNumber(start);
}

// @ts-expect-error: decorator
@inline
export function laidFlagsStart(start: usize): usize {
  return start + load<u32>(layout, FLAGS_START);
}

// @ts-expect-error: decorator
@inline
export function laidFlagsEnd(start: usize): usize {
  return start + load<u32>(layout, FLAGS_END);
}

/** Takes over what the reader of any head has read. */
// @ts-expect-error: decorator
@inline
export function setHead(atCpu: i32, seconds: i32, ns: i32, at: usize): void {
  cpu = atCpu;
  hi = seconds;
  lo = ns;
  body = at;
  laidAt = 0;
}

function digitsEnd(at: usize): usize {
  let i = at;
  while (isDigit(load<u8>(i))) i++;
  return i;
}

/** Mask of the columns [from, to) of the line at `start`. */
function columns(start: usize, from: usize, to: usize): u64 {
  let mask: u64 = 0;
  for (let i = max(from, start + COMM_WIDTH); i < to; i++) mask |= u64(1) << u64(i - start - COMM_WIDTH);
  return mask;
}

function highestOf(mask: u64): u64 {
  return mask == 0 ? 0 : u64(1) << (63 - clz(mask));
}

/** Makes the layout of the line at `start`, which readTaskPid() or readPerf() took, one that is looked for. */
export function learnLayout(start: usize, isPerf: bool): void {
  let left = start;
  let leftEnd = start;
  let right = start;
  let rightEnd = start;
  let dashes: u64 = 0;
  let i = start + COMM_WIDTH + 1;
  if (isPerf) {
    right = i;
    i = rightEnd = digitsEnd(spaces(i));
    if (load<u8>(i) == SLASH) {
      left = i + 1;
      i = spaces(digitsEnd(left));
      leftEnd = i - 1;
    } else i = spaces(i);
    if (!isDigit(load<u8>(rightEnd - 1)) || (left != start && !isDigit(load<u8>(left)))) return;
  } else {
    left = i;
    i = leftEnd = spaces(digitsEnd(i));
    if (load<u8>(i) == LPAREN) {
      right = i + 1;
      rightEnd = digitsEnd(spaces(right));
      while (load<u8>(rightEnd) == DASH) rightEnd++;
      if (rightEnd - right > 7) return;
      // "(-------"
      if (rightEnd - right == 7) dashes = 0x2d2d2d2d2d2d2d28;
      if (!isDigit(load<u8>(rightEnd - 1)) && (dashes == 0 || load<u64>(right - 1) != dashes)) return;
      i = spaces(rightEnd + 1);
    }
  }
  if (load<u8>(i) != LBRACKET) return;
  const cpuStart = i + 1;
  const cpuEnd = digitsEnd(cpuStart);
  if (cpuEnd - cpuStart > 4) return;
  let seconds = cpuEnd + (isPerf ? 1 : 2);
  let flags = start;
  let flagsEnd = start;
  if (!isPerf) {
    i = spaces(seconds);
    const from = i;
    let c = load<u8>(i);
    while (c > SPACE && c != COLON) c = load<u8>(++i);
    if (c != COLON) {
      flags = from;
      flagsEnd = i;
      seconds = i + 1;
    }
  }
  const firstDigit = spaces(seconds);
  const dot = digitsEnd(firstDigit);
  if (load<u8>(dot) != DOT || dot - firstDigit > 8) return;
  if (dot - seconds > 8) seconds = dot - 8;
  const fractionEnd = digitsEnd(dot + 1);
  const end = fractionEnd + 2;
  if (end - start > COMM_WIDTH + WIDTH) return;

  layout = LAYOUTS + usize(next) * BYTES;
  next = (next + 1) % MAX_LAYOUTS;
  count = max(count, next == 0 ? MAX_LAYOUTS : next);
  const leftColumns = columns(start, left, leftEnd);
  const rightColumns = columns(start, right, rightEnd);
  const secondColumns = columns(start, seconds, dot);
  const fractionColumns = columns(start, dot + 1, fractionEnd);
  const digitColumns = columns(start, cpuStart, cpuEnd) | fractionColumns;
  const outermost = (leftColumns & -leftColumns) | highestOf(rightColumns) | highestOf(secondColumns);
  const padded = leftColumns | rightColumns | secondColumns;
  const fixed = columns(start, start + COMM_WIDTH, end) & ~(padded | digitColumns | columns(start, flags, flagsEnd));
  const seventhLeft = columns(start, left + 6, left + 7) & leftColumns;
  const seventhRight = columns(start, rightEnd - 7, rightEnd - 6) & rightColumns;
  const l = layout;
  store<u64>(l, fixed, FIXED);
  store<u64>(l, digitColumns | outermost, DIGITS);
  store<u64>(l, leftColumns, LEFT);
  store<u64>(l, rightColumns, RIGHT);
  store<u64>(l, rightColumns | secondColumns, RIGHTS);
  store<u64>(l, padded, PADDED);
  store<u64>(l, dashes, DASHES);
  store<u64>(l, seventhLeft | seventhRight, SEVENTH);
  store<u32>(l, u32(left - start), LEFT_START);
  store<u32>(l, u32(rightEnd - start), RIGHT_END);
  store<u32>(l, u32(cpuEnd - start), CPU_END);
  store<u32>(l, u32(-1) << (32 - 8 * u32(cpuEnd - cpuStart)), CPU_BYTES);
  store<u64>(l, u64(-1) << (64 - 8 * u64(dot - seconds)), SECOND_BYTES);
  store<u32>(l, u32(dot - start), DOT_AT);
  store<i32>(l, i32(fractionEnd - dot == 10), IS_NS);
  store<i32>(l, (1 << i32(fractionEnd - dot - 1)) - 1, FRACTION);
  store<u32>(l, u32(end - start), BODY);
  store<u32>(l, u32(flags - start), FLAGS_START);
  store<u32>(l, u32(flagsEnd - start), FLAGS_END);
  store<i32>(l, (1 << i32(flagsEnd - flags)) - 1, FLAGS_COLUMNS);
  memory.fill(l + ALIKE, 0, COMM_WIDTH + WIDTH);
  memory.fill(l + ALIKE, 0xff, end - start);
  memory.fill(l + ALIKE + (dot + 1 - start), 0, fractionEnd - dot - 1);
  for (let column: usize = 0; column < WIDTH; column++) {
    const isFixed = (fixed >> u64(column)) & 1;
    store<u8>(l + column, isFixed ? load<u8>(start + COMM_WIDTH + column) : SPACE, TEXT);
  }
}
