// Fast, typed access to the result tables for analyze: columns by dictionary id instead of a string a cell, a batch of rows at
// a time, since there can be millions. Everything in analyze that loops over rows goes through here.
import type { Column, ColumnTable, RowOf, TableRows, TableSpec } from "../table/columns.ts";
import { NULL_I32 } from "../table/columns.ts";
import type { FORK_SPEC, ResultTables } from "../table/verdict-tables.ts";

const TWO_32 = 2 ** 32;

/** Visits every row; `batch` holds the columns in `names`. */
export function eachRow<S extends TableSpec>(
  table: TableRows<S>,
  names: readonly (keyof S & string)[],
  visit: (batch: ColumnTable<S>, row: number) => void,
): void {
  for (const batch of table.batches(names)) for (let row = 0; row < batch.length; row++) visit(batch, row);
}

/** How often each value of a dict column occurs. Null is not counted. */
export function countTexts<S extends TableSpec>(
  table: TableRows<S>,
  name: keyof S & string,
): Map<string, number> {
  const counts: number[] = [];
  let values: readonly string[] = [];
  for (const batch of table.batches([name])) {
    const column = batch.column(name);
    const ids = column.ints.data;
    values = column.values;
    while (counts.length < values.length) counts.push(0);
    for (let row = 0; row < batch.length; row++) if (ids[row] !== NULL_I32) counts[ids[row]!]! += 1;
  }
  return new Map(values.map((value, id) => [value, counts[id]!]));
}

/** Text of a dictionary id; null for the null marker. */
export function textAt(column: Column, id: number | undefined): string | null {
  return id === undefined || id === NULL_I32 ? null : (column.values[id] ?? null);
}

/** Duration end − start of two ns columns, at a row of each, in ns; null when either is null. Exact below 2^53. */
export function durationNs(start: Column, end: Column, row: number, endRow: number = row): number | null {
  const from = start.hi.data[row]!;
  const to = end.hi.data[endRow]!;
  const low = end.ints.data[endRow]!;
  const fromLow = start.ints.data[row]!;
  if ((from === NULL_I32 && fromLow === 0) || (to === NULL_I32 && low === 0)) return null;
  return (to - from) * TWO_32 + ((low >>> 0) - (fromLow >>> 0));
}

/** Answers of forkRowById: every chart asks, and nobody appends to tables that are read. */
const ROWS = new WeakMap<ResultTables["forks"], (fork: number) => number | undefined>();

/** Row of a fork in `forks` by its id. Ids are row numbers unless tables were filtered. */
export function forkRowById({ forks }: Pick<ResultTables, "forks">): (fork: number) => number | undefined {
  const known = ROWS.get(forks) ?? rowsById(forks);
  ROWS.set(forks, known);
  return known;
}

function rowsById(forks: ResultTables["forks"]): (fork: number) => number | undefined {
  const { length } = forks;
  let isRow = true;
  for (const batch of forks.batches(["fork"])) {
    const ids = batch.column("fork").ints.data;
    for (let i = 0; i < batch.length && isRow; i++) isRow = ids[i] === batch.first + i;
    if (!isRow) break;
  }
  if (isRow) return (fork) => (fork >= 0 && fork < length ? fork : undefined);
  const byId = new Map<number, number>();
  for (const batch of forks.batches(["fork"])) {
    const ids = batch.column("fork").ints.data;
    for (let i = 0; i < batch.length; i++) byId.set(ids[i]!, batch.first + i);
  }
  return (fork) => byId.get(fork);
}

/** Whole rows by their number. For the few that are shown. */
export function rowsAt<S extends TableSpec>(
  table: TableRows<S>,
  wanted: Iterable<number>,
): Map<number, RowOf<S>> {
  const sorted = [...new Set(wanted)].sort((a, b) => a - b);
  const out = new Map<number, RowOf<S>>();
  let next = 0;
  const isFree = (_first: number, end: number): boolean => !(sorted[next]! < end);
  for (const batch of table.batches(Object.keys(table.spec), isFree)) {
    for (; sorted[next]! < batch.first + batch.length; next++)
      out.set(sorted[next]!, batch.row(sorted[next]! - batch.first));
  }
  return out;
}

/** Forks looked up by their ids, which come in the order of `forks` as a rule: what joins a table of a fork's rows to it. */
export class ForkCursor {
  readonly #forks: ResultTables["forks"];
  readonly #names: readonly (keyof typeof FORK_SPEC)[];
  #batches: Iterator<ColumnTable<typeof FORK_SPEC>> | undefined;
  /** Where the fork found last is. */
  batch: ColumnTable<typeof FORK_SPEC> | undefined;
  row = 0;

  /** `names`: columns that are read. */
  constructor(forks: ResultTables["forks"], names: readonly (keyof typeof FORK_SPEC)[]) {
    this.#forks = forks;
    this.#names = ["fork", ...names];
  }

  /** Goes to the fork; false where there is none of that id. Ids are ascending. */
  seek(fork: number): boolean {
    if (this.#batches === undefined || this.#isPast(fork)) this.#begin();
    for (; this.batch !== undefined; this.#next()) {
      const ids = this.batch.column("fork").ints.data;
      while (this.row < this.batch.length && ids[this.row]! < fork) this.row++;
      if (this.row < this.batch.length) return ids[this.row] === fork;
    }
    return false;
  }

  #isPast(fork: number): boolean {
    return this.batch === undefined || this.batch.column("fork").ints.data[this.row]! > fork;
  }

  #begin(): void {
    this.#batches = this.#forks.batches(this.#names)[Symbol.iterator]();
    this.#next();
  }

  #next(): void {
    const next = this.#batches?.next();
    this.batch = next === undefined || next.done === true ? undefined : next.value;
    this.row = 0;
  }
}
