// Bodies of the tracepoints other than sched_switch. ftrace, trace-cmd and perf print them alike (libtraceevent
// writes "pages=-1" for "pages:-1" and little else). Fields behind a task name are looked for from the right.
import { NONE } from "../table/event-batch.ts";
import { EventKind, EXIT_BEFORE_MM, LOCK_SUCCESS, LOCK_WRITE, TLB_ALL } from "../table/event-kinds.ts";
import { isPid, MAX_CPU } from "./limits.ts";
import {
  ascii,
  DASH,
  decodeSample,
  digitsEnd,
  findFirst,
  findLast,
  hasHexPrefix,
  LPAREN,
  RPAREN,
  readDecimal,
  readHexLow,
  SPACE,
  skipSpaces,
  startsWith,
} from "./numbers.ts";
import type { Sink } from "./sink.ts";

const PID_FIRST = ascii("pid=");
const COMM_AFTER = ascii(" comm=");
const PID = ascii(" pid=");
const CLONE_FLAGS = ascii(" clone_flags=");
const CHILD_COMM = ascii(" child_comm=");
const CHILD_PID = ascii(" child_pid=");
const OLD_PID = ascii(" old_pid=");
const GROUP_DEAD = ascii(" group_dead=");
const ORIG_CPU = ascii(" orig_cpu=");
const DEST_CPU = ascii(" dest_cpu=");
const PAGES = ascii("pages");
const PAGES_AFTER = ascii(" pages=");
const REASON = ascii("reason=");
const MM = ascii("mm=");
const WRITE_TRUE = ascii(" write=true");
const WRITE_ONE = ascii(" write=1");
const SUCCESS_TRUE = ascii(" success=true");
const SUCCESS_ONE = ascii(" success=1");
const CLONE_FLAGS_ARG = ascii("clone_flags: ");
const CLONE_FLAGS_FIELD = ascii("clone_flags=");
const RET_FIELD = ascii(" ret=");
const ARMED = ascii("forkcast: armed ");
const KERNEL = ascii("forkcast: kernel ");

/** Reads one body, bytes[at, end), and adds its row. False when the body is not what the event prints. */
export type BodyReader = (sink: Sink, bytes: Uint8Array, at: number, end: number) => boolean;

/** "pid=1361 comm=bash clone_flags=1200000 oom_score_adj=0" */
export function readTaskNewtask(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const flags = findLast(bytes, at, end, CLONE_FLAGS);
  if (flags < 0 || !startsWith(bytes, at, end, PID_FIRST)) return false;
  const pidEnd = digitsEnd(bytes, at + PID_FIRST.length, end);
  const pid = readDecimal(bytes, at + PID_FIRST.length, pidEnd);
  if (!startsWith(bytes, pidEnd, end, COMM_AFTER) || !isPid(pid)) return false;
  const row = sink.add(EventKind.taskNewtask);
  const out = sink.out;
  out.argTid[row] = pid;
  out.argComm[row] = sink.comm(bytes, pidEnd + COMM_AFTER.length, flags);
  out.flags[row] = readHexLow(bytes, flags + CLONE_FLAGS.length, end);
  return true;
}

/** "comm=bash pid=1351 child_comm=bash child_pid=1361", raw "parent_comm=bash parent_pid=1351 child_comm=…" */
export function readProcessFork(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const childPid = findLast(bytes, at, end, CHILD_PID);
  if (childPid < 0) return false;
  const childComm = findLast(bytes, at, childPid, CHILD_COMM);
  const child = numberAt(bytes, childPid + CHILD_PID.length, end);
  if (childComm < 0 || !isPid(child)) return false;
  const row = sink.add(EventKind.schedProcessFork);
  const out = sink.out;
  out.argTid[row] = child;
  out.argComm[row] = sink.comm(bytes, childComm + CHILD_COMM.length, childPid);
  return true;
}

/** "filename=/usr/bin/bash pid=1361 old_pid=1361" */
export function readProcessExec(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  return addWithPid(sink, EventKind.schedProcessExec, bytes, at, end, OLD_PID);
}

/** "comm=sleep pid=1355 prio=120", from 6.16 with " group_dead=true" */
export function readProcessExit(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const field = findLast(bytes, at, end, PID);
  const pid = field < 0 ? NONE : numberAt(bytes, field + PID.length, end);
  if (!isPid(pid)) return false;
  const row = sink.add(EventKind.schedProcessExit);
  sink.out.argTid[row] = pid;
  // What stands before the pid is a name, and may be anything.
  if (findLast(bytes, field, end, GROUP_DEAD) >= 0) sink.out.flags[row] = EXIT_BEFORE_MM;
  return true;
}

/** "comm=sleep pid=1355 prio=120" */
export function readProcessFree(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  return addWithPid(sink, EventKind.schedProcessFree, bytes, at, end, PID);
}

/** "comm=labinit pid=1 prio=120 orig_cpu=1 dest_cpu=0" */
export function readMigrateTask(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const dest = findLast(bytes, at, end, DEST_CPU);
  const orig = findLast(bytes, at, end, ORIG_CPU);
  const pid = findLast(bytes, at, end, PID);
  if (dest < 0 || orig < 0 || pid < 0) return false;
  const task = numberAt(bytes, pid + PID.length, end);
  const from = numberAt(bytes, orig + ORIG_CPU.length, end);
  const to = numberAt(bytes, dest + DEST_CPU.length, end);
  if (!isPid(task) || from < 0 || from > MAX_CPU || to < 0 || to > MAX_CPU) return false;
  const row = sink.add(EventKind.schedMigrateTask);
  sink.out.argTid[row] = task;
  sink.out.flags[row] = from | (to << 16);
  return true;
}

/**
 * "pages:-1 reason:local mm shootdown (3)", trace-cmd "pages=-1 reason=flush on task switch (0)", and with a text the
 * printer does not know "reason:0x5 (5)" or "reason: (0)": the number in parentheses counts.
 */
export function readTlbFlush(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  if (startsWith(bytes, at, end, REASON)) return readRawTlbFlush(sink, bytes, at, end);
  if (!startsWith(bytes, at, end, PAGES)) return false;
  let last = end;
  while (last > at && bytes[last - 1] === SPACE) last--;
  if (bytes[last - 1] !== RPAREN) return false;
  let open = last - 1;
  while (open > at && bytes[open] !== LPAREN) open--;
  if (digitsEnd(bytes, open + 1, end) !== last - 1) return false;
  const all = bytes[at + PAGES.length + 1] === DASH;
  const row = sink.add(EventKind.tlbFlush);
  sink.out.flags[row] = readDecimal(bytes, open + 1, last - 1) | (all ? TLB_ALL : 0);
  return true;
}

/** trace-cmd report -R, in the order of the record: "reason=3 pages=-1". */
function readRawTlbFlush(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const reason = at + REASON.length;
  const reasonEnd = digitsEnd(bytes, reason, end);
  if (reasonEnd === reason || !startsWith(bytes, reasonEnd, end, PAGES_AFTER)) return false;
  const all = bytes[reasonEnd + PAGES_AFTER.length] === DASH;
  const row = sink.add(EventKind.tlbFlush);
  sink.out.flags[row] = readDecimal(bytes, reason, reasonEnd) | (all ? TLB_ALL : 0);
  return true;
}

/** "mm=ff2f70a182d43180 memcg_path=/ write=true success=true", later kernels memcg_id=1. */
function addMmapLock(sink: Sink, kind: EventKind, bytes: Uint8Array, at: number, end: number): boolean {
  if (!startsWith(bytes, at, end, MM)) return false;
  let stop = at + MM.length;
  while (stop < end && bytes[stop] !== SPACE) stop++;
  const write = findLast(bytes, stop, end, WRITE_TRUE) >= 0 || findLast(bytes, stop, end, WRITE_ONE) >= 0;
  const success =
    findLast(bytes, stop, end, SUCCESS_TRUE) >= 0 || findLast(bytes, stop, end, SUCCESS_ONE) >= 0;
  const row = sink.add(kind);
  sink.out.mm[row] = sink.pointer(bytes, at + MM.length, stop);
  sink.out.flags[row] =
    (write ? LOCK_WRITE : 0) | (success && kind === EventKind.mmapLockAcquireReturned ? LOCK_SUCCESS : 0);
  return true;
}

export function readMmapLockStart(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  return addMmapLock(sink, EventKind.mmapLockStartLocking, bytes, at, end);
}

export function readMmapLockAcquired(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  return addMmapLock(sink, EventKind.mmapLockAcquireReturned, bytes, at, end);
}

export function readMmapLockReleased(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  return addMmapLock(sink, EventKind.mmapLockReleased, bytes, at, end);
}

/**
 * "(clone_flags: 1200011, newsp: 0, …)", perf and trace-cmd "clone_flags: 0x01200011, …", raw "__syscall_nr=56
 * clone_flags=0x1200011 …" (print_field(), libtraceevent); clone3, fork, vfork: no flags.
 */
export function readEnterClone(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  let flags = findFirst(bytes, at, end, CLONE_FLAGS_ARG);
  if (flags < 0) flags = findFirst(bytes, at, end, CLONE_FLAGS_FIELD);
  const row = sink.add(EventKind.sysEnterClone);
  if (flags < 0) return true;
  const from = skipSpaces(bytes, flags + CLONE_FLAGS_FIELD.length, end);
  sink.out.flags[row] = readHexLow(bytes, from, end);
  return true;
}

/** "0x3a8", raw "__syscall_nr=56 ret=936": the child's pid, or a negative errno, of which only the failure is kept. */
export function readExitClone(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const field = findLast(bytes, at, end, RET_FIELD);
  if (field < 0 && !hasHexPrefix(bytes, at, end)) return false;
  const from = field < 0 ? at : field + RET_FIELD.length;
  const isHex = hasHexPrefix(bytes, from, end);
  const pid = isHex ? readHexLow(bytes, from, end) : numberAt(bytes, from, end);
  const row = sink.add(EventKind.sysExitClone);
  sink.out.argTid[row] = isPid(pid) ? pid : NONE;
  return true;
}

/** Markers our recorder writes: "forkcast: armed kthread_use_mm,get_task_mm", "forkcast: kernel 6.1.0-56-amd64". Others are no rows. */
export function readMarker(sink: Sink, bytes: Uint8Array, at: number, end: number): boolean {
  const mark = findFirst(bytes, at, Math.min(end, at + 64), ARMED);
  if (mark >= 0) addArmed(sink, bytes, mark + ARMED.length, end);
  const kernel = findFirst(bytes, at, Math.min(end, at + 64), KERNEL);
  if (kernel >= 0) sink.kernel = decodeSample(bytes, kernel + KERNEL.length, end).trim();
  return true;
}

/** One `armed` row per name of a list parted by blanks or commas. */
export function addArmed(sink: Sink, bytes: Uint8Array, from: number, end: number): void {
  let at = from;
  while (at < end) {
    const start = at;
    while (at < end && bytes[at] !== SPACE && bytes[at] !== 0x2c) at++;
    if (at > start) {
      const row = sink.add(EventKind.armed);
      sink.out.argComm[row] = sink.comms.intern(bytes, start, at);
    }
    at++;
  }
}

function addWithPid(
  sink: Sink,
  kind: EventKind,
  bytes: Uint8Array,
  at: number,
  end: number,
  key: Uint8Array,
): boolean {
  const field = findLast(bytes, at, end, key);
  if (field < 0) return false;
  const pid = numberAt(bytes, field + key.length, end);
  if (!isPid(pid)) return false;
  const row = sink.add(kind);
  sink.out.argTid[row] = pid;
  return true;
}

/** The decimal number at `at`, blanks before it skipped; NONE when there is none or it is negative. */
function numberAt(bytes: Uint8Array, at: number, end: number): number {
  const from = skipSpaces(bytes, at, end);
  const stop = digitsEnd(bytes, from, end);
  return stop === from ? NONE : readDecimal(bytes, from, stop);
}
