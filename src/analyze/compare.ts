// Two results side by side: what differs, how sure that is, and what may not be compared. Figures only; compare-text.ts
// prints them. Called by the command compare.

import { percent } from "./figure-text.ts";
import { bounded, type Difference, newcombe, type Share, wilson } from "./intervals.ts";
import type { Waits as KnownWaits, PolicySummary } from "./policy-summary.ts";
import type { Summary } from "./summary.ts";

export interface SharePair {
  readonly a: Share;
  readonly b: Share;
  /** b - a. */
  readonly difference: Difference;
}

export type Waits = Omit<KnownWaits, "unknown_waits"> | { readonly not_evaluable: string };

export interface PolicyComparison {
  /** Of the forks whose path is decided (fast or slow). */
  readonly fast: SharePair;
  readonly undecided: { readonly a: number; readonly b: number };
  /** Of the forks on the fast path. */
  readonly unsafe: SharePair;
  /** By cause, of all forks; a fork may have several. */
  readonly denied_by: Readonly<Record<string, SharePair>>;
  readonly waits: { readonly a: Waits; readonly b: Waits };
}

/** A reason not to compare, or to compare with care. */
export interface Caveat {
  readonly about: string;
  readonly a: string;
  readonly b: string;
  readonly why: string;
}

/** The JSON of `compare --json`. Extend, never rename. */
export interface Comparison {
  readonly schema_version: number;
  readonly a: { readonly path: string; readonly forks: number };
  readonly b: { readonly path: string; readonly forks: number };
  readonly not_comparable: readonly Caveat[];
  readonly policies: Readonly<Record<string, PolicyComparison>>;
}

/** Compares what two result directories say. Policies of only one of them are a caveat, no row. */
export function compare(aPath: string, a: Summary, bPath: string, b: Summary): Comparison {
  const ids = Object.keys(a.policies).filter((id) => b.policies[id] !== undefined);
  return {
    schema_version: a.schema_version,
    a: { path: aPath, forks: a.forks.total },
    b: { path: bPath, forks: b.forks.total },
    not_comparable: caveats(a, b),
    policies: Object.fromEntries(
      ids.map((id) => [id, comparePolicy(a, b, a.policies[id]!, b.policies[id]!)]),
    ),
  };
}

function pair(a: Share, b: Share): SharePair {
  return { a, b, difference: newcombe(a, b) };
}

function comparePolicy(a: Summary, b: Summary, inA: PolicySummary, inB: PolicySummary): PolicyComparison {
  const causes = new Set([...Object.keys(inA.denied_by), ...Object.keys(inB.denied_by)]);
  return {
    fast: pair(
      bounded(inA.fast, inA.indeterminate, a.forks.total),
      bounded(inB.fast, inB.indeterminate, b.forks.total),
    ),
    undecided: { a: inA.indeterminate, b: inB.indeterminate },
    unsafe: pair(
      bounded(inA.unsafe, inA.unsafe_indeterminate, inA.fast),
      bounded(inB.unsafe, inB.unsafe_indeterminate, inB.fast),
    ),
    denied_by: Object.fromEntries(
      [...causes].map((cause) => [
        cause,
        pair(
          wilson(inA.denied_by[cause] ?? 0, a.forks.total),
          wilson(inB.denied_by[cause] ?? 0, b.forks.total),
        ),
      ]),
    ),
    waits: { a: waitsOf(inA), b: waitsOf(inB) },
  };
}

function waitsOf({ blocked }: PolicySummary): Waits {
  if ("not_evaluable" in blocked) return blocked;
  const { events, total_ns, p50_ns, p99_ns, max_ns } = blocked;
  return { events, total_ns, p50_ns, p99_ns, max_ns };
}

/** Something both results have, as one word each, and why a difference in it matters. */
interface Aspect {
  readonly about: string;
  readonly of: (summary: Summary) => string;
  readonly why: string;
}

const distinct = (words: readonly string[]): string => [...new Set(words)].sort().join(", ");

const ASPECTS: readonly Aspect[] = [
  {
    about: "kernel",
    of: ({ traces }) => distinct(traces.map(({ kernel }) => kernel || "unknown")),
    why: "other code takes references and clears mm_cpumask at other places",
  },
  {
    about: "kernel rules",
    of: ({ traces }) => distinct(traces.map(({ kernel_rules: rules }) => rules || "assumed: 6.4 to 6.13")),
    why: "the replay followed different rules",
  },
  {
    about: "CPUs",
    of: ({ traces }) => distinct(traces.map(({ cpus }) => String(cpus))),
    why: "more CPUs leave more lazy references and more room for exposures",
  },
  {
    about: "clock",
    of: ({ traces }) => distinct(traces.map(({ clock, time_unit }) => `${clock} (${time_unit})`)),
    why: "waits and windows are as long as their clock says; local is not ordered across CPUs",
  },
  {
    about: "mm_users evidence",
    of: ({ forks }) => evidenceWord(forks.mm_users_evidence, forks.total),
    why: "lower bounds hide fast paths, and denials that nothing recorded",
  },
  {
    about: "mm_count evidence",
    of: ({ forks }) => evidenceWord(forks.mm_count_evidence, forks.total),
    why: "lower bounds hide fast paths, and denials that nothing recorded",
  },
  {
    about: "windows",
    of: ({ forks }) => evidenceWord(forks.windows, forks.total),
    why: "a wider window has more exposures in it",
  },
  {
    about: "not recorded",
    of: ({ missing }) => distinct(missing.map(({ probe }) => probe)) || "nothing",
    why: "what one of them could not see counts as absent there or undecided",
  },
  {
    about: "assumptions",
    of: ({ assumptions }) => distinct(assumptions),
    why: "the figures rest on different assumptions",
  },
  {
    about: "filter",
    of: ({ filter }) => filter?.options.join(" ") ?? "none",
    why: "the figures are of the forks that the filter chose",
  },
  {
    about: "policies",
    of: ({ policies }) => distinct(Object.keys(policies)),
    why: "only those that both have are compared",
  },
];

/** "measured", or "measured 95 %, at-least 5 %". */
function evidenceWord(counts: Readonly<Record<string, number>>, total: number): string {
  const present = Object.entries(counts).filter(([, n]) => n > 0);
  if (present.length === 1) return present[0]?.[0] ?? "";
  return present.map(([word, n]) => `${word} ${percent(n, total)} %`).join(", ") || "none";
}

const FEW_FORKS = 30;

function caveats(a: Summary, b: Summary): Caveat[] {
  const out: Caveat[] = [];
  for (const { about, of, why } of ASPECTS) {
    if (of(a) !== of(b)) out.push({ about, a: of(a), b: of(b), why });
  }
  const lost = [lossOf(a), lossOf(b)] as const;
  if (lost[0] !== "none" || lost[1] !== "none") {
    out.push({
      about: "lost events",
      a: lost[0],
      b: lost[1],
      why: "forks and borrowers inside the gaps were not seen",
    });
  }
  const undecided = (s: Summary): number =>
    Math.max(0, ...Object.values(s.policies).map((p) => p.indeterminate));
  if (undecided(a) + undecided(b) > 0) {
    const why = "shares are of decided forks, intervals hold whatever the others are";
    out.push({ about: "undecided forks", a: `up to ${undecided(a)}`, b: `up to ${undecided(b)}`, why });
  }
  if (Math.min(a.forks.total, b.forks.total) < FEW_FORKS) {
    const why = "too few for the intervals to say much";
    out.push({ about: "forks", a: String(a.forks.total), b: String(b.forks.total), why });
  }
  return out;
}

function lossOf({ traces }: Summary): string {
  if (traces.some(({ lost_events: lost }) => lost === null)) return "some";
  const sum = traces.reduce((total, { lost_events: lost }) => total + (lost ?? 0), 0);
  return sum === 0 ? "none" : String(sum);
}
