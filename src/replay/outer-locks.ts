// Write locks on an mm's mmap_lock taken by tasks with no fork under way: each may turn out to be dup_mmap()'s outer one, and the
// check of a fork. Kept by windows.ts, per task, with the counts of that instant.
import type { World } from "./model/world.ts";

/** The counts as the replay had them at one instant. */
export type Snapshot = readonly [usersLow: number, membersLow: number, countLow: number];

/** A write lock taken outside any known fork. */
export interface OuterLock {
  readonly label: number;
  readonly ns: number;
  readonly line: number;
  readonly seq: number;
  readonly row: Snapshot;
}

export class OuterLocks {
  readonly #world: World;
  /** By task: the lock it took last and has not released. */
  readonly #held = new Map<number, OuterLock>();

  constructor(world: World) {
    this.#world = world;
  }

  /** `task` has got the write lock on `label`; the lock on another mm that it holds already, if any: then this one is nested. */
  got(task: number, label: number): OuterLock | undefined {
    const held = this.#held.get(task);
    if (held !== undefined && held.label !== label) return held;
    const { tasks, seq, ns, line } = this.#world;
    this.#held.set(task, { label, ns, line, seq, row: this.#countsOf(tasks.mm[task]!) });
    return undefined;
  }

  released(task: number, label: number): void {
    if (this.#held.get(task)?.label === label) this.#held.delete(task);
  }

  /** Events were lost: a lock held before the gap may have been given back in it. */
  lose(): void {
    this.#held.clear();
  }

  /** A fork of the task is under way: what it holds is that fork's. */
  forget(task: number): void {
    this.#held.delete(task);
  }

  #countsOf(life: number): Snapshot {
    if (life < 0) return [1, 1, 1];
    const { mms, cpus } = this.#world;
    let lazy = 0;
    for (let c = 0; c < cpus.length; c++) if (cpus.lazy[c] === life && cpus.pendingGrab[c] !== life) lazy++;
    return [
      mms.sum[life]! - (mms.ambiguous[life]?.length ?? 0),
      mms.members[life]!,
      1 + lazy + mms.borrows[life]! + mms.khugepaged[life]!,
    ];
  }
}
