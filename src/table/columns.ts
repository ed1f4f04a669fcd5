// A small growable column table for results (forks, verdicts, exposures, blocks, problems). Events never
// come here: they stay in EventBatch. arrow.ts turns these into Arrow IPC; analyze reads the columns.
import { assert } from "../base/assert.ts";
import { Float64Growable, Int32Growable } from "../base/growable.ts";

/** Column types: ns is written as int64, dict as dictionary<utf8>, dictList as list<dictionary<utf8>>. */
export type ColumnType = "i32" | "f64" | "ns" | "dict" | "dictList";
export type TableSpec = Readonly<Record<string, ColumnType>>;

/** Value of one cell when a row is appended; null only where the column is nullable in the schema's doc. */
export type CellOf<T extends ColumnType> = T extends "i32" | "f64"
  ? number | null
  : T extends "ns"
    ? bigint | null
    : T extends "dict"
      ? string | null
      : readonly string[];
export type RowOf<S extends TableSpec> = { readonly [K in keyof S]: CellOf<S[K]> };

/** int32 null marker inside columns. */
export const NULL_I32 = -2147483648;

/** One column: numbers in a typed array, strings as ids into `values`. */
export class Column {
  readonly type: ColumnType;
  /** i32, dict ids, and dictList item ids. */
  readonly ints: Int32Growable = new Int32Growable();
  /** f64 (NaN = null), and the low/high split is not needed: ns keeps bigint halves in `hi`/`ints`. */
  readonly floats: Float64Growable = new Float64Growable();
  /** High 32 bits of ns. */
  readonly hi: Int32Growable = new Int32Growable();
  /** dictList: end offset of each row. */
  readonly ends: Int32Growable = new Int32Growable();
  /** Dictionary of dict and dictList, by id. */
  readonly values: string[] = [];
  readonly #ids = new Map<string, number>();

  constructor(type: ColumnType) {
    this.type = type;
  }

  /** Id of a dictionary value, added when new. */
  id(value: string): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.values.length;
    this.values.push(value);
    this.#ids.set(value, id);
    return id;
  }

  push(cell: CellOf<ColumnType>): void {
    switch (this.type) {
      case "i32":
        this.ints.push(cell === null ? NULL_I32 : (cell as number));
        return;
      case "f64":
        this.floats.push(cell === null ? Number.NaN : (cell as number));
        return;
      case "ns": {
        // int64 as two halves; the minimum int64 marks null.
        const value = cell === null ? -(2n ** 63n) : (cell as bigint);
        this.ints.push(Number(BigInt.asIntN(32, value)));
        this.hi.push(Number(BigInt.asIntN(32, value >> 32n)));
        return;
      }
      case "dict":
        this.ints.push(cell === null ? NULL_I32 : this.id(cell as string));
        return;
      case "dictList":
        for (const item of cell as readonly string[]) this.ints.push(this.id(item));
        this.ends.push(this.ints.length);
        return;
    }
  }

  /** Cell of a row, as it was pushed. */
  get(row: number): CellOf<ColumnType> {
    switch (this.type) {
      case "i32": {
        const v = this.ints.data[row]!;
        return v === NULL_I32 ? null : v;
      }
      case "f64": {
        const v = this.floats.data[row]!;
        return Number.isNaN(v) ? null : v;
      }
      case "ns": {
        const v = (BigInt(this.hi.data[row]!) << 32n) | BigInt(this.ints.data[row]! >>> 0);
        return v === -(2n ** 63n) ? null : v;
      }
      case "dict": {
        const v = this.ints.data[row]!;
        return v === NULL_I32 ? null : this.values[v]!;
      }
      case "dictList": {
        const out: string[] = [];
        const from = row === 0 ? 0 : this.ends.data[row - 1]!;
        for (let i = from; i < this.ends.data[row]!; i++) out.push(this.values[this.ints.data[i]!]!);
        return out;
      }
    }
  }
}

/** Rows of one schema as columns. */
export class ColumnTable<S extends TableSpec> {
  readonly spec: S;
  readonly names: readonly (keyof S & string)[];
  length = 0;
  readonly #columns = new Map<string, Column>();

  constructor(spec: S) {
    this.spec = spec;
    this.names = Object.keys(spec) as (keyof S & string)[];
    for (const name of this.names) this.#columns.set(name, new Column(spec[name]!));
  }

  append(row: RowOf<S>): void {
    for (const name of this.names) this.column(name).push(row[name] as CellOf<ColumnType>);
    this.length++;
  }

  column(name: keyof S & string): Column {
    const column = this.#columns.get(name);
    assert(column !== undefined, `no column ${name}`);
    return column;
  }

  get<K extends keyof S & string>(name: K, row: number): CellOf<S[K]> {
    return this.column(name).get(row) as CellOf<S[K]>;
  }

  /** One row as an object: for reports and tests, not for loops over many rows. */
  row(index: number): RowOf<S> {
    const out: Record<string, unknown> = {};
    for (const name of this.names) out[name] = this.get(name, index);
    return out as RowOf<S>;
  }
}
