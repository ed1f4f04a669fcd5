// The same checks as traces.test.ts over a larger collection of recordings with truth files, when one lies beside
// the repository (../shared/traces). It is too large to be committed; without it these tests are skipped.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { forkcast, scratch } from "./run-cli.ts";

const ROOT = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const TRUTH = ".truth.csv";
const out = scratch();

/** X.truth.csv beside X.zst, in lab folders two levels deep. */
function recordings(): string[] {
  if (!existsSync(ROOT)) return [];
  return readdirSync(ROOT, { recursive: true, encoding: "utf8" })
    .filter((path) => path.startsWith("lab") && path.endsWith(TRUTH))
    .map((path) => path.slice(0, -TRUTH.length))
    .filter((path) => existsSync(join(ROOT, `${path}.zst`)))
    .sort();
}

/** Columns right of `comm`, counted from the end of the line: a task name may hold commas. */
function truthOf(path: string): { forks: number; fast: number; fastAndActive: number } {
  const [header = "", ...lines] = readFileSync(join(ROOT, path + TRUTH), "utf8")
    .trim()
    .split("\n");
  const names = header.split(",");
  const value = (line: string, name: string): string | undefined =>
    line.split(",").at(names.indexOf(name) - names.length);
  const fast = lines.filter((line) => value(line, "mm_users") === "1" && value(line, "mm_count") === "1");
  const active = fast.filter((line) => value(line, "other_cpu_active") === "1");
  return { forks: lines.length, fast: fast.length, fastAndActive: active.length };
}

const found = recordings();

describe.skipIf(found.length === 0)(`${found.length} recordings in ../shared/traces`, () => {
  test.each(found.length > 0 ? found : ["skipped: there is no such folder"])("%s", (path) => {
    const truth = truthOf(path);
    const { code, stdout } = forkcast([
      "analyze",
      join(ROOT, `${path}.zst`),
      "-o",
      join(out, "result"),
      "--json",
    ]);
    expect(code).toBe(0);
    const { forks, policies, agreement } = JSON.parse(stdout) as Summary;
    expect([agreement.mm_users.equal, agreement.mm_count.equal]).toEqual([
      agreement.mm_users.compared,
      agreement.mm_count.compared,
    ]);
    const policy = policies["counts-unlocked"];
    if (path.includes("stock")) {
      // The stock twin was switched on first: one fork more at most, and no borrower visible.
      expect(forks.total - truth.forks).toBeOneOf([0, 1]);
      expect(policy?.unsafe).toBe(0);
      return;
    }
    expect([forks.total, policy?.fast, policy?.unsafe_indeterminate]).toEqual([truth.forks, truth.fast, 0]);
    // The truth of 6.12 looks on until after the flush, where the window has ended.
    if (path.startsWith("lab612")) expect(policy?.unsafe).toBeLessThanOrEqual(truth.fastAndActive);
    else expect(policy?.unsafe).toBe(truth.fastAndActive);
  });
});
