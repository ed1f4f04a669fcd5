// The answer for stdout: what the report says first, in under 80 columns. Numbers come from the summary alone;
// the tables only give the places of problems.
import type { TimeUnit } from "../base/time.ts";
import { formatDuration } from "../base/time.ts";
import type { ResultTables } from "../table/verdict-tables.ts";
import type { CountAgreement } from "./agreement.ts";
import { lazyText, namedText } from "./attribution-text.ts";
import { percent, plural } from "./figure-text.ts";
import { printable, wrap } from "./plain-text.ts";
import { type PolicySummary, referencePolicy } from "./policy-summary.ts";
import { answerOf } from "./report/answer.ts";
import { Figures } from "./report/figures.ts";
import { textOf } from "./report/html.ts";
import { commonUnit, type Summary } from "./summary.ts";
import { nearMissTexts, waitTexts } from "./waits-text.ts";

/** How a line is set apart on a terminal. Never the only sign of anything. */
export type Paint = (role: "strong" | "bad", line: string) => string;

const plain: Paint = (_role, line) => line;

const MOST_CAUSES = 6;
const MOST_PROBLEMS = 10;
const LABEL = 11;

/** Lines of text, each below 80 columns; input text has its control characters escaped. Ends without a newline. */
export function renderText(
  summary: Summary,
  tables: Pick<ResultTables, "problems">,
  paint: Paint = plain,
): string {
  const sections = [
    answerLines(summary).map((line) => paint("strong", line)),
    headLines(summary, paint),
    policyLines(summary, paint),
    denialLines(summary),
    counterfactualLines(summary),
    [...evidenceLines(summary), ...holderLines(summary)],
    claimLines(summary),
    missingLines(summary),
    problemLines(summary, tables),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** The sentence to quote; figures of the reference policy, with denominator and interval. */
function answerLines(summary: Summary): string[] {
  const { headline } = answerOf(new Figures(summary, commonUnit(summary)));
  return wrap(printable(textOf(headline)), 0);
}

function filterLines({ filter, forks }: Summary): string[] {
  if (filter === null) return [];
  const chosen =
    `filter: ${forks.total} of ${plural(filter.recorded, "recorded fork")}, ${filter.options.join(" ")}; ` +
    "the replay read the whole trace, the figures are of these forks";
  return [chosen, ...filter.notes].flatMap((text) => wrap(printable(text), 2));
}

function headLines(summary: Summary, paint: Paint): string[] {
  const { forks, traces, policies } = summary;
  const out = [
    `${plural(forks.total, "fork")} in ${plural(traces.length, "trace")}`,
    ...filterLines(summary),
  ];
  for (const trace of traces) {
    const lost = trace.lost_events === null ? "some events" : plural(trace.lost_events, "event");
    const facts = [
      trace.format,
      trace.kernel === "" ? "kernel unknown" : `kernel ${trace.kernel}`,
      plural(trace.cpus, "CPU"),
      formatDuration(trace.span_ns, trace.time_unit),
      plural(trace.events, "event"),
      ...(trace.lost_events === 0 ? [] : [`${lost} lost`]),
    ];
    out.push(...wrap(`  ${printable(trace.path)}: ${printable(facts.join(", "))}`, 4));
  }
  const unsafe = Object.entries(policies).filter(([, policy]) => policy.unsafe > 0);
  if (unsafe.length > 0) {
    const list = unsafe.map(([id, policy]) => `${id} ${policy.unsafe}`).join(", ");
    out.push(...wrap(`unsafe forks: ${list}`, 2).map((line) => paint("bad", line)));
  }
  return out;
}

function policyLines(summary: Summary, paint: Paint): string[] {
  const unit = commonUnit(summary);
  const { total } = summary.forks;
  const needs = new Set<string>();
  const rows = Object.entries(summary.policies).map(([id, policy]) => {
    if ("not_evaluable" in policy.blocked) needs.add(`${id} needs ${policy.blocked.not_evaluable}`);
    const numbers = [policy.slow, policy.indeterminate, policy.unsafe, policy.unsafe_indeterminate].map(
      count,
    );
    const line = tableRow([
      id,
      percent(policy.fast, total),
      count(policy.fast),
      ...numbers,
      ...waitCells(policy, unit),
    ]);
    return policy.unsafe > 0 ? paint("bad", line) : line;
  });
  const head = tableRow([
    "policy",
    "fast %",
    "fast",
    "slow",
    "indet.",
    "unsafe",
    "unsure",
    "waits",
    "wait p99",
  ]);
  const notes = [
    "fast % is of all forks; indet.: fast or slow cannot be told; unsafe and unsure (safe or unsafe cannot be told) " +
      "are of fast; waits: events the policy would have made wait.",
    ...[...needs].map((need) => `n/e: not evaluable; ${printable(need)}`),
  ];
  return [paint("strong", head), ...rows, ...notes.flatMap((note) => wrap(note, 2))];
}

function waitCells({ blocked }: PolicySummary, unit: TimeUnit): [string, string] {
  if ("not_evaluable" in blocked) return ["n/e", "n/e"];
  return [count(blocked.events), blocked.p99_ns === null ? "-" : formatDuration(blocked.p99_ns, unit)];
}

const WIDTHS = [17, 7, 8, 8, 8, 8, 8, 6, 9] as const;

function tableRow(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[i] ?? 8))).join("");
}

/** A count in at most seven characters: exact below ten million. */
function count(n: number): string {
  if (n < 1e7) return String(n);
  return n < 1e9 ? `${(n / 1e6).toFixed(1)}M` : `${(n / 1e9).toFixed(1)}G`;
}

function denialLines({ policies }: Summary): string[] {
  const id = referencePolicy(policies);
  const policy = id === null ? undefined : policies[id];
  if (policy === undefined || policy.slow === 0) return [];
  const causes = Object.entries(policy.denied_by).sort(([, a], [, b]) => b - a);
  const out = wrap(`denied the fast path (${id}, ${policy.slow} slow; a fork can have several causes)`, 2);
  for (const [cause, n] of causes.slice(0, MOST_CAUSES)) {
    out.push(`  ${count(n).padStart(8)}  ${percent(n, policy.slow).padStart(5)} %  ${cause}`);
  }
  const rest = causes.slice(MOST_CAUSES);
  if (rest.length > 0)
    out.push(...wrap(`  fewer: ${rest.map(([cause, n]) => `${cause} ${n}`).join(", ")}`, 4));
  return out;
}

function counterfactualLines(summary: Summary): string[] {
  const texts = [...waitTexts(summary), ...nearMissTexts(summary)];
  return texts.flatMap(([label, text]) => labelled(label, printable(text)));
}

function evidenceLines({ forks, agreement }: Summary): string[] {
  const words = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, n]) => n > 0)
      .map(([word, n]) => `${n} ${word}`)
      .join(", ") || "none";
  const out = [
    ...labelled("mm_users", words(forks.mm_users_evidence)),
    ...labelled("mm_count", words(forks.mm_count_evidence)),
    ...labelled("windows", words(forks.windows)),
  ];
  const { mm_users, mm_count, loaded_mm, cr3_loads } = agreement;
  if (mm_users.samples + mm_count.samples + loaded_mm.compared > 0) {
    const parts = [
      `mm_users ${compared(mm_users)}`,
      `mm_count ${compared(mm_count)}`,
      `loaded mm ${loaded_mm.equal} of ${loaded_mm.compared} CPUs`,
    ];
    out.push(...labelled("agreement", `derived equals sampled: ${parts.join("; ")}`));
  }
  if (cr3_loads.events > 0) {
    const { compared: claimed, equal, events, unexplained, exiting, borrowing } = cr3_loads;
    const gone = exiting === 0 ? "" : `, ${exiting} of tasks past exit_mm`;
    const borrowed = borrowing === 0 ? "" : `, ${borrowing} of borrowers`;
    const loads =
      `CR3 loads: ${equal} of ${claimed} recorded (tlb_flush)${gone}; ` +
      `${unexplained} of ${events} events unexplained${borrowed}`;
    out.push(...labelled("agreement", loads));
  }
  return out;
}

function holderLines(summary: Summary): string[] {
  const { attribution } = summary.forks;
  const named = namedText(attribution);
  const lazy = lazyText(attribution.lazy, commonUnit(summary));
  return [
    ...(named === null ? [] : labelled("holders", `named: ${named}`)),
    ...(lazy === null ? [] : labelled("lazy-tlb", lazy)),
  ];
}

function compared({ equal, compared: given, samples, at_least_above_truth }: CountAgreement): string {
  if (given === 0) return `derived for none of ${samples} sampled`;
  const wrong = at_least_above_truth > 0 ? `, ${at_least_above_truth} lower bounds too high` : "";
  return `${equal} of ${given} (${samples} sampled${wrong})`;
}

function claimLines({ claims }: Summary): string[] {
  return claims.flatMap(({ id, verdict, detail, needs }) => {
    const why = needs === null ? "" : `; needs ${needs}`;
    return wrap(`${id.padEnd(27)}${verdict.padEnd(15)}${printable(detail + why)}`, 42);
  });
}

function missingLines({ missing, assumptions, filter }: Summary): string[] {
  const out = missing.flatMap(({ probe, would_tell, forks }) => {
    const of = filter === null ? "" : ` of all ${filter.recorded}`;
    const undecided = forks > 0 ? ` (${plural(forks, "fork")}${of} undecided)` : "";
    return labelled("missing", `${printable(probe)}: ${printable(would_tell)}${undecided}`);
  });
  if (out.length > 0) {
    const advice =
      "forkcast doctor TRACE says what this recording can answer; forkcast recipe, how to record the rest";
    out.push(...labelled("", advice));
  }
  return [...out, ...assumptions.flatMap((sentence) => labelled("assumed", printable(sentence)))];
}

function problemLines({ traces }: Summary, { problems }: Pick<ResultTables, "problems">): string[] {
  const out: string[] = [];
  for (let row = 0; row < Math.min(problems.length, MOST_PROBLEMS); row++) {
    const { code, severity, count: n, first_line, trace, sample } = problems.row(row);
    const path = traces.length > 1 ? `${traces[trace ?? 0]?.path ?? ""}:` : "line ";
    const place = first_line === null || first_line === 0 ? "" : `, first at ${path}${first_line}`;
    const shown = sample === null || sample === "" ? "" : `: ${sample}`;
    out.push(...labelled("problem", printable(`${code} (${severity}) x${n}${place}${shown}`)));
  }
  const more = problems.length - MOST_PROBLEMS;
  if (more > 0) out.push(...labelled("", `${plural(more, "more kind")} of problem in the report`));
  return out;
}

function labelled(label: string, text: string): string[] {
  return wrap(`${label.padEnd(LABEL)}${text}`, LABEL);
}
