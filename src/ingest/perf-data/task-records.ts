// Records the kernel writes on its own, beside the samples: COMM, FORK, EXIT, SWITCH_CPU_WIDE (include/uapi/linux/
// perf_event.h). They keep the task names, and stand in for tracepoints that were not recorded.
import { NONE } from "../../table/event-batch.ts";
import { CLONE_THREAD, CLONE_VM, EventKind, SwitchState } from "../../table/event-kinds.ts";
import { isPid } from "../limits.ts";
import type { Sink } from "../sink.ts";
import { TaskNames } from "../task-names.ts";
import { i32, nulAt } from "../words.ts";
import { RECORD } from "./record-types.ts";
import type { RecordHead } from "./sample.ts";

const HEADER = 8;
/** PERF_RECORD_MISC_*: bits 13 and 14 mean different things by record. */
const MISC_COMM_EXEC = 1 << 13;
const MISC_SWITCH_OUT = 1 << 13;
const MISC_SWITCH_OUT_PREEMPT = 1 << 14;
/** What copy_process() asks of every thread: CLONE_THREAD needs CLONE_SIGHAND, that needs CLONE_VM. */
const THREAD_FLAGS = CLONE_VM | 0x800 | CLONE_THREAD;

/** Whether a tracepoint of that name was recorded. */
export type Recorded = (tracepoint: string) => boolean;

export class TaskRecords {
  readonly names: TaskNames;
  readonly #sink: Sink;
  /** Children seen alive, by tid: old kernels write a FORK and an EXIT for every event of a recording. */
  readonly #alive = new Set<number>();
  readonly #dead = new Set<number>();

  constructor(sink: Sink) {
    this.#sink = sink;
    this.names = new TaskNames(sink);
    this.names.set(0, sink.comms.internText("swapper"));
  }

  /** Takes in the time of an event that gives no row. The head is filled but for the name. */
  begin(): boolean {
    const head = this.#sink.head;
    head.commId = this.names.of(head.tid);
    return this.#sink.begin();
  }

  /** Reads one record, bytes[start, end). False when it is none of these kinds or gives nothing. */
  read(
    record: RecordHead,
    bytes: Uint8Array,
    start: number,
    end: number,
    big: boolean,
    recorded: Recorded,
  ): boolean {
    const type = i32(bytes, start, big);
    const misc = big
      ? (bytes[start + 4]! << 8) | bytes[start + 5]!
      : bytes[start + 4]! | (bytes[start + 5]! << 8);
    this.#sink.head.bytes = bytes;
    this.#sink.head.start = start;
    this.#sink.head.end = start;
    const body = start + HEADER;
    const hasTime = (record.high | record.low) !== 0;
    switch (type) {
      case RECORD.comm:
        return this.#comm(bytes, body, end, big, hasTime && (misc & MISC_COMM_EXEC) !== 0, recorded);
      case RECORD.fork:
        return this.#fork(bytes, body, end, big, hasTime, recorded);
      case RECORD.exit:
        return this.#exit(bytes, body, end, big, hasTime, recorded);
      case RECORD.switchCpuWide:
        return (
          hasTime && (misc & MISC_SWITCH_OUT) !== 0 && this.#switch(bytes, body, end, big, misc, recorded)
        );
      default:
        return false;
    }
  }

  /** <4> pid, <4> tid, name. */
  #comm(
    bytes: Uint8Array,
    at: number,
    end: number,
    big: boolean,
    isExec: boolean,
    recorded: Recorded,
  ): boolean {
    if (at + 9 > end) return false;
    const tid = i32(bytes, at + 4, big);
    const stop = nulAt(bytes, at + 8, Math.min(end, at + 24));
    this.names.set(tid, this.#sink.comm(bytes, at + 8, stop));
    if (!isExec || recorded("sched_process_exec") || !isPid(tid) || !this.begin()) return isExec;
    const row = this.#sink.add(EventKind.schedProcessExec);
    this.#sink.out.argTid[row] = tid;
    return true;
  }

  /** <4> pid, <4> ppid, <4> tid, <4> ptid, <8> time. Of tasks older than the recording perf writes one with time 0. */
  #fork(
    bytes: Uint8Array,
    at: number,
    end: number,
    big: boolean,
    hasTime: boolean,
    recorded: Recorded,
  ): boolean {
    if (at + 16 > end) return false;
    const pid = i32(bytes, at, big);
    const parentPid = i32(bytes, at + 4, big);
    const tid = i32(bytes, at + 8, big);
    const parent = i32(bytes, at + 12, big);
    if (!isPid(tid) || !isPid(parent)) return false;
    const name = this.names.of(parent);
    this.#dead.delete(tid);
    if (this.#alive.has(tid)) return false;
    this.names.set(tid, name);
    if (!hasTime) return false;
    this.#alive.add(tid);
    if (recorded("sched_process_fork") || recorded("task_newtask")) return false;
    this.#sink.head.tid = parent;
    this.#sink.head.tgid = isPid(parentPid) ? parentPid : NONE;
    if (!this.begin()) return true;
    // A thread's flags are known; a process may share its mm (vfork) or not.
    const isThread = pid === parentPid;
    const row = this.#sink.add(isThread ? EventKind.taskNewtask : EventKind.schedProcessFork);
    this.#sink.out.argTid[row] = tid;
    this.#sink.out.argComm[row] = name;
    if (isThread) this.#sink.out.flags[row] = THREAD_FLAGS;
    return true;
  }

  #exit(
    bytes: Uint8Array,
    at: number,
    end: number,
    big: boolean,
    hasTime: boolean,
    recorded: Recorded,
  ): boolean {
    if (at + 16 > end) return false;
    const tid = i32(bytes, at + 8, big);
    this.#alive.delete(tid);
    if (!hasTime || !isPid(tid) || this.#dead.has(tid) || recorded("sched_process_exit")) return false;
    this.#dead.add(tid);
    if (!this.begin()) return true;
    const row = this.#sink.add(EventKind.schedProcessExit);
    this.#sink.out.argTid[row] = tid;
    return true;
  }

  /** <4> next pid, <4> next tid; the trailer names the task that leaves. */
  #switch(
    bytes: Uint8Array,
    at: number,
    end: number,
    big: boolean,
    misc: number,
    recorded: Recorded,
  ): boolean {
    if (at + 8 > end || recorded("sched_switch")) return false;
    const next = i32(bytes, at + 4, big);
    if (!isPid(next) || !isPid(this.#sink.head.tid) || !this.begin()) return false;
    const row = this.#sink.add(EventKind.schedSwitch);
    this.#sink.out.argTid[row] = next;
    this.#sink.out.argComm[row] = this.names.of(next);
    this.#sink.out.flags[row] =
      (misc & MISC_SWITCH_OUT_PREEMPT) !== 0 ? SwitchState.preempted : SwitchState.unknown;
    return true;
  }
}
