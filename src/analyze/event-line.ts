// One event row as a line in ftrace's layout, for explain and the report. Only what the event table keeps can be shown: flag
// columns are not printed, arguments are named as the probes in docs/formats.md name them.

import { formatTimestamp } from "../base/time.ts";
import { type EventBatch, NO_MM, NO_VALUE, NONE, type TraceMeta } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SwitchState } from "../table/event-kinds.ts";
import { printable } from "./plain-text.ts";

/** prev_state letters of sched_switch; "?" where the input did not tell. */
const STATE_LETTERS: Readonly<Record<number, string>> = {
  [SwitchState.unknown]: "?",
  [SwitchState.running]: "R",
  [SwitchState.preempted]: "R+",
  [SwitchState.sleeping]: "S",
  [SwitchState.zombie]: "Z",
  [SwitchState.dead]: "X",
};

/** Numbers of one row, read out of its batch. */
interface Row {
  readonly kind: number;
  readonly tid: number;
  readonly comm: string;
  readonly argTid: number;
  readonly argComm: number;
  readonly mm: number;
  readonly mm2: number;
  readonly users: number;
  readonly count: number;
  readonly flags: number;
}

/** "            bash-1629    [003]   261.324618000: dup_mmap: mm=0x… users=1 count=2  # line 42" */
export function eventLine(batch: EventBatch, row: number, meta: TraceMeta): string {
  const comm = nameOf(meta.comms, batch.comm[row] ?? NONE);
  const tid = batch.tid[row] ?? NONE;
  const cpu = batch.cpu[row] ?? NONE;
  const time = formatTimestamp(meta.epochNs + BigInt(batch.ns[row] ?? 0), meta.timeUnit);
  const head = `${comm.padStart(16)}-${String(tid).padEnd(7)} [${cpu < 0 ? "???" : String(cpu).padStart(3, "0")}]`;
  const kind = batch.kind[row] ?? 0;
  const body = bodyOf(readRow(batch, row, comm), meta);
  return `${head} ${time.padStart(16)}: ${EVENT_KIND_NAMES[kind] ?? "?"}:${body}  # line ${batch.line[row] ?? 0}`;
}

function readRow(batch: EventBatch, row: number, comm: string): Row {
  return {
    kind: batch.kind[row] ?? 0,
    tid: batch.tid[row] ?? NONE,
    comm,
    argTid: batch.argTid[row] ?? NONE,
    argComm: batch.argComm[row] ?? NONE,
    mm: batch.mm[row] ?? NO_MM,
    mm2: batch.mm2[row] ?? NO_MM,
    users: batch.users[row] ?? NO_VALUE,
    count: batch.count[row] ?? NO_VALUE,
    flags: batch.flags[row] ?? 0,
  };
}

function bodyOf(row: Row, meta: TraceMeta): string {
  if (row.kind === EventKind.schedSwitch) {
    const prev = ` prev_comm=${row.comm} prev_pid=${row.tid} prev_state=${STATE_LETTERS[row.flags] ?? "?"}`;
    return `${prev} ==> next_comm=${nameOf(meta.comms, row.argComm)} next_pid=${row.argTid}`;
  }
  const parts: string[] = [];
  if (row.mm !== NO_MM) parts.push(`mm=${printable(meta.pointers[row.mm] ?? "?")}`);
  if (row.mm2 !== NO_MM) parts.push(`mm2=${printable(meta.pointers[row.mm2] ?? "?")}`);
  if (row.users !== NO_VALUE) parts.push(`users=${row.users}`);
  if (row.count !== NO_VALUE) parts.push(`count=${row.count}`);
  if (row.argTid !== NONE) parts.push(`pid=${row.argTid}`);
  if (row.argComm !== NONE) parts.push(`comm=${nameOf(meta.comms, row.argComm)}`);
  if (row.flags !== 0) parts.push(`flags=0x${(row.flags >>> 0).toString(16)}`);
  return parts.map((part) => ` ${part}`).join("");
}

function nameOf(comms: readonly string[], id: number): string {
  return id === NONE ? "<...>" : printable(comms[id] ?? "<...>");
}
