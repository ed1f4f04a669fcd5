// The command explore as a user runs it, and what analyze says of the traces it writes.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { forkcast, scratch } from "../cli/run-cli.ts";

const dir = scratch();
const withoutTimes = (text: string): string => text.replace(/\d+\.\d s$/gm, "N s");

test("prints each policy's answer under 80 columns, and writes traces that analyze flags", () => {
  const out = join(dir, "schedules");
  const { code, stdout, stderr } = forkcast(["explore", "--readers", "0", "-o", out], { cwd: dir });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(withoutTimes(stdout).replaceAll(out, "OUT")).toMatchSnapshot();
  const unsafe = ["counts-unlocked", "cpumask", "get-task-mm", "mm-count-only", "users-only"];
  expect(readdirSync(out).sort()).toEqual(unsafe.map((id) => `${id}.trace.txt`));
  for (const id of unsafe) {
    const trace = join(out, `${id}.trace.txt`);
    const args = ["analyze", trace, "--policy", id, "--fail-on", "unsafe", "--json"];
    const analyzed = forkcast([...args, "-o", join(dir, "result")]);
    expect([id, analyzed.code]).toEqual([id, 1]);
    const { policies } = JSON.parse(analyzed.stdout) as Summary;
    expect([id, policies[id]?.unsafe]).toEqual([id, 1]);
  }
});

test("no line is wider than 79 columns", () => {
  const { stdout } = forkcast([
    ..."explore --threads 2 --borrowers 2 --readers 0 --borrower-kinds raw,locked --rt".split(" "),
  ]);
  expect(stdout).toContain("can deadlock");
  expect(stdout.split("\n").filter((line) => line.length > 79)).toEqual([]);
});

test("--json", () => {
  const { stdout } = forkcast("explore --policy cpumask,fork-lock --readers 0 --json".split(" "));
  const { bound, policies } = JSON.parse(stdout) as {
    readonly bound: unknown;
    readonly policies: readonly { readonly policy: string; readonly outcome: string }[];
  };
  expect(bound).toEqual({
    cpus: 2,
    threads: 1,
    vforks: 0,
    borrowers: 1,
    readers: 0,
    tasks: 0,
    assume: [],
    borrower_kinds: ["get", "raw"],
  });
  expect(policies.map(({ policy, outcome }) => [policy, outcome])).toEqual([
    ["fork-lock", "safe"],
    ["cpumask", "unsafe"],
  ]);
});

test.each([
  [["--cpus", "0"], "Expected a number from 1 to 4."],
  [["--policy", "none"], "Unknown policy"],
  [["--borrower-kinds", "raw,odd"], "Expected one or more of get, raw, locked."],
  [["--assume", "luck"], "Expected one of lazy-sets-dirty, preempt-rt, atomic-get, copy-stays-on-cpu."],
])("%j is a usage error", (args, message) => {
  const { code, stdout, stderr } = forkcast(["explore", ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
});
