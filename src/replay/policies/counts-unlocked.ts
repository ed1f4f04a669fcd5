// Torvalds, 12 May 2023: both counts must be 1, read before copy_mm() without any lock.
import { all, is, type Policy, UNLOCKED } from "./policy.ts";

export const countsUnlocked: Policy = {
  ...UNLOCKED,
  id: "counts-unlocked",
  reads: ["users", "count"],
  decide: (check) => all(is(check.users, 1), is(check.count, 1)),
};
