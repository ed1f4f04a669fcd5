// Who holds the references of a count, in words: all forks' for the text answer, one fork's for the command explain.
import { formatDuration, type TimeUnit } from "../base/time.ts";
import type { Counter, DenialRow } from "../table/verdict-tables.ts";
import type { Attribution, CountAttribution, LazyAttribution } from "./attribution.ts";
import { plural } from "./figure-text.ts";
import { printable } from "./plain-text.ts";

/** "mm_users 4 of 4 references in 3 forks; mm_count 13 of 14 in 13 (2 moving, 1 possible)"; null when no count is above 1. */
export function namedText({ mm_users, mm_count }: Attribution): string | null {
  const parts = [countText("mm_users", mm_users), countText("mm_count", mm_count)].filter((t) => t !== null);
  return parts.length === 0 ? null : parts.join("; ");
}

function countText(counter: Counter, of: CountAttribution): string | null {
  if (of.forks === 0) return null;
  const unsure = [
    ...(of.moving > 0 ? [`${of.moving} moving`] : []),
    ...(of.possible > 0 ? [`${of.possible} possible`] : []),
  ];
  const detail = unsure.length === 0 ? "" : ` (${unsure.join(", ")})`;
  return `${counter} ${of.explained} of ${plural(of.references, "reference")} in ${plural(of.forks, "fork")}${detail}`;
}

const LEAVERS: Readonly<Record<string, string>> = {
  forker: "the forker",
  thread: "threads",
  borrower: "borrowers",
  exit: "tasks in exit_mm",
  other: "vfork children",
  unknown: "unknown",
};

/** "left by the forker 3, borrowers 8; for 2.1 ms (median), at most 12 ms; since when of 1 unknown"; null without lazy references. */
export function lazyText(of: LazyAttribution, unit: TimeUnit): string | null {
  if (of.references === 0) return null;
  const by = Object.entries(of.left_by).map(([who, n]) => `${LEAVERS[who] ?? who} ${n}`);
  const age = (ns: number): string => formatDuration(ns, unit);
  const parts = [
    `left by ${by.join(", ")}`,
    ...(of.age_p50_ns === null || of.age_max_ns === null
      ? []
      : [`for ${age(of.age_p50_ns)} (median), at most ${age(of.age_max_ns)}`]),
    ...(of.age_unknown === 0 ? [] : [`since when of ${of.age_unknown} unknown`]),
  ];
  return parts.join("; ");
}

/**
 * "mm_count 3 = 1 + lazy-tlb 2 (CPU 1 for 4.1 ms, left by the forker, line 812; CPU 3 since before the trace)": the account
 * of one fork's count. `rows`: its denials of that counter. `value` and `evidence` are the fork's.
 */
export function accountText(
  counter: Counter,
  value: number | null,
  evidence: string | null,
  rows: readonly DenialRow[],
  startNs: bigint | null,
  unit: TimeUnit,
): string {
  const causes = [...new Set(rows.map(({ cause }) => cause))];
  const parts = causes.map((cause) => {
    const own = rows.filter((row) => row.cause === cause);
    const total = own.reduce((sum, { refs }) => sum + (refs ?? 0), 0);
    const details = own.map((row) => holderText(row, startNs, unit)).filter((text) => text !== "");
    return `${cause} ${total}${details.length === 0 ? "" : ` (${details.join("; ")})`}`;
  });
  const bound = evidence === "at-least" ? "at least " : "";
  return `${counter} ${bound}${value ?? "?"} = ${["1", ...parts].join(" + ")}`;
}

function holderText(row: DenialRow, startNs: bigint | null, unit: TimeUnit): string {
  const task = row.tid === null ? null : `${printable(row.comm ?? "?")}-${row.tid}`;
  const isLazy = row.cause === "lazy-tlb";
  const who = isLazy ? (row.cpu === null ? null : `CPU ${row.cpu}`) : task;
  if (row.basis === null) return "";
  const age =
    row.since_ns === null || startNs === null
      ? ", since when is not shown"
      : ` for ${formatDuration(Number(startNs - row.since_ns), unit)}`;
  const left = row.left_by === null ? null : leftText(row.left_by, task);
  const facts = [
    `${who ?? `${row.refs} not named`}${age}`,
    ...(isLazy && left !== null ? [left] : []),
    ...(row.line === null ? [] : [`line ${row.line}`]),
    ...(row.basis === "held" ? [] : [row.basis]),
  ];
  return facts.join(", ");
}

function leftText(leftBy: string, task: string | null): string {
  if (leftBy === "forker") return "left by the forker";
  const by = task ?? "?";
  if (leftBy === "borrower") return `left by the borrower ${by}`;
  if (leftBy === "exit") return `left by ${by} in exit_mm`;
  return leftBy === "thread" ? `left by the thread ${by}` : `left by ${by}`;
}
