// Tables as objects of typed arrays, one a column, that grow together. What a column is read from before a row is made may
// be the old array afterwards: take columns from the table anew after `create`, `of`, `ensure` or `add`.

/** Room that a table of columns begins with; doubled when it is full. */
export const FIRST_ROOM = 64;

/** The columns of a table. */
export function columnsIn(table: object): [string, Int32Array | Float64Array][] {
  return Object.entries(table).filter(
    (entry): entry is [string, Int32Array | Float64Array] =>
      entry[1] instanceof Int32Array || entry[1] instanceof Float64Array,
  );
}

/** Replaces every column by one twice as long, the new half 0. */
export function widen(table: object): void {
  for (const [name, column] of columnsIn(table)) {
    const wider =
      column instanceof Int32Array ? new Int32Array(column.length * 2) : new Float64Array(column.length * 2);
    wider.set(column);
    Object.assign(table, { [name]: wider });
  }
}
