// What the command explore does: one search a policy, the result as text or JSON, the unsafe schedules as trace files.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bound, EXPLORE_ASSUMPTIONS } from "../replay/explore/bound.ts";
import { type Exploration, explore, type Schedule } from "../replay/explore/index.ts";
import { POLICIES } from "../replay/policies/index.ts";
import type { ExploreCliOptions } from "./commands/explore.ts";
import { attempt, writeWhole } from "./files.ts";

interface Timed {
  readonly found: Exploration;
  readonly seconds: number;
  /** Where its unsafe schedule was written. */
  readonly path: string | undefined;
}

/** Explores and returns what goes to standard output. Throws UsageError when --out cannot be written. */
export function runExplore(options: ExploreCliOptions): string {
  const bound = boundOf(options);
  const { out } = options;
  if (out !== undefined) attempt(out, () => mkdirSync(out, { recursive: true }));
  const policies = POLICIES.filter(({ id }) => options.policy === undefined || options.policy.includes(id));
  const results = policies.map((policy): Timed => {
    const start = performance.now();
    const found = explore(policy, bound, options.maxStates);
    const seconds = (performance.now() - start) / 1000;
    if (out === undefined || found.unsafe === undefined) return { found, seconds, path: undefined };
    const path = join(out, `${policy.id}.trace.txt`);
    writeWhole(path, found.unsafe.trace);
    return { found, seconds, path };
  });
  return options.json ? jsonOf(bound, results) : textOf(bound, results);
}

function boundOf(options: ExploreCliOptions): Bound {
  const { cpus, threads, vforks, borrowers, readers, tasks } = options;
  const assume = EXPLORE_ASSUMPTIONS.filter(
    (name) => options.assume.includes(name) || (name === "preempt-rt" && options.rt),
  );
  return { cpus, threads, vforks, borrowers, kinds: options.borrowerKinds, readers, tasks, assume };
}

function jsonOf(bound: Bound, results: readonly Timed[]): string {
  const { kinds, ...sizes } = bound;
  const policies = results.map(({ found, seconds, path }) => ({
    policy: found.policy,
    outcome: found.outcome,
    states: found.states,
    depth: found.depth,
    elapsed_ms: Math.round(seconds * 1000),
    unsafe: scheduleJson(found.unsafe),
    deadlock: scheduleJson(found.deadlock),
    ...(path === undefined ? {} : { trace: path }),
  }));
  return JSON.stringify({ schema_version: 1, bound: { ...sizes, borrower_kinds: kinds }, policies }, null, 2);
}

function scheduleJson(schedule: Schedule | undefined): Omit<Schedule, "trace"> | null {
  return schedule === undefined ? null : { steps: schedule.steps, ends: schedule.ends };
}

function textOf(bound: Bound, results: readonly Timed[]): string {
  const lines = [`bound: ${boundText(bound)}`];
  if (bound.assume.length > 0) lines.push(`assumed: ${bound.assume.join(", ")}`);
  for (const { found, seconds, path } of results) {
    lines.push(...(found.unsafe === undefined ? [] : [""]), summaryLine(found, seconds));
    if (found.unsafe !== undefined) lines.push(...scheduleLines(found.unsafe));
    if (path !== undefined) lines.push(`     trace: ${path}`);
    if (found.unsafe !== undefined && found.deadlock === undefined) lines.push("");
    if (found.deadlock === undefined) continue;
    lines.push(`  can deadlock, after ${found.deadlock.steps.length} steps`);
    lines.push(...scheduleLines(found.deadlock), "");
  }
  return lines
    .filter((line, at) => line !== "" || lines[at - 1] !== "")
    .join("\n")
    .trimEnd();
}

function boundText(bound: Bound): string {
  const kinds = bound.borrowers > 0 ? ` (${bound.kinds.join(", ")})` : "";
  const parts = [
    plural(bound.cpus, "CPU"),
    plural(bound.threads, "thread"),
    plural(bound.borrowers, "borrower") + kinds,
    plural(bound.readers, "reader"),
  ];
  if (bound.vforks > 0) parts.push(plural(bound.vforks, "vfork child"));
  if (bound.tasks > 0) parts.push(plural(bound.tasks, "other task"));
  return parts.join(", ");
}

function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function summaryLine(found: Exploration, seconds: number): string {
  const cost = `${count(found.states)} states, depth ${found.depth}, ${seconds.toFixed(1)} s`;
  const name = found.policy.padEnd(16);
  if (found.outcome === "safe") return `${name} safe within the bound: ${cost}`;
  if (found.outcome === "undecided") return `${name} undecided, no unsafe schedule in ${cost}`;
  return `${name} UNSAFE in ${found.unsafe?.steps.length ?? 0} steps: ${count(found.states)} states, ${seconds.toFixed(1)} s`;
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** One line a step, under 80 columns. */
function scheduleLines(schedule: Schedule): string[] {
  const lines = schedule.steps.map(
    ({ cpu, task, what }, at) => `  ${String(at + 1).padStart(3)} CPU ${cpu} ${task.padEnd(8)} ${what}`,
  );
  return [...lines, `      => ${schedule.ends}`];
}
