// Decision and verdict of one policy folded into one outcome a fork: what the charts and the unsafe table group by.
import type { VerdictTables } from "../table/verdict-tables.ts";
import { forkRowById, textAt } from "./rows.ts";

/** Outcomes in the order they are stacked. "unsure": fast, and the trace cannot tell whether safely. */
export const OUTCOMES = ["safe", "unsure", "unsafe", "slow", "indeterminate"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Words for people, by outcome. */
export const OUTCOME_LABELS: Readonly<Record<Outcome, string>> = {
  safe: "fast, safe",
  unsure: "fast, unsure",
  unsafe: "fast, unsafe",
  slow: "slow",
  indeterminate: "indeterminate",
};

/** Index into OUTCOMES per fork row, for one policy; indeterminate where the policy has no row for a fork. */
export function outcomesOf(tables: VerdictTables, policyId: string): Uint8Array {
  const { verdicts } = tables;
  const out = new Uint8Array(tables.forks.length).fill(OUTCOMES.indexOf("indeterminate"));
  const policy = verdicts.column("policy");
  const wanted = policy.values.indexOf(policyId);
  const rowOf = forkRowById(tables);
  const fork = verdicts.column("fork").ints.data;
  const decision = verdicts.column("decision");
  const verdict = verdicts.column("verdict");
  for (let row = 0; row < verdicts.length; row++) {
    if (policy.ints.data[row] !== wanted) continue;
    const at = rowOf(fork[row]!);
    if (at === undefined) continue;
    const outcome = outcomeOf(
      textAt(decision, decision.ints.data[row]),
      textAt(verdict, verdict.ints.data[row]),
    );
    out[at] = OUTCOMES.indexOf(outcome);
  }
  return out;
}

function outcomeOf(decision: string | null, verdict: string | null): Outcome {
  if (decision === "slow") return "slow";
  if (decision !== "fast") return "indeterminate";
  if (verdict === "safe") return "safe";
  return verdict === "unsafe" ? "unsafe" : "unsure";
}
