// Windows one by one: the table of unsafe forks, then for each chosen window its facts, its drawing, the events that
// decide it with their input lines, and the command that prints it again.

import { assert } from "../../base/assert.ts";
import { formatDuration, formatTimestamp, type TimeUnit } from "../../base/time.ts";
import type { RowOf, TableRows, TableSpec } from "../../table/columns.ts";
import type { TraceMeta } from "../../table/event-batch.ts";
import type {
  BlockRow,
  ExposureRow,
  ForkRow,
  NearMissRow,
  ResultTables,
  VerdictRow,
} from "../../table/verdict-tables.ts";
import { EXPOSURE_MEANING } from "../charts/exposures.ts";
import { groupDigits, plural } from "../figure-text.ts";
import { rowsAt } from "../rows.ts";
import { groupsBy, listOf } from "./figures.ts";
import { dataTable, type Html, html, inputText } from "./html.ts";
import { type Choice, CONTROL, KINDS, type WindowKind } from "./interesting.ts";
import { lanesLegend, type Shade, swimLanes } from "./swim-lanes.ts";
import { kindName, type Recorded, type WindowEvent, type WindowRecord } from "./window-events.ts";

/** Rows of the table of unsafe forks. */
export const MOST_UNSAFE = 200;
/** Events listed a window; those that name the mm or bound an exposure go first. */
const MOST_LISTED = 40;

const TITLES: Readonly<Record<WindowKind, string>> = {
  unsafe: "Unsafe",
  indeterminate: "Safe or unsafe cannot be told",
  closest: "Closest misses",
  slowest: "Longest windows",
};

const LISTING: Readonly<Record<WindowKind, string>> = {
  unsafe: "SELECT DISTINCT fork FROM verdicts WHERE verdict = 'unsafe'",
  indeterminate: "SELECT DISTINCT fork FROM verdicts WHERE decision = 'fast' AND verdict = 'indeterminate'",
  closest: "SELECT fork, min(distance_ns) AS ns FROM near_misses GROUP BY fork ORDER BY ns NULLS LAST",
  slowest: "SELECT fork, end_ns - start_ns AS ns FROM forks ORDER BY ns DESC NULLS LAST",
};

export interface WindowsInput {
  readonly tables: ResultTables;
  readonly metas: readonly TraceMeta[];
  readonly choice: Choice;
  /** Rows of `forks` that are drawn or listed. */
  readonly shown: ReadonlyMap<number, ForkRow>;
  /** null: the events are not at hand, so nothing is drawn. */
  readonly recorded: Recorded | null;
  readonly unit: TimeUnit;
}

/** The section. */
export function windowsSection(input: WindowsInput): Html {
  const byFork = {
    exposures: rowsByFork(input, input.tables.exposures),
    blocks: rowsByFork(input, input.tables.blocks),
    nearMisses: rowsByFork(input, input.tables.near_misses),
    verdicts: rowsByFork(input, input.tables.verdicts),
  };
  const parts = KINDS.filter((kind) => (input.choice.drawn.get(kind) ?? []).length > 0).map((kind) => {
    const rows = input.choice.drawn.get(kind)!;
    const total = input.choice.total.get(kind)!;
    const left = kind === "slowest" ? 0 : total - rows.length;
    const more =
      left > 0
        ? html` ${groupDigits(left)} more are not drawn; list them with <code>forkcast query DIR "${LISTING[kind]}"</code>.`
        : null;
    const intro =
      kind === "slowest"
        ? html`The ${groupDigits(rows.length)} longest that are not above.`
        : html`${plural(total, "fork")}.${more}`;
    return html`<h3>${TITLES[kind]}</h3><p>${intro}</p>
${rows.map((row) => windowArticle(input, byFork, row))}`;
  });
  const none =
    input.choice.unsafe.length === 0 ? html`<p>No window is unsafe under any policy replayed.</p>` : null;
  const legend =
    input.recorded === null
      ? html`<p>The events are not beside the tables, so the windows are not drawn.</p>`
      : lanesLegend();
  return html`<section aria-labelledby="unsafe"><h2 id="unsafe">Windows one by one</h2>
${none}${unsafeTable(input)}
${parts.length > 0 ? html`<p>In the drawings ● is the forker's CPU at the check. DIR stands for the directory that forkcast wrote this report into.</p>${legend}${parts}` : null}</section>
`;
}

type ByFork = {
  readonly exposures: ReadonlyMap<number, readonly ExposureRow[]>;
  readonly blocks: ReadonlyMap<number, readonly BlockRow[]>;
  readonly nearMisses: ReadonlyMap<number, readonly NearMissRow[]>;
  readonly verdicts: ReadonlyMap<number, readonly VerdictRow[]>;
};

/** The forks that are drawn or listed. */
export function shownForks({ forks }: ResultTables, choice: Choice): Map<number, ForkRow> {
  return rowsAt(forks, [...choice.unsafe.map(({ row }) => row), ...[...choice.drawn.values()].flat()]);
}

/** Rows of the forks that are drawn or listed. */
function rowsByFork<S extends TableSpec & { readonly fork: "i32" }>(
  { shown }: WindowsInput,
  table: TableRows<S>,
): Map<number, RowOf<S>[]> {
  const forkAt = new Map<number, number>();
  const out = new Map<number, RowOf<S>[]>([...shown].map(([row, { fork }]) => [fork ?? row, []]));
  for (const batch of table.batches(["fork"])) {
    const fork = batch.column("fork").ints.data;
    for (let i = 0; i < batch.length; i++) if (out.has(fork[i]!)) forkAt.set(batch.first + i, fork[i]!);
  }
  for (const [at, row] of rowsAt(table, forkAt.keys())) out.get(forkAt.get(at) ?? -1)?.push(row);
  return out;
}

function shownFork({ shown }: WindowsInput, row: number): ForkRow {
  const fork = shown.get(row);
  assert(fork !== undefined, `fork row ${row} is shown`);
  return fork;
}

function fileOf({ metas }: WindowsInput, fork: ForkRow): string {
  return (metas[fork.trace ?? 0]?.path ?? "").replace(/^.*\//s, "");
}

function place(file: string, line: number | null): Html {
  return line === null || line === 0
    ? html`<span class="none">no line</span>`
    : html`<bdi class="input">${file}:${line}</bdi>`;
}

function unsafeTable(input: WindowsInput): Html | null {
  const { choice, unit } = input;
  if (choice.unsafe.length === 0) return null;
  const total = choice.total.get("unsafe") ?? 0;
  const drawn = new Set([...choice.drawn.values()].flat());
  const rows = choice.unsafe.map(({ row, policies }) => {
    const fork = shownFork(input, row);
    const id = fork.fork ?? row;
    // The window's own heading has the anchor when there is one.
    const link = drawn.has(row)
      ? html`<a href="#fork-${id}">${id}</a>`
      : html`<a id="fork-${id}" href="#fork-${id}">${id}</a>`;
    const exposed =
      fork.exposed_ns === null
        ? "unknown"
        : html`<data value="${String(fork.exposed_ns)}">${formatDuration(Number(fork.exposed_ns), unit)}</data>`;
    return [
      { sort: id, show: link },
      { sort: String(fork.start_ns ?? 0n), show: formatTimestamp(fork.start_ns ?? 0n, unit) },
      inputText(fork.comm),
      html`${fork.tid}`,
      html`${fork.cpu}`,
      html`${fork.exposure} <span class="soft">${EXPOSURE_MEANING[fork.exposure ?? ""] ?? ""}</span>`,
      { sort: Number(fork.exposed_ns ?? -1n), show: exposed },
      html`${policies.map((policy, i) => html`${i > 0 ? ", " : ""}<code>${policy}</code>`)}`,
      html`${place(fileOf(input, fork), fork.line)}`,
    ];
  });
  const columns = [
    { title: "fork", isNumber: true },
    { title: "check at" },
    { title: "command" },
    { title: "tid", isNumber: true },
    { title: "CPU", isNumber: true },
    { title: "class" },
    { title: "exposed", isNumber: true },
    { title: "unsafe under" },
    { title: "check in the input" },
  ];
  const left = total - choice.unsafe.length;
  const more =
    left > 0 ? html` ${groupDigits(left)} more: <code>forkcast query DIR "${LISTING.unsafe}"</code>.` : null;
  return html`<p><strong class="bad">▲&nbsp;${plural(total, "fork")}</strong> ${total === 1 ? "is" : "are"} unsafe under at least one policy; worst first, those
unsafe only under the negative control <code>${CONTROL}</code> last.${more}</p>
${dataTable("Unsafe windows, one row a fork", columns, rows, "table-unsafe")}`;
}

function windowArticle(input: WindowsInput, byFork: ByFork, row: number): Html {
  const { metas, unit, recorded } = input;
  const fork = shownFork(input, row);
  const id = fork.fork ?? row;
  const meta = metas[fork.trace ?? 0];
  const record = recorded?.windows.get(row);
  const exposures = byFork.exposures.get(id) ?? [];
  const drawing =
    record === undefined || meta === undefined || fork.end_ns === null
      ? null
      : drawn(record, fork, exposures, meta, unit);
  const length =
    fork.end_ns === null
      ? "cut off by the end of the trace"
      : formatDuration(Number(fork.end_ns - (fork.start_ns ?? 0n)), unit);
  return html`<article class="fork" aria-labelledby="fork-${id}"><h4 id="fork-${id}"><a href="#fork-${id}">Fork ${id}</a>: ${inputText(fork.comm)} tid ${fork.tid}, CPU ${fork.cpu}, window ${length}</h4>
<p>${verdictWords(byFork.verdicts.get(id) ?? [])}</p>
<p class="soft">Check at ${formatTimestamp(fork.start_ns ?? 0n, unit)} (${fork.start_by}), end by ${fork.end_by ?? "nothing seen"}; window ${fork.window}. mm_users ${countWords(fork.mm_users, fork.mm_users_evidence)}, mm_count ${countWords(fork.mm_count, fork.mm_count_evidence)}, lazy CPUs ${fork.lazy_cpus === null ? "unknown" : fork.lazy_cpus}.${fork.doubts.length > 0 ? ` In doubt: ${fork.doubts.join(", ")}.` : ""}</p>
${drawing === null ? null : html`<div class="plot">${drawing}</div>`}
${usesList(input, fork, exposures)}${nearMissList(input, fork, byFork.nearMisses.get(id))}${waitsList(input, fork, byFork.blocks.get(id) ?? [])}
${record === undefined ? null : eventDetails(input, fork, record.events, record.left, exposures)}
<p>Again: <code>forkcast explain DIR ${id}</code></p></article>
`;
}

function countWords(count: number | null, evidence: string | null): string {
  return count === null ? "unknown" : `${count} (${evidence})`;
}

function verdictWords(rows: readonly VerdictRow[]): Html {
  const words = new Map<string, string[]>();
  for (const { policy, decision, verdict, denied_by } of rows) {
    const word =
      decision === "slow"
        ? `slow${denied_by.length > 0 ? ` (${denied_by.join(", ")})` : ""}`
        : decision === "fast"
          ? `fast, ${verdict ?? "unsure"}`
          : "indeterminate";
    words.set(word, [...(words.get(word) ?? []), policy ?? ""]);
  }
  const parts = [...words].map(([word, policies], i) => {
    const shown = word === "fast, unsafe" ? html`<strong class="bad">▲&nbsp;${word}</strong>` : html`${word}`;
    return html`${i > 0 ? "; " : ""}${shown}: ${policies.map((policy, j) => html`${j > 0 ? ", " : ""}<code>${policy}</code>`)}`;
  });
  return html`${parts}.`;
}

function drawn(
  record: WindowRecord,
  fork: ForkRow,
  exposures: readonly ExposureRow[],
  meta: TraceMeta,
  unit: TimeUnit,
): Html {
  const since = (ns: bigint | null): number => Number((ns ?? 0n) - meta.epochNs);
  const shades = exposures.map((exposure): Shade => {
    const { class: kind, cpu, tid, comm, start_ns, end_ns } = exposure;
    return {
      cpu: cpu ?? -1,
      from: since(start_ns),
      to: since(end_ns ?? start_ns),
      label: `${kind} ${comm ?? "?"} tid ${tid} on CPU ${cpu}`,
      isLazy: kind === "U4" || kind === "U4b",
    };
  });
  return swimLanes({
    fork: fork.fork ?? record.row,
    record,
    start: since(fork.start_ns),
    end: since(fork.end_ns),
    cpu: fork.cpu ?? -1,
    tid: fork.tid ?? -1,
    comm: fork.comm ?? "?",
    shades,
    unit,
  });
}

function usesList(input: WindowsInput, fork: ForkRow, exposures: readonly ExposureRow[]): Html | null {
  if (exposures.length === 0) return null;
  const start = fork.start_ns ?? 0n;
  const since = (ns: bigint | null): string =>
    ns === null ? "?" : `+${formatDuration(Number(ns - start), input.unit)}`;
  const items = exposures
    .slice(0, 12)
    .map(
      ({ class: kind, cpu, tid, comm, start_ns, end_ns, line }) =>
        html`<li>${kind} (${EXPOSURE_MEANING[kind ?? ""] ?? ""}): ${inputText(comm)} tid ${tid} on CPU ${cpu}, ${since(start_ns)} to ${since(end_ns)}, ${place(fileOf(input, fork), line)}</li>`,
    );
  const more = exposures.length - items.length;
  return html`<ul>${items}${more > 0 ? html`<li>${plural(more, "more interval")}</li>` : null}</ul>`;
}

/** The borrow that came nearest, by policy. */
function nearMissList(input: WindowsInput, fork: ForkRow, rows: readonly NearMissRow[] = []): Html | null {
  const items = rows.flatMap(({ policy, distance_ns, side, kind, tid, comm, line }) =>
    distance_ns === null
      ? []
      : [
          html`<li><code>${policy}</code> missed ${inputText(comm ?? "?")} tid ${tid ?? "?"} by ${formatDuration(Number(distance_ns), input.unit)}, ${side} the window (<code>${kind}</code>), ${place(fileOf(input, fork), line)}</li>`,
        ],
  );
  return items.length === 0 ? null : html`<ul>${items}</ul>`;
}

function waitsList(input: WindowsInput, fork: ForkRow, blocks: readonly BlockRow[]): Html | null {
  if (blocks.length === 0) return null;
  // The same call waits under several policies: one item, with all of them.
  const calls = groupsBy(blocks, ({ kind, tid, wait_ns, line }) => `${kind} ${tid} ${wait_ns} ${line}`);
  const items = calls.slice(0, 12).map((rows) => {
    const { kind, tid, comm, wait_ns, line } = rows[0]!;
    const who = listOf([...new Set(rows.map(({ policy }) => policy))].map((id) => html`<code>${id}</code>`));
    const length = wait_ns === null ? "for an unknown time" : formatDuration(Number(wait_ns), input.unit);
    return html`<li>${who} ${rows.length === 1 ? "makes" : "make"} ${inputText(comm)} tid ${tid} wait ${length} in <code>${kind}</code>, ${place(fileOf(input, fork), line)}</li>`;
  });
  const more = calls.length - items.length;
  return html`<ul>${items}${more > 0 ? html`<li>${plural(more, "more wait")}</li>` : null}</ul>`;
}

/** The events that decide: the window's own ends, those that name the mm, those of the exposed tasks. */
function eventDetails(
  input: WindowsInput,
  fork: ForkRow,
  events: readonly WindowEvent[],
  left: number,
  exposures: readonly ExposureRow[],
): Html {
  const lines = new Set([fork.line, fork.end_line, ...exposures.map(({ line }) => line)]);
  const tids = new Set([fork.tid, ...exposures.map(({ tid }) => tid)]);
  const decides = (event: WindowEvent): boolean =>
    event.namesMm ||
    lines.has(event.line) ||
    kindName(event) === "lost" ||
    (kindName(event) === "sched_switch" && (tids.has(event.tid) || tids.has(event.argTid)));
  const deciding = events.filter(decides);
  const shown = deciding.slice(0, MOST_LISTED);
  const more = deciding.length - shown.length + left;
  const rest = more > 0 ? html`<p>${plural(more, "more event")}: see the command below.</p>` : null;
  return html`<details><summary>${plural(shown.length, "event")} that decide it, from ${inputText(fileOf(input, fork))}</summary>
<pre class="events" tabindex="0">${shown.map(({ text }) => `${text}\n`)}</pre>${rest}</details>
`;
}
