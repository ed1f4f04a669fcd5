// Records of perf.data put into time order, samples of tracepoints made rows: PerfDataReader of src/ingest/perf-data once more.
// src/ingest/perf-data/kernel-rounds.ts lays blocks of records into the memory, takes the rows and reads what is left to it. `npm run
// kernel` builds it.
import { forget } from "./intern";
import { canIntern, forgetPlans } from "./records";
import {
  add,
  endFlush,
  finishRound,
  flushAll,
  goOn,
  isFlushing,
  resetRounds,
  turn,
} from "./rounds";
import { forgetRows, MAX_ROWS, rows } from "./rows";
import { cpu, forgetAttrs, isTracepoint, pid, rawEnd, rawStart, readHead, tid, time } from "./samples";
import { BILLION, rewind, STATE, takeIn, tell } from "./taken";

export { COMM_LENGTHS, COMMS, MAX_COMMS, MAX_POINTERS, POINTERS } from "./intern";
export { MAX_FIELDS, MAX_PLANS, PLAN_BYTES, PLAN_OF, PLANS, ROW_IDS, SKIPS, setNames } from "./records";
export { BLOCKS, blocks, overflows } from "./rounds";
export {
  ARG_COMM,
  ARG_TID,
  COMM,
  COUNT,
  CPU,
  CTX,
  FLAGS,
  KIND,
  LINE_NUMBERS,
  MAX_ROWS,
  MM,
  MM2,
  NS,
  ROW_ROOM,
  TGID,
  TID,
  USERS,
} from "./rows";
export { ATTR_BYTES, setAttrs } from "./samples";
export { STATE } from "./taken";
export { COMM_IDS, POINTER_IDS, translate } from "./translate";

export const HEAP: usize = (__heap_base + 63) & ~63;

/** What run() stopped for. Word 0 of STATE: where the record is that is left. */
const DONE: i32 = 0;
/** A record whose turn it is. */
const LEFT_RECORD: i32 = 1;
/** One that belongs to no event. */
const NO_EVENT: i32 = 2;
const ROWS_FULL: i32 = 3;
const NAMES_FULL: i32 = 4;

const FIRST_USER_RECORD: u32 = 64;
const FINISHED_ROUND: u32 = 68;
const SAMPLE: u32 = 9;

/** The block that is read, and where. */
let block: usize = 0;
let blockSize: u32 = 0;
let at: usize = 0;
let end: usize = 0;
let hasRounds: bool = true;
/** The record whose turn it is was dealt with. */
let isDealtWith: bool = false;
/** Records met, and samples whose turn has come: the TypeScript counts those of both that it reads itself. */
export let records: i32 = 0;
let samples: i32 = 0;

export function reset(): void {
  forgetAttrs();
  forgetNames();
  forgetPlans();
  resetRounds();
  at = 0;
  end = 0;
  isDealtWith = false;
  records = 0;
}

/** Names and pointers get new ids. */
export function forgetNames(): void {
  forget();
  forgetRows();
}

/** The records from `from` on of the block are to be read: run() until it is done. Without rounds none ends in it. */
export function enter(blockAt: usize, size: u32, from: usize, rounds: bool): void {
  hasRounds = rounds;
  block = blockAt;
  blockSize = size;
  at = from;
  end = blockAt + usize(size);
}

/** Where reading the block stopped: at its end, at a record it cuts, or at one of perf's own. */
export function place(): usize {
  return at;
}

/** All that waits is to be let go: run() until it is done. */
export function finish(): void {
  at = end;
  flushAll();
}

/**
 * Goes on until something is to be done: see above. `sampled` samples had their turn; with `leaveAll` the next one is left, with
 * `leaveIdle` the next one of the idle task. Rows and what was taken in since the last call are the caller's.
 */
export function run(epoch: f64, sampled: i32, leaveAll: bool, leaveIdle: bool): i32 {
  rewind();
  samples = sampled;
  const why = go(i64(epoch), leaveAll, leaveIdle);
  tell();
  store<i32>(STATE, samples, 4);
  return why;
}

function go(epoch: i64, leaveAll: bool, leaveIdle: bool): i32 {
  while (true) {
    while (isFlushing) {
      const why = flushOn(epoch, leaveAll, leaveIdle);
      if (why != DONE) return why;
      endFlush();
    }
    if (at + 8 > end) return DONE;
    const size = usize(load<u16>(at, 6));
    const type = load<u32>(at);
    if (size < 8 || at + size > end) return DONE;
    if (type >= FIRST_USER_RECORD) {
      if (type != FINISHED_ROUND || !hasRounds) return DONE;
      finishRound();
    } else {
      if (!readHead(at, at + size)) {
        records++;
        store<i32>(STATE, i32(at));
        at += size;
        return NO_EVENT;
      }
      if (time == 0 || time == u64.MAX_VALUE) {
        records++;
        store<i32>(STATE, i32(at));
        at += size;
        return LEFT_RECORD;
      }
      if (!add(block, blockSize, at, time)) continue;
    }
    records++;
    at += size;
  }
}

/** DONE when the flush is over. */
function flushOn(epoch: i64, leaveAll: bool, leaveIdle: bool): i32 {
  while (true) {
    if (isDealtWith) {
      goOn();
      isDealtWith = false;
    }
    const start = turn();
    if (start == 0) return DONE;
    if (rows >= MAX_ROWS) return ROWS_FULL;
    if (!canIntern()) return NAMES_FULL;
    isDealtWith = true;
    if (leaveAll || !takeSample(start, epoch, leaveIdle)) {
      store<i32>(STATE, i32(start));
      return LEFT_RECORD;
    }
  }
}

/** False when the record is left. */
// @ts-expect-error: decorator
@inline
function takeSample(start: usize, epoch: i64, leaveIdle: bool): bool {
  if (load<u32>(start) != SAMPLE || !readHead(start, start + usize(load<u16>(start, 6)))) return false;
  if (!isTracepoint() || tid < -1 || (leaveIdle && tid == 0)) return false;
  if (!takeIn(rawStart, rawEnd, cpu, tid, pid, time / BILLION, u32(time % BILLION), samples + 1, epoch)) return false;
  samples++;
  return true;
}
