// The system that the explorer interleaves, as sizes and assumptions, and the actors that it consists of. Made from
// options by the command line and by tests; read by system.ts.

/**
 * How a kernel thread comes to the mm it borrows (semantics §3.3). get: get_task_mm() first, mmput() at the end. raw: a
 * bare pointer, no mm_users reference. locked: raw, and it holds mmap_read_lock() around the borrow.
 */
export const BORROWER_KINDS = ["get", "raw", "locked"] as const;
export type BorrowerKind = (typeof BORROWER_KINDS)[number];

/**
 * lazy-sets-dirty: a CPU in lazy TLB mode may still set dirty bits. preempt-rt: the copy can be preempted in the middle of
 * an update, so that another task on the forker's own CPU is a hazard too. atomic-get: get_task_mm()'s test of the lock and
 * its increment are one step, which the 15 May patch does not give. copy-stays-on-cpu: the forker does not leave its CPU
 * between the check and the end of the fork.
 */
export const EXPLORE_ASSUMPTIONS = [
  "lazy-sets-dirty",
  "preempt-rt",
  "atomic-get",
  "copy-stays-on-cpu",
] as const;
export type ExploreAssumption = (typeof EXPLORE_ASSUMPTIONS)[number];

/** Sizes are the most there are of each; the forker and one idle task a CPU are always there. */
export interface Bound {
  /** At least 1. */
  readonly cpus: number;
  /** Threads of the forking process, which may exit at any time. */
  readonly threads: number;
  /** vfork children of the forker: at most 1, since it waits for the first. */
  readonly vforks: number;
  readonly borrowers: number;
  /** Which kinds a borrower may be of; every mixture is explored. */
  readonly kinds: readonly BorrowerKind[];
  /** Other processes that take and put an mm_users reference, as /proc readers do. */
  readonly readers: number;
  /** Other processes that only run. */
  readonly tasks: number;
  readonly assume: readonly ExploreAssumption[];
}

export const DEFAULT_BOUND: Bound = {
  cpus: 2,
  threads: 1,
  vforks: 0,
  borrowers: 1,
  kinds: ["get", "raw"],
  readers: 1,
  tasks: 0,
  assume: [],
};

/** One atomic step of an actor's program. */
export type Op =
  | "check"
  | "lock"
  | "lockAndCheck"
  | "copy"
  | "flush"
  | "release"
  | "exitMm"
  | "vforkDone"
  | "exec"
  | "put"
  | "getBegin"
  | "getLand"
  | "getWhole"
  | "lockRead"
  | "unlockRead"
  | "useCall"
  | "useEffect"
  | "unuse";

export type Role = "forker" | "thread" | "vfork" | BorrowerKind | "reader" | "task";

export interface Actor {
  readonly role: Role;
  readonly pid: number;
  /** 16 bytes at most, as comm is. */
  readonly comm: string;
  readonly isKernel: boolean;
  readonly program: readonly Op[];
  /** Runs on as a user task when its program is over. */
  readonly endless: boolean;
}

/** The actors of a bound, forker first. `checksLocked`: the design's check is under the mmap write lock. */
export function actorsOf(bound: Bound, checksLocked: boolean): readonly Actor[] {
  const get: readonly Op[] = bound.assume.includes("atomic-get") ? ["getWhole"] : ["getBegin", "getLand"];
  const borrow: readonly Op[] = ["useCall", "useEffect", "unuse"];
  const programs: Record<Role, readonly Op[]> = {
    forker: checksLocked
      ? ["lockAndCheck", "copy", "flush", "release"]
      : ["check", "lock", "copy", "flush", "release"],
    thread: ["exitMm", "put"],
    vfork: ["vforkDone", "exec", "put"],
    get: [...get, ...borrow, "put"],
    raw: borrow,
    locked: ["lockRead", ...borrow, "unlockRead"],
    reader: [...get, "put"],
    task: [],
  };
  const actors: Actor[] = [];
  const add = (role: Role, firstPid: number, n: number, isKernel: boolean): void => {
    for (let i = 0; i < n; i++) {
      actors.push({
        role,
        pid: firstPid + i,
        comm: n === 1 ? role : `${role}/${i + 1}`,
        isKernel,
        program: programs[role],
        endless: role === "task" || role === "reader",
      });
    }
  };
  add("forker", 100, 1, false);
  add("thread", 110, bound.threads, false);
  add("vfork", 120, bound.vforks, false);
  for (const kind of bound.kinds) add(kind, 30 + 10 * BORROWER_KINDS.indexOf(kind), bound.borrowers, true);
  add("reader", 130, bound.readers, false);
  add("task", 140, bound.tasks, false);
  return actors;
}

/**
 * Which actors exist in each initial state: any number of threads and vfork children up to the bound (they hold mm_users
 * merely by existing), every mixture of borrowers, and all others. Bits are indices of `actors`.
 */
export function rosters(bound: Bound, actors: readonly Actor[]): readonly number[] {
  const of = (role: Role): readonly number[] =>
    actors.flatMap((actor, index) => (actor.role === role ? [index] : []));
  const bits = (indices: readonly number[], n: number): number =>
    indices.slice(0, n).reduce((sum, index) => sum | (1 << index), 0);
  const fixed = 1 | bits(of("reader"), bound.readers) | bits(of("task"), bound.tasks);
  const mixtures = (kinds: readonly BorrowerKind[], left: number): readonly number[] => {
    const [kind, ...rest] = kinds;
    if (kind === undefined) return left === 0 ? [0] : [];
    const out: number[] = [];
    for (let n = 0; n <= left; n++)
      for (const more of mixtures(rest, left - n)) out.push(bits(of(kind), n) | more);
    return out;
  };
  const out: number[] = [];
  for (let threads = 0; threads <= bound.threads; threads++) {
    for (let vforks = 0; vforks <= bound.vforks; vforks++) {
      for (const mixture of bound.kinds.length === 0 ? [0] : mixtures(bound.kinds, bound.borrowers))
        out.push(fixed | bits(of("thread"), threads) | bits(of("vfork"), vforks) | mixture);
    }
  }
  return out;
}
