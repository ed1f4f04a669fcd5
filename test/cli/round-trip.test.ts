// A result directory read again: report DIR is the report that analyze wrote, whose self-check against CR3 says what
// summary.json says; a directory of another version of forkcast is one clear line.
import { copyFileSync, cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

const STOCK = "6.12/W6.ftrace.stock-hashed.txt.zst";
const base = scratch();
const dirs = new Map<string, string>();

function analyzed(name: string): string {
  const known = dirs.get(name);
  if (known !== undefined) return known;
  const dir = join(base, `r${dirs.size}`);
  expect(forkcast(["analyze", recording(name), "-o", dir]).code).toBe(0);
  dirs.set(name, dir);
  return dir;
}

test.each([STOCK, "6.1/W5n.ftrace.txt.zst"])("%s", (name) => {
  const dir = analyzed(name);
  const written = readFileSync(join(dir, "report.html"), "utf8");
  const out = join(base, "again.html");
  expect(forkcast(["report", dir, "-o", out]).code).toBe(0);
  expect(readFileSync(out, "utf8")).toBe(written);
});

test("the page, the text and the Markdown say of CR3 loads what summary.json says", () => {
  const dir = analyzed(STOCK);
  const { agreement } = JSON.parse(readFileSync(join(dir, "summary.json"), "utf8")) as Summary;
  const loads = agreement.cr3_loads;
  expect(loads.compared).toBeGreaterThan(1000);
  const page = readFileSync(join(dir, "report.html"), "utf8");
  for (const name of ["compared", "equal", "events", "unexplained", "exiting"] as const) {
    const marks = [
      ...page.matchAll(new RegExp(`data-figure="agreement/cr3_loads/${name}" value="(\\d+)"`, "g")),
    ];
    expect([name, marks.length > 0]).toEqual([name, true]);
    for (const [, value] of marks) expect([name, Number(value)]).toEqual([name, loads[name]]);
  }
  const digits = (n: number): string => n.toLocaleString("en-US");
  const sentence =
    `Loads of CR3 against tlb_flush: ${digits(loads.equal)} of ${digits(loads.compared)} have their event ` +
    `(${digits(loads.exiting)} of the others are of tasks past exit_mm); of ${digits(loads.events)} events ${loads.unexplained} are unexplained.`;
  for (const form of ["--text", "--markdown"]) {
    const { stdout } = forkcast(["report", dir, form]);
    expect(stdout.replace(/\\_/g, "_").replace(/\s+/g, " ")).toContain(sentence);
  }
});

test("a directory without a table that this version writes is one line, exit 3", () => {
  const old = join(base, "old");
  cpSync(analyzed(STOCK), old, { recursive: true });
  rmSync(join(old, "tables", "near_misses.arrow"));
  const without = forkcast(["report", old]);
  expect(without).toMatchObject({ code: 3, stdout: "" });
  expect(without.stderr).toMatch(
    /^error: \S+\/old: no tables\/near_misses\.arrow: written by another version of forkcast; analyze the trace again\n$/,
  );
  copyFileSync(join(old, "tables", "forks.arrow"), join(old, "tables", "near_misses.arrow"));
  const other = forkcast(["explain", old, "0"]);
  expect(other).toMatchObject({ code: 3, stdout: "" });
  expect(other.stderr.trimEnd().split("\n").length).toBe(1);
  expect(other.stderr).toContain("not a table of this version of forkcast, analyze the trace again: ");
});
