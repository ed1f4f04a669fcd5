// Applies --time, -C, -p and --comm to the results of a replay. What a filter means is analyze's (filter.ts); here are the
// events that -p follows.
import { existsSync } from "node:fs";
import { descendantForks } from "../analyze/descendants.ts";
import { type FilterNote, type ForkFilter, filterTables } from "../analyze/filter.ts";
import { readEventFile } from "../table/arrow.ts";
import { newVerdictTables, type VerdictTables } from "../table/verdict-tables.ts";
import { UsageError } from "./exit.ts";
import { inFile, openReader } from "./files.ts";
import { type FilterCliOptions, filterText, hasFilter } from "./filter-options.ts";
import { eventsFile, tablePath } from "./output-dir.ts";
import type { ReadResults, Results } from "./results.ts";
import { quotePath } from "./trace-input.ts";

/**
 * The results of the forks that the options select, in memory; without options the same. `dir` holds the events, which -p reads.
 * Earlier filters of the same results stay said.
 */
export async function filterResults(
  dir: string,
  results: ReadResults,
  options: FilterCliOptions,
): Promise<ReadResults> {
  if (!hasFilter(options)) return results;
  const tables = newVerdictTables();
  const filter = await filterRows(dir, results, options, tables);
  return { ...results, tables, filter };
}

/** The same into given tables; `onRows` may take rows out of them. */
export async function filterRows(
  dir: string,
  results: Results,
  options: FilterCliOptions,
  into: VerdictTables,
  onRows: () => void = () => {},
): Promise<FilterNote> {
  const notes: string[] = [];
  const members = options.pid === undefined ? null : await membersOf(dir, results, options.pid, notes);
  const units = results.metas.map(({ timeUnit }) => timeUnit);
  filterTables(results.tables, forkFilter(options), units, members, into, onRows);
  const before = results.filter;
  return {
    options: [...(before?.options ?? []), ...filterText(options)],
    recorded: before?.recorded ?? results.tables.forks.length,
    notes: [...(before?.notes ?? []), ...notes],
  };
}

function forkFilter({ time, cpu, pid, comm }: FilterCliOptions): ForkFilter {
  // perf separates names by commas; a name that has one is meant whole as well.
  const comms = comm?.flatMap((value) => [value, ...value.split(",")]);
  return {
    ...(time === undefined ? {} : { time }),
    ...(cpu === undefined ? {} : { cpus: cpu }),
    ...(comms === undefined ? {} : { comms }),
    ...(pid === undefined ? {} : { pids: pid }),
  };
}

async function membersOf(
  dir: string,
  { tables, metas }: Results,
  pids: readonly number[],
  notes: string[],
): Promise<Set<number>> {
  const members = new Set<number>();
  let lacksGroups = false;
  for (const trace of metas.keys()) {
    const path = tablePath(dir, eventsFile(trace));
    if (!existsSync(path))
      throw new UsageError(`-p follows forks through ${quotePath(path)}, which is not there`);
    const reader = openReader(path);
    try {
      const events = inFile(path, () => readEventFile(reader));
      const { rows, hasGroups } = await descendantForks(events, tables, trace, pids);
      for (const row of rows) members.add(row);
      lacksGroups ||= !hasGroups;
    } finally {
      reader.close();
    }
  }
  if (lacksGroups) {
    notes.push(
      "-p: this recording does not print thread groups, so threads that began before it are known only by their own id.",
    );
  }
  return members;
}
