// The oracle's fork windows: which rows of a task are one fork, its check point and its end (house rules §4, semantics §4.1, §4.2).
import { NULL_MM } from "../../src/table/event-batch.ts";
import { CLONE_VM, EventKind, LOCK_SUCCESS, LOCK_WRITE } from "../../src/table/event-kinds.ts";
import type { Walk } from "./naive-walk.ts";
import { NEVER, taskKey } from "./row-index.ts";
import type { Row } from "./rows.ts";

/** A fork as the rows show it. */
export interface Candidate {
  readonly task: number;
  readonly tid: number;
  /** The first row that shows that it copies an mm. */
  readonly since: number;
  rank: number;
  check: number;
  sampled: boolean;
  end: number;
  mm: number;
  flushing: boolean;
}

const CHECK_RANK: ReadonlyMap<number, number> = new Map([
  [EventKind.sysEnterClone, 1],
  [EventKind.copyProcess, 2],
  [EventKind.dupMmap, 3],
  [EventKind.mmapLockAcquireReturned, 4],
  [EventKind.uprobeDupMmap, 5],
]);

/** The fork windows of a trace (house rules §4, semantics §4.2). */
export function findForks(rows: readonly Row[], walk: Walk): Candidate[] {
  const open = new Map<number, Candidate>();
  const found: Candidate[] = [];
  for (const [i, row] of rows.entries()) {
    if (row.kind === EventKind.cpuSample || row.cpu < 0 || walk.isIrq(i)) continue;
    const task = taskKey(row.tid, row.cpu);
    const now = open.get(task);
    if (isCheck(row, now)) {
      open.set(task, advance(now, i, row, task, rows));
    } else if (now === undefined && row.kind === EventKind.taskNewtask && (row.flags & CLONE_VM) === 0) {
      found.push(lockedFork(i, task, rows) ?? { ...advance(undefined, i, row, task, rows), end: i });
    } else if (now !== undefined && ends(row, now)) {
      if (now.end === NEVER) now.end = i;
      if (closes(row)) {
        open.delete(task);
        if (now.rank > 2 || row.kind === EventKind.taskNewtask) found.push(now);
      }
    }
  }
  for (const fork of open.values()) if (fork.rank > 2) found.push(fork);
  return found;
}

/**
 * A fork that shows only by its locks: before task_newtask the parent took one mm's write lock, and another's inside
 * it (§4.1). The outer lock's span is the window.
 */
function lockedFork(newtask: number, task: number, rows: readonly Row[]): Candidate | null {
  const held = new Map<number, { readonly at: number; nested: boolean }>();
  let best: Candidate | null = null;
  for (let i = 0; i < newtask; i++) {
    const row = rows[i]!;
    if (row.cpu < 0 || taskKey(row.tid, row.cpu) !== task) continue;
    if (row.kind === EventKind.taskNewtask) best = null;
    if ((row.flags & LOCK_WRITE) === 0) continue;
    if (row.kind === EventKind.mmapLockAcquireReturned && (row.flags & LOCK_SUCCESS) !== 0) {
      for (const lock of held.values()) lock.nested = true;
      held.set(row.mm, { at: i, nested: false });
    } else if (row.kind === EventKind.mmapLockReleased) {
      const lock = held.get(row.mm);
      held.delete(row.mm);
      if (lock?.nested)
        best = {
          task,
          tid: row.tid,
          since: i,
          rank: 4,
          check: lock.at,
          sampled: false,
          end: i,
          mm: row.mm,
          flushing: false,
        };
    }
  }
  return best;
}

function isCheck(row: Row, now: Candidate | undefined): boolean {
  const rank = CHECK_RANK.get(row.kind);
  if (rank === undefined) return false;
  if (row.kind === EventKind.copyProcess || row.kind === EventKind.sysEnterClone) {
    return (row.flags & CLONE_VM) === 0 && (now === undefined || now.rank <= 2 || now.end !== NEVER);
  }
  if (row.kind !== EventKind.mmapLockAcquireReturned) return true;
  const isWrite = (row.flags & LOCK_WRITE) !== 0 && (row.flags & LOCK_SUCCESS) !== 0;
  return isWrite && now !== undefined && now.rank < 4 && (now.mm === NULL_MM || now.mm === row.mm);
}

/** Moves a fork's check point forward; among rows of one function the sampled one wins, else the last. */
function advance(
  now: Candidate | undefined,
  i: number,
  row: Row,
  task: number,
  rows: readonly Row[],
): Candidate {
  const rank = CHECK_RANK.get(row.kind) ?? 0;
  const sampled = rows[i + 1]?.kind === EventKind.cpuSample;
  const since = now === undefined || now.end !== NEVER || now.rank < 2 ? i : now.since;
  const fresh = {
    task,
    tid: row.tid,
    since,
    rank,
    check: i,
    sampled,
    end: NEVER,
    mm: NULL_MM,
    flushing: false,
  };
  if (now === undefined || now.end !== NEVER || rank <= 2) {
    return row.mm > NULL_MM ? { ...fresh, mm: row.mm } : fresh;
  }
  const mm = row.mm > NULL_MM ? row.mm : now.mm;
  if (rank === now.rank && now.sampled && !sampled) return { ...now, mm };
  return rank >= now.rank ? { ...fresh, mm } : { ...now, mm };
}

/** Whether a row of the forker ends the window or, after its end, the fork. */
function ends(row: Row, now: Candidate): boolean {
  switch (row.kind) {
    case EventKind.flushTlbMmRange:
      if (now.rank > 2 && row.mm === now.mm) now.flushing = true;
      return false;
    case EventKind.flushTlbMmRangeRet:
      return now.flushing;
    case EventKind.mmapLockReleased:
      return now.rank > 2 && (row.flags & LOCK_WRITE) !== 0 && row.mm === now.mm;
    case EventKind.dupMmapRet:
    case EventKind.uprobeEndDupMmap:
      return now.rank > 2;
    case EventKind.taskNewtask:
      return (row.flags & CLONE_VM) === 0;
    case EventKind.copyProcessRet:
    case EventKind.schedProcessFork:
      return true;
    default:
      return false;
  }
}

function closes(row: Row): boolean {
  return (
    row.kind === EventKind.taskNewtask ||
    row.kind === EventKind.copyProcessRet ||
    row.kind === EventKind.schedProcessFork
  );
}
