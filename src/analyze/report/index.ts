// The report: one self-contained HTML file that opens from disk without a network. Fed with the tables and the
// summary; every figure in it is the summary's.
import type { TraceMeta } from "../../table/event-batch.ts";
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { compileCharts } from "../charts/compile.ts";
import { allCharts } from "../charts/index.ts";
import { plural } from "../statistics.ts";
import { commonUnit, type Summary } from "../summary.ts";
import { answerSection, policiesSection } from "./answer.ts";
import { html, inputText, trusted } from "./html.ts";
import { pageScripts } from "./scripts.ts";
import {
  chartsSection,
  claimsSection,
  missingSection,
  problemsSection,
  provenanceSection,
} from "./sections.ts";
import { STYLE } from "./style.ts";
import { unsafeSection } from "./unsafe.ts";

export interface ReportInput {
  readonly tables: VerdictTables;
  readonly metas: readonly TraceMeta[];
  readonly summary: Summary;
  readonly toolVersion: string;
  /** Text of vega.min.js; specs are compiled beforehand, so the page does not need Vega-Lite. */
  readonly vegaSources: { readonly vega: string };
}

/** The whole page. Same input, same bytes. */
export async function renderReport(input: ReportInput): Promise<string> {
  const { tables, metas, summary, toolVersion, vegaSources } = input;
  const charts = await compileCharts(allCharts(summary, tables));
  const scripts = pageScripts(charts, vegaSources.vega);
  const unit = commonUnit(summary);
  const names = summary.traces.map((trace) => inputText(trace.path)).slice(0, 3);
  const rest = summary.traces.length - names.length;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(scripts.policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="forkcast ${toolVersion}">
<link rel="icon" href="data:,">
<title>forkcast: ${plural(summary.forks.total, "fork")} in ${plural(summary.traces.length, "trace")}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<h1>Would the optimized fork have been taken, and safely?</h1>
<p class="soft">${names.map((name, i) => html`${i > 0 ? ", " : null}${name}`)}${rest > 0 ? ` and ${rest} more` : null}</p>
${answerSection(summary)}
${policiesSection(summary, unit)}
${chartsSection(charts)}
${unsafeSection(summary, tables, unit)}
${claimsSection(summary)}
${missingSection(summary)}
${problemsSection(summary, tables)}
${provenanceSection(summary, metas, toolVersion)}
</main>
${scripts.elements}</body>
</html>
`;
  return page.markup;
}
