// The forms of a result other than report.html: text, Markdown, single charts, a timeline for Perfetto.
import { extname } from "node:path";
import { briefReport } from "../analyze/brief.ts";
import { briefMarkdown } from "../analyze/brief-markdown.ts";
import { briefText } from "../analyze/brief-text.ts";
import { type Chart, completeSpec } from "../analyze/charts/chart.ts";
import { allCharts } from "../analyze/charts/index.ts";
import { perfettoJson } from "../analyze/perfetto.ts";
import { printable } from "../analyze/plain-text.ts";
import type { Summary } from "../analyze/summary.ts";
import { UsageError } from "./exit.ts";
import { replaceFile, writeWhole } from "./files.ts";
import type { FilterCliOptions } from "./filter-options.ts";
import { filterResults } from "./filter-results.ts";
import { print } from "./output.ts";
import { type ReadResults, readResults, summaryOf } from "./results.ts";
import { quotePath, STDIN } from "./trace-input.ts";
import { TOOL_VERSION } from "./version.ts";

interface Read {
  readonly results: ReadResults;
  readonly summary: Summary;
}

async function read(dir: string, filter: FilterCliOptions): Promise<Read> {
  const results = await filterResults(dir, readResults(dir), filter);
  return { results, summary: summaryOf(results) };
}

/** Writes `text` to `out`, whole or not at all, and says so; to standard output where `out` is absent or "-". */
async function deliver(text: string, out: string | undefined, what: string): Promise<void> {
  if (out === undefined || out === STDIN) return await print(text);
  await replaceFile(out, (temporary) => writeWhole(temporary, text));
  await print(`${what}: ${quotePath(out)}`);
}

/** The report as plain text or Markdown. */
export async function writeBrief(
  dir: string,
  form: "text" | "markdown",
  options: FilterCliOptions & { readonly out?: string },
): Promise<void> {
  const { results, summary } = await read(dir, options);
  const blocks = briefReport(summary, results.tables, TOOL_VERSION);
  await deliver(form === "text" ? briefText(blocks) : briefMarkdown(blocks), options.out, "report");
}

/** The charts' ids and titles, one a line. */
export async function listCharts(dir: string, filter: FilterCliOptions): Promise<string> {
  const { results, summary } = await read(dir, filter);
  const charts = allCharts(summary, results.tables);
  return charts
    .map(({ id, title, spec }) => `${id.padEnd(18)} ${title}${spec === null ? " (nothing to draw)" : ""}`)
    .join("\n");
}

/** One chart as SVG, PNG or its Vega-Lite spec with data, by the ending of `out`. */
export async function writeChart(
  dir: string,
  id: string,
  out: string,
  filter: FilterCliOptions = {},
): Promise<void> {
  const form = extname(out).toLowerCase();
  if (form !== ".svg" && form !== ".png" && form !== ".json") {
    throw new UsageError(`-o ${quotePath(out)}: a chart is written as .svg, .png or .json (Vega-Lite)`);
  }
  const { results, summary } = await read(dir, filter);
  const charts = allCharts(summary, results.tables);
  const chart = charts.find((candidate) => candidate.id === id);
  if (chart === undefined) {
    throw new UsageError(
      `unknown chart ${JSON.stringify(id)}; known: ${charts.map((known) => known.id).join(", ")}`,
    );
  }
  if (chart.spec === null) throw new UsageError(`${id}: nothing to draw: ${printable(chart.description)}`);
  if (form === ".png") {
    const { pngOf } = await import("./png.ts");
    const png = await pngOf(await svgOf(chart));
    await replaceFile(out, (temporary) => writeWhole(temporary, png));
    await print(`chart: ${quotePath(out)}`);
    return;
  }
  const text = form === ".svg" ? await svgOf(chart) : `${JSON.stringify(completeSpec(chart), null, 2)}\n`;
  await deliver(text, out, "chart");
}

async function svgOf(chart: Chart): Promise<string> {
  const { compileCharts } = await import("../analyze/charts/compile.ts");
  const [compiled] = await compileCharts([chart]);
  return `${compiled?.svg ?? ""}\n`;
}

/** The findings as Chrome trace events. */
export async function writePerfetto(
  dir: string,
  options: FilterCliOptions & { readonly out?: string },
): Promise<void> {
  const { tables, metas } = await filterResults(dir, readResults(dir), options);
  await deliver(perfettoJson(tables, metas, TOOL_VERSION), options.out, "timeline");
}
