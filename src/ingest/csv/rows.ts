// One CSV record (an array of field strings) to one row and its CPU samples. Event names are those of our bpftrace
// recorder; numbers are decimal, addresses hex with or without 0x, -1 is "not sampled".
import { NO_MM, NO_VALUE, NONE, NULL_MM } from "../../table/event-batch.ts";
import { EventKind, SWITCH_MM_NO_TASK } from "../../table/event-kinds.ts";
import { isPid } from "../limits.ts";
import { readHexLow } from "../numbers.ts";
import { Arg, ProbeArgs } from "../probe-args.ts";
import { addSampleRows } from "../probe-rows.ts";
import { stateOfNumber } from "../sched-switch.ts";
import type { Sink } from "../sink.ts";
import type { CsvLayout } from "./columns.ts";

/** Kinds by the recorder's names of events. */
export const KINDS: ReadonlyMap<string, EventKind> = new Map<string, EventKind>([
  ["fork_begin", EventKind.dupMmap],
  ["fork_end", EventKind.dupMmapRet],
  ["newtask", EventKind.taskNewtask],
  ["fork", EventKind.schedProcessFork],
  ["exec", EventKind.schedProcessExec],
  ["exit", EventKind.schedProcessExit],
  ["free", EventKind.schedProcessFree],
  ["sched_switch", EventKind.schedSwitch],
  ["switch_mm", EventKind.switchMm],
  ["enter_lazy", EventKind.enterLazyTlb],
  ["use_mm", EventKind.kthreadUseMm],
  ["unuse_mm", EventKind.kthreadUnuseMm],
  ["get_task_mm", EventKind.getTaskMmRet],
  ["mm_access", EventKind.mmAccessRet],
  ["mmput", EventKind.mmput],
  ["mmput_async", EventKind.mmputAsync],
  ["mmdrop_last", EventKind.mmdrop],
  ["mm_init", EventKind.mmInit],
  ["exec_begin", EventKind.execBegin],
  ["exit_mm", EventKind.exitMmRelease],
  ["exec_mm", EventKind.execMmRelease],
  ["exit_mmap", EventKind.exitMmap],
  ["khugepaged_enter", EventKind.khugepagedEnter],
  ["khugepaged_exit", EventKind.khugepagedExit],
  ["ksm_enter", EventKind.ksmEnter],
  ["ksm_exit", EventKind.ksmExit],
  ["proc_mem_open", EventKind.procMemOpenRet],
]);

/** Kinds whose target_tid column is the row's argTid. */
export const WITH_TARGET: ReadonlySet<EventKind> = new Set<EventKind>([
  EventKind.taskNewtask,
  EventKind.schedProcessFork,
  EventKind.schedProcessExit,
  EventKind.schedProcessFree,
  EventKind.schedSwitch,
  EventKind.switchMm,
  EventKind.enterLazyTlb,
  EventKind.getTaskMmRet,
  EventKind.mmAccessRet,
  EventKind.exitMmRelease,
  EventKind.execMmRelease,
]);

/** Kinds that have no mm column (src/table/event-kinds.ts), whatever the recorder printed. */
export const WITHOUT_MM: ReadonlySet<EventKind> = new Set<EventKind>([
  EventKind.dupMmapRet,
  EventKind.taskNewtask,
  EventKind.schedProcessFork,
  EventKind.schedProcessExec,
  EventKind.schedProcessExit,
  EventKind.schedProcessFree,
  EventKind.schedSwitch,
]);

/** What became of a record; a "refused" one has been counted by the sink. */
export type RecordFate = "row" | "skipped" | "bad" | "refused";

/** Turns records into rows. One per trace. */
export class CsvRows {
  readonly #sink: Sink;
  readonly #layout: CsvLayout;
  readonly #args: ProbeArgs;
  readonly #pointers = new Map<string, number>();
  readonly #encoder = new TextEncoder();

  constructor(sink: Sink, layout: CsvLayout) {
    this.#sink = sink;
    this.#layout = layout;
    this.#args = new ProbeArgs(sink.pointers);
  }

  /** Adds the rows of one record. The head's comm, line and sample range are set by the caller. */
  add(record: readonly string[]): RecordFate {
    const { index } = this.#layout;
    const head = this.#sink.head;
    const time = record[index.ts_ns];
    const cpu = intOf(record[index.cpu]);
    const tid = intOf(record[index.tid]);
    if (time === undefined || !/^\d{1,20}$/.test(time) || cpu === NO_VALUE || tid === NO_VALUE) return "bad";
    head.hi = Number(time.slice(0, -9));
    head.lo = Number(time.slice(-9));
    head.ticks = false;
    head.cpu = cpu;
    head.tid = tid;
    head.ctx = 0;
    const tgid = index.pid < 0 ? NO_VALUE : intOf(record[index.pid]);
    head.tgid = tgid === NO_VALUE ? NONE : tgid;
    const kind = KINDS.get(record[index.event] ?? "");
    if (!this.#sink.begin()) return "refused";
    if (kind === undefined) return "skipped";
    this.#addRow(kind, record);
    return "row";
  }

  #addRow(kind: EventKind, record: readonly string[]): void {
    const { index } = this.#layout;
    const extra = record[index.extra] ?? "";
    if (kind === EventKind.schedSwitch) {
      const prev = intOf(extraOf(extra, "prev_tid"));
      if (isPid(prev)) this.#sink.head.tid = prev;
    }
    const row = this.#sink.add(kind);
    const out = this.#sink.out;
    if (WITH_TARGET.has(kind)) out.argTid[row] = pidOf(record[index.target_tid]);
    if (!WITHOUT_MM.has(kind)) this.#setMm(row, record);
    switch (kind) {
      case EventKind.schedSwitch: {
        const state = intOf(extraOf(extra, "prev_state"));
        if (state !== NO_VALUE) out.flags[row] = stateOfNumber(state);
        return;
      }
      case EventKind.schedProcessExec:
        out.argTid[row] = pidOf(extraOf(extra, "old_pid"));
        return;
      case EventKind.taskNewtask: {
        const bytes = this.#encoder.encode(extraOf(extra, "clone_flags") ?? "0");
        out.flags[row] = readHexLow(bytes, 0, bytes.length);
        return;
      }
      case EventKind.switchMm:
        out.mm2[row] = this.#pointer(record[index.other_mm]);
        if (this.#pointer(extraOf(extra, "tsk")) === NULL_MM) {
          out.flags[row] = SWITCH_MM_NO_TASK;
          out.argTid[row] = NONE;
        }
        return;
      case EventKind.dupMmap:
        out.mm2[row] = this.#pointer(record[index.other_mm]);
        this.#addSamples(extra, -1);
        return;
      case EventKind.dupMmapRet:
        this.#addSamples(extra, row);
        return;
      default:
    }
  }

  #setMm(row: number, record: readonly string[]): void {
    const { index } = this.#layout;
    const out = this.#sink.out;
    const mm = this.#pointer(record[index.mm]);
    out.mm[row] = mm;
    if (mm === NULL_MM || mm === NO_MM) return;
    out.users[row] = sampledOf(index.mm_users < 0 ? undefined : record[index.mm_users]);
    out.count[row] = sampledOf(index.mm_count < 0 ? undefined : record[index.mm_count]);
  }

  /** "ret=0;lm0=ff42a6ce81aede80;lz0=0;cm0=…": sets the return value of `row` (none when -1) and adds the CPU samples behind it. */
  #addSamples(extra: string, row: number): void {
    const bytes = this.#encoder.encode(extra.replaceAll(";", " "));
    this.#args.read(bytes, 0, bytes.length, 0);
    const ret = this.#args.values[Arg.ret]!;
    if (row >= 0 && ret !== NO_VALUE) this.#sink.out.flags[row] = ret;
    addSampleRows(this.#sink, this.#args, false);
  }

  #pointer(text: string | undefined): number {
    if (text === undefined) return NO_MM;
    const known = this.#pointers.get(text);
    if (known !== undefined) return known;
    const bytes = this.#encoder.encode(text);
    const id = this.#sink.pointer(bytes, 0, bytes.length);
    this.#pointers.set(text, id);
    return id;
  }
}

function extraOf(extra: string, key: string): string | undefined {
  for (const pair of extra.split(";")) if (pair.startsWith(`${key}=`)) return pair.slice(key.length + 1);
  return undefined;
}

function intOf(text: string | undefined): number {
  if (text === undefined || text === "") return NO_VALUE;
  const value = Number(text);
  return value === (value | 0) ? value : NO_VALUE;
}

function sampledOf(text: string | undefined): number {
  const value = intOf(text);
  return value === -1 ? NO_VALUE : value;
}

/** A task's number; what is none (-1, garbage read through a NULL task) becomes NONE. */
function pidOf(text: string | undefined): number {
  const pid = intOf(text);
  return isPid(pid) ? pid : NONE;
}
