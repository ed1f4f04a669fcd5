// forkcast query and --parquet: the rows are the tables', in every format; nothing can be written or reached; hostile
// task names stay text.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit.ts";
import { type RowFormat, rowWriter } from "../../src/cli/row-format.ts";
import { runQuery } from "../../src/cli/run-query.ts";
import { decodeTable } from "../../src/table/table-file.ts";
import { FORK_SPEC, VERDICT_SPEC } from "../../src/table/verdict-tables.ts";
import { hasControls, hostileTrace } from "./hostile-trace.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

const UNSAFE = recording("6.1/W5.trace-cmd.txt.zst");
const cwd = scratch();
expect(forkcast(["analyze", UNSAFE, "--parquet", "-o", "w5"], { cwd }).code).toBe(0);
writeFileSync(join(cwd, "hostile.txt"), hostileTrace());
expect(forkcast(["analyze", "hostile.txt", "-o", "hostile"], { cwd }).code).toBe(0);

/** What runQuery writes, in this process: a spawn a query would take longer than the query. */
async function query(dir: string, sql: string, format: RowFormat = "table", raw = false): Promise<string> {
  let out = "";
  await runQuery(join(cwd, dir), sql, { format, raw }, async (text) => {
    out += text;
  });
  return out;
}

/** Rows as `--format json` prints them: int64 as JSON integers. */
function jsonRows(table: { length: number; row(i: number): object }): unknown {
  const rows = Array.from({ length: table.length }, (_, i) => table.row(i));
  return JSON.parse(
    JSON.stringify(rows, (_key, value) => (typeof value === "bigint" ? Number(value) : value)),
  );
}

test("json gives the Arrow tables' rows", async () => {
  for (const [name, spec] of [
    ["forks", FORK_SPEC],
    ["verdicts", VERDICT_SPEC],
  ] as const) {
    const table = decodeTable(readFileSync(join(cwd, "w5", "tables", `${name}.arrow`)), spec);
    expect(JSON.parse(await query("w5", `FROM ${name}`, "json"))).toEqual(jsonRows(table));
  }
});

test("--parquet's files hold the same rows, events included", async () => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const read = async (sql: string): Promise<unknown> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const names = ["forks", "verdicts", "exposures", "blocks", "denials", "near_misses", "problems", "events"];
  const counts = (from: (name: string) => string): string =>
    names
      .map((name) => `SELECT '${name}' AS name, count(*)::INTEGER AS n FROM ${from(name)}`)
      .join(" UNION ALL ");
  const counted = await query("w5", `${counts((name) => name)} ORDER BY name`, "json");
  const files = counts((name) => `'${join(cwd, "w5", "tables", `${name}.parquet`)}'`);
  expect(await read(`${files} ORDER BY name`)).toEqual(JSON.parse(counted));
  const first = await query("w5", "SELECT kind, line, comm FROM events ORDER BY ts_ns, line LIMIT 5", "json");
  const path = join(cwd, "w5", "tables", "events.parquet");
  expect(await read(`SELECT kind, line, comm FROM '${path}' ORDER BY ts_ns, line LIMIT 5`)).toEqual(
    JSON.parse(first),
  );
  instance.closeSync();
});

test("the four formats of one result, byte for byte", async () => {
  const sql =
    "SELECT policy, count(*) AS n, [1, 2] AS list, NULL AS nothing, 1.5 AS half FROM verdicts WHERE policy < 'd' GROUP BY 1 ORDER BY 1";
  expect(await query("w5", sql)).toBe(
    [
      "policy             n  list  nothing  half",
      "---------------  ---  ----  -------  ----",
      "always-atomic    102  1, 2            1.5",
      "counts-unlocked  102  1, 2            1.5",
      "cpumask          102  1, 2            1.5",
      "",
    ].join("\n"),
  );
  expect((await query("w5", sql, "csv")).split("\n").slice(0, 2)).toEqual([
    "policy,n,list,nothing,half",
    'always-atomic,102,"1,2",,1.5',
  ]);
  expect((await query("w5", sql, "markdown")).split("\n").slice(0, 3)).toEqual([
    "| policy          |   n | list | nothing | half |",
    "| --------------- | --: | ---- | ------: | ---: |",
    "| always-atomic   | 102 | 1, 2 |         |  1.5 |",
  ]);
  expect((await query("w5", sql, "json")).split("\n").slice(0, 2)).toEqual([
    "[",
    '  { "policy": "always-atomic", "n": 102, "list": [1, 2], "nothing": null, "half": 1.5 },',
  ]);
  const writer = rowWriter("json", ["n"], false);
  expect(writer.rows([[9007199254740993n]]) + writer.end()).toBe('[\n  { "n": 9007199254740993 }\n]\n');
  expect(rowWriter("json", ["n"], false).end()).toBe("[]\n");
});

test(".tables and .schema", async () => {
  expect(await query("w5", ".tables")).toMatch(/^name +rows\n.*\nblocks +61\ndenials +16\nevents +\d+\n/s);
  expect((await query("w5", ".schema blocks", "csv")).split("\n").slice(0, 3)).toEqual([
    "table,column,type",
    "blocks,policy,VARCHAR",
    "blocks,fork,INTEGER",
  ]);
  await expect(query("w5", ".drop forks")).rejects.toThrow(
    'unknown command ".drop forks"; known: .tables, .schema, .schema TABLE',
  );
});

test.each([
  ["COPY (SELECT 1) TO 'out.csv'", "file system operations are disabled"],
  ["EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'", "file system operations are disabled"],
  ["FROM read_csv('/etc/hostname')", "file system operations are disabled"],
  ["FROM '/etc/hostname'", "does not exist"],
  ["FROM glob('/*')", "file system operations are disabled"],
  ["ATTACH 'out.db'", "this is ATTACH"],
  ["INSTALL httpfs", "this is LOAD"],
  ["LOAD httpfs", "this is LOAD"],
  ["SET enable_external_access = true", "this is SET"],
  ["DROP TABLE forks", "this is DROP"],
  ["CREATE TABLE x AS SELECT 1", "this is CREATE"],
  ["SELECT 1; DROP TABLE forks", "expected one statement, found 2"],
  ["", "no SQL given"],
  ["-- nothing", "no statement found"],
  ["SELECT nothing FROM forks", 'column "nothing" not found'],
  ["SELEC", "syntax error"],
])("%s is refused", async (sql, why) => {
  const error = await query("w5", sql).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message.toLowerCase()).toContain(why.toLowerCase());
  expect(error.message).not.toContain("\n");
  for (const name of ["out.csv", "out.db"]) expect(existsSync(name)).toBe(false);
});

test("a refusal is one line and exit code 2", () => {
  const { code, stdout, stderr } = forkcast(["query", "w5", "COPY (SELECT 1) TO 'out.csv'"], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^error: Permission Error: [^\n]*\n$/);
  expect(existsSync(join(cwd, "out.csv"))).toBe(false);
});

test("a directory that is no result is 3", () => {
  const { code, stdout, stderr } = forkcast(["query", "nowhere", "SELECT 1"], { cwd });
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toMatch(
    /^error: nowhere\/tables\/forks\.arrow: no such file or directory; expected [^\n]*\n$/,
  );
});

test("hostile names stay text in every format", async () => {
  const sql = "SELECT comm, fork FROM forks ORDER BY fork";
  const table = await query("hostile", sql);
  const json = await query("hostile", sql, "json");
  const markdown = await query("hostile", sql, "markdown");
  const spawned = forkcast(["query", "hostile", sql, "--format", "csv"], { cwd });
  const csv = spawned.stdout;
  expect({ code: spawned.code, stderr: spawned.stderr }).toEqual({
    code: 0,
    stderr:
      "text cells that begin like a formula and got a leading apostrophe: 1; --raw leaves them as they are\n",
  });
  for (const text of [table, json, markdown, csv]) expect(hasControls(text)).toBe(false);
  expect(table).toContain("\\x1b[31mred");
  expect(csv).toContain("'=cmd|' /C calc,1\n");
  expect(await query("hostile", sql, "csv", true)).toContain("\n=cmd|' /C calc,1\n");
  const names = (JSON.parse(json) as { comm: string }[]).map(({ comm }) => comm);
  expect(names).toEqual(
    expect.arrayContaining(["</script>", "=cmd|' /C calc", "\u001b[31mred\u001b[0m", "x'); DROP --"]),
  );
  // A Markdown row has its own bars and no others; no markup character is bare.
  const rows = markdown.trimEnd().split("\n").slice(2);
  expect(rows.length).toBe(7);
  for (const row of rows) expect(row.replace(/\\./g, "").match(/\|/g)).toHaveLength(3);
  expect(markdown).toContain("&lt;/script&gt;");
  // A name in a statement is a value.
  const found = await query(
    "hostile",
    "SELECT count(*) AS n FROM forks WHERE comm = 'x''); DROP --'",
    "json",
  );
  expect(JSON.parse(found)).toEqual([{ n: 1 }]);
});

test("several traces are one events table; SQL comes from standard input too", () => {
  const two = forkcast(["analyze", UNSAFE, "hostile.txt", "-o", "two"], { cwd });
  expect(two.code).toBe(0);
  const sql = "SELECT trace, count(*) > 20 AS some FROM events GROUP BY 1 ORDER BY 1";
  const { code, stdout } = forkcast(["query", "two", "-", "--format", "csv"], { cwd, input: sql });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "trace,some\n0,true\n1,true\n" });
});
