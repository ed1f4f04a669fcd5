// The pages of all CPUs merged by time, their records made rows: PageMerge of src/ingest/ring-buffer/merge.ts once more.
// src/ingest/ring-buffer/kernel-merge.ts fills the slabs, takes the rows and decodes what is left to it. `npm run kernel` builds it.
import { forget } from "./intern";
import { canIntern, forgetPlans } from "./records";
import { forgetRows, MAX_ROWS, rows } from "./rows";
import {
  cpuOf,
  endOf,
  lostOf,
  MAX_STREAMS,
  nanosOf,
  next,
  OVER,
  openStream,
  RECORD,
  STREAM_BYTES,
  STREAMS,
  secondsOf,
  startOf,
} from "./streams";
import { OF_RECORD, rewind, STATE, takeIn, tell } from "./taken";

export { COMM_LENGTHS, COMMS, MAX_COMMS, MAX_POINTERS, POINTERS } from "./intern";
export { MAX_FIELDS, MAX_PLANS, PLAN_BYTES, PLAN_OF, PLANS, ROW_IDS, SKIPS, setNames } from "./records";
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
export { MAX_STREAMS, STREAM_BYTES, STREAMS, setLayout } from "./streams";
export { STATE } from "./taken";
export { COMM_IDS, POINTER_IDS, translate } from "./translate";

export const HEAP: usize = (__heap_base + 63) & ~63;

/** What run() stopped for. */
const DONE: i32 = 0;
const LEFT_RECORD: i32 = 1;
const SLAB_EMPTY: i32 = 2;
const ROWS_FULL: i32 = 3;
const NAMES_FULL: i32 = 4;

/** Streams that stand at a record, the oldest first; a binary heap of StreamHeap's order. */
const QUEUE: usize = memory.data(4 * 1024, 16);
let queued: i32 = 0;
let streams: i32 = 0;
/** How many of the streams were opened to their first record. */
let opened: i32 = 0;
/** The oldest record was dealt with. */
let isDealtWith: bool = false;
let records: u32 = 0;

/** Forgets the recording before; its plans too. */
export function reset(): void {
  forgetNames();
  forgetPlans();
  queued = 0;
  streams = 0;
  opened = 0;
  isDealtWith = false;
  records = 0;
}

/** Names and pointers get new ids. */
export function forgetNames(): void {
  forget();
  forgetRows();
}

/** Number of a new stream. */
export function addStream(cpu: i32): i32 {
  openStream(STREAMS + usize(streams) * STREAM_BYTES, cpu);
  return streams++;
}

/**
 * Goes on until something is to be done: see above. Words 0 and 1 of STATE: the stream, records met. With `leaveAll` the next record is left. Rows and what was skimmed since
 * the last call are the caller's, which has taken them before the next.
 */
export function run(epoch: f64, leaveAll: bool): i32 {
  rewind();
  const why = go(i64(epoch), leaveAll);
  store<i32>(STATE, records, 4);
  tell();
  return why;
}

function go(epoch: i64, leaveAll: bool): i32 {
  while (opened < streams) {
    const came = next(STREAMS + usize(opened) * STREAM_BYTES);
    if (came == RECORD) enqueue(opened);
    else if (came != OVER) {
      store<i32>(STATE, opened);
      return SLAB_EMPTY;
    }
    opened++;
  }
  while (true) {
    if (isDealtWith) {
      const s = top();
      const came = next(s);
      if (came == RECORD) sift();
      else if (came == OVER) drop();
      else {
        store<i32>(STATE, load<i32>(QUEUE));
        return SLAB_EMPTY;
      }
      isDealtWith = false;
    }
    if (queued == 0) return DONE;
    if (rows >= MAX_ROWS) return ROWS_FULL;
    if (!canIntern()) return NAMES_FULL;
    const s = top();
    const line = ++records;
    isDealtWith = true;
    if (leaveAll || lostOf(s) != 0 || !takeStream(s, epoch, line)) {
      store<i32>(STATE, load<i32>(QUEUE));
      return LEFT_RECORD;
    }
  }
}

/** The record a stream stands at. */
// @ts-expect-error: decorator
@inline
function takeStream(s: usize, epoch: i64, line: u32): bool {
  return takeIn(startOf(s), endOf(s), cpuOf(s), OF_RECORD, -1, secondsOf(s), nanosOf(s), line, epoch);
}

// @ts-expect-error: decorator
@inline
function top(): usize {
  return at(0);
}

/** The stream at a place of the queue. */
// @ts-expect-error: decorator
@inline
function at(place: i32): usize {
  return STREAMS + usize(load<i32>(QUEUE + usize(place) * 4)) * STREAM_BYTES;
}

/** Of equal times the stream opened first. */
// @ts-expect-error: decorator
@inline
function isBefore(a: usize, b: usize): bool {
  const x = secondsOf(a);
  const y = secondsOf(b);
  if (x != y) return x < y;
  const m = nanosOf(a);
  const n = nanosOf(b);
  return m < n || (m == n && a < b);
}

function swap(a: i32, b: i32): void {
  const stream = load<i32>(QUEUE + usize(a) * 4);
  store<i32>(QUEUE + usize(a) * 4, load<i32>(QUEUE + usize(b) * 4));
  store<i32>(QUEUE + usize(b) * 4, stream);
}

function enqueue(stream: i32): void {
  let place = queued++;
  store<i32>(QUEUE + usize(place) * 4, stream);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(at(place), at(parent))) return;
    swap(place, parent);
    place = parent;
  }
}

/** Puts the oldest in its place after it went on. */
function sift(): void {
  let place = 0;
  while (true) {
    const left = 2 * place + 1;
    if (left >= queued) return;
    const child = left + 1 < queued && isBefore(at(left + 1), at(left)) ? left + 1 : left;
    if (!isBefore(at(child), at(place))) return;
    swap(place, child);
    place = child;
  }
}

function drop(): void {
  queued--;
  if (queued == 0) return;
  store<i32>(QUEUE, load<i32>(QUEUE + usize(queued) * 4));
  sift();
}
