// The claims made on the list in May 2023, each as a small function over the tables. Verdicts are three-valued: a
// claim about all forks holds or fails only if the undecided forks could not turn it.
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import type { PolicySummary } from "./policy-summary.ts";
import { textAt } from "./rows.ts";
import { percent, plural } from "./statistics.ts";

export interface Claim {
  readonly id: string;
  /** One sentence: what is claimed. */
  readonly claim: string;
  readonly verdict: "holds" | "fails" | "not-evaluable";
  /** The number the verdict rests on, unit in `unit`; null when there is none. */
  readonly figure: number | null;
  readonly unit: "share" | "forks" | "events" | "CPUs";
  /** The figure in words, with numerator and denominator. */
  readonly detail: string;
  /** What the recording lacks for a verdict; null when there is one. */
  readonly needs: string | null;
}

type Outcome = Omit<Claim, "id" | "claim">;
type Policies = Readonly<Record<string, PolicySummary>>;

interface ClaimRule {
  readonly id: string;
  readonly claim: string;
  judge(tables: VerdictTables, policies: Policies, infos: readonly ReplayInfo[]): Outcome;
}

const RULES: readonly ClaimRule[] = [
  {
    id: "single-threaded-99",
    claim: "At least 99 % of forks come from an mm with mm_users 1.",
    judge: (tables) => shareOfOnes(tables, "mm_users", (share) => share >= 0.99),
  },
  {
    id: "count-commonly-1",
    claim: "mm_count is 1 in more than half of all forks.",
    judge: (tables) => shareOfOnes(tables, "mm_count", (share) => share > 0.5),
  },
  {
    id: "no-use-mm-during-fork",
    claim: "No kernel thread takes up the mm (kthread_use_mm, or is switched in with it) during a fork.",
    judge: (tables, _policies, infos) => noBorrowerInWindow(tables, infos),
  },
  {
    id: "fork-lock-never-contends",
    claim: "fork_lock never makes kthread_use_mm or kthread_unuse_mm wait.",
    judge: (tables, policies) => neverBlocks(tables, policies, "fork-lock"),
  },
  {
    id: "mmap-lock-never-contends",
    claim: "Taking mmap_lock for read in kthread_use_mm never waits for a fork.",
    judge: (tables, policies) => neverBlocks(tables, policies, "mmap-lock"),
  },
  {
    id: "get-task-mm-never-diverts",
    claim: "get_task_mm never meets a fork on the fast path.",
    judge: (tables, policies) => neverBlocks(tables, policies, "get-task-mm"),
  },
  {
    id: "lazy-cpus-per-fork",
    claim: "Some forks find the mm lazily loaded on other CPUs.",
    judge: lazyCpus,
  },
];

/** Judges every claim, in a fixed order. */
export function claims(tables: VerdictTables, policies: Policies, infos: readonly ReplayInfo[]): Claim[] {
  return RULES.map(({ id, claim, judge }) => ({ id, claim, ...judge(tables, policies, infos) }));
}

const NO_FORKS = "a recording with forks in it";

function notEvaluable(
  unit: Claim["unit"],
  needs: string,
  detail: string,
  figure: number | null = null,
): Outcome {
  return { verdict: "not-evaluable", figure, unit, detail, needs };
}

/** Share of forks whose count is 1. A lower bound of 2 or more proves "not 1"; a lower bound of 1 proves nothing. */
function shareOfOnes(
  { forks }: VerdictTables,
  name: "mm_users" | "mm_count",
  holdsAt: (share: number) => boolean,
): Outcome {
  const evidence = forks.column(`${name}_evidence`);
  let ones = 0;
  let more = 0;
  for (let row = 0; row < forks.length; row++) {
    const value = forks.get(name, row);
    const word = textAt(evidence, evidence.ints.data[row]);
    const exact = word === "measured" || word === "derived";
    if (value === 1 && exact) ones++;
    else if (value !== null && value !== 1 && (exact || word === "at-least")) more++;
  }
  const { length } = forks;
  const known = ones + more;
  if (known === 0) {
    const needs =
      length === 0 ? NO_FORKS : `${name} sampled at uprobe_dup_mmap, or the probes it is derived from`;
    return notEvaluable("share", needs, `${name} is known for none of ${plural(length, "fork")}`);
  }
  const unknown = length - known;
  const detail = `${ones} of ${known} known (${percent(ones, known)} %), ${unknown} unknown`;
  const atWorst = holdsAt(ones / length);
  const atBest = holdsAt((ones + unknown) / length);
  if (atWorst !== atBest) {
    const needs = `${name} of the ${plural(unknown, "fork")} where it is unknown or a lower bound`;
    return notEvaluable("share", needs, detail, ones / known);
  }
  return { verdict: atWorst ? "holds" : "fails", figure: ones / known, unit: "share", detail, needs: null };
}

function noBorrowerInWindow(tables: VerdictTables, infos: readonly ReplayInfo[]): Outcome {
  const { forks, exposures } = tables;
  const hit = new Set<number>();
  for (let row = 0; row < exposures.length; row++) {
    const kind = exposures.get("class", row);
    const fork = exposures.get("fork", row);
    if ((kind === "U3" || kind === "U3b") && fork !== null) hit.add(fork);
  }
  const detail = `${hit.size} of ${plural(forks.length, "fork")}`;
  if (hit.size > 0) return { verdict: "fails", figure: hit.size, unit: "forks", detail, needs: null };
  if (forks.length === 0) return notEvaluable("forks", NO_FORKS, detail);
  // kthread_use_mm calls switch_mm_irqs_off for the borrower itself (kernel/kthread.c): either probe shows it.
  if (!provenArmed(infos, ["kthread_use_mm"]) && !provenArmed(infos, ["switch_mm_irqs_off"])) {
    return notEvaluable("forks", "kthread_use_mm", "no proof that kthread_use_mm was probed");
  }
  const undecided = countExposure(tables, "U7");
  if (undecided > 0) {
    return notEvaluable(
      "forks",
      "a recording without lost events or unknown starts",
      `${undecided} undecided`,
      0,
    );
  }
  return { verdict: "holds", figure: 0, unit: "forks", detail, needs: null };
}

function countExposure({ forks }: VerdictTables, kind: string): number {
  const exposure = forks.column("exposure");
  let n = 0;
  for (let row = 0; row < forks.length; row++) if (textAt(exposure, exposure.ints.data[row]) === kind) n++;
  return n;
}

function neverBlocks({ forks }: VerdictTables, policies: Policies, id: string): Outcome {
  const policy = policies[id];
  if (policy === undefined) return notEvaluable("events", `the policy ${id}`, "the policy was not replayed");
  if ("not_evaluable" in policy.blocked) {
    return notEvaluable("events", policy.blocked.not_evaluable, "waits cannot be seen in this recording");
  }
  const { events } = policy.blocked;
  const detail = `${plural(events, "event")} would have waited, in ${plural(forks.length, "fork")}`;
  if (events > 0) return { verdict: "fails", figure: events, unit: "events", detail, needs: null };
  if (forks.length === 0) return notEvaluable("events", NO_FORKS, detail);
  if (policy.indeterminate > 0) {
    const needs = `decisions for the ${plural(policy.indeterminate, "fork")} left indeterminate`;
    return notEvaluable("events", needs, detail, 0);
  }
  return { verdict: "holds", figure: 0, unit: "events", detail, needs: null };
}

/** Whether every trace proves that all these probes were armed. */
function provenArmed(infos: readonly ReplayInfo[], names: readonly string[]): boolean {
  return infos.length > 0 && infos.every((info) => names.every((name) => info.armed.includes(name)));
}

function lazyCpus({ forks }: VerdictTables, _policies: Policies, infos: readonly ReplayInfo[]): Outcome {
  let known = 0;
  let some = 0;
  let total = 0;
  let max = 0;
  for (let row = 0; row < forks.length; row++) {
    const lazy = forks.get("lazy_cpus", row);
    if (lazy === null) continue;
    known++;
    total += lazy;
    if (lazy > 0) some++;
    max = Math.max(max, lazy);
  }
  if (known === 0) {
    const needs = forks.length === 0 ? NO_FORKS : "switch_mm_irqs_off and enter_lazy_tlb";
    return notEvaluable("CPUs", needs, `known for none of ${plural(forks.length, "fork")}`);
  }
  const mean = total / known;
  const detail = `${some} of ${known} forks (${percent(some, known)} %); mean ${mean.toFixed(2)}, most ${max}`;
  const probes = ["switch_mm_irqs_off", "enter_lazy_tlb"];
  const isExact = provenArmed(infos, probes) || provenArmed(infos, ["cpu_sample"]);
  // Without these, lazy CPUs are seen in part: what was found is there, what was not found proves nothing.
  if (some === 0 && !isExact)
    return notEvaluable("CPUs", probes.join(" and "), "none seen, and none could be");
  if (some === 0 && known < forks.length) {
    return notEvaluable("CPUs", `lazy CPUs of ${plural(forks.length - known, "fork")}`, detail, mean);
  }
  return { verdict: some > 0 ? "holds" : "fails", figure: mean, unit: "CPUs", detail, needs: null };
}
