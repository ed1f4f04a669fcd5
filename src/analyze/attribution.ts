// Who holds the references that deny forks, added up over the denials table. Read by summary.ts.
import { NULL_I32 } from "../table/columns.ts";
import type { Counter, VerdictTables } from "../table/verdict-tables.ts";
import { LEFT_BY } from "../table/verdict-tables.ts";
import { forkRowById, textAt } from "./rows.ts";
import { nearestRank } from "./statistics.ts";

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
export function attribution(tables: VerdictTables): Attribution {
  const { denials } = tables;
  const counter = denials.column("counter");
  const refs = denials.column("refs").ints.data;
  const fork = denials.column("fork").ints.data;
  const basis = denials.column("basis");
  const sums = { mm_users: none(), mm_count: none() };
  const seen = { mm_users: NULL_I32, mm_count: NULL_I32 };
  for (let row = 0; row < denials.length; row++) {
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

/** Sums over the lazy references of the denials table. */
export function lazyAttribution(tables: VerdictTables): LazyAttribution {
  const { denials } = tables;
  const rowOf = forkRowById(tables);
  const leftBy: Record<string, number> = {};
  const ages: number[] = [];
  let references = 0;
  let unknown = 0;
  for (let row = 0; row < denials.length; row++) {
    if (denials.get("cause", row) !== "lazy-tlb") continue;
    const refs = denials.get("refs", row) ?? 0;
    references += refs;
    const by = denials.get("left_by", row) ?? "unknown";
    leftBy[by] = (leftBy[by] ?? 0) + refs;
    const at = rowOf(denials.get("fork", row) ?? -1);
    const since = denials.get("since_ns", row);
    const start = at === undefined ? null : tables.forks.get("start_ns", at);
    if (since === null || start === null) unknown += refs;
    else ages.push(Number(start - since));
  }
  const sorted = Float64Array.from(ages).sort();
  return {
    references,
    left_by: Object.fromEntries(
      [...LEFT_BY, "unknown"].filter((by) => leftBy[by] !== undefined).map((by) => [by, leftBy[by] ?? 0]),
    ),
    age_p50_ns: nearestRank(sorted, 0.5),
    age_p99_ns: nearestRank(sorted, 0.99),
    age_max_ns: nearestRank(sorted, 1),
    age_unknown: unknown,
  };
}
