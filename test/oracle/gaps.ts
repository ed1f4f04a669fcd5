// Where a recording says of itself that events are missing, for the oracle and for who compares it.
import { EventKind } from "../../src/table/event-kinds.ts";
import { NEVER } from "./row-index.ts";
import type { Row } from "./rows.ts";

/** Events may be missing between row `from` (-1: the recording's beginning) and row `to` (NEVER: its end). */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** The gaps of a recording of a machine with `cpus` CPUs, by where they begin. */
export function gapsOf(rows: readonly Row[], cpus: number): Gap[] {
  const gaps: Gap[] = [];
  const of = Array.from({ length: cpus }, (_, cpu) => eventsOf(rows, cpu));
  for (const [at, row] of rows.entries()) {
    if (row.kind !== EventKind.lost) continue;
    const last = (list: readonly number[]): number => list.findLast((i) => i < at) ?? -1;
    // Where no CPU is named it may be the one that was silent longest.
    const from = row.cpu >= 0 ? last(of[row.cpu] ?? []) : Math.min(...of.map(last));
    gaps.push({ from, to: at });
  }
  const started = rows.flatMap(({ kind, cpu }, to) =>
    kind === EventKind.bufferStarted ? [{ to, cpu }] : [],
  );
  for (const { cpu, to } of started) if (cpu >= 0) gaps.push({ from: -1, to });
  const beginsLate = started.some(({ cpu }) => cpu < 0);
  for (const list of of) if (beginsLate || list.length === 0) gaps.push({ from: -1, to: list[0] ?? NEVER });
  return gaps.sort((a, b) => a.from - b.from);
}

/**
 * The row up to which a fork known from row `since` on, over at row `end`, was certainly watched: where the first gap that touches it
 * begins. Its task may have ended it in the gap, and begun the next fork; what ran on the CPU may have left the mm.
 */
export function watchedUntil(rows: readonly Row[], gaps: readonly Gap[], since: number, end: number): number {
  const over = rows[end]?.ns ?? NEVER;
  return gaps.find(({ from, to }) => since < to && (from < 0 || rows[from]!.ns <= over))?.from ?? NEVER;
}

/** The rows that show something of a CPU. */
function eventsOf(rows: readonly Row[], cpu: number): number[] {
  return [...rows.keys()].filter(
    (i) => rows[i]!.cpu === cpu && rows[i]!.kind !== EventKind.cpuSample && rows[i]!.kind !== EventKind.lost,
  );
}
