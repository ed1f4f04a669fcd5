// mm_users == 1 alone: blind to kthreads that borrow the mm without an mm_users reference (semantics §3.3).
import { all, is, type Policy, UNLOCKED } from "./policy.ts";

export const usersOnly: Policy = {
  ...UNLOCKED,
  id: "users-only",
  reads: ["users"],
  decide: (check) => all(is(check.users, 1)),
};
