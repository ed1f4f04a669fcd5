// Copies some rows of a table: what a filter of forks leaves.
import { type Column, type ColumnTable, NULL_I32, type TableRows, type TableSpec } from "./columns.ts";

/**
 * Appends to `to` the rows that `keep` names, in order; dictionaries get only the values these rows use. The source is left as it
 * is. `onRows` is called after each batch: it may take rows out of `to`.
 */
export function takeRows<S extends TableSpec>(
  from: TableRows<S>,
  to: ColumnTable<S>,
  keep: (batch: ColumnTable<S>, row: number) => boolean,
  onRows: () => void = () => {},
): void {
  for (const batch of from.batches(to.names)) {
    const rows: number[] = [];
    for (let row = 0; row < batch.length; row++) if (keep(batch, row)) rows.push(row);
    for (const name of to.names) copyColumn(batch.column(name), to.column(name), rows);
    to.length += rows.length;
    onRows();
  }
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
