// Chart: how many other CPUs hold the forker's mm lazily at the check.
import type { ResultTables } from "../../table/verdict-tables.ts";
import { groupDigits, percent, plural } from "../figure-text.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import { type Chart, nothingToDraw, PALETTE, specOf } from "./chart.ts";
import { rowView } from "./row-view.ts";
import { commandParam, IN_TIME, OF_COMMAND, timeParams } from "./selections.ts";

const ID = "lazy-cpus";
const TITLE = "How many CPUs keep the mm lazily?";
const DATA = "lazy";
/** Counts shown one by one; larger ones are one row. */
const MOST_COUNTS = 8;

/** Forks by number of lazy CPUs; where the trace shows no CR3 loads the number is unknown, which is a row of its own. */
export function lazyCpusChart({ forks: { total } }: Summary, { forks }: ResultTables, cells: Cells): Chart {
  const counts = countLazy(forks);
  const unknown = counts.get(-1) ?? 0;
  if (total === 0) return nothingToDraw(ID, TITLE, "There are no forks.");
  if (unknown === total)
    return nothingToDraw(ID, TITLE, `Known for none of ${plural(total, "fork")}: needs switch_mm_irqs_off.`);
  const known = [...counts.keys()].filter((n) => n >= 0).sort((a, b) => a - b);
  const most = known.at(-1)!;
  const labels = known.slice(0, MOST_COUNTS).map((n) => plural(n, "CPU"));
  if (known.length > MOST_COUNTS) labels.push(`${known[MOST_COUNTS]} or more`);
  if (unknown > 0) labels.push("unknown");
  const labelIndex = (lazy: number): number =>
    lazy < 0 ? labels.length - 1 : Math.min(known.indexOf(lazy), MOST_COUNTS);
  const some = total - unknown - (counts.get(0) ?? 0);
  const rows = rowsOf(forks, cells, labelIndex);
  const perLabel = [
    { aggregate: [{ op: "sum", field: "forks", as: "forks" }], groupby: ["lazy"] },
    { joinaggregate: [{ op: "sum", field: "forks", as: "of" }] },
  ];
  const view = rowView({
    data: DATA,
    field: "lazy",
    names: labels,
    transform: [IN_TIME, OF_COMMAND],
    bar: {
      transform: perLabel,
      mark: { color: PALETTE.sky },
      encoding: {
        x: {
          field: "forks",
          type: "quantitative",
          title: "forks",
          axis: { tickMinStep: 1, tickCount: 5, format: "~s" },
        },
        tooltip: [
          { field: "lazy" },
          { field: "forks", format: "," },
          { field: "of", format: ",", title: "of forks" },
        ],
      },
    },
    label: [
      ...perLabel,
      { calculate: "datum.lazy", as: "left" },
      {
        calculate: "format(datum.forks, ',') + ' (' + format(datum.forks / datum.of, '.1%') + ')'",
        as: "right",
      },
    ],
  });
  const unknownWords = unknown > 0 ? `; unknown for ${groupDigits(unknown)}` : "";
  return {
    id: ID,
    title: TITLE,
    description: `${some === 0 ? `None of ${plural(total, "fork")} finds` : `${groupDigits(some)} of ${plural(total, "fork")} (${percent(some, total)} %) ${some === 1 ? "finds" : "find"}`} the mm lazily loaded on another CPU${some === 0 ? "" : `, on ${plural(most, "CPU")} at most`}${unknownWords}.`,
    spec: specOf([...timeParams(cells), commandParam(cells)], view),
    datasets: {
      [DATA]: {
        fields: ["at", "command", "lazy", "forks"],
        words: { command: cells.commands, lazy: labels },
        rows,
      },
    },
    obeys: ["time", "command"],
    table: {
      caption: "Forks by number of other CPUs that hold the mm lazily at the check",
      columns: [{ title: "lazy CPUs" }, { title: "forks", isNumber: true }],
      rows: [...counts]
        .sort(([a], [b]) => a - b)
        .map(([lazy, n]) => [{ value: lazy < 0 ? "unknown" : lazy }, { value: n }]),
    },
  };
}

/** Forks by number of lazy CPUs; -1 is unknown. */
function countLazy(forks: ResultTables["forks"]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const batch of forks.batches(["lazy_cpus"])) {
    for (let row = 0; row < batch.length; row++) {
      const lazy = batch.get("lazy_cpus", row) ?? -1;
      counts.set(lazy, (counts.get(lazy) ?? 0) + 1);
    }
  }
  return counts;
}

function rowsOf(
  forks: ResultTables["forks"],
  cells: Cells,
  labelIndex: (lazy: number) => number,
): number[][] {
  const rows = new Map<number, number[]>();
  for (const batch of forks.batches(["lazy_cpus"])) {
    for (let i = 0; i < batch.length; i++) {
      const label = labelIndex(batch.get("lazy_cpus", i) ?? -1);
      const row = batch.first + i;
      const key = (label * cells.bins + cells.bin[row]!) * cells.commands.length + cells.command[row]!;
      const seen = rows.get(key);
      if (seen === undefined) rows.set(key, [cells.at[cells.bin[row]!]!, cells.command[row]!, label, 1]);
      else seen[3]!++;
    }
  }
  return [...rows.values()].sort((a, b) => a[2]! - b[2]! || a[0]! - b[0]! || a[1]! - b[1]!);
}
