// Forks found so far, one row each, as parallel arrays. Counts are lower bounds plus a number of open doubts:
// evidence that comes later (a put that proves a hidden get, a CPU's first switch) goes back and settles them.
// Filled by windows.ts, patched by the model, read by verdicts.ts.
import type { Holder } from "./holders.ts";
import type { WriteHold } from "./locks.ts";
import type { Mms } from "./model/mms.ts";
import { FIRST_ROOM, widen } from "./model/room.ts";
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

/** What most forks have: one array for all of them. */
const NO_BORROWS: readonly Borrow[] = [];
const NO_HOLDERS: readonly Holder[] = [];

/** Fork rows. Times are ns since the epoch; NaN = none. */
export class Forks {
  life: Int32Array = new Int32Array(FIRST_ROOM);
  label: Int32Array = new Int32Array(FIRST_ROOM);
  task: Int32Array = new Int32Array(FIRST_ROOM);
  tid: Int32Array = new Int32Array(FIRST_ROOM);
  comm: Int32Array = new Int32Array(FIRST_ROOM);
  cpu: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence and time of the check, its line and source (index into START_BY). */
  seq: Int32Array = new Int32Array(FIRST_ROOM);
  start: Float64Array = new Float64Array(FIRST_ROOM);
  line: Float64Array = new Float64Array(FIRST_ROOM);
  startBy: Int32Array = new Int32Array(FIRST_ROOM);
  early: Float64Array = new Float64Array(FIRST_ROOM);
  earlySeq: Int32Array = new Int32Array(FIRST_ROOM);
  end: Float64Array = new Float64Array(FIRST_ROOM);
  endLine: Float64Array = new Float64Array(FIRST_ROOM);
  endBy: Int32Array = new Int32Array(FIRST_ROOM);
  endSeq: Int32Array = new Int32Array(FIRST_ROOM);
  /** dup_mmap()'s write hold on the old mm's mmap_lock, where mmap_lock events show it. */
  readonly lock: (WriteHold | undefined)[] = [];
  /** The latest borrows of the mm called before the check, and the first ones called after the window's end. */
  readonly borrowsBefore: (readonly Borrow[])[] = [];
  readonly borrowsAfter: (readonly Borrow[])[] = [];
  child: Int32Array = new Int32Array(FIRST_ROOM);
  /** Values sampled at the check, or NO_SAMPLE. */
  sampledUsers: Int32Array = new Int32Array(FIRST_ROOM);
  sampledCount: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1 when the check's sample carries per-CPU state. */
  cpuSampled: Int32Array = new Int32Array(FIRST_ROOM);
  /** From the per-CPU sample: other CPUs with the mm loaded; how many of them lazily. */
  sampledLoaded: Int32Array = new Int32Array(FIRST_ROOM);
  sampledLazy: Int32Array = new Int32Array(FIRST_ROOM);
  /** Other CPUs caught while switching (loaded_mm 0x1): whether their mm_cpumask bit is set cannot be told. */
  sampledSwitching: Int32Array = new Int32Array(FIRST_ROOM);
  loadedCompared: Int32Array = new Int32Array(FIRST_ROOM);
  loadedEqual: Int32Array = new Int32Array(FIRST_ROOM);
  /** Ledger's lower bound of mm_users, the members' lower bound, open doubts and their reasons. */
  usersLow: Int32Array = new Int32Array(FIRST_ROOM);
  membersLow: Int32Array = new Int32Array(FIRST_ROOM);
  usersDoubt: Int32Array = new Int32Array(FIRST_ROOM);
  usersWhy: Int32Array = new Int32Array(FIRST_ROOM);
  countLow: Int32Array = new Int32Array(FIRST_ROOM);
  countDoubt: Int32Array = new Int32Array(FIRST_ROOM);
  countWhy: Int32Array = new Int32Array(FIRST_ROOM);
  /** Who holds the mm at the check, or may: what the counts are explained by (attribution.ts). */
  readonly holders: (readonly Holder[])[] = [];
  lazyRefs: Int32Array = new Int32Array(FIRST_ROOM);
  lazyCpus: Int32Array = new Int32Array(FIRST_ROOM);
  borrows: Int32Array = new Int32Array(FIRST_ROOM);
  /** kthread_use_mm called on the mm and not seen to take effect; kthread_unuse_mm likewise, where nothing would show it. */
  entering: Int32Array = new Int32Array(FIRST_ROOM);
  khugepaged: Int32Array = new Int32Array(FIRST_ROOM);
  ksm: Int32Array = new Int32Array(FIRST_ROOM);
  /** References whose drop was under way. */
  pendingDrops: Int32Array = new Int32Array(FIRST_ROOM);
  /** Other CPUs that have the mm loaded at the check by the replay, and CPUs it does not know. */
  maskOthers: Int32Array = new Int32Array(FIRST_ROOM);
  maskUnknown: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: it has had more CPUs than one, or may have had. */
  maskEver: Int32Array = new Int32Array(FIRST_ROOM);
  /** CPUs other than the forker's that run an unknown task some time in the window. */
  activeUnknown: Int32Array = new Int32Array(FIRST_ROOM);
  /** A gap in the recording touches the window. */
  lost: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: copy_process failed before it copied any mm: no fork after all. */
  dropped: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: clone flags were not recorded, so this may be a thread. */
  flagsUnknown: Int32Array = new Int32Array(FIRST_ROOM);
  /** Next in the list that begins at the life's `awaiting`; -1 none. */
  nextAwaiting: Int32Array = new Int32Array(FIRST_ROOM);
  /** Row of the same life's previous fork; -1 none. */
  prev: Int32Array = new Int32Array(FIRST_ROOM);

  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A row with nothing known yet; returns its index. May replace every column by a longer one. */
  add(mms: Mms, life: number, task: number): number {
    const row = this.#length++;
    if (row === this.life.length) widen(this);
    this.life[row] = life;
    this.label[row] = mms.label[life]!;
    this.task[row] = task;
    this.tid[row] = -1;
    this.comm[row] = -1;
    this.cpu[row] = -1;
    this.seq[row] = -1;
    this.earlySeq[row] = -1;
    this.endSeq[row] = -1;
    this.child[row] = -1;
    this.loadedCompared[row] = -1;
    this.loadedEqual[row] = -1;
    this.start[row] = Number.NaN;
    this.early[row] = Number.NaN;
    this.end[row] = Number.NaN;
    this.sampledUsers[row] = NO_SAMPLE;
    this.sampledCount[row] = NO_SAMPLE;
    this.lock.push(undefined);
    this.borrowsBefore.push(NO_BORROWS);
    this.borrowsAfter.push(NO_BORROWS);
    this.holders.push(NO_HOLDERS);
    this.prev[row] = mms.lastFork[life]!;
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
