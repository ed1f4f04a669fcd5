// Printed pointers <-> small integers. Keyed by the value, so that "0xff2f70a182d43180" and "ff2f70a182d43180" are one
// and no text is kept or compared per line. Filled by the body parsers, read into TraceMeta.pointers.
import { NO_MM, NULL_MM } from "../table/event-batch.ts";
import { ascii, hasHexPrefix, SPACE, startsWith, ZERO } from "./numbers.ts";

const NULL_TEXT = ascii("(null)");
const EMPTY = -1;
const MAX_DIGITS = 16;
/** Of "0xff2f70a182d43180". */
const FULL_LENGTH = 18;

/** Value of an ASCII hex digit, -1 for every other byte. */
const HEX: Int8Array = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Interns pointers. Ids are dense, in order of first sight; 0 is NULL. */
export class PointerTable {
  /** Where the word read last ends. */
  end = 0;
  /** "0xff2f70a182d43180", by id. */
  readonly labels: string[] = ["0x0"];
  #slots: Int32Array = new Int32Array(1024).fill(EMPTY);
  #hi: Int32Array = new Int32Array(512);
  #lo: Int32Array = new Int32Array(512);

  /**
   * Id of the pointer that begins at `at` and ends at the next space or at `end`: "0xff2f70a182d43180", bare hex
   * ("ff2f…", "0000000027ad37d8"), "(null)". NO_MM for "(fault)", "(efault)", "(____ptrval____)" and what is none.
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    const stop = at + FULL_LENGTH;
    if (stop <= end && (stop === end || bytes[stop] === SPACE) && hasHexPrefix(bytes, at, end)) {
      // Nothing is checked per digit: -1 for a byte that is none leaves its sign in `signs`.
      let hi = 0;
      let lo = 0;
      let signs = 0;
      for (let i = at + 2; i < at + 10; i++) {
        const digit = HEX[bytes[i]!]!;
        signs |= digit;
        hi = (hi << 4) | digit;
      }
      for (let i = at + 10; i < stop; i++) {
        const digit = HEX[bytes[i]!]!;
        signs |= digit;
        lo = (lo << 4) | digit;
      }
      if (signs >= 0) {
        this.end = stop;
        return (hi | lo) === 0 ? NULL_MM : this.#idOf(hi, lo);
      }
    }
    return this.#readAny(bytes, at, end);
  }

  /** Values by id, as two halves. */
  packed(): { readonly hi: Int32Array; readonly lo: Int32Array } {
    const { length } = this.labels;
    return { hi: this.#hi.slice(0, length), lo: this.#lo.slice(0, length) };
  }

  /** Id of a pointer given as its two 32-bit halves, signed or not. */
  ofWords(high: number, low: number): number {
    return (high | low) === 0 ? NULL_MM : this.#idOf(high | 0, low | 0);
  }

  #readAny(bytes: Uint8Array, at: number, end: number): number {
    let i = hasHexPrefix(bytes, at, end) ? at + 2 : at;
    const first = i;
    while (i < end && bytes[i] === ZERO) i++;
    const significant = i;
    let hi = 0;
    let lo = 0;
    for (; i < end; i++) {
      const digit = HEX[bytes[i]!]!;
      if (digit < 0) break;
      hi = (hi << 4) | (lo >>> 28);
      lo = (lo << 4) | digit;
    }
    if (i > first && i - significant <= MAX_DIGITS && (i === end || bytes[i] === SPACE)) {
      this.end = i;
      return (hi | lo) === 0 ? NULL_MM : this.#idOf(hi, lo);
    }
    while (i < end && bytes[i] !== SPACE) i++;
    this.end = i;
    return i - at === NULL_TEXT.length && startsWith(bytes, at, i, NULL_TEXT) ? NULL_MM : NO_MM;
  }

  #idOf(hi: number, lo: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hashOf(hi, lo) & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot]!;
      if (id === EMPTY) return this.#insert(hi, lo, slot);
      if (this.#lo[id] === lo && this.#hi[id] === hi) return id;
    }
  }

  #insert(hi: number, lo: number, slot: number): number {
    const id = this.labels.length;
    const high = hi === 0 ? "" : (hi >>> 0).toString(16);
    const low = (lo >>> 0).toString(16);
    this.labels.push(`0x${high}${hi === 0 ? low : low.padStart(8, "0")}`);
    if (id >= this.#hi.length) {
      this.#hi = doubled(this.#hi);
      this.#lo = doubled(this.#lo);
    }
    this.#hi[id] = hi;
    this.#lo[id] = lo;
    this.#slots[slot] = id;
    if (id * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let id = 1; id < this.labels.length; id++) {
      let slot = hashOf(this.#hi[id]!, this.#lo[id]!) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

/** mm_structs lie 0x400 or 0x580 apart: the low bits alone would collide. */
function hashOf(hi: number, lo: number): number {
  const h = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b);
  return h ^ (h >>> 15);
}

function doubled(from: Int32Array): Int32Array {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
