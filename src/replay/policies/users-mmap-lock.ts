// Our counterfactual: as mmap-lock, but kthread_use_mm() also raises mm_users, so mm_count need not be read: lazy
// TLB, khugepaged and /proc files no longer deny.
import { all, is, type Policy } from "./policy.ts";

export const usersMmapLock: Policy = {
  id: "users-mmap-lock",
  reads: ["users", "borrowers"],
  decide: (check) => all(is(check.users, 1), is(check.borrowers, 0)),
  serialises: ["kthread_use_mm"],
  holds: "mmap_lock",
  waitsOnlyWhenFast: false,
  keepsOut: (entry) => entry.borrowedInside,
};
