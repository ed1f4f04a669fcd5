// Integers of any width and byte order out of a packet's bytes. CTF numbers bits from the least significant one in
// little-endian traces and from the most significant one in big-endian ones (CTF 1.8.3, 4.1.5). Used by packet.ts.

const TWO_32 = 0x100000000;

/**
 * The integer of `size` (1 to 64) bits at bit `at`; exact below 2^53, rounded above. The caller has checked that the bits
 * are there.
 */
export function readBits(
  bytes: Uint8Array,
  at: number,
  size: number,
  isLittle: boolean,
  signed: boolean,
): number {
  const first = at >>> 3;
  if ((at & 7) === 0 && size === 32) {
    const value = isLittle
      ? bytes[first]! | (bytes[first + 1]! << 8) | (bytes[first + 2]! << 16) | (bytes[first + 3]! << 24)
      : (bytes[first]! << 24) | (bytes[first + 1]! << 16) | (bytes[first + 2]! << 8) | bytes[first + 3]!;
    return signed ? value : value >>> 0;
  }
  if (size > 32) return readWide(bytes, at, size, isLittle, signed);
  const low = readNarrow(bytes, at, size, isLittle);
  return signed && low >= 2 ** (size - 1) ? low - 2 ** size : low;
}

/** Up to 32 bits, unsigned. */
function readNarrow(bytes: Uint8Array, at: number, size: number, isLittle: boolean): number {
  let value = 0;
  let bit = at;
  let left = size;
  if (isLittle) {
    let weight = 1;
    while (left > 0) {
      const inByte = bit & 7;
      const taken = Math.min(8 - inByte, left);
      value += ((bytes[bit >>> 3]! >>> inByte) & ((1 << taken) - 1)) * weight;
      weight *= 1 << taken;
      bit += taken;
      left -= taken;
    }
    return value;
  }
  while (left > 0) {
    const inByte = bit & 7;
    const taken = Math.min(8 - inByte, left);
    const part = (bytes[bit >>> 3]! >>> (8 - inByte - taken)) & ((1 << taken) - 1);
    value = value * (1 << taken) + part;
    bit += taken;
    left -= taken;
  }
  return value;
}

function readWide(bytes: Uint8Array, at: number, size: number, isLittle: boolean, signed: boolean): number {
  const highSize = size - 32;
  const low = readBits(bytes, isLittle ? at : at + highSize, 32, isLittle, false);
  const high = readBits(bytes, isLittle ? at + 32 : at, highSize, isLittle, signed);
  return high * TWO_32 + low;
}

/** An unsigned integer of up to 64 bits, exactly. */
export function readBig(bytes: Uint8Array, at: number, size: number, isLittle: boolean): bigint {
  if (size <= 32) return BigInt(readBits(bytes, at, size, isLittle, false));
  const highSize = size - 32;
  const low = readBits(bytes, isLittle ? at : at + highSize, 32, isLittle, false);
  const high = readBits(bytes, isLittle ? at + 32 : at, highSize, isLittle, false);
  return (BigInt(high) << 32n) | BigInt(low);
}
