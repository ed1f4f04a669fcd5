// The figures: sums, denominators, three-valued claims, waits; every one by hand from the fixture.
import { expect, test } from "vitest";
import { claims } from "../../src/analyze/claims.ts";
import { compare } from "../../src/analyze/compare.ts";
import { renderComparison } from "../../src/analyze/compare-text.ts";
import { percent } from "../../src/analyze/figure-text.ts";
import type { PolicySummary } from "../../src/analyze/policy-summary.ts";
import { summarize } from "../../src/analyze/summary.ts";
import {
  type DenialRow,
  type GetCounts,
  newVerdictTables,
  POLICY_IDS,
} from "../../src/table/verdict-tables.ts";
import { nearestRank } from "../support/nearest-rank.ts";
import { emptyFixture, fixture, forkRow } from "../support/verdict-fixture.ts";

function summaryOf({ tables, metas, infos }: ReturnType<typeof fixture>) {
  return summarize(tables, metas, infos);
}

test("decisions add up to the forks, verdicts to the fast ones", () => {
  const { forks, policies } = summaryOf(fixture());
  expect(Object.keys(policies)).toEqual([...POLICY_IDS]);
  for (const policy of Object.values(policies)) {
    expect(policy.fast + policy.slow + policy.indeterminate).toBe(forks.total);
    expect(policy.unsafe + policy.unsafe_indeterminate).toBeLessThanOrEqual(policy.fast);
    expect(Object.values(policy.evidence).reduce((sum, n) => sum + n)).toBe(forks.total);
  }
  expect(Object.values(forks.windows).reduce((sum, n) => sum + n)).toBe(forks.total);
  expect(Object.values(forks.exposure).reduce((sum, n) => sum + n)).toBe(forks.total);
});

test("one policy by hand", () => {
  const { policies } = summaryOf(fixture());
  const expected: Partial<PolicySummary> = {
    fast: 6,
    slow: 4,
    indeterminate: 2,
    unsafe: 2,
    unsafe_indeterminate: 1,
    denied_by: { threads: 2, "lazy-tlb": 2, khugepaged: 1 },
  };
  expect(policies["counts-unlocked"]).toMatchObject(expected);
});

test("waits: nearest rank over the known ones; a missing probe is not zero waits", () => {
  const { policies } = summaryOf(fixture());
  expect(policies["fork-lock"]!.blocked).toEqual({
    events: 3,
    total_ns: 127_000,
    p50_ns: 49_000,
    p99_ns: 78_000,
    max_ns: 78_000,
    unknown_waits: 1,
    reach_next_window: 0,
    forks: {
      events: 0,
      total_ns: 0,
      p50_ns: null,
      p99_ns: null,
      max_ns: null,
      unknown_waits: 0,
      new_ns: 0,
    },
  });
  expect(policies["get-task-mm"]!.blocked).toEqual({ not_evaluable: "get_task_mm" });
  expect(policies["users-only"]!.blocked).toMatchObject({ events: 0, total_ns: 0, p50_ns: null });
});

test("one trace that cannot tell makes the waits of all not evaluable", () => {
  const { tables, metas, infos } = fixture();
  const blind = { ...infos[0]!, blockedNeeds: { "fork-lock": "kthread_use_mm" } };
  const { policies } = summarize(tables, [...metas, ...metas], [...infos, blind]);
  expect(policies["fork-lock"]!.blocked).toEqual({ not_evaluable: "kthread_use_mm" });
});

test("waits for other reasons stand beside those for windows", () => {
  const { tables, metas, infos } = fixture();
  const base = { ...tables.blocks.row(3), policy: "mmap-lock" };
  tables.blocks.append({ ...base, cause: "writer-queue", wait_ns: 700n });
  tables.blocks.append({ ...base, cause: "unreleased-lock", wait_ns: null });
  tables.blocks.append({ ...base, cause: "fork-fork", wait_ns: 500n, new_ns: 20n });
  tables.blocks.append({ ...base, cause: "fork-fork", wait_ns: 600n, new_ns: null });
  const evaluable = { ...infos[0]!, queueNeeds: { "mmap-lock": null, "get-task-mm": "readers" } };
  const { policies } = summarize(tables, metas, [evaluable]);
  expect(policies["mmap-lock"]!.blocked).toMatchObject({
    events: 3,
    total_ns: 127_000,
    queue: { events: 1, total_ns: 700, max_ns: 700, perhaps: 1 },
    forks: { events: 2, total_ns: 1100, new_ns: null },
  });
  const blind = { ...evaluable, queueNeeds: { "mmap-lock": "mmap_lock_released" } };
  expect(summarize(tables, metas, [evaluable, blind]).policies["mmap-lock"]!.blocked).toMatchObject({
    events: 3,
    queue: { not_evaluable: "mmap_lock_released" },
  });
});

test("near misses: nearest rank over the windows that have one, closest first", () => {
  const { tables, metas, infos } = fixture();
  const { policies } = summarize(tables, metas, infos);
  expect(policies["counts-unlocked"]!.near_misses).toEqual({
    windows: 4,
    with_candidate: 3,
    min_ns: 2_500,
    p50_ns: 96_000,
    p99_ns: 410_000,
    closest: [
      { fork: 1, distance_ns: 2_500, side: "after", line: 16 },
      { fork: 3, distance_ns: 96_000, side: "after", line: 18 },
      { fork: 0, distance_ns: 410_000, side: "before", line: 15 },
    ],
    meaning: expect.stringContaining("how likely"),
  });
  expect(policies["fork-lock"]!.near_misses).toBeUndefined();
  const blind = { ...infos[0]!, nearMissNeeds: "kthread_use_mm" };
  expect(summarize(tables, metas, [blind]).policies["cpumask"]!.near_misses).toEqual({
    not_evaluable: "kthread_use_mm",
  });
});

test("agreement counts claims, not lower bounds", () => {
  expect(summaryOf(fixture()).agreement).toEqual({
    mm_users: { compared: 8, equal: 7, samples: 8, given: 8, at_least_above_truth: 0 },
    mm_count: { compared: 7, equal: 7, samples: 8, given: 7, at_least_above_truth: 1 },
    loaded_mm: { compared: 48, equal: 48 },
    cr3_loads: { compared: 0, equal: 0, events: 0, unexplained: 0, exiting: 0, borrowing: 0 },
  });
});

test("loads of CR3 are added up over the traces that record them", () => {
  const { tables, metas, infos } = fixture();
  const crLoads = { compared: 5, equal: 4, events: 7, unexplained: 1, exiting: 1, borrowing: 2 };
  const both = [{ ...infos[0]!, crLoads }, infos[0]!, { ...infos[0]!, crLoads }];
  expect(summarize(tables, metas, both).agreement.cr3_loads).toEqual({
    compared: 10,
    equal: 8,
    events: 14,
    unexplained: 2,
    exiting: 2,
    borrowing: 4,
  });
});

test("unknown number of lost events is null, never 0", () => {
  const { tables, metas, infos } = fixture();
  const lost = metas.map((meta) => ({ ...meta, lostEvents: -1 }));
  expect(summarize(tables, lost, infos).traces[0]!.lost_events).toBeNull();
});

test("no forks: no claim holds or fails", () => {
  const { claims: all, forks, policies } = summaryOf(emptyFixture());
  expect(forks.total).toBe(0);
  expect(all.map(({ verdict }) => verdict)).toEqual(all.map(() => "not-evaluable"));
  expect(all.every(({ needs }) => needs !== null)).toBe(true);
  expect(policies["fork-lock"]!.fast).toBe(0);
});

test("claims over the fixture", () => {
  const verdicts = Object.fromEntries(summaryOf(fixture()).claims.map(({ id, verdict }) => [id, verdict]));
  expect(verdicts).toEqual({
    "single-threaded-99": "fails",
    "count-commonly-1": "holds",
    "no-use-mm-during-fork": "fails",
    "fork-lock-never-contends": "fails",
    "mmap-lock-never-contends": "fails",
    "get-task-mm-never-diverts": "not-evaluable",
    "lazy-cpus-per-fork": "holds",
    // By hand from the fixture's GetCounts: 1 of 10 led on; 6 of 8 with a named caller, 2 unknown. It has no denials.
    "get-task-mm-no-switch-mm": "fails",
    "get-task-mm-mostly-proc": "holds",
    "idle-thread-spoils-count": "not-evaluable",
    "forker-leaves-lazy-cpus": "not-evaluable",
  });
});

function judge(id: string, cells: readonly Parameters<typeof forkRow>[1][], armed: readonly string[] = []) {
  const tables = newVerdictTables();
  for (const [fork, row] of cells.entries()) tables.forks.append(forkRow(fork, row));
  const infos = [{ ...fixture().infos[0]!, armed }];
  return claims(tables, {}, infos, "ns").find((claim) => claim.id === id)!;
}

const ONE = { mm_users: 1 };
const LOWER_BOUND = { mm_users: 1, mm_users_evidence: "at-least" };

test("a claim about all forks is decided only when the undecided could not turn it", () => {
  expect(judge("single-threaded-99", Array(100).fill(ONE))).toMatchObject({ verdict: "holds", figure: 1 });
  const oneUnknown = [...Array(99).fill(ONE), LOWER_BOUND];
  expect(judge("single-threaded-99", oneUnknown)).toMatchObject({ verdict: "holds", figure: 1 });
  const twoUnknown = [...Array(98).fill(ONE), LOWER_BOUND, LOWER_BOUND];
  expect(judge("single-threaded-99", twoUnknown)).toMatchObject({ verdict: "not-evaluable", figure: 1 });
  expect(judge("single-threaded-99", [LOWER_BOUND])).toMatchObject({
    verdict: "not-evaluable",
    figure: null,
  });
});

test("a lower bound above one decides against", () => {
  const threads = { mm_users: 2, mm_users_evidence: "at-least" };
  expect(judge("single-threaded-99", [threads])).toMatchObject({ verdict: "fails", figure: 0 });
});

test("silence of a probe that may not have been armed proves nothing", () => {
  expect(judge("no-use-mm-during-fork", [{}])).toMatchObject({
    verdict: "not-evaluable",
    needs: "kthread_use_mm",
  });
  expect(judge("no-use-mm-during-fork", [{}], ["kthread_use_mm"])).toMatchObject({
    verdict: "holds",
    figure: 0,
  });
  expect(judge("no-use-mm-during-fork", [{ exposure: "U7" }], ["kthread_use_mm"]).verdict).toBe(
    "not-evaluable",
  );
  expect(judge("lazy-cpus-per-fork", [{}]).verdict).toBe("not-evaluable");
  expect(judge("lazy-cpus-per-fork", [{}], ["switch_mm_irqs_off", "sched_switch"]).verdict).toBe("fails");
  expect(judge("lazy-cpus-per-fork", [{ lazy_cpus: 2 }, {}])).toMatchObject({ verdict: "holds", figure: 1 });
});

test("nearest rank", () => {
  expect([0, 0.5, 0.99, 1].map((q) => nearestRank([10, 20, 30, 40], q))).toEqual([10, 20, 40, 40]);
  expect(nearestRank([], 0.5)).toBeNull();
});

test("a share is 0.0 or 100.0 only when it is exactly that", () => {
  expect([percent(0, 9), percent(1, 99_999), percent(99_998, 99_999), percent(9, 9), percent(0, 0)]).toEqual([
    "0.0",
    "0.1",
    "99.9",
    "100.0",
    "-",
  ]);
});

test("a trace that counts ticks has no seconds in its claims and comparisons", () => {
  const { tables, metas, infos } = fixture();
  const start = tables.forks.get("start_ns", 7) ?? 0n;
  const lazy = {
    counter: "mm_count",
    cause: "lazy-tlb",
    refs: 1,
    basis: "held",
    evidence: "derived",
    cpu: 1,
  };
  const left = { tid: 5, comm: "a", left_by: "forker", since_ns: start - 7_000n, line: 3 };
  tables.denials.append({ fork: 7, ...lazy, ...left });
  const inTicks = summarize(tables, [{ ...metas[0]!, timeUnit: "ticks" }], infos);
  const inSeconds = summarize(tables, metas, infos);
  const wake = ({ claims: all }: typeof inTicks) =>
    all.find(({ id }) => id === "forker-leaves-lazy-cpus")?.detail;
  expect(wake(inTicks)).toMatch(/; lazy for 7,?000 ticks \(median\)$/);
  expect(wake(inSeconds)).toMatch(/; lazy for 7\.00 us \(median\)$/);
  const text = renderComparison(compare("a", inTicks, "b", inSeconds), inTicks, inSeconds);
  expect(text).toMatch(/^fork-lock +3, 49,?000 ticks, 78,?000 ticks +3, 49\.0 us, 78\.0 us$/m);
});

/** A claim over one fork whose mm_count rows are `denials`. */
function judgeDenials(id: string, denials: readonly Partial<DenialRow>[], evidence = "measured") {
  const tables = newVerdictTables();
  tables.forks.append(forkRow(0, { mm_count: 1 + denials.length, mm_count_evidence: evidence }));
  for (const cells of denials) {
    const held = { fork: 0, counter: "mm_count", cause: "lazy-tlb", refs: 1, basis: "held", evidence };
    const nobody = { cpu: null, tid: null, comm: null, left_by: null, since_ns: null, line: null };
    tables.denials.append({ ...held, ...nobody, ...cells });
  }
  return claims(tables, {}, fixture().infos, "ns").find((claim) => claim.id === id)!;
}

test("the idle thread spoils a count when nothing else holds the mm, and that is known", () => {
  const judgeIdle = (rows: readonly Partial<DenialRow>[], evidence?: string) =>
    judgeDenials("idle-thread-spoils-count", rows, evidence).verdict;
  expect(judgeIdle([{}, {}])).toBe("holds");
  expect(judgeIdle([{}, { cause: "khugepaged" }])).toBe("fails");
  expect(judgeIdle([{}, { cause: "unattributed", basis: null }])).toBe("not-evaluable");
  expect(judgeIdle([{}, { cause: "proc-fd", basis: "possible" }])).toBe("not-evaluable");
  expect(judgeIdle([{}], "at-least")).toBe("not-evaluable");
  expect(judgeIdle([{ cause: "ksm" }], "at-least")).toBe("fails");
});

test("a forker's wake: the lazy references its own runs left", () => {
  const found = judgeDenials("forker-leaves-lazy-cpus", [{ left_by: "forker" }, { left_by: "thread" }]);
  expect(found).toMatchObject({ verdict: "holds", figure: 1, evidence: "derived", who: "Linus Torvalds" });
  expect(found.detail).toContain("1 of 2 lazy references, in 1 of 1 fork");
  // Nobody left any, but sched_switch is not proven armed.
  expect(judgeDenials("forker-leaves-lazy-cpus", [{}]).verdict).toBe("not-evaluable");
});

test("no get leads to a use only where every put and use would show, and nothing was lost", () => {
  const [info] = fixture().infos;
  const judgeGets = (gets: Partial<GetCounts>, armed: readonly string[]) => {
    const none = { ...info!.gets, ledToUse: 0, handedOver: 0, example: null, ...gets };
    const all = claims(newVerdictTables(), {}, [{ ...info!, armed, gets: none }], "ns");
    return all.find(({ id }) => id === "get-task-mm-no-switch-mm")!.verdict;
  };
  const armed = ["kthread_use_mm", "mmput"];
  expect(judgeGets({}, armed)).toBe("holds");
  expect(judgeGets({ handedOver: 1 }, armed)).toBe("fails");
  expect(judgeGets({ gets: 0 }, armed)).toBe("not-evaluable");
  expect(judgeGets({ isWhole: false }, armed)).toBe("not-evaluable");
  expect(judgeGets({}, ["mmput"])).toBe("not-evaluable");
  expect(judgeGets({}, ["kthread_use_mm"])).toBe("not-evaluable");
});
