// forkcast compare and its intervals: against published values, against the summaries, below 80 columns.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Comparison } from "../../src/analyze/compare.ts";
import { newcombe, wilson } from "../../src/analyze/intervals.ts";
import { hasControls, hostileTrace } from "./hostile-trace.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

const round = (n: number | null): number => Math.round((n ?? Number.NaN) * 1e4) / 1e4;

test("Wilson's and Newcombe's intervals are the published ones", () => {
  // Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
  for (const [n, of, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const interval = wilson(n, of);
    expect([round(interval.low), round(interval.high)]).toEqual([low, high]);
  }
  // Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10: p1 - p2.
  for (const [a, m, b, n, low, high] of [
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [6, 7, 2, 7, 0.0582, 0.8062],
    [5, 56, 0, 29, -0.0381, 0.1926],
    [0, 10, 0, 20, -0.1611, 0.2775],
    [10, 10, 0, 20, 0.6791, 1],
  ] as const) {
    const interval = newcombe(wilson(b, n), wilson(a, m));
    expect([round(interval.low), round(interval.high)]).toEqual([low, high]);
  }
});

test("intervals hold their share, stay inside [0, 1] and mirror", () => {
  const counts = fc
    .tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 5000 }))
    .map(([of, n]) => [Math.min(n, of), of] as const);
  fc.assert(
    fc.property(counts, counts, ([n, of], [k, m]) => {
      const a = wilson(n, of);
      const b = wilson(k, m);
      expect(a.low!).toBeLessThanOrEqual(a.share!);
      expect(a.high!).toBeGreaterThanOrEqual(a.share!);
      expect(a.low!).toBeGreaterThanOrEqual(0);
      expect(a.high!).toBeLessThanOrEqual(1);
      const there = newcombe(a, b);
      const back = newcombe(b, a);
      expect(there.low!).toBeCloseTo(-back.high!, 12);
      expect(there.low!).toBeLessThanOrEqual(there.difference!);
      expect(there.high!).toBeGreaterThanOrEqual(there.difference!);
    }),
  );
});

const cwd = scratch();
const analyze = (trace: string, dir: string): void => {
  expect(forkcast(["analyze", trace, "-o", dir], { cwd }).code).toBe(0);
};

test("two kernels: what differs, and what may not be compared", () => {
  analyze(recording("6.1/W5.trace-cmd.txt.zst"), "a");
  analyze(recording("6.12/W6.ftrace.stock-hashed.txt.zst"), "b");
  const { code, stdout, stderr } = forkcast(["compare", "a", "b"], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const text of stdout.split("\n")) expect(text.length).toBeLessThan(80);
  expect(stdout).toMatch(/^A {2}a: 102 forks\nB {2}b: /);
  expect(stdout).toMatch(/\ncounts-unlocked +87\.3 \[79\.4, 92\.4\]/);

  const comparison = JSON.parse(forkcast(["compare", "a", "b", "--json"], { cwd }).stdout) as Comparison;
  const about = comparison.not_comparable.map((caveat) => caveat.about);
  expect(about).toEqual(
    expect.arrayContaining(["CPUs", "mm_users evidence", "mm_count evidence", "not recorded"]),
  );
  const { fast, unsafe, waits } = comparison.policies["counts-unlocked"]!;
  expect(fast.a).toMatchObject({ n: 89, of: 102 });
  expect(unsafe.a).toMatchObject({ n: 11, of: 89 });
  expect(waits.a).toMatchObject({ events: 0 });
  expect(comparison.policies["fork-lock"]!.waits.b).toHaveProperty("not_evaluable");
});

test("a result against itself has nothing to warn of and differences around 0", () => {
  const { stdout } = forkcast(["compare", "a", "a", "--json"], { cwd });
  const comparison = JSON.parse(stdout) as Comparison;
  expect(comparison.not_comparable.map(({ about }) => about)).toEqual(["undecided forks"]);
  for (const { fast } of Object.values(comparison.policies)) {
    expect(fast.difference.difference).toBe(0);
    expect(fast.difference.low! + fast.difference.high!).toBeCloseTo(0, 12);
  }
});

test("a hostile path stays text; no result is 3", () => {
  writeFileSync(join(cwd, "hostile.txt"), hostileTrace());
  const dir = "h\u001b[31m\u202e";
  analyze("hostile.txt", dir);
  const { code, stdout } = forkcast(["compare", dir, "a"], { cwd });
  expect(code).toBe(0);
  expect(hasControls(stdout)).toBe(false);
  const none = forkcast(["compare", "a", "nowhere"], { cwd });
  expect({ code: none.code, stdout: none.stdout }).toEqual({ code: 3, stdout: "" });
  expect(none.stderr).toMatch(/^error: nowhere\/tables\/forks\.arrow: [^\n]*\n$/);
});
