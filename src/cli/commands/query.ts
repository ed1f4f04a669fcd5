// forkcast query DIR SQL: SQL over the tables of a result directory.
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { addFilterOptions } from "../filter-options.ts";
import { ROW_FORMATS } from "../row-format.ts";
import type { QueryCliOptions } from "../run-query.ts";
import { STDIN } from "../trace-input.ts";

const HELP = `
Tables: forks, verdicts, denials, exposures, blocks, near_misses, problems,
events. ".tables" lists them with their rows, ".schema" or ".schema TABLE" the
columns. Nothing can be written and no file or network be reached from a query.

CSV for spreadsheets: control characters are made visible, and text that begins
like a formula (= + - @ | %) gets an apostrophe in front. --raw writes every
byte as it is, for programs.`;

/** The command; `done` receives its exit code. */
export function queryCommand(done: (code: number) => void): Command {
  const command = new Command("query")
    .description("run SQL (DuckDB) over the tables of a result directory")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .argument("<sql>", "one SELECT; .tables; .schema [TABLE]; - reads it from standard input")
    .addOption(new Option("--format <name>", "how rows are printed").choices(ROW_FORMATS).default("table"))
    .option("--raw", "csv: write cells exactly as they are", false)
    .addHelpText("after", HELP);
  return addFilterOptions(command).action(async (dir: string, sql: string, options: QueryCliOptions) => {
    const { runQuery } = await import("../run-query.ts");
    await runQuery(dir, sql === STDIN ? readFileSync(0, "utf8") : sql, options);
    done(0);
  });
}
