// Which forks are reported. A filter chooses among forks that were replayed from the whole trace; it never hides an event
// from the replay, where an absent borrower or thread would turn a fork safe that is not.
import type { TimeUnit } from "../base/time.ts";
import { parseTimestamp } from "../base/time.ts";
import { type ColumnTable, NULL_I32, type TableRows, type TableSpec } from "../table/columns.ts";
import { takeRows } from "../table/take-rows.ts";
import { newVerdictTables, type ResultTables, type VerdictTables } from "../table/verdict-tables.ts";

/** All parts given have to hold. Absent: no such condition. */
export interface ForkFilter {
  /** Bounds of the check's time, both inclusive, as typed: seconds of the trace's clock, or ticks. null: open. */
  readonly time?: { readonly from: string | null; readonly to: string | null };
  /** The forker's CPU at the check: ranges, both ends inclusive. */
  readonly cpus?: readonly (readonly [number, number])[];
  /** The forker's name at the check, whole. */
  readonly comms?: readonly string[];
  /** Processes; what they fork is theirs (descendants.ts). */
  readonly pids?: readonly number[];
}

/** What was left out of a result: kept beside its tables, said in every output. */
export interface FilterNote {
  /** The options, as typed. */
  readonly options: readonly string[];
  /** Forks before the filter. The selected ones are forks.total. */
  readonly recorded: number;
  /** What the filter cannot know, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * The rows of the forks that `filter` selects, appended to `into`; fork ids stay those of the whole. `units`: by trace.
 * `members`: rows that belong to the filter's processes; needed when it has pids. Rows of `blocks` that belong to no fork are
 * left out. `onRows` may take the rows out of `into` that are there. Returns `into`.
 */
export function filterTables(
  tables: ResultTables,
  filter: ForkFilter,
  units: readonly TimeUnit[],
  members: ReadonlySet<number> | null,
  into: VerdictTables = newVerdictTables(),
  onRows: () => void = () => {},
): VerdictTables {
  const isChosen = forkTest(filter, units, members);
  const kept = new Set<number>();
  takeRows(
    tables.forks,
    into.forks,
    (forks, row) => {
      const fork = forks.get("fork", row) ?? forks.first + row;
      const isKept = isChosen(forks, row);
      if (isKept) kept.add(fork);
      return isKept;
    },
    onRows,
  );
  const copy = <S extends TableSpec & { readonly fork: "i32" }>(
    from: TableRows<S>,
    to: ColumnTable<S>,
  ): void =>
    takeRows(from, to, (batch, row) => kept.has(batch.column("fork").ints.data[row] ?? NULL_I32), onRows);
  copy(tables.verdicts, into.verdicts);
  copy(tables.exposures, into.exposures);
  copy(tables.blocks, into.blocks);
  copy(tables.denials, into.denials);
  copy(tables.near_misses, into.near_misses);
  takeRows(tables.problems, into.problems, () => true, onRows);
  return into;
}

type ForkTest = (forks: VerdictTables["forks"], row: number) => boolean;

function forkTest(
  filter: ForkFilter,
  units: readonly TimeUnit[],
  members: ReadonlySet<number> | null,
): ForkTest {
  const bounds = units.map((unit) => boundsOf(filter, unit));
  const comms = filter.comms === undefined ? null : new Set(filter.comms);
  return (forks, row) => {
    const { from, to } = bounds[forks.get("trace", row) ?? 0] ?? { from: null, to: null };
    const start = forks.get("start_ns", row) ?? 0n;
    const cpu = forks.get("cpu", row) ?? -1;
    return (
      (from === null || start >= from) &&
      (to === null || start <= to) &&
      (filter.cpus === undefined || filter.cpus.some(([low, high]) => cpu >= low && cpu <= high)) &&
      (comms === null || comms.has(forks.get("comm", row) ?? "")) &&
      (filter.pids === undefined || members?.has(forks.first + row) === true)
    );
  };
}

function boundsOf(
  { time }: ForkFilter,
  unit: TimeUnit,
): { readonly from: bigint | null; readonly to: bigint | null } {
  const at = (text: string | null | undefined): bigint | null =>
    text === null || text === undefined ? null : parseTimestamp(text, unit);
  return { from: at(time?.from), to: at(time?.to) };
}
