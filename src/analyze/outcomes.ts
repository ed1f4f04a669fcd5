// Decision and verdict of one policy folded into one outcome a fork: what the charts and the unsafe table group by.

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

/** The outcome of one row of `verdicts`. */
export function outcomeOf(decision: string | null, verdict: string | null): Outcome {
  if (decision === "slow") return "slow";
  if (decision !== "fast") return "indeterminate";
  if (verdict === "safe") return "safe";
  return verdict === "unsafe" ? "unsafe" : "unsure";
}
