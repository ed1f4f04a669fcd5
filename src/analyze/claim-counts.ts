// Claims about the counts at a fork's check: how often they are 1, and what lazy CPUs do to them. Used by claims.ts.
import { formatDuration, type TimeUnit } from "../base/time.ts";
import type { Evidence, ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { lazyAttribution } from "./attribution.ts";
import {
  forks as forkCount,
  judgeShare,
  NO_FORKS,
  notEvaluable,
  type Outcome,
  type Policies,
  provenArmed,
  weaker,
} from "./claim.ts";
import { textAt } from "./rows.ts";
import { percent } from "./statistics.ts";

/** Share of forks whose count is 1. A lower bound of 2 or more proves "not 1"; a lower bound of 1 proves nothing. */
export function shareOfOnes(
  { forks }: VerdictTables,
  name: "mm_users" | "mm_count",
  holdsAt: (share: number) => boolean,
): Outcome {
  const column = forks.column(`${name}_evidence`);
  let yes = 0;
  let no = 0;
  let evidence: Evidence = "measured";
  for (let row = 0; row < forks.length; row++) {
    const value = forks.get(name, row);
    const word = textAt(column, column.ints.data[row]);
    const exact = word === "measured" || word === "derived";
    if (value === 1 && exact) yes++;
    else if (value !== null && value !== 1 && (exact || word === "at-least")) no++;
    else continue;
    evidence = weaker(evidence, word);
  }
  const { length } = forks;
  const unknown = length - yes - no;
  const needs =
    length === 0 ? NO_FORKS : `${name} sampled at uprobe_dup_mmap, or the probes it is derived from`;
  return judgeShare(
    { yes, no, unknown, evidence },
    holdsAt,
    notEvaluable("share", needs, `${name} is known for none of ${forkCount(length)}`),
    `${name} of the ${forkCount(unknown)} where it is unknown or a lower bound`,
  );
}

interface Holding {
  /** A reference that is certainly something else's, and one that nothing explains for certain. */
  other: boolean;
  unsure: boolean;
  evidence: string | null;
}

/** What else than lazy references holds mm_count, by fork with mm_count above 1. */
function holdings({ denials }: VerdictTables): Map<number, Holding> {
  const byFork = new Map<number, Holding>();
  for (let row = 0; row < denials.length; row++) {
    if (denials.get("counter", row) !== "mm_count") continue;
    const fork = denials.get("fork", row) ?? -1;
    const basis = denials.get("basis", row);
    const known = byFork.get(fork) ?? { other: false, unsure: false, evidence: denials.get("evidence", row) };
    if (basis === null || basis === "possible") known.unsure = true;
    else if (denials.get("cause", row) !== "lazy-tlb") known.other = true;
    byFork.set(fork, known);
  }
  return byFork;
}

/** Of the forks whose mm_count is above 1: those in which every reference beyond the first is lazy. */
export function idleSpoils(tables: VerdictTables): Outcome {
  const all = [...holdings(tables).values()];
  // Above a lower bound there may be another holder.
  const told = all.filter(({ other, unsure, evidence }) => other || !(unsure || evidence === "at-least"));
  const no = told.filter(({ other }) => other).length;
  const unknown = all.length - told.length;
  const evidence = told.reduce<Evidence>((worst, holding) => weaker(worst, holding.evidence), "measured");
  const sampled = "mm_count sampled at uprobe_dup_mmap, or the probes it is derived from";
  const above = tables.forks.length === 0 ? NO_FORKS : "a fork whose mm_count is known to be above 1";
  const none = `told for none of ${forkCount(all.length)} with mm_count above 1`;
  return judgeShare(
    { yes: told.length - no, no, unknown, evidence },
    (share) => share > 0.5,
    notEvaluable("share", all.length === 0 ? above : sampled, none),
    `every holder of mm_count in the ${forkCount(unknown)} where it is a lower bound or not explained`,
    ", of forks with mm_count above 1",
  );
}

const LAZY_PROBES = ["switch_mm_irqs_off", "enter_lazy_tlb"] as const;

/** From a hardware sample, where decisions may read it; else replayed. */
function lazyEvidence(forks: VerdictTables["forks"], row: number, isExact: boolean): Evidence {
  const isSampled =
    forks.get("loaded_compared", row) !== null && forks.get("mm_count_evidence", row) === "measured";
  if (isSampled) return "measured";
  return isExact ? "derived" : "at-least";
}

/** Lazy CPUs a fork faces: with the mm still loaded. */
export function lazyCpus({ forks }: VerdictTables, _p: Policies, infos: readonly ReplayInfo[]): Outcome {
  let known = 0;
  let some = 0;
  let total = 0;
  let max = 0;
  const isExact = provenArmed(infos, LAZY_PROBES) || provenArmed(infos, ["cpu_sample"]);
  let evidence: Evidence = "measured";
  for (let row = 0; row < forks.length; row++) {
    const lazy = forks.get("lazy_cpus", row);
    if (lazy === null) continue;
    known++;
    total += lazy;
    if (lazy > 0) some++;
    max = Math.max(max, lazy);
    evidence = weaker(evidence, lazyEvidence(forks, row, isExact));
  }
  if (known === 0) {
    const needs = forks.length === 0 ? NO_FORKS : LAZY_PROBES.join(" and ");
    return notEvaluable("CPUs", needs, `known for none of ${forkCount(forks.length)}`);
  }
  const figure = total / known;
  const detail = `${some} of ${known} forks (${percent(some, known)} %); mean ${figure.toFixed(2)}, most ${max}`;
  // Without these, lazy CPUs are seen in part: what was found is there, what was not found proves nothing.
  if (some === 0 && !isExact)
    return notEvaluable("CPUs", LAZY_PROBES.join(" and "), "none seen, and none could be");
  if (some === 0 && known < forks.length) {
    const needs = `lazy CPUs of ${forkCount(forks.length - known)}`;
    return notEvaluable("CPUs", needs, detail, figure, evidence);
  }
  return { verdict: some > 0 ? "holds" : "fails", figure, unit: "CPUs", evidence, detail, needs: null };
}

/** Lazy references that the forker's own earlier runs left, whether or not the mm is still loaded there. */
export function forkerLeaves(
  tables: VerdictTables,
  _p: Policies,
  infos: readonly ReplayInfo[],
  unit: TimeUnit,
): Outcome {
  const { forks, denials } = tables;
  if (forks.length === 0) return notEvaluable("CPUs", NO_FORKS, "no forks");
  const perFork = new Map<number, number>();
  let evidence: Evidence = "measured";
  for (let row = 0; row < denials.length; row++) {
    if (denials.get("left_by", row) !== "forker") continue;
    const fork = denials.get("fork", row) ?? -1;
    perFork.set(fork, (perFork.get(fork) ?? 0) + 1);
    // Who left a CPU is replayed, whatever the count itself is.
    evidence = weaker(evidence, denials.get("evidence", row) === "at-least" ? "at-least" : "derived");
  }
  const left = [...perFork.values()].reduce((sum, n) => sum + n, 0);
  const lazy = lazyAttribution(tables);
  const figure = left / forks.length;
  const most = [...perFork.values()].reduce((max, n) => Math.max(max, n), 0);
  const age = lazy.age_p50_ns === null ? "" : `; lazy for ${formatDuration(lazy.age_p50_ns, unit)} (median)`;
  const detail = `${left} of ${lazy.references} lazy references, in ${perFork.size} of ${forkCount(forks.length)}; mean ${figure.toFixed(2)}, most ${most}${age}`;
  if (left > 0) return { verdict: "holds", figure, unit: "CPUs", evidence, detail, needs: null };
  if (!provenArmed(infos, LAZY_PROBES) || !provenArmed(infos, ["sched_switch"]))
    return notEvaluable(
      "CPUs",
      [...LAZY_PROBES, "sched_switch"].join(", "),
      "none seen, and not all could be",
    );
  const unknown = lazy.left_by["unknown"] ?? 0;
  if (unknown > 0)
    return notEvaluable(
      "CPUs",
      "who left the CPUs that were lazy before the trace began",
      detail,
      0,
      evidence,
    );
  return { verdict: "fails", figure: 0, unit: "CPUs", evidence: "derived", detail, needs: null };
}
