// Threads and CPUs by the ids that events name them with: utid and ucpu are rows of __intrinsic_thread and __intrinsic_cpu,
// unique over all machines and lives (tables/metadata_tables.py, v58).
import { NONE } from "../../table/event-batch.ts";
import type { StoredColumn, StoredTable } from "../../table/stored-table.ts";
import { isPid, MAX_CPU } from "../limits.ts";

/** Bytes of a task's name that are taken: TASK_COMM_LEN with room for what Perfetto puts in its place. */
const MAX_NAME = 64;
const FIRST_MACHINE = 0;

/** Threads by utid. */
export interface Threads {
  readonly tid: Int32Array;
  /** Pid of the process, -1 where Perfetto does not know it. */
  readonly tgid: Int32Array;
  readonly machine: Int32Array;
}

/** CPUs by ucpu. */
export interface Cpus {
  /** Number on its machine, -1 where it is not known. */
  readonly cpu: Int32Array;
  readonly machine: Int32Array;
}

/** Reads both tables; `process` is null when there is none. `onName` gets each thread's last name. */
export function readThreads(
  threads: StoredTable,
  process: StoredTable | null,
  onName: (tid: number, machine: number, bytes: Uint8Array, start: number, end: number) => void,
): Threads {
  const { rows } = threads;
  const tid = new Int32Array(rows).fill(NONE);
  const tgid = new Int32Array(rows).fill(NONE);
  const machine = new Int32Array(rows);
  const tids = threads.column("tid", "i64", "u32");
  const names = threads.column("name", "text");
  const upids = threads.column("upid", "u32");
  const machines = threads.column("machine_id", "u32");
  const pids = process?.column("pid", "i64", "u32") ?? null;
  for (let row = 0; row < rows; row++) {
    machine[row] = idOf(machines, row) ?? FIRST_MACHINE;
    tid[row] = pidOf(tids, row);
    const upid = idOf(upids, row);
    if (upid !== null && process !== null && upid < process.rows) tgid[row] = pidOf(pids, upid);
    if (names === null || names.isNull(row) || !names.texts.find(names.low(row), MAX_NAME)) continue;
    const { bytes, start, end } = names.texts;
    onName(tid[row]!, machine[row]!, bytes, start, end);
  }
  return { tid, tgid, machine };
}

export function readCpus(table: StoredTable): Cpus {
  const { rows } = table;
  const cpu = new Int32Array(rows).fill(NONE);
  const machine = new Int32Array(rows);
  const numbers = table.column("cpu", "u32");
  const machines = table.column("machine_id", "u32");
  for (let row = 0; row < rows; row++) {
    machine[row] = idOf(machines, row) ?? FIRST_MACHINE;
    const number = idOf(numbers, row);
    if (number !== null && number <= MAX_CPU) cpu[row] = number;
  }
  return { cpu, machine };
}

/** The machine with the most events, of equal ones the first. */
export function machineOf(ucpus: StoredColumn, rows: number, { machine }: Cpus): number {
  const first = machine[0] ?? FIRST_MACHINE;
  if (machine.every((id) => id === first)) return first;
  const counts = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const id = machine[ucpus.low(row) >>> 0];
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return sorted[0]?.[0] ?? first;
}

function idOf(column: StoredColumn | null, row: number): number | null {
  return column === null || column.isNull(row) ? null : column.low(row) >>> 0;
}

function pidOf(column: StoredColumn | null, row: number): number {
  const pid = column === null || column.isNull(row) ? NONE : column.number(row);
  return isPid(pid) ? pid : NONE;
}
