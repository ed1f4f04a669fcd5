// The nine designs in report order.
import { alwaysAtomic } from "./always-atomic.ts";
import { countsUnlocked } from "./counts-unlocked.ts";
import { cpumask } from "./cpumask.ts";
import { forkLock } from "./fork-lock.ts";
import { getTaskMm } from "./get-task-mm.ts";
import { mmCountOnly } from "./mm-count-only.ts";
import { mmapLock } from "./mmap-lock.ts";
import type { Policy } from "./policy.ts";
import { usersMmapLock } from "./users-mmap-lock.ts";
import { usersOnly } from "./users-only.ts";

export const POLICIES: readonly Policy[] = [
  alwaysAtomic,
  mmCountOnly,
  countsUnlocked,
  usersOnly,
  getTaskMm,
  forkLock,
  mmapLock,
  usersMmapLock,
  cpumask,
];
