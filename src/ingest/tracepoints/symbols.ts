// Kernel addresses -> symbols, from the /proc/kallsyms text a recording carries. Read once, when the first probe asks;
// the names stay bytes until one is looked up.
import { hexDigit, LF } from "../numbers.ts";

/** A function's symbol and how far into it an address lies. */
export interface Place {
  readonly symbol: string;
  readonly offset: number;
}

/** Addresses further than this from the symbol before them are in no function. */
const MAX_FUNCTION = 1 << 24;

/** Text symbols of a kallsyms text: "ffffffffba89db70 t mm_init" lines, modules' with "\t[name]" behind. */
export class Symbols {
  readonly #text: Uint8Array;
  #high: Uint32Array = new Uint32Array(0);
  #low: Uint32Array = new Uint32Array(0);
  /** Where each symbol's name begins in the text. */
  #names: Uint32Array = new Uint32Array(0);
  #size = -1;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /** The function that the address (two 32-bit halves, unsigned) lies in; null when there is none or all are hidden (0). */
  find(high: number, low: number): Place | null {
    if (this.#size < 0) this.#read();
    let from = 0;
    let to = this.#size;
    while (from < to) {
      const middle = (from + to) >> 1;
      const h = this.#high[middle]!;
      if (h < high || (h === high && this.#low[middle]! <= low)) from = middle + 1;
      else to = middle;
    }
    if (from === 0) return null;
    const offset = (high - this.#high[from - 1]!) * 4294967296 + low - this.#low[from - 1]!;
    return offset < MAX_FUNCTION ? { symbol: this.#nameAt(this.#names[from - 1]!), offset } : null;
  }

  #nameAt(at: number): string {
    const text = this.#text;
    let end = at;
    while (end < text.length && end - at < 512 && text[end]! > 0x20) end++;
    return new TextDecoder().decode(text.subarray(at, end));
  }

  #read(): void {
    const text = this.#text;
    let lines = 0;
    for (let at = text.indexOf(LF); at >= 0; at = text.indexOf(LF, at + 1)) lines++;
    this.#high = new Uint32Array(lines + 1);
    this.#low = new Uint32Array(lines + 1);
    this.#names = new Uint32Array(lines + 1);
    this.#size = 0;
    for (let at = 0; at < text.length; ) {
      const newline = text.indexOf(LF, at);
      const end = newline < 0 ? text.length : newline;
      this.#line(at, end);
      at = end + 1;
    }
    this.#sort();
  }

  #line(start: number, end: number): void {
    const text = this.#text;
    let high = 0;
    let low = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = hexDigit(text[at]!);
      if (digit < 0) break;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
    }
    // " t name": text symbols are t, T, w, W
    const type = text[at + 1]! | 0x20;
    if (at === start || at + 3 >= end || (type !== 0x74 && type !== 0x77) || (high | low) === 0) return;
    const i = this.#size++;
    this.#high[i] = high;
    this.#low[i] = low;
    this.#names[i] = at + 3;
  }

  /** kallsyms is sorted but for the modules behind the kernel. */
  #sort(): void {
    const size = this.#size;
    const high = this.#high;
    const low = this.#low;
    let isSorted = true;
    for (let i = 1; i < size && isSorted; i++) {
      isSorted = high[i - 1]! < high[i]! || (high[i - 1]! === high[i]! && low[i - 1]! <= low[i]!);
    }
    if (isSorted) return;
    const order = new Uint32Array(size).map((_, i) => i);
    order.sort((a, b) => high[a]! - high[b]! || low[a]! - low[b]! || a - b);
    this.#high = order.map((i) => high[i]!);
    this.#low = order.map((i) => low[i]!);
    const names = this.#names;
    this.#names = order.map((i) => names[i]!);
  }
}
