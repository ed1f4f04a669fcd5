// Random schedules of the bounded system, written as traces, through ingest and replay: what the system did and what the
// replay says it did.
import { expect, test } from "vitest";
import { type Bound, DEFAULT_BOUND } from "../../src/replay/explore/bound.ts";
import { record } from "../../src/replay/explore/index.ts";
import { POLICIES } from "../../src/replay/policies/index.ts";
import type { Policy } from "../../src/replay/policies/policy.ts";
import { judge } from "./judge.ts";
import { randomWalk } from "./random-schedule.ts";

const SEEDS = 150;
const BOUND: Bound = { ...DEFAULT_BOUND, cpus: 3, threads: 2, vforks: 1, borrowers: 2, tasks: 1 };

/** What is wrong with the replay's judgement of a walk; undefined: nothing, null: not comparable. */
async function disagreement(policy: Policy, seed: number): Promise<unknown> {
  const walk = randomWalk(BOUND, policy, seed);
  if (!walk.isForked) return null;
  const { decision, verdict, problems } = await judge(record(BOUND, policy, walk.path).trace, policy.id);
  // A load or a lazy reference announced by a CPU's last event may or may not have happened, and where a kernel thread is
  // inside kthread_use_mm() no event shows: there the replay may abstain.
  const mayAbstain = ["cpumask", "get-task-mm", "users-mmap-lock"].includes(policy.id);
  if (mayAbstain && (verdict === "indeterminate" || walk.isHalfBorrowed)) return null;
  const expected = walk.isFast ? ["fast", walk.isExposed ? "unsafe" : "safe"] : ["slow", null];
  const isRight = problems.length === 0 && decision === expected[0] && verdict === expected[1];
  return isRight ? undefined : { seed, expected, decision, verdict, problems };
}

test.each(POLICIES)("$id", async (policy) => {
  const results: unknown[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) results.push(await disagreement(policy, seed));
  const compared = results.filter((result) => result !== null);
  expect(compared.filter((result) => result !== undefined)).toEqual([]);
  expect(compared.length).toBeGreaterThan(SEEDS / 4);
});
