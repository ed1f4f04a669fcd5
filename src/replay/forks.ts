// Forks found so far, one row each, as parallel arrays. Counts are lower bounds plus a number of open doubts:
// evidence that comes later (a put that proves a hidden get, a CPU's first switch) goes back and settles them.
// Filled by windows.ts, patched by the model, read by verdicts.ts.
import type { Holder } from "./holders.ts";
import type { WriteHold } from "./locks.ts";
import type { Mms } from "./model/mms.ts";
import type { World } from "./model/world.ts";
import type { Borrow } from "./uses.ts";

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

/** Fork rows. Times are ns since the epoch; NaN = none. */
export class Forks {
  readonly life: number[] = [];
  readonly label: number[] = [];
  readonly task: number[] = [];
  readonly tid: number[] = [];
  readonly comm: number[] = [];
  readonly cpu: number[] = [];
  /** Sequence and time of the check, its line and source (index into START_BY). */
  readonly seq: number[] = [];
  readonly start: number[] = [];
  readonly line: number[] = [];
  readonly startBy: number[] = [];
  readonly early: number[] = [];
  readonly earlySeq: number[] = [];
  readonly end: number[] = [];
  readonly endLine: number[] = [];
  readonly endBy: number[] = [];
  readonly endSeq: number[] = [];
  /** dup_mmap()'s write hold on the old mm's mmap_lock, where mmap_lock events show it. */
  readonly lock: (WriteHold | undefined)[] = [];
  /** The latest borrows of the mm called before the check, and the first ones called after the window's end. */
  readonly borrowsBefore: Borrow[][] = [];
  readonly borrowsAfter: Borrow[][] = [];
  readonly child: number[] = [];
  /** Values sampled at the check, or NO_SAMPLE. */
  readonly sampledUsers: number[] = [];
  readonly sampledCount: number[] = [];
  /** 1 when the check's sample carries per-CPU state. */
  readonly cpuSampled: number[] = [];
  /** From the per-CPU sample: other CPUs with the mm loaded; how many of them lazily. */
  readonly sampledLoaded: number[] = [];
  readonly sampledLazy: number[] = [];
  /** Other CPUs caught while switching (loaded_mm 0x1): whether their mm_cpumask bit is set cannot be told. */
  readonly sampledSwitching: number[] = [];
  readonly loadedCompared: number[] = [];
  readonly loadedEqual: number[] = [];
  /** Ledger's lower bound of mm_users, the members' lower bound, open doubts and their reasons. */
  readonly usersLow: number[] = [];
  readonly membersLow: number[] = [];
  readonly usersDoubt: number[] = [];
  readonly usersWhy: number[] = [];
  readonly countLow: number[] = [];
  readonly countDoubt: number[] = [];
  readonly countWhy: number[] = [];
  /** Who holds the mm at the check, or may: what the counts are explained by (attribution.ts). */
  readonly holders: (readonly Holder[])[] = [];
  readonly lazyRefs: number[] = [];
  readonly lazyCpus: number[] = [];
  readonly borrows: number[] = [];
  /** kthread_use_mm called on the mm and not seen to take effect; kthread_unuse_mm likewise, where nothing would show it. */
  readonly entering: number[] = [];
  readonly khugepaged: number[] = [];
  readonly ksm: number[] = [];
  /** References whose drop was under way. */
  readonly pendingDrops: number[] = [];
  /** Other CPUs that have the mm loaded at the check by the replay, and CPUs it does not know. */
  readonly maskOthers: number[] = [];
  readonly maskUnknown: number[] = [];
  readonly maskEver: number[] = [];
  /** CPUs other than the forker's that run an unknown task some time in the window. */
  readonly activeUnknown: number[] = [];
  /** A gap in the recording touches the window. */
  readonly lost: number[] = [];
  /** 1: copy_process failed before it copied any mm: no fork after all. */
  readonly dropped: number[] = [];
  /** 1: clone flags were not recorded, so this may be a thread. */
  readonly flagsUnknown: number[] = [];
  /** Row of the same life's previous fork; -1 none. */
  readonly prev: number[] = [];

  get length(): number {
    return this.life.length;
  }

  /** A row with nothing known yet; returns its index. */
  add(mms: Mms, life: number, task: number): number {
    const row = this.life.length;
    this.life.push(life);
    this.label.push(mms.label[life]!);
    this.task.push(task);
    for (const column of [
      this.tid,
      this.comm,
      this.cpu,
      this.seq,
      this.earlySeq,
      this.endSeq,
      this.child,
      this.loadedCompared,
      this.loadedEqual,
    ])
      column.push(-1);
    for (const column of [this.start, this.early, this.end]) column.push(Number.NaN);
    for (const column of [
      this.line,
      this.startBy,
      this.endLine,
      this.endBy,
      this.cpuSampled,
      this.sampledLoaded,
      this.sampledLazy,
      this.sampledSwitching,
      this.usersLow,
      this.membersLow,
      this.usersDoubt,
      this.usersWhy,
      this.countLow,
      this.countDoubt,
      this.countWhy,
      this.lazyRefs,
      this.lazyCpus,
      this.borrows,
      this.entering,
      this.khugepaged,
      this.ksm,
      this.pendingDrops,
      this.maskOthers,
      this.maskUnknown,
      this.maskEver,
      this.activeUnknown,
      this.lost,
      this.flagsUnknown,
      this.dropped,
    ]) {
      column.push(0);
    }
    this.lock.push(undefined);
    this.borrowsBefore.push([]);
    this.borrowsAfter.push([]);
    this.sampledUsers.push(NO_SAMPLE);
    this.sampledCount.push(NO_SAMPLE);
    this.holders.push([]);
    this.prev.push(mms.lastFork[life]!);
    mms.lastFork[life] = row;
    return row;
  }

  /** A later check point of `row`, of `life`: first among that life's forks, which are in order of their checks. */
  recheck(mms: Mms, row: number, life: number): void {
    const old = this.life[row]!;
    if (old === life && mms.lastFork[life] === row) return;
    if (mms.lastFork[old] === row) mms.lastFork[old] = this.prev[row]!;
    else {
      let next = mms.lastFork[old]!;
      while (this.prev[next] !== row) next = this.prev[next]!;
      this.prev[next] = this.prev[row]!;
    }
    this.life[row] = life;
    this.prev[row] = mms.lastFork[life]!;
    mms.lastFork[life] = row;
  }

  /** A gap lies before the check of `row`: only the forker itself is known of. */
  forget(row: number): void {
    this.usersWhy[row]! |= Doubt.lostEvents;
    this.countWhy[row]! |= Doubt.lostEvents;
    this.usersDoubt[row]! += 1;
    this.countDoubt[row]! += 1;
    this.usersLow[row] = 1;
    this.membersLow[row] = 1;
    this.countLow[row] = 1;
    this.borrows[row] = 0;
    this.holders[row] = this.holders[row]!.map((h) => ({ ...h, basis: "possible" }));
    this.maskOthers[row] = 0;
    this.maskUnknown[row]! += 1;
    this.activeUnknown[row]! += 1;
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
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq[row]! > from; row = this.prev[row]!) {
      if (this.seq[row]! >= to) continue;
      if ((this.usersWhy[row]! & Doubt.lostEvents) === 0) this.usersLow[row]! += low;
      this.usersDoubt[row]! += doubt;
      this.usersWhy[row]! |= why;
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
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq[row]! > from; row = this.prev[row]!)
      if (this.seq[row]! < to) this.holders[row] = change(this.holders[row]!);
  }

  /** The same for the bound that rests on known members only. */
  patchMembers(world: World, life: number, from: number, to: number, low: number): void {
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq[row]! > from; row = this.prev[row]!) {
      if (this.seq[row]! < to && (this.usersWhy[row]! & Doubt.lostEvents) === 0) this.membersLow[row]! += low;
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
    for (let row = world.mms.lastFork[life]!; row >= 0 && this.seq[row]! > from; row = this.prev[row]!) {
      if (this.seq[row]! >= to) continue;
      if ((this.countWhy[row]! & Doubt.lostEvents) === 0) this.countLow[row]! += low;
      this.countDoubt[row]! += doubt;
      this.countWhy[row]! |= why;
    }
  }
}
