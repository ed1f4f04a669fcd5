// Task names and pointers as small integers: ids of a part, from 0, in order of first sight. The TypeScript behind
// the kernel reads the values by id and gives them the sink's ids.

export const MAX_COMMS: i32 = 4096;
export const MAX_POINTERS: i32 = 16384;
/** Longest name that is taken: a longer one is no task's. */
export const MAX_COMM: usize = 16;

/** By id: 16 bytes, padded with zeros. */
export const COMMS: usize = memory.data(16 * 4096, 16);
export const COMM_LENGTHS: usize = memory.data(4 * 4096, 16);
const COMM_SLOTS: usize = memory.data(4 * 8192, 16);
/** By id: 64 bits. */
export const POINTERS: usize = memory.data(8 * 16384, 16);
const POINTER_SLOTS: usize = memory.data(4 * 32768, 16);

export let comms: i32 = 0;
export let pointers: i32 = 0;

/** Forgets all. Name 0 is "<...>", pointer 0 is NULL. */
export function forget(): void {
  memory.fill(COMM_SLOTS, 0, 4 * 8192);
  memory.fill(POINTER_SLOTS, 0, 4 * 32768);
  comms = 0;
  // "<...>"
  idOfComm(0x3e2e2e2e3c, 0, 5);
  pointers = 1;
  store<u64>(POINTERS, 0);
}

/** Id of the name [start, end), at most 16 bytes long; 0 for an empty one, -1 when there is no room for it. */
export function commOf(start: usize, end: usize): i32 {
  const length = i32(end - start);
  if (length == 0) return 0;
  let low = load<u64>(start);
  let high: u64 = 0;
  if (length < 8) low &= (u64(1) << (u64(length) * 8)) - 1;
  else if (length == 16) high = load<u64>(start, 8);
  else high = load<u64>(start, 8) & ((u64(1) << (u64(length - 8) * 8)) - 1);
  return idOfComm(low, high, length);
}

function idOfComm(low: u64, high: u64, length: i32): i32 {
  const mixed = (low ^ (high * 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd;
  let slot = i32(mixed >> 51);
  while (true) {
    const id = load<i32>(COMM_SLOTS + slot * 4) - 1;
    if (id < 0) {
      if (comms == MAX_COMMS) return -1;
      store<u64>(COMMS + comms * 16, low);
      store<u64>(COMMS + comms * 16, high, 8);
      store<i32>(COMM_LENGTHS + comms * 4, length);
      store<i32>(COMM_SLOTS + slot * 4, comms + 1);
      return comms++;
    }
    const at = COMMS + id * 16;
    if (load<u64>(at) == low && load<u64>(at, 8) == high && load<i32>(COMM_LENGTHS + id * 4) == length) return id;
    slot = (slot + 1) & 8191;
  }
}

/** Id of a pointer; -1 when there is no room for it. */
export function idOfPointer(value: u64): i32 {
  if (value == 0) return 0;
  let slot = i32((value * 0x9e3779b97f4a7c15) >> 49);
  while (true) {
    const id = load<i32>(POINTER_SLOTS + slot * 4);
    if (id == 0) {
      if (pointers == MAX_POINTERS) return -1;
      store<u64>(POINTERS + pointers * 8, value);
      store<i32>(POINTER_SLOTS + slot * 4, pointers);
      return pointers++;
    }
    if (load<u64>(POINTERS + id * 8) == value) return id;
    slot = (slot + 1) & 32767;
  }
}

/** Value of the 16 hexadecimal digits at `at`; isHex says whether they are. */
export let isHex: bool = false;

// @ts-expect-error: decorator
@inline
export function hex16(at: usize): u64 {
  const text = v128.load(at);
  const digits = i8x16.sub(text, i8x16.splat(0x30));
  const letters = i8x16.sub(v128.or(text, i8x16.splat(0x20)), i8x16.splat(0x61));
  const isDecimal = i8x16.lt_u(digits, i8x16.splat(10));
  const isLetter = i8x16.lt_u(letters, i8x16.splat(6));
  isHex = i8x16.all_true(v128.or(isDecimal, isLetter));
  const nibbles = v128.bitselect(digits, i8x16.add(letters, i8x16.splat(10)), isDecimal);
  const pairs = v128.and(v128.or(i16x8.shl(nibbles, 4), i16x8.shr_u(nibbles, 8)), i16x8.splat(0xff));
  return bswap<u64>(i64x2.extract_lane(i8x16.narrow_i16x8_u(pairs, pairs), 0));
}
