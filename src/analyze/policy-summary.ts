// Per policy: decisions, verdicts, denial causes and waits, counted over the verdict and block tables. Part of
// summary.ts; field names are interface.
import { assert } from "../base/assert.ts";
import { NULL_I32 } from "../table/columns.ts";
import type { Evidence, ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { DENIAL_CAUSES, EVIDENCE, POLICY_IDS } from "../table/verdict-tables.ts";
import { textAt } from "./rows.ts";
import { nearestRank } from "./statistics.ts";

/** What the policy would have made wait. Quantiles are nearest-rank over the known waits; null when there are none. */
export interface Blocked {
  readonly events: number;
  readonly total_ns: number;
  readonly p50_ns: number | null;
  readonly p99_ns: number | null;
  readonly max_ns: number | null;
  /** Events whose wait the trace cannot tell (its end came first). Counted in events, in nothing else. */
  readonly unknown_waits: number;
}

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
  readonly denied: Map<string, number>;
  readonly evidence: Record<Evidence, number>;
}

/** One entry per policy replayed, built-in ones in report order, then others by name. */
export function policySummaries(
  tables: VerdictTables,
  infos: readonly ReplayInfo[],
): Record<string, PolicySummary> {
  const counts = countVerdicts(tables);
  const waits = waitsByPolicy(tables);
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
      blocked: blocked(id, waits.get(id), infos),
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
    denied: new Map(),
    evidence,
  };
}

function countVerdicts({ verdicts }: VerdictTables): Map<string, PolicyCounts> {
  const policy = verdicts.column("policy");
  const decision = verdicts.column("decision");
  const verdict = verdicts.column("verdict");
  const evidence = verdicts.column("evidence");
  const byId = policy.values.map(emptyCounts);
  for (let row = 0; row < verdicts.length; row++) {
    const counts = byId[policy.ints.data[row]!]!;
    const decided = textAt(decision, decision.ints.data[row]) as "fast" | "slow" | "indeterminate";
    counts[decided]++;
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

interface Waits {
  readonly known: number[];
  unknown: number;
}

function waitsByPolicy({ blocks }: VerdictTables): Map<string, Waits> {
  const policy = blocks.column("policy");
  const byId = policy.values.map((): Waits => ({ known: [], unknown: 0 }));
  for (let row = 0; row < blocks.length; row++) {
    const id = policy.ints.data[row]!;
    if (id === NULL_I32) continue;
    const wait = blocks.get("wait_ns", row);
    if (wait === null) byId[id]!.unknown++;
    else byId[id]!.known.push(Number(wait));
  }
  return new Map(policy.values.map((id, i) => [id, byId[i]!]));
}

function blocked(
  id: string,
  waits: Waits | undefined,
  infos: readonly ReplayInfo[],
): PolicySummary["blocked"] {
  // One trace that cannot tell makes the sum over all traces unknown.
  const needs = infos.flatMap((info) => info.blockedNeeds[id] ?? []);
  if (needs.length > 0) return { not_evaluable: [...new Set(needs)].join(", ") };
  const sorted = Float64Array.from(waits?.known ?? []).sort();
  const unknown = waits?.unknown ?? 0;
  return {
    events: sorted.length + unknown,
    total_ns: sorted.reduce((sum, wait) => sum + wait, 0),
    p50_ns: nearestRank(sorted, 0.5),
    p99_ns: nearestRank(sorted, 0.99),
    max_ns: nearestRank(sorted, 1),
    unknown_waits: unknown,
  };
}
