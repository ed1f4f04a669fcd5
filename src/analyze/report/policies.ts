// The table of policies: every count of the summary, one row a policy.
import { POLICY_IDS } from "../../table/verdict-tables.ts";
import { evidenceWords, needsOfWaits } from "./answer.ts";
import type { Figures } from "./figures.ts";
import { dataTable, type Html, html, type TableCell } from "./html.ts";

/** What each policy is, in a line. */
const MEANING: Readonly<Record<(typeof POLICY_IDS)[number], string>> = {
  "always-atomic": "never fast: the baseline",
  "mm-count-only": "fast when mm_count is 1; nothing is locked (negative control)",
  "counts-unlocked": "fast when both counts are 1; nothing is locked",
  "users-only": "fast when mm_users is 1; nothing is locked",
  "get-task-mm": "fast when both are 1 under mmap_lock; get_task_mm is kept out",
  "fork-lock": "fast when both are 1 under mm->fork_lock; kthread_use_mm and _unuse_mm are kept out",
  "mmap-lock": "fast when both are 1 under mmap_lock; kthread_use_mm is kept out",
  "users-mmap-lock": "fast when mm_users is 1 under mmap_lock; kthread_use_mm is kept out",
  cpumask: "fast when mm_cpumask has only the forker's CPU; nothing is locked",
};

/** One row a policy. */
export function policiesSection(figures: Figures): Html {
  const { policies } = figures.summary;
  const columns = [
    { title: "policy" },
    ...["fast", "fast %", "slow", "undecided", "unsafe", "unsure", "waits", "p50", "p99", "longest"].map(
      (title) => ({ title, isNumber: true }),
    ),
    { title: "decisions rest on" },
    { title: "denied by" },
  ];
  const rows = Object.keys(policies).map((id) => policyRow(figures, id));
  const needs = needsOfWaits(figures.summary);
  return html`<section aria-labelledby="policies"><h2 id="policies">Policies</h2>
<p>Fast, slow and undecided add up to ${figures.count("forks", "total")} forks in each row. Unsafe and unsure (the trace cannot tell
whether safely) are of fast. Waits: events the policy would have made wait until the window's release; p50, p99 and the longest of them by nearest rank.${needs === null ? null : html` n/e, not evaluable: ${needs}.`}</p>
${dataTable("Decisions, verdicts and waits, one row a policy", columns, rows)}
<details><summary>What each policy checks and locks</summary><dl>
${POLICY_IDS.filter((id) => id in policies).map((id) => html`<div><dt><code>${id}</code></dt><dd>${MEANING[id]}</dd></div>\n`)}</dl></details></section>
`;
}

function policyRow(figures: Figures, id: string): TableCell[] {
  const policy = figures.summary.policies[id]!;
  const cell = (name: string): TableCell => ({
    sort: figures.value(["policies", id, name]),
    show: figures.count("policies", id, name),
  });
  const share = figures.share(["policies", id, "fast"], ["forks", "total"]);
  const unsafe = figures.count("policies", id, "unsafe");
  return [
    { sort: id, show: html`<code>${id}</code>` },
    cell("fast"),
    { sort: policy.fast, show: policy.indeterminate > 0 ? html`≥ ${share}` : share },
    cell("slow"),
    cell("indeterminate"),
    {
      sort: policy.unsafe,
      show: policy.unsafe > 0 ? html`<strong class="bad">▲&nbsp;${unsafe}</strong>` : unsafe,
    },
    cell("unsafe_indeterminate"),
    ...waitCells(figures, id),
    { sort: "", show: evidenceWords(figures, ["policies", id, "evidence"]) },
    {
      sort: "",
      show: html`${Object.entries(policy.denied_by)
        .sort(([, a], [, b]) => b - a)
        .map(
          ([cause], i) =>
            html`${i > 0 ? ", " : ""}${cause} ${figures.count("policies", id, "denied_by", cause)}`,
        )}`,
    },
  ];
}

function waitCells(figures: Figures, id: string): TableCell[] {
  const { blocked } = figures.summary.policies[id]!;
  if ("not_evaluable" in blocked) {
    const unknown = { sort: -1, show: html`<span class="none">n/e</span>` };
    return [unknown, unknown, unknown, unknown];
  }
  const path = ["policies", id, "blocked"];
  const quantiles = (["p50_ns", "p99_ns", "max_ns"] as const).map((name): TableCell => {
    const value = blocked[name];
    return value === null
      ? { sort: -1, show: html`<span class="none">none</span>` }
      : { sort: value, show: figures.duration(...path, name) };
  });
  const unknown =
    blocked.unknown_waits > 0 ? html` (${figures.count(...path, "unknown_waits")} of unknown length)` : null;
  return [{ sort: blocked.events, show: html`${figures.count(...path, "events")}${unknown}` }, ...quantiles];
}
