// Cumulative plots of durations: fork windows by how well they are known, and the waits each policy would cause.
import { formatDuration } from "../../base/time.ts";
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { WINDOW_KINDS } from "../../table/verdict-tables.ts";
import { durationNs, forkRowById, textAt } from "../rows.ts";
import { nearestRank, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import { type Cell, type Chart, type ChartTable, nothingToDraw, PALETTE, specOf } from "./chart.ts";
import { cumulativeView, drawnQuantities, Quantities } from "./quantities.ts";
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
const QUANTILES = [0.5, 0.9, 0.99, 1] as const;

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
  /** Said when there is nothing, and after the figures. */
  readonly nothing: string;
  readonly remark: string;
  readonly colors?: readonly string[];
}

/** A cumulative plot, its sentence (median and p99 a group) and its table of quantiles. */
export function durationChart(plot: DurationPlot, cells: Cells): Chart {
  const { id, title, groups, values } = plot;
  const unit = cells.isTicks ? "ticks" : "ns";
  const sorted = values.sorted(groups.length);
  const drawn = groups.filter((_, group) => sorted[group]!.length > 0);
  if (drawn.length === 0) return nothingToDraw(id, title, `${plot.nothing}${plot.remark}`);
  const { dataset, gridFactor } = drawnQuantities(values, cells, groups);
  const sentences = sentencesOf(plot, drawn, (group) => sorted[groups.indexOf(group)]!, unit);
  const grid =
    gridFactor === null
      ? ""
      : ` Lengths are drawn rounded up by at most ${Math.round(100 * (gridFactor - 1))} %; the table is exact.`;
  const colors = drawn.map((group) => (plot.colors ?? COLORS)[groups.indexOf(group) % COLORS.length]!);
  const view = cumulativeView(plot.data, [IN_TIME, OF_COMMAND], drawn, colors, plot.axes, cells.isTicks);
  return {
    id,
    title,
    description: `${sentences.join("; ")}.${plot.remark}${grid}`,
    spec: specOf([...timeParams(cells), commandParam(cells)], view),
    datasets: { [plot.data]: dataset },
    obeys: ["time", "command"],
    table: quantileTable(plot, sorted, unit),
  };
}

/** A clause for the groups that have the same figures: "fork-lock 18 waits: median 7.79 ms, p99 24.2 ms". */
function sentencesOf(
  { noun }: DurationPlot,
  drawn: readonly string[],
  sortedOf: (group: string) => Float64Array,
  unit: "ns" | "ticks",
): string[] {
  const byFigures = new Map<string, string[]>();
  for (const group of drawn) {
    const of = sortedOf(group);
    const [median, p99] = [0.5, 0.99].map((q) => formatDuration(nearestRank(of, q) ?? 0, unit));
    const figures = `median ${median}, p99 ${p99}`;
    const key = `${of.length} ${figures}`;
    byFigures.set(key, [...(byFigures.get(key) ?? []), group]);
  }
  return [...byFigures].map(([key, names]) => {
    const count = Number(key.slice(0, key.indexOf(" ")));
    const list = names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
    const each = names.length > 1 ? " each" : "";
    return `${noun(list, count)}${each}: ${key.slice(key.indexOf(" ") + 1)}`;
  });
}

function quantileTable(
  plot: DurationPlot,
  sorted: readonly Float64Array[],
  unit: "ns" | "ticks",
): ChartTable {
  const rows = plot.groups.flatMap((group, i): Cell[][] => {
    const of = sorted[i]!;
    if (of.length === 0) return [];
    const cells = QUANTILES.map((q) => {
      const value = nearestRank(of, q)!;
      return { value, text: formatDuration(value, unit) };
    });
    return [[{ value: group }, { value: of.length }, ...cells]];
  });
  const titles = ["count", "median", "p90", "p99", "longest"];
  return {
    caption: `${plot.caption}; quantiles by nearest rank, in ${unit} in the CSV`,
    columns: [{ title: plot.groupTitle }, ...titles.map((title) => ({ title, isNumber: true }))],
    rows,
  };
}

/** Lengths of measured and bracketed windows; a point has none. */
export function windowsChart(tables: VerdictTables, cells: Cells): Chart {
  const { forks } = tables;
  const start = forks.column("start_ns");
  const end = forks.column("end_ns");
  const window = forks.column("window");
  const values = new Quantities();
  let left = 0;
  for (let row = 0; row < forks.length; row++) {
    const kind = textAt(window, window.ints.data[row]) ?? "point";
    const length = kind === "point" ? null : durationNs(start, end, row);
    // A logarithm needs a positive length; zero is a clock too coarse to tell.
    if (length === null || length <= 0) left++;
    else values.add(row, WINDOW_KINDS.indexOf(kind as (typeof WINDOW_KINDS)[number]), length);
  }
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
    remark:
      left > 0
        ? ` ${plural(left, "fork")} without a length (a point, or cut off) ${left === 1 ? "is" : "are"} not drawn.`
        : "",
  };
  return durationChart(plot, cells);
}

/** How long each policy would have made others wait. */
export function waitsChart(summary: Summary, tables: VerdictTables, cells: Cells): Chart {
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
    remark: remarks.join(""),
  };
  return durationChart(plot, cells);
}

/** Known waits by policy; how many are of unknown length, or belong to no fork's window. */
function waitValues(
  tables: VerdictTables,
  ids: readonly string[],
): { readonly values: Quantities; readonly unknown: number; readonly outside: number } {
  const { blocks } = tables;
  const rowOf = forkRowById(tables);
  const values = new Quantities();
  let unknown = 0;
  let outside = 0;
  for (let i = 0; i < blocks.length; i++) {
    const row = rowOf(blocks.get("fork", i) ?? -1);
    const group = ids.indexOf(blocks.get("policy", i) ?? "");
    const wait = blocks.get("wait_ns", i);
    if (group < 0) continue;
    if (row === undefined) outside++;
    else if (wait === null || wait <= 0n) unknown++;
    else values.add(row, group, Number(wait));
  }
  return { values, unknown, outside };
}
