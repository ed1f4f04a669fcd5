// The report's first screen: the answer, one sentence a question, each figure read from the summary by its path.

import type { CrLoads } from "../../table/verdict-tables.ts";
import { plural } from "../figure-text.ts";
import { bounded } from "../intervals.ts";
import { referencePolicy } from "../policy-summary.ts";
import type { Summary } from "../summary.ts";
import { type Figures, groupsBy, listOf } from "./figures.ts";
import { type Html, html, inputText } from "./html.ts";

const TOTAL = ["forks", "total"] as const;

/** The answer in one sentence, and one sentence a question. */
export interface Answer {
  readonly headline: Html;
  readonly sentences: readonly (readonly [question: string, sentence: Html])[];
}

/** Every sentence is made of the summary's figures; page, mail and terminal print the same ones. */
export function answerOf(figures: Figures): Answer {
  const answers: (readonly [string, Html])[] = [
    ["Recorded", recorded(figures)],
    ["Fast path taken", fast(figures)],
    ["Unsafe", unsafe(figures)],
    ["Cannot be told", undecided(figures)],
    ["Denied by", denied(figures)],
    ["The lock's cost", cost(figures)],
    ["Evidence", evidence(figures)],
  ];
  const sentences = figures.summary.forks.total === 0 ? [answers[0]!, answers[6]!] : answers;
  return { headline: headline(figures), sentences };
}

/** The answers, as a list of question and sentence. */
export function answerSection(figures: Figures): Html {
  const { headline: first, sentences } = answerOf(figures);
  return html`<section class="answer" aria-labelledby="answer"><h2 id="answer">The answer</h2>
${filterLine(figures)}<p class="figure">${first}</p>
<dl>
${sentences.map(([question, sentence]) => html`<div><dt>${question}</dt><dd>${sentence}</dd></div>\n`)}</dl></section>
`;
}

function headline(figures: Figures): Html {
  const { summary } = figures;
  const id = referencePolicy(summary.policies);
  if (summary.forks.total === 0)
    return summary.filter === null
      ? html`No fork that copies an mm was found, so there is nothing to decide.`
      : html`None of the ${figures.count("filter", "recorded")} recorded forks is what the filter asks for.`;
  if (id === null) return html`No policy was replayed.`;
  const { fast, unsafe, unsafe_indeterminate: unsure, indeterminate } = summary.policies[id]!;
  const of = html`${figures.count(...TOTAL)} ${summary.forks.total === 1 ? "fork" : "forks"}`;
  const open = figures.count("policies", id, "indeterminate");
  if (indeterminate === summary.forks.total)
    return html`Under ${code(id)} fast or slow cannot be told for any of ${of}: ${open} are undecided.`;
  const undecidedPart = indeterminate > 0 ? html`; ${open} more cannot be decided` : null;
  const taken = html`Under ${code(id)} the fast path is taken in ${indeterminate > 0 ? "at least " : null}${figures.count("policies", id, "fast")} of ${of} (${figures.share(["policies", id, "fast"], TOTAL)}, 95 % interval ${intervalOf(summary, id)})`;
  if (fast === 0) return html`${taken}${undecidedPart}.`;
  const count = html`${figures.count("policies", id, "unsafe")} of these ${unsafe === 1 ? "is" : "are"} unsafe`;
  const unsurePart =
    unsure > 0 ? html`, of ${figures.count("policies", id, "unsafe_indeterminate")} it cannot be told` : null;
  return html`${taken}; ${unsafe > 0 ? html`<strong class="bad">▲&nbsp;${count}</strong>` : count}${unsurePart}${undecidedPart}.`;
}

/** "79.4 to 92.4 %": Wilson's, of all forks; where some are undecided it holds whatever they are. */
function intervalOf({ policies, forks: { total } }: Summary, id: string): string {
  const { fast, indeterminate } = policies[id]!;
  const { low, high } = bounded(fast, indeterminate, total);
  const shown = (share: number | null): string => ((share ?? 0) * 100).toFixed(1);
  return `${shown(low)} to ${shown(high)} %`;
}

/** Which forks the figures are of, where a filter chose them. */
function filterLine(figures: Figures): Html | null {
  const { filter } = figures.summary;
  if (filter === null) return null;
  const notes = filter.notes.map((note) => html` ${note}`);
  return html`<p><strong>${figures.count("filter", "selected")} of ${figures.count("filter", "recorded")} recorded forks</strong>, chosen by <code>${filter.options.join(" ")}</code>. The replay read the whole trace; figures, charts and tables are of these forks alone.${notes}</p>
`;
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}

function recorded(figures: Figures): Html {
  const { summary } = figures;
  const traces = summary.traces.map(
    (trace, i) =>
      html`${inputText(trace.path.replace(/^.*\//s, ""))} (${figures.count("traces", String(i), "cpus")} CPUs, ${figures.duration("traces", String(i), "span_ns")}${trace.lost_events === 0 ? "" : html`, <strong>${trace.lost_events === null ? "events lost, number unknown" : html`${figures.count("traces", String(i), "lost_events")} events lost`}</strong>`})`,
  );
  const shown = traces.slice(0, 3);
  const more = traces.length - shown.length;
  const rest = more > 0 ? html` and ${plural(more, "more trace")}` : "";
  const nouns = summary.forks.total === 1 ? "fork" : "forks";
  const copies = summary.forks.total === 1 ? "copies" : "copy";
  const of = summary.filter === null ? null : html` (of ${figures.count("filter", "recorded")} recorded)`;
  return html`${figures.count(...TOTAL)} ${nouns} that ${copies} an mm${of}, in ${listOf(shown)}${rest}.`;
}

/** Policies that decided alike, together. */
function fast(figures: Figures): Html {
  const { policies } = figures.summary;
  const groups = groupsBy(
    Object.keys(policies),
    (id) => `${policies[id]!.fast} ${policies[id]!.indeterminate}`,
  );
  const parts = groups
    .sort((a, b) => policies[b[0]!]!.fast - policies[a[0]!]!.fast)
    .map((ids) => {
      const path = ["policies", ids[0]!];
      const open = policies[ids[0]!]!.indeterminate > 0;
      const undecidedPart = open ? html`, ${figures.count(...path, "indeterminate")} undecided` : null;
      return html`${open ? "at least " : null}${figures.count(...path, "fast")} (${figures.share([...path, "fast"], TOTAL)}${undecidedPart}) under ${listOf(ids.map(code))}`;
    });
  return html`Of ${figures.count(...TOTAL)} forks: ${semicolons(parts)}.`;
}

function unsafe(figures: Figures): Html {
  const { policies } = figures.summary;
  const all = Object.keys(policies);
  const ids = all.filter((id) => policies[id]!.fast > 0);
  const mayBeFast = all.filter((id) => policies[id]!.indeterminate > 0);
  if (ids.length === 0)
    return mayBeFast.length > 0
      ? html`No fork is known to take the fast path, so none is known to be unsafe.`
      : html`No fork takes the fast path, so none is unsafe.`;
  const groups = groupsBy(ids, (id) => `${policies[id]!.unsafe} ${policies[id]!.fast}`).filter(
    (group) => policies[group[0]!]!.unsafe > 0,
  );
  const parts = groups.map((group) => {
    const path = ["policies", group[0]!];
    return html`<strong class="bad">▲&nbsp;${figures.count(...path, "unsafe")}</strong> of ${figures.count(...path, "fast")} fast forks (${figures.share([...path, "unsafe"], [...path, "fast"])}) under ${listOf(group.map(code))}`;
  });
  const clean = ids.filter((id) => policies[id]!.unsafe === 0);
  const isOpen = clean.some((id) => policies[id]!.unsafe_indeterminate + policies[id]!.indeterminate > 0);
  const note = isOpen ? " of those that can be judged" : null;
  if (parts.length === 0) return html`None${note}, under ${listOf(clean.map(code))}.`;
  const none = clean.length > 0 ? html`none${note} under ${listOf(clean.map(code))}` : null;
  return html`${semicolons(none === null ? parts : [...parts, none])}.`;
}

function undecided(figures: Figures): Html {
  const { policies } = figures.summary;
  const parts = (name: "indeterminate" | "unsafe_indeterminate", of: "fast" | null): Html[] => {
    const ids = Object.keys(policies).filter((id) => policies[id]![name] > 0);
    return groupsBy(ids, (id) => `${policies[id]![name]} ${of === null ? "" : policies[id]![of]}`).map(
      (group) => {
        const whole = of === null ? TOTAL : ["policies", group[0]!, of];
        return html`${figures.count("policies", group[0]!, name)} of ${figures.count(...whole)} under ${listOf(group.map(code))}`;
      },
    );
  };
  const decisions = parts("indeterminate", null);
  const verdicts = parts("unsafe_indeterminate", "fast");
  if (decisions.length + verdicts.length === 0)
    return html`Nothing: every fork is decided, and every fast one judged.`;
  const first = decisions.length === 0 ? null : html`Fast or slow: ${semicolons(decisions)}. `;
  const second = verdicts.length === 0 ? null : html`Fast, but safe or unsafe: ${semicolons(verdicts)}.`;
  return html`${first}${second}`;
}

function denied(figures: Figures): Html {
  const { policies } = figures.summary;
  const id = referencePolicy(policies);
  if (id === null) return html`No policy was replayed.`;
  const { slow, denied_by, indeterminate } = policies[id]!;
  if (slow === 0)
    return indeterminate > 0
      ? html`Under ${code(id)} no fork is known to be slow; ${figures.count("policies", id, "indeterminate")} of ${figures.count(...TOTAL)} are undecided.`
      : html`Nobody: under ${code(id)} no fork is slow.`;
  const causes = Object.entries(denied_by).sort(([, a], [, b]) => b - a);
  const path = ["policies", id, "slow"];
  const parts = causes.map(
    ([cause]) =>
      html`${code(cause)} ${figures.count("policies", id, "denied_by", cause)} (${figures.share(["policies", id, "denied_by", cause], path)})`,
  );
  const several = causes.length > 1 ? "; a fork can have several causes" : "";
  const of = html`Of ${figures.count(...path)} slow ${slow === 1 ? "fork" : "forks"} under ${code(id)}`;
  return parts.length === 0 ? html`${of}: no cause is known.` : html`${of}: ${listOf(parts)}${several}.`;
}

function cost(figures: Figures): Html {
  const { policies } = figures.summary;
  const ids = Object.keys(policies);
  const waits = ids.filter((id) => "events" in policies[id]!.blocked && policies[id]!.blocked.events > 0);
  const free = ids.filter(
    (id) => LOCKING.includes(id) && "events" in policies[id]!.blocked && policies[id]!.blocked.events === 0,
  );
  const blind = needsOfWaits(figures.summary);
  const parts = [
    ...waits.map((id) => waitsOf(figures, id)),
    ...(free.length > 0 ? [html`under ${listOf(free.map(code))} nothing would have waited`] : []),
    ...(blind === null ? [] : [html`<strong>not evaluable</strong>: ${blind}`]),
  ];
  if (parts.length === 0) return html`No policy replayed has a lock.`;
  const { total } = figures.summary.forks;
  return html`In ${figures.count(...TOTAL)} ${total === 1 ? "fork" : "forks"}: ${semicolons(parts)}.`;
}

/** Policies that make others wait. */
const LOCKING: readonly string[] = ["get-task-mm", "fork-lock", "mmap-lock", "users-mmap-lock"];

/** "get-task-mm needs get_task_mm; fork-lock and mmap-lock need kthread_use_mm"; null when all waits are evaluable. */
export function needsOfWaits({ policies }: Summary): Html | null {
  const needs = Object.entries(policies).flatMap(([id, { blocked }]) =>
    "not_evaluable" in blocked ? [{ id, needs: blocked.not_evaluable }] : [],
  );
  if (needs.length === 0) return null;
  const parts = groupsBy(needs, (need) => need.needs).map(
    (group) =>
      html`${listOf(group.map(({ id }) => code(id)))} ${group.length === 1 ? "needs" : "need"} ${inputText(group[0]!.needs)}`,
  );
  return semicolons(parts);
}

function waitsOf(figures: Figures, id: string): Html {
  const path = ["policies", id, "blocked"];
  const { blocked } = figures.summary.policies[id]!;
  const events = html`${code(id)} ${figures.count(...path, "events")} ${"events" in blocked && blocked.events === 1 ? "wait" : "waits"}`;
  if (!("p99_ns" in blocked) || blocked.p99_ns === null) return html`${events} of unknown length`;
  return html`${events}, ${figures.duration(...path, "total_ns")} in all, longest ${figures.duration(...path, "max_ns")}`;
}

function evidence(figures: Figures): Html {
  const { agreement, forks } = figures.summary;
  const { mm_users, mm_count, loaded_mm } = agreement;
  const classes = (["mm_users_evidence", "mm_count_evidence", "windows"] as const).map(
    (name) => html`${name.replace("_evidence", "")} ${evidenceWords(figures, ["forks", name])}`,
  );
  const first = forks.total === 0 ? null : html`${semicolons(classes)}. `;
  const loads = crLoads(figures);
  if (mm_users.samples + mm_count.samples + loaded_mm.compared === 0)
    return html`${first}The trace carries no samples of the counts, so the derivation could not be checked here.${loads}`;
  const check = (name: "mm_users" | "mm_count"): Html => {
    const path = ["agreement", name];
    if (agreement[name].compared === 0)
      return html`${code(name)} derived for none of ${figures.count(...path, "samples")} sampled`;
    const above =
      agreement[name].at_least_above_truth > 0
        ? html`, <strong class="bad">${figures.count(...path, "at_least_above_truth")} lower bounds above the sample</strong>`
        : null;
    return html`${code(name)} ${figures.count(...path, "equal")} of ${figures.count(...path, "compared")}${above}`;
  };
  const loaded = html`loaded mm ${figures.count("agreement", "loaded_mm", "equal")} of ${figures.count("agreement", "loaded_mm", "compared")}`;
  return html`${first}Self-check, derived equals sampled: ${listOf([check("mm_users"), check("mm_count"), loaded])}.${loads}`;
}

/** Loads of CR3 by replay against tlb_flush reason 0; nothing where that is not recorded. */
function crLoads(figures: Figures): Html | null {
  const { events, exiting, borrowing } = figures.summary.agreement.cr3_loads;
  if (events === 0) return null;
  const count = (name: keyof CrLoads): Html => figures.count("agreement", "cr3_loads", name);
  const gone = exiting === 0 ? null : html` (${count("exiting")} of the others are of tasks past exit_mm)`;
  const borrowed =
    borrowing === 0 ? null : html`, ${count("borrowing")} are kernel threads’ inside kthread_use_mm`;
  return html` Loads of CR3 against tlb_flush: ${count("equal")} of ${count("compared")} have their event${gone}; of ${count("events")} events ${count("unexplained")} are unexplained${borrowed}.`;
}

/** "40 measured, 2 at-least": the counts at a path, without those that are 0. */
export function evidenceWords(figures: Figures, path: readonly string[]): Html {
  let at: unknown = figures.summary;
  for (const key of path) at = (at as Record<string, unknown>)[key];
  const words = Object.entries(at as Record<string, number>).filter(([, n]) => n > 0);
  if (words.length === 0) return html`known for none`;
  return html`${words.map(([word], i) => html`${i > 0 ? ", " : ""}${figures.count(...path, word)} ${word}`)}`;
}

function semicolons(parts: readonly Html[]): Html {
  return html`${parts.map((part, i) => html`${i > 0 ? "; " : ""}${part}`)}`;
}
