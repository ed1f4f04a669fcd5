// Numbers straight from bytes: no strings, no floats for time. Used by every line parser of the room.
import { NO_VALUE } from "../table/event-batch.ts";

export const LF = 0x0a;
export const SPACE = 0x20;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const COLON = 0x3a;
export const EQUALS = 0x3d;
export const ZERO = 0x30;
export const LPAREN = 0x28;
export const RPAREN = 0x29;
export const LBRACKET = 0x5b;
export const RBRACKET = 0x5d;
const LOWER_X = 0x78;
/** What one unit of a fraction of so many digits is in ns. */
const NS_OF_DIGITS: readonly number[] = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];

/** ASCII bytes of a constant of the grammar. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** First index in [at, end) that holds no decimal digit. */
export function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const c = bytes[i]!;
    if (c < 0x30 || c > 0x39) break;
    i++;
  }
  return i;
}

/** First index in [at, end) that holds no space. */
export function skipSpaces(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] === SPACE) i++;
  return i;
}

/** First index in [at, end) that holds neither a space, a tab nor a line end. */
export function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (bytes[i] === SPACE || (bytes[i]! >= 0x09 && bytes[i]! <= 0x0d))) i++;
  return i;
}

/** The digits of [from, to) as a number; exact below 2^53. The caller has checked that they are digits. */
export function readDecimal(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + (bytes[i]! - 0x30);
  return value;
}

/** A fraction of a second, any number of digits, as ns: "000007" is 7000, "000007123" is 7123; more are cut off. */
export function readFractionNs(bytes: Uint8Array, from: number, to: number): number {
  const stop = to - from > 9 ? from + 9 : to;
  let value = 0;
  for (let i = from; i < stop; i++) value = value * 10 + (bytes[i]! - 0x30);
  return value * NS_OF_DIGITS[stop - from]!;
}

/** Value of a hex digit, -1 for anything else. */
export function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  if (c >= 0x61 && c <= 0x66) return c - 0x57;
  if (c >= 0x41 && c <= 0x46) return c - 0x37;
  return -1;
}

/** Whether [from, to) starts with "0x". */
export function hasHexPrefix(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from > 2 && bytes[from] === ZERO && bytes[from + 1] === LOWER_X;
}

/** Low 32 bits, as int32, of the hex digits of [from, to) with or without 0x; stops at the first other byte. */
export function readHexLow(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = hasHexPrefix(bytes, from, to) ? from + 2 : from; i < to; i++) {
    const digit = hexDigit(bytes[i]!);
    if (digit < 0) break;
    value = (value << 4) | digit;
  }
  return value;
}

/** [from, to) as int32: decimal with sign, or 0x hex. NO_VALUE when it is neither or does not fit. */
export function readInt32(bytes: Uint8Array, from: number, to: number): number {
  if (to - from === 1 && bytes[from]! >= 0x30 && bytes[from]! <= 0x39) return bytes[from]! - 0x30;
  if (hasHexPrefix(bytes, from, to)) return readHexInt32(bytes, from + 2, to);
  const negative = bytes[from] === DASH;
  const first = negative ? from + 1 : from;
  if (first >= to || to - first > 10 || digitsEnd(bytes, first, to) !== to) return NO_VALUE;
  const value = negative ? -readDecimal(bytes, first, to) : readDecimal(bytes, first, to);
  return value === (value | 0) ? value : NO_VALUE;
}

function readHexInt32(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = hexDigit(bytes[i]!);
    if (digit < 0) return NO_VALUE;
    value = value * 16 + digit;
  }
  return value <= 0x7fffffff ? value : NO_VALUE;
}

/** Whether `word` stands at `at`, inside [at, end). */
export function startsWith(bytes: Uint8Array, at: number, end: number, word: Uint8Array): boolean {
  if (end - at < word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

/** Whether `word` ends right before `at` and does not begin before `start`. */
export function endsWith(bytes: Uint8Array, start: number, at: number, word: Uint8Array): boolean {
  const from = at - word.length;
  if (from < start) return false;
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false;
  return true;
}

/** Index of the first byte of `word` in [start, end), or -1. */
export function findFirst(bytes: Uint8Array, start: number, end: number, word: Uint8Array): number {
  const last = end - word.length;
  for (let i = start; i <= last; i++) if (bytes[i] === word[0] && startsWith(bytes, i, end, word)) return i;
  return -1;
}

/** Index of the last occurrence's first byte in [start, end), or -1. */
export function findLast(bytes: Uint8Array, start: number, end: number, word: Uint8Array): number {
  for (let i = end - word.length; i >= start; i--)
    if (bytes[i] === word[0] && startsWith(bytes, i, end, word)) return i;
  return -1;
}

/** Text of [start, end), at most 80 bytes more than a message needs; broken UTF-8 becomes U+FFFD. */
export function decodeSample(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 160)));
}
