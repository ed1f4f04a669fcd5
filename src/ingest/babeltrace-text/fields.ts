// The groups behind an event's name: "{ cpu_id = 1 }, { procname = "a", tid = 2 }, { comm = "b\"", ret = -2 }". The first
// holds the packet's context, the last the event's own fields, what lies between is context the user added. Values:
// decimal, 0x hex, "text" with C escapes, ( "LABEL" : container = 1 ), arrays [ … ], structures { … }.

import { ByteInterner } from "../../base/interner.ts";
import { CONTEXT_SLOTS, type LttngFields, PAYLOAD_SLOTS, type Slot } from "../lttng/fields.ts";
import { ascii, DASH, digitsEnd, findFirst, hasHexPrefix, hexDigit, readDecimal, SPACE } from "../numbers.ts";

const LBRACE = 0x7b;
const RBRACE = 0x7d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENERS: ReadonlySet<number> = new Set([0x28, 0x5b, LBRACE]);
const CLOSERS: ReadonlySet<number> = new Set([0x29, 0x5d, RBRACE]);
const ASSIGN = ascii(" = ");
const CONTAINER = ascii("container = ");
/** Keys told apart; keys are the input's, memory must not follow them. */
const MAX_KEYS = 4096;
const NO_SLOT = -1;
/** Bytes of text kept per event: task names are 15 long. */
const TEXT_BYTES = 4096;
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x61, 7],
  [0x62, 8],
  [0x65, 27],
  [0x66, 12],
  [0x6e, 10],
  [0x72, 13],
  [0x74, 9],
  [0x76, 11],
]);

/** Reads the groups of one line into LttngFields. One per trace. */
export class GroupReader {
  /** CPU of the first group, -1 when it names none. */
  cpu = -1;
  readonly #fields: LttngFields;
  readonly #keys = new ByteInterner();
  readonly #payloadSlots: number[] = [];
  readonly #contextSlots: number[] = [];
  readonly #text: Uint8Array = new Uint8Array(TEXT_BYTES);
  #textEnd = 0;
  readonly #cpuKey: number;

  constructor(fields: LttngFields) {
    this.#fields = fields;
    fields.bytes = this.#text;
    this.#cpuKey = this.#key(ascii("cpu_id"), 0, 6);
  }

  /** Reads bytes[at, end), which begins with "{". False when the braces do not close as they should. */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.#fields.clear();
    this.#textEnd = 0;
    this.cpu = -1;
    let i = at;
    for (;;) {
      if (i >= end || bytes[i] !== LBRACE) return false;
      const close = groupEnd(bytes, i, end);
      if (close < 0) return false;
      const isLast = close + 1 >= end || bytes[close + 1] !== COMMA;
      if (!this.#group(bytes, i + 1, close, isLast)) return false;
      if (isLast) return close + 1 === end;
      i = close + 3;
    }
  }

  /** "key = value, key = value" in bytes[at, end). */
  #group(bytes: Uint8Array, at: number, end: number, isPayload: boolean): boolean {
    let i = skipBlankOrComma(bytes, at, end);
    while (i < end) {
      const assign = findFirst(bytes, i, end, ASSIGN);
      if (assign < 0) return false;
      const key = this.#key(bytes, i, assign);
      const from = assign + ASSIGN.length;
      const stop = valueEnd(bytes, from, end);
      if (stop < 0) return false;
      if (key === this.#cpuKey && this.cpu < 0) this.cpu = numberIn(bytes, from, stop);
      const slots = isPayload ? this.#payloadSlots : this.#contextSlots;
      const slot = key < 0 ? NO_SLOT : slots[key]!;
      if (slot !== NO_SLOT) this.#set(slot as Slot, bytes, from, stop);
      i = skipBlankOrComma(bytes, stop, end);
    }
    return true;
  }

  #set(slot: Slot, bytes: Uint8Array, from: number, stop: number): void {
    if (bytes[from] === QUOTE) {
      const start = this.#textEnd;
      this.#unescape(bytes, from + 1, stop - 1);
      this.#fields.setText(slot, start, this.#textEnd);
      return;
    }
    this.#fields.values[slot] = numberIn(bytes, from, stop);
  }

  #unescape(bytes: Uint8Array, from: number, stop: number): void {
    for (let i = from; i < stop && this.#textEnd < TEXT_BYTES; i++) {
      let c = bytes[i]!;
      if (c === BACKSLASH && i + 1 < stop) {
        c = bytes[++i]!;
        if (c === 0x78 && i + 2 < stop && hexDigit(bytes[i + 1]!) >= 0 && hexDigit(bytes[i + 2]!) >= 0) {
          c = hexDigit(bytes[i + 1]!) * 16 + hexDigit(bytes[i + 2]!);
          i += 2;
        } else c = ESCAPES.get(c) ?? c;
      }
      this.#text[this.#textEnd++] = c;
    }
  }

  #key(bytes: Uint8Array, from: number, to: number): number {
    if (this.#keys.size >= MAX_KEYS) return this.#keys.find(bytes, from, to);
    const id = this.#keys.intern(bytes, from, to);
    if (id === this.#payloadSlots.length) {
      const name = this.#keys.text(id);
      this.#payloadSlots.push(PAYLOAD_SLOTS.get(name) ?? NO_SLOT);
      this.#contextSlots.push(CONTEXT_SLOTS.get(name) ?? NO_SLOT);
    }
    return id;
  }
}

function skipBlankOrComma(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (bytes[i] === SPACE || bytes[i] === COMMA)) i++;
  return i;
}

/** Index of the "}" that closes the "{" at `at`, -1 when there is none; quotes are skipped. */
function groupEnd(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  for (let i = at; i < end; i++) {
    const c = bytes[i]!;
    if (c === QUOTE) {
      i = quoteEnd(bytes, i, end);
      if (i < 0) return -1;
    } else if (OPENERS.has(c)) depth++;
    else if (CLOSERS.has(c) && --depth === 0) return i;
  }
  return -1;
}

/** Index of the quote that closes the one at `at`, -1 when there is none. */
function quoteEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return -1;
}

/** End of the value at `from`: behind its closing quote or bracket, or at the next comma or blank. */
function valueEnd(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from]!;
  if (first === QUOTE) return quoteEnd(bytes, from, end) + 1 || -1;
  if (OPENERS.has(first)) return groupEnd(bytes, from, end) + 1 || -1;
  let i = from;
  while (i < end && bytes[i] !== COMMA && bytes[i] !== SPACE) i++;
  return i;
}

/** "-17", "0x1200011", "( "TASK_RUNNING" : container = 0 )"; NaN for everything else. */
function numberIn(bytes: Uint8Array, from: number, stop: number): number {
  let at = from;
  if (bytes[at] === 0x28) {
    const container = findFirst(bytes, at, stop, CONTAINER);
    if (container < 0) return Number.NaN;
    at = container + CONTAINER.length;
  }
  const isNegative = bytes[at] === DASH;
  if (isNegative) at++;
  if (hasHexPrefix(bytes, at, stop)) return hexIn(bytes, at + 2, stop);
  const digits = digitsEnd(bytes, at, stop);
  if (digits === at) return Number.NaN;
  const value = readDecimal(bytes, at, digits);
  return isNegative ? -value : value;
}

function hexIn(bytes: Uint8Array, from: number, stop: number): number {
  let value = 0;
  let at = from;
  for (; at < stop; at++) {
    const digit = hexDigit(bytes[at]!);
    if (digit < 0) break;
    value = value * 16 + digit;
  }
  return at === from ? Number.NaN : value;
}
