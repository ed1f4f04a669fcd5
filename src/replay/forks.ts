// Forks found so far, one row each, as parallel arrays. Counts are lower bounds plus a number of open doubts:
// evidence that comes later (a put that proves a hidden get, a CPU's first switch) goes back and settles them.
// Filled by windows.ts, patched by the model, read by verdicts.ts.
import { type PagedFloats, type PagedInts, PagedTable, Sparse } from "../base/paged.ts";
import type { Holder } from "./holders.ts";
import type { WriteHold } from "./locks.ts";
import type { Mms } from "./model/mms.ts";
import type { World } from "./model/world.ts";

/** Why a count is not exact; bits of `usersWhy` and `countWhy`. */
export const Doubt = {
  predates: 1,
  hiddenGet: 2,
  pendingPut: 4,
  lostEvents: 8,
  hiddenHolder: 16,
  unfinishedGet: 32,
  cpuUnknown: 64,
  pendingGrab: 128,
  pendingDrop: 256,
  procFd: 512,
  ring: 1024,
  notifier: 2048,
  broken: 4096,
  exitRace: 8192,
} as const;

export const DOUBT_NAMES: readonly string[] = [
  "predates-trace",
  "hidden-get",
  "unfinished-put",
  "lost-events",
  "hidden-holder",
  "unfinished-get",
  "cpu-unknown",
  "unfinished-grab",
  "unfinished-drop",
  "proc-fd",
  "io-uring",
  "mmu-notifier",
  "broken-ledger",
  "exit-race",
];

/** Where a window's start or end comes from; the order of START is the order of preference (later is better). */
export const START_BY = [
  "none",
  "sys_enter_clone",
  "copy_process",
  "uprobe_start_dup_mmap",
  "dup_mmap",
  "mmap_lock_acquire_returned",
  "uprobe_dup_mmap",
] as const;
export const END_BY = [
  "none",
  "flush_tlb_mm_range_ret",
  "mmap_lock_released",
  "dup_mmap_ret",
  "uprobe_end_dup_mmap",
  "task_newtask",
  "copy_process_ret",
  "sched_process_fork",
] as const;

export const NO_SAMPLE = -1;

/** What most forks have. */
const NO_HOLDERS: readonly Holder[] = [];

/** Fork rows. Times are ns since the epoch; NaN = none. */
export class Forks extends PagedTable {
  readonly life: PagedInts = this.ints();
  readonly label: PagedInts = this.ints();
  readonly task: PagedInts = this.ints();
  readonly tid: PagedInts = this.ints();
  readonly comm: PagedInts = this.ints();
  readonly cpu: PagedInts = this.ints();
  /** Sequence and time of the check, its line and source (index into START_BY). */
  readonly seq: PagedInts = this.ints();
  readonly start: PagedFloats = this.floats();
  readonly line: PagedFloats = this.floats();
  readonly startBy: PagedInts = this.ints();
  readonly early: PagedFloats = this.floats();
  readonly earlySeq: PagedInts = this.ints();
  readonly end: PagedFloats = this.floats();
  readonly endLine: PagedFloats = this.floats();
  readonly endBy: PagedInts = this.ints();
  readonly endSeq: PagedInts = this.ints();
  /** dup_mmap()'s write hold on the old mm's mmap_lock, where mmap_lock events show it. */
  readonly lock: Sparse<WriteHold | undefined> = new Sparse<WriteHold | undefined>(undefined);
  /** The mm's latest borrow when the window ended; the first one after, if there was none before. One more than its row; 0 none. */
  readonly borrowBefore: PagedInts = this.ints();
  readonly borrowAfter: PagedInts = this.ints();
  readonly child: PagedInts = this.ints();
  /** Values sampled at the check, or NO_SAMPLE. */
  readonly sampledUsers: PagedInts = this.ints();
  readonly sampledCount: PagedInts = this.ints();
  /** 1 when the check's sample carries per-CPU state. */
  readonly cpuSampled: PagedInts = this.ints();
  /** From the per-CPU sample: other CPUs with the mm loaded; how many of them lazily. */
  readonly sampledLoaded: PagedInts = this.ints();
  readonly sampledLazy: PagedInts = this.ints();
  /** Other CPUs caught while switching (loaded_mm 0x1): whether their mm_cpumask bit is set cannot be told. */
  readonly sampledSwitching: PagedInts = this.ints();
  readonly loadedCompared: PagedInts = this.ints();
  readonly loadedEqual: PagedInts = this.ints();
  /** Ledger's lower bound of mm_users, the members' lower bound, open doubts and their reasons. */
  readonly usersLow: PagedInts = this.ints();
  readonly membersLow: PagedInts = this.ints();
  readonly usersDoubt: PagedInts = this.ints();
  readonly usersWhy: PagedInts = this.ints();
  readonly countLow: PagedInts = this.ints();
  readonly countDoubt: PagedInts = this.ints();
  readonly countWhy: PagedInts = this.ints();
  /** Who holds the mm at the check, or may: what the counts are explained by (attribution.ts). */
  readonly holders: Sparse<readonly Holder[]> = new Sparse(NO_HOLDERS);
  readonly lazyRefs: PagedInts = this.ints();
  readonly lazyCpus: PagedInts = this.ints();
  readonly borrows: PagedInts = this.ints();
  /** kthread_use_mm called on the mm and not seen to take effect; kthread_unuse_mm likewise, where nothing would show it. */
  readonly entering: PagedInts = this.ints();
  readonly khugepaged: PagedInts = this.ints();
  readonly ksm: PagedInts = this.ints();
  /** References whose drop was under way. */
  readonly pendingDrops: PagedInts = this.ints();
  /** Other CPUs that have the mm loaded at the check by the replay, and CPUs it does not know. */
  readonly maskOthers: PagedInts = this.ints();
  readonly maskUnknown: PagedInts = this.ints();
  /** 1: it has had more CPUs than one, or may have had. */
  readonly maskEver: PagedInts = this.ints();
  /** CPUs other than the forker's that run an unknown task some time in the window. */
  readonly activeUnknown: PagedInts = this.ints();
  /** A gap in the recording touches the window. */
  readonly lost: PagedInts = this.ints();
  /** When the first such gap began, -Infinity before the trace: what is seen later may belong to the task's next fork. */
  readonly gapAt: Sparse<number> = new Sparse(Number.POSITIVE_INFINITY);
  /** 1: copy_process failed before it copied any mm: no fork after all. */
  readonly dropped: PagedInts = this.ints();
  /** 1: clone flags were not recorded, so this may be a thread. */
  readonly flagsUnknown: PagedInts = this.ints();
  /** When the row was made: rows are in that order, checks need not be. */
  readonly made: PagedFloats = this.floats();
  /** First and last of its exposures, each one more than its index in the log (exposure-log.ts); 0 none. */
  readonly firstExposure: PagedInts = this.ints();
  readonly lastExposure: PagedInts = this.ints();
  /** Row of the same life's previous fork; -1 none. */
  readonly prev: PagedInts = this.ints();

  /** Members found late, in the order in which they were: each is of the life's forks checked in (from, at). */
  readonly #found: { life: number; from: number; at: number; tid: number }[] = [];

  /** A row with nothing known yet; returns its index. */
  add(mms: Mms, life: number, task: number): number {
    const row = this.addRow();
    this.life.set(row, life);
    this.label.set(row, mms.label[life]!);
    this.task.set(row, task);
    this.tid.set(row, -1);
    this.comm.set(row, -1);
    this.cpu.set(row, -1);
    this.seq.set(row, -1);
    this.earlySeq.set(row, -1);
    this.endSeq.set(row, -1);
    this.child.set(row, -1);
    this.loadedCompared.set(row, -1);
    this.loadedEqual.set(row, -1);
    this.start.set(row, Number.NaN);
    this.early.set(row, Number.NaN);
    this.end.set(row, Number.NaN);
    this.sampledUsers.set(row, NO_SAMPLE);
    this.sampledCount.set(row, NO_SAMPLE);
    this.prev.set(row, mms.lastFork[life]!);
    mms.lastFork[life] = row;
    return row;
  }

  /** A later check point of `row`, of `life`: first among that life's forks, which are in order of their checks. */
  recheck(mms: Mms, row: number, life: number): void {
    const old = this.life.at(row);
    if (old === life && mms.lastFork[life] === row) return;
    if (mms.lastFork[old] === row) mms.lastFork[old] = this.prev.at(row);
    else {
      let next = mms.lastFork[old]!;
      while (this.prev.at(next) !== row) next = this.prev.at(next);
      this.prev.set(next, this.prev.at(row));
    }
    this.life.set(row, life);
    this.prev.set(row, mms.lastFork[life]!);
    mms.lastFork[life] = row;
  }

  /** A gap that began at `ns` touches the window of `row`. */
  cutAt(row: number, ns: number): void {
    this.lost.set(row, 1);
    this.gapAt.set(row, Math.min(this.gapAt.at(row), ns));
  }

  /** A gap lies before the check of `row`: only the forker itself is known of. */
  forget(row: number): void {
    this.usersWhy.or(row, Doubt.lostEvents);
    this.countWhy.or(row, Doubt.lostEvents);
    this.usersDoubt.add(row, 1);
    this.countDoubt.add(row, 1);
    this.usersLow.set(row, 1);
    this.membersLow.set(row, 1);
    this.countLow.set(row, 1);
    this.borrows.set(row, 0);
    this.holders.set(
      row,
      this.holders.at(row).map((h) => ({ ...h, basis: "possible" })),
    );
    this.maskOthers.set(row, 0);
    this.maskUnknown.add(row, 1);
    this.activeUnknown.add(row, 1);
  }

  /** Adds to the ledger bound and doubts of `life`'s forks checked in (from, to), sequence numbers. */
  patchUsers(
    world: World,
    life: number,
    from: number,
    to: number,
    low: number,
    doubt: number,
    why: number,
  ): void {
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq.at(row) > from; row = this.prev.at(row)) {
      if (this.seq.at(row) >= to) continue;
      if ((this.usersWhy.at(row) & Doubt.lostEvents) === 0) this.usersLow.add(row, low);
      this.usersDoubt.add(row, doubt);
      this.usersWhy.or(row, why);
    }
  }

  /** One holder more of `life` at its forks checked in (from, to). */
  addHolder(world: World, life: number, from: number, to: number, holder: Holder): void {
    this.#patchHolders(world, life, from, to, (list) => [...list, holder]);
  }

  /** What task `tid` held of `life` at its forks checked in (from, to) it may have given back already. */
  weakenHolders(world: World, life: number, from: number, to: number, tid: number): void {
    this.#patchHolders(world, life, from, to, (list) =>
      list.map((h) => (h.tid === tid && h.counter === "mm_users" ? { ...h, basis: "possible" } : h)),
    );
  }

  #patchHolders(
    world: World,
    life: number,
    from: number,
    to: number,
    change: (list: readonly Holder[]) => readonly Holder[],
  ): void {
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq.at(row) > from; row = this.prev.at(row))
      if (this.seq.at(row) < to) this.holders.set(row, change(this.holders.at(row)));
  }

  /** A task turns out to have been one of `life`'s users since `from`: so it was at the forks checked since. */
  addMember(world: World, life: number, from: number, holder: Holder): void {
    const at = world.seq;
    this.patchUsers(world, life, from, at, 1, 0, 0);
    this.patchMembers(world, life, from, at, 1);
    this.addHolder(world, life, from, at, holder);
    // Of a life with forks no id is given again.
    if (world.mms.lastFork[life]! >= 0) this.#found.push({ life, from, at, tid: holder.tid });
  }

  /** Events since `fromSeq` were lost: a member found since then may have been cloned after it, and is none of an earlier fork's. */
  dropFound(world: World, fromSeq: number): void {
    for (let last = this.#found.at(-1); last !== undefined && last.at > fromSeq; last = this.#found.at(-1)) {
      const { life, from, tid } = last;
      this.patchUsers(world, life, from, fromSeq + 1, -1, 0, 0);
      this.patchMembers(world, life, from, fromSeq + 1, -1);
      this.weakenHolders(world, life, from, fromSeq + 1, tid);
      this.#found.pop();
    }
  }

  /** The same for the bound that rests on known members only. */
  patchMembers(world: World, life: number, from: number, to: number, low: number): void {
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq.at(row) > from; row = this.prev.at(row)) {
      if (this.seq.at(row) < to && (this.usersWhy.at(row) & Doubt.lostEvents) === 0)
        this.membersLow.add(row, low);
    }
  }

  /** The same for mm_count. */
  patchCount(
    world: World,
    life: number,
    from: number,
    to: number,
    low: number,
    doubt: number,
    why: number,
  ): void {
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq.at(row) > from; row = this.prev.at(row)) {
      if (this.seq.at(row) >= to) continue;
      if ((this.countWhy.at(row) & Doubt.lostEvents) === 0) this.countLow.add(row, low);
      this.countDoubt.add(row, doubt);
      this.countWhy.or(row, why);
    }
  }
}
