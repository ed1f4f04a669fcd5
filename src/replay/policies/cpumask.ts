// Only the forker's CPU in mm_cpumask. Nothing stops a sleeping thread from being switched in inside the window.
// Up to 6.13 a bit is cleared when the CPU switches to another user mm, later only by a flush (semantics §2.2).
import { all, is, type Policy, UNLOCKED } from "./policy.ts";

export const cpumask: Policy = {
  ...UNLOCKED,
  id: "cpumask",
  reads: ["cpumask"],
  decide: (check) => all(is(check.otherCpus, 0)),
};
