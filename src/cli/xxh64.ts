// XXH64, seed 0, streaming: the checksum at the end of a zstd frame (RFC 8878 §3.1.1; its low 32 bits). fzstd
// does not verify it, so zstd-decoder.ts does. 64-bit values are two int32 halves: bigints would be 20 times slower.

const STRIPE = 32;
/** Prime n as [low, high]. */
const P1: readonly [number, number] = [0x85ebca87 | 0, 0x9e3779b1 | 0];
const P2: readonly [number, number] = [0x27d4eb4f | 0, 0xc2b2ae3d | 0];
const P3: readonly [number, number] = [0x9e3779f9 | 0, 0x165667b1 | 0];
const P4: readonly [number, number] = [0xc2b2ae63 | 0, 0x85ebca77 | 0];
const P5: readonly [number, number] = [0x165667c5 | 0, 0x27d4eb2f | 0];

/** High half of the value the last helper returned the low half of. */
let high = 0;

function add(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const low = (aLow + bLow) | 0;
  high = (aHigh + bHigh + (low >>> 0 < aLow >>> 0 ? 1 : 0)) | 0;
  return low;
}

function multiply(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const middle = (Math.imul(a1, b0) >>> 0) + (Math.imul(a0, b0) >>> 16);
  const other = (Math.imul(a0, b1) >>> 0) + (middle & 0xffff);
  const carry = Math.imul(a1, b1) + (middle >>> 16) + (other >>> 16);
  high = (carry + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
  return Math.imul(aLow, bLow);
}

/** `by` is between 1 and 31. */
function rotateLeft(low: number, highIn: number, by: number): number {
  high = (highIn << by) | (low >>> (32 - by));
  return (low << by) | (highIn >>> (32 - by));
}

/** One lane of the main loop: rotl(acc + input * P2, 31) * P1. */
function round(accLow: number, accHigh: number, low: number, highIn: number): number {
  const product = multiply(low, highIn, P2[0], P2[1]);
  const sum = add(accLow, accHigh, product, high);
  const turned = rotateLeft(sum, high, 31);
  return multiply(turned, high, P1[0], P1[1]);
}

/** Hash of the bytes given to `update` so far. */
export class Xxh64 {
  /** Four lanes, low and high halves. */
  readonly #lanes: Int32Array = initialLanes();
  readonly #tail: Uint8Array = new Uint8Array(STRIPE);
  #tailLength = 0;
  #total = 0;

  update(bytes: Uint8Array): void {
    this.#total += bytes.length;
    let at = 0;
    if (this.#tailLength > 0) {
      at = Math.min(STRIPE - this.#tailLength, bytes.length);
      this.#tail.set(bytes.subarray(0, at), this.#tailLength);
      this.#tailLength += at;
      if (this.#tailLength < STRIPE) return;
      this.#stripes(this.#tail, 0, STRIPE);
    }
    const end = bytes.length - ((bytes.length - at) % STRIPE);
    this.#stripes(bytes, at, end);
    this.#tail.set(bytes.subarray(end));
    this.#tailLength = bytes.length - end;
  }

  /** Low 32 bits of the hash, unsigned. More may be added afterwards. */
  low32(): number {
    const lanes = this.#lanes;
    let low = P5[0];
    high = P5[1];
    if (this.#total >= STRIPE) {
      low = converge(lanes);
      for (let lane = 0; lane < 4; lane++) {
        const mixedHigh = high;
        const rounded = round(0, 0, lanes[lane * 2] ?? 0, lanes[lane * 2 + 1] ?? 0);
        low = multiply(low ^ rounded, mixedHigh ^ high, P1[0], P1[1]);
        low = add(low, high, P4[0], P4[1]);
      }
    }
    low = add(low, high, this.#total | 0, Math.floor(this.#total / 2 ** 32));
    return avalanche(this.#mixTail(low));
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lanes = this.#lanes;
    for (let at = start; at < end; at += 8) {
      const lane = ((at - start) >> 2) & 6;
      const low = view.getInt32(at, true);
      lanes[lane] = round(lanes[lane] ?? 0, lanes[lane + 1] ?? 0, low, view.getInt32(at + 4, true));
      lanes[lane + 1] = high;
    }
  }

  /** The last 0 to 31 bytes: words, half words, bytes. Takes and leaves the high half in `high`. */
  #mixTail(start: number): number {
    const view = new DataView(this.#tail.buffer);
    const length = this.#tailLength;
    let low = start;
    let at = 0;
    for (; at + 8 <= length; at += 8) {
      const before = high;
      const rounded = round(0, 0, view.getInt32(at, true), view.getInt32(at + 4, true));
      low = rotateLeft(low ^ rounded, before ^ high, 27);
      low = multiply(low, high, P1[0], P1[1]);
      low = add(low, high, P4[0], P4[1]);
    }
    if (at + 4 <= length) {
      const before = high;
      const product = multiply(view.getInt32(at, true), 0, P1[0], P1[1]);
      low = rotateLeft(low ^ product, before ^ high, 23);
      low = multiply(low, high, P2[0], P2[1]);
      low = add(low, high, P3[0], P3[1]);
      at += 4;
    }
    for (; at < length; at++) {
      const before = high;
      const product = multiply(view.getUint8(at), 0, P5[0], P5[1]);
      low = rotateLeft(low ^ product, before ^ high, 11);
      low = multiply(low, high, P1[0], P1[1]);
    }
    return low;
  }
}

/** rotl(v1, 1) + rotl(v2, 7) + rotl(v3, 12) + rotl(v4, 18). */
function converge(lanes: Int32Array): number {
  let low = 0;
  let sumHigh = 0;
  for (const [lane, by] of [1, 7, 12, 18].entries()) {
    const turned = rotateLeft(lanes[lane * 2] ?? 0, lanes[lane * 2 + 1] ?? 0, by);
    low = add(low, sumHigh, turned, high);
    sumHigh = high;
  }
  return low;
}

function avalanche(start: number): number {
  let low = start ^ (high >>> 1);
  low = multiply(low, high, P2[0], P2[1]);
  const shifted = (low >>> 29) | (high << 3);
  low = multiply(low ^ shifted, high ^ (high >>> 29), P3[0], P3[1]);
  return (low ^ high) >>> 0;
}

function initialLanes(): Int32Array {
  const first = add(P1[0], P1[1], P2[0], P2[1]);
  const firstHigh = high;
  const last = add(0, 0, ~P1[0] + 1, ~P1[1] + (P1[0] === 0 ? 1 : 0));
  return Int32Array.of(first, firstHigh, P2[0], P2[1], 0, 0, last, high);
}
