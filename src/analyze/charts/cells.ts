// Where each fork falls: its bin of time and its command. All charts share these cells, so that one selection means
// the same forks everywhere, and so that a chart's data grows with the cells and not with the forks.
import { Column, NULL_I32 } from "../../table/columns.ts";
import type { ResultTables } from "../../table/verdict-tables.ts";
import { printable } from "../plain-text.ts";
import { countTexts, durationNs } from "../rows.ts";
import { commonUnit, type Summary } from "../summary.ts";

const MOST_BINS = 48;
/** With fewer forks a bin than this, a rate is noise. */
const FORKS_PER_BIN = 8;
const MOST_COMMANDS = 10;
/** A fork without a name. */
const UNKNOWN = "(unknown)";
/** More traces than this cannot be told apart in a plot; the rest are one group. */
const MOST_TRACES = 6;

export interface Cells {
  /** By fork row: bin of time, index into `commands`, index into `traces`. Bytes, since there is one of each a fork. */
  readonly bin: Uint8Array;
  readonly command: Uint8Array;
  readonly trace: Uint8Array;
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
export function cellsOf(summary: Summary, { forks }: ResultTables): Cells {
  const isTicks = commonUnit(summary) === "ticks";
  const traceCount = Math.max(1, summary.traces.length);
  const shownTraces = Math.min(traceCount, MOST_TRACES);
  const firstNs = firstForks(forks);
  const trace = new Uint8Array(forks.length);
  let longest = 0;
  eachStart(forks, firstNs, isTicks, (row, since, index) => {
    trace[row] = Math.min(index, shownTraces - 1);
    longest = Math.max(longest, since);
  });
  const span = niceCeil(longest);
  const bins = span === 0 ? 1 : Math.max(1, Math.min(MOST_BINS, Math.floor(forks.length / FORKS_PER_BIN)));
  const binWidth = span / bins;
  const bin = new Uint8Array(forks.length);
  if (span > 0) {
    eachStart(forks, firstNs, isTicks, (row, since) => {
      bin[row] = Math.min(bins - 1, Math.floor((since / span) * bins));
    });
  }
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

/** When the first fork of each trace checks. */
function firstForks(forks: ResultTables["forks"]): bigint[] {
  const out: bigint[] = [];
  for (const batch of forks.batches(["trace", "start_ns"])) {
    const traces = batch.column("trace").ints.data;
    for (let i = 0; i < batch.length; i++) {
      const trace = traces[i] === NULL_I32 ? 0 : traces[i]!;
      out[trace] ??= batch.get("start_ns", i) ?? 0n;
    }
  }
  return out;
}

/** Visits each fork: its row, when it checks since its trace's first fork (s or ticks), its trace. */
function eachStart(
  forks: ResultTables["forks"],
  firstNs: readonly bigint[],
  isTicks: boolean,
  visit: (row: number, since: number, trace: number) => void,
): void {
  const unit = isTicks ? 1 : 1e9;
  const origins = firstNs.map((ns) => {
    const column = new Column("ns");
    column.push(ns);
    return column;
  });
  for (const batch of forks.batches(["trace", "start_ns"])) {
    const traces = batch.column("trace").ints.data;
    const start = batch.column("start_ns");
    for (let i = 0; i < batch.length; i++) {
      const trace = traces[i] === NULL_I32 ? 0 : traces[i]!;
      const since = durationNs(origins[trace]!, start, 0, i) ?? 0;
      visit(batch.first + i, Math.max(0, since) / unit, trace);
    }
  }
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

function commandsOf(forks: ResultTables["forks"]): Pick<Cells, "command" | "commands" | "allCommands"> {
  // Two names can print the same; they are one command to the reader.
  const counts = new Map<string, number>();
  for (const [comm, n] of countTexts(forks, "comm")) {
    const name = printable(comm);
    if (n > 0) counts.set(name, (counts.get(name) ?? 0) + n);
  }
  const named = [...counts.values()].reduce((sum, n) => sum + n, 0);
  if (named < forks.length) counts.set(UNKNOWN, (counts.get(UNKNOWN) ?? 0) + forks.length - named);
  const all = [...counts]
    .map(([name, n]) => ({ name, forks: n }))
    .sort((a, b) => b.forks - a.forks || (a.name < b.name ? -1 : 1));
  const shown = all.length <= MOST_COMMANDS ? all : all.slice(0, MOST_COMMANDS - 1);
  const commands = shown.map(({ name }) => name);
  // Longer than any task name (15 bytes), so it cannot be one.
  if (all.length > shown.length) commands.push(`${all.length - shown.length} other commands`);
  const indexOf = new Map(shown.map(({ name }, i) => [name, i]));
  const placeOf = (name: string): number => indexOf.get(name) ?? commands.length - 1;
  const command = new Uint8Array(forks.length);
  for (const batch of forks.batches(["comm"])) {
    const comm = batch.column("comm");
    const places = comm.values.map((value) => placeOf(printable(value)));
    const unknown = placeOf(UNKNOWN);
    for (let i = 0; i < batch.length; i++) {
      const id = comm.ints.data[i]!;
      command[batch.first + i] = id === NULL_I32 ? unknown : places[id]!;
    }
  }
  return { command, commands, allCommands: all };
}

function traceNames({ traces }: Summary): string[] {
  const names = traces.map(({ path }, i) => `${i + 1} ${printable(path.replace(/^.*\//s, ""))}`);
  if (names.length <= MOST_TRACES) return names;
  return [...names.slice(0, MOST_TRACES - 1), `${names.length - MOST_TRACES + 1} other traces`];
}
