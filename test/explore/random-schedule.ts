// A random schedule of the bounded system, to its fork's end, and what the system itself says of it.
import { actorsOf, type Bound, rosters } from "../../src/replay/explore/bound.ts";
import type { Path } from "../../src/replay/explore/search.ts";
import { enabledSteps, type Step, take } from "../../src/replay/explore/steps.ts";
import { Path as CheckPath, FORKER, System } from "../../src/replay/explore/system.ts";
import type { Policy } from "../../src/replay/policies/policy.ts";
import { random } from "../oracle/kernel.ts";

export interface Walk {
  readonly path: Path;
  readonly isForked: boolean;
  readonly isFast: boolean;
  readonly isUnsafe: boolean;
}

/** Walks at random from one of the initial states, `seed` deciding which and where to. */
export function randomWalk(bound: Bound, policy: Policy, seed: number): Walk {
  const chance = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)]!;
  const roster = pick(rosters(bound, actorsOf(bound, policy.holds === "mmap_lock")));
  const system = new System(bound, policy, roster);
  const steps: Step[] = [];
  const enabled: Step[] = [];
  let isUnsafe = false;
  while (steps.length < 400 && system.next(FORKER) !== undefined) {
    if (enabledSteps(system, enabled) === 0) break;
    const step = pick(enabled);
    steps.push(step);
    take(system, step);
    isUnsafe ||= system.hazardCpu() >= 0;
  }
  const isForked = system.next(FORKER) === undefined;
  return { path: { roster, steps }, isForked, isFast: system.path === CheckPath.fast, isUnsafe };
}
