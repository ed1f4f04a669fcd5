// What a claim and its judgement are, and the helpers all of them share. Claims are three-valued: one about all forks holds
// or fails only if the forks that cannot be told could not turn it.
import type { TimeUnit } from "../base/time.ts";
import { EVIDENCE, type Evidence, type ReplayInfo, type ResultTables } from "../table/verdict-tables.ts";
import { percent, plural } from "./figure-text.ts";
import type { PolicySummary } from "./policy-summary.ts";

export interface Claim {
  readonly id: string;
  /** One sentence: what is claimed. */
  readonly claim: string;
  /** Who said or asked it on the list, and the date of the mail, as far as it is known: 2023-05-08, 2023-05. */
  readonly who: string;
  readonly when: string;
  readonly verdict: "holds" | "fails" | "not-evaluable";
  /** The number the verdict rests on, unit in `unit`; null when there is none. */
  readonly figure: number | null;
  readonly unit: "share" | "forks" | "events" | "CPUs";
  /** The weakest evidence among what the figure counts; null without one. */
  readonly evidence: Evidence | null;
  /** The figure in words, with numerator and denominator. */
  readonly detail: string;
  /** What the recording lacks for a verdict; null when there is one. */
  readonly needs: string | null;
}

export type Outcome = Omit<Claim, "id" | "claim" | "who" | "when">;
export type Policies = Readonly<Record<string, PolicySummary>>;
export type Judge = (
  tables: ResultTables,
  policies: Policies,
  infos: readonly ReplayInfo[],
  unit: TimeUnit,
) => Outcome;

export const NO_FORKS = "a recording with forks in it";

export function notEvaluable(
  unit: Claim["unit"],
  needs: string,
  detail: string,
  figure: number | null = null,
  evidence: Evidence | null = null,
): Outcome {
  return {
    verdict: "not-evaluable",
    figure,
    unit,
    evidence: figure === null ? null : evidence,
    detail,
    needs,
  };
}

/** Cases that are so, that are not, and that cannot be told. `evidence`: the weakest of the first two. */
export interface Split {
  readonly yes: number;
  readonly no: number;
  readonly unknown: number;
  readonly evidence: Evidence;
}

/** Verdict on a claimed share. `ofNone`: what is needed when no case can be told; `ofUnknown`: when those that cannot decide. */
export function judgeShare(
  { yes, no, unknown, evidence }: Split,
  holdsAt: (share: number) => boolean,
  ofNone: Outcome,
  ofUnknown: string,
  more = "",
): Outcome {
  const known = yes + no;
  if (known === 0) return ofNone;
  const detail = `${yes} of ${known} known (${percent(yes, known)} %), ${unknown} unknown${more}`;
  const all = known + unknown;
  const atWorst = holdsAt(yes / all);
  if (atWorst !== holdsAt((yes + unknown) / all))
    return notEvaluable("share", ofUnknown, detail, yes / known, evidence);
  const verdict = atWorst ? "holds" : "fails";
  return { verdict, figure: yes / known, unit: "share", evidence, detail, needs: null };
}

/** The weaker of two evidence words: EVIDENCE has them from strong to weak. A word of none is unknown. */
export function weaker(a: Evidence, b: string | null): Evidence {
  const other = EVIDENCE.find((word) => word === b) ?? "unknown";
  return EVIDENCE.indexOf(other) > EVIDENCE.indexOf(a) ? other : a;
}

/** Whether every trace proves that all these probes were armed. */
export function provenArmed(infos: readonly ReplayInfo[], names: readonly string[]): boolean {
  return infos.length > 0 && infos.every((info) => names.every((name) => info.armed.includes(name)));
}

/** kthread_use_mm() calls switch_mm_irqs_off() for the borrower itself (kernel/kthread.c): either probe shows it. */
export function showsUse(infos: readonly ReplayInfo[]): boolean {
  return provenArmed(infos, ["kthread_use_mm"]) || provenArmed(infos, ["switch_mm_irqs_off"]);
}

/** "3 forks": for details. */
export function forks(n: number): string {
  return plural(n, "fork");
}
