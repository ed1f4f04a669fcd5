// A random schedule of the bounded system, to its fork's end, and what the system itself says of it.
import { actorsOf, type Bound, rosters } from "../../src/replay/explore/bound.ts";
import type { Path } from "../../src/replay/explore/search.ts";
import { enabledSteps, type Step, take } from "../../src/replay/explore/steps.ts";
import { Path as CheckPath, FORKED, FORKER, System } from "../../src/replay/explore/system.ts";
import type { Policy } from "../../src/replay/policies/policy.ts";
import { random } from "../oracle/kernel.ts";

export interface Walk {
  readonly path: Path;
  readonly isForked: boolean;
  readonly isFast: boolean;
  readonly isUnsafe: boolean;
  /** The mm was in use elsewhere some time between a fast check and the end of the flush, copying or not. */
  readonly isExposed: boolean;
  /** At the check a kernel thread was past its call of kthread_use_mm() and had not loaded the mm. */
  readonly isHalfBorrowed: boolean;
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
  let isExposed = false;
  let isHalfBorrowed = false;
  while (steps.length < 400 && system.next(FORKER) !== undefined) {
    if (enabledSteps(system, enabled) === 0) break;
    const step = pick(enabled);
    steps.push(step);
    const isChecked = system.path !== CheckPath.unchecked;
    take(system, step);
    if (!isChecked && system.path !== CheckPath.unchecked)
      isHalfBorrowed = system.world.mms.entering[FORKED]! > 0;
    isExposed ||= isUsedElsewhere(system);
    isUnsafe ||= system.hazardCpu() >= 0;
  }
  const isForked = system.next(FORKER) === undefined;
  const isFast = system.path === CheckPath.fast;
  return { path: { roster, steps }, isForked, isFast, isUnsafe, isExposed, isHalfBorrowed };
}

function isUsedElsewhere(s: System): boolean {
  const op = s.next(FORKER);
  if (s.path !== CheckPath.fast || op === "release" || op === undefined) return false;
  const { active, cur, length } = s.world.cpus;
  for (let cpu = 0; cpu < length; cpu++)
    if (active[cpu] === FORKED && cpu !== s.forkerCpu && cur[cpu] !== s.forkerTask) return true;
  return false;
}
