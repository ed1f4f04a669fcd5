// Reading text: what the other files of the kernel have in common. All of it is inlined.

export const TAB: u8 = 9;
export const LF: u8 = 10;
export const CR: u8 = 13;
export const SPACE: u8 = 0x20;
export const HASH: u8 = 0x23;
export const LPAREN: u8 = 0x28;
export const RPAREN: u8 = 0x29;
export const DASH: u8 = 0x2d;
export const DOT: u8 = 0x2e;
export const SLASH: u8 = 0x2f;
export const COLON: u8 = 0x3a;
export const EQUALS: u8 = 0x3d;
export const LBRACKET: u8 = 0x5b;
export const BACKSLASH: u8 = 0x5c;
export const RBRACKET: u8 = 0x5d;

export const MAX_CPU: i32 = 8191;
export const MAX_PID: i32 = 4194304;

/** Where the number read last ends. */
export let stop: usize = 0;

// @ts-expect-error: decorator
@inline
export function isDigit(c: u8): bool {
  return u32(c) - 0x30 < 10;
}

/** Decimal number at `at`; as large as its digits make it up to `limit`, beyond that some number above `limit`. Sets `stop`. */
// @ts-expect-error: decorator
@inline
export function number(at: usize, limit: i32): i32 {
  let value: i32 = 0;
  let i = at;
  let c = u32(load<u8>(i)) - 0x30;
  while (c < 10) {
    value = value > limit ? value : value * 10 + i32(c);
    c = u32(load<u8>(++i)) - 0x30;
  }
  stop = i;
  return value;
}

/** Number of eight digits or zeros, the first in the lowest byte. */
// @ts-expect-error: decorator
@inline
export function eight(bytes: u64): i32 {
  let value = bytes & 0x0f0f0f0f0f0f0f0f;
  value = ((value * 2561) >> 8) & 0x00ff00ff00ff00ff;
  value = ((value * 6553601) >> 16) & 0x0000ffff0000ffff;
  return i32((value * 42949672960001) >> 32);
}

/** Which of 16 bytes are digits. */
// @ts-expect-error: decorator
@inline
export function digitsOf(text: v128): u32 {
  return u32(i8x16.bitmask(i8x16.le_u(i8x16.sub(text, i8x16.splat(0x30)), i8x16.splat(9))));
}

// @ts-expect-error: decorator
@inline
export function spaces(at: usize): usize {
  let i = at;
  while (load<u8>(i) == SPACE) i++;
  return i;
}

/** Whether 16 bytes hold a line feed. */
// @ts-expect-error: decorator
@inline
export function holdsLineFeed(at: usize): bool {
  return v128.any_true(i8x16.eq(v128.load(at), i8x16.splat(LF)));
}

// @ts-expect-error: decorator
@inline
function lineFeeds(at: usize): u64 {
  return u64(u32(i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(LF)))));
}

/** Start of the line feed at or behind `at`: there is one. 64 bytes at a time: most lines end within the first. */
// @ts-expect-error: decorator
@inline
export function lineEnd(at: usize): usize {
  let i = at;
  while (true) {
    const found = lineFeeds(i) | (lineFeeds(i + 16) << 16) | (lineFeeds(i + 32) << 32) | (lineFeeds(i + 48) << 48);
    if (found != 0) return i + usize(ctz(found));
    i += 64;
  }
}

/** Index of the first `c` in [at, end), `end` when there is none. */
// @ts-expect-error: decorator
@inline
export function find(c: u8, at: usize, end: usize): usize {
  let i = at;
  while (i < end) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(i), i8x16.splat(c)));
    if (found != 0) return min(i + ctz(found), end);
    i += 16;
  }
  return end;
}

/** Index behind the last `c` among the 16 bytes before `at`; `at` - 16 when there is none. */
// @ts-expect-error: decorator
@inline
export function behindLast(c: u8, at: usize): usize {
  return at - clz((i8x16.bitmask(i8x16.eq(v128.load(at - 16), i8x16.splat(c))) << 16) | 0x8000);
}

/** Whether the `length` (at most 16) bytes that end before `at` are those of the literal at `word`, and none of them stands before `start`. */
// @ts-expect-error: decorator
@inline
export function endsWith(start: usize, at: usize, word: usize, length: usize): bool {
  const from = at - length;
  if (from < start || from > at) return false;
  const unlike = i8x16.bitmask(i8x16.ne(v128.load(from), v128.load(word)));
  return (unlike & ((1 << i32(length)) - 1)) == 0;
}

/** -1 for what is no hexadecimal digit. */
export function hexDigit(c: u8): i32 {
  if (isDigit(c)) return i32(c) - 0x30;
  const letter = i32(c | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** readHexLow() behind "0x". */
export function hexLow(from: usize, to: usize): i32 {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = hexDigit(load<u8>(i));
    if (digit < 0) break;
    value = (value << 4) | digit;
  }
  return value;
}
