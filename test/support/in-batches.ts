// The same tables, handed out a few rows at a time as those in files are.
import { ColumnTable, type TableRows, type TableSpec } from "../../src/table/columns.ts";
import { openTableFile, TableFileWriter } from "../../src/table/table-file.ts";
import type { ResultTables, VerdictTables } from "../../src/table/verdict-tables.ts";

/** `tables` as files of batches of `batchRows` rows. */
export function inBatches(tables: VerdictTables, batchRows: number): ResultTables {
  const split = <S extends TableSpec>(table: ColumnTable<S>): TableRows<S> => {
    const copy = new ColumnTable(table.spec);
    const chunks: Uint8Array[] = [];
    const writer = new TableFileWriter(copy, (bytes) => chunks.push(bytes), batchRows);
    for (let row = 0; row < table.length; row++) {
      copy.append(table.row(row));
      writer.settle();
    }
    writer.finish();
    const bytes = Buffer.concat(chunks);
    const readAt = (offset: number, length: number): Uint8Array =>
      Uint8Array.prototype.slice.call(bytes, offset, offset + length);
    return openTableFile({ size: bytes.length, readAt }, table.spec);
  };
  return {
    forks: split(tables.forks),
    verdicts: split(tables.verdicts),
    exposures: split(tables.exposures),
    blocks: split(tables.blocks),
    denials: split(tables.denials),
    near_misses: split(tables.near_misses),
    problems: tables.problems,
  };
}
