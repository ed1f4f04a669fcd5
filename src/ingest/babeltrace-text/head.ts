// Line head of babeltrace2's text output (sink.text.pretty) and of babeltrace 1:
//   "[13:25:10.937289425] (+0.000000854) host sched_switch: { cpu_id = 1 }, "     default: time of day, no date
//   "[1497552690.937289425] (+?.?????????) sched_switch: …"                        --clock-seconds
//   "[2017-06-15 18:51:30.937289425] …"                                            --clock-date
//   "[00628004011305] …"                                                           --clock-cycles
//   "timestamp = 13:25:10.9…, delta = +0.0…, trace:hostname = host, name = …"      --names all is not read
import type { EventHead } from "../event-head.ts";
import {
  COLON,
  DASH,
  DOT,
  digitsEnd,
  LBRACKET,
  LPAREN,
  RBRACKET,
  RPAREN,
  readDecimal,
  readFractionNs,
  SPACE,
  skipSpaces,
} from "../numbers.ts";

/** How stamps are printed; `day` is a time of day, which begins anew at midnight. */
export type StampKind = "seconds" | "day" | "date" | "cycles";

const LBRACE = 0x7b;
const SECONDS_PER_DAY = 86400;

/** Head of a line, beside what EventHead holds. One object, overwritten. */
export class BabeltraceHead {
  kind: StampKind = "seconds";
  nameStart = 0;
  nameEnd = 0;
  /** Where the first "{" stands. */
  body = 0;

  /** Reads the head of bytes[start, end): the time goes to `head`. False when the line has no such head. */
  read(head: EventHead, bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes[start] !== LBRACKET) return false;
    const close = this.#stamp(head, bytes, start + 1, end);
    if (close < 0 || bytes[close] !== RBRACKET || bytes[close + 1] !== SPACE) return false;
    let at = close + 2;
    if (bytes[at] === LPAREN) {
      while (at < end && bytes[at] !== RPAREN) at++;
      at = skipSpaces(bytes, at + 1, end);
    }
    return this.#name(bytes, at, end);
  }

  /** The last word before ": {" is the name; the host's and the program's stand before it. */
  #name(bytes: Uint8Array, from: number, end: number): boolean {
    let wordStart = from;
    for (let at = from; at + 2 < end; at++) {
      if (bytes[at] === SPACE) wordStart = at + 1;
      if (bytes[at] !== COLON || bytes[at + 1] !== SPACE || bytes[at + 2] !== LBRACE) continue;
      this.nameStart = wordStart;
      this.nameEnd = at;
      this.body = at + 2;
      return at > wordStart;
    }
    return false;
  }

  /** Index behind the stamp, -1 when it is none. */
  #stamp(head: EventHead, bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let days = 0;
    this.kind = "seconds";
    const first = digitsEnd(bytes, at, end);
    if (bytes[first] === DASH) {
      const date = readDate(bytes, at, end);
      if (date === null) return -1;
      days = date.days;
      at = date.end;
      this.kind = "date";
    }
    const hours = digitsEnd(bytes, at, end);
    if (hours === at) return -1;
    head.ticks = false;
    if (bytes[hours] === COLON) return this.#clockTime(head, bytes, at, hours, end, days);
    if (bytes[hours] === RBRACKET) return this.#cycles(head, bytes, at, hours);
    if (bytes[hours] !== DOT || this.kind === "date") return -1;
    head.hi = readDecimal(bytes, at, hours);
    return this.#fraction(head, bytes, hours, end);
  }

  #cycles(head: EventHead, bytes: Uint8Array, at: number, stop: number): number {
    if (this.kind === "date") return -1;
    const split = Math.max(at, stop - 9);
    head.hi = readDecimal(bytes, at, split);
    head.lo = readDecimal(bytes, split, stop);
    head.ticks = true;
    this.kind = "cycles";
    return stop;
  }

  #clockTime(
    head: EventHead,
    bytes: Uint8Array,
    at: number,
    hours: number,
    end: number,
    days: number,
  ): number {
    const minutes = digitsEnd(bytes, hours + 1, end);
    const seconds = digitsEnd(bytes, minutes + 1, end);
    if (minutes !== hours + 3 || bytes[minutes] !== COLON || seconds !== minutes + 3) return -1;
    if (bytes[seconds] !== DOT) return -1;
    if (this.kind !== "date") this.kind = "day";
    const ofDay =
      readDecimal(bytes, at, hours) * 3600 +
      readDecimal(bytes, hours + 1, minutes) * 60 +
      readDecimal(bytes, minutes + 1, seconds);
    head.hi = days * SECONDS_PER_DAY + ofDay;
    return this.#fraction(head, bytes, seconds, end);
  }

  #fraction(head: EventHead, bytes: Uint8Array, dot: number, end: number): number {
    const stop = digitsEnd(bytes, dot + 1, end);
    head.lo = readFractionNs(bytes, dot + 1, stop);
    return stop > dot + 1 ? stop : -1;
  }
}

/** "2017-06-15 ": days since 1970 and where the time begins. */
function readDate(bytes: Uint8Array, at: number, end: number): { days: number; end: number } | null {
  const text = String.fromCharCode(...bytes.subarray(at, Math.min(end, at + 11)));
  if (!/^\d{4}-\d{2}-\d{2} $/.test(text)) return null;
  const ms = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(ms) ? null : { days: ms / 86_400_000, end: at + 11 };
}
