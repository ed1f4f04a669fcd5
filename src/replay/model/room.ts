// Tables as objects of typed arrays, one a column, that grow together. What a column is read from before a row is made may
// be the old array afterwards: take columns from the table anew after `create`, `of`, `ensure` or `add`.

/** Room that a table of columns begins with. */
export const FIRST_ROOM = 64;

/** The columns of a table. */
export function columnsIn(table: object): [string, Int32Array | Float64Array][] {
  return Object.entries(table).filter(
    (entry): entry is [string, Int32Array | Float64Array] =>
      entry[1] instanceof Int32Array || entry[1] instanceof Float64Array,
  );
}

/** From here on a table grows by a quarter: room that is not used is a third of what forks and lives take otherwise. */
const LARGE = 16384;

/** Replaces every column by a longer one, what is new 0. */
export function widen(table: object): void {
  for (const [name, column] of columnsIn(table)) {
    const length = column.length < LARGE ? column.length * 2 : column.length + (column.length >> 2);
    const wider = column instanceof Int32Array ? new Int32Array(length) : new Float64Array(length);
    wider.set(column);
    Object.assign(table, { [name]: wider });
  }
}
