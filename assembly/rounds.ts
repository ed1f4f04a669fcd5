// Records of perf.data that wait for their turn: RoundQueue of src/ingest/perf-data/rounds.ts once more, where the rules are. A
// record waits where it was read; which blocks of memory are waited in is the TypeScript's to ask.

/** As MAX_WAITING and MAX_RECORDS there. */
const MAX_WAITING: u32 = 1 << 26;
const MAX_RECORDS: i32 = 1 << 19;

/** Per record: its time, where it begins, its block. */
const TIMES: usize = memory.data(8 << 19, 16);
const PLACES: usize = memory.data(4 << 19, 16);
const BLOCK_OF: usize = memory.data(4 << 19, 16);
let count: i32 = 0;
/** Per run of records in order: its first that waits, the end. */
const RUN_AT: usize = memory.data(4 << 19, 16);
const RUN_END: usize = memory.data(4 << 19, 16);
let runs: i32 = 0;
/** Runs whose turn may come in this flush: a heap. */
const TURNS: usize = memory.data(4 << 19, 16);
let turns: i32 = 0;
/** Per block: where it lies, its size. One can stand there twice; each has a record that waits, the last one perhaps not yet. */
export const BLOCKS: usize = memory.data((8 << 19) + 16, 16);
export let blocks: i32 = 0;
/** For compact(): the new number of each block, 0 for none yet, else 1 + it; and the new list. */
const MOVED: usize = memory.data((4 << 19) + 16, 16);
const NEW_BLOCKS: usize = memory.data((8 << 19) + 16, 16);
let held: u64 = 0;
let newest: u64 = 0;
/** What the next finished round lets go. */
let flushTime: u64 = 0;
export let overflows: i32 = 0;

/** Newest time of the flush that goes on. */
let limit: u64 = 0;
export let isFlushing: bool = false;
/** What follows the flush. */
let isRound: bool = false;
let isOverflow: bool = false;

export function resetRounds(): void {
  count = 0;
  runs = 0;
  turns = 0;
  blocks = 0;
  held = 0;
  newest = 0;
  flushTime = 0;
  overflows = 0;
  isFlushing = false;
  isRound = false;
  isOverflow = false;
  step = 0;
}

// @ts-expect-error: decorator
@inline
function timeAt(i: i32): u64 {
  return load<u64>(TIMES + usize(i) * 8);
}

// @ts-expect-error: decorator
@inline
function int(column: usize, i: i32): i32 {
  return load<i32>(column + usize(i) * 4);
}

// @ts-expect-error: decorator
@inline
function setInt(column: usize, i: i32, value: i32): void {
  store<i32>(column + usize(i) * 4, value);
}

/** How far add() came before a flush had to be made. */
let step: i32 = 0;

/** Queues the record at `place` of the block; false when a flush began first and the call is to be repeated behind it. */
export function add(block: usize, blockSize: u32, place: usize, time: u64): bool {
  if (step == 0) {
    step = 2;
    if (blocks == 0 || lastBlock() != block) {
      step = 1;
      if (held + u64(blockSize) > u64(MAX_WAITING) && blocks > 0) {
        overflow();
        return false;
      }
    }
  }
  if (step == 1) {
    hold(block, blockSize);
    step = 2;
  }
  if (step == 2 && count == MAX_RECORDS) {
    step = 3;
    overflow();
    return false;
  }
  if (step == 3 && (blocks == 0 || lastBlock() != block)) hold(block, blockSize);
  step = 0;
  const i = count++;
  store<u64>(TIMES + usize(i) * 8, time);
  setInt(PLACES, i, i32(place));
  setInt(BLOCK_OF, i, blocks - 1);
  const run = runs - 1;
  if (run >= 0 && int(RUN_END, run) == i && time >= timeAt(i - 1)) setInt(RUN_END, run, i + 1);
  else {
    setInt(RUN_AT, runs, i);
    setInt(RUN_END, runs, i + 1);
    runs++;
  }
  if (newest < time) newest = time;
  return true;
}

// @ts-expect-error: decorator
@inline
function lastBlock(): usize {
  return usize(load<u32>(BLOCKS + usize(blocks - 1) * 8));
}

function hold(block: usize, size: u32): void {
  store<u32>(BLOCKS + usize(blocks) * 8, u32(block));
  store<u32>(BLOCKS + usize(blocks) * 8, size, 4);
  blocks++;
  held += u64(size);
}

/** FINISHED_ROUND. */
export function finishRound(): void {
  isRound = true;
  flush(flushTime);
}

/** All that waits. */
export function flushAll(): void {
  flush(u64.MAX_VALUE);
}

function overflow(): void {
  overflows++;
  isOverflow = true;
  let oldest = u64.MAX_VALUE;
  for (let run = 0; run < runs; run++) oldest = min(oldest, timeAt(int(RUN_AT, run)));
  const from = f64(oldest);
  const middle = from + (f64(newest) - from) / 2;
  flush(middle >= 18446744073709551615.0 ? u64.MAX_VALUE : u64(middle));
}

function flush(to: u64): void {
  limit = to;
  isFlushing = true;
  turns = 0;
  for (let run = 0; run < runs; run++) if (timeAt(int(RUN_AT, run)) <= to) enqueue(run);
}

/** Where the record is whose turn it is; 0 when the flush is over. */
export function turn(): usize {
  return turns == 0 ? 0 : usize(int(PLACES, int(RUN_AT, int(TURNS, 0))));
}

/** The next one's turn. */
export function goOn(): void {
  const run = int(TURNS, 0);
  const i = int(RUN_AT, run) + 1;
  setInt(RUN_AT, run, i);
  if (i < int(RUN_END, run) && timeAt(i) <= limit) sift();
  else drop();
}

/** What follows when a flush is over; isFlushing when that is another one. */
export function endFlush(): void {
  isFlushing = false;
  compact();
  if (isOverflow) {
    isOverflow = false;
    if (held > u64(MAX_WAITING / 2) || count > MAX_RECORDS / 2) flushAll();
  } else if (isRound) {
    isRound = false;
    flushTime = newest;
  }
}

/** Moves what still waits to the front, run by run, and lets go of blocks that nothing waits in. */
function compact(): void {
  memory.fill(MOVED, 0, usize(blocks) * 4);
  let left = 0;
  let kept = 0;
  let to = 0;
  held = 0;
  for (let run = 0; run < runs; run++) {
    const from = int(RUN_AT, run);
    const end = int(RUN_END, run);
    if (from == end) continue;
    const first = to;
    for (let i = from; i < end; i++) {
      const block = int(BLOCK_OF, i);
      let moved = int(MOVED, block);
      if (moved == 0) {
        store<u64>(NEW_BLOCKS + usize(kept) * 8, load<u64>(BLOCKS + usize(block) * 8));
        held += u64(load<u32>(BLOCKS + usize(block) * 8, 4));
        moved = ++kept;
        setInt(MOVED, block, moved);
      }
      store<u64>(TIMES + usize(to) * 8, timeAt(i));
      setInt(PLACES, to, int(PLACES, i));
      setInt(BLOCK_OF, to, moved - 1);
      to++;
    }
    setInt(RUN_AT, left, first);
    setInt(RUN_END, left, to);
    left++;
  }
  memory.copy(BLOCKS, NEW_BLOCKS, usize(kept) * 8);
  runs = left;
  blocks = kept;
  count = to;
}

/** Of equal times the run that began first. */
// @ts-expect-error: decorator
@inline
function isBefore(a: i32, b: i32): bool {
  const x = timeAt(int(RUN_AT, a));
  const y = timeAt(int(RUN_AT, b));
  return x < y || (x == y && a < b);
}

function swap(a: i32, b: i32): void {
  const run = int(TURNS, a);
  setInt(TURNS, a, int(TURNS, b));
  setInt(TURNS, b, run);
}

function enqueue(run: i32): void {
  let place = turns++;
  setInt(TURNS, place, run);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(run, int(TURNS, parent))) return;
    swap(place, parent);
    place = parent;
  }
}

function sift(): void {
  let place = 0;
  while (true) {
    const left = 2 * place + 1;
    if (left >= turns) return;
    const child = left + 1 < turns && isBefore(int(TURNS, left + 1), int(TURNS, left)) ? left + 1 : left;
    if (!isBefore(int(TURNS, child), int(TURNS, place))) return;
    swap(place, child);
    place = child;
  }
}

function drop(): void {
  turns--;
  if (turns == 0) return;
  setInt(TURNS, 0, int(TURNS, turns));
  sift();
}
