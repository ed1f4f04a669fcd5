// Torvalds, 8 May 2023, taken literally: "count == 1". Threads raise mm_users, not mm_count, so a multi-threaded
// fork passes: the negative control.
import { all, is, type Policy, UNLOCKED } from "./policy.ts";

export const mmCountOnly: Policy = {
  ...UNLOCKED,
  id: "mm-count-only",
  reads: ["count"],
  decide: (check) => all(is(check.count, 1)),
};
