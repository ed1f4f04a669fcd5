// Tables that not every result directory has: near misses and the holders behind a denial. A chart asks for one by name
// and says so where it is absent.
import type { ColumnTable, TableSpec } from "../../table/columns.ts";
import type { VerdictTables } from "../../table/verdict-tables.ts";

/** The table `name` if these results have it with all of these columns and at least one row. */
export function laterTable(
  tables: VerdictTables,
  name: string,
  columns: readonly string[],
): ColumnTable<TableSpec> | undefined {
  const table = (tables as unknown as Readonly<Record<string, ColumnTable<TableSpec> | undefined>>)[name];
  if (table === undefined || table.length === 0) return undefined;
  return columns.every((column) => table.names.includes(column)) ? table : undefined;
}
