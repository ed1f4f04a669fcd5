// Parquet for the same tables as arrow.ts writes, for DuckDB, Spark, Trino and anything else that has no Arrow IPC
// reader. Row groups go out one by one: memory holds one of them. Called by the command line (--parquet, query).
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { assert } from "../base/assert.ts";
import type { Column, ColumnType, TableRows, TableSpec } from "./columns.ts";
import { NULL_I32 } from "./columns.ts";
import type { EventBatch, EventTable } from "./event-batch.ts";
import { NO_MM, NO_VALUE, NONE } from "./event-batch.ts";
import { EVENT_KIND_NAMES } from "./event-kinds.ts";
import { SCHEMA_VERSION } from "./verdict-tables.ts";

/** Rows a group, at most: what is held in memory at once. */
const GROUP_ROWS = 65_536;
const CREATED_BY = "forkcast";

type Values = readonly unknown[] | Int32Array | BigInt64Array;
type FieldType = "int32" | "uint32" | "int64" | "double" | "string" | "strings";
interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly isNullable: boolean;
}
type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

/** One Parquet file being written. `write` gets fresh arrays that the callee may keep. */
class ParquetFile {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #bytes = new ByteWriter();
  readonly #parquet: ParquetWriter;
  readonly #fields: readonly Field[];

  constructor(fields: readonly Field[], write: (bytes: Uint8Array) => void) {
    this.#write = write;
    this.#fields = fields;
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: "root", num_children: fields.length }, ...fields.flatMap(elementsOf)],
      createdBy: CREATED_BY,
      kvMetadata: [{ key: "forkcast.schema_version", value: String(SCHEMA_VERSION) }],
    });
    this.#drain();
  }

  /** Writes one row group of `length` rows, at least one; `columns` in the order of the fields. */
  group(length: number, columns: readonly Values[]): void {
    const columnData = this.#fields.map(({ name }, i) => {
      const data = columns[i];
      assert(data !== undefined && data.length === length, `column ${name} has ${length} rows`);
      return { name, data: data as unknown[] };
    });
    const pending = this.#parquet.write({ columnData, rowGroupSize: length });
    assert(pending === undefined, "writing to memory is synchronous");
    this.#drain();
  }

  /** Writes the footer. */
  finish(): void {
    assert(this.#parquet.finish() === undefined, "writing to memory is synchronous");
    this.#drain();
  }

  #drain(): void {
    this.#write(this.#bytes.getBytes().slice());
    this.#bytes.index = 0;
  }
}

function elementsOf({ name, type, isNullable }: Field): SchemaElement[] {
  const repetition_type = isNullable ? "OPTIONAL" : "REQUIRED";
  switch (type) {
    case "int32":
      return [{ name, type: "INT32", repetition_type }];
    case "uint32":
      return [{ name, type: "INT32", converted_type: "UINT_32", repetition_type }];
    case "int64":
      return [{ name, type: "INT64", repetition_type }];
    case "double":
      return [{ name, type: "DOUBLE", repetition_type }];
    case "string":
      return [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type }];
    case "strings":
      return [
        { name, converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      ];
  }
}

const FIELD_TYPES: Readonly<Record<ColumnType, FieldType>> = {
  i32: "int32",
  f64: "double",
  ns: "int64",
  dict: "string",
  dictList: "strings",
};

/** Writes a result table as a Parquet file: the columns of its Arrow twin, enumerations as strings. */
export function writeParquetTable<S extends TableSpec>(
  table: TableRows<S>,
  write: (bytes: Uint8Array) => void,
): void {
  const names: readonly (keyof S & string)[] = Object.keys(table.spec);
  const fields = names.map((name): Field => {
    return { name, type: FIELD_TYPES[table.spec[name] ?? "i32"], isNullable: true };
  });
  const file = new ParquetFile(fields, write);
  for (const batch of table.batches(names)) {
    const columns = names.map((name) => batch.column(name));
    for (let from = 0; from < batch.length; from += GROUP_ROWS) {
      const to = Math.min(batch.length, from + GROUP_ROWS);
      file.group(
        to - from,
        columns.map((column) => cells(column, from, to)),
      );
    }
  }
  file.finish();
}

/** Cells [from, to) of a column as Parquet takes them: null where the column has none. */
function cells(column: Column, from: number, to: number): unknown[] {
  const out = new Array<unknown>(to - from);
  if (column.type === "dict") {
    for (let row = from; row < to; row++) {
      const id = column.ints.data[row]!;
      out[row - from] = id === NULL_I32 ? null : column.values[id];
    }
    return out;
  }
  for (let row = from; row < to; row++) out[row - from] = column.get(row);
  return out;
}

/** Columns of the events after ts_ns, named and typed as in events.arrow. */
const EVENT_FIELDS: readonly (Field & {
  readonly from: Exclude<keyof EventBatch, "length" | "ns">;
  readonly absent?: number;
})[] = [
  { name: "kind", from: "kind", type: "string", isNullable: false },
  { name: "cpu", from: "cpu", type: "int32", isNullable: true, absent: NONE },
  { name: "ctx", from: "ctx", type: "int32", isNullable: false },
  { name: "tid", from: "tid", type: "int32", isNullable: true, absent: NONE },
  { name: "tgid", from: "tgid", type: "int32", isNullable: true, absent: NONE },
  { name: "comm", from: "comm", type: "string", isNullable: true, absent: NONE },
  { name: "arg_tid", from: "argTid", type: "int32", isNullable: true, absent: NONE },
  { name: "arg_comm", from: "argComm", type: "string", isNullable: true, absent: NONE },
  { name: "mm", from: "mm", type: "string", isNullable: true, absent: NO_MM },
  { name: "mm2", from: "mm2", type: "string", isNullable: true, absent: NO_MM },
  { name: "users", from: "users", type: "int32", isNullable: true, absent: NO_VALUE },
  { name: "count", from: "count", type: "int32", isNullable: true, absent: NO_VALUE },
  { name: "flags", from: "flags", type: "int32", isNullable: false },
  { name: "line", from: "line", type: "uint32", isNullable: false },
];

/** Writes events as a Parquet file: the columns of events.arrow, one row group a batch. */
export async function writeParquetEvents(
  events: EventTable,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  const { comms, pointers, epochNs } = events.meta;
  const file = new ParquetFile([{ name: "ts_ns", type: "int64", isNullable: false }, ...EVENT_FIELDS], write);
  const dictionaries: Readonly<Record<string, readonly string[]>> = {
    kind: EVENT_KIND_NAMES,
    comm: comms,
    argComm: comms,
    mm: pointers,
    mm2: pointers,
  };
  await events.forEachBatch((batch) => {
    if (batch.length === 0) return;
    const times = new BigInt64Array(batch.length);
    for (let row = 0; row < batch.length; row++) times[row] = epochNs + BigInt(batch.ns[row]!);
    const columns = EVENT_FIELDS.map(({ from, absent }) =>
      eventCells(batch[from], batch.length, absent, dictionaries[from]),
    );
    file.group(batch.length, [times, ...columns]);
  });
  file.finish();
}

function eventCells(
  values: ArrayLike<number>,
  length: number,
  absent: number | undefined,
  dictionary: readonly string[] | undefined,
): unknown[] {
  const out = new Array<unknown>(length);
  for (let row = 0; row < length; row++) {
    const value = values[row]!;
    out[row] = value === absent ? null : dictionary === undefined ? value : (dictionary[value] ?? null);
  }
  return out;
}
