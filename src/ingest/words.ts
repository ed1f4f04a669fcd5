// Integers of either byte order from bytes, and 64-bit times as seconds and nanoseconds. Used by the readers of binary
// formats; `big` is the recording's byte order. No bounds are checked: the caller has.

/** The same bytes for the hot loops: a number of either byte order is one load. Reading outside of it throws. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Two bytes, unsigned. */
export function u16(bytes: Uint8Array, at: number, big: boolean): number {
  return big ? (bytes[at]! << 8) | bytes[at + 1]! : bytes[at]! | (bytes[at + 1]! << 8);
}

/** Four bytes, signed. */
export function i32(bytes: Uint8Array, at: number, big: boolean): number {
  return big
    ? (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    : bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Four bytes, unsigned. */
export function u32(bytes: Uint8Array, at: number, big: boolean): number {
  return i32(bytes, at, big) >>> 0;
}

/** High half of eight bytes, unsigned. */
export function high32(bytes: Uint8Array, at: number, big: boolean): number {
  return u32(bytes, big ? at : at + 4, big);
}

/** Low half of eight bytes, unsigned. */
export function low32(bytes: Uint8Array, at: number, big: boolean): number {
  return u32(bytes, big ? at + 4 : at, big);
}

/** Eight bytes as a number, exact below 2^53: what is larger cannot be an offset or a size and stays larger. */
export function u64(bytes: Uint8Array, at: number, big: boolean): number {
  return high32(bytes, at, big) * 4294967296 + low32(bytes, at, big);
}

/** Eight bytes, exactly. */
export function u64Exact(bytes: Uint8Array, at: number, big: boolean): bigint {
  return (BigInt(high32(bytes, at, big)) << 32n) | BigInt(low32(bytes, at, big));
}

/** Where the NUL of [at, end) stands, or `end`. */
export function nulAt(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== 0) i++;
  return i;
}

/**
 * A 64-bit time as hi * 1e9 + lo, the parts of EventHead. The divisor is taken out of 16-bit pieces so that every
 * product stays below 2^53: 2^48 = 281474 * 1e9 + 976710656, 2^32 = 4 * 1e9 + 294967296.
 */
export class SplitTime {
  hi = 0;
  lo = 0;

  set(high: number, low: number): void {
    const top = Math.floor(high / 65536);
    const middle = high % 65536;
    const rest = top * 976710656 + middle * 294967296 + low;
    const carry = Math.floor(rest / 1e9);
    this.hi = top * 281474 + middle * 4 + carry;
    this.lo = rest - carry * 1e9;
  }

  /** Goes on by `delta`, which is not negative and below 2^53 - 1e9. */
  add(delta: number): void {
    const lo = this.lo + delta;
    if (lo < 1e9) {
      this.lo = lo;
      return;
    }
    const carry = Math.floor(lo / 1e9);
    this.hi += carry;
    this.lo = lo - carry * 1e9;
  }
}
