// Which windows the report draws: the unsafe ones, those nobody can judge, the closest misses, the longest. Each kind
// has a cap; what is left out is counted and can be listed with a command.
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { durationNs, forkRowById, textAt } from "../rows.ts";

/** Ignores threads on purpose (a negative control): windows unsafe only there come last. */
export const CONTROL = "mm-count-only";

export const KINDS = ["unsafe", "indeterminate", "closest", "slowest"] as const;
export type WindowKind = (typeof KINDS)[number];

const MOST: Readonly<Record<WindowKind, number>> = { unsafe: 24, indeterminate: 8, closest: 5, slowest: 5 };

export interface Choice {
  /** Fork rows that are drawn, best first within a kind; a fork is in one kind only, the first that fits. */
  readonly drawn: ReadonlyMap<WindowKind, readonly number[]>;
  /** Fork rows of each kind, drawn or not. */
  readonly total: ReadonlyMap<WindowKind, number>;
  /** All unsafe forks, worst first, with the policies they are unsafe under. */
  readonly unsafe: readonly { readonly row: number; readonly policies: readonly string[] }[];
}

/** Chooses the windows. */
export function interestingWindows(tables: VerdictTables): Choice {
  const unsafe = forksWith(tables, "unsafe");
  const isControl = ({ policies }: { policies: readonly string[] }): number =>
    policies.every((id) => id === CONTROL) ? 1 : 0;
  const exposed = new Map(unsafe.map(({ row }) => [row, Number(tables.forks.get("exposed_ns", row) ?? 0n)]));
  unsafe.sort(
    (a, b) => isControl(a) - isControl(b) || exposed.get(b.row)! - exposed.get(a.row)! || a.row - b.row,
  );
  // As many as are left whatever the other kinds take.
  const candidates = KINDS.reduce((sum, kind) => sum + MOST[kind], 0);
  const ranked: Readonly<Record<WindowKind, readonly number[]>> = {
    unsafe: unsafe.map(({ row }) => row),
    indeterminate: forksWith(tables, "indeterminate").map(({ row }) => row),
    closest: nearest(tables),
    slowest: longest(tables, candidates),
  };
  const taken = new Set<number>();
  const drawn = new Map<WindowKind, number[]>();
  for (const kind of KINDS) {
    const rows = ranked[kind].filter((row) => !taken.has(row)).slice(0, MOST[kind]);
    for (const row of rows) taken.add(row);
    drawn.set(kind, rows);
  }
  return { drawn, total: new Map(KINDS.map((kind) => [kind, ranked[kind].length])), unsafe };
}

/** Forks with this verdict on a fast path under some policy, in time order. */
function forksWith(tables: VerdictTables, word: string): { row: number; policies: string[] }[] {
  const { verdicts } = tables;
  const verdict = verdicts.column("verdict");
  const decision = verdicts.column("decision");
  const wanted = verdict.values.indexOf(word);
  const policy = verdicts.column("policy");
  const fork = verdicts.column("fork").ints.data;
  const rowOf = forkRowById(tables);
  const byRow = new Map<number, { row: number; policies: string[] }>();
  for (let i = 0; wanted >= 0 && i < verdicts.length; i++) {
    if (verdict.ints.data[i] !== wanted || textAt(decision, decision.ints.data[i]) !== "fast") continue;
    const row = rowOf(fork[i]!);
    if (row === undefined) continue;
    const entry = byRow.get(row) ?? { row, policies: [] };
    entry.policies.push(textAt(policy, policy.ints.data[i]) ?? "");
    byRow.set(row, entry);
  }
  return [...byRow.values()].sort((a, b) => a.row - b.row);
}

/** Rows of the longest windows, longest first. */
function longest({ forks }: VerdictTables, most: number): number[] {
  const start = forks.column("start_ns");
  const end = forks.column("end_ns");
  const best: { row: number; length: number }[] = [];
  for (let row = 0; row < forks.length; row++) {
    const length = durationNs(start, end, row);
    if (length === null || (best.length === most && length <= best.at(-1)!.length)) continue;
    best.push({ row, length });
    best.sort((a, b) => b.length - a.length || a.row - b.row);
    if (best.length > most) best.pop();
  }
  return best.map(({ row }) => row);
}

/** Rows of forks that a borrow missed, the nearest miss first. */
function nearest(tables: VerdictTables): number[] {
  const { near_misses: near } = tables;
  const rowOf = forkRowById(tables);
  const best = new Map<number, bigint>();
  for (let i = 0; i < near.length; i++) {
    const row = rowOf(near.get("fork", i) ?? -1);
    const distance = near.get("distance_ns", i);
    if (row === undefined || distance === null) continue;
    const known = best.get(row);
    if (known === undefined || distance < known) best.set(row, distance);
  }
  return [...best].sort(([a, x], [b, y]) => (x < y ? -1 : x > y ? 1 : a - b)).map(([row]) => row);
}
