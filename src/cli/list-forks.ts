// A line a fork: what explain prints without a fork's number. The numbers are those that explain takes.
import { type Outcome, outcomeOf } from "../analyze/outcomes.ts";
import { alignColumns, columnWidths, printable } from "../analyze/plain-text.ts";
import { textAt } from "../analyze/rows.ts";
import { formatDuration, formatTimestamp } from "../base/time.ts";
import type { VerdictTables } from "../table/verdict-tables.ts";
import type { FilterCliOptions } from "./filter-options.ts";
import { filterResults } from "./filter-results.ts";
import { readResults } from "./results.ts";

const HEAD = ["fork", "check at", "task", "CPU", "window", "policies"] as const;
/** Columns of numbers. */
const RIGHT = [0, 1, 3, 4] as const;

/** The selected forks of `dir`, one a line below a heading; the last line counts them. */
export async function listForks(dir: string, filter: FilterCliOptions): Promise<readonly string[]> {
  const whole = readResults(dir);
  const { tables, metas } = await filterResults(dir, whole, filter);
  const { forks } = tables;
  const outcomes = outcomesByFork(tables);
  const rows = Array.from({ length: forks.length }, (_, at) => {
    const { fork, trace, start_ns, end_ns, comm, tid, cpu } = forks.row(at);
    const unit = metas[trace ?? 0]?.timeUnit ?? "ns";
    return [
      String(fork),
      start_ns === null ? "?" : formatTimestamp(start_ns, unit),
      printable(`${comm ?? "?"}-${tid}`),
      String(cpu),
      start_ns === null || end_ns === null ? "-" : formatDuration(Number(end_ns - start_ns), unit),
      outcomes.get(fork ?? -1) ?? "",
    ];
  });
  const recorded = whole.filter?.recorded ?? whole.tables.forks.length;
  const cells = [HEAD, ...rows];
  return [...alignColumns(cells, columnWidths(cells), RIGHT, 2), `${forks.length} of ${recorded} forks`];
}

/** What is said of each outcome, the worst first. */
const WORDS: readonly (readonly [Outcome, string])[] = [
  ["unsafe", "unsafe"],
  ["unsure", "unsure"],
  ["indeterminate", "undecided"],
  ["safe", "fast"],
  ["slow", "slow"],
];

/** "unsafe 1 fast 5 slow 3": how many policies say what of each fork; fast: safely. */
function outcomesByFork({ verdicts }: VerdictTables): Map<number, string> {
  const decision = verdicts.column("decision");
  const verdict = verdicts.column("verdict");
  const counts = new Map<number, Map<Outcome, number>>();
  for (let row = 0; row < verdicts.length; row++) {
    const outcome = outcomeOf(
      textAt(decision, decision.ints.data[row]),
      textAt(verdict, verdict.ints.data[row]),
    );
    const fork = verdicts.get("fork", row) ?? -1;
    const of = counts.get(fork) ?? new Map<Outcome, number>();
    counts.set(fork, of.set(outcome, (of.get(outcome) ?? 0) + 1));
  }
  return new Map(
    [...counts].map(([id, of]) => [
      id,
      WORDS.filter(([outcome]) => of.has(outcome))
        .map(([outcome, word]) => `${word} ${of.get(outcome)}`)
        .join(" "),
    ]),
  );
}
