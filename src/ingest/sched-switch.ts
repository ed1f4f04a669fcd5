// sched_switch in the four ways it is printed. Task names are free text of up to 15 bytes and may imitate the
// fields around them, so every form is read from the line's end leftwards and accepted only as a whole.
import { CTX_ALIAS, NONE } from "../table/event-batch.ts";
import { EventKind, SwitchState } from "../table/event-kinds.ts";
import { MAX_PID } from "./limits.ts";
import {
  ascii,
  COLON,
  DASH,
  digitsEnd,
  EQUALS,
  endsWith,
  hasHexPrefix,
  hexDigit,
  LBRACKET,
  RBRACKET,
  readDecimal,
  readHexLow,
  SPACE,
  startsWith,
} from "./numbers.ts";
import type { Sink } from "./sink.ts";

const PREV_COMM = ascii("prev_comm=");
const PREV_PID = ascii(" prev_pid=");
const PREV_PRIO = ascii(" prev_prio=");
const PREV_STATE = ascii(" prev_state=");
const ARROW_NEXT_COMM = ascii(" ==> next_comm=");
const NEXT_COMM = ascii(" next_comm=");
const NEXT_PID = ascii(" next_pid=");
const NEXT_PRIO = ascii(" next_prio=");
const ARROW = ascii(" ==> ");
/** Longest name plus room for a broken kernel's extra byte. */
const MAX_COMM = 16;

/** Ranges and numbers of the sched_switch body read last. */
interface SwitchFields {
  prevCommEnd: number;
  prevCommStart: number;
  prevPid: number;
  state: number;
  nextCommStart: number;
  nextCommEnd: number;
  nextPid: number;
}

const fields: SwitchFields = {
  prevCommStart: 0,
  prevCommEnd: 0,
  prevPid: 0,
  state: SwitchState.unknown,
  nextCommStart: 0,
  nextCommEnd: 0,
  nextPid: 0,
};

/** Adds the row of a sched_switch body, bytes[at, end). False when it is none. */
export function addSchedSwitch(
  sink: Sink,
  bytes: Uint8Array,
  at: number,
  end: number,
  isAlias: boolean,
): boolean {
  let last = end;
  while (last > at && bytes[last - 1] === SPACE) last--;
  const head = sink.head;
  if (!readSwitch(bytes, at, last, head.tid)) return false;
  const f = fields;
  if (f.prevPid > MAX_PID || f.nextPid > MAX_PID) return false;
  head.tid = f.prevPid;
  // Printed with hash-ptr=0, 6.1 leaves prev_comm empty: the head's name stays.
  if (f.prevCommEnd > f.prevCommStart) {
    head.commStart = f.prevCommStart;
    head.commEnd = f.prevCommEnd;
  }
  const row = sink.add(EventKind.schedSwitch);
  const out = sink.out;
  out.argTid[row] = f.nextPid;
  out.argComm[row] =
    f.nextCommEnd > f.nextCommStart ? sink.comm(bytes, f.nextCommStart, f.nextCommEnd) : NONE;
  out.flags[row] = f.state;
  if (isAlias) out.ctx[row] = out.ctx[row]! | CTX_ALIAS;
  return true;
}

/**
 * Reads either form into `fields`. Two names together can imitate a whole switch, so the reading whose prev_pid is the
 * head's is tried first; a head without one (perf's :-1) takes the first that fits.
 */
function readSwitch(bytes: Uint8Array, at: number, end: number, tid: number): boolean {
  const read = startsWith(bytes, at, end, PREV_COMM) ? readFields : readPretty;
  return read(bytes, at, end, tid) || read(bytes, at, end, NONE);
}

/**
 * "prev_comm=a prev_pid=1 prev_prio=120 prev_state=R+ ==> next_comm=b next_pid=2 next_prio=120", and the raw form of
 * trace-cmd report -R: "… prev_state=0x400 next_comm=b …".
 */
function readFields(bytes: Uint8Array, at: number, end: number, tid: number): boolean {
  const prioStart = digitsStart(bytes, at, end);
  if (prioStart === end || !endsWith(bytes, at, prioStart, NEXT_PRIO)) return false;
  const pidEnd = prioStart - NEXT_PRIO.length;
  const pidStart = digitsStart(bytes, at, pidEnd);
  if (pidStart === pidEnd || !endsWith(bytes, at, pidStart, NEXT_PID)) return false;
  fields.nextPid = readPid(bytes, pidStart, pidEnd);
  fields.nextCommEnd = pidStart - NEXT_PID.length;
  const leftmost = Math.max(at, fields.nextCommEnd - MAX_COMM);
  for (let start = fields.nextCommEnd; start >= leftmost; start--) {
    if (bytes[start - 1] !== EQUALS) continue;
    const hasArrow = endsWith(bytes, at, start, ARROW_NEXT_COMM);
    if (!hasArrow && !endsWith(bytes, at, start, NEXT_COMM)) continue;
    fields.nextCommStart = start;
    const prevEnd = start - (hasArrow ? ARROW_NEXT_COMM.length : NEXT_COMM.length);
    if (readPrev(bytes, at, prevEnd) && isPrev(tid)) return true;
  }
  return false;
}

/** "prev_comm=a prev_pid=1 prev_prio=120 prev_state=R+" in [at, end). */
function readPrev(bytes: Uint8Array, at: number, end: number): boolean {
  let stateStart = end;
  while (stateStart > at && bytes[stateStart - 1] !== EQUALS) stateStart--;
  if (stateStart === end || !endsWith(bytes, at, stateStart, PREV_STATE)) return false;
  const prioEnd = stateStart - PREV_STATE.length;
  const prioStart = digitsStart(bytes, at, prioEnd);
  if (prioStart === prioEnd || !endsWith(bytes, at, prioStart, PREV_PRIO)) return false;
  const pidEnd = prioStart - PREV_PRIO.length;
  const pidStart = digitsStart(bytes, at, pidEnd);
  if (pidStart === pidEnd || !endsWith(bytes, at, pidStart, PREV_PID)) return false;
  fields.prevPid = readPid(bytes, pidStart, pidEnd);
  fields.prevCommStart = at + PREV_COMM.length;
  fields.prevCommEnd = pidStart - PREV_PID.length;
  fields.state = stateOf(bytes, stateStart, end);
  return fields.prevCommEnd >= fields.prevCommStart;
}

/** Whether the reading in `fields` is one of a task `tid` (any, when NONE) with a name that is not too long. */
function isPrev(tid: number): boolean {
  return (tid === NONE || fields.prevPid === tid) && fields.prevCommEnd - fields.prevCommStart <= MAX_COMM;
}

/** libtraceevent's plugin_sched_switch: "swapper/2:0 [120] R ==> rcu_preempt:15 [120]". */
function readPretty(bytes: Uint8Array, at: number, end: number, tid: number): boolean {
  const pidEnd = prioBracketStart(bytes, at, end);
  if (pidEnd < 0) return false;
  const pidStart = digitsStart(bytes, at, pidEnd);
  if (pidStart === pidEnd || bytes[pidStart - 1] !== COLON) return false;
  fields.nextPid = readPid(bytes, pidStart, pidEnd);
  fields.nextCommEnd = pidStart - 1;
  const leftmost = Math.max(at, fields.nextCommEnd - MAX_COMM);
  for (let start = fields.nextCommEnd; start >= leftmost; start--) {
    if (!endsWith(bytes, at, start, ARROW)) continue;
    fields.nextCommStart = start;
    if (readPrettyPrev(bytes, at, start - ARROW.length) && isPrev(tid)) return true;
  }
  return false;
}

/** "swapper/2:0 [120] R" in [at, end). */
function readPrettyPrev(bytes: Uint8Array, at: number, end: number): boolean {
  let stateStart = end;
  while (stateStart > at && bytes[stateStart - 1] !== SPACE) stateStart--;
  if (stateStart === end || stateStart === at) return false;
  const pidEnd = prioBracketStart(bytes, at, stateStart - 1);
  if (pidEnd < 0) return false;
  const pidStart = digitsStart(bytes, at, pidEnd);
  if (pidStart === pidEnd || pidStart === at || bytes[pidStart - 1] !== COLON) return false;
  fields.prevPid = readPid(bytes, pidStart, pidEnd);
  fields.prevCommStart = at;
  fields.prevCommEnd = pidStart - 1;
  fields.state = prettyStateOf(bytes, stateStart, end);
  return true;
}

/**
 * write_state(), plugins/plugin_sched_switch.c of libtraceevent, has the letters "SDTtZXxW" in the order of older
 * kernels: of the two exit states it prints Z for 0x10, which is EXIT_DEAD since 3.14, and X for 0x20, EXIT_ZOMBIE.
 */
function prettyStateOf(bytes: Uint8Array, from: number, to: number): number {
  const state = stateOf(bytes, from, to);
  if (state === SwitchState.zombie) return SwitchState.dead;
  return state === SwitchState.dead ? SwitchState.zombie : state;
}

/** Of "… comm:15 [120]" ending at `end`: where " [120]" begins; -1 when it does not end so. */
function prioBracketStart(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[end - 1] !== RBRACKET) return -1;
  const prio = digitsStart(bytes, at, end - 1);
  if (prio === end - 1 || prio - 2 < at || bytes[prio - 1] !== LBRACKET || bytes[prio - 2] !== SPACE)
    return -1;
  return prio - 2;
}

/** Start of the digits (with sign) that end at `end`; `end` when there are none. */
function digitsStart(bytes: Uint8Array, at: number, end: number): number {
  let i = end;
  while (i > at && bytes[i - 1]! >= 0x30 && bytes[i - 1]! <= 0x39) i--;
  if (i < end && i > at && bytes[i - 1] === DASH) i--;
  return i;
}

/** A negative pid stands for none. */
function readPid(bytes: Uint8Array, from: number, to: number): number {
  return bytes[from] === DASH ? NONE : readDecimal(bytes, from, to);
}

/** "R", "R+", "S", "X|Z" …, or a number as trace-cmd report -R prints it. */
function stateOf(bytes: Uint8Array, from: number, to: number): number {
  if (hasHexPrefix(bytes, from, to)) return stateOfNumber(readHexLow(bytes, from, to));
  if (hexDigit(bytes[from]!) >= 0 && digitsEnd(bytes, from, to) === to) {
    return stateOfNumber(readDecimal(bytes, from, to));
  }
  let state: number = SwitchState.sleeping;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c === 0x58) return SwitchState.dead;
    if (c === 0x5a) state = SwitchState.zombie;
    else if (c === 0x52 && state === SwitchState.sleeping) state = SwitchState.running;
    else if (c === 0x2b && state === SwitchState.running) state = SwitchState.preempted;
  }
  return state;
}

/**
 * prev_state as __trace_sched_switch_state() stores it (include/trace/events/sched.h, 6.1): 0 running, EXIT_DEAD
 * 0x10, EXIT_ZOMBIE 0x20, other report states up to TASK_REPORT_IDLE 0x80 sleeping, TASK_REPORT_MAX 0x100 preempted
 * (0x400, 0x1000 in older kernels: likewise above every sleeping state).
 */
export function stateOfNumber(state: number): number {
  if (state === 0) return SwitchState.running;
  if ((state & 0x10) !== 0) return SwitchState.dead;
  if ((state & 0x20) !== 0) return SwitchState.zombie;
  return (state & 0xff) !== 0 ? SwitchState.sleeping : SwitchState.preempted;
}
