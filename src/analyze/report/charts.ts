// The charts of the page: the reader's selections, and a figure a chart with its sentence, its table, its CSV and its
// spec. The picture is drawn by the page's script; everything else is there without it.
import type { cellsOf } from "../charts/cells.ts";
import type { Cell, Chart, ChartTable } from "../charts/chart.ts";
import { csvText } from "../csv.ts";
import { groupDigits } from "../figure-text.ts";
import { referencePolicy } from "../policy-summary.ts";
import type { Summary } from "../summary.ts";
import { dataTable, type Html, html, type TableCell } from "./html.ts";

/** Selections, then figures. `cells` as the charts have them. */
export function chartsSection(
  summary: Summary,
  charts: readonly Chart[],
  cells: ReturnType<typeof cellsOf>,
): Html {
  const isDrawn = charts.some(({ spec }) => spec !== null);
  return html`<section aria-labelledby="charts"><h2 id="charts">Charts</h2>
${isDrawn ? html`<noscript><p>The pictures need scripts. Each chart's table has the same figures without them.</p></noscript>` : null}
${isDrawn ? controls(summary, cells) : null}
<div class="charts">
${charts.map(figure)}</div></section>
`;
}

function controls(summary: Summary, { commands, span, isTicks }: ReturnType<typeof cellsOf>): Html {
  const ids = Object.keys(summary.policies);
  const reference = referencePolicy(summary.policies);
  const unit = isTicks ? "ticks" : "s";
  const policies = ids.map((id) => html`<option${id === reference ? html` selected` : null}>${id}</option>`);
  const options = commands.map((name, i) => html`<option value="${i}">${name}</option>`);
  const time = (id: string, label: string, value: number): Html =>
    html`<label>${label} <input type="number" id="${id}" min="0" max="${span}" step="any" value="${value}" data-initial="${value}"> ${unit}</label>`;
  return html`<form class="controls" id="controls" aria-label="What the charts show" hidden>
<label>policy <select id="policy">${policies}</select></label>
<label>command <select id="command"><option value="">all commands</option>${options}</select></label>
${time("from", "from", 0)} ${time("to", "to", span)}
<button type="reset">Show all</button>
<p id="shown" role="status"></p>
</form>
`;
}

function figure({ id, title, description, spec, table, obeys }: Chart): Html {
  const picture =
    spec === null
      ? null
      : html`<div class="plot" id="plot-${id}" role="img" aria-label="${title} ${description}"></div>\n`;
  const fixed =
    spec !== null && obeys.length === 0 ? html` <span class="soft">No selection narrows it.</span>` : null;
  return html`<figure id="chart-${id}"><figcaption><h3>${title}</h3><p>${description}${fixed}</p></figcaption>
${picture}${table === null ? null : tableDetails(id, table)}${spec === null ? null : specDetails(id)}</figure>
`;
}

function tableDetails(id: string, { caption, columns, rows }: ChartTable): Html {
  const csv = csvText(
    columns.map(({ title }) => title),
    rows.map((cells) => cells.map(({ value }) => value)),
  );
  const link = html`<a download="forkcast-${id}.csv" href="data:text/csv;charset=utf-8,${encodeURIComponent(csv)}">Download CSV</a>`;
  return html`<details><summary>Table</summary>
${dataTable(
  caption,
  columns,
  rows.map((cells) => cells.map(shown)),
  `table-${id}`,
)}<p>${link}</p></details>
`;
}

function shown({ value, text }: Cell): TableCell {
  if (value === null) return "";
  if (typeof value === "number")
    return {
      sort: value,
      show: html`<data value="${value}">${text ?? (Number.isInteger(value) ? groupDigits(value) : String(value))}</data>`,
    };
  return html`<bdi>${text ?? value}</bdi>`;
}

function specDetails(id: string): Html {
  return html`<details class="spec" data-chart="${id}" hidden><summary>View Vega-Lite</summary></details>
`;
}
