// What a recording can and cannot answer, question by question, and which probe or event would close each gap.
// Figures only: diagnosis-text.ts prints them. Called by the command doctor with the tables of one trace.
import type { TraceMeta } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../table/event-kinds.ts";
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { type HiddenUse, hiddenUses } from "./hidden.ts";
import { countDoubts, type Question, questions } from "./questions.ts";
import { textAt } from "./rows.ts";
import { type Summary, summarize, type TraceSummary } from "./summary.ts";

export interface ProbeUse {
  readonly event: string;
  /** Kernel function; "" when it could not be told. */
  readonly func: string;
  readonly by: string;
  readonly events: number;
}

export interface WindowUse {
  readonly window: string;
  readonly start_by: string;
  readonly end_by: string;
  readonly forks: number;
}

/** Everything doctor says about one trace; the JSON of `doctor --json`. Extend, never rename. */
export interface Diagnosis {
  readonly trace: TraceSummary;
  /** Rows of the event table by kind, kinds without rows left out. */
  readonly events_by_kind: Readonly<Record<string, number>>;
  /** Events forkcast has no use for, by name. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly probes: { readonly recognised: readonly ProbeUse[]; readonly unrecognised: readonly ProbeUse[] };
  /** Declared armed, but without an event: their silence proves that nothing happened. */
  readonly armed_silent: readonly string[];
  readonly forks: number;
  readonly windows: readonly WindowUse[];
  /** Forks by what makes something about them uncertain; a fork may have several. */
  readonly doubts: Readonly<Record<string, number>>;
  /** Who may hold or use an mm unseen where that leaves a decision or verdict open, and the hook that would show it. */
  readonly hidden: readonly HiddenUse[];
  readonly questions: readonly Question[];
  /** The command that prints a script which records what is missing; null when nothing is. */
  readonly recipe: string | null;
}

/** Diagnoses the only trace of `tables`. */
export function diagnose(tables: VerdictTables, meta: TraceMeta, info: ReplayInfo): Diagnosis {
  const summary: Summary = summarize(tables, [meta], [info]);
  const trace = summary.traces[0]!;
  const kinds = kindsOf(meta);
  const list = questions({ tables, summary, info, kinds });
  const isComplete = list.every((question) => question.answer === "yes");
  return {
    trace,
    events_by_kind: kinds,
    skipped: meta.skipped,
    probes: probesOf(meta),
    armed_silent: info.armed.filter(
      (name) => !(name in kinds) && !(`${name}_ret` in kinds) && name !== "armed",
    ),
    forks: tables.forks.length,
    windows: windowsOf(tables),
    doubts: Object.fromEntries(countDoubts(tables)),
    hidden: hiddenUses(tables),
    questions: list,
    recipe: isComplete ? null : recipeFor(trace),
  };
}

function kindsOf({ kinds = [] }: TraceMeta): Record<string, number> {
  const out: Record<string, number> = {};
  EVENT_KIND_NAMES.forEach((name, kind) => {
    if (kind !== EventKind.armed && (kinds[kind] ?? 0) > 0) out[name] = kinds[kind] ?? 0;
  });
  return out;
}

function probesOf(meta: TraceMeta): Diagnosis["probes"] {
  const uses = meta.probes.map(
    ({ event, func, by, count }): ProbeUse => ({ event, func, by, events: count }),
  );
  return {
    recognised: uses.filter(({ func }) => func !== ""),
    unrecognised: uses.filter(({ func }) => func === ""),
  };
}

function windowsOf({ forks }: VerdictTables): WindowUse[] {
  const uses = new Map<string, WindowUse>();
  const kind = forks.column("window");
  const start = forks.column("start_by");
  const end = forks.column("end_by");
  for (let row = 0; row < forks.length; row++) {
    const window = textAt(kind, kind.ints.data[row]) ?? "";
    const start_by = textAt(start, start.ints.data[row]) ?? "";
    const end_by = textAt(end, end.ints.data[row]) ?? "";
    const key = `${window}\0${start_by}\0${end_by}`;
    uses.set(key, { window, start_by, end_by, forks: (uses.get(key)?.forks ?? 0) + 1 });
  }
  return [...uses.values()].sort((a, b) => b.forks - a.forks);
}

/** The recipe of the tool that made this recording, as far as the format tells. */
function recipeFor({ format, kernel }: TraceSummary): string {
  const tool = /^perf/.test(format)
    ? "perf"
    : /^trace-?(cmd|dat)/.test(format)
      ? "trace-cmd"
      : /csv|json/.test(format)
        ? "bpftrace"
        : "tracefs";
  const version = /^\d+\.\d+/.exec(kernel);
  return `forkcast recipe ${tool}${version === null ? "" : ` --kernel ${version[0]}`}`;
}
