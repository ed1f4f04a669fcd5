// A table with only some of another's rows: what a filter of forks leaves.
import { type Column, ColumnTable, NULL_I32, type TableSpec } from "./columns.ts";

/** The rows that `keep` names, in order; dictionaries hold only the values these rows use. The source is left as it is. */
export function takeRows<S extends TableSpec>(
  from: ColumnTable<S>,
  keep: (row: number) => boolean,
): ColumnTable<S> {
  const rows: number[] = [];
  for (let row = 0; row < from.length; row++) if (keep(row)) rows.push(row);
  const to = new ColumnTable(from.spec);
  for (const name of from.names) copyColumn(from.column(name), to.column(name), rows);
  to.length = rows.length;
  return to;
}

function copyColumn(from: Column, to: Column, rows: readonly number[]): void {
  switch (from.type) {
    case "i32":
      for (const row of rows) to.ints.push(from.ints.data[row]!);
      return;
    case "f64":
      for (const row of rows) to.floats.push(from.floats.data[row]!);
      return;
    case "ns":
      for (const row of rows) {
        to.ints.push(from.ints.data[row]!);
        to.hi.push(from.hi.data[row]!);
      }
      return;
    case "dict":
      for (const row of rows) to.ints.push(idIn(from, to, from.ints.data[row]!));
      return;
    case "dictList":
      for (const row of rows) {
        const end = from.ends.data[row]!;
        for (let i = row === 0 ? 0 : from.ends.data[row - 1]!; i < end; i++)
          to.ints.push(idIn(from, to, from.ints.data[i]!));
        to.ends.push(to.ints.length);
      }
  }
}

function idIn(from: Column, to: Column, id: number): number {
  return id === NULL_I32 ? id : to.id(from.values[id]!);
}
