// One CPU's ring-buffer pages as a stream of records, little-endian and with stamps as they are: CpuStream of
// src/ingest/ring-buffer/pages.ts once more, where the rules and their sources are. The TypeScript fills the slabs.

import { BILLION } from "./taken";

const TYPE_PADDING: u32 = 29;
const TYPE_TIME_EXTEND: u32 = 30;
const DELTA_BITS: u32 = 27;
const MISSED_EVENTS: u32 = 0x80000000;
const MISSED_STORED: u32 = 0x40000000;
const COMMIT_MASK: u32 = 0x07ffffff;

export const MAX_STREAMS: i32 = 1024;
export const STREAM_BYTES: usize = 80;
export const STREAMS: usize = memory.data(80 * 1024, 16);

/** The record's time: whole seconds (more than 64 bits of ns hold, when extends are damaged) and ns. */
const SECONDS: usize = 0;
const NANOS: usize = 8;
const CPU_NUMBER: usize = 12;
/** Events lost in front of the record, and in front of the next one: 0 none, -1 an unknown number. Floats: sums exceed 32 bits. */
const LOST: usize = 16;
export const PENDING: usize = 24;
/** The record. */
const START: usize = 32;
const END: usize = 36;
/** Next entry, end of the page's entries. */
const AT: usize = 40;
const PAGE_END: usize = 44;
const PAGE_HIGH: usize = 48;
export const DAMAGED_PAGES: usize = 52;
/** Pages in the slab that were not opened: next one, end. */
export const NEXT_PAGE: usize = 56;
export const SLAB_END: usize = 60;
/** Whether pages in front of the next one could not be read; whether there are no more. */
export const WAS_DAMAGED: usize = 64;
export const IS_OVER: usize = 68;

/** What a page looks like; set once a recording. */
let pageSize: usize = 0;
let commitAt: usize = 0;
let isLong: bool = false;
let dataAt: usize = 0;

export function setLayout(size: usize, commitOffset: usize, commitSize: i32, dataOffset: usize): void {
  pageSize = size;
  commitAt = commitOffset;
  isLong = commitSize == 8;
  dataAt = dataOffset;
}

// @ts-expect-error: decorator
@inline
export function secondsOf(s: usize): u64 {
  return load<u64>(s, SECONDS);
}

// @ts-expect-error: decorator
@inline
export function nanosOf(s: usize): u32 {
  return load<u32>(s, NANOS);
}

// @ts-expect-error: decorator
@inline
export function cpuOf(s: usize): i32 {
  return load<i32>(s, CPU_NUMBER);
}

// @ts-expect-error: decorator
@inline
export function startOf(s: usize): usize {
  return load<u32>(s, START);
}

// @ts-expect-error: decorator
@inline
export function endOf(s: usize): usize {
  return load<u32>(s, END);
}

// @ts-expect-error: decorator
@inline
export function lostOf(s: usize): f64 {
  return load<f64>(s, LOST);
}

export function openStream(s: usize, cpu: i32): void {
  memory.fill(s, 0, STREAM_BYTES);
  store<i32>(s, cpu, CPU_NUMBER);
}

/** What next() came to. */
export const RECORD: i32 = 1;
export const NO_PAGE: i32 = 2;
export const OVER: i32 = 3;

/** Goes to the next record. NO_PAGE: the slab is empty, and the call is to be repeated when it is filled or over. */
export function next(s: usize): i32 {
  let at: usize = load<u32>(s, AT);
  let end: usize = load<u32>(s, PAGE_END);
  while (true) {
    if (at + 4 > end) {
      if (load<u32>(s, NEXT_PAGE) == load<u32>(s, SLAB_END)) {
        store<u32>(s, u32(at), AT);
        store<u32>(s, u32(end), PAGE_END);
        return load<i32>(s, IS_OVER) != 0 ? OVER : NO_PAGE;
      }
      openPage(s);
      at = load<u32>(s, AT);
      end = load<u32>(s, PAGE_END);
      continue;
    }
    const head = load<u32>(at);
    const type = head & 31;
    const delta = head >>> 5;
    if (type >= TYPE_PADDING) {
      at = special(s, type, at, end, delta);
      continue;
    }
    addTime(s, delta);
    let start = at + 4;
    let stop = start + type * 4;
    if (type == 0) {
      const length = at + 8 <= end ? load<u32>(at, 4) : 0;
      start = at + 8;
      // A length that would wrap the address reaches over the page's end all the more.
      stop = length < 4 || length > 0x7fffffff ? end + 1 : start + (((length - 1) >>> 2) << 2);
    }
    if (stop > end) {
      damaged(s);
      at = end;
      continue;
    }
    store<u32>(s, u32(start), START);
    store<u32>(s, u32(stop), END);
    store<u32>(s, u32(stop), AT);
    store<u32>(s, u32(end), PAGE_END);
    store<f64>(s, load<f64>(s, PENDING), LOST);
    store<f64>(s, 0, PENDING);
    return RECORD;
  }
}

/** `delta` is below a second. */
// @ts-expect-error: decorator
@inline
function addTime(s: usize, delta: u32): void {
  const nanos = load<u32>(s, NANOS) + delta;
  if (nanos < u32(BILLION)) {
    store<u32>(s, nanos, NANOS);
    return;
  }
  store<u32>(s, nanos - u32(BILLION), NANOS);
  store<u64>(s, load<u64>(s, SECONDS) + 1, SECONDS);
}

function setTime(s: usize, time: u64): void {
  store<u64>(s, time / BILLION, SECONDS);
  store<u32>(s, u32(time % BILLION), NANOS);
}

/** An entry that is no record; returns where the next one begins. */
function special(s: usize, type: u32, at: usize, end: usize, delta: u32): usize {
  if (at + 8 > end) {
    if (type != TYPE_PADDING) damaged(s);
    return end;
  }
  const word = load<u32>(at, 4);
  if (type == TYPE_PADDING) {
    addTime(s, delta);
    return delta == 0 || word > COMMIT_MASK ? end : at + 4 + word;
  }
  const wide = (u64(word) << DELTA_BITS) | u64(delta);
  if (type == TYPE_TIME_EXTEND) {
    const nanos = u64(load<u32>(s, NANOS)) + (wide % BILLION);
    const carry: u64 = nanos >= BILLION ? 1 : 0;
    store<u32>(s, u32(nanos - carry * BILLION), NANOS);
    store<u64>(s, load<u64>(s, SECONDS) + wide / BILLION + carry, SECONDS);
  } else setTime(s, wide | (u64(load<u32>(s, PAGE_HIGH) & 0xf8000000) << 32));
  return at + 8;
}

function damaged(s: usize): void {
  store<i32>(s, load<i32>(s, DAMAGED_PAGES) + 1, DAMAGED_PAGES);
  store<f64>(s, -1, PENDING);
}

function openPage(s: usize): void {
  const page: usize = load<u32>(s, NEXT_PAGE);
  store<u32>(s, u32(page + pageSize), NEXT_PAGE);
  const word = load<u32>(page + commitAt);
  const begin = page + dataAt;
  const end = begin + (word & COMMIT_MASK);
  store<u32>(s, u32(begin), AT);
  store<u32>(s, u32(begin), PAGE_END);
  if (load<i32>(s, WAS_DAMAGED) != 0) store<f64>(s, -1, PENDING);
  store<i32>(s, 0, WAS_DAMAGED);
  if (end > page + pageSize) {
    damaged(s);
    return;
  }
  store<u32>(s, u32(end), PAGE_END);
  store<u32>(s, load<u32>(page, 4), PAGE_HIGH);
  setTime(s, load<u64>(page));
  if ((word & MISSED_EVENTS) != 0) missed(s, word, end, page + pageSize);
}

function missed(s: usize, word: u32, end: usize, pageEnd: usize): void {
  let count: f64 = -1;
  if ((word & MISSED_STORED) != 0 && end + (isLong ? 8 : 4) <= pageEnd) {
    const stored = isLong ? load<u64>(end) : u64(load<u32>(end));
    if (stored > 0 && stored < 0x7fffffff) count = f64(stored);
  }
  const before = load<f64>(s, PENDING);
  store<f64>(s, count < 0 || before < 0 ? -1 : before + count, PENDING);
}
