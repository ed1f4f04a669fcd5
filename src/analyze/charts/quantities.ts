// Durations as a data set for a cumulative plot: each value where there are few, on a logarithmic grid where there
// are many, so that ten million windows are a few thousand rows.
import { type Cells, significant } from "./cells.ts";
import type { Dataset, JsonObject } from "./chart.ts";

/** Up to this many values are kept as they are. */
const MOST_EXACT = 3000;
const MOST_ROWS = 8000;
/** Steps a decade: 40 are 6 % apart, 10 are 26 %. */
const STEPS = [40, 20, 10, 5] as const;
/** Taken where those make too many rows, however many it makes. */
const COARSEST = 3;

/**
 * Durations, read as often as wanted instead of kept: the fork row each belongs to, its group, its positive length in ns or ticks.
 * The same order each time.
 */
export type Quantities = (visit: (row: number, group: number, length: number) => void) => void;

export interface Drawn {
  readonly dataset: Dataset;
  /** null: every length is exact; else the largest factor by which a drawn length can exceed the true one. */
  readonly gridFactor: number | null;
}

/** Rows at, command, group, length (s or ticks), n. `count`: how many there are; above the exact limit a length is rounded up to the grid. */
export function drawnQuantities(
  values: Quantities,
  count: number,
  cells: Cells,
  groups: readonly string[],
): Drawn {
  if (count <= MOST_EXACT) {
    const lengths = new Places();
    const counts = new Counts(cells, groups.length, MOST_EXACT);
    values((row, group, length) => counts.add(row, group, lengths.of(length)));
    return { dataset: datasetOf(counts, cells, groups, (place) => lengths.at(place)), gridFactor: null };
  }
  let steps: number = STEPS[0];
  const fine = new Counts(cells, groups.length, MOST_STEPS);
  values((row, group, length) => {
    // What a row more does not make fewer.
    if (fine.size > MOST_ROWS) return;
    fine.add(row, group, gridPlace(length, steps));
    // 20 steps a decade are every second of 40, and so on: nothing needs to be read again.
    while (fine.size > MOST_ROWS && steps > STEPS.at(-1)!) {
      fine.halve();
      steps /= 2;
    }
  });
  if (fine.size <= MOST_ROWS) return onGrid(fine, steps, cells, groups);
  const coarse = new Counts(cells, groups.length, MOST_STEPS);
  values((row, group, length) => coarse.add(row, group, gridPlace(length, COARSEST)));
  return onGrid(coarse, COARSEST, cells, groups);
}

function gridPlace(length: number, steps: number): number {
  return Math.max(0, Math.ceil(Math.log10(length) * steps));
}

function onGrid(counts: Counts, steps: number, cells: Cells, groups: readonly string[]): Drawn {
  const dataset = datasetOf(counts, cells, groups, (place) => 10 ** (place / steps));
  return { dataset, gridFactor: 10 ** (1 / steps) };
}

/** Steps from 1 ns up that a grid may have: lengths below 10^20. */
const MOST_STEPS = 1024;

/** Exact lengths, numbered as they come. */
class Places {
  readonly #byLength = new Map<number, number>();
  readonly #lengths: number[] = [];

  of(length: number): number {
    const known = this.#byLength.get(length);
    if (known !== undefined) return known;
    this.#byLength.set(length, this.#lengths.length);
    return this.#lengths.push(length) - 1;
  }

  at(place: number): number {
    return this.#lengths[place]!;
  }
}

/** How many quantities there are by cell, group and place of their length. */
class Counts {
  readonly #cells: Cells;
  readonly #groups: number;
  readonly #places: number;
  #counts = new Map<number, number>();

  constructor(cells: Cells, groups: number, places: number) {
    this.#cells = cells;
    this.#groups = groups;
    this.#places = places;
  }

  get size(): number {
    return this.#counts.size;
  }

  add(row: number, group: number, place: number): void {
    const { bin, command, commands } = this.#cells;
    const cell = (bin[row]! * commands.length + command[row]!) * this.#groups + group;
    const key = cell * this.#places + place;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Every place becomes half, rounded up. */
  halve(): void {
    const before = this.#counts;
    this.#counts = new Map();
    for (const [key, n] of before) {
      const place = key % this.#places;
      const half = key - place + Math.ceil(place / 2);
      this.#counts.set(half, (this.#counts.get(half) ?? 0) + n);
    }
  }

  /** Rows at, command, group, place, n. */
  rows(): [number, number, number, number, number][] {
    const { at, commands } = this.#cells;
    return [...this.#counts].map(([key, n]) => {
      const cell = Math.floor(key / this.#places);
      const place = Math.floor(cell / this.#groups);
      return [
        at[Math.floor(place / commands.length)]!,
        place % commands.length,
        cell % this.#groups,
        key % this.#places,
        n,
      ];
    });
  }
}

function datasetOf(
  counts: Counts,
  cells: Cells,
  groups: readonly string[],
  lengthAt: (place: number) => number,
): Dataset {
  const unit = cells.isTicks ? 1 : 1e9;
  const rows = counts
    .rows()
    .map(
      ([at, command, group, place, n]) =>
        [at, command, group, significant(lengthAt(place) / unit), n] as const,
    );
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
