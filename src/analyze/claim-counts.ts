// Claims about the counts at a fork's check: how often they are 1, and what lazy CPUs do to them. Used by claims.ts.
import { formatDuration, type TimeUnit } from "../base/time.ts";
import { type ColumnTable, NULL_I32 } from "../table/columns.ts";
import type { Evidence, FORK_SPEC, ReplayInfo, ResultTables } from "../table/verdict-tables.ts";
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
import { percent } from "./figure-text.ts";
import { eachRow } from "./rows.ts";

/** Share of forks whose count is 1. A lower bound of 2 or more proves "not 1"; a lower bound of 1 proves nothing. */
export function shareOfOnes(
  { forks }: ResultTables,
  name: "mm_users" | "mm_count",
  holdsAt: (share: number) => boolean,
): Outcome {
  const words = `${name}_evidence` as const;
  let yes = 0;
  let no = 0;
  let evidence: Evidence = "measured";
  for (const [word, { ones, others }] of countsByWord(forks, name, words)) {
    const isExact = word === "measured" || word === "derived";
    const isMore = isExact || word === "at-least";
    yes += isExact ? ones : 0;
    no += isMore ? others : 0;
    if ((isExact && ones > 0) || (isMore && others > 0)) evidence = weaker(evidence, word);
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

/** By evidence: forks whose count is 1, and whose is another. */
function countsByWord(
  forks: ResultTables["forks"],
  name: "mm_users" | "mm_count",
  words: "mm_users_evidence" | "mm_count_evidence",
): Map<string, { ones: number; others: number }> {
  const out = new Map<string, { ones: number; others: number }>();
  for (const batch of forks.batches([name, words])) {
    const values = batch.column(name).ints.data;
    const { ints, values: texts } = batch.column(words);
    const byId = texts.map((word) => {
      const known = out.get(word) ?? { ones: 0, others: 0 };
      out.set(word, known);
      return known;
    });
    for (let row = 0; row < batch.length; row++) {
      const counts = byId[ints.data[row]!];
      if (counts === undefined || values[row] === NULL_I32) continue;
      if (values[row] === 1) counts.ones++;
      else counts.others++;
    }
  }
  return out;
}

/** Forks whose mm_count is above 1, by what else than lazy references holds it. */
interface Holdings {
  total: number;
  /** Something else certainly does. */
  other: number;
  /** Nothing else does, and that is certain. */
  none: number;
  /** The weakest evidence of those two. */
  evidence: Evidence;
}

function holdings({ denials }: ResultTables): Holdings {
  const out: Holdings = { total: 0, other: 0, none: 0, evidence: "measured" };
  let fork: number | null = null;
  let isOther = false;
  let isUnsure = false;
  let evidence: string | null = null;
  const close = (): void => {
    if (fork === null) return;
    out.total++;
    if (isOther) out.other++;
    // Above a lower bound there may be another holder.
    else if (isUnsure || evidence === "at-least") return;
    else out.none++;
    out.evidence = weaker(out.evidence, evidence);
  };
  eachRow(denials, ["counter", "fork", "basis", "cause", "evidence"], (batch, row) => {
    if (batch.get("counter", row) !== "mm_count") return;
    const of = batch.get("fork", row) ?? -1;
    // The rows of a fork lie together.
    if (of !== fork) {
      close();
      fork = of;
      isOther = false;
      isUnsure = false;
      evidence = batch.get("evidence", row);
    }
    const basis = batch.get("basis", row);
    if (basis === null || basis === "possible") isUnsure = true;
    else if (batch.get("cause", row) !== "lazy-tlb") isOther = true;
  });
  close();
  return out;
}

/** Of the forks whose mm_count is above 1: those in which every reference beyond the first is lazy. */
export function idleSpoils(tables: ResultTables): Outcome {
  const { total, other: no, none: yes, evidence } = holdings(tables);
  const unknown = total - no - yes;
  const sampled = "mm_count sampled at uprobe_dup_mmap, or the probes it is derived from";
  const above = tables.forks.length === 0 ? NO_FORKS : "a fork whose mm_count is known to be above 1";
  const none = `told for none of ${forkCount(total)} with mm_count above 1`;
  return judgeShare(
    { yes, no, unknown, evidence },
    (share) => share > 0.5,
    notEvaluable("share", total === 0 ? above : sampled, none),
    `every holder of mm_count in the ${forkCount(unknown)} where it is a lower bound or not explained`,
    ", of forks with mm_count above 1",
  );
}

const LAZY_PROBES = ["switch_mm_irqs_off", "sched_switch"] as const;

/** From a hardware sample, where decisions may read it; else replayed. */
function lazyEvidence(forks: ColumnTable<typeof FORK_SPEC>, row: number, isExact: boolean): Evidence {
  const isSampled =
    forks.get("loaded_compared", row) !== null && forks.get("mm_count_evidence", row) === "measured";
  if (isSampled) return "measured";
  return isExact ? "derived" : "at-least";
}

/** Lazy CPUs a fork faces: with the mm still loaded. */
export function lazyCpus({ forks }: ResultTables, _p: Policies, infos: readonly ReplayInfo[]): Outcome {
  let known = 0;
  let some = 0;
  let total = 0;
  let max = 0;
  const isExact = provenArmed(infos, LAZY_PROBES) || provenArmed(infos, ["cpu_sample"]);
  let evidence: Evidence = "measured";
  eachRow(forks, ["lazy_cpus", "loaded_compared", "mm_count_evidence"], (batch, row) => {
    const lazy = batch.get("lazy_cpus", row);
    if (lazy === null) return;
    known++;
    total += lazy;
    if (lazy > 0) some++;
    max = Math.max(max, lazy);
    evidence = weaker(evidence, lazyEvidence(batch, row, isExact));
  });
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

interface Left {
  left: number;
  /** Forks that have one, and the most that one has. */
  inForks: number;
  most: number;
  evidence: Evidence;
}

function leftByForker({ denials }: ResultTables): Left {
  const out: Left = { left: 0, inForks: 0, most: 0, evidence: "measured" };
  let last: number | null = null;
  let ofLast = 0;
  eachRow(denials, ["left_by", "fork", "evidence"], (batch, row) => {
    if (batch.get("left_by", row) !== "forker") return;
    const fork = batch.get("fork", row) ?? -1;
    // The rows of a fork lie together.
    if (fork !== last) {
      out.inForks++;
      ofLast = 0;
      last = fork;
    }
    out.left++;
    ofLast++;
    out.most = Math.max(out.most, ofLast);
    // Who left a CPU is replayed, whatever the count itself is.
    const word = batch.get("evidence", row) === "at-least" ? "at-least" : "derived";
    out.evidence = weaker(out.evidence, word);
  });
  return out;
}

/** Lazy references that the forker's own earlier runs left, whether or not the mm is still loaded there. */
export function forkerLeaves(
  tables: ResultTables,
  _p: Policies,
  infos: readonly ReplayInfo[],
  unit: TimeUnit,
): Outcome {
  const { forks } = tables;
  if (forks.length === 0) return notEvaluable("CPUs", NO_FORKS, "no forks");
  const { left, inForks, most, evidence } = leftByForker(tables);
  const lazy = lazyAttribution(tables);
  const figure = left / forks.length;
  const age = lazy.age_p50_ns === null ? "" : `; lazy for ${formatDuration(lazy.age_p50_ns, unit)} (median)`;
  const detail = `${left} of ${lazy.references} lazy references, in ${inForks} of ${forkCount(forks.length)}; mean ${figure.toFixed(2)}, most ${most}${age}`;
  if (left > 0) return { verdict: "holds", figure, unit: "CPUs", evidence, detail, needs: null };
  if (!provenArmed(infos, LAZY_PROBES))
    return notEvaluable("CPUs", LAZY_PROBES.join(" and "), "none seen, and not all could be");
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
