// Rows of probes from the values of their arguments, wherever those come from: printed (probes.ts) or recorded (records.ts).
// The rules are those of src/ingest/probe-rows.ts.
import { ARG_TID, add, COUNT, CPU, FLAGS, headTid, MM, MM2, NO_MM, NO_VALUE, NONE, USERS } from "./rows";
import { MAX_PID } from "./text";

export const NULL_MM: i32 = 0;
const SWITCH_MM_NO_TASK: i32 = 1;
export const SAMPLE_LAZY: i32 = 1;

// EventKind numbers whose columns are not (mm, users, count).
const UPROBE_DUP_MMAP: i32 = 13;
const DUP_MMAP: i32 = 15;
const DUP_MMAP_RET: i32 = 16;
const COPY_PAGE_RANGE: i32 = 17;
const COPY_PROCESS: i32 = 18;
const SWITCH_MM: i32 = 20;
const ENTER_LAZY_TLB: i32 = 21;
const GET_TASK_MM: i32 = 26;
const MM_ACCESS: i32 = 28;
const EXEC_BEGIN: i32 = 35;
const EXEC_MM_RELEASE: i32 = 36;
const EXIT_MM_RELEASE: i32 = 37;
const FLUSH_TLB_MM_RANGE: i32 = 44;
export const CPU_SAMPLE: i32 = 46;

/** Slots of the arguments' values: Arg of probe-args.ts. */
export const VALUES: usize = memory.data(4 * 16, 16);
export const ARG_MM: i32 = 0;
export const ARG_OLDMM: i32 = 1;
export const ARG_NEWMM: i32 = 2;
export const ARG_NEXT: i32 = 3;
export const ARG_PREV: i32 = 4;
export const ARG_SRC_MM: i32 = 5;
export const ARG_DST_MM: i32 = 6;
export const ARG_TSK: i32 = 7;
export const ARG_TASK: i32 = 8;
export const ARG_PID: i32 = 9;
export const ARG_USERS: i32 = 10;
export const ARG_COUNT: i32 = 11;
export const ARG_FLAGS: i32 = 12;
export const ARG_RET: i32 = 13;
export const ARG_FREED: i32 = 14;

/** CPUs sampled by the event read last, 16 bytes each: their number, loaded_mm, SAMPLE_*, their task's mm. */
export const MAX_SAMPLED: i32 = 100;
export const SAMPLES: usize = memory.data(16 * 100, 16);

/** Forgets the event before. */
// @ts-expect-error: decorator
@inline
export function clearValues(): void {
  v128.store(VALUES, i32x4.splat(NO_MM), 0);
  v128.store(VALUES, i32x4.splat(NO_MM), 16);
  v128.store(VALUES, i32x4(NO_MM, NO_VALUE, NO_VALUE, NO_VALUE), 32);
  v128.store(VALUES, i32x4.splat(NO_VALUE), 48);
}

// @ts-expect-error: decorator
@inline
export function value(slot: i32): i32 {
  return load<i32>(VALUES + slot * 4);
}

/** setMm(). */
// @ts-expect-error: decorator
@inline
function setMm(row: usize, mm: i32): void {
  store<i32>(MM + row, mm);
  if (mm == NULL_MM) return;
  store<i32>(USERS + row, value(ARG_USERS));
  store<i32>(COUNT + row, value(ARG_COUNT));
}

/** pidOf(). */
// @ts-expect-error: decorator
@inline
function pidOf(base: i32): i32 {
  const pid = value(ARG_PID);
  return value(base) == NULL_MM || pid < 0 || pid > MAX_PID ? NONE : pid;
}

/** addProbeRow() of a kind whose rows show no caller, and addSampleRows() of SAMPLES. */
export function addProbeRow(kind: i32, isAlias: i32, name: i32, sampled: i32): void {
  const row = usize(add(kind, headTid, name, isAlias)) * 4;
  if (kind == SWITCH_MM) {
    setMm(row, value(ARG_NEXT));
    store<i32>(MM2 + row, value(ARG_PREV));
    store<i32>(ARG_TID + row, pidOf(ARG_TSK));
    if (value(ARG_TSK) == NULL_MM) store<i32>(FLAGS + row, SWITCH_MM_NO_TASK);
  } else if (kind == ENTER_LAZY_TLB || kind == EXEC_MM_RELEASE || kind == EXIT_MM_RELEASE) {
    setMm(row, value(ARG_MM));
    store<i32>(ARG_TID + row, pidOf(ARG_TSK));
  } else if (kind == GET_TASK_MM || kind == MM_ACCESS) {
    store<i32>(ARG_TID + row, pidOf(ARG_TASK));
  } else if (kind == DUP_MMAP || kind == UPROBE_DUP_MMAP) {
    setMm(row, value(ARG_OLDMM));
    const isBare = kind == DUP_MMAP && value(ARG_NEWMM) == NO_MM;
    store<i32>(MM2 + row, isBare ? value(ARG_MM) : value(ARG_NEWMM));
  } else if (kind == COPY_PAGE_RANGE) {
    setMm(row, value(ARG_SRC_MM));
    store<i32>(MM2 + row, value(ARG_DST_MM));
  } else if (kind == EXEC_BEGIN) {
    setMm(row, value(ARG_NEWMM) == NO_MM ? value(ARG_MM) : value(ARG_NEWMM));
  } else if (kind == DUP_MMAP_RET) {
    store<i32>(FLAGS + row, value(ARG_RET) == NO_VALUE ? 0 : value(ARG_RET));
  } else if (kind == COPY_PROCESS) {
    store<i32>(FLAGS + row, value(ARG_FLAGS) == NO_VALUE ? 0 : value(ARG_FLAGS));
  } else if (kind == FLUSH_TLB_MM_RANGE) {
    setMm(row, value(ARG_MM));
    store<i32>(FLAGS + row, value(ARG_FREED) == NO_VALUE ? -1 : value(ARG_FREED));
  } else setMm(row, value(ARG_MM));
  for (let i = 0; i < sampled; i++) addSample(SAMPLES + i * 16, name, isAlias);
}

/** addSampleRows() */
function addSample(sample: usize, name: i32, isAlias: i32): void {
  const index = add(CPU_SAMPLE, headTid, name, isAlias);
  const row = usize(index) * 4;
  store<i16>(CPU + index * 2, i16(load<i32>(sample)));
  store<i32>(MM + row, load<i32>(sample, 4));
  store<i32>(FLAGS + row, load<i32>(sample, 8));
  store<i32>(MM2 + row, load<i32>(sample, 12));
}
