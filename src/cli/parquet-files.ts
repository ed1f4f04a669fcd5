// The tables of a result directory as Parquet files: what --parquet writes, and how query hands them to DuckDB.
import { readEventFile } from "../table/arrow.ts";
import { writeParquetEvents, writeParquetTable } from "../table/parquet.ts";
import type { ResultTables } from "../table/verdict-tables.ts";
import { type FileSink, inFile, openReader, openSink } from "./files.ts";

/** The result tables, by name; events are not among them. */
export const TABLE_NAMES = [
  "forks",
  "verdicts",
  "exposures",
  "blocks",
  "denials",
  "near_misses",
  "problems",
] as const;

/** Writes each result table to the path that `pathOf` gives for its name. */
export function writeTables(tables: ResultTables, pathOf: (name: string) => string): void {
  withSink(pathOf("forks"), (sink) => writeParquetTable(tables.forks, (bytes) => sink.write(bytes)));
  withSink(pathOf("verdicts"), (sink) => writeParquetTable(tables.verdicts, (bytes) => sink.write(bytes)));
  withSink(pathOf("exposures"), (sink) => writeParquetTable(tables.exposures, (bytes) => sink.write(bytes)));
  withSink(pathOf("blocks"), (sink) => writeParquetTable(tables.blocks, (bytes) => sink.write(bytes)));
  withSink(pathOf("near_misses"), (sink) =>
    writeParquetTable(tables.near_misses, (bytes) => sink.write(bytes)),
  );
  withSink(pathOf("denials"), (sink) => writeParquetTable(tables.denials, (bytes) => sink.write(bytes)));
  withSink(pathOf("problems"), (sink) => writeParquetTable(tables.problems, (bytes) => sink.write(bytes)));
}

function withSink(path: string, use: (sink: FileSink) => void): void {
  const sink = openSink(path);
  try {
    use(sink);
  } finally {
    sink.close();
  }
}

/** Writes the events.arrow at `from` as a Parquet file. Throws InputError when it is not one of ours. */
export async function convertEvents(from: string, to: string): Promise<void> {
  const reader = openReader(from);
  const sink = openSink(to);
  try {
    const events = inFile(from, () => readEventFile(reader));
    await writeParquetEvents(events, (bytes) => sink.write(bytes));
  } finally {
    sink.close();
    reader.close();
  }
}
