// Calls that some design would make wait: noted with what they met, judged by blocks.ts when the trace is over.
import type { Call } from "./attempt.ts";
import type { Diverted } from "./exposures.ts";
import type { Lowering } from "./lowering.ts";
import type { Serialised } from "./policies/policy.ts";

/**
 * `task` calls a function that some design serialises, on `life`. Kept when a fork of that mm is under way, or, for
 * kthread_use_mm, when the mm's mmap_lock is held for write. `diverts`: for get_task_mm and mm_access.
 */
export function noteCall(
  r: Lowering,
  life: number,
  kind: Serialised,
  task: number,
  comm: number,
  diverts: Diverted = "yes",
): void {
  const { world, windows, locks } = r;
  const tid = world.tasks.pid[task]!;
  const forks = windows.open.filter((attempt) => attempt.life === life && attempt.task !== task);
  const isUse = kind === "kthread_use_mm";
  const hold = isUse || forks.length > 0 ? locks.holdOf(life) : undefined;
  const strays = isUse && hold === undefined ? locks.strays(life) : [];
  if (forks.length === 0 && hold === undefined && strays.length === 0) return;
  const call: Call = {
    life,
    kind,
    tid,
    comm,
    at: world.ns,
    seq: world.seq,
    line: world.line,
    diverts,
    run: r.uses.run(task),
    hold,
    ahead: locks.waiting(life),
    strays,
  };
  for (const attempt of forks) attempt.blocked.push(call);
  if (isUse && (hold !== undefined || strays.length > 0)) windows.queued.push(call);
}
