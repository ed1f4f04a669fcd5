// Hansen's patch, 15 May 2023: both counts 1 under the mmap write lock; get_task_mm() of such an mm waits for the
// lock. kthread_use_mm() itself is not touched: a borrower that got its reference elsewhere enters.
import { all, is, type Policy } from "./policy.ts";

export const getTaskMm: Policy = {
  id: "get-task-mm",
  reads: ["users", "count"],
  decide: (check) => all(is(check.users, 1), is(check.count, 1)),
  serialises: ["get_task_mm", "mm_access"],
  holds: "mmap_lock",
  waitsOnlyWhenFast: true,
  keepsOut: (entry) => entry.gotInside,
};
