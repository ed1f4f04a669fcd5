// The report's first section: the answer in sentences and the table of policies, each figure with how it is known.
import type { TimeUnit } from "../../base/time.ts";
import { formatDuration } from "../../base/time.ts";
import type { PolicySummary } from "../policy-summary.ts";
import { referencePolicy } from "../policy-summary.ts";
import { groupDigits, percent, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import { dataTable, type Html, html, inputText } from "./html.ts";

/** Opening sentences. */
export function answerSection(summary: Summary): Html {
  const { forks, policies } = summary;
  const id = referencePolicy(policies);
  const policy = id === null ? undefined : policies[id];
  return html`<section class="answer" aria-label="Answer">
<p class="figure">${headline(summary, id, policy)}</p>
${id === null || policy === undefined ? null : html`<p>${safety(id, policy)} ${waits(summary)}</p>\n`}
<p>How it is known. mm_users: ${words(forks.mm_users_evidence)}; mm_count: ${words(forks.mm_count_evidence)}; windows: ${words(forks.windows)}.</p>
<p>${agreementSentence(summary)}</p>
</section>
`;
}

function headline({ forks }: Summary, id: string | null, policy: PolicySummary | undefined): string {
  if (forks.total === 0 || policy === undefined) return `${plural(forks.total, "fork")}.`;
  const undecided =
    policy.indeterminate > 0 ? `; ${groupDigits(policy.indeterminate)} cannot be decided` : "";
  return (
    `${plural(forks.total, "fork")}. Under ${id} the fast path is taken in ${groupDigits(policy.fast)} of ` +
    `${groupDigits(forks.total)} (${percent(policy.fast, forks.total)} %)${undecided}.`
  );
}

function safety(id: string, { fast, unsafe, unsafe_indeterminate }: PolicySummary): Html {
  if (fast === 0) return html`No fork takes it, so none is unsafe.`;
  const unsure =
    unsafe_indeterminate > 0 ? `; for ${groupDigits(unsafe_indeterminate)} the trace cannot tell` : "";
  const count = `${groupDigits(unsafe)} of these ${groupDigits(fast)} ${unsafe === 1 ? "is" : "are"} unsafe`;
  return unsafe > 0
    ? html`<span class="bad">▲ ${count}</span> under ${id}${unsure}.`
    : html`${count} under ${id}${unsure}.`;
}

function waits({ policies }: Summary): string {
  const parts = Object.entries(policies).flatMap(([id, { blocked }]) =>
    "not_evaluable" in blocked || blocked.events === 0 ? [] : [`${id} ${plural(blocked.events, "event")}`],
  );
  const blind = Object.entries(policies).flatMap(([id, { blocked }]) =>
    "not_evaluable" in blocked ? [id] : [],
  );
  const unknown = blind.length > 0 ? ` For ${blind.join(", ")} waits are not evaluable.` : "";
  return parts.length > 0 ? `Made to wait: ${parts.join(", ")}.${unknown}` : unknown.trimStart();
}

/** "40 measured, 2 at-least": counts by evidence word, without those that are 0. */
export function words(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, n]) => n > 0);
  return parts.map(([word, n]) => `${groupDigits(n)} ${word}`).join(", ") || "known for none";
}

function agreementSentence({ agreement: { mm_users, mm_count, loaded_mm } }: Summary): string {
  if (mm_users.samples + mm_count.samples + loaded_mm.compared === 0) {
    return "The trace carries no samples of these counts, so the derivation could not be checked against any.";
  }
  const part = (
    name: string,
    { equal, compared, samples, at_least_above_truth }: typeof mm_users,
  ): string => {
    if (compared === 0) return `${name} derived for none of ${groupDigits(samples)} sampled`;
    const wrong = at_least_above_truth > 0 ? `, ${at_least_above_truth} lower bounds above the sample` : "";
    return `${name} ${groupDigits(equal)} of ${groupDigits(compared)} (${groupDigits(samples)} sampled${wrong})`;
  };
  const loaded = `loaded mm ${groupDigits(loaded_mm.equal)} of ${groupDigits(loaded_mm.compared)} CPU samples`;
  return `Self-check, derived equals sampled: ${part("mm_users", mm_users)}, ${part("mm_count", mm_count)}, ${loaded}.`;
}

/** One row a policy. */
export function policiesSection(summary: Summary, unit: TimeUnit): Html {
  const { total } = summary.forks;
  const number = true;
  const columns = [
    { title: "policy" },
    { title: "fast", isNumber: number },
    { title: "fast %", isNumber: number },
    { title: "slow", isNumber: number },
    { title: "indeterminate", isNumber: number },
    { title: "unsafe", isNumber: number },
    { title: "unsure", isNumber: number },
    { title: "waits", isNumber: number },
    { title: "wait p50", isNumber: number },
    { title: "wait p99", isNumber: number },
    { title: "longest", isNumber: number },
    { title: "decisions rest on" },
    { title: "denied by" },
  ];
  const rows = Object.entries(summary.policies).map(([id, policy]) => [
    html`<code>${id}</code>`,
    groupDigits(policy.fast),
    percent(policy.fast, total),
    groupDigits(policy.slow),
    groupDigits(policy.indeterminate),
    policy.unsafe > 0 ? html`<span class="bad">▲ ${groupDigits(policy.unsafe)}</span>` : "0",
    groupDigits(policy.unsafe_indeterminate),
    ...waitCells(policy, unit),
    words(policy.evidence),
    deniedBy(policy),
  ]);
  return html`<section><h2 id="policies">Policies</h2>
${dataTable(`One row a policy; fast, slow and indeterminate add up to ${plural(total, "fork")}; unsafe and unsure are of fast`, columns, rows)}
<p class="soft">Unsure: fast, and the trace cannot tell whether safely. Waits: events the policy would have made wait until the window's
release; quantiles by nearest rank. ${waitNeeds(summary)}</p></section>
`;
}

function waitCells({ blocked }: PolicySummary, unit: TimeUnit): string[] {
  if ("not_evaluable" in blocked) return ["not evaluable", "", "", ""];
  const cell = (ns: number | null): string => (ns === null ? "" : formatDuration(ns, unit));
  const unknown =
    blocked.unknown_waits > 0 ? ` (${groupDigits(blocked.unknown_waits)} of unknown length)` : "";
  return [
    `${groupDigits(blocked.events)}${unknown}`,
    cell(blocked.p50_ns),
    cell(blocked.p99_ns),
    cell(blocked.max_ns),
  ];
}

function waitNeeds({ policies }: Summary): Html {
  const needs = Object.entries(policies).flatMap(([id, { blocked }]) =>
    "not_evaluable" in blocked
      ? [html`Waits under <code>${id}</code> need ${inputText(blocked.not_evaluable)}. `]
      : [],
  );
  return html`${needs}`;
}

function deniedBy({ denied_by }: PolicySummary): string {
  const causes = Object.entries(denied_by).sort(([, a], [, b]) => b - a);
  return causes.map(([cause, n]) => `${cause} ${groupDigits(n)}`).join(", ");
}
