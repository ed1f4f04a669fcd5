// From a tracepoint's binary record to its rows, by plans that src/ingest/tracepoints/kernel-plans.ts writes: RecordDecoder,
// stock-events.ts and ProbeArgs.setWords() once more, for little-endian records. What needs anything else is left to them.
import { comms, idOfPointer, MAX_COMM, MAX_COMMS, MAX_POINTERS, pointers } from "./intern";
import {
  ARG_DST_MM,
  ARG_FLAGS,
  ARG_TASK,
  addProbeRow,
  clearValues,
  NULL_MM,
  SAMPLE_LAZY,
  SAMPLES,
  VALUES,
} from "./probe-rows";
import { ARG_COMM, ARG_TID, add, comm, FLAGS, MM, NO_MM, NO_VALUE, NONE, rows, setHead } from "./rows";
import { MAX_CPU, MAX_PID } from "./text";

/** What is done with the records of an event id; LEAVE as well while it has no plan. */
const LEAVE: i32 = 0;
const SWITCH: i32 = 1;
const CHILD: i32 = 2;
const WITH_PID: i32 = 3;
const MIGRATE: i32 = 4;
const TLB_FLUSH: i32 = 5;
const LOCK: i32 = 6;
const ENTER_CLONE: i32 = 7;
const EXIT_CLONE: i32 = 8;
const PROBE: i32 = 9;
/** A probe on a function replay has no use for. */
const COUNT_PROBE: i32 = 10;

/** By event id: the number of its plan, or SKIPPED for an event that is not wanted. Plan 0 is LEAVE. */
export const PLAN_OF: usize = memory.data(2 * 65536, 16);
const SKIPPED: u16 = 0xffff;
/** By event id: records that were skipped. */
export const SKIPS: usize = memory.data(4 * 65536, 16);
export const MAX_PLANS: i32 = 256;
export const MAX_FIELDS: i32 = 320;
/** 32 bytes as below; then fields: common_pid, common_flags, the event's own. */
export const PLAN_BYTES: i32 = 5184;
export const PLANS: usize = memory.data(5184 * 256, 16);
const KIND_AT: usize = 4;
const ALIAS: usize = 8;
/** Shorter records are left. */
const MIN_LENGTH: usize = 12;
/** Records of a probe. */
const COUNTED: usize = 16;
const FIELDS: usize = 20;
/** CPUs an event samples: their numbers stand in the sizes of the first fields. */
const SAMPLED: usize = 24;
const PID_FIELD: usize = 32;
const FLAGS_FIELD: usize = 48;
const FIRST_FIELD: usize = 64;
/** A field: its offset, its shape, an argument's code, its size; then the number of a sampled CPU. */
const FIELD_BYTES: usize = 16;
const SHAPE: usize = 4;
const CODE: usize = 8;
const SIZE: usize = 12;
const SAMPLED_CPU: usize = 14;
/** Numbers by their size and sign, then texts; 0 for a field that is not there. */
const ABSENT: i32 = 0;
const I8: i32 = 1;
const U8: i32 = 2;
const I16: i32 = 3;
const U16: i32 = 4;
const I32: i32 = 5;
const U32: i32 = 6;
const I64: i32 = 7;
const DATA_LOC: i32 = 9;

/** Codes of sampled CPUs' values: three for each CPU of the plan, in its order. */
const SAMPLE_BASE: i32 = 32;
const SAMPLE_SWITCHING: i32 = 2;

const SCHED_SWITCH: i32 = 1;
const EXIT_BEFORE_MM: i32 = 1;
const TLB_ALL: i32 = 0x100;
const LOCK_WRITE: i32 = 1;
const LOCK_SUCCESS: i32 = 2;
const IN_INTERRUPT: i32 = 0x58;
const CTX_TASK: i32 = 1;
const CTX_IRQ: i32 = 2;

/** By row: the event id it is of. */
export const ROW_IDS: usize = memory.data(2 * 8192, 16);

export function forgetPlans(): void {
  memory.fill(PLAN_OF, 0, 2 * 65536);
  memory.fill(SKIPS, 0, 4 * 65536);
}

/** Name of each task that has one: kernel ids of names beside those that are interned here, by tid. */
let names: usize = 0;
let nameCount: i32 = 0;
let unknownName: i32 = 0;

export function setNames(at: usize, count: i32, unknown: i32): void {
  names = at;
  nameCount = count;
  unknownName = unknown;
}

/** TaskNames.of() */
// @ts-expect-error: decorator
@inline
function nameOf(tid: i32): i32 {
  const name = u32(tid) < u32(nameCount) ? load<i32>(names + usize(tid) * 4) : -1;
  return name < 0 ? unknownName : name;
}

/** Whether names and pointers of one more record can be interned. */
// @ts-expect-error: decorator
@inline
export function canIntern(): bool {
  return comms + 2 <= MAX_COMMS && pointers + MAX_FIELDS <= MAX_POINTERS;
}

/** Whether records of the id are not wanted; then it counts one. */
// @ts-expect-error: decorator
@inline
export function skip(id: u32): bool {
  if (load<u16>(PLAN_OF + id * 2) != SKIPPED) return false;
  const at = SKIPS + id * 4;
  store<i32>(at, load<i32>(at) + 1);
  return true;
}

/** A number field of the record at `start`. */
function number64(field: usize, start: usize): i64 {
  const at = start + usize(load<i32>(field));
  switch (load<i32>(field, SHAPE)) {
    case I8:
      return i64(load<i8>(at));
    case U8:
      return i64(load<u8>(at));
    case I16:
      return i64(load<i16>(at));
    case U16:
      return i64(load<u16>(at));
    case I32:
      return i64(load<i32>(at));
    case U32:
      return i64(load<u32>(at));
    default:
      return load<i64>(at);
  }
}

// @ts-expect-error: decorator
@inline
function number(field: usize, start: usize): i32 {
  return i32(number64(field, start));
}

// @ts-expect-error: decorator
@inline
function ownField(plan: usize, i: i32): usize {
  return plan + FIRST_FIELD + usize(i) * FIELD_BYTES;
}

// @ts-expect-error: decorator
@inline
function isPid(pid: i32): bool {
  return u32(pid) <= u32(MAX_PID);
}

/** Id of a task name in a record; 0 for an empty one, -1 when its reading is left. Sets wasEmpty. */
function nameIn(field: usize, start: usize, end: usize): i32 {
  let from = start + usize(load<i32>(field));
  let length: usize = load<u16>(field, SIZE);
  if (load<i32>(field, SHAPE) == DATA_LOC) {
    const word = load<u32>(from);
    from = start + usize(word & 0xffff);
    length = usize(word >>> 16);
  } else if (length == 0) length = end - from;
  if (from + length > end) return -1;
  const zeros = i8x16.bitmask(i8x16.eq(v128.load(from), i8x16.splat(0)));
  const text = usize(ctz(zeros | 0x10000));
  if (text == MAX_COMM && length > MAX_COMM) return -1;
  wasEmpty = min(text, length) == 0;
  return comm(from, from + min(text, length));
}

let wasEmpty: bool = false;

/** Takes in the record [start, end) of `id`, at `ns` from the epoch. `tid`: of the record's head, below -1 when its common_pid tells. False: nothing was added. */
export function addRecord(id: u32, start: usize, end: usize, cpu: i32, tid: i32, tgid: i32, ns: f64, line: i32): bool {
  const plan = PLANS + usize(load<u16>(PLAN_OF + id * 2)) * usize(PLAN_BYTES);
  const action = load<i32>(plan);
  if (action == LEAVE || i32(end - start) < load<i32>(plan, MIN_LENGTH)) return false;
  let task = tid;
  if (tid < NONE) {
    task = load<i32>(plan, PID_FIELD + SHAPE) == ABSENT ? NONE : number(plan + PID_FIELD, start);
    if (task < NONE || task > MAX_PID) return false;
  }
  if (action == COUNT_PROBE) {
    count(plan);
    return true;
  }
  let ctx = 0;
  if (load<i32>(plan, FLAGS_FIELD + SHAPE) != ABSENT)
    ctx = (number(plan + FLAGS_FIELD, start) & IN_INTERRUPT) != 0 ? CTX_IRQ : CTX_TASK;
  setHead(task, tgid, cpu, ctx, ns, line, start);
  const first = rows;
  const taken = action == PROBE ? addArgs(plan, start, nameOf(task)) : addStock(plan, action, start, end, task);
  for (let row = first; row < rows; row++) store<u16>(ROW_IDS + row * 2, u16(id));
  return taken;
}

// @ts-expect-error: decorator
@inline
function count(plan: usize): void {
  store<i32>(plan, load<i32>(plan, COUNTED) + 1, COUNTED);
}

function addStock(plan: usize, action: i32, start: usize, end: usize, task: i32): bool {
  const kind = load<i32>(plan, KIND_AT);
  const field = ownField(plan, 0);
  if (action == SWITCH) return addSwitch(plan, start, end, task);
  if (action == LOCK) {
    const mm = idOfPointer(u64(number64(field, start)));
    const row = usize(add(kind, task, nameOf(task), 0)) * 4;
    store<i32>(MM + row, mm);
    const isWrite = number(ownField(plan, 1), start) != 0;
    const isSuccess = load<i32>(plan, FIELDS) > 2 && number(ownField(plan, 2), start) != 0;
    store<i32>(FLAGS + row, (isWrite ? LOCK_WRITE : 0) | (isSuccess ? LOCK_SUCCESS : 0));
    return true;
  }
  if (action == TLB_FLUSH) {
    const pages = ownField(plan, 1);
    const value = number64(pages, start);
    const isAll = load<i32>(pages, SHAPE) == I64 ? value < 0 : i32(value) < 0;
    const row = usize(add(kind, task, nameOf(task), 0)) * 4;
    store<i32>(FLAGS + row, (number(field, start) & 0xff) | (isAll ? TLB_ALL : 0));
    return true;
  }
  if (action == ENTER_CLONE) {
    const row = usize(add(kind, task, nameOf(task), 0)) * 4;
    if (load<i32>(plan, FIELDS) > 0) store<i32>(FLAGS + row, number(field, start));
    return true;
  }
  const pid = number(field, start);
  if (action == EXIT_CLONE) {
    const row = usize(add(kind, task, nameOf(task), 0)) * 4;
    store<i32>(ARG_TID + row, isPid(pid) ? pid : NONE);
    return true;
  }
  if (!isPid(pid)) return false;
  if (action == WITH_PID) {
    const row = usize(add(kind, task, nameOf(task), 0)) * 4;
    store<i32>(ARG_TID + row, pid);
    // The second field is sched_process_exit's group_dead.
    if (load<i32>(plan, FIELDS) > 1) store<i32>(FLAGS + row, EXIT_BEFORE_MM);
    return true;
  }
  if (action == MIGRATE) {
    const from = number(ownField(plan, 1), start);
    const to = number(ownField(plan, 2), start);
    if (u32(from) > u32(MAX_CPU) || u32(to) > u32(MAX_CPU)) return false;
    const row = usize(add(kind, task, nameOf(task), 0)) * 4;
    store<i32>(ARG_TID + row, pid);
    store<i32>(FLAGS + row, from | (to << 16));
    return true;
  }
  // CHILD: a pid, its name and, of task_newtask, flags
  const child = nameIn(ownField(plan, 1), start, end);
  if (child < 0) return false;
  const row = usize(add(kind, task, nameOf(task), 0)) * 4;
  store<i32>(ARG_TID + row, pid);
  store<i32>(ARG_COMM + row, child);
  if (load<i32>(plan, FIELDS) > 2) store<i32>(FLAGS + row, number(ownField(plan, 2), start));
  return true;
}

function addSwitch(plan: usize, start: usize, end: usize, task: i32): bool {
  const prev = number(ownField(plan, 0), start);
  const next = number(ownField(plan, 3), start);
  if (!isPid(prev) || !isPid(next)) return false;
  const own = nameIn(ownField(plan, 1), start, end);
  if (own < 0) return false;
  const name = wasEmpty ? nameOf(task) : own;
  const nextName = nameIn(ownField(plan, 4), start, end);
  if (nextName < 0) return false;
  const row = usize(add(SCHED_SWITCH, prev, name, 0)) * 4;
  store<i32>(ARG_TID + row, next);
  store<i32>(ARG_COMM + row, nextName);
  store<i32>(FLAGS + row, stateOfNumber(number(ownField(plan, 2), start)));
  return true;
}

/** A probe's arguments, then its rows. */
function addArgs(plan: usize, start: usize, name: i32): bool {
  clearValues();
  const sampled = load<i32>(plan, SAMPLED);
  for (let i = 0; i < sampled; i++) {
    const sample = SAMPLES + usize(i) * 16;
    store<i32>(sample, load<u16>(ownField(plan, i), SAMPLED_CPU));
    store<i32>(sample, NO_MM, 4);
    store<i32>(sample, 0, 8);
    store<i32>(sample, NO_MM, 12);
  }
  const last = ownField(plan, load<i32>(plan, FIELDS));
  for (let field = ownField(plan, 0); field < last; field += FIELD_BYTES) {
    const value = number64(field, start);
    const code = load<i32>(field, CODE);
    if (code >= SAMPLE_BASE) setSample(code - SAMPLE_BASE, value);
    else store<i32>(VALUES + usize(code) * 4, valueOf(code, value));
  }
  count(plan);
  addProbeRow(load<i32>(plan, KIND_AT), load<i32>(plan, ALIAS), name, sampled);
  return true;
}

// @ts-expect-error: decorator
@inline
function valueOf(code: i32, value: i64): i32 {
  if (code <= ARG_DST_MM) return idOfPointer(u64(value));
  if (code <= ARG_TASK) return value == 0 ? NULL_MM : 1;
  return code == ARG_FLAGS ? i32(value) : int32Of(value);
}

// @ts-expect-error: decorator
@inline
function int32Of(value: i64): i32 {
  return i64(i32(value)) == value ? i32(value) : NO_VALUE;
}

/** ProbeArgs.#sampleWords() */
function setSample(code: i32, value: i64): void {
  const sample = SAMPLES + usize(code / 3) * 16;
  const part = code % 3;
  const flags = load<i32>(sample, 8);
  if (part == 1) {
    if (int32Of(value) > 0) store<i32>(sample, flags | SAMPLE_LAZY, 8);
  } else if (part == 0 && value == 1) {
    store<i32>(sample, NULL_MM, 4);
    store<i32>(sample, flags | SAMPLE_SWITCHING, 8);
  } else store<i32>(sample + (part == 0 ? 4 : 12), idOfPointer(u64(value)));
}

/** stateOfNumber() of sched-switch.ts */
function stateOfNumber(state: i32): i32 {
  if (state == 0) return 1;
  if ((state & 0x10) != 0) return 5;
  if ((state & 0x20) != 0) return 4;
  return (state & 0xff) != 0 ? 3 : 2;
}
