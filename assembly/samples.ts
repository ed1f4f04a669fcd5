// Where the fields of a perf.data record lie: RecordHead and AttrTable.find() of src/ingest/perf-data once more, little-endian. The
// TypeScript writes the attributes and the table of ids.

const SAMPLE: u32 = 9;
/** PERF_SAMPLE_* and PERF_FORMAT_* bits. */
const TIME: u32 = 0x4;
const READ: u32 = 0x10;
const CALLCHAIN: u32 = 0x20;
const RAW: u32 = 0x400;
const READ_ENABLED: u32 = 1;
const READ_RUNNING: u32 = 2;
const READ_ID: u32 = 4;
const READ_GROUP: u32 = 8;
const READ_LOST: u32 = 16;

/** An attribute's words: sample type, read format, whether it has a trailer, whether its samples are a tracepoint's; places of a sample's fields; of a trailer's. */
export const ATTR_BYTES: usize = 64;
const SAMPLE_TYPE: usize = 0;
const READ_FORMAT: usize = 4;
const HAS_TRAILER: usize = 8;
const IS_TRACEPOINT: usize = 12;
const SAMPLE_PLACES: usize = 16;
const TRAILER_PLACES: usize = 32;
/** Places: -1 for a field that is not there; `rest` is where the fields of fixed length end. */
const TID_PLACE: usize = 0;
const TIME_PLACE: usize = 4;
const CPU_PLACE: usize = 8;
const REST: usize = 12;

let attrs: usize = 0;
let attrCount: i32 = 0;
/** Columns of AttrTable: low and high halves of ids, 1 + index of the attribute. */
let lows: usize = 0;
let highs: usize = 0;
let indices: usize = 0;
let mask: u32 = 0;
let sampleIdAt: i32 = -1;
let trailerIdAt: i32 = -1;

export function setAttrs(at: usize, count: i32, table: usize, slots: i32, sampleId: i32, trailerId: i32): void {
  attrs = at;
  attrCount = count;
  lows = table;
  highs = table + usize(slots) * 4;
  indices = table + usize(slots) * 8;
  mask = u32(slots) - 1;
  sampleIdAt = sampleId;
  trailerIdAt = trailerId;
}

/** A new recording: it may have records before, or without, any attribute. */
export function forgetAttrs(): void {
  setAttrs(0, 0, 0, 1, -1, -1);
}

/** The record read last; `attr` 0 when it belongs to none. */
export let attr: usize = 0;
export let time: u64 = 0;
export let pid: i32 = 0;
export let tid: i32 = 0;
export let cpu: i32 = 0;
export let rawStart: usize = 0;
export let rawEnd: usize = 0;

/** AttrTable.find(): 0 for none. */
function find(at: usize): usize {
  const low = load<u32>(at);
  const high = load<u32>(at, 4);
  let slot = (((low ^ (high * 0x85ebca6b)) * 0x9e3779b1) >>> 7) & mask;
  while (true) {
    const index = load<i32>(indices + usize(slot) * 4);
    if (index == 0) return attrCount == 1 ? attrs : 0;
    if (load<u32>(lows + usize(slot) * 4) == low && load<u32>(highs + usize(slot) * 4) == high)
      return attrs + usize(index - 1) * ATTR_BYTES;
    slot = (slot + 1) & mask;
  }
}

/** Reads the record [start, end), header included. False when it belongs to no event or ends too early. */
export function readHead(start: usize, end: usize): bool {
  if (load<u32>(start) == SAMPLE) return readSample(start + 8, end);
  readTrailer(start + 8, end);
  return true;
}

/** Whether the record read last is a tracepoint's sample with a time. */
// @ts-expect-error: decorator
@inline
export function isTracepoint(): bool {
  return load<i32>(attr, IS_TRACEPOINT) != 0 && (load<u32>(attr, SAMPLE_TYPE) & TIME) != 0;
}

function readSample(at: usize, end: usize): bool {
  if (sampleIdAt < 0) attr = attrCount > 0 ? attrs : 0;
  else attr = at + usize(sampleIdAt) + 8 <= end ? find(at + usize(sampleIdAt)) : 0;
  if (attr == 0) return false;
  let p = at + usize(load<i32>(attr, SAMPLE_PLACES + REST));
  if (p > end) return false;
  readFields(at, attr + SAMPLE_PLACES);
  rawStart = 0;
  rawEnd = 0;
  const type = load<u32>(attr, SAMPLE_TYPE);
  if ((type & READ) != 0) {
    const length = readValuesLength(p, end, load<u32>(attr, READ_FORMAT));
    if (length > u64(end - p)) return false;
    p += usize(length);
  }
  if ((type & CALLCHAIN) != 0) {
    if (p + 8 > end || load<u32>(p, 4) != 0) return false;
    const length = 8 + u64(load<u32>(p)) * 8;
    if (length > u64(end - p)) return false;
    p += usize(length);
  }
  if ((type & RAW) == 0) return true;
  if (p + 4 > end) return false;
  const size = load<u32>(p);
  if (size > u32(end - p - 4)) return false;
  rawStart = p + 4;
  rawEnd = rawStart + size;
  return true;
}

/** readValuesLength() of attrs.ts; more than any record has where that is NaN. */
function readValuesLength(at: usize, end: usize, format: u32): u64 {
  const times: u64 = ((format & READ_ENABLED) != 0 ? 8 : 0) + ((format & READ_RUNNING) != 0 ? 8 : 0);
  const each: u64 = 8 + ((format & READ_ID) != 0 ? 8 : 0) + ((format & READ_LOST) != 0 ? 8 : 0);
  if ((format & READ_GROUP) == 0) return times + each;
  if (at + 8 > end || load<u32>(at, 4) != 0) return u64.MAX_VALUE;
  return 8 + times + u64(load<u32>(at)) * each;
}

function readTrailer(at: usize, end: usize): void {
  attr = 0;
  time = 0;
  pid = -1;
  tid = -1;
  cpu = -1;
  const found = trailerAttr(at, end);
  if (found == 0 || load<i32>(found, HAS_TRAILER) == 0) return;
  attr = found;
  const length = usize(load<i32>(found, TRAILER_PLACES + REST));
  if (length <= end - at) readFields(end - length, found + TRAILER_PLACES);
}

function trailerAttr(at: usize, end: usize): usize {
  if (attrCount == 0) return 0;
  if (trailerIdAt < 0 || end - usize(trailerIdAt) < at) return attrs;
  const found = find(end - usize(trailerIdAt));
  return found == 0 ? attrs : found;
}

// @ts-expect-error: decorator
@inline
function readFields(at: usize, places: usize): void {
  const tidAt = load<i32>(places, TID_PLACE);
  const timeAt = load<i32>(places, TIME_PLACE);
  const cpuAt = load<i32>(places, CPU_PLACE);
  pid = tidAt < 0 ? -1 : load<i32>(at + usize(tidAt));
  tid = tidAt < 0 ? -1 : load<i32>(at + usize(tidAt) + 4);
  time = timeAt < 0 ? 0 : load<u64>(at + usize(timeAt));
  cpu = cpuAt < 0 ? -1 : load<i32>(at + usize(cpuAt));
}
