// Durations as a data set for a cumulative plot: each value where there are few, on a logarithmic grid where there
// are many, so that ten million windows are a few thousand rows.
import { Float64Growable, Int32Growable } from "../../base/growable.ts";
import { type Cells, significant } from "./cells.ts";
import type { Dataset, JsonObject } from "./chart.ts";

/** Up to this many values are kept as they are. */
const MOST_EXACT = 3000;
const MOST_ROWS = 8000;
/** Steps a decade: 40 are 6 % apart, 10 are 26 %; the last is taken however many rows it makes. */
const STEPS = [40, 20, 10, 5, 3] as const;

/** Durations in columns: the fork row each belongs to, its group, its positive length in ns or ticks. */
export class Quantities {
  readonly rows: Int32Growable = new Int32Growable();
  readonly groups: Int32Growable = new Int32Growable();
  readonly lengths: Float64Growable = new Float64Growable();

  add(row: number, group: number, length: number): void {
    this.rows.push(row);
    this.groups.push(group);
    this.lengths.push(length);
  }

  get length(): number {
    return this.rows.length;
  }

  /** Lengths of each of `count` groups, ascending. */
  sorted(count: number): Float64Array[] {
    const sizes = new Float64Array(count);
    for (let i = 0; i < this.length; i++) sizes[this.groups.data[i]!]! += 1;
    const out = Array.from(sizes, (size) => new Float64Array(size));
    sizes.fill(0);
    for (let i = 0; i < this.length; i++) {
      const group = this.groups.data[i]!;
      out[group]![sizes[group]!++] = this.lengths.data[i]!;
    }
    for (const lengths of out) lengths.sort();
    return out;
  }
}

export interface Drawn {
  readonly dataset: Dataset;
  /** null: every length is exact; else the largest factor by which a drawn length can exceed the true one. */
  readonly gridFactor: number | null;
}

/** Rows at, command, group, length (s or ticks), n. Above the exact limit a length is rounded up to the grid. */
export function drawnQuantities(values: Quantities, cells: Cells, groups: readonly string[]): Drawn {
  if (values.length <= MOST_EXACT)
    return { dataset: datasetOf(values, cells, groups, null), gridFactor: null };
  for (const steps of STEPS) {
    const dataset = datasetOf(values, cells, groups, steps);
    if (dataset.rows.length <= MOST_ROWS || steps === STEPS.at(-1))
      return { dataset, gridFactor: 10 ** (1 / steps) };
  }
  throw new RangeError("no grid");
}

/** Steps from 1 ns up that a grid may have: lengths below 10^20. */
const MOST_STEPS = 1024;

/** `steps` a decade; null: exact lengths. */
function datasetOf(
  values: Quantities,
  cells: Cells,
  groups: readonly string[],
  steps: number | null,
): Dataset {
  const unit = cells.isTicks ? 1 : 1e9;
  const exact = new Map<number, number>();
  const lengths: number[] = [];
  // Exact lengths are numbered as they come, those of a grid by their place in it.
  const indexOf = (length: number): number => {
    if (steps !== null) return Math.max(0, Math.ceil(Math.log10(length) * steps));
    const known = exact.get(length);
    if (known !== undefined) return known;
    exact.set(length, lengths.length);
    lengths.push(length);
    return lengths.length - 1;
  };
  const stride = steps === null ? MOST_EXACT : MOST_STEPS;
  const counts = new Map<number, number>();
  for (let i = 0; i < values.length; i++) {
    const row = values.rows.data[i]!;
    const cell = (cells.bin[row]! * cells.commands.length + cells.command[row]!) * groups.length;
    const key = (cell + values.groups.data[i]!) * stride + indexOf(values.lengths.data[i]!);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rows = [...counts].map(([key, n]) => {
    const cell = Math.floor(key / stride);
    const place = Math.floor(cell / groups.length);
    const index = key % stride;
    const length = steps === null ? lengths[index]! : 10 ** (index / steps);
    return [
      cells.at[Math.floor(place / cells.commands.length)]!,
      place % cells.commands.length,
      cell % groups.length,
      significant(length / unit),
      n,
    ] as const;
  });
  rows.sort((a, b) => a[2] - b[2] || a[3] - b[3] || a[0] - b[0] || a[1] - b[1]);
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
