// The fast twin of task-pid-head.ts, for lines that are printed as the kernel prints them: name padded to 16 columns,
// then "-", pid, "[cpu]", flags and seconds. One function without calls: by functions a head took 0.4 us, this 0.1 us.
import { NONE } from "../table/event-batch.ts";
import type { EventHead } from "./event-head.ts";
import { MAX_CPU, MAX_PID } from "./limits.ts";
import { COLON, DASH, DOT, LBRACKET, LPAREN, RBRACKET, RPAREN, SPACE } from "./numbers.ts";

const HASH = 0x23;
/** Columns of the name, %16s. */
export const COMM_WIDTH = 16;
/** Seconds of at most so many digits are small integers. */
const MAX_SECOND_DIGITS = 9;

/**
 * "            bash-2853    (   2853) [001] .....   373.938493: ". As ScannedFormat.readHead. Every step but the first
 * 16 bytes, which are looked at for it, stops at a line feed.
 */
export function readPlainHead(head: EventHead, bytes: Uint8Array, start: number): boolean {
  let i = start + COMM_WIDTH;
  // A first byte "#" makes it a header line, whatever follows.
  if (bytes[i] !== DASH || bytes[start] === HASH || holdsLineFeed(bytes, start, i)) return false;
  let digit = bytes[++i]! - 0x30;
  if (!(digit >= 0 && digit <= 9)) return false;
  let tid = digit;
  for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
    tid = tid * 10 + digit;
  }
  while (bytes[i] === SPACE) i++;
  let tgid: number = NONE;
  if (bytes[i] === LPAREN) {
    i++;
    while (bytes[i] === SPACE) i++;
    digit = bytes[i]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      tgid = digit;
      for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
        tgid = tgid * 10 + digit;
      }
    }
    while (bytes[i] === DASH) i++;
    if (bytes[i] !== RPAREN) return false;
    i++;
    while (bytes[i] === SPACE) i++;
  }
  if (bytes[i] !== LBRACKET) return false;
  digit = bytes[++i]! - 0x30;
  if (!(digit >= 0 && digit <= 9)) return false;
  let cpu = digit;
  for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
    cpu = cpu * 10 + digit;
  }
  if (bytes[i] !== RBRACKET || bytes[i + 1] !== SPACE) return false;
  if (cpu > MAX_CPU || tid > MAX_PID || tgid > MAX_PID) return false;
  i += 2;
  while (bytes[i] === SPACE) i++;
  const flagsStart = i;
  while (bytes[i]! > SPACE && bytes[i] !== COLON) i++;
  let flags = i - flagsStart;
  if (bytes[i] === COLON) {
    // No flags column (trace-cmd report, ftrace without irq-info): this was the time.
    flags = 0;
    i = flagsStart;
  } else {
    if (bytes[i] !== SPACE || flags < 3 || flags > 9) return false;
    while (bytes[i] === SPACE) i++;
  }
  head.tid = tid;
  head.tgid = tgid;
  head.cpu = cpu;
  head.flagsStart = flagsStart;
  head.flagsEnd = flagsStart + flags;
  return readPlainTime(head, bytes, i);
}

/** "373.938493: " or "373.938493001: " at `at`: sets hi, lo and body. False for stamps printed otherwise. */
export function readPlainTime(head: EventHead, bytes: Uint8Array, at: number): boolean {
  let i = at;
  let digit = bytes[i]! - 0x30;
  if (!(digit >= 0 && digit <= 9)) return false;
  let hi = digit;
  for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
    hi = hi * 10 + digit;
  }
  if (bytes[i] !== DOT || i - at > MAX_SECOND_DIGITS) return false;
  const fraction = i + 1;
  let lo = 0;
  for (digit = bytes[++i]! - 0x30; digit >= 0 && digit <= 9; digit = bytes[++i]! - 0x30) {
    lo = lo * 10 + digit;
  }
  if (i - fraction === 6) lo *= 1000;
  else if (i - fraction !== 9) return false;
  if (bytes[i] !== COLON || bytes[i + 1] !== SPACE) return false;
  i += 2;
  while (bytes[i] === SPACE) i++;
  head.hi = hi;
  head.lo = lo;
  head.ticks = false;
  head.body = i;
  return true;
}

export function holdsLineFeed(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === 0x0a) return true;
  return false;
}
