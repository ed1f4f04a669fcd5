// Tables of any number of forks, made up but with everything that makes a report large: all policies, many task names, every
// cause and class, waits, near misses, lazy references. Deterministic. For how large and how slow a report gets.
import type { TraceMeta } from "../../src/table/event-batch.ts";
import {
  EXPOSURE_CLASSES,
  newVerdictTables,
  POLICY_IDS,
  type ReplayInfo,
  type VerdictTables,
} from "../../src/table/verdict-tables.ts";
import { fixture, forkRow } from "./verdict-fixture.ts";

/** Numbers from 0 to n - 1 that look random: a linear congruence (Numerical Recipes' constants). */
function sequence(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

export interface ManyForks {
  readonly tables: VerdictTables;
  readonly metas: readonly TraceMeta[];
  readonly infos: readonly ReplayInfo[];
}

/** `forks` forks a millisecond apart under each of `policies`. `onRows`: between forks, when rows may be taken out of `tables`. */
export function manyForks(
  forks: number,
  policies: readonly string[] = POLICY_IDS,
  tables: VerdictTables = newVerdictTables(),
  onRows: () => void = () => {},
): ManyForks {
  const next = sequence(1);
  for (let fork = 0; fork < forks; fork++) {
    addFork(tables, fork, policies, next);
    onRows();
  }
  const { metas, infos } = fixture();
  return { tables, metas, infos: infos.map((info) => ({ ...info, policies })) };
}

/** Those that recordings of ordinary machines have. */
const CAUSES = [
  "threads",
  "vfork-child",
  "borrower",
  "reader",
  "lazy-tlb",
  "khugepaged",
  "unattributed",
] as const;
const LOCKLESS: ReadonlySet<string> = new Set(["mm-count-only", "counts-unlocked", "users-only", "cpumask"]);
const LOCKS: ReadonlySet<string> = new Set(["get-task-mm", "fork-lock", "mmap-lock", "users-mmap-lock"]);

function pick(words: readonly string[], next: (n: number) => number): string {
  return words[next(words.length)] ?? "";
}

function addFork(
  tables: VerdictTables,
  fork: number,
  policies: readonly string[],
  next: (n: number) => number,
): void {
  const outcome = next(4) === 0 ? "slow" : next(200) === 0 ? "unsafe" : "safe";
  const start = forkRow(fork).start_ns ?? 0n;
  const end = start + BigInt(20_000 + next(900_000));
  const exposure = pick(EXPOSURE_CLASSES, next);
  tables.forks.append({
    ...forkRow(fork),
    end_ns: end,
    comm: `worker-${next(500)}`,
    exposure: outcome === "unsafe" ? exposure : "none",
    lazy_cpus: next(12),
    mm_count: outcome === "slow" ? 2 : 1,
  });
  const causes = new Set([pick(CAUSES, next), pick(CAUSES, next)]);
  for (const policy of policies) {
    addVerdict(tables, fork, policy, outcome, [...causes]);
    if (outcome !== "slow") addNeighbours(tables, fork, policy, start, next);
  }
  if (outcome === "slow") addLazy(tables, fork, start, next);
  if (outcome === "unsafe") addExposure(tables, fork, exposure, [start, end], next);
}

/** What a policy without a lock just missed, what one with a lock makes wait. */
function addNeighbours(
  tables: VerdictTables,
  fork: number,
  policy: string,
  start: bigint,
  next: (n: number) => number,
): void {
  if (LOCKLESS.has(policy) && next(3) === 0) addNearMiss(tables, fork, policy, start, next);
  if (LOCKS.has(policy) && next(10) === 0) addWait(tables, fork, policy, start, next);
}

function addExposure(
  { exposures }: VerdictTables,
  fork: number,
  kind: string,
  [start_ns, end_ns]: readonly [bigint, bigint],
  next: (n: number) => number,
): void {
  exposures.append({
    fork,
    class: kind,
    cpu: 1,
    tid: 7,
    comm: `kthread-${next(50)}`,
    start_ns,
    end_ns,
    line: 1,
  });
}

function addVerdict(
  { verdicts }: VerdictTables,
  fork: number,
  policy: string,
  outcome: "slow" | "safe" | "unsafe",
  causes: readonly string[],
): void {
  const isNever = policy === "always-atomic";
  const isSlow = outcome === "slow" || isNever;
  verdicts.append({
    fork,
    policy,
    decision: isSlow ? "slow" : "fast",
    verdict: isSlow ? null : outcome,
    denied_by: isSlow && !isNever ? causes : [],
    evidence: "derived",
    rejudged: null,
    hidden: [],
  });
}

function addNearMiss(
  t: VerdictTables,
  fork: number,
  policy: string,
  start: bigint,
  next: (n: number) => number,
): void {
  const distance = BigInt(1 + next(5_000_000));
  t.near_misses.append({
    fork,
    policy,
    distance_ns: distance,
    gap_ns: distance,
    side: "after",
    kind: "kthread_use_mm",
    tid: 7,
    comm: "kthread",
    at_ns: start,
    line: 1,
    ordered_by: null,
  });
}

function addWait(
  t: VerdictTables,
  fork: number,
  policy: string,
  start: bigint,
  next: (n: number) => number,
): void {
  t.blocks.append({
    policy,
    fork,
    kind: "kthread_use_mm",
    tid: 7,
    comm: "kthread",
    at_ns: start,
    wait_ns: BigInt(1 + next(9_000_000)),
    line: 1,
    cause: "fork-window",
    until_ns: start,
    new_ns: null,
    use_end_ns: null,
    outcome: "shifted-whole",
    next_fork: null,
    next_verdict: null,
    next_wait_ns: null,
    waiter: null,
    ahead: null,
  });
}

function addLazy(t: VerdictTables, fork: number, start: bigint, next: (n: number) => number): void {
  t.denials.append({
    fork,
    counter: "mm_count",
    cause: "lazy-tlb",
    refs: 1,
    basis: "held",
    evidence: "derived",
    cpu: 1,
    tid: 7,
    comm: "idle",
    left_by: "forker",
    since_ns: start - BigInt(1 + next(90_000_000)),
    line: 1,
  });
}
