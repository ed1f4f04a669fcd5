// What a locking design is, for the replay and for anything else that runs one: what it reads at the check, when it
// takes the fast path, and whom it makes wait. One file a design beside this one; sources: house.md §5, semantics §6.
import type { Decision, DenialCause } from "../../table/verdict-tables.ts";

/** A value at the check: exact, or a lower bound. */
export interface Counted {
  readonly value: number;
  readonly exact: boolean;
}

/** What a design can read at its check, of the mm that is forked. */
export interface Check {
  /** mm_users and mm_count, both >= 1. */
  readonly users: Counted;
  readonly count: Counted;
  /** kthreads inside kthread_use_mm() on this mm. */
  readonly borrowers: Counted;
  /** CPUs other than the forker's in mm_cpumask. */
  readonly otherCpus: Counted;
}

/** What a design reads; decides which causes can deny it. */
export type Reads = "users" | "count" | "borrowers" | "cpumask";

/** How a task came to use the mm inside the window, all relative to the window. */
export interface Entry {
  /** Its kthread_use_mm() took effect after the design's serialisation began: called before, it would have waited. */
  readonly borrowedInside: boolean;
  /** The get_task_mm() it rests on was, and found both counts 1, so that the patch would have diverted it. */
  readonly gotInside: boolean;
}

export type Serialised = "kthread_use_mm" | "kthread_unuse_mm" | "get_task_mm" | "mm_access";

export interface Policy {
  readonly id: string;
  readonly reads: readonly Reads[];
  decide(check: Check): Decision;
  /** Functions that wait while the window is open. */
  readonly serialises: readonly Serialised[];
  /** "copy_mm": the lock is held around copy_mm(); "mmap_lock": from the write lock of dup_mmap() on. */
  readonly holds: "nothing" | "copy_mm" | "mmap_lock";
  /** Only while the fork is on its fast path (the 15 May patch's get_task_mm), or in every fork. */
  readonly waitsOnlyWhenFast: boolean;
  /** Would this design have kept the task out of the mm until the window's release? */
  keepsOut(entry: Entry): boolean;
}

/** Is the value n? "no" as soon as the lower bound is above it. */
export function is(counted: Counted, n: number): "yes" | "no" | "unknown" {
  if (counted.value > n) return "no";
  if (!counted.exact) return "unknown";
  return counted.value === n ? "yes" : "no";
}

/** fast when all hold, slow when one does not, else indeterminate. */
export function all(...conditions: readonly ("yes" | "no" | "unknown")[]): Decision {
  let decision: Decision = "fast";
  for (let i = 0; i < conditions.length; i++) {
    if (conditions[i] === "no") return "slow";
    if (conditions[i] === "unknown") decision = "indeterminate";
  }
  return decision;
}

/** A design that serialises nothing. */
export const UNLOCKED: Pick<Policy, "serialises" | "holds" | "waitsOnlyWhenFast" | "keepsOut"> = {
  serialises: [],
  holds: "nothing",
  waitsOnlyWhenFast: false,
  keepsOut: () => false,
};

export type { DenialCause };
