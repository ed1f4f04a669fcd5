// One row (and the CPU samples that follow it) from a recognised probe line. What the columns mean per kind is in
// src/table/event-kinds.ts; which argument they come from is here.
import { CTX_ALIAS, type EventBatch, NO_MM, NO_VALUE, NONE, NULL_MM } from "../table/event-batch.ts";
import {
  CALLER_OTHER,
  CALLER_PROC,
  CALLER_PROC_MEM_OPEN,
  EventKind,
  SAMPLE_LAZY,
  SAMPLE_SWITCHING,
  SWITCH_MM_NO_TASK,
} from "../table/event-kinds.ts";
import { isPid } from "./limits.ts";
import { ascii, startsWith } from "./numbers.ts";
import { Arg, type ProbeArgs } from "./probe-args.ts";
import type { Sink } from "./sink.ts";

const PROC_MEM_OPEN = ascii("proc_mem_open+");
/**
 * Functions of fs/proc that call get_task_mm() or mm_access(), by how their names begin: array.c (do_task_stat,
 * proc_pid_status, proc_pid_statm), base.c (proc_pid_cmdline_read, proc_coredump_filter_*, proc_map_files_*,
 * map_files_*), task_mmu.c (clear_refs_write); 5.15 to 6.12.
 */
const PROC_CALLERS = ["proc_", "do_task_stat", "get_task_cmdline", "map_files_", "clear_refs_write"].map(
  ascii,
);
const CALLER_UNKNOWN = ascii("[unknown");

/** Adds the row of a probe of `kind`. `isAlias`: another event name on the same function came first. */
export function addProbeRow(sink: Sink, kind: EventKind, args: ProbeArgs, isAlias: boolean): number {
  const row = sink.add(kind);
  const out = sink.out;
  if (isAlias) out.ctx[row] = out.ctx[row]! | CTX_ALIAS;
  fillColumns(out, row, kind, args.values);
  if (kind === EventKind.mmAccessRet || kind === EventKind.procMemOpenRet) dropErrorPointer(out, row, args);
  return row;
}

/** Adds one cpuSample row per CPU the line sampled; `isAlias` as for the parent row. */
export function addSampleRows(sink: Sink, args: ProbeArgs, isAlias: boolean): void {
  for (let i = 0; i < args.sampled; i++) {
    const row = sink.add(EventKind.cpuSample);
    const out = sink.out;
    out.cpu[row] = args.cpus[i]!;
    if (isAlias) out.ctx[row] = out.ctx[row]! | CTX_ALIAS;
    out.mm[row] = pointerOf(args.samples[i * 3]!);
    out.mm2[row] = pointerOf(args.samples[i * 3 + 2]!);
    const lazy = args.samples[i * 3 + 1]!;
    out.flags[row] = (lazy > 0 ? SAMPLE_LAZY : 0) | (args.switching[i] ? SAMPLE_SWITCHING : 0);
  }
}

/** Who called mm_access or get_task_mm: "(proc_mem_open+0x34/0xa0 <- mm_access)"; 0 when the line has only addresses. */
export function callerFlags(bytes: Uint8Array, open: number, close: number): number {
  if (startsWith(bytes, open, close, PROC_MEM_OPEN)) return CALLER_PROC_MEM_OPEN;
  if (startsWith(bytes, open, close, CALLER_UNKNOWN)) return 0;
  const isProc = PROC_CALLERS.some((name) => startsWith(bytes, open, close, name));
  for (let i = open; i < close; i++) {
    const c = bytes[i]!;
    if (c === 0x2b) return isProc ? CALLER_OTHER | CALLER_PROC : CALLER_OTHER;
    if (c === 0x20) return 0;
  }
  return 0;
}

function fillColumns(out: EventBatch, row: number, kind: EventKind, args: Int32Array): void {
  switch (kind) {
    case EventKind.switchMm:
      fillSwitchMm(out, row, args);
      return;
    case EventKind.dupMmap:
    case EventKind.uprobeDupMmap:
      setMm(out, row, args[Arg.oldmm]!, args);
      out.mm2[row] =
        kind === EventKind.dupMmap && args[Arg.newmm] === NO_MM ? args[Arg.mm]! : args[Arg.newmm]!;
      return;
    case EventKind.copyPageRange:
      setMm(out, row, args[Arg.srcMm]!, args);
      out.mm2[row] = args[Arg.dstMm]!;
      return;
    case EventKind.execBegin:
      setMm(out, row, args[Arg.newmm] === NO_MM ? args[Arg.mm]! : args[Arg.newmm]!, args);
      return;
    case EventKind.dupMmapRet:
      out.flags[row] = orZero(args[Arg.ret]!);
      return;
    case EventKind.copyProcess:
      out.flags[row] = orZero(args[Arg.flags]!);
      return;
    case EventKind.flushTlbMmRange:
      setMm(out, row, args[Arg.mm]!, args);
      out.flags[row] = args[Arg.freed] === NO_VALUE ? -1 : args[Arg.freed]!;
      return;
    case EventKind.enterLazyTlb:
    case EventKind.execMmRelease:
    case EventKind.exitMmRelease:
      setMm(out, row, args[Arg.mm]!, args);
      out.argTid[row] = pidOf(args, Arg.tsk);
      return;
    case EventKind.getTaskMm:
    case EventKind.mmAccess:
      out.argTid[row] = pidOf(args, Arg.task);
      return;
    default:
      setMm(out, row, args[Arg.mm]!, args);
  }
}

/** "prev=0x0 next=0xffffffffbc35c940 tsk=0x0 pid=1752392034": with tsk NULL the pid is garbage. */
function fillSwitchMm(out: EventBatch, row: number, args: Int32Array): void {
  setMm(out, row, args[Arg.next]!, args);
  out.mm2[row] = args[Arg.prev]!;
  out.argTid[row] = pidOf(args, Arg.tsk);
  if (args[Arg.tsk] === NULL_MM) out.flags[row] = SWITCH_MM_NO_TASK;
}

/** "mm=0x0 users=796026224": what was read through a NULL pointer is garbage. */
function setMm(out: EventBatch, row: number, mm: number, args: Int32Array): void {
  out.mm[row] = mm;
  if (mm === NULL_MM) return;
  out.users[row] = args[Arg.users]!;
  out.count[row] = args[Arg.count]!;
}

/** The task's pid; NONE when its pointer is NULL, when it was not recorded, or when it is no pid. */
function pidOf(args: Int32Array, base: number): number {
  const pid = args[Arg.pid]!;
  return args[base] === NULL_MM || !isPid(pid) ? NONE : pid;
}

function dropErrorPointer(out: EventBatch, row: number, args: ProbeArgs): void {
  if (!args.mmIsError) return;
  out.mm[row] = NULL_MM;
  out.users[row] = NO_VALUE;
  out.count[row] = NO_VALUE;
}

function pointerOf(value: number): number {
  return value === NO_VALUE ? NO_MM : value;
}

function orZero(value: number): number {
  return value === NO_VALUE ? 0 : value;
}
