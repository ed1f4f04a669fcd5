// All charts of a report, in reading order.
import type { VerdictTables } from "../../table/verdict-tables.ts";
import type { Summary } from "../summary.ts";
import type { Chart } from "./chart.ts";
import { commandsChart } from "./commands.ts";
import { denialsChart } from "./denials.ts";
import { exposuresChart } from "./exposures.ts";
import { overTimeChart } from "./over-time.ts";
import { policiesChart } from "./policies.ts";
import { windowsChart } from "./windows.ts";

/** Specs with their data, aggregated: their size does not depend on the number of forks. */
export function allCharts(summary: Summary, tables: VerdictTables): Chart[] {
  return [
    policiesChart(summary),
    denialsChart(summary),
    overTimeChart(summary, tables),
    commandsChart(summary, tables),
    windowsChart(summary, tables),
    exposuresChart(summary),
  ];
}
