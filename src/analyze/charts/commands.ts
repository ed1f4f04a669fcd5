// Chart: who forks, and what the chosen policy decides for each: the most frequent commands and the rest.

import { groupDigits, percent, plural } from "../figure-text.ts";
import { OUTCOME_LABELS, OUTCOMES } from "../outcomes.ts";
import { referencePolicy } from "../policy-summary.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import {
  type Cell,
  type Chart,
  type ChartTable,
  type Dataset,
  nothingToDraw,
  OUTCOME_SCALE,
  specOf,
} from "./chart.ts";
import { CUBE } from "./outcome-cube.ts";
import { rowView } from "./row-view.ts";
import { commandParam, IN_TIME, OF_POLICY, policyParam, timeParams } from "./selections.ts";

const ID = "commands";
const TITLE = "Who forks?";

/** Forks by command and outcome. */
export function commandsChart(summary: Summary, cells: Cells, cube: Dataset): Chart {
  const policy = referencePolicy(summary.policies);
  if (policy === null || summary.forks.total === 0) return nothingToDraw(ID, TITLE, "There are no forks.");
  const { safe, unsure, unsafe } = OUTCOME_LABELS;
  const order = JSON.stringify(OUTCOMES.map((outcome) => OUTCOME_LABELS[outcome]));
  const view = rowView({
    data: CUBE,
    field: "command",
    names: cells.commands,
    transform: [IN_TIME, OF_POLICY],
    bar: {
      transform: [
        { aggregate: [{ op: "sum", field: "forks", as: "forks" }], groupby: ["command", "outcome"] },
        { joinaggregate: [{ op: "sum", field: "forks", as: "of" }], groupby: ["command"] },
        { calculate: `indexof(${order}, datum.outcome)`, as: "order" },
      ],
      encoding: {
        x: {
          field: "forks",
          type: "quantitative",
          title: "forks",
          axis: { tickMinStep: 1, tickCount: 5, format: "~s" },
          stack: "zero",
        },
        color: {
          field: "outcome",
          type: "nominal",
          scale: OUTCOME_SCALE,
          legend: { title: null, orient: "top", columns: 3 },
        },
        order: { field: "order" },
        opacity: {
          condition: { test: "command === null || datum.command === command", value: 1 },
          value: 0.3,
        },
        tooltip: [
          { field: "command" },
          { field: "outcome" },
          { field: "forks", format: "," },
          { field: "of", format: ",", title: "of its forks" },
        ],
      },
    },
    label: [
      {
        calculate: `indexof(${JSON.stringify([safe, unsure, unsafe])}, datum.outcome) >= 0 ? datum.forks : 0`,
        as: "fast",
      },
      { calculate: `datum.outcome === ${JSON.stringify(unsafe)} ? datum.forks : 0`, as: "bad" },
      {
        calculate: `datum.outcome === ${JSON.stringify(OUTCOME_LABELS.indeterminate)} ? datum.forks : 0`,
        as: "open",
      },
      {
        aggregate: ["forks", "fast", "bad", "open"].map((field) => ({ op: "sum", field, as: field })),
        groupby: ["command"],
      },
      { calculate: "datum.command", as: "left" },
      {
        calculate:
          "(datum.bad > 0 ? '▲ ' + format(datum.bad, ',') + ' unsafe · ' : '') + format(datum.fast / datum.forks, '.1%') + (datum.open > 0 ? ' to ' + format((datum.fast + datum.open) / datum.forks, '.1%') : '') + ' fast of ' + format(datum.forks, ',')",
        as: "right",
      },
    ],
  });
  const [top] = cells.allCommands;
  return {
    id: ID,
    title: TITLE,
    description:
      `${plural(cells.allCommands.length, "command")} ${cells.allCommands.length === 1 ? "forks" : "fork"}; ${top!.name} most often, ` +
      `${groupDigits(top!.forks)} of ${plural(summary.forks.total, "fork")} (${percent(top!.forks, summary.forks.total)} %).`,
    spec: specOf(
      [...timeParams(cells), commandParam(cells), policyParam(Object.keys(summary.policies), policy)],
      view,
    ),
    datasets: { [CUBE]: cube },
    obeys: ["time", "policy"],
    table: tableOf(cells, cube, policy),
  };
}

function tableOf({ commands }: Cells, cube: Dataset, policy: string): ChartTable {
  const p = cube.words["policy"]!.indexOf(policy);
  const counts = commands.map(() => OUTCOMES.map(() => 0));
  for (const row of cube.rows as readonly number[][]) if (row[3] === p) counts[row[2]!]![row[4]!]! += row[5]!;
  const rows = commands.map((name, i): Cell[] => {
    const forks = counts[i]!.reduce((sum, n) => sum + n, 0);
    return [{ value: name }, { value: forks }, ...counts[i]!.map((value) => ({ value }))];
  });
  return {
    caption: `Forks by command and outcome under ${policy}, most forks first`,
    columns: [
      { title: "command" },
      { title: "forks", isNumber: true },
      ...OUTCOMES.map((outcome) => ({ title: OUTCOME_LABELS[outcome], isNumber: true })),
    ],
    rows,
  };
}
