// Fast, typed access to the verdict tables for analyze: columns by dictionary id instead of a string a cell, since
// there can be millions of rows. Everything in analyze that loops over rows goes through here.
import type { Column, ColumnTable, TableSpec } from "../table/columns.ts";
import { NULL_I32 } from "../table/columns.ts";
import type { VerdictTables } from "../table/verdict-tables.ts";

/** How often each value of a dict column occurs. Null is not counted. */
export function countTexts<S extends TableSpec>(
  table: ColumnTable<S>,
  name: keyof S & string,
): Map<string, number> {
  const column = table.column(name);
  const counts = new Float64Array(column.values.length);
  const ids = column.ints.data;
  for (let row = 0; row < table.length; row++) if (ids[row] !== NULL_I32) counts[ids[row]!]! += 1;
  return new Map(column.values.map((value, id) => [value, counts[id]!]));
}

/** Text of a dictionary id; null for the null marker. */
export function textAt(column: Column, id: number | undefined): string | null {
  return id === undefined || id === NULL_I32 ? null : (column.values[id] ?? null);
}

/** Duration end − start of two ns columns of one row, in ns; null when either is null. */
export function durationNs(start: Column, end: Column, row: number): number | null {
  const from = start.get(row);
  const to = end.get(row);
  return typeof from === "bigint" && typeof to === "bigint" ? Number(to - from) : null;
}

/** Row of a fork in `forks` by its id. Ids are row numbers unless tables were filtered. */
export function forkRowById(tables: VerdictTables): (fork: number) => number | undefined {
  const ids = tables.forks.column("fork").ints.data;
  const { length } = tables.forks;
  let byId: Map<number, number> | null = null;
  return (fork) => {
    if (fork >= 0 && fork < length && ids[fork] === fork) return fork;
    if (byId === null) {
      byId = new Map();
      for (let row = 0; row < length; row++) byId.set(ids[row]!, row);
    }
    return byId.get(fork);
  };
}
