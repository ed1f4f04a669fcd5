// One fork in text: what was decided and why, then every event of its window with its input line. Reads the
// tables of a result directory and the events beside them; called by the command explain.

import { accountText } from "../analyze/attribution-text.ts";
import { eventLine } from "../analyze/event-line.ts";
import { hiddenText } from "../analyze/hidden.ts";
import { printable, wrap } from "../analyze/plain-text.ts";
import { forkRowById } from "../analyze/rows.ts";
import { formatDuration, formatTimestamp } from "../base/time.ts";
import { readEventFile } from "../table/arrow.ts";
import type { ColumnTable, RowOf, TableSpec } from "../table/columns.ts";
import type { EventTable, TraceMeta } from "../table/event-batch.ts";
import { COUNTERS, type ForkRow, type VerdictRow, type VerdictTables } from "../table/verdict-tables.ts";
import { UsageError } from "./exit.ts";
import { inFile, openReader } from "./files.ts";
import { eventsFile, tablePath } from "./output-dir.ts";
import { readResults } from "./results.ts";
import { quotePath } from "./trace-input.ts";

/** The lines explain prints. Throws UsageError when `dir` has no fork of that number. */
export async function explainFork(dir: string, fork: number): Promise<readonly string[]> {
  const results = readResults(dir);
  const { forks } = results.tables;
  const at = forkRowById(results.tables)(fork);
  if (at === undefined) {
    const last = forks.length === 0 ? null : forks.get("fork", forks.length - 1);
    const has = last === null ? "has no forks" : `has forks ${forks.get("fork", 0)} to ${last}`;
    const chosen = results.filter === undefined ? "" : ` of ${results.filter.options.join(" ")}`;
    throw new UsageError(`no fork ${fork}: ${quotePath(dir)} ${has}${chosen}`);
  }
  const row = forks.row(at);
  const trace = row.trace ?? 0;
  const path = tablePath(dir, eventsFile(trace));
  const reader = openReader(path);
  try {
    const events = inFile(path, () => readEventFile(reader));
    const described = [
      ...describeFork(row, events.meta),
      ...describeAccounts(results.tables, row, events.meta),
      ...describeDecisions(results.tables, fork, events.meta),
    ];
    return [...described.flatMap((line) => wrap(line, 11)), "", ...(await windowLines(row, events))];
  } finally {
    reader.close();
  }
}

function describeFork(row: ForkRow, meta: TraceMeta): string[] {
  const at = (ns: bigint | null): string => (ns === null ? "unknown" : formatTimestamp(ns, meta.timeUnit));
  const start = row.start_ns ?? 0n;
  const length =
    row.end_ns === null ? "cut off by the end of the trace" : durationOf(row.end_ns - start, meta);
  const lines = [
    `fork ${row.fork}: ${printable(row.comm ?? "?")}-${row.tid} on CPU ${row.cpu}, mm ${printable(row.mm ?? "?")}`,
    `  input    ${quotePath(meta.path)}`,
    `  check    ${at(row.start_ns)}  ${printable(row.start_by ?? "")}  line ${row.line}`,
    `  end      ${at(row.end_ns)}  ${printable(row.end_by ?? "")}  line ${row.end_line ?? "?"}`,
    `  window   ${length}, ${row.window}`,
    `  mm_users ${row.mm_users ?? "?"} (${row.mm_users_evidence}), mm_count ${row.mm_count ?? "?"} (${row.mm_count_evidence})`,
  ];
  if (row.early_ns !== null) lines.push(`  before the lock: check possible from ${at(row.early_ns)}`);
  if (row.doubts.length > 0) lines.push(`  doubts   ${row.doubts.join(", ")}`);
  for (const counter of COUNTERS)
    for (const name of row[`${counter}_hidden`])
      lines.push(`  hidden   ${counter} may be higher by ${hiddenText(name)}`);
  return lines;
}

/** Who holds each reference of a count above 1. */
function describeAccounts(tables: VerdictTables, fork: ForkRow, meta: TraceMeta): string[] {
  const rows = rowsOf(tables.denials, fork.fork ?? -1);
  return COUNTERS.flatMap((counter) => {
    const own = rows.filter((row) => row.counter === counter);
    if (own.length === 0) return [];
    const evidence = fork[`${counter}_evidence`];
    return [`  holders  ${accountText(counter, fork[counter], evidence, own, fork.start_ns, meta.timeUnit)}`];
  });
}

function describeDecisions(tables: VerdictTables, fork: number, meta: TraceMeta): string[] {
  const { verdicts, exposures, blocks } = tables;
  const at = (line: number | null): string => `line ${line ?? "?"}`;
  const task = (row: { readonly comm: string | null; readonly tid: number | null }): string =>
    `${printable(row.comm ?? "?")}-${row.tid}`;
  const lines: string[] = [];
  for (const row of rowsOf(verdicts, fork)) {
    lines.push(`  ${(row.policy ?? "").padEnd(16)} ${outcomeWords(row)}`);
  }
  lines.push(...openLines(rowsOf(verdicts, fork)));
  for (const row of rowsOf(exposures, fork)) {
    const length = durationOf((row.end_ns ?? 0n) - (row.start_ns ?? 0n), meta);
    lines.push(`  exposure ${row.class}: ${task(row)} on CPU ${row.cpu}, ${length}, ${at(row.line)}`);
  }
  for (const row of rowsOf(blocks, fork)) {
    const wait = durationOf(row.wait_ns ?? 0n, meta);
    lines.push(`  ${row.policy} makes ${task(row)} wait ${wait} in ${row.kind}, ${at(row.line)}`);
  }
  return lines;
}

/** "slow, denied by threads (derived)"; always-atomic never asks, so nobody denies it. */
function outcomeWords({ policy, decision, verdict, denied_by, evidence }: VerdictRow): string {
  if (policy === "always-atomic") return "slow by design";
  if (decision === "indeterminate") return `fast or slow cannot be told (${evidence})`;
  if (decision !== "slow")
    return `fast, ${verdict === "indeterminate" ? "safe or unsafe cannot be told" : verdict} (${evidence})`;
  return `slow, denied by ${denied_by.join(", ") || "unknown"} (${evidence})`;
}

/** Who may hide where that leaves a decision or verdict open, each with the policies it does that to. */
function openLines(verdicts: readonly VerdictRow[]): string[] {
  const open = new Map<string, string[]>();
  for (const { hidden, policy } of verdicts)
    for (const name of hidden) open.set(name, [...(open.get(name) ?? []), policy ?? ""]);
  return [...open].map(([name, policies]) => `  left open by ${hiddenText(name)}: ${policies.join(", ")}`);
}

/** The rows of a table that belong to a fork. */
function rowsOf<S extends TableSpec & { readonly fork: "i32" }>(
  table: ColumnTable<S>,
  fork: number,
): RowOf<S>[] {
  const rows: RowOf<S>[] = [];
  for (let i = 0; i < table.length; i++) if (table.get("fork", i) === fork) rows.push(table.row(i));
  return rows;
}

function durationOf(ns: bigint, meta: TraceMeta): string {
  return formatDuration(Number(ns), meta.timeUnit);
}

/** Every event from the earliest check point to the end of the window, both inclusive. */
async function windowLines(row: ForkRow, events: EventTable): Promise<string[]> {
  const { meta } = events;
  const start = row.start_ns ?? 0n;
  const from = row.early_ns !== null && row.early_ns < start ? row.early_ns : start;
  const first = Number(from - meta.epochNs);
  const last = row.end_ns === null ? Number.POSITIVE_INFINITY : Number(row.end_ns - meta.epochNs);
  const lines: string[] = [];
  await events.forEachBatch((batch) => {
    for (let i = 0; i < batch.length; i++) {
      const at = batch.ns[i] ?? 0;
      if (at >= first && at <= last) lines.push(eventLine(batch, i, meta));
    }
  });
  return lines;
}
