// Chart: for each policy, the share of forks by outcome, stacked to 100 %, unsafe ones marked.
import { OUTCOME_LABELS, OUTCOMES, type Outcome } from "../outcomes.ts";
import type { PolicySummary } from "../policy-summary.ts";
import { referencePolicy } from "../policy-summary.ts";
import { groupDigits, percent, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import { type Chart, type JsonObject, OUTCOME_SCALE, OUTCOME_TEXT, specOf } from "./chart.ts";

/** Segments narrower than this share have no text in them; the table has the number. */
const LABELLED_FROM = 0.13;

/** Fast-path rate by policy. */
export function policiesChart(summary: Summary): Chart {
  const { total } = summary.forks;
  const ids = Object.keys(summary.policies);
  const base = { id: "policies", title: "Fast path by policy", description: describe(summary) };
  if (total === 0 || ids.length === 0) return { ...base, spec: null };
  const values = ids.flatMap((id) => segments(id, summary.policies[id]!, total));
  const marks = ids.flatMap((id) => {
    const { unsafe } = summary.policies[id]!;
    return unsafe === 0 ? [] : [{ policy: id, mark: `▲ ${groupDigits(unsafe)} unsafe` }];
  });
  const y = {
    field: "policy",
    type: "nominal",
    sort: ids,
    title: null,
    axis: { ticks: false, domain: false },
  };
  const x = {
    field: "from",
    type: "quantitative",
    title: "share of forks",
    axis: { format: "%" },
    scale: { domain: [0, 1] },
  };
  return {
    ...base,
    spec: specOf(values, {
      width: 380,
      height: { step: 24 },
      layer: [
        {
          mark: { type: "bar", stroke: "#ffffff", strokeWidth: 1 },
          encoding: {
            y,
            x,
            x2: { field: "to" },
            color: {
              field: "outcome",
              type: "nominal",
              scale: OUTCOME_SCALE,
              legend: { title: null, orient: "top" },
            },
            tooltip: [{ field: "policy" }, { field: "outcome" }, { field: "forks" }, { field: "label" }],
          },
        },
        {
          transform: [{ filter: `datum.to - datum.from >= ${LABELLED_FROM}` }],
          mark: { type: "text", fontSize: 10 },
          encoding: {
            y,
            x: { field: "middle", type: "quantitative" },
            text: { field: "label" },
            fill: { field: "outcome", type: "nominal", scale: OUTCOME_TEXT, legend: null },
          },
        },
        {
          data: { values: marks },
          mark: { type: "text", align: "left", dx: 6, fontWeight: "bold" },
          encoding: { y, x: { datum: 1 }, text: { field: "mark" } },
        },
      ],
      resolve: { scale: { fill: "independent", color: "independent" } },
    }),
  };
}

function counts(policy: PolicySummary): Record<Outcome, number> {
  const { fast, unsafe, unsafe_indeterminate, slow, indeterminate } = policy;
  return {
    safe: fast - unsafe - unsafe_indeterminate,
    unsure: unsafe_indeterminate,
    unsafe,
    slow,
    indeterminate,
  };
}

function segments(id: string, policy: PolicySummary, total: number): JsonObject[] {
  const byOutcome = counts(policy);
  let from = 0;
  return OUTCOMES.flatMap((outcome) => {
    const forks = byOutcome[outcome];
    const start = from;
    from += forks;
    if (forks === 0) return [];
    const short = outcome === "indeterminate" ? "indet." : outcome;
    return [
      {
        policy: id,
        outcome: OUTCOME_LABELS[outcome],
        forks,
        from: start / total,
        to: from / total,
        middle: (start + from) / 2 / total,
        label: `${short} ${percent(forks, total)} %`,
      },
    ];
  });
}

function describe({ policies, forks }: Summary): string {
  const id = referencePolicy(policies);
  const policy = id === null ? undefined : policies[id];
  if (policy === undefined || forks.total === 0) return "There is no fork to decide about.";
  const rate = `${groupDigits(policy.fast)} of ${plural(forks.total, "fork")} (${percent(policy.fast, forks.total)} %)`;
  return `${id} takes the fast path in ${rate}; ${groupDigits(policy.unsafe)} of these are unsafe.`;
}
