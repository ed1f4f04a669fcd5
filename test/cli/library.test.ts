// The library as its users meet it: the package imported by its own name, the examples run as they stand, the documents name
// what there is.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { ZstdDecoder } from "../../src/cli/zstd-decoder.ts";
import { FORK_SPEC, VERDICT_SPEC } from "../../src/table/verdict-tables.ts";
import { seeds } from "../support/recording-seeds.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const example = (name: string): string => join(ROOT, "docs/examples", name);
const cwd = scratch();
let summary: Summary;

beforeAll(async () => {
  const parts: Uint8Array[] = [];
  const decoder = new ZstdDecoder((bytes) => parts.push(bytes.slice()));
  await decoder.push(readFileSync(recording("6.1/W5.trace-cmd.txt.zst")));
  await decoder.end();
  writeFileSync(join(cwd, "trace.txt"), Buffer.concat(parts));
  expect(forkcast(["analyze", "trace.txt", "--kernel", "6.1", "--parquet", "-q"], { cwd }).code).toBe(0);
  summary = JSON.parse(readFileSync(join(cwd, "forkcast-out/summary.json"), "utf8")) as Summary;
}, 60_000);

function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

test("analyze-a-trace.mjs gives the command line's figures", () => {
  const out = run(process.execPath, example("analyze-a-trace.mjs"), "trace.txt");
  for (const [id, { fast, slow, indeterminate, unsafe }] of Object.entries(summary.policies)) {
    expect(out).toContain(
      `\n${id}: ${fast} fast (${unsafe} unsafe), ${slow} slow, ${indeterminate} undecided\n`,
    );
  }
  expect(out).toMatch(/\nfirst unsafe: fork 14 of w5burst-1835 under \S+, checked at line 10089\n$/);
});

test("read-a-result.mjs reads what analyze wrote", () => {
  const out = run(process.execPath, example("read-a-result.mjs"), "forkcast-out");
  for (const [cause, n] of Object.entries(summary.policies["counts-unlocked"]?.denied_by ?? {})) {
    expect(out).toContain(`${cause}: ${n} forks\n`);
  }
  for (const [id, { blocked }] of Object.entries(summary.policies)) {
    if ("events" in blocked && blocked.events > 0)
      expect(out).toContain(`${id}: ${blocked.events} waits, longest ${blocked.max_ns} ns\n`);
  }
});

test("a binary recording is read by its content", () => {
  writeFileSync(join(cwd, "t.dat"), seeds()[0]!.bytes);
  writeFileSync(
    join(cwd, "binary.mjs"),
    `import { readFileSync } from "node:fs";
    import { CODECS, openRecording } from ${JSON.stringify(join(ROOT, "dist/index.js"))};
    const bytes = new Uint8Array(readFileSync("t.dat"));
    const file = { name: "t.dat", size: bytes.length, readAt: (at, length) => bytes.subarray(at, at + length) };
    let rows = 0;
    const { format, events } = openRecording({ path: "t.dat", files: [file], codecs: CODECS }, (batch) => {
      rows += batch.length;
    }).read();
    console.log(format, events, rows);`,
  );
  expect(run(process.execPath, "binary.mjs")).toBe("trace-dat 24 23\n");
});

test("every export is in docs/library.md", async () => {
  const index = readFileSync(join(ROOT, "src/index.ts"), "utf8");
  const names = [...index.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
    list.split(",").map((name) => name.replace(/\btype\b/, "").trim()),
  );
  const doc = readFileSync(join(ROOT, "docs/library.md"), "utf8");
  const wanted = names.filter((name) => name !== "");
  expect(wanted.length).toBeGreaterThan(30);
  for (const name of wanted) expect(doc).toMatch(new RegExp(`\`${name}\\b`));
});

const python = process.env["FORKCAST_PYTHON"] ?? "python3";
const hasPolars = spawnSync(python, ["-c", "import pyarrow, polars"]).status === 0;
if (!hasPolars)
  process.stderr.write(
    "library tests: no pyarrow and polars ($FORKCAST_PYTHON): docs/examples/tables.py is not run\n",
  );

test.skipIf(!hasPolars)("tables.py opens the tables and counts what the summary counts", () => {
  const out = run(python, example("tables.py"), "forkcast-out");
  const row = (...cells: (string | number)[]): RegExp => new RegExp(`│ ${cells.join(" +┆ ")} +│`);
  const causes = Object.entries(summary.policies["counts-unlocked"]?.denied_by ?? {});
  for (const [cause, n] of causes) expect(out).toContain(`${cause}: ${n} forks\n`);
  expect(out).toMatch(row("counts-unlocked", "fast", "unsafe", 11));
  expect(out).toMatch(row("w5burst", 89, "\\d+\\.0"));
});

test.each(["tables.py", "tables.R"])("%s names tables and columns that exist", (file) => {
  const text = readFileSync(example(file), "utf8");
  const tables = [...text.matchAll(/read\("(\w+)"\)/g)].map(([, name]) => name);
  expect(tables).toEqual(["forks", "verdicts"]);
  const known = new Set([...Object.keys(FORK_SPEC), ...Object.keys(VERDICT_SPEC)]);
  const used = text.match(/\b(?:policy|decision|verdict|denied_by|comm|\w+_ns)\b/g) ?? [];
  expect(new Set(used).size).toBeGreaterThan(4);
  for (const name of used) expect([...known], name).toContain(name);
});
