// Rows of the tracepoints of a task's life: a fork, an exec, an exit, a migration. The rules are those of src/ingest/bodies.ts;
// a line that needs anything else is left to it.
import { add, ARG_COMM, ARG_TID, comm, FLAGS, headComm, headTid } from "./rows";
import { endsWith, hexLow, isDigit, MAX_CPU, MAX_PID, number, SPACE, spaces, stop } from "./text";

// EventKind numbers.
const SCHED_PROCESS_FORK: i32 = 2;
const TASK_NEWTASK: i32 = 3;
const SCHED_PROCESS_EXEC: i32 = 4;
const SCHED_PROCESS_EXIT: i32 = 5;
const SCHED_MIGRATE_TASK: i32 = 7;
const EXIT_BEFORE_MM: i32 = 1;

/** Literals, padded to 16 bytes. */
const WORDS: usize = memory.data<u8>([
  // "pid="
  0x70, 0x69, 0x64, 0x3d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // " comm="
  0x20, 0x63, 0x6f, 0x6d, 0x6d, 0x3d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // " pid="
  0x20, 0x70, 0x69, 0x64, 0x3d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // " clone_flags="
  0x20, 0x63, 0x6c, 0x6f, 0x6e, 0x65, 0x5f, 0x66, 0x6c, 0x61, 0x67, 0x73, 0x3d, 0, 0, 0,
  // " child_comm="
  0x20, 0x63, 0x68, 0x69, 0x6c, 0x64, 0x5f, 0x63, 0x6f, 0x6d, 0x6d, 0x3d, 0, 0, 0, 0,
  // " child_pid="
  0x20, 0x63, 0x68, 0x69, 0x6c, 0x64, 0x5f, 0x70, 0x69, 0x64, 0x3d, 0, 0, 0, 0, 0,
  // " old_pid="
  0x20, 0x6f, 0x6c, 0x64, 0x5f, 0x70, 0x69, 0x64, 0x3d, 0, 0, 0, 0, 0, 0, 0,
  // " orig_cpu="
  0x20, 0x6f, 0x72, 0x69, 0x67, 0x5f, 0x63, 0x70, 0x75, 0x3d, 0, 0, 0, 0, 0, 0,
  // " dest_cpu="
  0x20, 0x64, 0x65, 0x73, 0x74, 0x5f, 0x63, 0x70, 0x75, 0x3d, 0, 0, 0, 0, 0, 0,
  // " group_dead="
  0x20, 0x67, 0x72, 0x6f, 0x75, 0x70, 0x5f, 0x64, 0x65, 0x61, 0x64, 0x3d, 0, 0, 0, 0,
], 16);
const PID_FIRST: usize = WORDS;
const COMM_AFTER: usize = WORDS + 16;
const PID: usize = WORDS + 32;
const CLONE_FLAGS: usize = WORDS + 48;
const CHILD_COMM: usize = WORDS + 64;
const CHILD_PID: usize = WORDS + 80;
const OLD_PID: usize = WORDS + 96;
const ORIG_CPU: usize = WORDS + 112;
const DEST_CPU: usize = WORDS + 128;
const GROUP_DEAD: usize = WORDS + 144;
const COMM_AFTER_LENGTH: usize = 6;
const PID_LENGTH: usize = 5;
const CLONE_FLAGS_LENGTH: usize = 13;
const CHILD_COMM_LENGTH: usize = 12;
const CHILD_PID_LENGTH: usize = 11;
const OLD_PID_LENGTH: usize = 9;
const CPU_LENGTH: usize = 10;
const GROUP_DEAD_LENGTH: usize = 12;

/** Index behind the last occurrence of the word, which begins with a blank, inside [at, end); 0 when there is none. */
function behindWord(at: usize, end: usize, word: usize, length: usize): usize {
  for (let i = end - length + 1; i > at; i--) {
    if (load<u8>(i - 1) == SPACE && endsWith(at, i - 1 + length, word, length)) return i - 1 + length;
  }
  return 0;
}

/** numberAt(): the number at `at`, blanks before it skipped; -1 when there is none, some number above `limit` beyond it. */
function numberAt(at: usize, limit: i32): i32 {
  const from = spaces(at);
  return isDigit(load<u8>(from)) ? number(from, limit) : -1;
}

// @ts-expect-error: decorator
@inline
function isPid(pid: i32): bool {
  return pid >= 0 && pid <= MAX_PID;
}

/** Id of the name [start, end) that stands in a body: that of "<...>" for an empty one; -1 as comm(). */
// @ts-expect-error: decorator
@inline
function bodyComm(start: usize, end: usize): i32 {
  return start >= end ? 0 : comm(start, end);
}

/** Adds a row of the head's task, `name` being its name's id. Returns its place in columns of four bytes. */
// @ts-expect-error: decorator
@inline
function addRow(kind: i32, name: i32, argTid: i32): usize {
  const row = usize(add(kind, headTid, name, 0)) * 4;
  store<i32>(ARG_TID + row, argTid);
  return row;
}

/** readTaskNewtask() */
function addNewtask(at: usize, end: usize): bool {
  const flags = behindWord(at, end, CLONE_FLAGS, CLONE_FLAGS_LENGTH);
  if (flags == 0 || !endsWith(at, at + 4, PID_FIRST, 4) || !isDigit(load<u8>(at, 4))) return false;
  const pid = number(at + 4, MAX_PID);
  const commStart = stop + COMM_AFTER_LENGTH;
  if (!isPid(pid) || !endsWith(at, commStart, COMM_AFTER, COMM_AFTER_LENGTH)) return false;
  const name = headComm();
  const child = name < 0 ? -1 : bodyComm(commStart, flags - CLONE_FLAGS_LENGTH);
  if (child < 0) return false;
  const row = addRow(TASK_NEWTASK, name, pid);
  store<i32>(ARG_COMM + row, child);
  store<i32>(FLAGS + row, hexLow(load<u16>(flags) == 0x7830 && end - flags > 2 ? flags + 2 : flags, end));
  return true;
}

/** readProcessFork() */
function addFork(at: usize, end: usize): bool {
  const childPid = behindWord(at, end, CHILD_PID, CHILD_PID_LENGTH);
  if (childPid == 0) return false;
  const commEnd = childPid - CHILD_PID_LENGTH;
  const childComm = behindWord(at, commEnd, CHILD_COMM, CHILD_COMM_LENGTH);
  const pid = numberAt(childPid, MAX_PID);
  if (childComm == 0 || !isPid(pid)) return false;
  const name = headComm();
  const child = name < 0 ? -1 : bodyComm(childComm, commEnd);
  if (child < 0) return false;
  store<i32>(ARG_COMM + addRow(SCHED_PROCESS_FORK, name, pid), child);
  return true;
}

/** readMigrateTask() */
function addMigrate(at: usize, end: usize): bool {
  const dest = behindWord(at, end, DEST_CPU, CPU_LENGTH);
  const orig = behindWord(at, end, ORIG_CPU, CPU_LENGTH);
  const pidAt = behindWord(at, end, PID, PID_LENGTH);
  if (dest == 0 || orig == 0 || pidAt == 0) return false;
  const pid = numberAt(pidAt, MAX_PID);
  const from = numberAt(orig, MAX_CPU);
  const to = numberAt(dest, MAX_CPU);
  if (!isPid(pid) || from < 0 || from > MAX_CPU || to < 0 || to > MAX_CPU) return false;
  const name = headComm();
  if (name < 0) return false;
  store<i32>(FLAGS + addRow(SCHED_MIGRATE_TASK, name, pid), from | (to << 16));
  return true;
}

/** The row of a tracepoint of `kind`. False: nothing was added. */
export function addTask(kind: i32, at: usize, end: usize): bool {
  if (kind == TASK_NEWTASK) return addNewtask(at, end);
  if (kind == SCHED_PROCESS_FORK) return addFork(at, end);
  if (kind == SCHED_MIGRATE_TASK) return addMigrate(at, end);
  const isExec = kind == SCHED_PROCESS_EXEC;
  const length = isExec ? OLD_PID_LENGTH : PID_LENGTH;
  const field = behindWord(at, end, isExec ? OLD_PID : PID, length);
  const pid = field == 0 ? -1 : numberAt(field, MAX_PID);
  const name = isPid(pid) ? headComm() : -1;
  if (name < 0) return false;
  const row = addRow(kind, name, pid);
  if (kind == SCHED_PROCESS_EXIT && behindWord(field, end, GROUP_DEAD, GROUP_DEAD_LENGTH) != 0)
    store<i32>(FLAGS + row, EXIT_BEFORE_MM);
  return true;
}
