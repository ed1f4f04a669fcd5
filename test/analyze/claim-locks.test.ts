// What counts as contention of a design's lock: calls inside windows, behind other writers, forks behind forks.
import { expect, test } from "vitest";
import type { Policies } from "../../src/analyze/claim.ts";
import { neverBlocks } from "../../src/analyze/claim-locks.ts";
import { summarize } from "../../src/analyze/summary.ts";
import { fixture } from "../support/verdict-fixture.ts";

const { tables, metas, infos } = fixture();
const base = summarize(tables, metas, infos).policies["fork-lock"]!;
const NONE = { events: 0, total_ns: 0, p50_ns: null, p99_ns: null, max_ns: null };

function judge(blocked: object, scope?: "windows" | "lock"): unknown {
  const policies = {
    p: { ...base, indeterminate: 0, blocked: { ...NONE, ...blocked } },
  } as unknown as Policies;
  const { verdict, figure, evidence, needs } = neverBlocks(tables, policies, "p", scope);
  return { verdict, figure, evidence, needs };
}

test.each([
  ["nothing waits", {}, "holds", 0, "derived", null],
  ["a fork behind a fork", { forks: { ...NONE, events: 2 } }, "fails", 2, "derived", null],
  ["a writer", { queue: { ...NONE, events: 3, perhaps: 0 } }, "fails", 3, "derived", null],
  [
    "forks wait for mmap_lock as it is",
    { queue: { ...NONE, perhaps: 0 }, forks: { ...NONE, events: 2 } },
    "holds",
    0,
    "derived",
    null,
  ],
  [
    "a hidden release",
    { queue: { ...NONE, perhaps: 1 } },
    "not-evaluable",
    0,
    "at-least",
    "mmap_lock events without a filter: a downgrade hides a release",
  ],
  [
    "no mmap_lock events",
    { queue: { not_evaluable: "mmap_lock_released" } },
    "not-evaluable",
    0,
    "at-least",
    "mmap_lock_released",
  ],
  [
    "a window, and no mmap_lock events",
    { events: 1, queue: { not_evaluable: "mmap_lock_released" } },
    "fails",
    1,
    "at-least",
    null,
  ],
])("%s", (_, blocked, verdict, figure, evidence, needs) => {
  expect(judge(blocked)).toEqual({ verdict, figure, evidence, needs });
});

test("a claim of windows alone asks for nothing else", () => {
  expect(judge({ queue: { not_evaluable: "x" } }, "windows")).toMatchObject({ verdict: "holds" });
});
