// What a replay said of a short trace, as text to compare: per fork its window, its counts with their evidence, its
// exposures, the decisions by outcome, the waits. Times in microseconds after second 1, where the specimens begin.
import { type ForkRow, POLICY_IDS } from "../../src/table/verdict-tables.ts";
import type { Outcome } from "./recordings.ts";

const START_NS = 1_000_000_000n;

/** The text of an outcome. always-atomic is left out: it is slow for every fork. */
export function outcomeText(outcome: Outcome): string {
  const lines = outcome.forks.flatMap((fork) => [
    `fork ${fork.tid} [${us(fork.start_ns)},${us(fork.end_ns)}) ${windowText(fork)}`,
    ...indented([countsText(fork), doubtsText(fork)]),
    ...indented(decisions(outcome, fork)),
    ...indented(exposures(outcome, fork)),
    ...indented(waits(outcome, fork)),
  ]);
  for (const { code, count } of outcome.problems) lines.push(`problem ${code} x${count}`);
  return lines.join("\n");
}

function indented(lines: readonly string[]): string[] {
  return lines.filter((line) => line !== "").map((line) => `  ${line}`);
}

function us(ns: bigint | null): string {
  return ns === null ? "?" : String(Number(ns - START_NS) / 1000);
}

function windowText(fork: ForkRow): string {
  const child = fork.child_tid === null ? "" : ` child ${fork.child_tid}`;
  const early = fork.early_ns === null ? "" : ` early ${us(fork.early_ns)}`;
  const kind = fork.window === "measured" ? "" : ` ${fork.window}`;
  return `${fork.start_by}..${fork.end_by}${child}${early}${kind}`;
}

function countsText(fork: ForkRow): string {
  const count = (which: "users" | "count"): string => {
    const evidence = fork[`mm_${which}_evidence`];
    const derived = ` (${fork[`derived_${which}`]} ${fork[`derived_${which}_evidence`]})`;
    return `${which} ${fork[`mm_${which}`]} ${evidence}${evidence === "measured" ? derived : ""}`;
  };
  return `${count("users")}, ${count("count")}, exposure ${fork.exposure}, lazy ${fork.lazy_cpus ?? "?"}`;
}

function doubtsText(fork: ForkRow): string {
  return fork.doubts.length === 0 ? "" : `doubts: ${fork.doubts.join(" ")}`;
}

/** One line an outcome: "slow threads+lazy-tlb: counts-unlocked mmap-lock". */
function decisions(outcome: Outcome, fork: ForkRow): string[] {
  const groups = new Map<string, string[]>();
  for (const policy of POLICY_IDS) {
    if (policy === "always-atomic") continue;
    const { decision, verdict, denied_by } = outcome.verdicts(policy)[fork.fork ?? -1]!;
    const detail = decision === "slow" ? denied_by.join("+") : decision === "fast" ? verdict : "";
    const key = `${decision} ${detail}`.trim();
    groups.set(key, [...(groups.get(key) ?? []), policy]);
  }
  return [...groups].map(([key, policies]) => `${key}: ${policies.join(" ")}`);
}

function exposures(outcome: Outcome, fork: ForkRow): string[] {
  return outcome.exposures
    .filter((row) => row.fork === fork.fork)
    .map((row) => `${row.class} ${row.tid} on cpu${row.cpu} [${us(row.start_ns)},${us(row.end_ns)})`);
}

/** One line a call that would have waited, with the designs that make it wait. */
function waits(outcome: Outcome, fork: ForkRow): string[] {
  const calls = new Map<string, string[]>();
  const rows = outcome.blocks.filter((row) => row.fork === fork.fork);
  rows.sort((a, b) => Number((a.at_ns ?? 0n) - (b.at_ns ?? 0n)));
  for (const { wait_ns, kind, tid, at_ns, policy } of rows) {
    const wait = wait_ns === null ? "?" : Number(wait_ns) / 1000;
    const call = `wait ${wait} ${kind} ${tid} at ${us(at_ns)}`;
    calls.set(call, [...(calls.get(call) ?? []), policy ?? ""]);
  }
  return [...calls].map(([call, policies]) => `${call}: ${policies.join(" ")}`);
}
