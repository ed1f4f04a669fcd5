// Which task is meant by a pid, for the oracle: a thread's exec gives it its leader's (de_thread()), and the leader the thread's. Here
// with hindsight: sched_process_exec tells both pids, and the exchange came no later than the first row before it that one of the two
// prints, under the other's pid, on a CPU it was switched in on under its own.
import { EventKind } from "../../src/table/event-kinds.ts";
import type { Row } from "./rows.ts";

interface Exchange {
  readonly row: number;
  readonly pids: readonly [number, number];
}

/** Rows in which every task has one key for its whole life in place of its pids, and the pid that a key goes by at a row. */
export interface OwnPids {
  readonly rows: readonly Row[];
  pidAt(key: number, row: number): number;
}

export function ownPids(rows: readonly Row[]): OwnPids {
  const exchanges = exchangesOf(rows);
  if (exchanges.length === 0) return { rows, pidAt: (key) => key };
  const starts = new Map(exchanges.map((exchange) => [exchange.row, exchange.pids]));
  /** Task by pid; a pid given anew gets a number that is nobody's. */
  const keys = new Map<number, number>();
  const names = new Map<number, { readonly row: number; readonly pid: number }[]>();
  const keyOf = (pid: number): number => keys.get(pid) ?? pid;
  const call = (key: number, pid: number, row: number): void => {
    keys.set(pid, key);
    names.set(key, [...(names.get(key) ?? []), { row, pid }]);
  };
  let fresh = 2 ** 31;
  const own = rows.map((row, i) => {
    const [a, b] = starts.get(i) ?? [-1, -1];
    if (a >= 0) {
      const [first, second] = [keyOf(a), keyOf(b)];
      call(first, b, i);
      call(second, a, i);
    }
    if (row.kind === EventKind.taskNewtask && keys.has(row.argTid)) call(fresh++, row.argTid, i);
    return { ...row, tid: keyOf(row.tid), argTid: keyOf(row.argTid) };
  });
  const pidAt = (key: number, row: number): number =>
    names.get(key)?.findLast((name) => name.row <= row)?.pid ?? key;
  return { rows: own, pidAt };
}

function exchangesOf(rows: readonly Row[]): Exchange[] {
  const found: Exchange[] = [];
  for (const [i, { kind, tid, argTid }] of rows.entries()) {
    if (kind !== EventKind.schedProcessExec || argTid <= 0 || argTid === tid) continue;
    found.push({ row: firstSign(rows, i, argTid, tid), pids: [argTid, tid] });
  }
  return found;
}

function firstSign(rows: readonly Row[], exec: number, thread: number, leader: number): number {
  const runs = new Map<number, number>();
  const born = rows.findLastIndex(
    ({ kind, argTid }, i) => i < exec && kind === EventKind.taskNewtask && argTid === thread,
  );
  for (let i = 0; i < exec; i++) {
    const { kind, cpu, tid, argTid } = rows[i]!;
    const running = runs.get(cpu);
    const isTail =
      kind === EventKind.switchMm || kind === EventKind.enterLazyTlb || kind === EventKind.tlbFlush;
    const isOther = (tid === leader && running === thread) || (tid === thread && running === leader);
    if (i > born && isOther && !isTail) return i;
    if (kind === EventKind.schedSwitch) runs.set(cpu, argTid);
  }
  return exec;
}
