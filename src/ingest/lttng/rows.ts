// LTTng kernel events to rows, whatever they were read from. LTTng names no task per event: who runs on a CPU is taken
// from its sched_switch events, and from the context fields tid, pid and procname where the user added them. Fed by
// babeltrace-text and ctf.
import { NONE } from "../../table/event-batch.ts";
import {
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  EventKind,
  FORK_FLAGS_KNOWN,
  FORK_ONLY,
  STATE_EXITING,
  STATE_KERNEL,
  STATE_USER,
} from "../../table/event-kinds.ts";
import { isPid, MAX_CPU } from "../limits.ts";
import { stateOfNumber } from "../sched-switch.ts";
import type { Sink } from "../sink.ts";
import { type LttngFields, Slot } from "./fields.ts";
import { LttngEvent } from "./names.ts";

/** Not inside clone(), fork() or vfork() as far as was seen. */
const NO_CALL = -1;
/** Inside one whose flags are not told. */
const CALL_UNKNOWN = -2;
/** CSIGNAL, include/uapi/linux/sched.h: the signal's number in the flags of clone(). */
const CSIGNAL = 0xff;
const KTHREADD = 2;
/** enum lttng_thread_type and lttng_process_status, lttng-modules src/lttng-statedump-impl.c. */
const USER_THREAD = 0;
const STATUS_EXIT = 3;
const STATUS_ZOMBIE = 4;
const STATUS_DEAD = 7;
/** Tasks whose call is remembered while they do not run; a task leaves the table when its call ends. */
const MAX_PARKED = 65536;

/** Turns events into rows. One per trace; events come in time order. */
export class LttngRows {
  readonly fields: LttngFields;
  readonly #sink: Sink;
  /** Per CPU: the running task (NONE: not known), its name's id, and the clone call it is in. */
  #tid: Int32Array = new Int32Array(16).fill(NONE);
  #comm: Int32Array = new Int32Array(16).fill(NONE);
  #call: Float64Array = new Float64Array(16).fill(NO_CALL);
  /** The call of a task that was switched out inside one. */
  readonly #parked = new Map<number, number>();

  constructor(sink: Sink, fields: LttngFields) {
    this.#sink = sink;
    this.fields = fields;
  }

  /**
   * Adds the rows of one event; the head's cpu, time and line are set and begin() has been called. False when the event
   * lacks a field that its kind always has.
   */
  add(event: LttngEvent): boolean {
    const head = this.#sink.head;
    const cpu = head.cpu;
    if (cpu >= this.#tid.length) this.#grow(cpu);
    this.#takeContext(cpu);
    head.tid = cpu < 0 ? NONE : this.#tid[cpu]!;
    head.tgid = this.#pid(Slot.contextPid);
    head.ctx = 0;
    head.commStart = 0;
    head.commEnd = 0;
    switch (event) {
      case LttngEvent.schedSwitch:
        return this.#switch(cpu);
      case LttngEvent.processFork:
        return this.#fork(cpu);
      case LttngEvent.processExec:
        return this.#exec(cpu);
      case LttngEvent.processExit:
        return this.#exit(cpu);
      case LttngEvent.processFree:
        return this.#withTid(EventKind.schedProcessFree, cpu);
      case LttngEvent.migrateTask:
        return this.#migrate(cpu);
      case LttngEvent.processState:
        return this.#state(cpu);
      case LttngEvent.exitClone:
      case LttngEvent.exitAny:
        return this.#leaveCall(cpu, event === LttngEvent.exitAny);
      default:
        return this.#enterCall(cpu, event);
    }
  }

  /** Events of `cpu` (-1: any) were lost: what was known of it, and of calls under way anywhere, is forgotten. */
  lost(cpu: number): void {
    if (cpu < 0) this.#tid.fill(NONE);
    else if (cpu < this.#tid.length) this.#tid[cpu] = NONE;
    this.#call.fill(NO_CALL);
    this.#parked.clear();
  }

  /** "{ procname = "bash", pid = 7, tid = 7 }": the recorder says who ran. */
  #takeContext(cpu: number): void {
    const tid = this.#pid(Slot.contextTid);
    if (cpu < 0 || tid === NONE) return;
    if (this.#tid[cpu] !== tid) {
      this.#tid[cpu] = tid;
      this.#comm[cpu] = NONE;
      this.#call[cpu] = NO_CALL;
    }
    if (this.fields.hasText(Slot.contextComm)) this.#comm[cpu] = this.#text(Slot.contextComm);
  }

  #switch(cpu: number): boolean {
    const { values } = this.fields;
    const prev = this.#pid(Slot.prevTid);
    const next = this.#pid(Slot.nextTid);
    const state = values[Slot.prevState]!;
    if (prev === NONE || next === NONE || Number.isNaN(state)) return false;
    const prevComm = this.#text(Slot.prevComm);
    this.#switchTo(cpu, prev, prevComm, state, next, this.#text(Slot.nextComm));
    return true;
  }

  /**
   * As add() of a sched_switch without context: pids that isPid() holds for, ids of names. For a reader that finds them at fixed
   * places.
   */
  addSwitch(prev: number, prevComm: number, state: number, next: number, nextComm: number): void {
    const { head } = this.#sink;
    if (head.cpu >= this.#tid.length) this.#grow(head.cpu);
    head.tgid = NONE;
    head.ctx = 0;
    head.commStart = 0;
    head.commEnd = 0;
    this.#switchTo(head.cpu, prev, prevComm, state, next, nextComm);
  }

  #switchTo(
    cpu: number,
    prev: number,
    prevComm: number,
    state: number,
    next: number,
    nextComm: number,
  ): void {
    this.#sink.head.tid = prev;
    const row = this.#sink.add(EventKind.schedSwitch);
    const out = this.#sink.out;
    out.comm[row] = prevComm;
    out.argTid[row] = next;
    out.argComm[row] = nextComm;
    out.flags[row] = stateOfNumber(state);
    if (cpu < 0) return;
    const call = this.#call[cpu]!;
    if (call !== NO_CALL && prev > 0 && this.#parked.size < MAX_PARKED) this.#parked.set(prev, call);
    const resumed = this.#parked.size > 0 ? this.#parked.get(next) : undefined;
    if (resumed !== undefined) this.#parked.delete(next);
    this.#tid[cpu] = next;
    this.#comm[cpu] = nextComm;
    this.#call[cpu] = resumed ?? NO_CALL;
  }

  /**
   * The flags are those of the call the parent is in. Without them a child in the parent's thread group is a thread:
   * CLONE_THREAD needs CLONE_SIGHAND needs CLONE_VM (copy_process(), kernel/fork.c).
   */
  #fork(cpu: number): boolean {
    const parent = this.#pid(Slot.parentTid);
    const child = this.#pid(Slot.childTid);
    if (parent === NONE || child === NONE) return false;
    const group = this.#pid(Slot.parentPid);
    const childGroup = this.#pid(Slot.childPid);
    const call =
      cpu >= 0 && (this.#tid[cpu] === NONE || this.#tid[cpu] === parent) ? this.#call[cpu]! : NO_CALL;
    const isThread = group !== NONE && group === childGroup;
    const head = this.#sink.head;
    head.tid = parent;
    head.tgid = group;
    const row = this.#sink.add(EventKind.schedProcessFork);
    const out = this.#sink.out;
    out.comm[row] = this.#commOf(cpu, parent);
    out.argTid[row] = child;
    out.argComm[row] = this.#text(Slot.childComm);
    let flags = FORK_ONLY;
    // A kernel thread makes one without a syscall; a call that says CLONE_THREAD otherwise is another task's.
    if (call >= 0 && (childGroup === NONE || ((call & CLONE_THREAD) !== 0) === isThread))
      flags |= FORK_FLAGS_KNOWN | (call & ~CSIGNAL);
    else if (isThread) flags |= FORK_FLAGS_KNOWN | CLONE_THREAD | CLONE_VM;
    out.flags[row] = flags;
    return true;
  }

  #exec(cpu: number): boolean {
    const tid = this.#pid(Slot.tid);
    if (tid === NONE) return false;
    const head = this.#sink.head;
    head.tid = tid;
    const row = this.#sink.add(EventKind.schedProcessExec);
    this.#sink.out.comm[row] = this.#commOf(cpu, tid);
    this.#sink.out.argTid[row] = this.#pid(Slot.oldTid);
    return true;
  }

  #exit(cpu: number): boolean {
    const tid = this.#pid(Slot.tid);
    if (tid === NONE) return false;
    this.#sink.head.tid = tid;
    return this.#withTid(EventKind.schedProcessExit, cpu);
  }

  #withTid(kind: EventKind, cpu: number): boolean {
    const tid = this.#pid(Slot.tid);
    if (tid === NONE) return false;
    const row = this.#sink.add(kind);
    const out = this.#sink.out;
    out.comm[row] =
      kind === EventKind.schedProcessExit && this.fields.hasText(Slot.comm)
        ? this.#text(Slot.comm)
        : this.#commOf(cpu, this.#sink.head.tid);
    out.argTid[row] = tid;
    return true;
  }

  #migrate(cpu: number): boolean {
    const { values } = this.fields;
    const tid = this.#pid(Slot.tid);
    const from = values[Slot.origCpu]!;
    const to = values[Slot.destCpu]!;
    if (tid === NONE || !(from >= 0 && from <= MAX_CPU) || !(to >= 0 && to <= MAX_CPU)) return false;
    const row = this.#sink.add(EventKind.schedMigrateTask);
    this.#sink.out.comm[row] = this.#commOf(cpu, this.#sink.head.tid);
    this.#sink.out.argTid[row] = tid;
    this.#sink.out.flags[row] = from | (to << 16);
    return true;
  }

  /**
   * A task that exists (lttng_enumerate_process_states()). `type` only says whether p->mm was NULL: an exiting task has
   * none either, and a kthread inside kthread_use_mm has one; kernel threads are the children of kthreadd.
   */
  #state(cpu: number): boolean {
    const { values } = this.fields;
    const tid = this.#pid(Slot.tid);
    const group = this.#pid(Slot.pid);
    const type = values[Slot.type]!;
    if (tid === NONE || group === NONE || Number.isNaN(type)) return false;
    const status = values[Slot.status]!;
    const isExiting = status === STATUS_EXIT || status === STATUS_ZOMBIE || status === STATUS_DEAD;
    const parent = values[Slot.ppid]!;
    const isKernel = tid === KTHREADD || parent === KTHREADD;
    const row = this.#sink.add(EventKind.taskState);
    const out = this.#sink.out;
    out.comm[row] = this.#commOf(cpu, this.#sink.head.tid);
    out.argTid[row] = tid;
    out.argComm[row] = this.fields.hasText(Slot.name) ? this.#text(Slot.name) : NONE;
    out.tgid[row] = group;
    if (isExiting) out.flags[row] = STATE_EXITING;
    else if (isKernel) out.flags[row] = type === USER_THREAD ? 0 : STATE_KERNEL;
    else out.flags[row] = type === USER_THREAD ? STATE_USER : 0;
    return true;
  }

  #enterCall(cpu: number, event: LttngEvent): boolean {
    const printed = this.fields.values[Slot.cloneFlags]!;
    let flags = CALL_UNKNOWN;
    if (event === LttngEvent.enterFork) flags = 0;
    else if (event === LttngEvent.enterVfork) flags = CLONE_VFORK | CLONE_VM;
    else if (event === LttngEvent.enterClone) {
      if (Number.isNaN(printed)) return false;
      // Bit 31, CLONE_IO, is left out: it says nothing of the mm.
      flags = (printed % 0x100000000) & 0x7fffffff;
    }
    if (cpu >= 0) this.#call[cpu] = flags;
    // What is not known must not pass for a fork.
    if (flags === CALL_UNKNOWN) return true;
    const row = this.#sink.add(EventKind.sysEnterClone);
    this.#sink.out.comm[row] = this.#commOf(cpu, this.#sink.head.tid);
    this.#sink.out.flags[row] = flags;
    return true;
  }

  #leaveCall(cpu: number, isAny: boolean): boolean {
    const inCall = cpu >= 0 && this.#call[cpu] !== NO_CALL;
    if (cpu >= 0) this.#call[cpu] = NO_CALL;
    if (isAny && !inCall) return true;
    const row = this.#sink.add(EventKind.sysExitClone);
    this.#sink.out.comm[row] = this.#commOf(cpu, this.#sink.head.tid);
    this.#sink.out.argTid[row] = this.#pid(Slot.ret);
    return true;
  }

  /** The pid in a slot, NONE when there is none or it is no pid. */
  #pid(slot: Slot): number {
    const value = this.fields.values[slot]!;
    return isPid(value) && Number.isInteger(value) ? value : NONE;
  }

  #text(slot: Slot): number {
    const { bytes, starts, ends } = this.fields;
    return this.#sink.comm(bytes, starts[slot]!, ends[slot]!);
  }

  /** Name of `tid` when it is the task running on `cpu`, else that of nobody known. */
  #commOf(cpu: number, tid: number): number {
    const known = cpu >= 0 && this.#tid[cpu] === tid && tid !== NONE ? this.#comm[cpu]! : NONE;
    return known === NONE ? this.#sink.comm(this.fields.bytes, 0, 0) : known;
  }

  #grow(cpu: number): void {
    let size = this.#tid.length;
    while (size <= cpu) size *= 2;
    const tid = new Int32Array(size).fill(NONE);
    const comm = new Int32Array(size).fill(NONE);
    const call = new Float64Array(size).fill(NO_CALL);
    tid.set(this.#tid);
    comm.set(this.#comm);
    call.set(this.#call);
    this.#tid = tid;
    this.#comm = comm;
    this.#call = call;
  }
}
