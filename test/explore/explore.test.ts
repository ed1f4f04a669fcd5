// What the explorer finds, against what is known of each design (docs/explorer.md), and against the replay: a schedule
// written as a trace must be judged as the explorer judged it.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Bound, DEFAULT_BOUND, type ExploreAssumption } from "../../src/replay/explore/bound.ts";
import { type Exploration, explore } from "../../src/replay/explore/index.ts";
import { plainKey } from "../../src/replay/explore/key.ts";
import { search } from "../../src/replay/explore/search.ts";
import { ASSUMPTIONS } from "../../src/replay/index.ts";
import { POLICIES } from "../../src/replay/policies/index.ts";
import type { Policy } from "../../src/replay/policies/policy.ts";
import { judge } from "./judge.ts";

const PAGE = readFileSync(new URL("../../docs/explorer.md", import.meta.url), "utf8");

function policy(id: string): Policy {
  return POLICIES.find((p) => p.id === id)!;
}

const searches = new Map<string, Exploration>();

function found(id: string, change: Partial<Bound> = {}): Exploration {
  const bound = { ...DEFAULT_BOUND, ...change };
  const key = `${id} ${JSON.stringify(bound)}`;
  const known = searches.get(key) ?? explore(policy(id), bound);
  searches.set(key, known);
  return known;
}

function words(schedule: Exploration["unsafe"]): readonly string[] {
  const lines = schedule?.steps.map(({ cpu, task, what }) => `${cpu} ${task}: ${what}`) ?? [];
  return schedule === undefined ? [] : [...lines, `=> ${schedule.ends}`];
}

test.each(POLICIES.map(({ id }) => id))("%s within the default bound", (id) => {
  const { outcome, states, depth, deadlock, unsafe } = found(id);
  expect({ outcome, depth, deadlock, unsafe: words(unsafe) }).toMatchSnapshot();
  const result = unsafe === undefined ? outcome : `unsafe, ${unsafe.steps.length} steps`;
  expect(PAGE).toContain(`| \`${id}\` | – | ${result} | ${states} | ${depth} | `);
});

describe("what each design lets in (semantics of the 2023 thread)", () => {
  const outcomes = (change: Partial<Bound>): Record<string, string> =>
    Object.fromEntries(POLICIES.map(({ id }) => [id, found(id, change).outcome]));
  const allSafe = Object.fromEntries(POLICIES.map(({ id }) => [id, "safe"]));

  test("alone in its mm, a fork is safe under any", () => {
    expect(outcomes({ threads: 0, borrowers: 0, readers: 1, cpus: 3, tasks: 1 })).toEqual(allSafe);
  });

  test("threads and vfork children: only what does not read mm_users", () => {
    const unsafe = { ...allSafe, "mm-count-only": "unsafe", cpumask: "unsafe" };
    expect(outcomes({ borrowers: 0, readers: 0 })).toEqual(unsafe);
    expect(outcomes({ borrowers: 0, readers: 0, threads: 0, vforks: 1 })).toEqual(unsafe);
  });

  test("a borrower by a raw pointer: whatever does not hold up kthread_use_mm", () => {
    const safe = ["always-atomic", "fork-lock", "mmap-lock", "users-mmap-lock"];
    expect(outcomes({ threads: 0, readers: 0, kinds: ["raw"], borrowers: 2 })).toEqual(
      Object.fromEntries(POLICIES.map(({ id }) => [id, safe.includes(id) ? "safe" : "unsafe"])),
    );
  });

  test("counts-unlocked: the borrower starts after the check", () => {
    const steps = found("counts-unlocked").unsafe!.steps.map(({ what }) => what);
    const check = steps.findIndex((what) => what.includes("fast path"));
    expect(check).toBeGreaterThan(0);
    expect(steps.findIndex((what) => what.startsWith("kthread_use_mm"))).toBeGreaterThan(check);
  });

  test("get-task-mm and a borrower by get_task_mm(): the two ways past the diversion, and no third", () => {
    const by = (...assume: readonly ExploreAssumption[]): Exploration =>
      found("get-task-mm", { kinds: ["get"], readers: 1, borrowers: 2, assume });
    expect(words(by("copy-stays-on-cpu").unsafe)).toMatchSnapshot(
      "tested before the lock, taken after the check",
    );
    expect(words(by("atomic-get").unsafe)).toMatchSnapshot("the sleeping forker's own lazy reference");
    expect(by("atomic-get", "copy-stays-on-cpu").outcome).toBe("safe");
  });

  test("if lazy CPUs set dirty bits, the forker's own trail is enough", () => {
    const { "always-atomic": baseline, ...others } = outcomes({
      threads: 0,
      borrowers: 0,
      readers: 0,
      assume: ["lazy-sets-dirty"],
    });
    expect(baseline).toBe("safe");
    expect(new Set(Object.values(others))).toEqual(new Set(["unsafe"]));
  });

  test("on PREEMPT_RT one CPU is enough", () => {
    const one: Partial<Bound> = { cpus: 1, readers: 0 };
    expect(outcomes(one)).toEqual(allSafe);
    expect(outcomes({ ...one, assume: ["preempt-rt"] })).toEqual(outcomes({ readers: 0 }));
  });

  test("a borrower that holds mmap_lock: the designs that make kthread_use_mm wait can deadlock", () => {
    const deadlocks = POLICIES.filter(
      ({ id }) => found(id, { kinds: ["locked"], readers: 0 }).deadlock !== undefined,
    );
    expect(deadlocks.map(({ id }) => id)).toEqual(["fork-lock", "mmap-lock", "users-mmap-lock"]);
    expect(words(found("mmap-lock", { kinds: ["locked"], readers: 0 }).deadlock)).toMatchSnapshot();
  });
});

describe("a schedule is judged alike by the explorer and, as a trace, by the replay", () => {
  const bounds: readonly (readonly [string, Partial<Bound>])[] = [
    ["default", {}],
    ["three CPUs", { cpus: 3, readers: 0 }],
    ["raw borrowers", { threads: 0, kinds: ["raw"], borrowers: 2, readers: 0 }],
    ["borrowers with get_task_mm", { threads: 0, kinds: ["get"], borrowers: 2, readers: 0 }],
    ["vfork child", { threads: 0, vforks: 1, readers: 0, tasks: 1 }],
    ["lazy CPUs set dirty bits", { borrowers: 0, readers: 0, assume: ["lazy-sets-dirty"] }],
    ["lazy CPUs set dirty bits, borrowers", { threads: 0, readers: 0, assume: ["lazy-sets-dirty"] }],
    ["PREEMPT_RT, one CPU", { cpus: 1, readers: 0, assume: ["preempt-rt"] }],
    ["PREEMPT_RT, vfork child", { cpus: 1, threads: 0, vforks: 1, readers: 0, assume: ["preempt-rt"] }],
    ["PREEMPT_RT", { readers: 0, assume: ["preempt-rt"] }],
    ["both", { readers: 0, assume: ["preempt-rt", "lazy-sets-dirty"] }],
    ["a copy that stays on its CPU", { kinds: ["get"], readers: 0, assume: ["copy-stays-on-cpu"] }],
  ];
  const known: readonly string[] = ASSUMPTIONS;
  test.each(bounds)("%s", { timeout: 120_000 }, async (_, change) => {
    const assume = (change.assume ?? []).filter((name) => known.includes(name));
    for (const { id } of POLICIES) {
      const { outcome, unsafe } = found(id, change);
      if (unsafe === undefined) {
        expect([id, outcome]).toEqual([id, "safe"]);
        continue;
      }
      const judged = await judge(unsafe.trace, id, assume);
      expect([id, judged]).toEqual([id, { forks: 1, decision: "fast", verdict: "unsafe", problems: [] }]);
    }
  });
});

test("a schedule that needs get_task_mm to be one step: no trace shows that, so analyze cannot tell, and says so", async () => {
  const { outcome, unsafe } = found("get-task-mm", { kinds: ["get"], readers: 0, assume: ["atomic-get"] });
  expect(outcome).toBe("unsafe");
  const judged = await judge(unsafe?.trace ?? "", "get-task-mm");
  expect(judged).toMatchObject({ forks: 1, decision: "fast", verdict: "indeterminate" });
});

describe("the explorer notices a broken design", () => {
  const { keepsOut } = policy("fork-lock");
  const broken: readonly (readonly [string, Policy])[] = [
    [
      "fork-lock that kthread_use_mm does not take",
      { ...policy("fork-lock"), serialises: ["kthread_unuse_mm"] },
    ],
    ["mmap-lock that kthread_use_mm does not take", { ...policy("mmap-lock"), serialises: [] }],
    ["mmap-lock held only on the fast path: no harm", { ...policy("mmap-lock"), waitsOnlyWhenFast: true }],
    [
      "users-mmap-lock without the borrower's mm_users",
      { ...policy("users-mmap-lock"), decide: policy("users-only").decide },
    ],
    ["mmap-lock checked before the lock", { ...policy("mmap-lock"), holds: "nothing", keepsOut }],
  ];
  test("and says where it breaks", () => {
    const results = broken.map(([what, design]) => {
      const { outcome, unsafe } = explore(design, { ...DEFAULT_BOUND, threads: 0, readers: 0 });
      return [what, outcome, ...words(unsafe)];
    });
    expect(results).toMatchSnapshot();
  });
});

test("a search cut short claims nothing", () => {
  const { outcome, unsafe, states } = explore(policy("fork-lock"), DEFAULT_BOUND, 500);
  expect({ outcome, unsafe, states }).toEqual({ outcome: "undecided", unsafe: undefined, states: 500 });
});

describe("leaving the symmetry out changes no answer, and no shortest schedule's length", () => {
  const bounds: readonly (readonly [string, Partial<Bound>])[] = [
    ["two threads", { threads: 2, kinds: ["raw"], borrowers: 1, readers: 0 }],
    ["two borrowers, three CPUs", { cpus: 3, threads: 0, kinds: ["raw"], borrowers: 2, readers: 0 }],
    ["lazy CPUs set dirty bits", { threads: 2, borrowers: 0, readers: 0, assume: ["lazy-sets-dirty"] }],
    ["PREEMPT_RT", { threads: 2, borrowers: 0, readers: 0, assume: ["preempt-rt"] }],
  ];
  test.each(bounds)("%s", { timeout: 120_000 }, (_, change) => {
    const bound: Bound = { ...DEFAULT_BOUND, ...change };
    for (const design of POLICIES) {
      const reduced = search(bound, design, { maxStates: 1e6 });
      const plain = search(bound, design, { maxStates: 1e6, keyOf: plainKey });
      const told = (f: typeof plain): unknown => [
        design.id,
        f.isComplete,
        f.unsafe?.steps.length,
        f.deadlock?.steps.length,
      ];
      expect(told(reduced)).toEqual(told(plain));
      expect(reduced.states).toBeLessThan(plain.states);
      if (plain.isComplete) expect(reduced.states * 1.5).toBeLessThan(plain.states);
    }
  });
});
