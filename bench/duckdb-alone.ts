// What DuckDB takes for the sched_switch lines of a text: read_csv with one column and a regular expression a field, by the
// package that `forkcast query` uses. A peer of run.ts: tsx bench/duckdb-alone.ts SQL
import { DuckDBInstance } from "@duckdb/node-api";

const connection = await (await DuckDBInstance.create(":memory:")).connect();
const reader = await connection.runAndReadAll(process.argv[2] ?? "");
console.log(reader.getRows().join());
