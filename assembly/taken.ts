// What both kernels for recordings do with a record whose time has come: a row, or a count; and what of it the sink is told. The
// rules are those of Sink.begin().
import { comms, pointers } from "./intern";
import { addRecord, skip } from "./records";
import { forgetRows, rows } from "./rows";
import { MAX_CPU, MAX_PID } from "./text";

export const BILLION: u64 = 1000000000;
/** SAFE_SECONDS of sink.ts, MAX_SECONDS of limits.ts. */
const SAFE_SECONDS: i64 = 9000000;
const MAX_SECONDS: u64 = 18446744073;

/**
 * Words 2 to 7: rows, names, pointers, events taken in, their highest CPU, the last one's id; floats 4 to 6: their lowest, highest and
 * last time; word 14: the last one's line. Words 0 and 1 are a kernel's own.
 */
export const STATE: usize = memory.data(64, 16);

let taken: i32 = 0;
let maxCpu: i32 = -1;
let lowest: i64 = 0;
let highest: i64 = 0;
let last: i64 = 0;
let lastId: i32 = 0;
let lastLine: i32 = 0;

/** Forgets what was told. */
export function rewind(): void {
  forgetRows();
  taken = 0;
  maxCpu = -1;
  lowest = i64.MAX_VALUE;
  highest = i64.MIN_VALUE;
}

/** Writes down what is to be told. */
export function tell(): void {
  store<i32>(STATE, rows, 8);
  store<i32>(STATE, comms, 12);
  store<i32>(STATE, pointers, 16);
  store<i32>(STATE, taken, 20);
  store<i32>(STATE, maxCpu, 24);
  store<f64>(STATE, f64(lowest), 32);
  store<f64>(STATE, f64(highest), 40);
  store<i32>(STATE, lastId, 28);
  store<f64>(STATE, f64(last), 48);
  store<i32>(STATE, lastLine, 56);
}

/** The task is told by the record. */
export const OF_RECORD: i32 = -2;

/**
 * Takes in the record [start, end) of a plausible time. `tid`: its task, or OF_RECORD. False when the TypeScript has to: nothing was
 * added then.
 */
// @ts-expect-error: decorator
@inline
export function takeIn(start: usize, end: usize, cpu: i32, tid: i32, tgid: i32, seconds: u64, nanos: u32, line: u32, epoch: i64): bool {
  const since = i64(seconds) - epoch;
  if (end - start < 2 || since >= SAFE_SECONDS || since <= -SAFE_SECONDS || seconds > MAX_SECONDS) return false;
  if (cpu > MAX_CPU || cpu < -1 || tid > MAX_PID || tid < OF_RECORD || tgid > MAX_PID) return false;
  const ns = since * i64(BILLION) + i64(nanos);
  const id = u32(load<u16>(start));
  if (!skip(id) && !addRecord(id, start, end, cpu, tid, tgid, f64(ns), line)) return false;
  taken++;
  last = ns;
  lastId = id;
  lastLine = line;
  if (ns < lowest) lowest = ns;
  if (ns > highest) highest = ns;
  if (cpu > maxCpu) maxCpu = cpu;
  return true;
}
