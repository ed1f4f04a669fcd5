// --time, -C, -p and --comm: they choose which forks are counted, never what the replay sees; every output says so with both
// numbers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { ZstdDecoder } from "../../src/cli/zstd-decoder.ts";
import { type Rows, readRows } from "../report/recount.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

const cwd = scratch();
const TRACE = recording("6.1/W5.trace-cmd.txt.zst");

function analyze(dir: string, ...filter: string[]): Rows {
  const { code } = forkcast(["analyze", TRACE, "-o", dir, ...filter], { cwd });
  expect(code).toBe(0);
  return readRows(join(cwd, dir));
}

function summaryOf(dir: string): Summary {
  return JSON.parse(readFileSync(join(cwd, dir, "summary.json"), "utf8")) as Summary;
}

const whole = analyze("whole");

/** What the filtered tables have to be: the whole's rows of these forks, as they are. */
function expectRowsOf(filtered: Rows, isChosen: (fork: Rows["forks"][number]) => boolean): number {
  const ids = new Set(whole.forks.filter(isChosen).map(({ fork }) => fork));
  expect(ids.size).toBeGreaterThan(0);
  expect(ids.size).toBeLessThan(whole.forks.length);
  for (const name of ["forks", "verdicts", "exposures", "blocks", "denials"] as const) {
    const rows: readonly { readonly fork: number | null }[] = whole[name];
    expect(filtered[name], name).toEqual(rows.filter(({ fork }) => ids.has(fork)));
  }
  return ids.size;
}

test("--comm with -C: the whole replay's rows of these forks, and nothing of the others", () => {
  const rows = analyze("comm", "--comm", "nobody,w5burst", "-C", "0,2-3");
  const n = expectRowsOf(rows, ({ comm, cpu }) => comm === "w5burst" && [0, 2, 3].includes(cpu ?? -1));
  const { filter, forks, policies } = summaryOf("comm");
  expect(filter).toMatchObject({
    selected: n,
    recorded: 102,
    options: ["-C 0,2-3", "--comm nobody,w5burst"],
  });
  expect(forks.total).toBe(n);
  // The kernel threads that made these forks unsafe bear another name and ran on another CPU: the replay saw them.
  expect(policies["counts-unlocked"]?.unsafe).toBe(11);
  const html = readFileSync(join(cwd, "comm", "report.html"), "utf8").replace(/<[^>]*>/g, "");
  expect(html).toContain(`${n} of 102 recorded forks, chosen by -C 0,2-3 --comm nobody,w5burst.`);
  for (const form of ["--text", "--markdown"]) {
    const { stdout } = forkcast(["report", "comm", form], { cwd });
    expect(stdout.replace(/\s+/g, " ")).toContain(`${n} of 102 recorded forks, chosen by`);
  }
});

/** Forks of a process and of what it forked, from the text of the trace alone. */
async function family(root: number): Promise<Set<number>> {
  const parts: Uint8Array[] = [];
  const decoder = new ZstdDecoder((bytes) => parts.push(bytes.slice()));
  await decoder.push(readFileSync(TRACE));
  await decoder.end();
  const members = new Set([root]);
  for (const [, parent, child] of Buffer.concat(parts)
    .toString("latin1")
    .matchAll(/sched_process_fork: .* pid=(\d+) child_comm=.* child_pid=(\d+)/g)) {
    if (members.has(Number(parent))) members.add(Number(child));
  }
  return members;
}

test("-p follows forks: children and theirs, of another name too", async () => {
  const rows = analyze("pid", "-p", "1828");
  const members = await family(1828);
  const n = expectRowsOf(rows, ({ tid }) => members.has(tid ?? -1));
  expect(n).toBeGreaterThan(90);
  expect(new Set(rows.forks.map(({ comm }) => comm))).toEqual(new Set(["bash", "w5burst"]));
  // This recording has no thread groups: what -p may miss is said.
  expect(summaryOf("pid").filter?.notes.join()).toMatch(/^-p: .*known only by their own id/);
});

test("--time: checks between two times, both inclusive, as explain prints them", () => {
  const [from, to] = [whole.forks[20]?.start_ns ?? 0n, whole.forks[30]?.start_ns ?? 0n];
  const seconds = (ns: bigint): string =>
    `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
  const range = `${seconds(from)},${seconds(to)}`;
  const { code, stdout } = forkcast(["explain", "whole", "--time", range], { cwd });
  const lines = stdout.trimEnd().split("\n");
  expect({ code, last: lines.at(-1) }).toEqual({ code: 0, last: "11 of 102 forks" });
  expect(lines.slice(1, -1).map((line) => Number(line.slice(0, 5)))).toEqual(
    [...Array(11).keys()].map((i) => i + 20),
  );
  for (const line of lines) expect(line.length).toBeLessThan(80);
  const open = forkcast(["explain", "whole", "--time", `${seconds(to)},`], { cwd });
  expect(open.stdout).toMatch(/\n72 of 102 forks\n$/);
});

test("report and query of a whole result take the same filters; the report says so, the tables stay", () => {
  const one = ["--comm", "labinit"];
  const count = "SELECT count(*) AS n, count(DISTINCT fork) AS forks FROM verdicts";
  const chosen = whole.forks.filter(({ comm }) => comm === "labinit").length;
  const query = forkcast(["query", "whole", count, "--format", "csv", ...one], { cwd });
  expect(query.stdout).toBe(`n,forks\n${chosen * 9},${chosen}\n`);
  const { stdout } = forkcast(["report", "whole", "--text", ...one], { cwd });
  expect(stdout).toContain(`${chosen} of 102 recorded forks, chosen by --comm labinit.`);
  expect(readRows(join(cwd, "whole"))).toEqual(whole);
});

test("nothing chosen is an answer, not an error; a filter that cannot be read is usage", () => {
  const { code, stdout } = forkcast(["report", "whole", "--text", "--comm", "nobody"], { cwd });
  expect({ code, text: stdout.replace(/\s+/g, " ") }).toMatchObject({
    code: 0,
    text: expect.stringContaining("None of the 102 recorded forks is what the filter asks for."),
  });
  for (const bad of [
    ["--time", "5"],
    ["--time", "9,5"],
    ["--time", ","],
    ["-C", "3-1"],
    ["-p", "bash"],
  ]) {
    expect(forkcast(["explain", "whole", ...bad], { cwd }).code, bad.join(" ")).toBe(2);
  }
  expect(forkcast(["explain", "whole", "3", "--comm", "x"], { cwd }).code).toBe(2);
});
