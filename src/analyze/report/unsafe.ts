// The report's table of unsafe windows: which fork, under which policies, and who used the mm where and how long,
// with the input lines to look at.
import { formatDuration, formatTimestamp, type TimeUnit } from "../../base/time.ts";
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { forkRowById, textAt } from "../rows.ts";
import { groupDigits, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import { dataTable, type Html, html, inputText } from "./html.ts";

const MOST_WINDOWS = 200;
/** More intervals than this in one window are counted, not listed. */
const MOST_INTERVALS = 8;
/** Ignores threads on purpose (a negative control): windows unsafe only there come last. */
const CONTROL = "mm-count-only";

interface UnsafeFork {
  readonly row: number;
  readonly policies: string[];
}

/** The windows that are unsafe under any policy, worst first. */
export function unsafeSection(summary: Summary, tables: VerdictTables, unit: TimeUnit): Html {
  const unsafe = unsafeForks(tables);
  const heading = html`<h2 id="unsafe">Unsafe windows</h2>`;
  if (unsafe.length === 0) {
    const unsure = Object.values(summary.policies).some((policy) => policy.unsafe_indeterminate > 0);
    const rest = unsure ? " For some the trace cannot tell; see the column unsure above." : "";
    return html`<section>${heading}<p>No window is unsafe under any policy replayed.${rest}</p></section>\n`;
  }
  const shown = unsafe.slice(0, MOST_WINDOWS);
  const intervals = intervalsByFork(
    tables,
    new Set(shown.map(({ row }) => tables.forks.get("fork", row) ?? -1)),
  );
  const number = true;
  const columns = [
    { title: "fork", isNumber: number },
    { title: "check at" },
    { title: "command" },
    { title: "tid", isNumber: number },
    { title: "CPU", isNumber: number },
    { title: "class" },
    { title: "exposed", isNumber: number },
    { title: "unsafe under" },
    { title: "used elsewhere by (interval since the check)" },
    { title: "input" },
  ];
  const rows = shown.map((fork) => windowRow(fork, summary, tables, intervals, unit));
  const more = unsafe.length - shown.length;
  return html`<section>${heading}
<p>${plural(unsafe.length, "fork")} ${unsafe.length === 1 ? "is" : "are"} unsafe under at least one policy; worst first, those unsafe
only under the negative control <code>${CONTROL}</code> last.${more > 0 ? ` ${groupDigits(more)} more are in tables/verdicts.arrow.` : ""}</p>
${dataTable("One row an unsafe window", columns, rows)}</section>
`;
}

function unsafeForks(tables: VerdictTables): UnsafeFork[] {
  const { verdicts, forks } = tables;
  const verdict = verdicts.column("verdict");
  const unsafe = verdict.values.indexOf("unsafe");
  const policy = verdicts.column("policy");
  const fork = verdicts.column("fork").ints.data;
  const rowOf = forkRowById(tables);
  const byRow = new Map<number, UnsafeFork>();
  for (let i = 0; unsafe >= 0 && i < verdicts.length; i++) {
    if (verdict.ints.data[i] !== unsafe) continue;
    const row = rowOf(fork[i]!);
    if (row === undefined) continue;
    const entry = byRow.get(row) ?? { row, policies: [] };
    entry.policies.push(textAt(policy, policy.ints.data[i]) ?? "");
    byRow.set(row, entry);
  }
  const isControl = ({ policies }: UnsafeFork): number => (policies.every((id) => id === CONTROL) ? 1 : 0);
  const exposed = new Map([...byRow.keys()].map((row) => [row, Number(forks.get("exposed_ns", row) ?? 0n)]));
  return [...byRow.values()].sort(
    (a, b) => isControl(a) - isControl(b) || exposed.get(b.row)! - exposed.get(a.row)! || a.row - b.row,
  );
}

/** Exposure rows of the given fork ids. */
function intervalsByFork({ exposures }: VerdictTables, wanted: ReadonlySet<number>): Map<number, number[]> {
  const fork = exposures.column("fork").ints.data;
  const out = new Map<number, number[]>();
  for (let row = 0; row < exposures.length; row++) {
    const id = fork[row]!;
    if (!wanted.has(id)) continue;
    const rows = out.get(id);
    if (rows === undefined) out.set(id, [row]);
    else rows.push(row);
  }
  return out;
}

function windowRow(
  { row, policies }: UnsafeFork,
  summary: Summary,
  tables: VerdictTables,
  intervals: ReadonlyMap<number, readonly number[]>,
  unit: TimeUnit,
): Html[] {
  const fork = tables.forks.row(row);
  // The last component: the whole path stands under Provenance.
  const path = (summary.traces[fork.trace ?? 0]?.path ?? "").replace(/^.*\//s, "");
  const id = fork.fork ?? row;
  const listed = intervals.get(id) ?? [];
  const items = listed
    .slice(0, MOST_INTERVALS)
    .map((i) => intervalItem(tables, i, fork.start_ns ?? 0n, path, unit));
  const more = listed.length - items.length;
  return [
    html`<a id="fork-${id}" href="#fork-${id}">${id}</a>`,
    html`${formatTimestamp(fork.start_ns ?? 0n, unit)}`,
    inputText(fork.comm),
    html`${fork.tid}`,
    html`${fork.cpu}`,
    html`${fork.exposure}`,
    html`${fork.exposed_ns === null ? "unknown" : formatDuration(Number(fork.exposed_ns), unit)}`,
    html`<ul class="plain">${policies.map((id) => html`<li><code>${id}</code></li>`)}</ul>`,
    html`<ul class="plain">${items}${more > 0 ? html`<li>${plural(more, "more interval")}</li>` : null}</ul>`,
    html`<ul class="plain"><li>check ${place(path, fork.line)}</li><li>end ${place(path, fork.end_line)}</li></ul>`,
  ];
}

function intervalItem(
  { exposures }: VerdictTables,
  row: number,
  check: bigint,
  path: string,
  unit: TimeUnit,
): Html {
  const { class: kind, cpu, tid, comm, start_ns, end_ns, line } = exposures.row(row);
  const since = (ns: bigint | null): string => (ns === null ? "?" : formatDuration(Number(ns - check), unit));
  return html`<li>${kind} ${inputText(comm)} tid ${tid} on CPU ${cpu}, ${since(start_ns)} to ${since(end_ns)}, ${place(path, line)}</li>`;
}

function place(path: string, line: number | null): Html {
  return line === null || line === 0
    ? html`<span class="none">no line</span>`
    : html`<bdi class="input">${path}:${line}</bdi>`;
}
