// The nine designs as tables: what each reads and when that makes it fast, what it serialises, whom it keeps out.
// The expected tables restate the designs, they are not read off the code.
import { describe, expect, test } from "vitest";
import { POLICIES } from "../../src/replay/index.ts";
import type { Check, Counted, Policy } from "../../src/replay/policies/policy.ts";
import { all, is } from "../../src/replay/policies/policy.ts";
import { POLICY_IDS, type PolicyId } from "../../src/table/verdict-tables.ts";

type Reading = keyof Check;

/** The values that must be seen for the fast path; null: never fast. */
const FAST_WHEN: Readonly<Record<PolicyId, Partial<Record<Reading, number>> | null>> = {
  "always-atomic": null,
  "mm-count-only": { count: 1 },
  "counts-unlocked": { users: 1, count: 1 },
  "users-only": { users: 1 },
  "get-task-mm": { users: 1, count: 1 },
  "fork-lock": { users: 1, count: 1, borrowers: 0 },
  "mmap-lock": { users: 1, count: 1 },
  "users-mmap-lock": { users: 1, borrowers: 0 },
  cpumask: { otherCpus: 0 },
};

function policyOf(id: PolicyId): Policy {
  return POLICIES.find((policy) => policy.id === id)!;
}

const exactly = (value: number): Counted => ({ value, exact: true });
const atLeast = (value: number): Counted => ({ value, exact: false });
const COUNTS = [exactly(1), atLeast(1), exactly(2), atLeast(2)];
const OTHERS = [exactly(0), atLeast(0), exactly(1), atLeast(1)];

const CHECKS: readonly Check[] = COUNTS.flatMap((users) =>
  COUNTS.flatMap((count) =>
    OTHERS.flatMap((borrowers) => OTHERS.map((otherCpus) => ({ users, count, borrowers, otherCpus }))),
  ),
);

/** "slow" as soon as one value is above what it must be, "fast" when all are exactly that, else nobody knows. */
function expected(id: PolicyId, check: Check): string {
  const when = FAST_WHEN[id];
  if (when === null) return "slow";
  const read = Object.entries(when) as [Reading, number][];
  if (read.some(([name, value]) => check[name].value > value)) return "slow";
  return read.every(([name]) => check[name].exact) ? "fast" : "indeterminate";
}

test("the designs are the nine of the interface, in report order", () => {
  expect(POLICIES.map(({ id }) => id)).toEqual([...POLICY_IDS]);
});

describe.each(POLICY_IDS)("%s", (id) => {
  test(`decides by what it reads, over ${CHECKS.length} checks`, () => {
    const { decide } = policyOf(id);
    expect(CHECKS.filter((check) => decide(check) !== expected(id, check))).toEqual([]);
  });

  test("names as read exactly what its decision depends on", () => {
    const names: Record<Reading, string> = {
      users: "users",
      count: "count",
      borrowers: "borrowers",
      otherCpus: "cpumask",
    };
    const read = Object.keys(FAST_WHEN[id] ?? {}).map((name) => names[name as Reading]);
    expect([...policyOf(id).reads].sort()).toEqual(read.sort());
  });
});

test("threads and borrowers: who sees them", () => {
  const one = { users: exactly(1), count: exactly(1), borrowers: exactly(0), otherCpus: exactly(0) };
  const decisions = (check: Check): Record<string, string> =>
    Object.fromEntries(POLICIES.map((policy) => [policy.id, policy.decide(check)]));
  expect(decisions(one)).toEqual({
    "always-atomic": "slow",
    "mm-count-only": "fast",
    "counts-unlocked": "fast",
    "users-only": "fast",
    "get-task-mm": "fast",
    "fork-lock": "fast",
    "mmap-lock": "fast",
    "users-mmap-lock": "fast",
    cpumask: "fast",
  });
  const sleepingThread = { ...one, users: exactly(2) };
  expect(decisions(sleepingThread)).toMatchObject({ "mm-count-only": "fast", "users-only": "slow" });
  expect(decisions(sleepingThread)).toMatchObject({ "users-mmap-lock": "slow", cpumask: "fast" });
  const countOnlyBorrower = { ...one, count: exactly(2), borrowers: exactly(1), otherCpus: exactly(1) };
  expect(decisions(countOnlyBorrower)).toMatchObject({ "users-only": "fast", "counts-unlocked": "slow" });
  expect(decisions(countOnlyBorrower)).toMatchObject({ "users-mmap-lock": "slow", cpumask: "slow" });
  const lazyCpu = { ...one, count: exactly(2), otherCpus: exactly(1) };
  expect(decisions(lazyCpu)).toMatchObject({
    "mmap-lock": "slow",
    "users-mmap-lock": "fast",
    cpumask: "slow",
  });
});

/** Calls that wait while the window is open; what is held; whether only a fork on the fast path makes them wait. */
const SERIALISES: Readonly<Record<PolicyId, readonly [string, string, boolean]>> = {
  "always-atomic": ["", "nothing", false],
  "mm-count-only": ["", "nothing", false],
  "counts-unlocked": ["", "nothing", false],
  "users-only": ["", "nothing", false],
  "get-task-mm": ["get_task_mm mm_access", "mmap_lock", true],
  "fork-lock": ["kthread_use_mm kthread_unuse_mm", "copy_mm", false],
  "mmap-lock": ["kthread_use_mm", "mmap_lock", false],
  "users-mmap-lock": ["kthread_use_mm", "mmap_lock", false],
  cpumask: ["", "nothing", false],
};

/** Kept out of a window: [neither inside, borrowed inside, got inside, both]. */
const KEEPS_OUT: Readonly<Record<PolicyId, readonly [boolean, boolean, boolean, boolean]>> = {
  "always-atomic": [false, false, false, false],
  "mm-count-only": [false, false, false, false],
  "counts-unlocked": [false, false, false, false],
  "users-only": [false, false, false, false],
  "get-task-mm": [false, false, true, true],
  "fork-lock": [false, true, false, true],
  "mmap-lock": [false, true, false, true],
  "users-mmap-lock": [false, true, false, true],
  cpumask: [false, false, false, false],
};

test.each(POLICY_IDS)("%s: what waits, and who is kept out", (id) => {
  const { serialises, holds, waitsOnlyWhenFast, keepsOut } = policyOf(id);
  expect([serialises.join(" "), holds, waitsOnlyWhenFast]).toEqual(SERIALISES[id]);
  const entries = [
    { borrowedInside: false, gotInside: false },
    { borrowedInside: true, gotInside: false },
    { borrowedInside: false, gotInside: true },
    { borrowedInside: true, gotInside: true },
  ];
  expect(entries.map((entry) => keepsOut(entry))).toEqual(KEEPS_OUT[id]);
});

test("a lower bound above the value is a no, at the value it is unknown", () => {
  expect([exactly(1), atLeast(1), exactly(2), atLeast(2)].map((counted) => is(counted, 1))).toEqual([
    "yes",
    "unknown",
    "no",
    "no",
  ]);
  expect(is(exactly(0), 1)).toBe("no");
  expect(all()).toBe("fast");
  expect(all("yes", "unknown")).toBe("indeterminate");
  expect(all("unknown", "no")).toBe("slow");
});
