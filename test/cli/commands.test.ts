// The commands when all goes well: what is printed, what is written, what the options change.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { ZstdDecoder } from "../../src/cli/zstd-decoder.ts";
import { CLI_MAIN, forkcast, recording, scratch } from "./run-cli.ts";

const SMALL = recording("6.1/W2.trace-cmd.txt.zst");
const SMALL_FORKS = 48;
const UNSAFE = recording("6.1/W5.trace-cmd.txt.zst");

async function decoded(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const decoder = new ZstdDecoder((bytes) => parts.push(Buffer.from(bytes)));
  await decoder.push(readFileSync(path));
  await decoder.end();
  return Buffer.concat(parts);
}

function summaryOf(args: readonly string[], options: Parameters<typeof forkcast>[1] = {}): Summary {
  const { code, stdout, stderr } = forkcast(["analyze", ...args, "--json"], options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Summary;
}

/** Everything but where the trace came from. */
function withoutFiles(summary: Summary): unknown {
  return { ...summary, traces: summary.traces.map((trace) => ({ ...trace, path: "", sha256: null })) };
}

test("--version and --help answer at once, without loading a stage", () => {
  const version = forkcast(["--version"]);
  const { version: expected } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(version).toMatchObject({ code: 0, stdout: `${expected}\n`, stderr: "" });
  const help = forkcast(["--help"]);
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("Exit codes: 0 done");
  expect(forkcast(["analyze", "--help"]).stdout).toContain("--fail-on");
});

describe("analyze", () => {
  const cwd = scratch();

  test("prints the answer and where the report is; writes the whole directory", () => {
    const { code, stdout, stderr } = forkcast(["analyze", SMALL], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/\nreport: forkcast-out\/report\.html\n$/);
    for (const text of stdout.split("\n").slice(0, -2)) expect(text.length).toBeLessThan(80);
    expect(readdirSync(cwd)).toEqual(["forkcast-out"]);
    expect(readdirSync(join(cwd, "forkcast-out")).sort()).toEqual(["report.html", "summary.json", "tables"]);
    expect(readdirSync(join(cwd, "forkcast-out", "tables")).sort()).toEqual(
      ["blocks", "denials", "events", "exposures", "forks", "near_misses", "problems", "verdicts"]
        .map((name) => `${name}.arrow`)
        .concat("run.json")
        .sort(),
    );
  });

  test("replaces an earlier result, and an empty directory", () => {
    const before = readFileSync(join(cwd, "forkcast-out", "summary.json"));
    mkdirSync(join(cwd, "empty"));
    expect(forkcast(["analyze", SMALL], { cwd }).code).toBe(0);
    expect(forkcast(["analyze", SMALL, "-o", "empty"], { cwd }).code).toBe(0);
    expect(readFileSync(join(cwd, "forkcast-out", "summary.json")).equals(before)).toBe(true);
    expect(readFileSync(join(cwd, "empty", "summary.json")).equals(before)).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(["empty", "forkcast-out"]);
  });

  test("makes the directories above DIR", () => {
    expect(forkcast(["analyze", SMALL, "-o", "a/b/c"], { cwd }).code).toBe(0);
    expect(readdirSync(join(cwd, "a", "b", "c"))).toContain("summary.json");
  });

  test("--json is summary.json, byte for byte", () => {
    const { stdout } = forkcast(["analyze", SMALL, "--json", "-o", "json"], { cwd });
    expect(stdout).toBe(readFileSync(join(cwd, "json", "summary.json"), "utf8"));
    expect((JSON.parse(stdout) as Summary).forks.total).toBe(SMALL_FORKS);
  });

  test("plain, gzip, zstd and standard input give the same result", async () => {
    const text = await decoded(SMALL);
    writeFileSync(join(cwd, "t.txt"), text);
    writeFileSync(join(cwd, "t.gz"), gzipSync(text));
    const zst = withoutFiles(summaryOf([SMALL, "-o", "s1"], { cwd }));
    expect(withoutFiles(summaryOf(["t.txt", "-o", "s2"], { cwd }))).toEqual(zst);
    expect(withoutFiles(summaryOf(["t.gz", "-o", "s3"], { cwd }))).toEqual(zst);
    expect(withoutFiles(summaryOf(["-", "-o", "s4"], { cwd, input: text }))).toEqual(zst);
    expect(withoutFiles(summaryOf(["-", "-o", "s5"], { cwd, input: gzipSync(text) }))).toEqual(zst);
  });

  test("a cut file is analyzed as far as it goes, and says so", () => {
    const data = readFileSync(UNSAFE);
    writeFileSync(join(cwd, "cut.zst"), data.subarray(0, data.length >> 1));
    const summary = summaryOf(["cut.zst", "-o", "cut"], { cwd });
    expect(summary.traces[0]?.problems.map(({ code }) => code)).toContain("input/truncated-compression");
    expect(summary.forks.total).toBeGreaterThan(10);
    expect(summary.forks.total).toBeLessThan(102);
  });

  test("several traces are one result", () => {
    const summary = summaryOf([SMALL, UNSAFE, "-o", "two"], { cwd });
    expect(summary.traces.map(({ path }) => path)).toEqual([SMALL, UNSAFE]);
    expect(summary.forks.total).toBe(SMALL_FORKS + 102);
    expect(readdirSync(join(cwd, "two", "tables"))).toEqual(
      expect.arrayContaining(["events.arrow", "events-1.arrow"]),
    );
  });

  test("--policy keeps only those named", () => {
    const summary = summaryOf([SMALL, "--policy", "fork-lock,cpumask", "-o", "p"], { cwd });
    expect(Object.keys(summary.policies).sort()).toEqual(["cpumask", "fork-lock"]);
  });

  test("--fail-on exits with 1 and still writes the result", () => {
    expect(forkcast(["analyze", UNSAFE, "--fail-on", "unsafe", "-o", "f"], { cwd }).code).toBe(1);
    expect(readdirSync(join(cwd, "f"))).toContain("report.html");
    const safe = ["--policy", "always-atomic", "--fail-on", "unsafe", "-o", "f"];
    expect(forkcast(["analyze", UNSAFE, ...safe], { cwd }).code).toBe(0);
  });

  test("a hostile file name is shown, not obeyed", () => {
    const name = "x\u001b[31m<img src=x onerror=alert(1)>.zst";
    copyFileSync(SMALL, join(cwd, name));
    const { code, stdout } = forkcast(["analyze", name, "-o", "hostile"], { cwd });
    expect(code).toBe(0);
    expect(stdout).not.toContain("\u001b");
    expect(readFileSync(join(cwd, "hostile", "report.html"), "utf8")).not.toContain("<img src=x");
  });
});

describe("the stages one by one", () => {
  const cwd = scratch();

  test("ingest, replay and report give what analyze gives", () => {
    expect(forkcast(["analyze", UNSAFE, "-o", "whole"], { cwd }).code).toBe(0);
    const ingest = forkcast(["ingest", UNSAFE, "-o", "events.arrow"], { cwd });
    expect({ code: ingest.code, stdout: ingest.stdout }).toEqual({ code: 0, stdout: "" });
    expect(ingest.stderr).toMatch(/events\.arrow: \d+ rows of \d+ events, trace-cmd-report\n$/);
    expect(forkcast(["replay", "events.arrow", "-o", "staged"], { cwd }).code).toBe(0);
    const of = (dir: string, file: string): string => readFileSync(join(cwd, dir, file), "utf8");
    expect(of("staged", "summary.json")).toBe(of("whole", "summary.json"));
    expect(forkcast(["report", "staged", "-o", "again.html"], { cwd }).code).toBe(0);
    expect(readFileSync(join(cwd, "again.html"), "utf8")).toBe(of("whole", "report.html"));
    expect(readdirSync(cwd).sort()).toEqual(["again.html", "events.arrow", "staged", "whole"]);
  });

  test("explain shows the window's events with their lines", () => {
    const { code, stdout } = forkcast(["explain", "whole", "0"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fork 0: \S+-\d+ on CPU \d/);
    expect(stdout).toMatch(/\n +\S+-\d+ +\[\d{3}\] +\d+\.\d{9}: dup_mmap: mm=0x[0-9a-f]+ .*# line \d+\n/);
    const beyond = forkcast(["explain", "whole", "102"], { cwd });
    expect({ code: beyond.code, stderr: beyond.stderr }).toEqual({
      code: 2,
      stderr: "error: no fork 102: whole has forks 0 to 101\n",
    });
  });
});

describe("processes", () => {
  const cwd = scratch();

  test("a reader that closes the pipe early is no error", async () => {
    const child = spawn(
      "sh",
      [
        "-c",
        `"$0" "$1" analyze "$2" --json -o pipe | true; echo "\${PIPESTATUS:-}"`,
        process.execPath,
        CLI_MAIN,
        SMALL,
      ],
      { cwd },
    );
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    await new Promise((resolve) => child.once("close", resolve));
    expect(stderr).toBe("");
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s leaves nothing behind", async (signal) => {
    const child = spawn(process.execPath, [CLI_MAIN, "analyze", "-", "-o", "out/deep"], { cwd });
    child.stdin.on("error", () => {});
    child.stdin.write(await decoded(SMALL));
    // As long as it takes on a loaded machine: the temporary directory lies in out/ once ingest has begun.
    for (let waited = 0; waited < 20_000 && !readdirSync(cwd).includes("out"); waited += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(readdirSync(cwd)).toContain("out");
    child.kill(signal);
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).toBe(signal === "SIGINT" ? 130 : 143);
    expect(readdirSync(cwd).filter((name) => name !== "pipe")).toEqual([]);
  });
});
