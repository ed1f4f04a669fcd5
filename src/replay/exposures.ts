// Exposures (semantics §6.1): intervals inside a fork window in which a task other than the forker, on a CPU other
// than the forker's, has the forked mm in use. Policy-independent; policies judge them later. Fed by windows.ts.
import type { How } from "./model/model.ts";
import type { World } from "./model/world.ts";
import { ShareKind, TaskKind, UNKNOWN_LIFE } from "./model/world.ts";

export const ExposureClass = {
  U1: 0,
  U2: 1,
  U2b: 2,
  U3: 3,
  U3b: 4,
  U4: 5,
  U4b: 6,
  U5: 7,
  U6: 8,
  U7: 9,
} as const;
export type ExposureClass = (typeof ExposureClass)[keyof typeof ExposureClass];

/** unknown: a lazy reference was being taken or dropped at that instant. */
export type Diverted = "yes" | "no" | "unknown";

/** How the task came to use the mm. */
export interface WayIn {
  /** Sequence at which the borrower's kthread_use_mm on this mm took effect; -1 when it is no borrower. */
  readonly borrowSeq: number;
  /** Sequence of the task's get_task_mm on this mm; -1 none seen. */
  readonly getSeq: number;
  /** Perhaps it borrows by calls lost in a gap since the window's first check. */
  readonly perhapsLate: boolean;
  /** Would the 15 May patch have diverted that get: both counts were 1 then? */
  readonly diverted: Diverted;
}

export const NO_WAY_IN: WayIn = { borrowSeq: -1, getSeq: -1, perhapsLate: false, diverted: "no" };

/** One interval [start, end) on one CPU. `end` is NaN while open. */
export interface Exposure extends WayIn {
  readonly fork: number;
  class: ExposureClass;
  readonly cpu: number;
  readonly tid: number;
  readonly comm: number;
  start: number;
  end: number;
  readonly line: number;
}

/**
 * Class of an exposure of `life` by `task` in a window checked at sequence `checkSeq`, by how the CPU came to use the
 * mm. A borrower that borrowed inside the window stays U3 when it is preempted and switched in again.
 */
export function classify(
  world: World,
  task: number,
  life: number,
  checkSeq: number,
  how: How | "at-check",
): ExposureClass {
  const { tasks } = world;
  if (task >= 0 && tasks.share[task] === ShareKind.vfork) return ExposureClass.U5;
  if (how === "at-check") return ExposureClass.U1;
  const isKthread = task >= 0 && tasks.kind[task] === TaskKind.kernel;
  if (how === "borrowed" || (isKthread && borrowSeq(world, task, life) > checkSeq)) return ExposureClass.U3;
  if (isKthread) return ExposureClass.U3b;
  return how === "resumed" ? ExposureClass.U2b : ExposureClass.U2;
}

const NOT_YET = Number.MAX_SAFE_INTEGER;

/** Sequence at which `task` borrowed `life`: -1 when it is no borrower, NOT_YET when its call has not taken effect. */
export function borrowSeq(world: World, task: number, life: number): number {
  const { tasks } = world;
  if (tasks.borrowed[task] === life) return tasks.borrowSeq[task]!;
  return tasks.entering[task] === life ? NOT_YET : -1;
}

/**
 * May `cpu`, which uses `active`, be using `life`, though nothing says so? A task in its exit may have its own mm still, and has no
 * other.
 */
export function mayBeUsing(world: World, life: number, cpu: number, active: number): boolean {
  const { tasks, cpus } = world;
  const cur = cpus.cur[cpu]!;
  if (active === UNKNOWN_LIFE && cur >= 0 && tasks.exiting[cur]! >= 0)
    return world.mayBeSame(life, tasks.mm[cur]!);
  return active < 0 ? active === UNKNOWN_LIFE : active !== life && world.mayBeSame(life, active);
}

/**
 * What of the exposures is certain in a window that a gap touches, which began at `gapAt`: what came before it. The task may have ended
 * its fork and begun the next one unseen, and the CPU's task may have left the mm.
 */
export function beforeGap(list: readonly Exposure[], gapAt: number): readonly Exposure[] {
  if (gapAt === Number.POSITIVE_INFINITY) return list;
  return list.filter((e) => e.start < gapAt).map((e) => (e.end > gapAt ? { ...e, end: gapAt } : e));
}

/** Nanoseconds covered by the union of the exposures' intervals. */
export function coveredNs(list: readonly Exposure[]): number {
  const sorted = [...list].sort((a, b) => a.start - b.start);
  let total = 0;
  let reach = Number.NEGATIVE_INFINITY;
  for (const e of sorted) {
    const from = Math.max(e.start, reach);
    if (e.end > from) total += e.end - from;
    reach = Math.max(reach, e.end);
  }
  return total;
}
