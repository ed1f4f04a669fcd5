// The result tables of a run as files under DIR/tables: filled while the replay goes on, then read back a batch at a time.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ColumnTable, TableRows, TableSpec } from "../table/columns.ts";
import { openTableFile, TableFileWriter } from "../table/table-file.ts";
import { newVerdictTables, type ResultTables, type VerdictTables } from "../table/verdict-tables.ts";
import { attempt, type FileReader, type FileSink, inFile, openReader, openSink } from "./files.ts";

/** Result tables that can be read until they are closed. */
export interface OpenTables {
  readonly tables: ResultTables;
  close(): void;
}

interface OneFile {
  readonly name: string;
  readonly path: string;
  readonly table: ColumnTable<TableSpec>;
  readonly sink: FileSink;
  readonly writer: TableFileWriter<TableSpec>;
}

/** Result tables being written. */
export class TableFiles {
  /** Append here, and `settle` now and then. */
  readonly tables: VerdictTables = newVerdictTables();
  readonly #files: readonly OneFile[];

  /** Creates `dir`, if need be, and the files in it. */
  constructor(dir: string) {
    attempt(dir, () => mkdirSync(dir, { recursive: true }));
    this.#files = Object.entries(this.tables).map(([name, table]: [string, ColumnTable<TableSpec>]) => {
      const path = join(dir, `${name}.arrow`);
      const sink = openSink(path);
      return {
        name,
        path,
        table,
        sink,
        writer: new TableFileWriter(table, { pieces: sink.writePieces }),
      };
    });
  }

  /** Writes out what has become much. Call it between forks. */
  settle(): void {
    for (const { name, writer } of this.#files) if (name !== "problems") writer.settle();
  }

  /** Writes the rest. What is read afterwards is read from the files, but for small tables, which are in memory still. */
  finish(): OpenTables {
    const readers: FileReader[] = [];
    const entries = this.#files.map(({ name, path, table, sink, writer }) => {
      writer.finish();
      sink.close();
      if (table.first === 0) return [name, table] as const;
      const reader = openReader(path);
      readers.push(reader);
      return [name, inFile(path, (): TableRows<TableSpec> => openTableFile(reader, table.spec))] as const;
    });
    return {
      tables: Object.fromEntries(entries) as unknown as ResultTables,
      close: () => {
        for (const reader of readers) reader.close();
      },
    };
  }
}
