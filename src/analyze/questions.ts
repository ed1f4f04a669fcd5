// The questions a recording is asked, and what its evidence says to each: yes, partly or no, why, and which probes or
// events would close the gap. Part of diagnosis.ts. What each probe tells: docs/model.md and docs/formats.md#probes.
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { plural } from "./figure-text.ts";
import { textAt } from "./rows.ts";
import type { Summary } from "./summary.ts";

export type Answer = "yes" | "partly" | "no";

/** A probe or event that the recording lacks, or something to do otherwise next time. */
export interface Closer {
  readonly probe: string;
  readonly would_tell: string;
}

export interface Question {
  readonly id: string;
  readonly question: string;
  readonly answer: Answer;
  /** The figures behind the answer. */
  readonly why: string;
  readonly closes: readonly Closer[];
}

/** What the answers are taken from. One trace. */
export interface Evidence {
  readonly tables: VerdictTables;
  readonly summary: Summary;
  readonly info: ReplayInfo;
  /** Rows by kind's name. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** Policies whose lock can make a task wait, and the function that would (house policies; others bring their own needs). */
const WAITERS: Readonly<Record<string, string>> = {
  "get-task-mm": "get_task_mm",
  "fork-lock": "kthread_use_mm",
  "mmap-lock": "kthread_use_mm",
  "users-mmap-lock": "kthread_use_mm",
};

/** Every question, in a fixed order. */
export function questions(evidence: Evidence): Question[] {
  return [
    forkWindows(evidence),
    count(evidence, "mm_users"),
    count(evidence, "mm_count"),
    otherTasks(evidence),
    borrowers(evidence),
    lazyCpus(evidence),
    ...Object.keys(evidence.summary.policies).flatMap((id) => waits(evidence, id)),
    nearMisses(evidence),
  ];
}

/** Evidence that closes a gap: what to record, what it tells, and which events or declarations prove it was recorded. */
interface Source extends Closer {
  readonly provenBy: readonly string[];
}

function source(
  name: string,
  would_tell: string,
  provenBy: readonly string[] = [name, `${name}_ret`],
): Source {
  return { probe: name, would_tell, provenBy };
}

function returnOf(name: string, would_tell: string, others: readonly string[] = []): Source {
  return { probe: `${name} (its return)`, would_tell, provenBy: [`${name}_ret`, ...others] };
}

const SAMPLED = source("uprobe_dup_mmap with users= count=", "both counts at the check, measured", []);
const DUP_MMAP = source(
  "uprobe_dup_mmap",
  "when the page tables begin to be copied; a place to sample mm_users and mm_count",
  ["uprobe_dup_mmap", "dup_mmap"],
);
const FLUSH = returnOf("flush_tlb_mm_range", "the end of the window", ["dup_mmap_ret"]);
const MMPUT = source("mmput", "every release of mm_users");
const GET_TASK_MM = returnOf("get_task_mm", "who takes mm_users from outside");
const MM_ACCESS = returnOf("mm_access", "readers of /proc/PID/mem, maps and the like");
const NEWTASK = source("task_newtask", "clone flags: which tasks share an mm");
const EXEC = source("exec_mm_release", "when an exec gives its old mm back");
const KHUGEPAGED = source("__khugepaged_enter", "whether khugepaged holds mm_count");
const SWITCH_MM = source(
  "switch_mm_irqs_off",
  "which mm each CPU has loaded, or keeps lazily, and so mm_count",
);
const USE_MM = source("kthread_use_mm", "kernel threads that begin to borrow an mm");
const UNUSE_MM = source("kthread_unuse_mm", "kernel threads that end it");
const SWITCH = source("sched_switch", "which task runs where");
/** By the probe's name, as policies ask for it. */
const BY_NAME: ReadonlyMap<string, Closer> = new Map([
  ["kthread_use_mm", USE_MM],
  ["get_task_mm", GET_TASK_MM],
]);

/** Those of `sources` that the recording does not prove: no event of theirs, and no line that declares them armed. */
function lacking({ info, kinds }: Evidence, sources: readonly Source[]): Closer[] {
  return sources
    .filter(({ probe, provenBy }) => {
      if (provenBy.some((name) => info.armed.includes(name))) return false;
      // A declaration names the function: its return counts as recorded unless only entries were.
      const func = probe.replace(" (its return)", "");
      return !(info.armed.includes(func) && (kinds[func] ?? 0) === 0);
    })
    .map(({ probe, would_tell }) => ({ probe, would_tell }));
}

interface Loss {
  readonly why: string;
  readonly closer: Closer;
}

/** What of the trace is missing, whatever was probed. */
function lossesOf({ summary }: Evidence): Loss[] {
  const trace = summary.traces[0];
  const lost = trace?.lost_events ?? 0;
  const silent = trace?.problems.find(({ code }) => code === SILENT_CPU)?.count ?? 0;
  return [
    ...(lost === 0
      ? []
      : [{ why: `${lost === null ? "some events" : plural(lost, "event")} lost`, closer: LARGER_BUFFERS }]),
    ...(silent === 0 ? [] : [{ why: `${plural(silent, "CPU")} without any event`, closer: ALL_CPUS }]),
  ];
}

const SILENT_CPU = "replay/silent-cpu";
const LARGER_BUFFERS: Closer = {
  probe: "larger buffers",
  would_tell: "what the lost events hid (trace-cmd -b, perf -m, buffer_size_kb)",
};
const ALL_CPUS: Closer = {
  probe: "every CPU recorded",
  would_tell: "what ran on those that show no event (perf -a, tracing_cpumask)",
};

/** A question's parts put together: what is missing takes a plain yes away, for what it hid is not known. */
function answered(
  evidence: Evidence,
  id: string,
  question: string,
  given: Pick<Question, "answer" | "why" | "closes">,
): Question {
  const losses = lossesOf(evidence);
  if (losses.length === 0 || given.answer === "no") return { id, question, ...given };
  return {
    id,
    question,
    answer: "partly",
    why: [given.why, ...losses.map(({ why }) => why)].join("; "),
    closes: [...given.closes, ...losses.map(({ closer }) => closer)],
  };
}

/** "of 7 forks 5 measured, 2 unknown": what does not occur is left out. */
function shares(whole: string, parts: readonly (readonly [number, string])[]): string {
  const present = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  return `of ${whole} ${present.join(", ")}`;
}

function forkWindows(evidence: Evidence): Question {
  const { windows, total } = evidence.summary.forks;
  const ask = "when does each fork copy its page tables?";
  const probes = lacking(evidence, [DUP_MMAP, FLUSH]);
  const closes = probes.length === 0 ? [] : [...probes, ...lockEvents(evidence)];
  if (total === 0) {
    const why = "no fork that copies an mm was recorded";
    return answered(evidence, "fork-windows", ask, { answer: "no", why, closes });
  }
  const why = shares(plural(total, "window"), [
    [windows.measured, "measured"],
    [windows.bracketed, "bracketed"],
    [windows.point, "a point only"],
  ]);
  const isWhole = windows.measured === total;
  return answered(evidence, "fork-windows", ask, {
    answer: isWhole ? "yes" : windows.measured + windows.bracketed > 0 ? "partly" : "no",
    why,
    closes: isWhole ? [] : closes,
  });
}

/** Without probes: the mmap_lock tracepoints bound a window too. */
function lockEvents(evidence: Evidence): Closer[] {
  return lacking(evidence, [source("mmap_lock_acquire_returned", "")]).map(() => ({
    probe: "mmap_lock:* with write == 1",
    would_tell: "the same without kprobes: when the write lock is held",
  }));
}

function count(evidence: Evidence, name: "mm_users" | "mm_count"): Question {
  const id = name === "mm_users" ? "mm-users" : "mm-count";
  const ask =
    name === "mm_users" ? "how many users has the mm at the check?" : "how many hold the mm at the check?";
  const { total } = evidence.summary.forks;
  const words = evidence.summary.forks[`${name}_evidence`];
  const exact = words.measured + words.derived;
  const holders =
    name === "mm_users"
      ? [MMPUT, GET_TASK_MM, MM_ACCESS, NEWTASK, EXEC, SWITCH]
      : [KHUGEPAGED, SWITCH_MM, USE_MM, UNUSE_MM, SWITCH];
  const closes = [{ probe: SAMPLED.probe, would_tell: SAMPLED.would_tell }, ...lacking(evidence, holders)];
  if (total === 0) return answered(evidence, id, ask, { answer: "no", why: "no fork", closes });
  const parts = shares(plural(total, "fork"), [
    [words.measured, "measured"],
    [words.derived, "derived"],
    [words["at-least"], "a lower bound"],
    [words.unknown + words.assumed, "unknown"],
  ]);
  const why = parts + doubtText(evidence, total - exact);
  if (exact === total) return answered(evidence, id, ask, { answer: "yes", why, closes: [] });
  const known = exact + words["at-least"];
  return answered(evidence, id, ask, { answer: known > 0 ? "partly" : "no", why, closes });
}

const MOST_DOUBTS = 3;

function doubtText({ tables }: Evidence, undecided: number): string {
  if (undecided === 0) return "";
  const doubts = [...countDoubts(tables)].sort(([, a], [, b]) => b - a).slice(0, MOST_DOUBTS);
  return doubts.length === 0 ? "" : ` (${doubts.map(([slug, n]) => `${slug} ${n}`).join(", ")})`;
}

/** Forks by doubt; a fork may have several. */
export function countDoubts({ forks }: VerdictTables): Map<string, number> {
  const out = new Map<string, number>();
  for (let row = 0; row < forks.length; row++) {
    for (const slug of forks.get("doubts", row)) out.set(slug, (out.get(slug) ?? 0) + 1);
  }
  return out;
}

function undecidedExposures({ tables: { forks } }: Evidence): number {
  const exposure = forks.column("exposure");
  let n = 0;
  for (let row = 0; row < forks.length; row++) if (textAt(exposure, exposure.ints.data[row]) === "U7") n++;
  return n;
}

function otherTasks(evidence: Evidence): Question {
  const ask = "does another task run the mm inside the window?";
  const closes = lacking(evidence, [SWITCH, NEWTASK]);
  const total = evidence.summary.forks.total;
  if (closes.some(({ probe }) => probe === "sched_switch")) {
    return answered(evidence, "other-tasks", ask, { answer: "no", why: "no sched_switch", closes });
  }
  if (total === 0) return answered(evidence, "other-tasks", ask, { answer: "no", why: "no fork", closes });
  const undecided = undecidedExposures(evidence);
  const why = `${total - undecided} of ${plural(total, "fork")} decided`;
  const isWhole = undecided === 0 && closes.length === 0;
  return answered(evidence, "other-tasks", ask, {
    answer: isWhole ? "yes" : undecided < total ? "partly" : "no",
    why,
    closes: isWhole ? [] : [...closes, ...lacking(evidence, [SWITCH_MM])],
  });
}

function borrowers(evidence: Evidence): Question {
  const ask = "does a kernel thread borrow the mm (kthread_use_mm)?";
  const probes = lacking(evidence, [USE_MM, UNUSE_MM]);
  const { armed } = evidence.info;
  if (armed.includes("kthread_use_mm")) {
    const why = "kthread_use_mm was probed";
    return answered(evidence, "borrowers", ask, {
      answer: probes.length === 0 ? "yes" : "partly",
      why,
      closes: probes,
    });
  }
  if (armed.includes("switch_mm_irqs_off")) {
    // kthread_use_mm calls switch_mm_irqs_off for the borrower itself (kernel/kthread.c).
    const why = "each borrow shows as a switch_mm_irqs_off, its end only as lazy mode";
    return answered(evidence, "borrowers", ask, { answer: "partly", why, closes: probes });
  }
  const why = armed.includes("tlb_flush")
    ? "a tlb_flush in a kernel thread's name may be one; the mm is not named"
    : "nothing recorded shows one";
  return answered(evidence, "borrowers", ask, { answer: "no", why, closes: probes });
}

function lazyCpus(evidence: Evidence): Question {
  const ask = "which other CPUs keep the mm lazily?";
  const { forks } = evidence.tables;
  let known = 0;
  for (let row = 0; row < forks.length; row++) if (forks.get("lazy_cpus", row) !== null) known++;
  const isSampled = evidence.info.armed.includes("cpu_sample");
  const closes = isSampled ? [] : lacking(evidence, [SWITCH_MM, SWITCH]);
  const why = `known for ${known} of ${plural(forks.length, "fork")}`;
  if (known === 0) return answered(evidence, "lazy-cpus", ask, { answer: "no", why, closes });
  const isWhole = known === forks.length && closes.length === 0;
  return answered(evidence, "lazy-cpus", ask, { answer: isWhole ? "yes" : "partly", why, closes });
}

function waits(evidence: Evidence, id: string): Question[] {
  const policy = evidence.summary.policies[id];
  const waiter = WAITERS[id];
  if (policy === undefined) return [];
  const ask = `who would wait for a fork under ${id}?`;
  if ("not_evaluable" in policy.blocked) {
    const needs = policy.blocked.not_evaluable;
    const closes = needs.split(", ").map((probe) => ({
      probe: BY_NAME.get(probe)?.probe ?? probe,
      would_tell: BY_NAME.get(probe)?.would_tell ?? "who would wait",
    }));
    return [
      answered(evidence, `waits:${id}`, ask, {
        answer: "no",
        why: "what would wait is not recorded",
        closes,
      }),
    ];
  }
  if (waiter === undefined) return [];
  const { events, unknown_waits } = policy.blocked;
  const isWhole = unknown_waits === 0 && policy.indeterminate === 0;
  const why =
    `${plural(events, "wait")}` +
    (unknown_waits > 0 ? `, ${unknown_waits} of unknown length` : "") +
    (policy.indeterminate > 0 ? `; ${plural(policy.indeterminate, "fork")} whose path is not known` : "");
  if (evidence.summary.forks.total === 0) {
    return [answered(evidence, `waits:${id}`, ask, { answer: "no", why: "no fork", closes: [] })];
  }
  return [answered(evidence, `waits:${id}`, ask, { answer: isWhole ? "yes" : "partly", why, closes: [] })];
}

/** Rows of near_misses with a borrow that came near, and those where the window's end or lost events hide whether one did. */
function countNearMisses({ tables: { near_misses: near } }: Evidence): { unknown: number; reached: number } {
  const ordered = near.column("ordered_by");
  let unknown = 0;
  let reached = 0;
  for (let row = 0; row < near.length; row++) {
    if (near.get("distance_ns", row) !== null) reached++;
    else if (textAt(ordered, ordered.ints.data[row]) === "window-unknown") unknown++;
  }
  return { unknown, reached };
}

function nearMisses(evidence: Evidence): Question {
  const ask = "how close did a borrower come to a window?";
  const { windows, total } = evidence.summary.forks;
  const probes = lacking(evidence, [USE_MM]);
  if (total === 0)
    return answered(evidence, "near-misses", ask, { answer: "no", why: "no fork", closes: probes });
  if (probes.length > 0 && !evidence.info.armed.includes("switch_mm_irqs_off")) {
    return answered(evidence, "near-misses", ask, {
      answer: "no",
      why: "borrowers are not recorded",
      closes: probes,
    });
  }
  const { unknown, reached } = countNearMisses(evidence);
  const isWhole = probes.length === 0 && windows.measured === total && unknown === 0;
  const why =
    `borrowers recorded, ${windows.measured} of ${plural(total, "window")} measured; ` +
    `one came near in ${plural(reached, "pair")} of fork and policy` +
    (unknown > 0 ? `; ${unknown} where that cannot be told` : "");
  const closes = isWhole ? [] : [...probes, ...lacking(evidence, [DUP_MMAP, FLUSH])];
  return answered(evidence, "near-misses", ask, { answer: isWhole ? "yes" : "partly", why, closes });
}
