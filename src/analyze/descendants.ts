// Which forks belong to a process or to what it forked: perf's -p, followed through every fork that the trace shows.

import { type EventBatch, type EventTable, NONE } from "../table/event-batch.ts";
import { EventKind } from "../table/event-kinds.ts";
import type { ResultTables } from "../table/verdict-tables.ts";

/** Rows of `forks`, and whether the recording prints thread groups: without, a thread older than the trace is not known as its process's. */
export interface Descendants {
  readonly rows: ReadonlySet<number>;
  readonly hasGroups: boolean;
}

/**
 * Forks of trace `trace` by a thread of the processes `pids` or of any task that these create, directly or not. Follows
 * task_newtask and sched_process_fork in the order of the trace; a task id that another process gets again is no longer a
 * member, except the ids given, which mean every task that has them.
 */
export async function descendantForks(
  events: EventTable,
  { forks }: ResultTables,
  trace: number,
  pids: readonly number[],
): Promise<Descendants> {
  const family = new Family(pids);
  const byLine = forksByLine(forks, trace);
  const rows = new Set<number>();
  const settle = (line: number): void => {
    for (const { row, tid } of byLine.get(line) ?? []) if (family.has(tid)) rows.add(row);
    byLine.delete(line);
  };
  await events.forEachBatch((batch) => {
    for (let i = 0; i < batch.length; i++) {
      family.learnGroup(batch, i);
      // A fork is its forker's at its check, before what comes later changes whose the task is.
      settle(batch.line[i]!);
      family.follow(batch, i);
    }
  });
  for (const line of [...byLine.keys()]) settle(line);
  return { rows, hasGroups: family.hasGroups };
}

/** Tasks that belong to some processes, as of the event read last. */
class Family {
  hasGroups = false;
  readonly #given: ReadonlySet<number>;
  readonly #members: Set<number>;

  constructor(pids: readonly number[]) {
    this.#given = new Set(pids);
    this.#members = new Set(pids);
  }

  has(tid: number): boolean {
    return this.#members.has(tid);
  }

  /** A member's thread group: a recorder that prints it names threads whose creation it did not see. */
  learnGroup(batch: EventBatch, i: number): void {
    const tgid = batch.tgid[i]!;
    if (tgid === NONE) return;
    this.hasGroups = true;
    if (!this.#members.has(tgid)) return;
    const isState = batch.kind[i] === EventKind.taskState;
    this.#members.add(isState ? batch.argTid[i]! : batch.tid[i]!);
  }

  follow(batch: EventBatch, i: number): void {
    const kind = batch.kind[i];
    if (kind !== EventKind.taskNewtask && kind !== EventKind.schedProcessFork) return;
    const child = batch.argTid[i]!;
    if (child === NONE) return;
    if (this.#members.has(batch.tid[i]!)) this.#members.add(child);
    else if (!this.#given.has(child)) this.#members.delete(child);
  }
}

interface Forker {
  /** Of `forks`. */
  readonly row: number;
  readonly tid: number;
}

/** Forks of `trace` by the input line of their check. */
function forksByLine(forks: ResultTables["forks"], trace: number): Map<number, Forker[]> {
  const out = new Map<number, Forker[]>();
  for (const batch of forks.batches(["trace", "line", "tid"])) {
    for (let i = 0; i < batch.length; i++) {
      if ((batch.get("trace", i) ?? 0) !== trace) continue;
      const line = batch.get("line", i) ?? 0;
      const forker = { row: batch.first + i, tid: batch.get("tid", i) ?? NONE };
      const known = out.get(line);
      if (known === undefined) out.set(line, [forker]);
      else known.push(forker);
    }
  }
  return out;
}
