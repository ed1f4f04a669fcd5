// The second mind: a naive replay, written from the rules alone and apart from src/replay, which it checks. It keeps
// every fact of the trace as an interval of rows (naive-walk.ts) and answers each fork by filtering all of them.
// agree.test.ts compares the two.
import { CTX_ALIAS, NO_VALUE } from "../../src/table/event-batch.ts";
import { EventKind, LOCK_WRITE } from "../../src/table/event-kinds.ts";
import type { PolicyId } from "../../src/table/verdict-tables.ts";
import { gapsOf, watchedUntil } from "./gaps.ts";
import { type Delta, type Life, type Use, Walk } from "./naive-walk.ts";
import { type Candidate, findForks } from "./naive-windows.ts";
import { type OwnPids, ownPids } from "./own-pids.ts";
import { NEVER } from "./row-index.ts";
import type { Row } from "./rows.ts";

/** A derived value: `exact`, or else a lower bound. */
export interface Bound {
  readonly value: number;
  readonly exact: boolean;
}

export interface Exposure {
  readonly class: string;
  readonly tid: number;
  readonly cpu: number;
  readonly start: number;
  readonly end: number;
  /** Rows of the borrower's kthread_use_mm and of the get it rests on; -1: none. */
  readonly entered: number;
  readonly got: number;
  /** Row at which the call of that get is first seen. */
  readonly asked: number;
}

export interface Judgement {
  readonly decision: "fast" | "slow";
  /** "either": hangs on which of two concurrent events came first. "unknown": events are missing, and neither is proven. */
  readonly verdict: "safe" | "unsafe" | "either" | "unknown" | null;
  readonly deniedBy: readonly string[];
  /** A reference was on its way in or out at the check: deniedBy is one of several readings. */
  readonly inFlight: boolean;
}

export interface Blocked {
  readonly policy: PolicyId;
  readonly kind: string;
  readonly tid: number;
  readonly at: number;
}

export interface OracleFork {
  readonly tid: number;
  readonly start: number;
  /** null: the trace ends inside the window. */
  readonly end: number | null;
  readonly startRow: number;
  readonly endRow: number;
  /** Row at which the first gap that touches it begins; NEVER: none does. */
  readonly watchedUntil: number;
  readonly mm: number;
  readonly bornInTrace: boolean;
  readonly derived: { readonly users: Bound; readonly count: Bound };
  readonly sampled: { readonly users: number; readonly count: number } | null;
  readonly exposures: readonly Exposure[];
  readonly blocked: readonly Blocked[];
  /** By policy; absent where neither a sample nor an exact derivation decides. */
  readonly judgements: ReadonlyMap<PolicyId, Judgement>;
}

export interface OracleOptions {
  /** Kernel 6.4 or later. */
  readonly modern: boolean;
  /** CPUs of the machine. */
  readonly cpus: number;
}

/** Replays `rows`: one entry a fork, in the order of their check points. */
export function naiveReplay(rows: readonly Row[], options: OracleOptions): OracleFork[] {
  const own = ownPids(rows);
  const walk = new Walk(own.rows, options.modern);
  const forks = findForks(own.rows, walk).sort((a, b) => a.check - b.check);
  const gaps = gapsOf(rows, options.cpus);
  return forks.map((fork) => ({
    ...judgeFork(fork, walk, own, watchedUntil(rows, gaps, fork.since, fork.end)),
    tid: rows[fork.check]!.tid,
  }));
}

function judgeFork(fork: Candidate, walk: Walk, own: OwnPids, watched: number): OracleFork {
  const { rows } = walk;
  const row = rows[fork.check]!;
  const life = lifeOf(fork, walk);
  const deltas = walk.deltas.filter((delta) => delta.life === life);
  const users = derive(deltas, "users", fork.check, life?.usersDoubts, walk);
  const count = derive(deltas, "count", fork.check, life?.countDoubts, walk);
  const sampled =
    row.users === NO_VALUE || row.count === NO_VALUE ? null : { users: row.users, count: row.count };
  const exposures = life === null ? [] : exposuresOf(fork, life, walk, own, watched);
  const end = fork.end === NEVER ? null : rows[fork.end]!.ns;
  return {
    tid: fork.tid,
    start: row.ns,
    end,
    startRow: fork.check,
    endRow: fork.end,
    watchedUntil: watched,
    mm: fork.mm,
    bornInTrace: life !== null && life.birth >= 0,
    derived: { users, count },
    sampled,
    exposures,
    blocked: end === null ? [] : blockedCalls(fork, walk),
    judgements:
      end === null || life === null
        ? new Map()
        : judge(fork, life, deltas, { users, count }, sampled, exposures, watched !== NEVER, walk),
  };
}

function lifeOf(fork: Candidate, walk: Walk): Life | null {
  for (const use of walk.uses) {
    if (use.task === fork.task && use.from <= fork.check && fork.check < use.to) return use.life;
  }
  return walk.lifeAtRow(fork.check) ?? null;
}

const NEEDED: Readonly<Record<"users" | "count", readonly number[]>> = {
  users: [EventKind.taskNewtask, EventKind.mmput, EventKind.getTaskMmRet],
  count: [EventKind.schedSwitch, EventKind.enterLazyTlb, EventKind.switchMm],
};

/** Sums what certainly happened by row `at`; what may have happened makes it a lower bound. */
function derive(
  deltas: readonly Delta[],
  field: "users" | "count",
  at: number,
  doubts: ReadonlySet<string> | undefined,
  walk: Walk,
): Bound {
  let value = 0;
  let exact = doubts?.size === 0 && NEEDED[field].every((kind) => walk.has(kind));
  for (const delta of deltas) {
    if (delta.field !== field || delta.from >= at) {
      if (delta.field === field && delta.from === at && delta.to === at) value += delta.by;
      continue;
    }
    if (delta.to <= at) value += delta.by;
    else {
      exact = false;
      if (delta.by < 0) value += delta.by;
    }
  }
  if (doubts === undefined || doubts.size > 0) return { value: 1, exact: false };
  // Less than the forker's own: what it was taken by is in a gap.
  if (value < 1) exact = false;
  return { value: Math.max(1, value), exact };
}

/** Uses of the mm inside the window by other tasks on CPUs other than the forker's (§6.1), as long as it was watched. */
function exposuresOf(fork: Candidate, life: Life, walk: Walk, own: OwnPids, watched: number): Exposure[] {
  const { rows } = walk;
  const last = Math.min(fork.end, rows.length - 1, watched);
  const found: Exposure[] = [];
  for (const use of walk.uses) {
    if (use.life !== life || use.task === fork.task) continue;
    for (const [from, to] of forkerElsewhere(fork, use.cpu, walk)) {
      const start = Math.max(use.from, from, fork.check);
      const end = Math.min(use.to, to, last);
      if (start >= end || rows[start]!.ns >= rows[end]!.ns) continue;
      found.push({
        class: classOf(use, fork, life, walk),
        tid: Math.max(own.pidAt(use.task, use.from), 0),
        cpu: use.cpu,
        start: rows[start]!.ns,
        end: rows[end]!.ns,
        entered: use.entered,
        ...(use.entered < 0 ? NOTHING_GOT : gotBefore(use, walk)),
      });
    }
  }
  return found;
}

/** Spans of rows in which the forker executes, or last executed, on a CPU other than `cpu` (§9.8). */
function forkerElsewhere(fork: Candidate, cpu: number, walk: Walk): [number, number][] {
  const moves = [{ at: fork.check, cpu: walk.rows[fork.check]!.cpu }];
  for (let i = fork.check; i < Math.min(fork.end, walk.rows.length); i++) {
    const row = walk.rows[i]!;
    const isIn = row.kind === EventKind.schedSwitch && row.argTid === fork.tid;
    if (isIn && moves.at(-1)?.cpu !== row.cpu) moves.push({ at: walk.arrival(i), cpu: row.cpu });
  }
  const spans: [number, number][] = [];
  for (const [n, move] of moves.entries()) {
    if (move.cpu === cpu) continue;
    const to = moves[n + 1]?.at ?? NEVER;
    const last = spans.at(-1);
    if (last !== undefined && last[1] === move.at) last[1] = to;
    else spans.push([move.at, to]);
  }
  return spans;
}

function classOf(use: Use, fork: Candidate, life: Life, walk: Walk): string {
  if (walk.isVfork(use)) return "U5";
  if (use.from <= fork.check) return "U1";
  if (use.entered >= 0) {
    const first = walk.uses.find((other) => other.task === use.task && other.entered === use.entered);
    return first!.from > fork.check ? "U3" : "U3b";
  }
  return use.resumed && use.life === life ? "U2b" : "U2";
}

const NOTHING_GOT = { asked: -1, got: -1 } as const;

/** The get that a borrower's reference comes from: the latest of its own that it had not put before kthread_use_mm. */
function gotBefore(use: Use, walk: Walk): { readonly asked: number; readonly got: number } {
  const own = walk.deltas.filter(
    (delta) => delta.life === use.life && delta.field === "users" && delta.task === use.task,
  );
  const open: { readonly asked: number; readonly got: number }[] = [];
  for (const delta of own) {
    if (delta.by > 0 && delta.to <= use.entered) open.push({ asked: delta.from, got: delta.to });
    else if (delta.by < 0 && delta.from < use.entered) open.pop();
  }
  return open.at(-1) ?? NOTHING_GOT;
}

/**
 * Calls that a policy's lock makes wait: fork_lock is held to the window's end, mmap_lock until mmap_write_unlock(), which
 * comes after the flush (§4.1, §6 (c2)).
 */
function blockedCalls(fork: Candidate, walk: Walk): Blocked[] {
  const found: Blocked[] = [];
  const unlocked = unlockedAt(fork, walk.rows);
  for (let i = fork.check + 1; i < Math.min(unlocked, walk.rows.length); i++) {
    const row = walk.rows[i]!;
    if (row.tid === fork.tid || row.mm !== fork.mm || (row.ctx & CTX_ALIAS) !== 0) continue;
    const kind =
      row.kind === EventKind.kthreadUseMm
        ? "kthread_use_mm"
        : row.kind === EventKind.kthreadUnuseMm
          ? "kthread_unuse_mm"
          : null;
    if (kind === null) continue;
    const policies: PolicyId[] = i < fork.end ? ["fork-lock"] : [];
    if (kind === "kthread_use_mm") policies.push("mmap-lock", "users-mmap-lock");
    for (const policy of policies) found.push({ policy, kind, tid: row.tid, at: row.ns });
  }
  return found;
}

/** Row at which the forker gives the write lock back; the window's end where nothing shows that it has it. */
function unlockedAt(fork: Candidate, rows: readonly Row[]): number {
  const isOfLock = (row: Row, kind: number): boolean =>
    row.kind === kind && row.tid === fork.tid && row.mm === fork.mm && (row.flags & LOCK_WRITE) !== 0;
  const taken = rows.findLastIndex(
    (row, i) => i <= fork.end && isOfLock(row, EventKind.mmapLockAcquireReturned),
  );
  if (taken < 0) return fork.end;
  const given = rows.findIndex((row, i) => i > taken && isOfLock(row, EventKind.mmapLockReleased));
  return given < 0 ? NEVER : given > fork.check ? Math.max(given, fork.end) : fork.end;
}

const USERS_ONLY: readonly PolicyId[] = ["users-only", "users-mmap-lock"];

function judge(
  fork: Candidate,
  life: Life,
  deltas: readonly Delta[],
  derived: OracleFork["derived"],
  sampled: OracleFork["sampled"],
  exposures: readonly Exposure[],
  hasGap: boolean,
  walk: Walk,
): Map<PolicyId, Judgement> {
  const out = new Map<PolicyId, Judgement>();
  out.set("always-atomic", { decision: "slow", verdict: null, deniedBy: [], inFlight: false });
  const users = sampled?.users ?? (derived.users.exact ? derived.users.value : null);
  const count = sampled?.count ?? (derived.count.exact ? derived.count.value : null);
  const inFlight = [...deltas, ...walk.conversions].some(
    (change) => change.life === life && change.from < fork.check && change.to > fork.check,
  );
  const borrowed = borrowedAt(fork.check, life, walk);
  const extra = borrowed.some((use) => gotBefore(use, walk).got < 0) ? ["borrower"] : [];
  const usersCauses = causes(deltas, "users", fork.check, users, borrowed);
  const countCauses = causes(deltas, "count", fork.check, count, borrowed);
  const decide = (policy: PolicyId, deniedBy: readonly string[] | null): void => {
    if (deniedBy === null) return;
    const isFast = deniedBy.length === 0;
    const left = exposures.filter((exposure) => !keptOut(policy, exposure, fork));
    // Whether a get inside the window found both counts 1 is left to the simulated truth to say.
    const isRaced = policy === "get-task-mm" && exposures.some(({ got }) => got > fork.check);
    out.set(policy, {
      decision: isFast ? "fast" : "slow",
      verdict: !isFast ? null : isRaced ? "either" : left.length > 0 ? "unsafe" : hasGap ? "unknown" : "safe",
      deniedBy: [...new Set(deniedBy)].sort(),
      inFlight,
    });
  };
  const both = usersCauses === null || countCauses === null ? null : [...usersCauses, ...countCauses];
  decide("mm-count-only", countCauses);
  for (const policy of ["counts-unlocked", "get-task-mm", "mmap-lock"] as const) decide(policy, both);
  decide("fork-lock", both === null ? null : [...both, ...extra]);
  for (const policy of USERS_ONLY) {
    // Who borrowed an older mm before the trace began is not known here.
    if (policy === "users-mmap-lock" && life.birth < 0) continue;
    const raised = policy === "users-mmap-lock" ? extra : [];
    decide(policy, usersCauses === null ? null : [...usersCauses, ...raised]);
  }
  if (life.birth >= 0 && walk.has(EventKind.switchMm)) decide("cpumask", cpumaskCauses(fork, life, walk));
  return out;
}

/** Kernel threads inside kthread_use_mm on this mm at row `at`, running or not. */
function borrowedAt(at: number, life: Life, walk: Walk): Use[] {
  const byTask = new Map<number, Use>();
  for (const use of walk.uses)
    if (use.life === life && use.entered >= 0 && use.from <= at) byTask.set(use.task, use);
  const released = (use: Use): boolean =>
    walk.deltas.some(
      (delta) =>
        delta.life === life &&
        delta.task === use.task &&
        delta.cause === "borrower" &&
        delta.by < 0 &&
        delta.from > use.from &&
        delta.from <= at,
    );
  return [...byTask.values()].filter((use) => !released(use));
}

/** Who makes a count more than 1: null when the value is not known, empty when it is 1. */
function causes(
  deltas: readonly Delta[],
  field: "users" | "count",
  at: number,
  value: number | null,
  borrowed: readonly Use[],
): string[] | null {
  if (value === null) return null;
  if (value <= 1) return [];
  const net = new Map<string, number>();
  let known = 0;
  const tally = (cause: string, by: number): void => void net.set(cause, (net.get(cause) ?? 0) + by);
  for (const delta of deltas) {
    if (delta.field !== field || delta.to > at || delta.cause === "unknown") continue;
    known += delta.by;
    const isBorrower = delta.cause === "reader" && borrowed.some((use) => use.task === delta.task);
    tally(isBorrower ? "borrower" : delta.cause, delta.by);
  }
  // A driver takes the reference in one task and borrows in another (vhost: get_task_mm in VHOST_SET_OWNER).
  const readers = net.get("reader") ?? 0;
  if (field === "users" && borrowed.length > (net.get("borrower") ?? 0) && readers > 0) {
    tally("borrower", 1);
    tally("reader", -1);
  }
  const out = [...net].filter(([cause, n]) => n > 0 && cause !== "self").map(([cause]) => cause);
  if (value > known) out.push("unattributed");
  return out.length === 0 ? ["unattributed"] : out;
}

function cpumaskCauses(fork: Candidate, life: Life, walk: Walk): string[] | null {
  const own = walk.rows[fork.check]!.cpu;
  const out: string[] = [];
  for (const bit of walk.bits) {
    if (bit.life !== life || bit.cpu === own || bit.from >= fork.check) continue;
    // Between sched_switch and its tail the CPU's next state is not shown yet.
    if (walk.rows[walk.previousOnCpu(fork.check, bit.cpu)]?.kind === EventKind.schedSwitch) return null;
    const settled = walk.nextOnCpu(bit.from, bit.cpu) <= fork.check;
    const leaving = bit.to < fork.check && walk.nextOnCpu(bit.to, bit.cpu) > fork.check;
    if (!settled || leaving) return null;
    if (bit.to < fork.check) continue;
    const use = walk.uses.find(
      (u) => u.cpu === bit.cpu && u.life === life && u.from <= fork.check && fork.check < u.to,
    );
    if (use === undefined) out.push("lazy-tlb");
    else if (use.entered >= 0) out.push("borrower");
    else out.push(walk.isVfork(use) ? "vfork-child" : "threads");
  }
  return out;
}

/** Whether the policy's serialisation would have kept the exposure out of the window (house rules §5). */
function keptOut(policy: PolicyId, exposure: Exposure, fork: Candidate): boolean {
  switch (policy) {
    case "fork-lock":
    case "mmap-lock":
    case "users-mmap-lock":
      return exposure.class === "U3";
    case "get-task-mm":
      return exposure.entered >= 0 && exposure.got > fork.check;
    default:
      return false;
  }
}
