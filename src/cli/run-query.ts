// SQL over a result directory. The tables are copied into an in-memory DuckDB, which is then locked: no file, network or
// extension can be reached from a query, and only SELECT and EXPLAIN run. Nothing of DIR is ever written.
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { UsageError } from "./exit.ts";
import type { FilterCliOptions } from "./filter-options.ts";
import { filterResults } from "./filter-results.ts";
import { note, writeOut } from "./output.ts";
import { eventsFile, tablePath } from "./output-dir.ts";
import { convertEvents, TABLE_NAMES, writeTables } from "./parquet-files.ts";
import { type Results, readResults } from "./results.ts";
import { type Cell, type RowFormat, rowWriter } from "./row-format.ts";
import { withScratchDir } from "./scratch-dir.ts";

export interface QueryCliOptions extends FilterCliOptions {
  readonly format: RowFormat;
  readonly raw: boolean;
}

type Duck = typeof import("@duckdb/node-api");
type Connection = Awaited<ReturnType<Awaited<ReturnType<Duck["DuckDBInstance"]["create"]>>["connect"]>>;
type DuckValue = Awaited<ReturnType<Awaited<ReturnType<Connection["stream"]>>["getRows"]>>[number][number];

const LIST_TABLES = "SELECT table_name AS name, estimated_size AS rows FROM duckdb_tables() ORDER BY name";
const LIST_COLUMNS =
  'SELECT table_name AS "table", column_name AS "column", data_type AS type FROM duckdb_columns() ' +
  "WHERE NOT internal ORDER BY table_name, column_index";

/** Takes the result's text piece by piece. */
export type Write = (text: string) => Promise<void>;

/** Runs one statement, or `.tables` or `.schema`, on the tables of `dir` and writes its rows. Throws UsageError for bad SQL. */
export async function runQuery(
  dir: string,
  sql: string,
  options: QueryCliOptions,
  write: Write = writeOut,
): Promise<void> {
  const results = await filterResults(dir, readResults(dir), options);
  const text = sql.trim();
  if (text === "") throw new UsageError("no SQL given");
  const isMeta = text.startsWith(".");
  const statement = isMeta ? metaStatement(text) : text;
  const duck = await loadDuck();
  const instance = await duck.DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await withScratchDir(async (scratch) => {
      await loadTables(connection, scratch, dir, results, isMeta || /\bevents\b/i.test(statement));
    });
    // Order matters: nothing after lock_configuration can be set back.
    for (const setting of [
      "enable_external_access = false",
      "autoinstall_known_extensions = false",
      "autoload_known_extensions = false",
      "lock_configuration = true",
    ]) {
      await connection.run(`SET ${setting}`);
    }
    await printRows(duck, connection, statement, options, write);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function loadDuck(): Promise<Duck> {
  try {
    return await import("@duckdb/node-api");
  } catch (error) {
    const what = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new UsageError(
      `query needs DuckDB (npm package @duckdb/node-api), which is not installed or does not load here: ${what}; ` +
        "analyze --parquet writes the same tables for any other SQL engine",
    );
  }
}

function metaStatement(text: string): string {
  if (/^\.tables?$/.test(text)) return LIST_TABLES;
  if (text === ".schema") return LIST_COLUMNS;
  const table = /^\.schema\s+([a-z_]+)$/.exec(text)?.[1];
  if (table !== undefined) return LIST_COLUMNS.replace("WHERE", `WHERE table_name = '${table}' AND`);
  throw new UsageError(`unknown command ${JSON.stringify(text)}; known: .tables, .schema, .schema TABLE`);
}

/** Copies every result table, and the events if wanted, into the connection. */
async function loadTables(
  connection: Connection,
  scratch: string,
  dir: string,
  { tables, metas }: Results,
  withEvents: boolean,
): Promise<void> {
  const file = (name: string): string => join(scratch, `${name}.parquet`);
  const rowsOf = (name: string): string => `read_parquet('${file(name).replaceAll("'", "''")}')`;
  writeTables(tables, file);
  for (const name of TABLE_NAMES) {
    await connection.run(`CREATE TABLE ${name} AS SELECT * FROM ${rowsOf(name)}`);
  }
  if (!withEvents) return;
  for (const trace of metas.keys()) {
    await convertEvents(tablePath(dir, eventsFile(trace)), file("events"));
    const rows = `SELECT ${trace}::INTEGER AS trace, * FROM ${rowsOf("events")}`;
    await connection.run(trace === 0 ? `CREATE TABLE events AS ${rows}` : `INSERT INTO events ${rows}`);
  }
}

async function printRows(
  duck: Duck,
  connection: Connection,
  sql: string,
  options: QueryCliOptions,
  write: Write,
): Promise<void> {
  const statements = await usage(() => connection.extractStatements(sql));
  if (statements.count !== 1) throw new UsageError(`expected one statement, found ${statements.count}`);
  const prepared = await usage(() => statements.prepare(0));
  const { SELECT, EXPLAIN } = duck.StatementType;
  if (prepared.statementType !== SELECT && prepared.statementType !== EXPLAIN) {
    const kind = duck.StatementType[prepared.statementType] ?? "another";
    throw new UsageError(
      `only SELECT runs here (also WITH, FROM, DESCRIBE, SUMMARIZE, EXPLAIN); this is ${kind}`,
    );
  }
  const result = await usage(() => prepared.stream());
  const writer = rowWriter(options.format, result.deduplicatedColumnNames(), options.raw);
  for (
    let chunk = await usage(() => result.fetchChunk());
    chunk !== null;
    chunk = await usage(() => result.fetchChunk())
  ) {
    if (chunk.rowCount === 0) break;
    await write(writer.rows(chunk.getRows().map((row) => row.map(cellOf))));
  }
  await write(writer.end());
  if (writer.defused > 0) {
    note(
      `text cells that begin like a formula and got a leading apostrophe: ${writer.defused}; --raw leaves them as they are`,
    );
  }
}

/** DuckDB's own errors are about the SQL: usage, with its message. */
async function usage<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof InputError || error instanceof UsageError) throw error;
    throw new UsageError(briefly(error instanceof Error ? error.message : String(error)));
  }
}

/** DuckDB's message without the picture of the statement. */
function briefly(message: string): string {
  // What the binding says when a text holds no statement.
  if (/^error in native callback$/i.test(message)) return "no statement found";
  const lines = message.split("\n").map((line) => line.trim());
  const picture = lines.findIndex((line) => line.startsWith("LINE "));
  return lines
    .slice(0, picture < 0 ? lines.length : picture)
    .filter((line) => line !== "")
    .join("; ");
}

function cellOf(value: DuckValue): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object") return value;
  if ("items" in value && Array.isArray(value.items))
    return value.items.map((item) => cellOf(item as DuckValue));
  if ("value" in value && "scale" in value) return Number(String(value));
  return String(value);
}
