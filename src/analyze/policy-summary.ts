// Per policy: decisions, verdicts, denial causes and waits, counted over the verdict and block tables. Part of
// summary.ts; field names are interface.
import { assert } from "../base/assert.ts";
import { NULL_I32 } from "../table/columns.ts";
import type { Evidence, ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { DENIAL_CAUSES, EVIDENCE, POLICY_IDS } from "../table/verdict-tables.ts";
import { textAt } from "./rows.ts";
import { nearestRank } from "./statistics.ts";

/** Waits for one reason. Quantiles are nearest-rank over the known waits; null when there are none. */
export interface Waits {
  readonly events: number;
  readonly total_ns: number;
  readonly p50_ns: number | null;
  readonly p99_ns: number | null;
  readonly max_ns: number | null;
  /** Events whose wait the trace cannot tell (its end came first). Counted in events, in nothing else. */
  readonly unknown_waits: number;
}

/** Behind writers of the mm's mmap_lock that are no fork's window. */
export interface QueueWaits extends Waits {
  /** Calls after a write lock whose release is not in the trace (a downgrade hides it): whether they wait cannot be told. Not in events. */
  readonly perhaps: number;
}

/** Forks behind forks of the same mm. */
export interface ForkWaits extends Waits {
  /** The part that is not in the kernel as recorded, where a second fork waits for mmap_lock; null when unknown. */
  readonly new_ns: number | null;
}

/** What the policy would have made wait for a fork's window, and beside it for other reasons. */
export interface Blocked extends Waits {
  /** Only where the policy's lock is mmap_lock. */
  readonly queue?: QueueWaits | { readonly not_evaluable: string };
  /** Only where the policy has a lock. */
  readonly forks?: ForkWaits;
  /** Of events: blocked tasks that, late by their wait, meet a later window otherwise than recorded. */
  readonly reach_next_window: number;
}

/**
 * How near borrows came to the fast windows of a policy that serialises nothing. Quantiles over windows with a
 * candidate; the closest ten, nearest first.
 */
export interface NearMisses {
  readonly windows: number;
  readonly with_candidate: number;
  readonly min_ns: number | null;
  readonly p50_ns: number | null;
  readonly p99_ns: number | null;
  readonly closest: readonly {
    readonly fork: number;
    readonly distance_ns: number;
    readonly side: string;
    readonly line: number;
  }[];
  /** What the figures say, and do not. */
  readonly meaning: string;
}

/** What the figures of near_misses say and do not say. */
const NEAR_MISSES_MEAN =
  "Time by which the nearest kthread_use_mm missed a fast window, as far as the recorded synchronisation lets it move; " +
  "unrecorded synchronisation (wake-ups) may keep it farther away, and nothing is said of how likely a hit is.";

export interface PolicySummary {
  /** fast + slow + indeterminate = forks.total. */
  readonly fast: number;
  readonly slow: number;
  readonly indeterminate: number;
  /** Of fast. */
  readonly unsafe: number;
  readonly unsafe_indeterminate: number;
  /** Of slow; a fork may have several causes. Causes that never occurred are left out. */
  readonly denied_by: Readonly<Record<string, number>>;
  readonly blocked: Blocked | { readonly not_evaluable: string };
  /** Only for policies that serialise nothing. */
  readonly near_misses?: NearMisses | { readonly not_evaluable: string };
  /** Forks whose decision is indeterminate because the policy's own waits contradict the trace's times. */
  readonly rejudged: number;
  /** Forks by the weakest evidence their decision rests on. */
  readonly evidence: Readonly<Record<Evidence, number>>;
}

/** The policy whose details are shown: the plain check every later design refines, or the first one replayed. */
export function referencePolicy(policies: Readonly<Record<string, PolicySummary>>): string | null {
  if ("counts-unlocked" in policies) return "counts-unlocked";
  const ids = Object.keys(policies);
  return ids.find((id) => id !== "always-atomic") ?? ids[0] ?? null;
}

interface PolicyCounts {
  fast: number;
  slow: number;
  indeterminate: number;
  unsafe: number;
  unsafe_indeterminate: number;
  rejudged: number;
  readonly denied: Map<string, number>;
  readonly evidence: Record<Evidence, number>;
}

/** One entry per policy replayed, built-in ones in report order, then others by name. `isFiltered`: not all forks are in the tables. */
export function policySummaries(
  tables: VerdictTables,
  infos: readonly ReplayInfo[],
  isFiltered = false,
): Record<string, PolicySummary> {
  const counts = countVerdicts(tables);
  const waits = waitsByPolicy(tables);
  const misses = missesByPolicy(tables);
  const evaluated = new Set([...infos.flatMap((info) => info.policies), ...counts.keys()]);
  const known = POLICY_IDS.filter((id) => evaluated.has(id)) as string[];
  const others = [...evaluated].filter((id) => !known.includes(id)).sort();
  const out: Record<string, PolicySummary> = {};
  for (const id of [...known, ...others]) {
    const { denied, evidence, ...numbers } = counts.get(id) ?? emptyCounts();
    const decided = numbers.fast + numbers.slow + numbers.indeterminate;
    assert(decided === tables.forks.length, `${id}: ${decided} decisions for ${tables.forks.length} forks`);
    out[id] = {
      ...numbers,
      denied_by: Object.fromEntries(DENIAL_CAUSES.flatMap((cause) => pairs(cause, denied.get(cause)))),
      blocked: blocked(id, waits.get(id), infos, isFiltered),
      ...nearMisses(id, misses.get(id), infos, tables.near_misses),
      evidence,
    };
  }
  return out;
}

function pairs(cause: string, n: number | undefined): [string, number][] {
  return n === undefined ? [] : [[cause, n]];
}

function emptyCounts(): PolicyCounts {
  const evidence = Object.fromEntries(EVIDENCE.map((word) => [word, 0])) as Record<Evidence, number>;
  return {
    fast: 0,
    slow: 0,
    indeterminate: 0,
    unsafe: 0,
    unsafe_indeterminate: 0,
    rejudged: 0,
    denied: new Map(),
    evidence,
  };
}

function countVerdicts({ verdicts }: VerdictTables): Map<string, PolicyCounts> {
  const policy = verdicts.column("policy");
  const decision = verdicts.column("decision");
  const verdict = verdicts.column("verdict");
  const evidence = verdicts.column("evidence");
  const rejudged = verdicts.column("rejudged").ints.data;
  const byId = policy.values.map(emptyCounts);
  for (let row = 0; row < verdicts.length; row++) {
    const counts = byId[policy.ints.data[row]!]!;
    const decided = textAt(decision, decision.ints.data[row]) as "fast" | "slow" | "indeterminate";
    counts[decided]++;
    if (rejudged[row] !== NULL_I32) counts.rejudged++;
    counts.evidence[(textAt(evidence, evidence.ints.data[row]) ?? "unknown") as Evidence]++;
    if (decided === "fast") countFast(counts, textAt(verdict, verdict.ints.data[row]));
    if (decided === "slow") {
      for (const cause of verdicts.get("denied_by", row))
        counts.denied.set(cause, (counts.denied.get(cause) ?? 0) + 1);
    }
  }
  return new Map(policy.values.map((id, i) => [id, byId[i]!]));
}

function countFast(counts: PolicyCounts, verdict: string | null): void {
  if (verdict === "unsafe") counts.unsafe++;
  // A fast decision without a verdict cannot be called safe.
  else if (verdict !== "safe") counts.unsafe_indeterminate++;
}

class Collected {
  readonly known: number[] = [];
  unknown = 0;

  add(wait: bigint | null): void {
    if (wait === null) this.unknown++;
    else this.known.push(Number(wait));
  }

  waits(): Waits {
    const sorted = Float64Array.from(this.known).sort();
    return {
      events: sorted.length + this.unknown,
      total_ns: sorted.reduce((sum, wait) => sum + wait, 0),
      p50_ns: nearestRank(sorted, 0.5),
      p99_ns: nearestRank(sorted, 0.99),
      max_ns: nearestRank(sorted, 1),
      unknown_waits: this.unknown,
    };
  }
}

interface PolicyWaits {
  readonly window: Collected;
  readonly queue: Collected;
  readonly forks: Collected;
  perhaps: number;
  /** NaN: unknown. */
  newNs: number;
  reaches: number;
}

function noWaits(): PolicyWaits {
  return {
    window: new Collected(),
    queue: new Collected(),
    forks: new Collected(),
    perhaps: 0,
    newNs: 0,
    reaches: 0,
  };
}

function waitsByPolicy({ blocks }: VerdictTables): Map<string, PolicyWaits> {
  const policy = blocks.column("policy");
  const byId = policy.values.map(noWaits);
  for (let row = 0; row < blocks.length; row++) {
    const id = policy.ints.data[row]!;
    if (id === NULL_I32) continue;
    const waits = byId[id]!;
    const wait = blocks.get("wait_ns", row);
    const cause = blocks.get("cause", row);
    if (blocks.get("outcome", row) === "reaches-next-window") waits.reaches++;
    if (cause === "unreleased-lock") waits.perhaps++;
    else if (cause === "writer-queue") waits.queue.add(wait);
    else if (cause === "fork-fork") {
      waits.forks.add(wait);
      waits.newNs += Number(blocks.get("new_ns", row) ?? Number.NaN);
    } else waits.window.add(wait);
  }
  return new Map(policy.values.map((id, i) => [id, byId[i]!]));
}

/** The policies with a lock. */
const LOCKS: ReadonlySet<string> = new Set(["get-task-mm", "fork-lock", "mmap-lock", "users-mmap-lock"]);

function blocked(
  id: string,
  collected: PolicyWaits | undefined,
  infos: readonly ReplayInfo[],
  isFiltered: boolean,
): PolicySummary["blocked"] {
  // One trace that cannot tell makes the sum over all traces unknown.
  const needs = infos.flatMap((info) => info.blockedNeeds[id] ?? []);
  if (needs.length > 0) return { not_evaluable: [...new Set(needs)].join(", ") };
  const waits = collected ?? noWaits();
  const hasQueue = infos.some((info) => info.queueNeeds !== undefined && id in info.queueNeeds);
  const newNs = Number.isNaN(waits.newNs) ? null : waits.newNs;
  return {
    ...waits.window.waits(),
    reach_next_window: waits.reaches,
    ...(hasQueue ? { queue: queue(id, waits, infos, isFiltered) } : {}),
    ...(LOCKS.has(id) ? { forks: { ...waits.forks.waits(), new_ns: newNs } } : {}),
  };
}

/** Waits behind writers that are no fork belong to no fork, so a filter of forks cannot choose among them. */
const UNFILTERED = { not_evaluable: "a run without a filter (these waits belong to no fork)" } as const;

function queue(
  id: string,
  waits: PolicyWaits,
  infos: readonly ReplayInfo[],
  isFiltered: boolean,
): QueueWaits | { readonly not_evaluable: string } {
  const needs = infos.flatMap((info) => info.queueNeeds?.[id] ?? []);
  if (needs.length > 0) return { not_evaluable: [...new Set(needs)].join(", ") };
  if (isFiltered) return UNFILTERED;
  return { ...waits.queue.waits(), perhaps: waits.perhaps };
}

interface Misses {
  windows: number;
  readonly known: { readonly row: number; readonly distance: number }[];
}

const MOST_CLOSEST = 10;

function missesByPolicy({ near_misses }: VerdictTables): Map<string, NearMisses> {
  const policy = near_misses.column("policy");
  const byId = policy.values.map((): Misses => ({ windows: 0, known: [] }));
  for (let row = 0; row < near_misses.length; row++) {
    const misses = byId[policy.ints.data[row]!];
    if (misses === undefined) continue;
    misses.windows++;
    const distance = near_misses.get("distance_ns", row);
    if (distance !== null) misses.known.push({ row, distance: Number(distance) });
  }
  return new Map(policy.values.map((id, i) => [id, distribution(byId[i]!, near_misses)]));
}

function distribution({ windows, known }: Misses, table: VerdictTables["near_misses"]): NearMisses {
  known.sort((a, b) => a.distance - b.distance || a.row - b.row);
  const sorted = known.map(({ distance }) => distance);
  return {
    windows,
    with_candidate: known.length,
    min_ns: sorted[0] ?? null,
    p50_ns: nearestRank(sorted, 0.5),
    p99_ns: nearestRank(sorted, 0.99),
    closest: known.slice(0, MOST_CLOSEST).map(({ row, distance }) => ({
      fork: table.get("fork", row) ?? -1,
      distance_ns: distance,
      side: table.get("side", row) ?? "",
      line: table.get("line", row) ?? 0,
    })),
    meaning: NEAR_MISSES_MEAN,
  };
}

const LOCKLESS: ReadonlySet<string> = new Set(["mm-count-only", "counts-unlocked", "users-only", "cpumask"]);

function nearMisses(
  id: string,
  misses: NearMisses | undefined,
  infos: readonly ReplayInfo[],
  tables: VerdictTables["near_misses"],
): Pick<PolicySummary, "near_misses"> {
  if (!LOCKLESS.has(id)) return {};
  const needs = infos.flatMap((info) => info.nearMissNeeds ?? []);
  if (needs.length > 0) return { near_misses: { not_evaluable: [...new Set(needs)].join(", ") } };
  return { near_misses: misses ?? distribution({ windows: 0, known: [] }, tables) };
}
