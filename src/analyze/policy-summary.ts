// Per policy: decisions, verdicts, denial causes and waits, counted over the verdict and block tables. Part of
// summary.ts; field names are interface.
import { assert } from "../base/assert.ts";
import { type ColumnTable, NULL_I32 } from "../table/columns.ts";
import type { Evidence, ReplayInfo, ResultTables, VERDICT_SPEC } from "../table/verdict-tables.ts";
import { DENIAL_CAUSES, EVIDENCE, POLICY_IDS } from "../table/verdict-tables.ts";
import { ranksOf } from "./ranks.ts";
import { eachRow, textAt } from "./rows.ts";

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
  tables: ResultTables,
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
      ...nearMisses(id, misses.get(id), infos),
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

function countVerdicts({ verdicts }: ResultTables): Map<string, PolicyCounts> {
  const out = new Map<string, PolicyCounts>();
  for (const batch of verdicts.batches([...DECIDED, "rejudged", "denied_by"])) {
    const { values } = batch.column("policy");
    for (const id of values) if (!out.has(id)) out.set(id, emptyCounts());
    const countsOf = (id: number): PolicyCounts => out.get(values[id]!)!;
    countWords(batch, countsOf);
    countCauses(batch, countsOf);
  }
  return out;
}

type Verdicts = ColumnTable<typeof VERDICT_SPEC>;

/** The columns whose combinations are counted. */
const DECIDED = ["policy", "decision", "verdict", "evidence"] as const;

/** Counts the combinations of ids, of which there are few, and then reads what they mean. */
function countWords(batch: Verdicts, countsOf: (policy: number) => PolicyCounts): void {
  const [policy, decision, verdict, evidence] = DECIDED.map((name) => batch.column(name).ints.data);
  const rejudged = batch.column("rejudged").ints.data;
  const [, decisions, verdicts, evidences] = DECIDED.map((name) => batch.column(name).values.length);
  const places = batch.column("policy").values.length * decisions! * (verdicts! + 1) * (evidences! + 1) * 2;
  const counts = new Float64Array(places);
  for (let row = 0; row < batch.length; row++) {
    // The null marker is the smallest int32: place 0.
    const v = verdict![row] === NULL_I32 ? 0 : verdict![row]! + 1;
    const e = evidence![row] === NULL_I32 ? 0 : evidence![row]! + 1;
    const key = ((policy![row]! * decisions! + decision![row]!) * (verdicts! + 1) + v) * (evidences! + 1) + e;
    counts[key * 2 + (rejudged[row] === NULL_I32 ? 0 : 1)]! += 1;
  }
  for (const [place, n] of counts.entries()) {
    if (n === 0) continue;
    const key = place >> 1;
    const e = key % (evidences! + 1);
    const v = Math.floor(key / (evidences! + 1)) % (verdicts! + 1);
    const d = Math.floor(key / (evidences! + 1) / (verdicts! + 1)) % decisions!;
    const of = countsOf(Math.floor(key / (evidences! + 1) / (verdicts! + 1) / decisions!));
    const decided = textAt(batch.column("decision"), d) as "fast" | "slow" | "indeterminate";
    of[decided] += n;
    of.rejudged += (place & 1) * n;
    of.evidence[(textAt(batch.column("evidence"), e - 1) ?? "unknown") as Evidence] += n;
    if (decided === "fast") countFast(of, textAt(batch.column("verdict"), v - 1), n);
  }
}

/** Of slow forks. */
function countCauses(batch: Verdicts, countsOf: (policy: number) => PolicyCounts): void {
  const policy = batch.column("policy").ints.data;
  const decision = batch.column("decision");
  const slow = decision.values.indexOf("slow");
  const { ints, ends, values } = batch.column("denied_by");
  const counts = new Float64Array(batch.column("policy").values.length * values.length);
  for (let row = 0; row < batch.length; row++) {
    if (decision.ints.data[row] !== slow) continue;
    for (let at = row === 0 ? 0 : ends.data[row - 1]!; at < ends.data[row]!; at++)
      counts[policy[row]! * values.length + ints.data[at]!]! += 1;
  }
  for (const [place, n] of counts.entries()) {
    if (n === 0) continue;
    const { denied } = countsOf(Math.floor(place / values.length));
    const cause = values[place % values.length]!;
    denied.set(cause, (denied.get(cause) ?? 0) + n);
  }
}

function countFast(counts: PolicyCounts, verdict: string | null, n: number): void {
  if (verdict === "unsafe") counts.unsafe += n;
  // A fast decision without a verdict cannot be called safe.
  else if (verdict !== "safe") counts.unsafe_indeterminate += n;
}

/** Why a policy's waits are; the place of each in PolicyWaits.of. */
const REASONS = ["window", "queue", "forks"] as const;
type Reason = (typeof REASONS)[number];

interface PolicyWaits {
  /** Waits of known length, and those of an unknown one. */
  readonly of: Record<
    Reason,
    { total: number; unknown: number; known: Pick<Waits, "p50_ns" | "p99_ns" | "max_ns"> }
  >;
  readonly events: Record<Reason, number>;
  perhaps: number;
  /** NaN: unknown. */
  newNs: number;
  reaches: number;
}

function noWaits(): PolicyWaits {
  const none = { p50_ns: null, p99_ns: null, max_ns: null };
  return {
    of: {
      window: { total: 0, unknown: 0, known: none },
      queue: { total: 0, unknown: 0, known: none },
      forks: { total: 0, unknown: 0, known: none },
    },
    events: { window: 0, queue: 0, forks: 0 },
    perhaps: 0,
    newNs: 0,
    reaches: 0,
  };
}

function reasonOf(cause: string | null): Reason | null {
  if (cause === "unreleased-lock") return null;
  if (cause === "writer-queue") return "queue";
  return cause === "fork-fork" ? "forks" : "window";
}

/** One row of `blocks` that is a wait, for `reason`; `wait` null: of unknown length. */
type VisitWait = (policy: string, reason: Reason, wait: number | null, newNs: number | null) => void;

function eachWait(blocks: ResultTables["blocks"], visit: VisitWait): void {
  eachRow(blocks, ["policy", "cause", "wait_ns", "new_ns"], (batch, row) => {
    const id = batch.get("policy", row);
    const reason = reasonOf(batch.get("cause", row));
    if (id === null || reason === null) return;
    visit(id, reason, batch.column("wait_ns").ns(row), batch.column("new_ns").ns(row));
  });
}

function waitsByPolicy({ blocks }: ResultTables): Map<string, PolicyWaits> {
  const out = new Map<string, PolicyWaits>();
  const of = (policy: string): PolicyWaits => {
    const known = out.get(policy) ?? noWaits();
    out.set(policy, known);
    return known;
  };
  eachRow(blocks, ["policy", "cause", "outcome"], (batch, row) => {
    const id = batch.get("policy", row);
    if (id === null) return;
    const waits = of(id);
    if (batch.get("outcome", row) === "reaches-next-window") waits.reaches++;
    if (reasonOf(batch.get("cause", row)) === null) waits.perhaps++;
  });
  eachWait(blocks, (policy, reason, wait, newNs) => {
    const waits = of(policy);
    waits.events[reason]++;
    if (wait === null) waits.of[reason].unknown++;
    else waits.of[reason].total += wait;
    if (reason === "forks") waits.newNs += newNs ?? Number.NaN;
  });
  const policies = [...out.keys()];
  const placeOf = new Map(policies.map((id, i) => [id, i * REASONS.length]));
  const ranks = ranksOf(
    (visit) =>
      eachWait(blocks, (policy, reason, wait) => {
        if (wait !== null) visit(placeOf.get(policy)! + REASONS.indexOf(reason), wait);
      }),
    policies.length * REASONS.length,
    [0.5, 0.99, 1],
  );
  for (const [policy, waits] of out) {
    for (const [i, reason] of REASONS.entries()) {
      const [p50, p99, max] = ranks[placeOf.get(policy)! + i]!.at;
      waits.of[reason].known = { p50_ns: p50 ?? null, p99_ns: p99 ?? null, max_ns: max ?? null };
    }
  }
  return out;
}

function waitsFor({ of, events }: PolicyWaits, reason: Reason): Waits {
  const { total, unknown, known } = of[reason];
  return { events: events[reason], total_ns: total, ...known, unknown_waits: unknown };
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
    ...waitsFor(waits, "window"),
    reach_next_window: waits.reaches,
    ...(hasQueue ? { queue: queue(id, waits, infos, isFiltered) } : {}),
    ...(LOCKS.has(id) ? { forks: { ...waitsFor(waits, "forks"), new_ns: newNs } } : {}),
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
  return { ...waitsFor(waits, "queue"), perhaps: waits.perhaps };
}

const MOST_CLOSEST = 10;

type Closest = NearMisses["closest"][number];

interface Misses {
  windows: number;
  /** Nearest first. */
  readonly closest: Closest[];
}

function missesByPolicy({ near_misses: near }: ResultTables): Map<string, NearMisses> {
  const policies: string[] = [];
  const misses: Misses[] = [];
  for (const batch of near.batches(["policy", "distance_ns", "fork", "side", "line"])) {
    const policy = batch.column("policy");
    const distances = batch.column("distance_ns");
    while (policies.length < policy.values.length) {
      policies.push(policy.values[policies.length]!);
      misses.push({ windows: 0, closest: [] });
    }
    for (let row = 0; row < batch.length; row++) {
      const of = misses[policy.ints.data[row]!];
      if (of === undefined) continue;
      of.windows++;
      const distance = distances.ns(row);
      if (distance === null || isFarther(of.closest, distance)) continue;
      keepClosest(of.closest, {
        fork: batch.get("fork", row) ?? -1,
        distance_ns: distance,
        side: batch.get("side", row) ?? "",
        line: batch.get("line", row) ?? 0,
      });
    }
  }
  const ranks = ranksOf(
    (visit) => {
      for (const batch of near.batches(["policy", "distance_ns"])) {
        const ids = batch.column("policy").ints.data;
        const distances = batch.column("distance_ns");
        for (let row = 0; row < batch.length; row++) {
          const distance = distances.ns(row);
          if (distance !== null && ids[row] !== NULL_I32) visit(ids[row]!, distance);
        }
      }
    },
    policies.length,
    [0.5, 0.99],
  );
  return new Map(
    policies.map((id, i) => {
      const { windows, closest } = misses[i]!;
      const { count, at } = ranks[i]!;
      return [id, distribution(windows, closest, count, at)];
    }),
  );
}

function isFarther(closest: readonly Closest[], distance: number): boolean {
  return closest.length === MOST_CLOSEST && distance >= closest.at(-1)!.distance_ns;
}

/** Puts it in behind those that are as near. */
function keepClosest(closest: Closest[], miss: Closest): void {
  const at = closest.findIndex(({ distance_ns }) => distance_ns > miss.distance_ns);
  closest.splice(at < 0 ? closest.length : at, 0, miss);
  if (closest.length > MOST_CLOSEST) closest.pop();
}

function distribution(
  windows: number,
  closest: readonly Closest[],
  count: number,
  [p50, p99]: readonly (number | null)[],
): NearMisses {
  return {
    windows,
    with_candidate: count,
    min_ns: closest[0]?.distance_ns ?? null,
    p50_ns: p50 ?? null,
    p99_ns: p99 ?? null,
    closest,
    meaning: NEAR_MISSES_MEAN,
  };
}

const LOCKLESS: ReadonlySet<string> = new Set(["mm-count-only", "counts-unlocked", "users-only", "cpumask"]);

function nearMisses(
  id: string,
  misses: NearMisses | undefined,
  infos: readonly ReplayInfo[],
): Pick<PolicySummary, "near_misses"> {
  if (!LOCKLESS.has(id)) return {};
  const needs = infos.flatMap((info) => info.nearMissNeeds ?? []);
  if (needs.length > 0) return { near_misses: { not_evaluable: [...new Set(needs)].join(", ") } };
  return { near_misses: misses ?? distribution(0, [], 0, []) };
}
