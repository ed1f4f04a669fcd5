// An event's arguments: the rows of __intrinsic_args with its arg_set_id. Events with equal arguments share a set, and a
// set's id is the number of its first row (importers/common/global_args_tracker.h, AddArgSet, v58). An event that has no
// arguments carries the id 0 all the same.
import { InputError } from "../../base/errors.ts";
import type { StoredColumn, StoredTable } from "../../table/stored-table.ts";

/** Arguments an event can have: a probe has 128 (MAX_TRACE_ARGS, kernel/trace/trace_probe.h), typed events fewer. */
const MAX_ARGS = 160;
const MAX_TEXT = 4096;

/** The sets. After select(), arguments `0 <= i < count` of the selected set can be read. */
export class ArgSets {
  readonly rows: number;
  count = 0;
  /** Where text() found the text: bytes[start, end). Valid until the next text(). */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  #first = 0;
  readonly #sets: StoredColumn;
  readonly #keys: StoredColumn;
  readonly #ints: StoredColumn;
  readonly #texts: StoredColumn;
  readonly #names: (string | undefined)[] = [];

  /** Throws InputError when the table lacks a column. */
  constructor(table: StoredTable, path: string) {
    const sets = table.column("arg_set_id", "u32");
    const keys = table.column("key", "text");
    const ints = table.column("int_value", "i64");
    const texts = table.column("string_value", "text");
    if (sets === null || keys === null || ints === null || texts === null)
      throw new InputError(
        "perfetto/no-column",
        `${path}: __intrinsic_args.arrow lacks one of arg_set_id, key, int_value, string_value; expected an export of trace_processor v58`,
      );
    this.rows = table.rows;
    this.#sets = sets;
    this.#keys = keys;
    this.#ints = ints;
    this.#texts = texts;
  }

  /** Selects a set. False when there is none of that id, or it has more arguments than an event can have. */
  select(id: number): boolean {
    this.count = 0;
    const first = id < this.rows && this.#setOf(id) === id ? id : this.#search(id);
    if (first < 0) return false;
    const most = Math.min(MAX_ARGS + 1, this.rows - first);
    let count = 1;
    while (count < most && this.#setOf(first + count) === id) count++;
    if (count > MAX_ARGS) return false;
    this.#first = first;
    this.count = count;
    return true;
  }

  /** The key's place in the dictionary of keys. */
  key(i: number): number {
    return this.#keys.low(this.#first + i);
  }

  /** The key's name; "" when the dictionary does not have it. */
  name(key: number): string {
    const known = this.#names[key];
    if (known !== undefined) return known;
    if (!this.#keys.texts.find(key, 128)) return "";
    const { bytes, start, end } = this.#keys.texts;
    const name = new TextDecoder().decode(bytes.subarray(start, end));
    this.#names[key] = name;
    return name;
  }

  isInt(i: number): boolean {
    return !this.#ints.isNull(this.#first + i);
  }

  low(i: number): number {
    return this.#ints.low(this.#first + i);
  }

  high(i: number): number {
    return this.#ints.high(this.#first + i);
  }

  /** The text's place in the dictionary of texts, -1 for null. */
  textKey(i: number): number {
    const row = this.#first + i;
    return this.#texts.isNull(row) ? -1 : this.#texts.low(row);
  }

  /** Finds argument i's text; an empty one may be null in the table. False when it has no place. */
  text(i: number): boolean {
    const key = this.textKey(i);
    this.start = 0;
    this.end = 0;
    if (key === -1) return true;
    const { texts } = this.#texts;
    if (!texts.find(key, MAX_TEXT)) return false;
    this.bytes = texts.bytes;
    this.start = texts.start;
    this.end = texts.end;
    return true;
  }

  #setOf(row: number): number {
    return this.#sets.low(row) >>> 0;
  }

  /** The first row of a set in a table that numbers its sets otherwise, in ascending order; -1 when there is none. */
  #search(id: number): number {
    let low = 0;
    let high = this.rows;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#setOf(middle) < id) low = middle + 1;
      else high = middle;
    }
    return low < this.rows && this.#setOf(low) === id ? low : -1;
  }
}
