// All charts of a report, in reading order.
import type { ResultTables } from "../../table/verdict-tables.ts";
import type { Summary } from "../summary.ts";
import { type Cells, cellsOf } from "./cells.ts";
import type { Chart } from "./chart.ts";
import { commandsChart } from "./commands.ts";
import { denialsChart } from "./denials.ts";
import { waitsChart, windowsChart } from "./durations.ts";
import { evidenceChart } from "./evidence.ts";
import { exposuresChart } from "./exposures.ts";
import { lazyCpusChart } from "./lazy-cpus.ts";
import { lazyAgeChart, nearMissesChart } from "./near-misses.ts";
import { outcomeCube } from "./outcome-cube.ts";
import { type Gap, overTimeChart } from "./over-time.ts";
import { policiesChart } from "./policies.ts";

/**
 * Specs with their data, aggregated: their size does not depend on the number of forks. `gaps`: where events were
 * lost; null when the events are not at hand. `cells`: as cellsOf gives them.
 */
export function allCharts(
  summary: Summary,
  tables: ResultTables,
  gaps: readonly Gap[] | null = null,
  cells: Cells = cellsOf(summary, tables),
): Chart[] {
  const cube = outcomeCube(tables, cells, Object.keys(summary.policies));
  const charts = [
    policiesChart(summary, cells, cube),
    overTimeChart(summary, cells, cube, gaps),
    denialsChart(summary, tables, cells),
    commandsChart(summary, cells, cube),
    exposuresChart(summary, tables, cells),
    lazyCpusChart(summary, tables, cells),
    lazyAgeChart(tables, cells),
    windowsChart(tables, cells),
    waitsChart(summary, tables, cells),
    nearMissesChart(summary, tables, cells),
    evidenceChart(summary),
  ];
  return charts.filter((chart) => chart !== null);
}
