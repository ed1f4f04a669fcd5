// Chart: how often each policy takes the fast path, with how sure that share is, and what of it is unsafe.

import { groupDigits, percent, plural } from "../figure-text.ts";
import { wilson, Z_95 } from "../intervals.ts";
import { OUTCOME_LABELS } from "../outcomes.ts";
import { type PolicySummary, referencePolicy } from "../policy-summary.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import {
  type Cell,
  type Chart,
  type ChartTable,
  type Dataset,
  type JsonObject,
  nothingToDraw,
  OUTCOME_SCALE,
  specOf,
} from "./chart.ts";
import { CUBE } from "./outcome-cube.ts";
import { rowView, rowY } from "./row-view.ts";
import { commandParam, IN_TIME, OF_COMMAND, timeParams } from "./selections.ts";

const ID = "policies";
const BASELINE = "always-atomic";
const TITLE = "How often is the fast path taken?";

/** On a narrow plot the sign before a number stands alone: the legend has the word. */
const signWord = (word: string): string => `(width < 400 ? ' · ' : ' ${word} · ')`;

/** Wilson's bounds as Vega expressions: the share of `k` in `n`, sign -1 or 1. */
function wilsonExpression(k: string, n: string, sign: -1 | 1): string {
  const z2 = Z_95 * Z_95;
  const p = `(${k}/${n})`;
  const half = `${Z_95}*sqrt(${p}*(1-${p})/${n}+${z2}/(4*${n}*${n}))`;
  return `clamp((${p}+${z2}/(2*${n})${sign < 0 ? "-" : "+"}${half})/(1+${z2}/${n}),0,1)`;
}

/** Share of forks on the fast path a policy, split by verdict, with its 95 % interval. */
export function policiesChart(summary: Summary, cells: Cells, cube: Dataset): Chart {
  const { total } = summary.forks;
  const ids = Object.keys(summary.policies);
  if (total === 0 || ids.length === 0) return nothingToDraw(ID, TITLE, "There is no fork to decide about.");
  const count = (labels: readonly string[], as: string): JsonObject => ({
    calculate: `indexof(${JSON.stringify(labels)}, datum.outcome) >= 0 ? datum.forks : 0`,
    as,
  });
  const { safe, unsure, unsafe, indeterminate } = OUTCOME_LABELS;
  const perPolicy: JsonObject[] = [
    count([safe, unsure, unsafe], "fast"),
    count([unsafe], "bad"),
    count([unsure], "doubt"),
    count([indeterminate], "open"),
    {
      aggregate: ["fast", "bad", "doubt", "open", "forks"].map((field) => ({ op: "sum", field, as: field })),
      groupby: ["policy"],
    },
    { calculate: wilsonExpression("datum.fast", "datum.forks", -1), as: "low" },
    { calculate: wilsonExpression("(datum.fast+datum.open)", "datum.forks", 1), as: "high" },
    { calculate: "datum.policy", as: "left" },
    {
      calculate:
        `(datum.bad > 0 ? '▲ ' + format(datum.bad, ',') + ${signWord("unsafe")} : '') + (datum.doubt > 0 ? '? ' + format(datum.doubt, ',') + ${signWord("unsure")} : '') + ` +
        "(datum.open > 0 ? format(datum.open, ',') + ' undecided · ' : '') + format(datum.fast / datum.forks, '.1%') + " +
        "(datum.open > 0 ? (width < 400 ? ' – ' : ' to ') + format((datum.fast + datum.open) / datum.forks, '.1%') : '')",
      as: "right",
    },
  ];
  const y = rowY("policy", ids);
  const interval = {
    // always-atomic is never fast by design: there is nothing to estimate.
    transform: [...perPolicy, { filter: `datum.policy !== ${JSON.stringify(BASELINE)}` }],
    layer: [
      {
        mark: { type: "rule", yOffset: 9, strokeWidth: 1.5, color: "currentColor" },
        encoding: { y, x: { field: "low", type: "quantitative" }, x2: { field: "high" } },
      },
      ...["low", "high"].map((field) => ({
        mark: { type: "tick", yOffset: 9, height: 9, thickness: 1.5, color: "currentColor" },
        encoding: { y, x: { field, type: "quantitative" } },
      })),
    ],
  };
  const view = rowView({
    data: CUBE,
    field: "policy",
    names: ids,
    transform: [IN_TIME, OF_COMMAND],
    bar: {
      transform: [
        { aggregate: [{ op: "sum", field: "forks", as: "forks" }], groupby: ["policy", "outcome"] },
        { joinaggregate: [{ op: "sum", field: "forks", as: "of" }], groupby: ["policy"] },
        { calculate: "datum.forks / datum.of", as: "share" },
        { filter: `indexof(${JSON.stringify([safe, unsure, unsafe])}, datum.outcome) >= 0` },
        { calculate: `indexof(${JSON.stringify([safe, unsure, unsafe])}, datum.outcome)`, as: "order" },
      ],
      encoding: {
        x: {
          field: "share",
          type: "quantitative",
          title: "share of forks",
          axis: { format: "%", tickCount: 5 },
          scale: { domain: [0, 1] },
          stack: "zero",
        },
        color: {
          field: "outcome",
          type: "nominal",
          scale: {
            domain: (OUTCOME_SCALE["domain"] as string[]).slice(0, 3),
            range: (OUTCOME_SCALE["range"] as string[]).slice(0, 3),
          },
          legend: { title: null, orient: "top" },
        },
        order: { field: "order" },
        tooltip: [
          { field: "policy" },
          { field: "outcome" },
          { field: "forks", format: "," },
          { field: "of", format: ",", title: "of forks" },
          { field: "share", format: ".1%" },
        ],
      },
    },
    label: perPolicy,
    extra: [interval],
  });
  return {
    id: ID,
    title: TITLE,
    description: describe(summary),
    spec: specOf([...timeParams(cells), commandParam(cells)], view),
    datasets: { [CUBE]: cube },
    obeys: ["time", "command"],
    table: tableOf(summary, ids),
  };
}

/** Bounds of the fast share: undecided forks count as slow below and as fast above. */
export function fastInterval(
  { fast, indeterminate }: PolicySummary,
  total: number,
): { readonly low: number; readonly high: number } | null {
  const { low } = wilson(fast, total);
  const { high } = wilson(fast + indeterminate, total);
  return low === null || high === null ? null : { low, high };
}

function tableOf({ policies, forks }: Summary, ids: readonly string[]): ChartTable {
  const share = (value: number): Cell => ({
    value: Number(value.toFixed(6)),
    text: `${(100 * value).toFixed(1)} %`,
  });
  const rows = ids.map((id): Cell[] => {
    const policy = policies[id]!;
    const interval = fastInterval(policy, forks.total)!;
    const { fast, unsafe, unsafe_indeterminate, slow, indeterminate } = policy;
    const counts = [fast, unsafe, unsafe_indeterminate, slow, indeterminate, forks.total].map((value) => ({
      value,
    }));
    return [
      { value: id },
      ...counts,
      { value: Number((fast / forks.total).toFixed(6)), text: `${percent(fast, forks.total)} %` },
      id === BASELINE ? { value: null } : share(interval.low),
      id === BASELINE ? { value: null } : share(interval.high),
    ];
  });
  const numbers = ["fast", "unsafe", "unsure", "slow", "undecided", "forks", "fast share", "from", "to"];
  return {
    caption:
      "Forks by decision, one row a policy; unsafe and unsure are of fast; from, to: the 95 % Wilson interval, with undecided forks as slow below and as fast above",
    columns: [{ title: "policy" }, ...numbers.map((title) => ({ title, isNumber: true }))],
    rows,
  };
}

function describe({ policies, forks }: Summary): string {
  const id = referencePolicy(policies)!;
  const policy = policies[id]!;
  const interval = fastInterval(policy, forks.total)!;
  const range = `${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)} %`;
  const rate = `${groupDigits(policy.fast)} of ${plural(forks.total, "fork")} (${percent(policy.fast, forks.total)} %, 95 % interval ${range})`;
  const open =
    policy.indeterminate > 0 ? `; ${groupDigits(policy.indeterminate)} more cannot be decided` : "";
  return `Under ${id} the fast path is taken in ${policy.indeterminate > 0 ? "at least " : ""}${rate}; ${groupDigits(policy.unsafe)} of these ${policy.unsafe === 1 ? "is" : "are"} unsafe${open}.`;
}
