// The numbers of one page of a column at their least width: what they have in common is kept once, the rest in 0, 1, 2, 4 or
// 8 bytes each. Read and, as far as they fit, written in place.

/** Bytes of a number. */
type Width = 0 | 1 | 2 | 4 | 8;

/** A step tried where differences take more than two bytes: recordings whose clock counts microseconds. */
const THOUSAND = 1000;

const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Uint16Array(0);
const NO_LONGS = new Uint32Array(0);
const NO_FLOATS = new Float64Array(0);

/** Codes of a width, the last of which stands for NaN. */
function topOf(width: 1 | 2 | 4): number {
  return width === 1 ? 0xff : width === 2 ? 0xffff : 0xffff_ffff;
}

/** Numbers, NaN among them, that never move. */
export class PackedCells {
  readonly length: number;
  readonly #width: Width;
  /** A number is `base` + code * `step`; where the width is 0 all are `base`, where it is 8 they are kept as they are. */
  readonly #base: number;
  readonly #step: number;
  readonly #bytes: Uint8Array;
  readonly #words: Uint16Array;
  readonly #longs: Uint32Array;
  readonly #floats: Float64Array;

  constructor(values: Int32Array | Float64Array) {
    const { width, base, step } = planOf(values);
    const size = values.length;
    this.length = size;
    this.#width = width;
    this.#base = base;
    this.#step = step;
    this.#bytes = width === 1 ? new Uint8Array(size) : NO_BYTES;
    this.#words = width === 2 ? new Uint16Array(size) : NO_WORDS;
    this.#longs = width === 4 ? new Uint32Array(size) : NO_LONGS;
    this.#floats = width === 8 ? Float64Array.from(values) : NO_FLOATS;
    if (width === 1) encode(this.#bytes, values, base, step);
    else if (width === 2) encode(this.#words, values, base, step);
    else if (width === 4) encode(this.#longs, values, base, step);
  }

  /** Bytes that grow with the numbers. */
  get bytes(): number {
    return this.#bytes.length + 2 * this.#words.length + 4 * this.#longs.length + 8 * this.#floats.length;
  }

  at(i: number): number {
    switch (this.#width) {
      case 0:
        return this.#base;
      case 1:
        return this.#value(this.#bytes[i]!, 0xff);
      case 2:
        return this.#value(this.#words[i]!, 0xffff);
      case 4:
        return this.#value(this.#longs[i]!, 0xffff_ffff);
      case 8:
        return this.#floats[i]!;
    }
  }

  /** Puts `value` in its place; false, and nothing is changed, where it does not fit. */
  set(i: number, value: number): boolean {
    const width = this.#width;
    if (width === 0) return Object.is(value, this.#base);
    if (width === 8) {
      this.#floats[i] = value;
      return true;
    }
    const top = topOf(width);
    const code = Number.isNaN(value) ? top : (value - this.#base) / this.#step;
    if (!Number.isInteger(code) || code < 0 || (code >= top && !Number.isNaN(value))) return false;
    // The difference is rounded: a code that is whole need not be the value's.
    if (!Object.is(this.#value(code, top), value)) return false;
    if (width === 1) this.#bytes[i] = code;
    else if (width === 2) this.#words[i] = code;
    else this.#longs[i] = code;
    return true;
  }

  #value(code: number, top: number): number {
    return code === top ? Number.NaN : this.#base + code * this.#step;
  }
}

/** Writes every value's code, whose width is that of `into`. */
function encode(
  into: Uint8Array | Uint16Array | Uint32Array,
  values: Int32Array | Float64Array,
  base: number,
  step: number,
): void {
  // -1 is the last code of any width.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    into[i] = Number.isNaN(value) ? -1 : (value - base) / step;
  }
}

interface Plan {
  readonly width: Width;
  readonly base: number;
  readonly step: number;
}

const AS_THEY_ARE: Plan = { width: 8, base: 0, step: 1 };

function planOf(values: Int32Array | Float64Array): Plan {
  const { least, most, hasNaN, isWhole } = rangeOf(values);
  if (least > most) return { width: 0, base: Number.NaN, step: 1 };
  // A difference of two safe integers need not be one.
  if (!isWhole || !Number.isSafeInteger(most - least)) return AS_THEY_ARE;
  if (least === most && !hasNaN) return { width: 0, base: least, step: 1 };
  const span = most - least;
  const step = span >= topOf(2) && isInSteps(values, least, THOUSAND) ? THOUSAND : 1;
  const width = ([1, 2, 4] as const).find((size) => span / step < topOf(size));
  return width === undefined ? AS_THEY_ARE : { width, base: least, step };
}

interface Range {
  /** Above `most` when all are NaN. */
  readonly least: number;
  readonly most: number;
  readonly hasNaN: boolean;
  readonly isWhole: boolean;
}

function rangeOf(values: Int32Array | Float64Array): Range {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let hasNaN = false;
  let isWhole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) {
      hasNaN = true;
      continue;
    }
    if (!isWholeNumber(value)) isWhole = false;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { least, most, hasNaN, isWhole };
}

function isWholeNumber(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function isInSteps(values: Int32Array | Float64Array, base: number, step: number): boolean {
  return values.every((value) => Number.isNaN(value) || (value - base) % step === 0);
}
