// Columns as Arrow arrays: fields, validity bitmaps, buffers, and back. The type mapping of ColumnTable lives here;
// arrow.ts puts columns together into files.
import { Field } from "apache-arrow/schema";
import type { DataType } from "apache-arrow/type";
import { Dictionary, Float64, Int32, Int64, List, Utf8 } from "apache-arrow/type";
import { InputError } from "../base/errors.ts";
import type { BatchParts } from "./arrow-ipc.ts";
import { bytesOf, corrupt, typed } from "./arrow-ipc.ts";
import type { Column, ColumnType } from "./columns.ts";
import { NULL_I32 } from "./columns.ts";

/** The one utf8 type of all dictionaries: a schema may share a dictionary id only within one type object. */
export const UTF8: Utf8 = new Utf8();
const EMPTY = new Uint8Array(0);

/** Validity of one array: bit set = value present. */
export interface Nulls {
  readonly bits: Uint8Array;
  readonly count: number;
}

/** Integers of at most 32 bits, told apart by their bits. */
type Integers = Int32Array | Uint32Array | Int16Array | Uint8Array;

/** Bits set in a byte. */
const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

/** Validity bitmap of the first `length` rows, a row being null when its value is `absent`; null when no row is. */
export function nullsEqual(values: Integers, length: number, absent: number): Nulls | null {
  const bits = new Uint8Array(Math.ceil(length / 8));
  const whole = length & ~7;
  let present = 0;
  let row = 0;
  // Eight rows without a branch, which mixed columns make mispredicted: 2.0 ns a row instead of 5.6.
  for (; row < whole; row += 8) {
    const byte =
      differs(values[row]!, absent) |
      (differs(values[row + 1]!, absent) << 1) |
      (differs(values[row + 2]!, absent) << 2) |
      (differs(values[row + 3]!, absent) << 3) |
      (differs(values[row + 4]!, absent) << 4) |
      (differs(values[row + 5]!, absent) << 5) |
      (differs(values[row + 6]!, absent) << 6) |
      (differs(values[row + 7]!, absent) << 7);
    bits[row >> 3] = byte;
    present += BITS_SET[byte]!;
  }
  for (; row < length; row++) {
    const bit = differs(values[row]!, absent);
    bits[row >> 3]! |= bit << (row & 7);
    present += bit;
  }
  return present === length ? null : { bits, count: length - present };
}

/** 1 when the 32-bit integers differ, else 0. */
function differs(a: number, b: number): number {
  const x = a ^ b;
  return (x | -x) >>> 31;
}

/** As nullsEqual, for conditions that are not one value. */
function nullsWhere(length: number, isNull: (row: number) => boolean): Nulls | null {
  return nullsEqual(
    Uint8Array.from({ length }, (_, row) => (isNull(row) ? 1 : 0)),
    length,
    1,
  );
}

/** Puts `absent` where the validity bitmap has no bit; a byte of eight rows at a time, since most have all. */
export function patchNulls(
  values: { [row: number]: number },
  bits: Uint8Array,
  length: number,
  absent: number,
): void {
  const bytes = Math.ceil(length / 8);
  if (bits.length < bytes) throw corrupt(`a validity bitmap of ${bits.length} bytes for ${length} rows`);
  for (let at = 0; at < bytes; at++) {
    const byte = bits[at]!;
    if (byte === 0xff) continue;
    const end = Math.min(length, at * 8 + 8);
    for (let row = at * 8; row < end; row++) if (((byte >> (row & 7)) & 1) === 0) values[row] = absent;
  }
}

/** Dictionary keys with 0 in place of `absent`: polars refuses a negative key even where it is null. */
export function cleanKeys(
  keys: Int32Array,
  nulls: Nulls | null,
  absent: number,
  into?: Int32Array,
): Int32Array {
  if (nulls === null) return keys;
  const clean = into?.subarray(0, keys.length) ?? new Int32Array(keys.length);
  for (let row = 0; row < keys.length; row++) clean[row] = keys[row]! & -differs(keys[row]!, absent);
  return clean;
}

/** Node and buffers of an array of fixed-width values. */
export function flat(nulls: Nulls | null, length: number, values: Uint8Array): BatchParts {
  return {
    length,
    nodes: [{ length, nullCount: nulls?.count ?? 0 }],
    buffers: [nulls?.bits ?? EMPTY, values],
  };
}

/** Parts of several columns of equal length as one record batch. */
export function joinParts(length: number, columns: readonly BatchParts[]): BatchParts {
  return {
    length,
    nodes: columns.flatMap((column) => column.nodes),
    buffers: columns.flatMap((column) => column.buffers),
  };
}

/** The Arrow field of a column; `dictionaryId` must be unique in its schema. */
export function tableField(name: string, type: ColumnType, dictionaryId: number): Field {
  switch (type) {
    case "i32":
      return new Field(name, new Int32(), true);
    case "f64":
      return new Field(name, new Float64(), true);
    case "ns":
      return new Field(name, new Int64(), true);
    case "dict":
      return new Field(name, new Dictionary(UTF8, new Int32(), dictionaryId), true);
    case "dictList": {
      const item = new Field("item", new Dictionary(UTF8, new Int32(), dictionaryId), false);
      return new Field(name, new List(item), false);
    }
  }
}

/** Node(s) and buffers of a column, without copying where the layout is the same. */
export function columnParts(column: Column, length: number): BatchParts {
  const ints = column.ints.view();
  switch (column.type) {
    case "i32":
      return flat(nullsEqual(ints, length, NULL_I32), length, bytesOf(ints));
    case "dict": {
      const nulls = nullsEqual(ints, length, NULL_I32);
      return flat(nulls, length, bytesOf(cleanKeys(ints, nulls, NULL_I32)));
    }
    case "f64": {
      const floats = column.floats.view();
      return flat(
        nullsWhere(length, (row) => Number.isNaN(floats[row])),
        length,
        bytesOf(floats),
      );
    }
    case "ns": {
      const hi = column.hi.view();
      const halves = new Int32Array(length * 2);
      for (let row = 0; row < length; row++) {
        halves[row * 2] = ints[row]!;
        halves[row * 2 + 1] = hi[row]!;
      }
      // The minimum int64 marks null (columns.ts).
      return flat(
        nullsWhere(length, (row) => hi[row] === NULL_I32 && ints[row] === 0),
        length,
        bytesOf(halves),
      );
    }
    case "dictList": {
      const offsets = new Int32Array(length + 1);
      offsets.set(column.ends.view(), 1);
      return {
        length,
        nodes: [
          { length, nullCount: 0 },
          { length: ints.length, nullCount: 0 },
        ],
        buffers: [EMPTY, bytesOf(offsets), EMPTY, bytesOf(ints)],
      };
    }
  }
}

/** Appends the next array(s) under `cursor` to a column. */
export function readColumn(column: Column, cursor: PartsCursor, dictionary: readonly string[]): void {
  const { length, isNull } = cursor.array();
  switch (column.type) {
    case "i32": {
      const values = typed(Int32Array, cursor.buffer(), length);
      for (let row = 0; row < length; row++) column.ints.push(isNull(row) ? NULL_I32 : values[row]!);
      return;
    }
    case "f64": {
      const values = typed(Float64Array, cursor.buffer(), length);
      for (let row = 0; row < length; row++) column.floats.push(isNull(row) ? Number.NaN : values[row]!);
      return;
    }
    case "ns": {
      const halves = typed(Int32Array, cursor.buffer(), length * 2);
      for (let row = 0; row < length; row++) {
        column.ints.push(isNull(row) ? 0 : halves[row * 2]!);
        column.hi.push(isNull(row) ? NULL_I32 : halves[row * 2 + 1]!);
      }
      return;
    }
    case "dict": {
      const ids = readIds(column, typed(Int32Array, cursor.buffer(), length), dictionary, isNull);
      for (const id of ids) column.ints.push(id);
      return;
    }
    case "dictList": {
      const ends = typed(Int32Array, cursor.buffer(), length === 0 ? 0 : length + 1);
      const base = column.ints.length;
      const items = cursor.array();
      const ids = readIds(column, typed(Int32Array, cursor.buffer(), items.length), dictionary, items.isNull);
      for (const id of ids) column.ints.push(id);
      for (let row = 0; row < length; row++) column.ends.push(base + ends[row + 1]!);
      return;
    }
  }
}

function readIds(
  column: Column,
  keys: Int32Array,
  dictionary: readonly string[],
  isNull: (row: number) => boolean,
): Int32Array {
  const ids = dictionary.map((value) => column.id(value));
  return keys.map((key, row) => {
    if (isNull(row)) return NULL_I32;
    const id = ids[key];
    if (id === undefined) throw corrupt(`key ${key} of a dictionary of ${ids.length}`);
    return id;
  });
}

/** Takes nodes and buffers of a batch in their depth-first order. */
export class PartsCursor {
  readonly #parts: BatchParts;
  #node = 0;
  #buffer = 0;

  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  /** Next array's node and validity buffer. */
  array(): { length: number; nullCount: number; bits: Uint8Array; isNull: (row: number) => boolean } {
    const node = this.#parts.nodes[this.#node++];
    if (node === undefined) throw corrupt("a batch has fewer arrays than its schema");
    const validity = this.buffer();
    const { length, nullCount } = node;
    if (nullCount === 0) return { length, nullCount, bits: validity, isNull: () => false };
    const bits = typed(Uint8Array, validity, Math.ceil(length / 8));
    return { length, nullCount, bits, isNull: (row) => ((bits[row >> 3]! >> (row & 7)) & 1) === 0 };
  }

  buffer(): Uint8Array {
    const buffer = this.#parts.buffers[this.#buffer++];
    if (buffer === undefined) throw corrupt("a batch has fewer buffers than its schema");
    return buffer;
  }
}

/** Throws InputError `table/schema` unless names and types are the expected ones, in order. */
export function expectFields(found: readonly Field[], expected: readonly Field[]): void {
  for (const [i, field] of expected.entries()) {
    const other = found[i];
    const same =
      other !== undefined && other.name === field.name && typeText(other.type) === typeText(field.type);
    if (!same) {
      const what = other === undefined ? "nothing" : `${other.name}: ${typeText(other.type)}`;
      throw schemaError(`column ${i} should be ${field.name}: ${typeText(field.type)}, is ${what}`);
    }
  }
  if (found.length > expected.length) throw schemaError(`${found.length - expected.length} columns too many`);
}

function typeText(type: DataType): string {
  return type.toString();
}

/** Dictionary id of a dictionary or list-of-dictionary type, else null. */
export function dictionaryId(type: DataType): number | null {
  if (type instanceof Dictionary) return type.id;
  const child = type instanceof List ? type.children[0]?.type : undefined;
  return child instanceof Dictionary ? child.id : null;
}

/** An InputError for a readable Arrow file with other columns than ours. */
export function schemaError(what: string): InputError {
  return new InputError(
    "table/schema",
    `not a table of this version of forkcast, analyze the trace again: ${what}`,
  );
}
