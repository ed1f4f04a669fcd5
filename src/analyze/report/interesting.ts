// Which windows the report draws: the unsafe ones, those nobody can judge, the closest misses, the longest. Each kind
// has a cap; what is left out is counted and can be listed with a command.
import type { ResultTables } from "../../table/verdict-tables.ts";
import { durationNs, ForkCursor, forkRowById, textAt } from "../rows.ts";

/** Ignores threads on purpose (a negative control): windows unsafe only there come last. */
export const CONTROL = "mm-count-only";

export const KINDS = ["unsafe", "indeterminate", "closest", "slowest"] as const;
export type WindowKind = (typeof KINDS)[number];

const MOST: Readonly<Record<WindowKind, number>> = { unsafe: 24, indeterminate: 8, closest: 5, slowest: 5 };

/** An unsafe fork and the policies it is unsafe under. */
export interface UnsafeFork {
  /** Of `forks`. */
  readonly row: number;
  readonly policies: readonly string[];
}

export interface Choice {
  /** Fork rows that are drawn, best first within a kind; a fork is in one kind only, the first that fits. */
  readonly drawn: ReadonlyMap<WindowKind, readonly number[]>;
  /** Forks of each kind, drawn or not. */
  readonly total: ReadonlyMap<WindowKind, number>;
  /** The unsafe forks that are listed, worst first. */
  readonly unsafe: readonly UnsafeFork[];
}

/** Chooses the windows. `mostUnsafe`: how many unsafe ones are listed. */
export function interestingWindows(tables: ResultTables, mostUnsafe: number): Choice {
  // As many as are left whatever the other kinds take.
  const candidates = KINDS.reduce((sum, kind) => sum + MOST[kind], 0);
  const unsafe = worst(tables, Math.max(mostUnsafe, candidates));
  const open = new Best<number>(candidates, (a, b) => a - b);
  eachForkWith(tables, "indeterminate", (row) => open.add(row));
  const closest = nearest(tables, candidates);
  const slowest = longest(tables, candidates);
  const ranked: Readonly<Record<WindowKind, readonly number[]>> = {
    unsafe: unsafe.list().map(({ row }) => row),
    indeterminate: open.list(),
    closest: closest.list().map(({ row }) => row),
    slowest: slowest.list().map(({ row }) => row),
  };
  const taken = new Set<number>();
  const drawn = new Map<WindowKind, number[]>();
  for (const kind of KINDS) {
    const rows = ranked[kind].filter((row) => !taken.has(row)).slice(0, MOST[kind]);
    for (const row of rows) taken.add(row);
    drawn.set(kind, rows);
  }
  const total = new Map<WindowKind, number>([
    ["unsafe", unsafe.total],
    ["indeterminate", open.total],
    ["closest", closest.total],
    ["slowest", ranked.slowest.length],
  ]);
  return { drawn, total, unsafe: unsafe.list().slice(0, mostUnsafe) };
}

/** The first `most` of what is added, in an order that has no ties. */
class Best<T> {
  /** Added so far. */
  total = 0;
  readonly #most: number;
  readonly #compare: (a: T, b: T) => number;
  #kept: T[] = [];

  constructor(most: number, compare: (a: T, b: T) => number) {
    this.#most = most;
    this.#compare = compare;
  }

  add(item: T): void {
    this.total++;
    this.#kept.push(item);
    if (this.#kept.length >= 4 * this.#most) this.#kept = this.list();
  }

  /** In order. */
  list(): T[] {
    return [...this.#kept].sort(this.#compare).slice(0, this.#most);
  }
}

/** Visits the forks with this verdict on a fast path under some policy, in time order. */
function eachForkWith(
  tables: ResultTables,
  word: string,
  visit: (row: number, policies: readonly string[], fork: number) => void,
): void {
  const rowOf = forkRowById(tables);
  let fork = -1;
  let row: number | undefined;
  let policies: string[] = [];
  const close = (): void => {
    if (row !== undefined) visit(row, policies, fork);
  };
  for (const batch of tables.verdicts.batches(["verdict", "decision", "policy", "fork"])) {
    const verdict = batch.column("verdict");
    const wanted = verdict.values.indexOf(word);
    if (wanted < 0) continue;
    const decision = batch.column("decision");
    const policy = batch.column("policy");
    const forks = batch.column("fork").ints.data;
    for (let i = 0; i < batch.length; i++) {
      if (verdict.ints.data[i] !== wanted || textAt(decision, decision.ints.data[i]) !== "fast") continue;
      // The rows of a fork lie together.
      if (forks[i] !== fork) {
        close();
        fork = forks[i]!;
        row = rowOf(fork);
        policies = [];
      }
      policies.push(textAt(policy, policy.ints.data[i]) ?? "");
    }
  }
  close();
}

/** Unsafe forks: those unsafe under the control alone last, then by how long they are exposed, then in time order. */
function worst(tables: ResultTables, most: number): Best<UnsafeFork & { readonly exposed: number }> {
  const isControl = ({ policies }: UnsafeFork): number => (policies.every((id) => id === CONTROL) ? 1 : 0);
  const cursor = new ForkCursor(tables.forks, ["exposed_ns"]);
  const best = new Best<UnsafeFork & { readonly exposed: number }>(
    most,
    (a, b) => isControl(a) - isControl(b) || b.exposed - a.exposed || a.row - b.row,
  );
  eachForkWith(tables, "unsafe", (row, policies, fork) => {
    const exposed = cursor.seek(fork) ? cursor.batch?.column("exposed_ns").ns(cursor.row) : null;
    best.add({ row, policies, exposed: exposed ?? 0 });
  });
  return best;
}

interface Measured {
  readonly row: number;
  readonly ns: number;
}

/** The longest windows, longest first. */
function longest({ forks }: ResultTables, most: number): Best<Measured> {
  const best = new Best<Measured>(most, (a, b) => b.ns - a.ns || a.row - b.row);
  for (const batch of forks.batches(["start_ns", "end_ns"])) {
    const start = batch.column("start_ns");
    const end = batch.column("end_ns");
    for (let i = 0; i < batch.length; i++) {
      const ns = durationNs(start, end, i);
      if (ns !== null) best.add({ row: batch.first + i, ns });
    }
  }
  return best;
}

/** Forks that a borrow missed, the nearest miss first. */
function nearest(tables: ResultTables, most: number): Best<Measured> {
  const rowOf = forkRowById(tables);
  const best = new Best<Measured>(most, (a, b) => a.ns - b.ns || a.row - b.row);
  let fork = -1;
  let row: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  const close = (): void => {
    if (row !== undefined) best.add({ row, ns: least });
  };
  for (const batch of tables.near_misses.batches(["fork", "distance_ns"])) {
    const forks = batch.column("fork").ints.data;
    const distances = batch.column("distance_ns");
    for (let i = 0; i < batch.length; i++) {
      const distance = distances.ns(i);
      if (distance === null) continue;
      // The rows of a fork lie together.
      if (forks[i] !== fork) {
        close();
        fork = forks[i]!;
        row = rowOf(fork);
        least = distance;
      } else least = Math.min(least, distance);
    }
  }
  close();
  return best;
}
