// Result tables in files: written a batch at a time while the replay appends rows, read back a batch and a few columns at a
// time, so that memory does not grow with the forks. What encodeTable writes of a small table is the same bytes.
import { Schema } from "apache-arrow/schema";
import {
  columnParts,
  dictionaryId,
  expectFields,
  joinParts,
  PartsCursor,
  patchNulls,
  readColumn,
  tableField,
} from "./arrow-columns.ts";
import {
  type BatchParts,
  corrupt,
  type FileOutput,
  type IpcFile,
  IpcFileWriter,
  openIpcFile,
  type RandomAccess,
  type StoredBatch,
  typed,
} from "./arrow-ipc.ts";
import { type Column, ColumnTable, NULL_I32, type TableRows, type TableSpec } from "./columns.ts";
import { SCHEMA_VERSION, VERSION_KEY } from "./verdict-tables.ts";

/** Rows of a batch: of the widest table, forks, these are 5 MB. */
const BATCH_ROWS = 32_768;

/** The whole table as the bytes of an Arrow IPC file, one record batch. `metadata` goes into the schema. */
export function encodeTable<S extends TableSpec>(
  table: ColumnTable<S>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const chunks: Uint8Array[] = [];
  const file = new IpcFileWriter(schemaOf(table), (bytes) => chunks.push(bytes));
  writeDictionaries(file, table);
  file.batch(batchOf(table));
  file.finish(footerOf(metadata));
  return concat(chunks);
}

function schemaOf<S extends TableSpec>(table: ColumnTable<S>): Schema {
  return new Schema(table.names.map((name, id) => tableField(name, table.column(name).type, id)));
}

function writeDictionaries<S extends TableSpec>(file: IpcFileWriter, table: ColumnTable<S>): void {
  for (const [id, name] of table.names.entries()) {
    const column = table.column(name);
    if (column.type === "dict" || column.type === "dictList") file.dictionary(id, column.values);
  }
}

function batchOf<S extends TableSpec>(table: ColumnTable<S>): BatchParts {
  return joinParts(
    table.length,
    table.names.map((name) => columnParts(table.column(name), table.length)),
  );
}

function footerOf(metadata: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([[VERSION_KEY, String(SCHEMA_VERSION)], ...metadata]);
}

/** Reads back a table that encodeTable wrote. Throws InputError `table/schema` when a column is missing or another type. */
export function decodeTable<S extends TableSpec>(bytes: Uint8Array, spec: S): ColumnTable<S> {
  const file = openIpcFile(inMemory(bytes));
  const table = new ColumnTable(spec);
  const expected = table.names.map((name, id) => tableField(name, spec[name]!, id));
  expectFields(file.schema.fields, expected);
  const dictionaries = new Map<string, readonly string[]>();
  for (const [i, name] of table.names.entries()) {
    const id = dictionaryId(file.schema.fields[i]!.type);
    if (id !== null) dictionaries.set(name, file.dictionary(id));
  }
  for (let index = 0; index < file.batchCount; index++) {
    const batch = file.batch(index);
    const cursor = new PartsCursor(batch);
    for (const name of table.names) readColumn(table.column(name), cursor, dictionaries.get(name) ?? []);
    table.length += batch.length;
  }
  return table;
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

function inMemory(bytes: Uint8Array): RandomAccess {
  return { size: bytes.length, readAt: (offset, length) => bytes.slice(offset, offset + length) };
}

/** Writes the rows of a table as an Arrow IPC file, and takes them from it. Dictionaries come before the last batch. */
export class TableFileWriter<S extends TableSpec> {
  readonly #table: ColumnTable<S>;
  readonly #file: IpcFileWriter;
  readonly #batchRows: number;

  /** `batchRows`: rows that are many. */
  constructor(table: ColumnTable<S>, output: FileOutput, batchRows: number = BATCH_ROWS) {
    this.#table = table;
    this.#batchRows = batchRows;
    this.#file = new IpcFileWriter(schemaOf(table), output);
  }

  /** Writes the rows held, if they are many, and lets them go. */
  settle(): void {
    if (this.#table.length >= this.#batchRows) this.#batch();
  }

  /** Writes the rest, dictionaries and footer. The table is left as it is where it holds all its rows. */
  finish(): void {
    const table = this.#table;
    writeDictionaries(this.#file, table);
    if (table.first === 0) this.#file.batch(batchOf(table));
    else if (table.length > 0) this.#batch();
    this.#file.finish(footerOf(new Map()));
  }

  #batch(): void {
    this.#file.batch(batchOf(this.#table));
    this.#table.letGo();
  }
}

/** Opens a table that TableFileWriter wrote. Throws InputError `table/schema` when a column is missing or another type. */
export function openTableFile<S extends TableSpec>(source: RandomAccess, spec: S): TableRows<S> {
  const file = openIpcFile(source);
  const names = Object.keys(spec) as (keyof S & string)[];
  expectFields(
    file.schema.fields,
    names.map((name, id) => tableField(name, spec[name]!, id)),
  );
  return new FileRows(file, spec, names);
}

class FileRows<S extends TableSpec> implements TableRows<S> {
  readonly spec: S;
  readonly length: number;
  readonly #batches: readonly StoredBatch[];
  /** By batch: the columns whose ids were found to be in their dictionaries. */
  readonly #checked: readonly Set<string>[];
  readonly #values: ReadonlyMap<string, string[]>;

  constructor(file: IpcFile, spec: S, names: readonly (keyof S & string)[]) {
    this.spec = spec;
    this.#batches = Array.from({ length: file.batchCount }, (_, index) => file.stored(index));
    this.#checked = this.#batches.map(() => new Set());
    this.length = this.#batches.reduce((sum, { length }) => sum + length, 0);
    this.#values = new Map(
      [...names.entries()]
        .filter(([, name]) => spec[name] === "dict" || spec[name] === "dictList")
        .map(([id, name]) => [name, file.dictionary(id)]),
    );
  }

  *batches(
    names: readonly (keyof S & string)[],
    skips?: (first: number, end: number) => boolean,
  ): Generator<ColumnTable<S>> {
    const table = new ColumnTable(this.spec, this.#values);
    const wanted = new Set<string>(names);
    for (const [index, batch] of this.#batches.entries()) {
      const checked = this.#checked[index];
      const end = table.first + batch.length;
      if (skips?.(table.first, end) === true) {
        table.first = end;
        continue;
      }
      let node = 0;
      let buffer = 0;
      for (const name of table.names) {
        const column = table.column(name);
        if (wanted.has(name)) {
          fill(column, batch, node, buffer);
          // Read again and again: looked at once.
          if (checked?.has(name) !== true && (column.type === "dict" || column.type === "dictList"))
            checkIds(column.ints.data, column.values.length);
          checked?.add(name);
        }
        node += column.type === "dictList" ? 2 : 1;
        buffer += column.type === "dictList" ? 4 : 2;
      }
      table.length = batch.length;
      if (batch.length > 0) yield table;
      table.first = end;
    }
  }
}

/** Puts the array at `node`, whose buffers begin at `buffer`, in the place of the column's cells. */
function fill(column: Column, batch: StoredBatch, node: number, buffer: number): void {
  const { length } = batch;
  const nullCount = batch.nodes[node]?.nullCount ?? 0;
  const bits = nullCount === 0 ? null : batch.buffer(buffer);
  switch (column.type) {
    case "i32":
    case "dict": {
      const values = typed(Int32Array, batch.buffer(buffer + 1), length);
      if (bits !== null) patchNulls(values, bits, length, NULL_I32);
      column.ints.data = values;
      column.ints.length = length;
      return;
    }
    case "f64": {
      const values = typed(Float64Array, batch.buffer(buffer + 1), length);
      if (bits !== null) patchNulls(values, bits, length, Number.NaN);
      column.floats.data = values;
      column.floats.length = length;
      return;
    }
    case "ns": {
      const halves = typed(Int32Array, batch.buffer(buffer + 1), length * 2);
      const low = new Int32Array(length);
      const high = new Int32Array(length);
      for (let row = 0; row < length; row++) {
        low[row] = halves[row * 2]!;
        high[row] = halves[row * 2 + 1]!;
      }
      if (bits !== null) {
        patchNulls(low, bits, length, 0);
        patchNulls(high, bits, length, NULL_I32);
      }
      column.ints.data = low;
      column.ints.length = length;
      column.hi.data = high;
      column.hi.length = length;
      return;
    }
    case "dictList": {
      const items = batch.nodes[node + 1]?.length ?? 0;
      const offsets = typed(Int32Array, batch.buffer(buffer + 1), length + 1);
      const ids = typed(Int32Array, batch.buffer(buffer + 3), items);
      column.ints.data = ids;
      column.ints.length = items;
      column.ends.data = offsets.subarray(1);
      column.ends.length = length;
      return;
    }
  }
}

function checkIds(ids: Int32Array, size: number): void {
  let highest = -1;
  for (let row = 0; row < ids.length; row++) if (ids[row]! > highest) highest = ids[row]!;
  if (highest >= size) throw corrupt(`key ${highest} of a dictionary of ${size}`);
}
