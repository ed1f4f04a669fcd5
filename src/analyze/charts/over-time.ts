// Chart: the fast-path rate over the recording for the chosen policy, with a rug of unsafe forks and of lost events.
// Brushing it narrows the other charts.

import { groupDigits, percent, plural } from "../figure-text.ts";
import { OUTCOME_LABELS, OUTCOMES } from "../outcomes.ts";
import { referencePolicy } from "../policy-summary.ts";
import type { Summary } from "../summary.ts";
import { type Cells, significant } from "./cells.ts";
import {
  type Chart,
  type ChartTable,
  type Dataset,
  type JsonObject,
  nothingToDraw,
  PALETTE,
  specOf,
} from "./chart.ts";
import { CUBE } from "./outcome-cube.ts";
import { commandParam, OF_COMMAND, OF_POLICY, policyParam, timeParams } from "./selections.ts";

const ID = "over-time";
const TITLE = "Does it stay so over time?";
const LOST = "lost";
/** Gaps closer together than this share of the axis fall on one mark. */
const RUG_POSITIONS = 300;

/** A gap in the recording: events lost before this time; `events` -1 when the recorder does not say how many. */
export interface Gap {
  readonly trace: number;
  readonly ns: bigint;
  readonly events: number;
}

/** Fast-path rate by bin. `gaps`: null when the events are not at hand. */
export function overTimeChart(
  summary: Summary,
  cells: Cells,
  cube: Dataset,
  gaps: readonly Gap[] | null,
): Chart {
  const policy = referencePolicy(summary.policies);
  if (policy === null || cells.span === 0)
    return nothingToDraw(ID, TITLE, "Fewer than two forks at different times: no course to show.");
  const lost = lostDataset(cells, gaps ?? []);
  const { unsafe } = OUTCOME_LABELS;
  const fastLabels = JSON.stringify([OUTCOME_LABELS.safe, OUTCOME_LABELS.unsure, unsafe]);
  const perBin: JsonObject[] = [
    OF_COMMAND,
    OF_POLICY,
    { calculate: `indexof(${fastLabels}, datum.outcome) >= 0 ? datum.forks : 0`, as: "fast" },
    { calculate: `datum.outcome === ${JSON.stringify(unsafe)} ? datum.forks : 0`, as: "bad" },
    {
      calculate: `datum.outcome === ${JSON.stringify(OUTCOME_LABELS.indeterminate)} ? datum.forks : 0`,
      as: "open",
    },
    {
      aggregate: ["forks", "fast", "bad", "open"].map((field) => ({ op: "sum", field, as: field })),
      groupby: ["trace", "at"],
    },
    { calculate: "datum.fast / datum.forks", as: "rate" },
    { calculate: "(datum.fast + datum.open) / datum.forks", as: "atMost" },
    { calculate: `datum.at - ${significant(cells.binWidth / 2)}`, as: "start" },
    { calculate: `datum.at + ${significant(cells.binWidth / 2)}`, as: "end" },
  ];
  const title = cells.isTicks ? "ticks since the first fork" : "seconds since the first fork";
  const scale = { domain: [0, cells.span], nice: false };
  // The first label is flush with the axis, next to the second: labels that nearly touch are thinned out.
  const x = { field: "at", type: "quantitative", title, scale, axis: { labelSeparation: 6 } };
  const y = {
    field: "rate",
    type: "quantitative",
    title: "forks on the fast path",
    axis: { format: "%", values: [0, 0.25, 0.5, 0.75, 1] },
    scale: { domain: [-0.2, 1] },
  };
  const tooltip = [
    { field: "start", format: ".4~g", title: "from" },
    { field: "end", format: ".4~g", title: "to" },
    { field: "fast", format: "," },
    { field: "forks", format: ",", title: "of forks" },
    { field: "rate", format: ".1%" },
    { field: "bad", format: ",", title: "unsafe" },
    { field: "open", format: ",", title: "undecided" },
  ];
  const opacity = { condition: { test: "datum.at >= from && datum.at <= to", value: 1 }, value: 0.3 };
  const rate: JsonObject =
    cells.traces.length > 1
      ? {
          mark: { type: "point", filled: true, size: 40 },
          encoding: {
            x,
            y,
            opacity,
            shape: {
              field: "trace",
              type: "nominal",
              scale: { domain: [...cells.traces] },
              legend: { orient: "top", title: null, columns: 2 },
            },
            color: { value: PALETTE.blue },
            tooltip,
          },
        }
      : {
          mark: { type: "bar", color: PALETTE.blue, stroke: null },
          encoding: {
            x: { ...x, field: "start" },
            x2: { field: "end" },
            y,
            y2: { datum: 0 },
            opacity,
            tooltip,
          },
        };
  // The undecided forks of a bin: an open frame from the share that is fast to the share that may be.
  const open: JsonObject = {
    data: { name: CUBE },
    transform: [...perBin, { filter: "datum.open > 0" }],
    mark: {
      type: "bar",
      fill: PALETTE.grey,
      fillOpacity: 0.25,
      stroke: PALETTE.grey,
      strokeDash: [3, 2],
      strokeWidth: 1,
    },
    encoding: { x: { ...x, field: "start" }, x2: { field: "end" }, y, y2: { field: "atMost" }, tooltip },
  };
  const kinds = ["unsafe forks", "lost events"];
  const kind = { field: "kind", type: "nominal" };
  const rug = {
    shape: {
      ...kind,
      scale: { domain: kinds, range: ["triangle-up", "cross"] },
      legend: { orient: "top", title: null },
    },
    color: {
      ...kind,
      scale: { domain: kinds, range: [PALETTE.vermillion, PALETTE.purple] },
      legend: { orient: "top", title: null },
    },
  };
  const view: JsonObject = {
    height: 210,
    layer: [
      {
        data: { name: CUBE },
        transform: perBin,
        params: [{ name: "brush", select: { type: "interval", encodings: ["x"] } }],
        ...rate,
      },
      open,
      {
        data: { name: CUBE },
        transform: [...perBin, { filter: "datum.bad > 0" }, { calculate: "'unsafe forks'", as: "kind" }],
        mark: { type: "point", filled: true, size: 55, opacity: 1 },
        encoding: {
          x,
          y: { datum: -0.06 },
          ...rug,
          tooltip: [
            { field: "at", format: ".4~g" },
            { field: "bad", format: ",", title: "unsafe forks" },
          ],
        },
      },
      {
        data: { name: LOST },
        transform: [{ calculate: "'lost events'", as: "kind" }],
        mark: { type: "point", filled: true, size: 45, opacity: 1 },
        encoding: {
          x,
          y: { datum: -0.15 },
          ...rug,
          tooltip: [
            { field: "at", format: ".4~g" },
            { field: "gaps", format: "," },
            { field: "events", title: "events lost" },
          ],
        },
      },
    ],
    resolve: { scale: { color: "shared", shape: cells.traces.length > 1 ? "independent" : "shared" } },
  };
  return {
    id: ID,
    title: TITLE,
    description: describe(summary, policy, cells, gaps),
    spec: specOf(
      [...timeParams(cells), commandParam(cells), policyParam(Object.keys(summary.policies), policy)],
      view,
    ),
    datasets: { [CUBE]: cube, [LOST]: lost },
    obeys: ["time", "policy", "command"],
    table: tableOf(cells, cube, policy),
  };
}

function lostDataset(cells: Cells, gaps: readonly Gap[]): Dataset {
  const marks = new Map<number, { gaps: number; events: number | null }>();
  for (const { trace, ns, events } of gaps) {
    const first = cells.firstNs[trace];
    if (first === undefined) continue;
    const share = Number(ns - first) / (cells.isTicks ? 1 : 1e9) / cells.span;
    const position = Math.round(Math.min(1, Math.max(0, share)) * RUG_POSITIONS);
    const mark = marks.get(position) ?? { gaps: 0, events: 0 };
    mark.gaps++;
    mark.events = mark.events === null || events < 0 ? null : mark.events + events;
    marks.set(position, mark);
  }
  const rows = [...marks].sort(([a], [b]) => a - b);
  return {
    fields: ["at", "gaps", "events"],
    words: {},
    rows: rows.map(([position, { gaps: n, events }]) => [
      significant((position / RUG_POSITIONS) * cells.span),
      n,
      events ?? "unknown",
    ]),
  };
}

/** The reference policy's bins, all commands. */
function tableOf(cells: Cells, cube: Dataset, policy: string): ChartTable {
  const byBin = new Map<string, { trace: number; at: number; forks: number; fast: number; unsafe: number }>();
  const p = cube.words["policy"]!.indexOf(policy);
  for (const row of cube.rows as readonly number[][]) {
    if (row[3] !== p) continue;
    const key = `${row[0]} ${row[1]}`;
    const bin = byBin.get(key) ?? { trace: row[0]!, at: row[1]!, forks: 0, fast: 0, unsafe: 0 };
    const outcome = OUTCOMES[row[4]!]!;
    bin.forks += row[5]!;
    if (outcome !== "slow" && outcome !== "indeterminate") bin.fast += row[5]!;
    if (outcome === "unsafe") bin.unsafe += row[5]!;
    byBin.set(key, bin);
  }
  const bins = [...byBin.values()].sort((a, b) => a.trace - b.trace || a.at - b.at);
  return {
    caption: `Forks by bin of time under ${policy}; middle of the bin in ${cells.isTicks ? "ticks" : "seconds"} since the trace's first fork`,
    columns: [
      { title: "trace" },
      ...["middle", "fast", "forks", "unsafe"].map((title) => ({ title, isNumber: true })),
    ],
    rows: bins.map(({ trace, at, forks, fast, unsafe }) => [
      { value: cells.traces[trace]! },
      ...[at, fast, forks, unsafe].map((value) => ({ value })),
    ]),
  };
}

function describe(
  { policies, forks }: Summary,
  id: string,
  cells: Cells,
  gaps: readonly Gap[] | null,
): string {
  const { fast, unsafe, indeterminate } = policies[id]!;
  const rate = `${groupDigits(fast)} of ${plural(forks.total, "fork")} (${percent(fast, forks.total)} %)`;
  const marks =
    unsafe > 0
      ? `; triangles mark the ${groupDigits(unsafe)} that ${unsafe === 1 ? "is" : "are"} unsafe`
      : "";
  const lost =
    gaps !== null && gaps.length > 0 ? `; crosses mark ${plural(gaps.length, "gap")} in the recording` : "";
  const open =
    indeterminate > 0 ? `; frames show the ${groupDigits(indeterminate)} that cannot be decided` : "";
  return `${id} takes the fast path in ${indeterminate > 0 ? "at least " : ""}${rate}, here in ${plural(cells.bins, "bin")} of time${marks}${open}${lost}.`;
}
