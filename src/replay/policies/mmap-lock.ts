// Torvalds, 16 May 2023: no new lock; both counts read under the mmap write lock that dup_mmap() holds anyway, and
// kthread_use_mm() takes mmap_read_lock() around its mmgrab().
import { all, is, type Policy } from "./policy.ts";

export const mmapLock: Policy = {
  id: "mmap-lock",
  reads: ["users", "count"],
  decide: (check) => all(is(check.users, 1), is(check.count, 1)),
  serialises: ["kthread_use_mm"],
  holds: "mmap_lock",
  waitsOnlyWhenFast: false,
  keepsOut: (entry) => entry.borrowedInside,
};
