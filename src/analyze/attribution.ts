// Who holds the references that deny forks, added up over the denials table. Read by summary.ts.
import { NULL_I32 } from "../table/columns.ts";
import type { Counter, ResultTables } from "../table/verdict-tables.ts";
import { LEFT_BY } from "../table/verdict-tables.ts";
import { ranksOf } from "./ranks.ts";
import { durationNs, eachRow, ForkCursor, textAt } from "./rows.ts";

/** The references of one counter beyond the first, over all forks. explained + unattributed = references. */
export interface CountAttribution {
  /** Forks whose count is above 1. */
  readonly forks: number;
  /** Of these: nothing is left unattributed. */
  readonly forks_explained: number;
  readonly references: number;
  /** Put down to a holder; held, on the move, or possible. */
  readonly explained: number;
  readonly held: number;
  readonly moving: number;
  readonly possible: number;
  readonly unattributed: number;
}

/** The lazy references among those of mm_count. */
export interface LazyAttribution {
  readonly references: number;
  /** By who left the CPU so; "unknown" where the CPU was in unknown state then. */
  readonly left_by: Readonly<Record<string, number>>;
  /** How long before the check they began, nearest rank over those that are known; null when none is. */
  readonly age_p50_ns: number | null;
  readonly age_p99_ns: number | null;
  readonly age_max_ns: number | null;
  readonly age_unknown: number;
}

export interface Attribution extends Readonly<Record<Counter, CountAttribution>> {
  readonly lazy: LazyAttribution;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Sums over the whole denials table. */
export function attribution(tables: ResultTables): Attribution {
  const sums = { mm_users: none(), mm_count: none() };
  const seen = { mm_users: NULL_I32, mm_count: NULL_I32 };
  for (const batch of tables.denials.batches(["counter", "refs", "fork", "basis"])) {
    const counter = batch.column("counter");
    const refs = batch.column("refs").ints.data;
    const fork = batch.column("fork").ints.data;
    const basis = batch.column("basis");
    for (let row = 0; row < batch.length; row++) {
      const name = textAt(counter, counter.ints.data[row]) as Counter;
      const sum = sums[name];
      const word = textAt(basis, basis.ints.data[row]) as "held" | "moving" | "possible" | null;
      // A fork's rows of one counter lie together, what is left over last.
      if (seen[name] !== fork[row]) {
        sum.forks++;
        sum.forks_explained++;
        seen[name] = fork[row]!;
      }
      sum.references += refs[row]!;
      sum[word ?? "unattributed"] += refs[row]!;
      if (word === null) sum.forks_explained--;
      else sum.explained += refs[row]!;
    }
  }
  return { ...sums, lazy: lazyAttribution(tables) };
}

function none(): Mutable<CountAttribution> {
  return {
    forks: 0,
    forks_explained: 0,
    references: 0,
    explained: 0,
    held: 0,
    moving: 0,
    possible: 0,
    unattributed: 0,
  };
}

/** A lazy reference, or several of one holder. `age`: how long before the check it began; null where that is not known. */
export interface LazyReference {
  readonly fork: number;
  readonly counter: string | null;
  readonly refs: number;
  readonly leftBy: string;
  readonly age: number | null;
}

/** Visits the lazy references of the denials table. */
export function eachLazy({ forks, denials }: ResultTables, visit: (lazy: LazyReference) => void): void {
  const cursor = new ForkCursor(forks, ["start_ns"]);
  eachRow(denials, ["cause", "counter", "refs", "left_by", "fork", "since_ns"], (batch, row) => {
    if (batch.get("cause", row) !== "lazy-tlb") return;
    const fork = batch.get("fork", row) ?? -1;
    const start = cursor.seek(fork) ? cursor.batch?.column("start_ns") : undefined;
    visit({
      fork,
      counter: batch.get("counter", row),
      refs: batch.get("refs", row) ?? 0,
      leftBy: batch.get("left_by", row) ?? "unknown",
      age: start === undefined ? null : durationNs(batch.column("since_ns"), start, row, cursor.row),
    });
  });
}

/** Sums over the lazy references of the denials table. */
export function lazyAttribution(tables: ResultTables): LazyAttribution {
  const leftBy: Record<string, number> = {};
  let references = 0;
  let unknown = 0;
  eachLazy(tables, ({ refs, leftBy: by, age }) => {
    references += refs;
    leftBy[by] = (leftBy[by] ?? 0) + refs;
    if (age === null) unknown += refs;
  });
  const [ages] = ranksOf(
    (visit) =>
      eachLazy(tables, ({ age }) => {
        if (age !== null) visit(0, age);
      }),
    1,
    [0.5, 0.99, 1],
  );
  const [p50, p99, max] = ages!.at;
  return {
    references,
    left_by: Object.fromEntries(
      [...LEFT_BY, "unknown"].filter((by) => leftBy[by] !== undefined).map((by) => [by, leftBy[by] ?? 0]),
    ),
    age_p50_ns: p50 ?? null,
    age_p99_ns: p99 ?? null,
    age_max_ns: max ?? null,
    age_unknown: unknown,
  };
}
