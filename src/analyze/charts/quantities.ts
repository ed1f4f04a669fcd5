// Durations as a data set for a cumulative plot: each value where there are few, on a logarithmic grid where there
// are many, so that ten million windows are a few thousand rows.
import { type Cells, significant } from "./cells.ts";
import type { Dataset, JsonObject } from "./chart.ts";

/** Up to this many values are kept as they are. */
const MOST_EXACT = 3000;
const MOST_ROWS = 9000;
/** Steps a decade: 40 are 6 % apart, 10 are 26 %. */
const STEPS = [40, 20, 10] as const;

/** One duration: the fork row it belongs to, its group, its positive length in ns or ticks. */
export interface Quantity {
  readonly row: number;
  readonly group: number;
  readonly length: number;
}

export interface Quantities {
  readonly dataset: Dataset;
  /** null: every length is exact; else the largest factor by which a drawn length can exceed the true one. */
  readonly gridFactor: number | null;
}

/** Rows at, command, group, length (s or ticks), n. Above the exact limit a length is rounded up to the grid. */
export function quantities(values: readonly Quantity[], cells: Cells, groups: readonly string[]): Quantities {
  if (values.length <= MOST_EXACT)
    return { dataset: datasetOf(values, cells, groups, (length) => length), gridFactor: null };
  for (const steps of STEPS) {
    const round = (length: number): number => 10 ** (Math.ceil(Math.log10(length) * steps) / steps);
    const dataset = datasetOf(values, cells, groups, round);
    if (dataset.rows.length <= MOST_ROWS || steps === STEPS.at(-1))
      return { dataset, gridFactor: 10 ** (1 / steps) };
  }
  throw new RangeError("no grid");
}

function datasetOf(
  values: readonly Quantity[],
  cells: Cells,
  groups: readonly string[],
  round: (length: number) => number,
): Dataset {
  const unit = cells.isTicks ? 1 : 1e9;
  const counts = new Map<string, [number, number, number, number, number]>();
  for (const { row, group, length } of values) {
    const value = significant(round(length) / unit);
    const key = `${cells.bin[row]} ${cells.command[row]} ${group} ${value}`;
    const known = counts.get(key);
    if (known === undefined)
      counts.set(key, [cells.at[cells.bin[row]!]!, cells.command[row]!, group, value, 1]);
    else known[4]++;
  }
  const rows = [...counts.values()].sort((a, b) => a[2] - b[2] || a[3] - b[3] || a[0] - b[0] || a[1] - b[1]);
  return {
    fields: ["at", "command", "group", "length", "n"],
    words: { command: cells.commands, group: groups },
    rows,
  };
}

/** Transforms that turn rows of quantities() into a cumulative share a group. */
export const CUMULATIVE: readonly JsonObject[] = [
  { aggregate: [{ op: "sum", field: "n", as: "n" }], groupby: ["group", "length"] },
  {
    sort: [{ field: "length" }],
    window: [{ op: "sum", field: "n", as: "below" }],
    frame: [null, 0],
    groupby: ["group"],
  },
  { joinaggregate: [{ op: "sum", field: "n", as: "of" }], groupby: ["group"] },
  { calculate: "datum.below / datum.of", as: "share" },
];

/** Of the ticks of a logarithmic axis: 1, 2 and 5 of each decade have a label. */
const IS_LABELLED =
  "indexof([1, 2, 5], round(datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9)))) >= 0";
const AS_SECONDS = "format(datum.value, '~s') + 's'";
const AS_TICKS = "format(datum.value, '~s')";

/** Layers of a cumulative step plot on a logarithmic axis, told apart by colour and width. */
export function cumulativeView(
  data: string,
  filters: readonly JsonObject[],
  groups: readonly string[],
  colors: readonly string[],
  titles: { readonly x: string; readonly y: string },
  isTicks: boolean,
): JsonObject {
  const legend =
    groups.length === 1 ? null : { title: null, orient: "top", columns: 3, symbolType: "stroke" };
  const series = { field: "group", type: "nominal" };
  const x = {
    field: "length",
    type: "quantitative",
    title: titles.x,
    scale: { type: "log", nice: false, padding: 8 },
    axis: { labelExpr: `${IS_LABELLED} ? ${isTicks ? AS_TICKS : AS_SECONDS} : ''`, labelOverlap: true },
  };
  const y = {
    field: "share",
    type: "quantitative",
    title: titles.y,
    axis: { format: "%", tickCount: 5 },
    scale: { domain: [0, 1] },
  };
  const color = { ...series, scale: { domain: [...groups], range: [...colors] }, legend };
  // Policies that decide alike have the same curve: each next one is thinner, so that all stay in sight.
  const widest = Math.min(10, 2.5 * groups.length);
  const strokeWidth = {
    ...series,
    scale: {
      domain: [...groups],
      range: groups.map(
        (_, i) => 2 + ((widest - 2) * (groups.length - 1 - i)) / Math.max(1, groups.length - 1),
      ),
    },
    legend,
  };
  const length = isTicks ? "format(datum.length, ',') + ' ticks'" : "format(datum.length, '.4~s') + 's'";
  return {
    data: { name: data },
    height: 200,
    transform: [...filters, ...CUMULATIVE, { calculate: length, as: "text" }],
    layer: [
      {
        mark: { type: "line", interpolate: "step-after" },
        encoding: { x, y, color, strokeWidth },
      },
      {
        mark: { type: "point", filled: true, size: groups.length === 1 ? 16 : 5, opacity: 1 },
        encoding: {
          x,
          y,
          color,
          tooltip: [
            { field: "group", title: "of" },
            { field: "text", title: "at most" },
            { field: "below", title: "count" },
            { field: "of", title: "of all" },
            { field: "share", format: ".1%" },
          ],
        },
      },
    ],
  };
}
