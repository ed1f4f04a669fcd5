// Cumulative plots of durations: fork windows by how well they are known, and the waits each policy would cause.
import { formatDuration } from "../../base/time.ts";
import type { ResultTables } from "../../table/verdict-tables.ts";
import { WINDOW_KINDS } from "../../table/verdict-tables.ts";
import { plural } from "../figure-text.ts";
import { type Ranks, ranksOf } from "../ranks.ts";
import { durationNs, forkRowById } from "../rows.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import { type Cell, type Chart, type ChartTable, nothingToDraw, PALETTE, specOf } from "./chart.ts";
import { cumulativeView, drawnQuantities, type Quantities } from "./quantities.ts";
import { commandParam, IN_TIME, OF_COMMAND, timeParams } from "./selections.ts";

/** By policy in report order; those with a lock are four colours that are easy to tell apart. */
const COLORS = [
  PALETTE.grey,
  "#555555",
  PALETTE.orange,
  "#8A6D00",
  PALETTE.purple,
  PALETTE.blue,
  PALETTE.vermillion,
  PALETTE.green,
  PALETTE.sky,
];
const QUANTILES: readonly number[] = [0.5, 0.9, 0.99, 1];

/** What a cumulative plot of durations is made of. */
export interface DurationPlot {
  readonly id: string;
  readonly title: string;
  readonly data: string;
  readonly groups: readonly string[];
  readonly values: Quantities;
  readonly axes: { readonly x: string; readonly y: string };
  /** What a row of the table is, and what its first column holds. */
  readonly caption: string;
  readonly groupTitle: string;
  /** Of one group: "102 measured windows". */
  readonly noun: (group: string, count: number) => string;
  /** Said when there is nothing; what is said after that and after the figures, by how many are drawn. */
  readonly nothing: string;
  readonly remark: (drawn: number) => string;
  readonly colors?: readonly string[];
}

/** A cumulative plot, its sentence (median and p99 a group) and its table of quantiles. */
export function durationChart(plot: DurationPlot, cells: Cells): Chart {
  const { id, title, groups, values } = plot;
  const unit = cells.isTicks ? "ticks" : "ns";
  const ranks = ranksOf(
    (visit) => values((_row, group, length) => visit(group, length)),
    groups.length,
    QUANTILES,
  );
  const drawn = groups.filter((_, group) => ranks[group]!.count > 0);
  if (drawn.length === 0) return nothingToDraw(id, title, `${plot.nothing}${plot.remark(0)}`);
  const count = ranks.reduce((sum, of) => sum + of.count, 0);
  const { dataset, gridFactor } = drawnQuantities(values, count, cells, groups);
  const sentences = sentencesOf(plot, drawn, (group) => ranks[groups.indexOf(group)]!, unit);
  const grid =
    gridFactor === null
      ? ""
      : ` Lengths are drawn rounded up by at most ${Math.round(100 * (gridFactor - 1))} %; the table is exact.`;
  const colors = drawn.map((group) => (plot.colors ?? COLORS)[groups.indexOf(group) % COLORS.length]!);
  const view = cumulativeView(plot.data, [IN_TIME, OF_COMMAND], drawn, colors, plot.axes, cells.isTicks);
  return {
    id,
    title,
    description: `${sentences.join("; ")}.${plot.remark(count)}${grid}`,
    spec: specOf([...timeParams(cells), commandParam(cells)], view),
    datasets: { [plot.data]: dataset },
    obeys: ["time", "command"],
    table: quantileTable(plot, ranks, unit),
  };
}

/** A clause for the groups that have the same figures: "fork-lock 18 waits: median 7.79 ms, p99 24.2 ms". */
function sentencesOf(
  { noun }: DurationPlot,
  drawn: readonly string[],
  ranksFor: (group: string) => Ranks,
  unit: "ns" | "ticks",
): string[] {
  const byFigures = new Map<string, string[]>();
  for (const group of drawn) {
    const { count, at } = ranksFor(group);
    const [median, p99] = [0.5, 0.99].map((q) => formatDuration(at[QUANTILES.indexOf(q)] ?? 0, unit));
    const figures = `median ${median}, p99 ${p99}`;
    const key = `${count} ${figures}`;
    byFigures.set(key, [...(byFigures.get(key) ?? []), group]);
  }
  return [...byFigures].map(([key, names]) => {
    const count = Number(key.slice(0, key.indexOf(" ")));
    const list = names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
    const each = names.length > 1 ? " each" : "";
    return `${noun(list, count)}${each}: ${key.slice(key.indexOf(" ") + 1)}`;
  });
}

function quantileTable(plot: DurationPlot, ranks: readonly Ranks[], unit: "ns" | "ticks"): ChartTable {
  const rows = plot.groups.flatMap((group, i): Cell[][] => {
    const { count, at } = ranks[i]!;
    if (count === 0) return [];
    const cells = at.map((value) => ({ value, text: formatDuration(value ?? 0, unit) }));
    return [[{ value: group }, { value: count }, ...cells]];
  });
  const titles = ["count", "median", "p90", "p99", "longest"];
  return {
    caption: `${plot.caption}; quantiles by nearest rank, in ${unit} in the CSV`,
    columns: [{ title: plot.groupTitle }, ...titles.map((title) => ({ title, isNumber: true }))],
    rows,
  };
}

const POINT = WINDOW_KINDS.indexOf("point");

/** Lengths of measured and bracketed windows; a point has none. */
export function windowsChart(tables: ResultTables, cells: Cells): Chart {
  const values: Quantities = (visit) => eachWindow(tables, visit);
  const plot: DurationPlot = {
    id: "windows",
    title: "How long are the windows?",
    data: "windows",
    groups: WINDOW_KINDS,
    values,
    axes: { x: "length of the window", y: "share of windows at most so long" },
    caption: "Lengths of fork windows, one row a kind of window",
    groupTitle: "window",
    colors: [PALETTE.blue, PALETTE.vermillion, PALETTE.grey],
    noun: (kind, count) => plural(count, `${kind} window`),
    nothing: "No window has a length.",
    remark: (drawn) => {
      const left = tables.forks.length - drawn;
      return left > 0
        ? ` ${plural(left, "fork")} without a length (a point, or cut off) ${left === 1 ? "is" : "are"} not drawn.`
        : "";
    },
  };
  return durationChart(plot, cells);
}

/** Visits the windows that have a length. A logarithm needs a positive one; zero is a clock too coarse to tell. */
function eachWindow(
  { forks }: ResultTables,
  visit: (row: number, kind: number, length: number) => void,
): void {
  for (const batch of forks.batches(["window", "start_ns", "end_ns"])) {
    const window = batch.column("window");
    const kinds = window.values.map((value) => WINDOW_KINDS.indexOf(value as (typeof WINDOW_KINDS)[number]));
    const start = batch.column("start_ns");
    const end = batch.column("end_ns");
    for (let i = 0; i < batch.length; i++) {
      const kind = kinds[window.ints.data[i]!] ?? POINT;
      const length = kind === POINT ? null : durationNs(start, end, i);
      if (length !== null && length > 0) visit(batch.first + i, kind, length);
    }
  }
}

/** How long each policy would have made others wait. */
export function waitsChart(summary: Summary, tables: ResultTables, cells: Cells): Chart {
  const ids = Object.keys(summary.policies);
  const { values, unknown, outside } = waitValues(tables, ids);
  const blind = ids.filter((id) => "not_evaluable" in summary.policies[id]!.blocked);
  const remarks = [
    ...(unknown > 0
      ? [` ${plural(unknown, "wait")} of unknown length or none ${unknown === 1 ? "is" : "are"} not drawn.`]
      : []),
    ...(outside > 0
      ? [` ${plural(outside, "wait")} outside the windows ${outside === 1 ? "is" : "are"} not drawn.`]
      : []),
    ...(blind.length > 0 ? [` Not evaluable in this recording: ${blind.join(", ")}.`] : []),
  ];
  const plot: DurationPlot = {
    id: "waits",
    title: "What would the lock cost?",
    data: "waits",
    groups: ids,
    values,
    axes: { x: "time a caller would have waited", y: "share of waits at most so long" },
    caption: "Events that a policy would have made wait until the window's release, one row a policy",
    groupTitle: "policy",
    noun: (id, count) => `${id} ${plural(count, "wait")}`,
    nothing: "No event would have waited under a policy that this recording can answer for.",
    remark: () => remarks.join(""),
  };
  return durationChart(plot, cells);
}

/** Known waits by policy; how many are of unknown length, or belong to no fork's window. */
function waitValues(
  tables: ResultTables,
  ids: readonly string[],
): { readonly values: Quantities; readonly unknown: number; readonly outside: number } {
  const rowOf = forkRowById(tables);
  const each = (visit: (row: number | undefined, group: number, wait: number) => void): void => {
    for (const batch of tables.blocks.batches(["fork", "policy", "wait_ns"])) {
      for (let i = 0; i < batch.length; i++) {
        const group = ids.indexOf(batch.get("policy", i) ?? "");
        if (group >= 0) visit(rowOf(batch.get("fork", i) ?? -1), group, batch.column("wait_ns").ns(i) ?? 0);
      }
    }
  };
  let unknown = 0;
  let outside = 0;
  each((row, _group, wait) => {
    if (row === undefined) outside++;
    else if (wait <= 0) unknown++;
  });
  const values: Quantities = (visit) =>
    each((row, group, wait) => {
      if (row !== undefined && wait > 0) visit(row, group, wait);
    });
  return { values, unknown, outside };
}
