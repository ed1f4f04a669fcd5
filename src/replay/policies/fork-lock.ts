// Torvalds, 15 May 2023: mm->fork_lock held over copy_mm(); kthread_use_mm() and kthread_unuse_mm() take it, and
// raise and lower mm_users under it.
import { all, is, type Policy } from "./policy.ts";

export const forkLock: Policy = {
  id: "fork-lock",
  reads: ["users", "count", "borrowers"],
  decide: (check) => all(is(check.users, 1), is(check.count, 1), is(check.borrowers, 0)),
  serialises: ["kthread_use_mm", "kthread_unuse_mm"],
  holds: "copy_mm",
  waitsOnlyWhenFast: false,
  keepsOut: (entry) => entry.borrowedInside,
};
