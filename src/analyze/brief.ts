// The report in words and tables for a mail or an issue: blocks made once, printed as plain text (brief-text.ts) or
// Markdown (brief-markdown.ts), so that the two cannot say different things. Figures come from the summary and the tables.
import { formatDuration } from "../base/time.ts";
import type { VerdictTables } from "../table/verdict-tables.ts";
import { percent, plural } from "./figure-text.ts";
import { wilson } from "./intervals.ts";
import { type PolicySummary, referencePolicy } from "./policy-summary.ts";
import { answerOf } from "./report/answer.ts";
import { Figures } from "./report/figures.ts";
import { textOf } from "./report/html.ts";
import { forkRowById } from "./rows.ts";
import { commonUnit, type Summary } from "./summary.ts";

export interface BriefTable {
  readonly kind: "table";
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers are set flush right. */
  readonly numbers: readonly number[];
}

/** Texts are as the input has them: the printers escape. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | BriefTable;

const MOST_UNSAFE = 20;

/** The whole report as blocks. */
export function briefReport(summary: Summary, tables: VerdictTables, toolVersion: string): Block[] {
  return [
    { kind: "heading", text: "Optimized fork: would the fast path be taken, and safely?" },
    ...answerBlocks(summary),
    ...traceBlocks(summary),
    ...policyBlocks(summary),
    ...denialBlocks(summary),
    ...unsafeBlocks(summary, tables),
    ...claimBlocks(summary),
    ...limitBlocks(summary),
    {
      kind: "paragraph",
      text: `Made by forkcast ${toolVersion}. forkcast explain DIR FORK prints a fork's window with its input lines.`,
    },
  ];
}

/** The sentences of the report's first screen. */
function answerBlocks(summary: Summary): Block[] {
  const { headline, sentences } = answerOf(new Figures(summary, commonUnit(summary)));
  const { filter, forks } = summary;
  const chosen =
    filter === null
      ? []
      : [
          `${forks.total} of ${plural(filter.recorded, "recorded fork")}, chosen by ${filter.options.join(" ")}. The replay read the whole ` +
            `trace; the figures are of these forks alone.${filter.notes.map((note) => ` ${note}`).join("")}`,
        ];
  return [
    ...[...chosen, textOf(headline)].map((text): Block => ({ kind: "paragraph", text })),
    { kind: "list", items: sentences.map(([question, sentence]) => `${question}: ${textOf(sentence)}`) },
  ];
}

function traceBlocks({ traces, forks }: Summary): Block[] {
  const items = traces.map((trace) => {
    const lost =
      trace.lost_events === null
        ? "an unknown number of events lost"
        : `${plural(trace.lost_events, "event")} lost`;
    const facts = [
      trace.format,
      trace.kernel === "" ? "kernel unknown" : `kernel ${trace.kernel}`,
      plural(trace.cpus, "CPU"),
      `clock ${trace.clock}`,
      formatDuration(trace.span_ns, trace.time_unit),
      plural(trace.events, "event"),
      lost,
    ];
    return `${trace.path}: ${facts.join(", ")}`;
  });
  const { measured, bracketed, point } = forks.windows;
  const windows = `${measured} windows measured, ${bracketed} bracketed, ${point} a point only`;
  const evidence = (words: Readonly<Record<string, number>>): string =>
    Object.entries(words)
      .filter(([, n]) => n > 0)
      .map(([word, n]) => `${n} ${word}`)
      .join(", ") || "known for none";
  return [
    { kind: "list", items },
    {
      kind: "paragraph",
      text:
        `${plural(forks.total, "fork")} that copied an mm: ${windows}; mm_users ${evidence(forks.mm_users_evidence)}; ` +
        `mm_count ${evidence(forks.mm_count_evidence)}.`,
    },
  ];
}

function policyBlocks(summary: Summary): Block[] {
  const unit = commonUnit(summary);
  const needs = new Set<string>();
  const rows = Object.entries(summary.policies).map(([id, policy]) => {
    const { low, high } = wilson(policy.fast, summary.forks.total);
    const between =
      low === null || high === null ? "-" : `${(low * 100).toFixed(1)}-${(high * 100).toFixed(1)}`;
    if ("not_evaluable" in policy.blocked) needs.add(`${id} needs ${policy.blocked.not_evaluable}`);
    return [
      id,
      String(policy.fast),
      percent(policy.fast, summary.forks.total),
      between,
      String(policy.indeterminate),
      String(policy.unsafe),
      String(policy.unsafe_indeterminate),
      ...waits(policy, unit),
    ];
  });
  const head = ["policy", "fast", "%", "95 %", "indet.", "unsafe", "unsure", "waits", "p99"];
  const notes = [
    "Fast: of all forks, with Wilson's 95 % interval. Indet.: fast or slow cannot be told. Unsafe: another task had the mm on " +
      "another CPU inside the window; unsure: that cannot be told; both of fast. Waits: events the policy makes wait.",
    ...(needs.size === 0 ? [] : [`n/e: not evaluable in this recording: ${[...needs].join("; ")}.`]),
  ];
  return [
    { kind: "heading", text: "Policies" },
    { kind: "table", head, rows, numbers: [1, 2, 3, 4, 5, 6, 7, 8] },
    ...notes.map((text): Block => ({ kind: "paragraph", text })),
  ];
}

function waits({ blocked }: PolicySummary, unit: "ns" | "ticks"): [string, string] {
  if ("not_evaluable" in blocked) return ["n/e", "n/e"];
  return [String(blocked.events), blocked.p99_ns === null ? "-" : formatDuration(blocked.p99_ns, unit)];
}

function denialBlocks({ policies }: Summary): Block[] {
  const id = referencePolicy(policies);
  const policy = id === null ? undefined : policies[id];
  if (policy === undefined || policy.slow === 0) return [];
  const rows = Object.entries(policy.denied_by)
    .sort(([, a], [, b]) => b - a)
    .map(([cause, n]) => [cause, String(n), percent(n, policy.slow)]);
  return [
    { kind: "heading", text: `Who denied it (${id}, ${plural(policy.slow, "slow fork")})` },
    { kind: "table", head: ["cause", "forks", "% of slow"], rows, numbers: [1, 2] },
    { kind: "paragraph", text: "A fork can have several causes." },
  ];
}

function unsafeBlocks({ traces }: Summary, tables: VerdictTables): Block[] {
  const unsafe = unsafePolicies(tables);
  if (unsafe.size === 0) return [];
  const who = exposedBy(tables);
  const rowOf = forkRowById(tables);
  const items = [...unsafe].slice(0, MOST_UNSAFE).map(([fork, ids]) => {
    const row = tables.forks.row(rowOf(fork) ?? 0);
    const place = `${traces[row.trace ?? 0]?.path ?? ""}:${row.line}`;
    return `fork ${fork}, ${row.comm ?? "?"}-${row.tid} on CPU ${row.cpu}, ${place}${who.get(fork) ?? ""} (${ids.join(", ")})`;
  });
  const rest = unsafe.size - items.length;
  return [
    { kind: "heading", text: `Unsafe forks (${unsafe.size})` },
    { kind: "list", items: rest > 0 ? [...items, `and ${rest} more`] : items },
  ];
}

/** Forks that are unsafe, each with the policies it is unsafe under. */
function unsafePolicies({ verdicts }: VerdictTables): Map<number, string[]> {
  const out = new Map<number, string[]>();
  for (let row = 0; row < verdicts.length; row++) {
    const fork = verdicts.get("fork", row);
    if (verdicts.get("verdict", row) !== "unsafe" || fork === null) continue;
    out.set(fork, [...(out.get(fork) ?? []), verdicts.get("policy", row) ?? ""]);
  }
  return out;
}

/** ": U3, vhost-12-13 on CPU 1": the first exposure of each fork that is no lazy residue. */
function exposedBy({ exposures }: VerdictTables): Map<number, string> {
  const out = new Map<number, string>();
  for (let i = 0; i < exposures.length; i++) {
    const { fork, class: kind, comm, tid, cpu } = exposures.row(i);
    if (fork === null || out.has(fork) || (kind ?? "").startsWith("U4")) continue;
    out.set(fork, `: ${kind}, ${comm ?? "?"}-${tid} on CPU ${cpu}`);
  }
  return out;
}

function claimBlocks({ claims }: Summary): Block[] {
  const rows = claims.map(({ claim, who, when, verdict, detail, evidence, needs }) => {
    const rests = evidence === null ? "" : ` (${evidence})`;
    return `${verdict}: ${claim} ${detail}${rests}${needs === null ? "" : `; needs ${needs}`}. ${who}, ${when}.`;
  });
  return [
    { kind: "heading", text: "Claims of the discussion" },
    { kind: "list", items: rows },
  ];
}

function limitBlocks({ missing, assumptions, traces, filter }: Summary): Block[] {
  const items = [
    ...missing.map(
      ({ probe, would_tell, forks }) =>
        `not recorded: ${probe}, ${would_tell} (${plural(forks, "fork")}${filter === null ? "" : ` of all ${filter.recorded}`} undecided)`,
    ),
    ...traces.flatMap(({ path, problems }) =>
      problems.map(({ code, count }) => `problem: ${code}, ${count} times, in ${path}`),
    ),
    ...assumptions.map((sentence) => `assumed: ${sentence}`),
  ];
  if (items.length === 0) return [];
  return [
    { kind: "heading", text: "What this rests on" },
    { kind: "list", items },
  ];
}
