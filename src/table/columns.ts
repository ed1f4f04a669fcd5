// A small growable column table for results (forks, verdicts, exposures, blocks, problems). Events never
// come here: they stay in EventBatch. arrow.ts turns these into Arrow IPC; analyze reads the columns.
import { AssertionError, assert } from "../base/assert.ts";
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

const TWO_32 = 2 ** 32;

/** An instant that ns columns are filled relative to, as two halves, so that no cell needs a bigint. */
export class NsOrigin {
  readonly low: number;
  readonly high: number;

  constructor(ns: bigint) {
    this.low = Number(BigInt.asUintN(32, ns));
    this.high = Number(BigInt.asIntN(32, ns >> 32n));
  }
}

/** Origin of durations. */
export const ZERO_NS: NsOrigin = new NsOrigin(0n);

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
  readonly values: string[];
  readonly #ids = new Map<string, number>();

  /** `values`: a dictionary that ids are read from; a column that has one is not pushed to. */
  constructor(type: ColumnType, values: string[] = []) {
    this.type = type;
    this.values = values;
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
        this.pushText(cell as string | null);
        return;
      case "dictList":
        this.pushTexts(cell as readonly string[]);
        return;
    }
  }

  /** Forgets the cells, not the dictionary. */
  letGo(): void {
    for (const cells of [this.ints, this.floats, this.hi, this.ends]) cells.length = 0;
  }

  /** ns: as a number, exact below 2^53; null where it is null. */
  ns(row: number): number | null {
    const high = this.hi.data[row]!;
    const low = this.ints.data[row]!;
    return high === NULL_I32 && low === 0 ? null : high * TWO_32 + (low >>> 0);
  }

  /** ns: `origin` + `relative`, rounded to whole ns; NaN is null. |relative| < 2^53. */
  pushNs(relative: number, origin: NsOrigin): void {
    if (Number.isNaN(relative)) {
      this.ints.push(0);
      this.hi.push(NULL_I32);
      return;
    }
    const whole = Math.round(relative);
    assert(Number.isSafeInteger(whole), "ns out of range");
    const high = Math.floor(whole / TWO_32);
    const low = whole - high * TWO_32 + origin.low;
    // What an Int32Array stores is the value modulo 2^32; the carry is what that cuts off.
    this.ints.push(low);
    this.hi.push(origin.high + high + (low >= TWO_32 ? 1 : 0));
  }

  /** dict. */
  pushText(value: string | null): void {
    this.ints.push(value === null ? NULL_I32 : this.id(value));
  }

  /** dictList. */
  pushTexts(values: readonly string[]): void {
    for (let i = 0; i < values.length; i++) this.ints.push(this.id(values[i]!));
    this.ends.push(this.ints.length);
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

/** Rows of one schema, read as often as wanted and a batch at a time: held in memory, or in a file (table-file.ts). */
export interface TableRows<S extends TableSpec> {
  readonly spec: S;
  readonly length: number;
  /**
   * All rows in order, some at a time. Of a batch only the columns in `names` are to be read, and only until the next is asked
   * for; its `first` is the number of its row 0. An id means the same value in every batch. `skips`: of a batch, by its first row
   * and the first after it, whether it is not wanted.
   */
  batches(
    names: readonly (keyof S & string)[],
    skips?: (first: number, end: number) => boolean,
  ): Iterable<ColumnTable<S>>;
}

/** Rows of one schema as columns. */
export class ColumnTable<S extends TableSpec> implements TableRows<S> {
  readonly spec: S;
  readonly names: readonly (keyof S & string)[];
  /** Rows held. */
  length = 0;
  /** Rows before those, which are elsewhere: written out, or in other batches. */
  first = 0;
  readonly #columns = new Map<string, Column>();
  /** The same, as `names` are ordered. */
  readonly #inOrder: Column[] = [];

  /** `values`: dictionaries, by column, of rows that are filled in and not appended. */
  constructor(spec: S, values: ReadonlyMap<string, string[]> = new Map()) {
    this.spec = spec;
    this.names = Object.keys(spec) as (keyof S & string)[];
    for (const name of this.names) {
      const column = new Column(spec[name]!, values.get(name));
      this.#columns.set(name, column);
      this.#inOrder.push(column);
    }
  }

  /** Rows appended so far, those let go included. */
  get total(): number {
    return this.first + this.length;
  }

  /** Forgets the rows held, which have been written elsewhere; dictionaries stay. */
  letGo(): void {
    this.first += this.length;
    this.length = 0;
    for (const column of this.#columns.values()) column.letGo();
  }

  /** Itself, whole. */
  batches(): readonly ColumnTable<S>[] {
    assert(this.first === 0, "no rows were let go");
    return [this];
  }

  /** For tables of many rows: RowCells. */
  append(row: RowOf<S>): void {
    const { names } = this;
    for (let i = 0; i < names.length; i++) this.#inOrder[i]!.push(row[names[i]!] as CellOf<ColumnType>);
    this.length++;
  }

  column(name: keyof S & string): Column {
    const column = this.#columns.get(name);
    // Not assert(): its text would be made for every cell that is asked for.
    if (column === undefined) throw new RangeError(`no column ${name}`);
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

/**
 * Fills a table's columns cell by cell, in the order of its spec; `end` closes the row: no object a row, no
 * bigint an instant. Throws AssertionError when a cell is not the next column's.
 */
export class RowCells<S extends TableSpec> {
  readonly #table: ColumnTable<S>;
  readonly #names: readonly (keyof S & string)[];
  readonly #columns: readonly Column[];
  #at = 0;

  constructor(table: ColumnTable<S>) {
    this.#table = table;
    this.#names = table.names;
    this.#columns = table.names.map((name) => table.column(name));
  }

  /** i32; NULL_I32 is null. */
  int(name: keyof S & string, value: number): void {
    this.#next(name, "i32").ints.push(value);
  }

  /** dict. */
  text(name: keyof S & string, value: string | null): void {
    this.#next(name, "dict").pushText(value);
  }

  /** dictList. */
  texts(name: keyof S & string, values: readonly string[]): void {
    this.#next(name, "dictList").pushTexts(values);
  }

  /** ns: `origin` + `relative`, rounded to whole ns; NaN is null. |relative| < 2^53. */
  ns(name: keyof S & string, relative: number, origin: NsOrigin): void {
    this.#next(name, "ns").pushNs(relative, origin);
  }

  end(): void {
    if (this.#at !== this.#names.length)
      throw new AssertionError(`a row ends before ${this.#names[this.#at]}`);
    this.#at = 0;
    this.#table.length++;
  }

  #next(name: string, type: ColumnType): Column {
    const column = this.#columns[this.#at];
    if (column === undefined || this.#names[this.#at] !== name || column.type !== type)
      throw new AssertionError(`${type} ${name} is not the next cell`);
    this.#at++;
    return column;
  }
}
