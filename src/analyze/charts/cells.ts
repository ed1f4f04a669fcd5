// Where each fork falls: its bin of time and its command. All charts share these cells, so that one selection means
// the same forks everywhere, and so that a chart's data grows with the cells and not with the forks.
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { printable } from "../plain-text.ts";
import { textAt } from "../rows.ts";
import { commonUnit, type Summary } from "../summary.ts";

const MOST_BINS = 48;
/** With fewer forks a bin than this, a rate is noise. */
const FORKS_PER_BIN = 8;
const MOST_COMMANDS = 10;
/** More traces than this cannot be told apart in a plot; the rest are one group. */
const MOST_TRACES = 6;

export interface Cells {
  /** By fork row: bin of time, index into `commands`, index into `traces`. */
  readonly bin: Int32Array;
  readonly command: Int32Array;
  readonly trace: Int32Array;
  readonly bins: number;
  /** Middle of each bin: seconds (or ticks) since the first fork of its trace. */
  readonly at: readonly number[];
  readonly binWidth: number;
  /** Length of the time axis, 0 when all forks are at one time. */
  readonly span: number;
  readonly isTicks: boolean;
  /** Printable names, most forks first; the last may stand for all others. */
  readonly commands: readonly string[];
  /** All the commands that fork, and how many forks each has. */
  readonly allCommands: readonly { readonly name: string; readonly forks: number }[];
  readonly traces: readonly string[];
  /** First fork of each trace, absolute. */
  readonly firstNs: readonly bigint[];
}

/** Places every fork. */
export function cellsOf(summary: Summary, { forks }: VerdictTables): Cells {
  const isTicks = commonUnit(summary) === "ticks";
  const traceCount = Math.max(1, summary.traces.length);
  const shownTraces = Math.min(traceCount, MOST_TRACES);
  const firstNs: bigint[] = [];
  const since = new Float64Array(forks.length);
  const trace = new Int32Array(forks.length);
  let longest = 0;
  for (let row = 0; row < forks.length; row++) {
    const index = forks.get("trace", row) ?? 0;
    const start = forks.get("start_ns", row) ?? 0n;
    firstNs[index] ??= start;
    since[row] = Math.max(0, Number(start - firstNs[index])) / (isTicks ? 1 : 1e9);
    trace[row] = Math.min(index, shownTraces - 1);
    longest = Math.max(longest, since[row]!);
  }
  const span = niceCeil(longest);
  const bins = span === 0 ? 1 : Math.max(1, Math.min(MOST_BINS, Math.floor(forks.length / FORKS_PER_BIN)));
  const binWidth = span / bins;
  const bin = Int32Array.from(since, (value) =>
    span === 0 ? 0 : Math.min(bins - 1, Math.floor((value / span) * bins)),
  );
  const at = Array.from({ length: bins }, (_, i) => significant((i + 0.5) * binWidth));
  return {
    bin,
    trace,
    bins,
    at,
    binWidth,
    span,
    isTicks,
    firstNs,
    ...commandsOf(forks),
    traces: traceNames(summary),
  };
}

/** Up to three significant digits upwards, so that axis and inputs show short numbers. */
function niceCeil(value: number): number {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 2);
  return significant(Math.ceil(value / unit) * unit);
}

/** At most six significant digits: more is float noise in a file. */
export function significant(value: number): number {
  return Number(value.toPrecision(6));
}

function commandsOf(forks: VerdictTables["forks"]): Pick<Cells, "command" | "commands" | "allCommands"> {
  const comm = forks.column("comm");
  // Two names can print the same; they are one command to the reader.
  const printed = comm.values.map(printable);
  const counts = new Map<string, number>();
  const nameAt = (row: number): string => {
    const id = comm.ints.data[row];
    return textAt(comm, id) === null ? "(unknown)" : printed[id!]!;
  };
  for (let row = 0; row < forks.length; row++) {
    const name = nameAt(row);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const all = [...counts]
    .map(([name, n]) => ({ name, forks: n }))
    .sort((a, b) => b.forks - a.forks || (a.name < b.name ? -1 : 1));
  const shown = all.length <= MOST_COMMANDS ? all : all.slice(0, MOST_COMMANDS - 1);
  const commands = shown.map(({ name }) => name);
  // Longer than any task name (15 bytes), so it cannot be one.
  if (all.length > shown.length) commands.push(`${all.length - shown.length} other commands`);
  const indexOf = new Map(shown.map(({ name }, i) => [name, i]));
  const command = new Int32Array(forks.length);
  for (let row = 0; row < forks.length; row++) command[row] = indexOf.get(nameAt(row)) ?? commands.length - 1;
  return { command, commands, allCommands: all };
}

function traceNames({ traces }: Summary): string[] {
  const names = traces.map(({ path }, i) => `${i + 1} ${printable(path.replace(/^.*\//s, ""))}`);
  if (names.length <= MOST_TRACES) return names;
  return [...names.slice(0, MOST_TRACES - 1), `${names.length - MOST_TRACES + 1} other traces`];
}
