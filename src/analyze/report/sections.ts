// The report's remaining sections: claims, what the trace could not tell, problems, assumptions, provenance.

import { formatDuration } from "../../base/time.ts";
import type { TraceMeta } from "../../table/event-batch.ts";
import type { ResultTables } from "../../table/verdict-tables.ts";
import { groupDigits, plural } from "../figure-text.ts";
import type { Summary } from "../summary.ts";
import { needsOfWaits } from "./answer.ts";
import { dataTable, type Html, type HtmlValue, html, inputText } from "./html.ts";

export function claimsSection({ claims }: Summary): Html {
  const marks = { holds: "✓ holds", fails: "✗ fails", "not-evaluable": "? not evaluable" } as const;
  const rows = claims.map(({ id, claim, who, when, verdict, detail, evidence, needs }) => [
    html`<span id="claim-${id}">${claim}</span> <a class="soft" href="#claim-${id}"><code>${id}</code></a>`,
    { sort: when, show: html`${who}, <time datetime="${when}">${when}</time>` },
    marks[verdict],
    html`<bdi dir="ltr">${detail}</bdi>`,
    evidence ?? html`<span class="none">none</span>`,
    needs ?? "",
  ]);
  const columns = ["claim", "who, when", "verdict here", "figure", "evidence", "a verdict needs"].map(
    (title) => ({ title }),
  );
  return html`<section aria-labelledby="claims"><h2 id="claims">Claims of the discussion</h2>
${dataTable("Claims made when the optimized fork was discussed, judged on this recording alone", columns, rows)}</section>
`;
}

export function missingSection(summary: Summary): Html {
  const { missing, assumptions, claims, filter } = summary;
  const waits = needsOfWaits(summary);
  const open = claims.filter(({ verdict }) => verdict === "not-evaluable");
  const rows = missing.map(({ probe, would_tell, forks }) => [
    html`<code>${probe}</code>`,
    would_tell,
    groupDigits(forks),
  ]);
  const columns = [
    { title: "probe or event" },
    { title: "would have told" },
    {
      title: filter === null ? "forks undecided" : `undecided of all ${groupDigits(filter.recorded)}`,
      isNumber: true,
    },
  ];
  const table =
    missing.length === 0
      ? html`<p>No fork is left undecided for want of a known probe.</p>`
      : dataTable("What was not recorded", columns, rows);
  const list = assumptions.map((sentence) => html`<li>${sentence}</li>`);
  return html`<section aria-labelledby="missing"><h2 id="missing">What this recording cannot tell</h2>
${table}
${waits === null ? null : html`<p>Waits are not evaluable: ${waits}.</p>`}
${open.length === 0 ? null : html`<p>Claims without a verdict: ${open.map(({ id, needs }, i) => html`${i > 0 ? "; " : null}<code>${id}</code>${needs === null ? null : html` needs ${needs}`}`)}.</p>`}
<p>To record the rest: <code>forkcast recipe</code> prints a script that arms every probe, <code>forkcast doctor TRACE</code> says what a
recording can answer before it is analyzed.</p></section>
<section aria-labelledby="assumptions"><h2 id="assumptions">Assumptions</h2>
${assumptions.length === 0 ? html`<p>None beyond the kernel rules above.</p>` : html`<ul>${list}</ul>`}</section>
`;
}

export function problemsSection({ traces }: Summary, { problems }: Pick<ResultTables, "problems">): Html {
  const heading = html`<h2 id="problems">Problems of the input</h2>`;
  if (problems.length === 0)
    return html`<section aria-labelledby="problems">${heading}<p>None.</p></section>\n`;
  const rows: HtmlValue[][] = [];
  for (let row = 0; row < problems.length; row++) {
    const { code, severity, source, count, first_line, sample, trace, meaning } = problems.row(row);
    const path = traces[trace ?? 0]?.path ?? "";
    const where = first_line === null || first_line === 0 ? html`` : inputText(`${path}:${first_line}`);
    rows.push([
      html`<code>${code}</code>`,
      severity,
      source,
      groupDigits(count ?? 0),
      where,
      inputText(sample),
      meaning,
    ]);
  }
  const columns = [
    { title: "code" },
    { title: "severity" },
    { title: "whose" },
    { title: "count", isNumber: true },
    { title: "first" },
    { title: "sample" },
    { title: "meaning" },
  ];
  return html`<section aria-labelledby="problems">${heading}
${dataTable("One row a kind of defect; whose: the recorder's (record again) or forkcast's (report it)", columns, rows)}</section>
`;
}

/** Where the figures come from: enough to run it again and compare. */
export function provenanceSection(
  summary: Summary,
  metas: readonly TraceMeta[],
  toolVersion: string,
  options: readonly string[],
): Html {
  const columns = [
    { title: "file" },
    { title: "format" },
    { title: "clock" },
    { title: "kernel" },
    { title: "rules of" },
    { title: "CPUs", isNumber: true },
    { title: "span", isNumber: true },
    { title: "lines", isNumber: true },
    { title: "events", isNumber: true },
    { title: "lost", isNumber: true },
    { title: "SHA-256 of the file" },
  ];
  const rows = summary.traces.map((trace) => [
    inputText(trace.path),
    trace.format,
    trace.clock,
    trace.kernel === "" ? html`<span class="none">unknown</span>` : trace.kernel,
    `${trace.kernel_rules} (${trace.kernel_rules_from})`,
    groupDigits(trace.cpus),
    formatDuration(trace.span_ns, trace.time_unit),
    groupDigits(trace.lines),
    groupDigits(trace.events),
    trace.lost_events === null ? "some, number unknown" : groupDigits(trace.lost_events),
    trace.sha256 === null
      ? html`<span class="none">not kept</span>`
      : html`<code class="hash">${trace.sha256}</code>`,
  ]);
  return html`<section aria-labelledby="provenance"><h2 id="provenance">Provenance</h2>
${dataTable("One row an input", columns, rows)}
${metas.map((meta, i) => probesDetails(meta, i))}
<p>Made by forkcast ${toolVersion}${options.length === 0 ? " without options" : html` with <code>${options.join(" ")}</code>`}; tables of schema ${summary.schema_version}. The same numbers are in summary.json, every row in tables/*.arrow.</p></section>
`;
}

function probesDetails({ path, probes, skipped }: TraceMeta, index: number): Html {
  const rows = probes.map(({ event, func, by, count }) => [
    inputText(event),
    func === "" ? "not recognised" : html`<code>${func}</code>`,
    by,
    groupDigits(count),
  ]);
  const columns = [
    { title: "event" },
    { title: "function" },
    { title: "recognised by" },
    { title: "count", isNumber: true },
  ];
  const unused = Object.entries(skipped).map(
    ([event, n]) => html`<li>${inputText(event)} ${groupDigits(n)}</li>`,
  );
  return html`<details><summary>${plural(probes.length, "probe")} in ${inputText(path)}, ${plural(unused.length, "event")} without use</summary>
${dataTable(`Probes in input ${index + 1}`, columns, rows)}${unused.length > 0 ? html`<ul>${unused}</ul>` : null}</details>
`;
}
