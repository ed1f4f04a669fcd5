// Which forks are reported. A filter chooses among forks that were replayed from the whole trace; it never hides an event
// from the replay, where an absent borrower or thread would turn a fork safe that is not.
import type { TimeUnit } from "../base/time.ts";
import { parseTimestamp } from "../base/time.ts";
import { NULL_I32 } from "../table/columns.ts";
import { takeRows } from "../table/take-rows.ts";
import type { VerdictTables } from "../table/verdict-tables.ts";

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
 * The tables of the forks that `filter` selects; fork ids stay those of the whole. `units`: by trace. `members`: rows that
 * belong to the filter's processes; needed when it has pids. Rows of `blocks` that belong to no fork are left out.
 */
export function filterTables(
  tables: VerdictTables,
  filter: ForkFilter,
  units: readonly TimeUnit[],
  members: ReadonlySet<number> | null,
): VerdictTables {
  const { forks } = tables;
  const bounds = units.map((unit) => boundsOf(filter, unit));
  const comms = filter.comms === undefined ? null : new Set(filter.comms);
  const kept = new Set<number>();
  const chosen = takeRows(forks, (row) => {
    const { from, to } = bounds[forks.get("trace", row) ?? 0] ?? { from: null, to: null };
    const start = forks.get("start_ns", row) ?? 0n;
    const cpu = forks.get("cpu", row) ?? -1;
    const isChosen =
      (from === null || start >= from) &&
      (to === null || start <= to) &&
      (filter.cpus === undefined || filter.cpus.some(([low, high]) => cpu >= low && cpu <= high)) &&
      (comms === null || comms.has(forks.get("comm", row) ?? "")) &&
      (filter.pids === undefined || members?.has(row) === true);
    if (isChosen) kept.add(forks.get("fork", row) ?? row);
    return isChosen;
  });
  const ofKept = (ids: Int32Array) => (row: number) => ids[row] !== NULL_I32 && kept.has(ids[row]!);
  const { verdicts, exposures, blocks, denials, near_misses, problems } = tables;
  return {
    forks: chosen,
    verdicts: takeRows(verdicts, ofKept(verdicts.column("fork").ints.data)),
    exposures: takeRows(exposures, ofKept(exposures.column("fork").ints.data)),
    blocks: takeRows(blocks, ofKept(blocks.column("fork").ints.data)),
    denials: takeRows(denials, ofKept(denials.column("fork").ints.data)),
    near_misses: takeRows(near_misses, ofKept(near_misses.column("fork").ints.data)),
    problems,
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
