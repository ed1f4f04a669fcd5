// Rows of the kernel's own tracepoints from binary records: the same rows that bodies.ts makes of their printed form.
// Each names the fields it needs; where they lie is the recording's to say.
import { NONE } from "../../table/event-batch.ts";
import { EventKind, EXIT_BEFORE_MM, LOCK_SUCCESS, LOCK_WRITE, TLB_ALL } from "../../table/event-kinds.ts";
import { readMarker } from "../bodies.ts";
import { isPid, MAX_CPU } from "../limits.ts";
import { stateOfNumber } from "../sched-switch.ts";
import type { Sink } from "../sink.ts";
import type { Field } from "./event-format.ts";
import { findText, highOf, intOf, type RecordBytes, type TextRange } from "./fields.ts";

/** Adds the rows of one record. `f` are the event's `fields` in their order. False when a value cannot be. */
export type StockReader = (sink: Sink, r: RecordBytes, f: readonly Field[]) => boolean;

/** What the kernel (assembly/records.ts) does with a stock event: its name there. */
export type StockAction =
  | "switch"
  | "child"
  | "withPid"
  | "migrate"
  | "tlbFlush"
  | "lock"
  | "enterClone"
  | "exitClone";

export interface StockEvent {
  /** Fields that must be described; a name with "?" may be missing and is then not in `f`, so it comes last. */
  readonly fields: readonly string[];
  readonly read: StockReader;
  /** The same by the kernel; absent for what it leaves to `read`. */
  readonly kernel?: { readonly action: StockAction; readonly kind: EventKind };
}

const range: TextRange = { textStart: 0, textEnd: 0 };

function commOf(sink: Sink, r: RecordBytes, field: Field): number {
  return findText(r, field, range) ? sink.comm(r.bytes, range.textStart, range.textEnd) : NONE;
}

function readSwitch(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const prev = intOf(r, f[0]!);
  const next = intOf(r, f[3]!);
  if (!isPid(prev) || !isPid(next)) return false;
  const head = sink.head;
  head.tid = prev;
  // Read with hash-ptr=0 nothing changes here, but a prev_comm can be empty in a damaged record: the name known stays.
  if (findText(r, f[1]!, range) && range.textEnd > range.textStart) {
    head.commId = sink.comm(r.bytes, range.textStart, range.textEnd);
  }
  const row = sink.add(EventKind.schedSwitch);
  sink.out.argTid[row] = next;
  sink.out.argComm[row] = commOf(sink, r, f[4]!);
  sink.out.flags[row] = stateOfNumber(intOf(r, f[2]!));
  return true;
}

function readNewtask(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const pid = intOf(r, f[0]!);
  if (!isPid(pid)) return false;
  const row = sink.add(EventKind.taskNewtask);
  sink.out.argTid[row] = pid;
  sink.out.argComm[row] = commOf(sink, r, f[1]!);
  sink.out.flags[row] = intOf(r, f[2]!);
  return true;
}

function readFork(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const child = intOf(r, f[0]!);
  if (!isPid(child)) return false;
  const row = sink.add(EventKind.schedProcessFork);
  sink.out.argTid[row] = child;
  sink.out.argComm[row] = commOf(sink, r, f[1]!);
  return true;
}

/** `flags` of rows of events that have the second field, whatever it holds. */
function withPid(kind: EventKind, fields: readonly [string, string?], flags = 0): StockEvent {
  const read: StockReader = (sink, r, f) => {
    const pid = intOf(r, f[0]!);
    if (!isPid(pid)) return false;
    const row = sink.add(kind);
    sink.out.argTid[row] = pid;
    if (f.length > 1) sink.out.flags[row] = flags;
    return true;
  };
  const named = fields.filter((name) => name !== undefined);
  return { fields: named, read, kernel: { action: "withPid", kind } };
}

function readMigrate(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const pid = intOf(r, f[0]!);
  const from = intOf(r, f[1]!);
  const to = intOf(r, f[2]!);
  if (!isPid(pid) || from < 0 || from > MAX_CPU || to < 0 || to > MAX_CPU) return false;
  const row = sink.add(EventKind.schedMigrateTask);
  sink.out.argTid[row] = pid;
  sink.out.flags[row] = from | (to << 16);
  return true;
}

function readTlbFlush(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const pages = f[1]!;
  const row = sink.add(EventKind.tlbFlush);
  const all = pages.size === 8 ? (highOf(r, pages) | 0) < 0 : intOf(r, pages) < 0;
  sink.out.flags[row] = (intOf(r, f[0]!) & 0xff) | (all ? TLB_ALL : 0);
  return true;
}

function lock(kind: EventKind, fields: readonly string[]): StockEvent {
  const read: StockReader = (sink, r, f) => {
    const mm = f[0]!;
    const write = intOf(r, f[1]!) !== 0;
    const success = f.length > 2 && intOf(r, f[2]!) !== 0;
    const row = sink.add(kind);
    sink.out.mm[row] = sink.pointers.ofWords(highOf(r, mm), intOf(r, mm));
    sink.out.flags[row] = (write ? LOCK_WRITE : 0) | (success ? LOCK_SUCCESS : 0);
    return true;
  };
  return { fields, read, kernel: { action: "lock", kind } };
}

function readEnterClone(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const row = sink.add(EventKind.sysEnterClone);
  const flags = f[0];
  if (flags !== undefined) sink.out.flags[row] = intOf(r, flags);
  return true;
}

function readExitClone(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  const pid = intOf(r, f[0]!);
  const row = sink.add(EventKind.sysExitClone);
  sink.out.argTid[row] = isPid(pid) ? pid : NONE;
  return true;
}

/** trace_marker: "forkcast: armed kthread_use_mm\n". */
function readPrint(sink: Sink, r: RecordBytes, f: readonly Field[]): boolean {
  if (!findText(r, f[0]!, range)) return false;
  let end = range.textEnd;
  while (end > range.textStart && r.bytes[end - 1]! <= 0x20) end--;
  return readMarker(sink, r.bytes, range.textStart, end);
}

const ENTER_CLONE: StockEvent = {
  fields: ["clone_flags?"],
  read: readEnterClone,
  kernel: { action: "enterClone", kind: EventKind.sysEnterClone },
};
const EXIT_CLONE: StockEvent = {
  fields: ["ret"],
  read: readExitClone,
  kernel: { action: "exitClone", kind: EventKind.sysExitClone },
};

/** By event name; a probe of the same name is told apart by its fields. */
export const STOCK_RECORDS: ReadonlyMap<string, StockEvent> = new Map<string, StockEvent>([
  [
    "sched_switch",
    {
      fields: ["prev_pid", "prev_comm", "prev_state", "next_pid", "next_comm"],
      read: readSwitch,
      kernel: { action: "switch", kind: EventKind.schedSwitch },
    },
  ],
  [
    "task_newtask",
    {
      fields: ["pid", "comm", "clone_flags"],
      read: readNewtask,
      kernel: { action: "child", kind: EventKind.taskNewtask },
    },
  ],
  [
    "sched_process_fork",
    {
      fields: ["child_pid", "child_comm"],
      read: readFork,
      kernel: { action: "child", kind: EventKind.schedProcessFork },
    },
  ],
  ["sched_process_exec", withPid(EventKind.schedProcessExec, ["old_pid"])],
  ["sched_process_exit", withPid(EventKind.schedProcessExit, ["pid", "group_dead?"], EXIT_BEFORE_MM)],
  ["sched_process_free", withPid(EventKind.schedProcessFree, ["pid"])],
  [
    "sched_migrate_task",
    {
      fields: ["pid", "orig_cpu", "dest_cpu"],
      read: readMigrate,
      kernel: { action: "migrate", kind: EventKind.schedMigrateTask },
    },
  ],
  [
    "tlb_flush",
    {
      fields: ["reason", "pages"],
      read: readTlbFlush,
      kernel: { action: "tlbFlush", kind: EventKind.tlbFlush },
    },
  ],
  ["mmap_lock_start_locking", lock(EventKind.mmapLockStartLocking, ["mm", "write"])],
  ["mmap_lock_acquire_returned", lock(EventKind.mmapLockAcquireReturned, ["mm", "write", "success?"])],
  ["mmap_lock_released", lock(EventKind.mmapLockReleased, ["mm", "write"])],
  ["sys_enter_clone", ENTER_CLONE],
  ["sys_enter_clone3", ENTER_CLONE],
  ["sys_enter_fork", ENTER_CLONE],
  ["sys_enter_vfork", ENTER_CLONE],
  ["sys_exit_clone", EXIT_CLONE],
  ["sys_exit_clone3", EXIT_CLONE],
  ["sys_exit_fork", EXIT_CLONE],
  ["sys_exit_vfork", EXIT_CLONE],
  ["print", { fields: ["buf"], read: readPrint }],
]);
