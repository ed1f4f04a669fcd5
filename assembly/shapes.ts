// How events begin: EventShapes.find() over the beginnings the TypeScript has written here. Each is a word without a blank or
// a parenthesis, then one of them, so at most one stands in a place, and the word with what ends it, cut out of the text
// by a mask, finds it in a hash table. Guessed by four of its bytes an event took 25 ns, so 5.

/** Bytes of a beginning: text and mask, padded. */
export const SHAPE_BYTES: i32 = 128;
const TEXT_BYTES: i32 = 64;
export const MAX_SHAPES: i32 = 1024;
/** Texts and masks by shape. */
export const SHAPES: usize = memory.data(128 * 1024, 16);
/** By shape: length, name id (-1: skipped), lines that made no record. */
export const LENGTHS: usize = memory.data(4 * 1024, 16);
export const NAME_IDS: usize = memory.data(4 * 1024, 16);
export const SKIPPED: usize = memory.data(4 * 1024, 16);
/** By shape: how its lines become rows (a record; sched_switch; a probe; a tracepoint of a task), the EventKind of the last two, whether its rows are aliases. */
export const ACTIONS: usize = memory.data(4 * 1024, 16);
export const KINDS: usize = memory.data(4 * 1024, 16);
export const ALIASES: usize = memory.data(4 * 1024, 16);

const SLOT_BITS: i32 = 12;
/** Shape + 1, 0 for none. */
const SLOTS: usize = memory.data(4 * 4096, 16);
/** 16 bytes that are set, 16 that are not. */
const SET_BYTES: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
], 16);

/** Where the shape found last ends. */
export let shapeEnd: usize = 0;

/** Takes in the first `count` of SHAPES. */
export function learnShapes(count: i32): void {
  memory.fill(SKIPPED, 0, 4 * MAX_SHAPES);
  memory.fill(SLOTS, 0, 4 << SLOT_BITS);
  for (let id = 0; id < count; id++) {
    let slot = slotOf(SHAPES + id * SHAPE_BYTES);
    while (load<i32>(SLOTS + slot * 4) != 0) slot = nextSlot(slot);
    store<i32>(SLOTS + slot * 4, id + 1);
  }
}

// @ts-expect-error: decorator
@inline
function nextSlot(slot: u32): u32 {
  return (slot + 1) & ((1 << SLOT_BITS) - 1);
}

// @ts-expect-error: decorator
@inline
function hash(text: v128): u64 {
  return (i64x2.extract_lane(text, 0) ^ (i64x2.extract_lane(text, 1) * 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd;
}

// @ts-expect-error: decorator
@inline
function wordEnds(text: v128): i32 {
  return i8x16.bitmask(v128.or(i8x16.eq(text, i8x16.splat(0x20)), i8x16.eq(text, i8x16.splat(0x28))));
}

/** The bytes up to the first of `ends`, with it; zeros behind. */
// @ts-expect-error: decorator
@inline
function cut(text: v128, ends: i32): v128 {
  return v128.and(text, v128.load(SET_BYTES + 15 - ctz(ends | 0x8000)));
}

/** By the word at `at` and what ends it, as far as they are among 32 bytes. */
// @ts-expect-error: decorator
@inline
function slotOf(at: usize): u32 {
  const text = v128.load(at);
  const ends = wordEnds(text);
  let mixed = hash(cut(text, ends));
  if (ends == 0) {
    const rest = v128.load(at, 16);
    mixed = (mixed ^ (mixed >> 32)) + hash(cut(rest, wordEnds(rest)));
  }
  return u32(mixed >> (64 - SLOT_BITS));
}

/** Whether shape `id` stands at `at`. */
// @ts-expect-error: decorator
@inline
function stands(id: i32, at: usize): bool {
  const shape = SHAPES + id * SHAPE_BYTES;
  const length = load<i32>(LENGTHS + id * 4);
  let i = 0;
  do {
    const differs = v128.and(v128.xor(v128.load(at + i), v128.load(shape + i)), v128.load(shape + TEXT_BYTES + i));
    if (v128.any_true(differs)) return false;
    i += 16;
  } while (i < length);
  return true;
}

/** The shape that stands at `at`, -1 when none does. */
// @ts-expect-error: decorator
@inline
export function findShape(at: usize): i32 {
  let slot = slotOf(at);
  while (true) {
    const id = load<i32>(SLOTS + slot * 4) - 1;
    if (id < 0) return -1;
    if (stands(id, at)) {
      shapeEnd = at + load<i32>(LENGTHS + id * 4);
      return id;
    }
    slot = nextSlot(slot);
  }
}
