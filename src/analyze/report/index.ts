// The report: one self-contained HTML file that opens from disk without a network. Fed with the tables and the
// summary; every figure in it is the summary's or a table's.
import type { EventTable, TraceMeta } from "../../table/event-batch.ts";
import type { ResultTables } from "../../table/verdict-tables.ts";
import { cellsOf } from "../charts/cells.ts";
import { allCharts } from "../charts/index.ts";
import { plural } from "../figure-text.ts";
import { commonUnit, type Summary } from "../summary.ts";
import { answerSection } from "./answer.ts";
import { chartsSection } from "./charts.ts";
import { Figures } from "./figures.ts";
import { html, inputText, trusted } from "./html.ts";
import { interestingWindows } from "./interesting.ts";
import { policiesSection } from "./policies.ts";
import { type ChartLibraries, pageScripts } from "./scripts.ts";
import { claimsSection, missingSection, problemsSection, provenanceSection } from "./sections.ts";
import { STYLE } from "./style.ts";
import { readWindows } from "./window-events.ts";
import { MOST_UNSAFE, shownForks, windowsSection } from "./windows.ts";

export interface ReportInput {
  readonly tables: ResultTables;
  readonly metas: readonly TraceMeta[];
  readonly summary: Summary;
  readonly toolVersion: string;
  /** Options that bear on the results, as typed. */
  readonly options?: readonly string[];
  /** The events, by trace index, for the drawings of windows; absent: those are left out, and the page says so. */
  readonly events?: readonly EventTable[];
  readonly libraries: ChartLibraries;
}

const SECTIONS = [
  ["answer", "Answer"],
  ["policies", "Policies"],
  ["charts", "Charts"],
  ["unsafe", "Windows"],
  ["claims", "Claims"],
  ["missing", "What it cannot tell"],
  ["problems", "Problems"],
  ["provenance", "Provenance"],
] as const;

/** The whole page. Same input, same bytes. */
export async function renderReport(input: ReportInput): Promise<string> {
  const { tables, metas, summary, toolVersion, events, libraries, options = [] } = input;
  const unit = commonUnit(summary);
  const figures = new Figures(summary, unit);
  const choice = interestingWindows(tables, MOST_UNSAFE);
  const shown = shownForks(tables, choice);
  const drawn = new Map(
    [...choice.drawn.values()].flat().flatMap((row) => {
      const fork = shown.get(row);
      return fork === undefined ? [] : [[row, fork]];
    }),
  );
  const recorded = events === undefined ? null : await readWindows(drawn, events);
  const cells = cellsOf(summary, tables);
  const charts = allCharts(summary, tables, recorded?.gaps ?? null, cells);
  const scripts = pageScripts(charts, libraries, STYLE);
  const names = summary.traces.map((trace) => inputText(trace.path)).slice(0, 3);
  const rest = summary.traces.length - names.length;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(scripts.policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="forkcast ${toolVersion}">
<title>forkcast: ${plural(summary.forks.total, "fork")} in ${plural(summary.traces.length, "trace")}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#answer">To the answer</a>
<header><h1>Would the optimized fork have been taken, and safely?</h1>
<p class="soft">${names.map((name, i) => html`${i > 0 ? ", " : null}${name}`)}${rest > 0 ? ` and ${rest} more` : null}</p>
<nav aria-label="Sections">${SECTIONS.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}<button type="button" id="theme" hidden>Theme: auto</button></nav></header>
<main>
${answerSection(figures)}
${policiesSection(figures)}
${chartsSection(summary, charts, cells)}
${windowsSection({ tables, metas, choice, shown, recorded, unit })}
${claimsSection(summary)}
${missingSection(summary)}
${problemsSection(summary, tables)}
${provenanceSection(summary, metas, toolVersion, options)}
</main>
${scripts.elements}</body>
</html>
`;
  return page.markup;
}
