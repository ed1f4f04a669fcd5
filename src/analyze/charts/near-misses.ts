// Cumulative plots of what almost happened and of what lingers: how far the nearest borrow was from a window, and how
// long a CPU had kept the mm lazily when the fork checked.
import type { ColumnTable } from "../../table/columns.ts";
import { LEFT_BY, type NEAR_MISS_SPEC, type ResultTables } from "../../table/verdict-tables.ts";
import { eachLazy } from "../attribution.ts";
import { plural } from "../figure-text.ts";
import { forkRowById } from "../rows.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import { type Chart, PALETTE } from "./chart.ts";
import { durationChart } from "./durations.ts";
import type { Quantities } from "./quantities.ts";

/** How much earlier or later the nearest borrow would have had to be to fall inside a window; null: no policy replayed has near misses. */
export function nearMissesChart(summary: Summary, tables: ResultTables, cells: Cells): Chart | null {
  if (tables.near_misses.length === 0) return null;
  const ids = Object.keys(summary.policies);
  const { values, total, unknown } = distances(tables, ids);
  const pairs = (n: number): string => plural(n, "fast fork and policy", "pairs of fast fork and policy");
  return durationChart(
    {
      id: "near-misses",
      title: "How near was the next borrow?",
      data: "nearMisses",
      groups: ids,
      values,
      axes: { x: "distance from the window", y: "share of misses at most so near" },
      caption: "Distance of the nearest borrow from a fast window that nothing protects, one row a policy",
      groupTitle: "policy",
      noun: (id, count) => `${id} ${plural(count, "near miss", "near misses")}`,
      nothing: "No borrow came near a fast window.",
      remark: (drawn) => {
        const without = total - drawn - unknown;
        return [
          ...(without > 0 ? [` No borrow could have come near for ${pairs(without)}.`] : []),
          ...(unknown > 0
            ? [` The window's end is unknown, or events were lost, for ${pairs(unknown)}.`]
            : []),
        ].join("");
      },
    },
    cells,
  );
}

/** Known distances by policy, pairs of fork and policy in all, and those of which nobody can tell. */
function distances(
  tables: ResultTables,
  ids: readonly string[],
): { readonly values: Quantities; readonly total: number; readonly unknown: number } {
  const rowOf = forkRowById(tables);
  const each = (visit: (batch: NearMissBatch, i: number, row: number, group: number) => void): void => {
    for (const batch of tables.near_misses.batches(["fork", "policy", "distance_ns", "ordered_by"])) {
      const fork = batch.column("fork").ints.data;
      const policy = batch.column("policy");
      const groups = policy.values.map((id) => ids.indexOf(id));
      for (let i = 0; i < batch.length; i++) {
        const row = rowOf(fork[i]!);
        const group = groups[policy.ints.data[i]!] ?? -1;
        if (row !== undefined && group >= 0) visit(batch, i, row, group);
      }
    }
  };
  let total = 0;
  let unknown = 0;
  each((batch, i) => {
    total++;
    if (batch.column("distance_ns").ns(i) === null && batch.get("ordered_by", i) === "window-unknown")
      unknown++;
  });
  const values: Quantities = (visit) =>
    each((batch, i, row, group) => {
      const distance = batch.column("distance_ns").ns(i);
      if (distance !== null && distance > 0) visit(row, group, distance);
    });
  return { values, total, unknown };
}

type NearMissBatch = ColumnTable<typeof NEAR_MISS_SPEC>;

const LEAVERS: readonly string[] = [...LEFT_BY, "unknown"];
const LEFT_COLORS = [
  PALETTE.blue,
  PALETTE.green,
  PALETTE.vermillion,
  PALETTE.purple,
  PALETTE.grey,
  "#555555",
] as const;

/** How long CPUs had held the mm lazily at the check, by who left them so; null: no count is above 1. */
export function lazyAgeChart(tables: ResultTables, cells: Cells): Chart | null {
  if (tables.denials.length === 0) return null;
  const rowOf = forkRowById(tables);
  const values: Quantities = (visit) =>
    eachLazy(tables, ({ fork, counter, leftBy, age }) => {
      const row = rowOf(fork);
      if (counter === "mm_count" && row !== undefined && age !== null && age > 0)
        visit(row, LEAVERS.indexOf(leftBy), age);
    });
  let unknown = 0;
  eachLazy(tables, ({ counter, age }) => {
    if (counter === "mm_count" && (age === null || age <= 0)) unknown++;
  });
  const rest = unknown > 0 ? ` ${plural(unknown, "reference")} of unknown age not drawn.` : "";
  return durationChart(
    {
      id: "lazy-age",
      title: "How old are the lazy references?",
      data: "lazyAge",
      groups: LEAVERS,
      values,
      colors: LEFT_COLORS,
      axes: { x: "age at the check", y: "share of references at most so old" },
      caption: "Age of lazy references at the check, one row a kind of task that left the CPU so",
      groupTitle: "left by",
      noun: (by, count) =>
        `${plural(count, "lazy reference")} left by ${by === "unknown" ? "an unknown task" : `the ${by}`}`,
      nothing: "No lazy reference has a known age.",
      remark: () => rest,
    },
    cells,
  );
}
