// Recordings for npm run agreement: which files, what is left out of them, and what was true (X.truth.csv beside X.zst,
// a line a fork, made from the hardware samples; traces/README.md). Read by the sections of the report, never at run time.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { decompress } from "fzstd";
import Papa from "papaparse";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import type { ForkRow } from "../../src/table/verdict-tables.ts";
import { filterRows, ingest, type Outcome, type Trace } from "../../test/replay/recordings.ts";

/**
 * Declares the probe that our recorders armed: a workload that never hits it leaves no other sign of that. Two W8 texts were
 * recorded without it (traces/README.md: not every count holder has a probe).
 */
export function declaredFor(path: string): readonly string[] {
  return /\/W8\//.test(path) ? [] : ["armed:__khugepaged_enter"];
}

/** The texts in a directory, or the file itself. */
export function recordingsIn(root: string): string[] {
  if (!statSync(root).isDirectory()) return [root];
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(txt|csv)\.zst$/.test(name))
    .sort()
    .map((name) => join(root, name));
}

/** The events of one recording; undefined when it is no trace that can be read. */
export function load(path: string): Trace | undefined {
  try {
    return ingest(decompress(readFileSync(path)), path);
  } catch {
    return undefined;
  }
}

/** The trace as it would be without these events; names as in EVENT_KIND_NAMES. */
export function without(trace: Trace, names: readonly string[]): Trace {
  const gone = new Set(names.map((name) => EVENT_KIND_NAMES.indexOf(name)));
  if (gone.has(-1)) throw new Error(`no such event: ${names.join(", ")}`);
  return filterRows(trace, (batch, i) => !gone.has(batch.kind[i] ?? -1));
}

/** Everything between these two is a kprobe (the last, cpu_sample, rides on one). */
export const KPROBES: readonly string[] = EVENT_KIND_NAMES.slice(
  EVENT_KIND_NAMES.indexOf("uprobe_start_dup_mmap"),
  EVENT_KIND_NAMES.indexOf("buffer_started"),
);

/** One fork as X.truth.csv has it. */
export interface TrueFork {
  readonly tid: number;
  /** Its window in ns: gt_fork to gt_fork_ret. */
  readonly begin: number;
  readonly end: number;
  /** The flush of the old mm begins; NaN where that was not sampled. */
  readonly flush: number;
  readonly users: number;
  readonly count: number;
  /** CPUs that held the mm lazily, ran it, at the check. */
  readonly lazy: readonly string[];
  readonly active: readonly string[];
  /** switch_mm_irqs_off to the mm inside the window by another task, on a CPU that is not the forker's: its time. */
  readonly entries: readonly number[];
  readonly useMm: number;
  readonly getTaskMm: number;
}

/** The truth of a recording; undefined when none lies beside it. */
export function truthOf(path: string): readonly TrueFork[] | undefined {
  const file = path.replace(/\.zst$/, ".truth.csv");
  if (!existsSync(file)) return undefined;
  const { data } = Papa.parse<Record<string, string>>(readFileSync(file, "utf8"), {
    header: true,
    skipEmptyLines: true,
  });
  return data.map((row) => ({
    tid: Number(row["tid"]),
    begin: toNs(row["t_begin"]),
    end: toNs(row["t_end"]),
    flush: row["t_flush"] ? toNs(row["t_flush"]) : Number.NaN,
    users: Number(row["mm_users"]),
    count: Number(row["mm_count"]),
    lazy: split(row["lazy_cpus_at_entry"]),
    active: split(row["active_cpus_at_entry"]),
    entries: entriesOf(row),
    useMm: Number(row["use_mm_in_window"]),
    getTaskMm: Number(row["get_task_mm_in_window"]),
  }));
}

/** A borrower that preempts the forker on the forker's own CPU is an entry, and no other CPU's. */
function entriesOf(row: Readonly<Record<string, string>>): number[] {
  const { cpu_begin: from, cpu_end: to } = row;
  return split(row["active_entries_in_window"])
    .map((entry) => entry.split(":"))
    .filter(([, cpu]) => row["other_cpu_active"] === "1" && !(from === to && cpu === `cpu${from}`))
    .map(([at]) => toNs(at));
}

function split(cell: string | undefined): string[] {
  return cell === undefined || cell === "" ? [] : cell.split("|");
}

/** "262.868172000" -> ns; the recordings' uptimes keep it exact. */
function toNs(text: string | undefined): number {
  const [seconds = "0", fraction = ""] = (text ?? "").split(".");
  return Number(seconds) * 1e9 + Number(fraction.padEnd(9, "0").slice(0, 9));
}

/** A fork by what every recording of the same run shows of it. */
export function keyOf({ tid, child_tid }: Pick<ForkRow, "tid" | "child_tid">): string {
  return `${tid}/${child_tid}`;
}

/** Forks of an outcome by key; a failed fork has no child and cannot be paired. */
export function byKey(outcome: Outcome): Map<string, ForkRow> {
  return new Map(
    outcome.forks.filter(({ child_tid }) => child_tid !== null).map((fork) => [keyOf(fork), fork]),
  );
}

/** "93.1 %", or "-" of nothing. */
export function share(n: number, of: number): string {
  return of === 0 ? "-" : `${((100 * n) / of).toFixed(1)} %`;
}
