// Fork windows: from the events of one task around copy_mm() to one row in Forks, by the best evidence present
// (semantics §4.1, §4.2), and what happens on other CPUs while a window is open. Fed by replay.ts.
import { ActiveDoubts, AT_CHECK } from "./active-doubts.ts";
import { type Attempt, type Blocked, type Call, END, START } from "./attempt.ts";
import { boundSince, evaluate } from "./evaluate.ts";
import { ExposureLog } from "./exposure-log.ts";
import type { Diverted, Exposure, ExposureClass, WayIn } from "./exposures.ts";
import { borrowSeq, ExposureClass as Class, classify, mayBeUsing, NO_WAY_IN } from "./exposures.ts";
import { Doubt, type Forks } from "./forks.ts";
import { revealedHolder } from "./holders.ts";
import type { Locks } from "./locks.ts";
import { confirmMember, ensureLife, type How, type Model } from "./model/model.ts";
import type { World } from "./model/world.ts";
import { type OuterLock, OuterLocks } from "./outer-locks.ts";
import { Samples } from "./samples.ts";
import type { Uses } from "./uses.ts";

/** By Divert, as tasks.lastGetDiverted holds it. */
const DIVERTED: readonly Diverted[] = ["no", "yes", "unknown"];

/** Windows of one trace. */
export class Windows {
  readonly attempts: Map<number, Attempt> = new Map();
  /** Attempts that hold, or may soon hold, the write lock. */
  readonly open: Attempt[] = [];
  readonly exposures: ExposureLog;
  readonly blocked: Blocked[] = [];
  /** Calls of kthread_use_mm that met a write hold on the mm's mmap_lock, a fork's or another's. */
  readonly queued: Call[] = [];
  /** How long a fork went on at most, from when its row was made. */
  longest = 0;
  readonly #doubts: ActiveDoubts;
  readonly samples: Samples;
  readonly outerLocks: OuterLocks;
  readonly #m: Model;
  readonly #world: World;
  readonly #forks: Forks;
  readonly #mmapLocks: Locks;
  readonly #uses: Uses;
  /** A fork's check was seen to come after it got the lock: the recording shows that. */
  showLock = false;
  /** CR3 loads are recorded (switch_mm_irqs_off, or tlb_flush): a lazy CPU that has been flushed shows. */
  loadsVisible = false;
  /** PREEMPT_RT assumed: the copy may be preempted within an update, and a task on the forker's own CPU is a hazard too. */
  ownCpuCounts = false;

  constructor(m: Model, locks: Locks, uses: Uses, pageBits?: number) {
    this.exposures = new ExposureLog(m.forks, pageBits);
    this.#m = m;
    this.#world = m.world;
    this.#forks = m.forks;
    this.#doubts = new ActiveDoubts(m.forks);
    this.outerLocks = new OuterLocks(m.world);
    this.samples = new Samples(m.world, m.forks);
    this.#mmapLocks = locks;
    this.#uses = uses;
  }

  /** The task's attempt, begun when it has none. `by`: what was seen first. */
  begin(task: number, tid: number, comm: number, cpu: number, by: number, flags: number): Attempt {
    const known = this.attempts.get(task);
    if (known?.open === true) return known;
    if (known !== undefined) this.finish(known, END.none, -1);
    this.outerLocks.forget(task);
    const { ns, seq } = this.#world;
    const attempt: Attempt = {
      task,
      tid,
      comm,
      flags,
      life: this.#world.tasks.mm[task]!,
      newLabel: -1,
      row: -1,
      early: ns,
      earlySeq: seq,
      earlyLine: this.#world.line,
      earlyBy: by,
      startBy: 0,
      sampled: false,
      locked: false,
      flushing: false,
      open: true,
      forkerCpu: cpu,
      blocked: [],
      exposures: [],
      all: [],
    };
    this.attempts.set(task, attempt);
    this.open.push(attempt);
    return attempt;
  }

  /** A later check point before the lock replaces an earlier one. */
  noteEarly(attempt: Attempt, by: number): void {
    if (by < attempt.earlyBy || attempt.startBy > START.dup_mmap) return;
    attempt.early = this.#world.ns;
    attempt.earlySeq = this.#world.seq;
    attempt.earlyLine = this.#world.line;
    attempt.earlyBy = by;
  }

  /**
   * A check point of `attempt` on the life `named`: evaluates the counts as they stand. A better or equal point replaces an
   * earlier one of the same fork.
   */
  check(attempt: Attempt, named: number, cpu: number, by: number, users: number, count: number): void {
    if (by < attempt.startBy || (by === attempt.startBy && attempt.sampled)) return;
    const { tasks, mms } = this.#world;
    const life = confirmMember(this.#m, attempt.task, named);
    tasks.forked[attempt.task] = 1;
    attempt.life = life;
    if (attempt.row < 0) {
      attempt.row = this.#forks.add(mms, life, attempt.task);
      this.#forks.made.set(attempt.row, this.#world.ns);
    } else this.#forks.recheck(mms, attempt.row, life);
    if (by <= START.dup_mmap) this.noteEarly(attempt, by);
    attempt.startBy = by;
    if (by >= START.mmap_lock_acquire_returned) this.showLock = true;
    attempt.forkerCpu = cpu;
    const kept = users < 0 && this.#sampleHolds(attempt, life, cpu);
    this.#evaluate(attempt, attempt.row, cpu, by);
    if (!kept) {
      this.#forks.sampledUsers.set(attempt.row, users);
      this.#forks.sampledCount.set(attempt.row, count);
    }
    this.#openExposures(attempt);
  }

  /**
   * A later check point without a sample of its own (the mmap lock's) keeps an earlier one's when the replay has seen
   * nothing change between the two.
   */
  #sampleHolds(attempt: Attempt, life: number, cpu: number): boolean {
    const f = this.#forks;
    const row = attempt.row;
    if (f.sampledUsers.at(row) < 0) return false;
    const before = [
      f.usersLow.at(row),
      f.usersDoubt.at(row),
      f.countLow.at(row),
      f.countDoubt.at(row),
      f.borrows.at(row),
    ];
    evaluate(this.#world, f, row, attempt.task, life, cpu, this.loadsVisible);
    const after = [
      f.usersLow.at(row),
      f.usersDoubt.at(row),
      f.countLow.at(row),
      f.countDoubt.at(row),
      f.borrows.at(row),
    ];
    return before.every((value, i) => value === after[i]);
  }

  /** Fills the row from the world at this instant. */
  #evaluate(attempt: Attempt, row: number, cpu: number, by: number): void {
    const f = this.#forks;
    const { mms, seq, ns } = this.#world;
    f.label.set(row, mms.label[attempt.life]!);
    f.tid.set(row, attempt.tid);
    f.comm.set(row, attempt.comm);
    f.cpu.set(row, cpu);
    f.seq.set(row, seq);
    f.start.set(row, ns);
    f.line.set(row, this.#world.line);
    f.startBy.set(row, by);
    f.early.set(row, attempt.earlyBy < by ? attempt.early : Number.NaN);
    f.earlySeq.set(row, attempt.earlyBy < by ? attempt.earlySeq : seq);
    evaluate(this.#world, f, row, attempt.task, attempt.life, cpu, this.loadsVisible);
    f.cpuSampled.set(row, 0);
    f.sampledLoaded.set(row, 0);
    f.sampledSwitching.set(row, 0);
    f.sampledLazy.set(row, 0);
    f.loadedCompared.set(row, -1);
    f.loadedEqual.set(row, -1);
  }

  /** Who uses the mm elsewhere at the instant of the check. Replaces what an earlier check of the same fork found. */
  #openExposures(attempt: Attempt): void {
    const { cpus } = this.#world;
    attempt.exposures = [];
    attempt.all = [];
    this.#doubts.begin(attempt.row);
    for (let c = 0; c < cpus.length; c++) {
      if (c === attempt.forkerCpu) continue;
      if (cpus.active[c] === attempt.life && cpus.cur[c] !== attempt.task)
        this.#expose(attempt, c, cpus.cur[c]!, "at-check");
      else if (mayBeUsing(this.#world, attempt.life, c, cpus.active[c]!))
        this.#doubtActive(attempt, c, AT_CHECK);
      else if (cpus.lazy[c] === attempt.life && this.#loadedHere(c, attempt.life)) this.#residue(attempt, c);
    }
  }

  #loadedHere(cpu: number, life: number): boolean {
    return this.loadsVisible && this.#world.cpus.loaded[cpu] === life;
  }

  /** The CPU may be using the mm. `by`: sequence of the switch that says so, or AT_CHECK. */
  #doubtActive({ life, row }: Attempt, cpu: number, by: number): void {
    const since = this.#world.cpus.unknownSince[cpu]!;
    if (since >= 0 && !this.#world.couldHold(life, since)) return;
    this.#doubts.add(row, cpu, by);
  }

  /** What a task left lazily behind came in as the task did, unless the CPU was lazily on the mm before it. */
  #residue(attempt: Attempt, cpu: number): void {
    const here = attempt.all.filter((e) => e.cpu === cpu);
    const wasLazy = here.some((e) => (e.class === Class.U4 || e.class === Class.U4b) && e.borrowSeq < 0);
    const wayIn = (wasLazy ? undefined : here.at(-1)) ?? NO_WAY_IN;
    this.#push(attempt, cpu, this.#world.cpus.cur[cpu]!, Class.U4, wayIn);
  }

  #push(attempt: Attempt, cpu: number, task: number, cls: ExposureClass, wayIn: WayIn): void {
    const { tasks, ns } = this.#world;
    const e: Exposure = {
      ...wayIn,
      fork: attempt.row,
      class: cls,
      cpu,
      tid: task >= 0 ? tasks.pid[task]! : -1,
      comm: task >= 0 ? tasks.comm[task]! : -1,
      start: ns,
      end: Number.NaN,
      line: this.#world.line,
    };
    attempt.exposures[cpu] = e;
    attempt.all.push(e);
  }

  #wayIn({ life, earlySeq }: Attempt, task: number): WayIn {
    const { tasks, lossSeq } = this.#world;
    if (task < 0) return NO_WAY_IN;
    return {
      borrowSeq: borrowSeq(this.#world, task, life),
      perhapsLate: lossSeq > earlySeq && tasks.sureMember[task] === 0,
      getSeq: tasks.lastGetMm[task] === life ? tasks.lastGetSeq[task]! : -1,
      diverted: DIVERTED[tasks.lastGetDiverted[task]!] ?? "no",
    };
  }

  #expose(attempt: Attempt, cpu: number, task: number, how: How | "at-check"): void {
    const checkSeq = this.#forks.seq.at(attempt.row);
    const cls = classify(this.#world, task, attempt.life, checkSeq, how);
    this.#push(attempt, cpu, task, cls, this.#wayIn(attempt, task));
  }

  /** Model listener: who uses what on a CPU has changed. */
  onActive(cpu: number, task: number, life: number, how: How): void {
    for (const attempt of this.open) {
      if (attempt.row < 0) continue;
      if (task === attempt.task && task >= 0) {
        this.#endExposure(attempt, cpu);
        if (life === attempt.life && attempt.forkerCpu !== cpu) this.#moved(attempt, cpu);
      } else if (cpu !== attempt.forkerCpu || this.ownCpuCounts)
        this.#elsewhere(attempt, cpu, task, life, how);
    }
  }

  #elsewhere(attempt: Attempt, cpu: number, task: number, life: number, how: How): void {
    const current = attempt.exposures[cpu];
    if (life === attempt.life) {
      const tid = task >= 0 ? this.#world.tasks.pid[task]! : -1;
      if (current !== undefined && current.class !== Class.U4 && current.tid === tid) return;
      this.#endExposure(attempt, cpu);
      this.#expose(attempt, cpu, task, how);
      return;
    }
    const isLazy = this.#world.cpus.lazy[cpu] === attempt.life && this.#loadedHere(cpu, attempt.life);
    if (current !== undefined && (current.class !== Class.U4 || !isLazy)) this.#endExposure(attempt, cpu);
    if (isLazy && attempt.exposures[cpu] === undefined) this.#residue(attempt, cpu);
    if (mayBeUsing(this.#world, attempt.life, cpu, life)) this.#doubtActive(attempt, cpu, this.#world.seq);
  }

  /**
   * Model listener: the tail of the switch on `cpu` tells what the task it brought uses. Windows that the switch put in doubt were not:
   * between the two the CPU was inside context_switch().
   */
  onTold(cpu: number): void {
    const seq = this.#world.cpus.switchSeq[cpu]!;
    for (const { row } of this.open) this.#doubts.settle(row, cpu, seq);
  }

  /** The forker runs on another CPU now: the one it left may be in somebody else's hands (§9.8), or lazily on the mm. */
  #moved(attempt: Attempt, cpu: number): void {
    const old = attempt.forkerCpu;
    attempt.forkerCpu = cpu;
    const { cpus } = this.#world;
    if (old < 0 || old >= cpus.length || cpus.cur[old] === attempt.task) return;
    if (attempt.exposures[old] !== undefined) return;
    if (cpus.active[old] === attempt.life)
      this.#expose(attempt, old, cpus.cur[old]!, cpus.resumed[old] === 1 ? "resumed" : "switched");
    else if (cpus.lazy[old] === attempt.life && this.#loadedHere(old, attempt.life))
      this.#residue(attempt, old);
  }

  #endExposure(attempt: Attempt, cpu: number): void {
    const e = attempt.exposures[cpu];
    if (e !== undefined) e.end = this.#world.ns;
    attempt.exposures[cpu] = undefined;
  }

  /** A lazy CPU's hardware left the mm (flush, leave_mm): its residue ends. */
  onUnload(cpu: number): void {
    for (const attempt of this.open) {
      const e = attempt.exposures[cpu];
      if (e === undefined || e.class !== Class.U4) continue;
      this.#endExposure(attempt, cpu);
      if (attempt.flushing) e.class = Class.U4b;
    }
  }

  /** Model listener: a CPU that was unknown since sequence `since` turns out to have held `life`. */
  onReveal(cpu: number, life: number, task: number, active: boolean, since: number): void {
    const f = this.#forks;
    for (let row = this.#world.cpus.unknownFork[cpu]!; row < f.length; row++) {
      if ((f.countWhy.at(row) & Doubt.lostEvents) !== 0) continue;
      if (cpu === f.cpu.at(row) || f.seq.at(row) < since || !this.#world.couldHold(f.life.at(row), since))
        continue;
      if (f.life.at(row) !== life) {
        // One of the two is known by lineage only: they may be the same.
        if (this.#world.mayBeSame(f.life.at(row), life)) continue;
        f.countDoubt.add(row, -1);
        this.#doubts.settle(row, cpu, AT_CHECK);
        continue;
      }
      if (task < 0) continue;
      f.countDoubt.add(row, -1);
      this.#doubts.settle(row, cpu, AT_CHECK);
      if (!active) {
        f.countLow.add(row, 1);
        f.lazyRefs.add(row, 1);
        f.holders.set(row, [...f.holders.at(row), revealedHolder(cpu)]);
        continue;
      }
      if (task !== f.task.at(row)) this.#exposeLate(row, cpu, life, task);
    }
  }

  /** An exposure of `row` learnt only now: the CPU was in the task's hands from when it became unknown until here. */
  #exposeLate(row: number, cpu: number, life: number, task: number): void {
    const f = this.#forks;
    const { tasks, cpus, ns } = this.#world;
    const start = Math.max(f.start.at(row), cpus.unknownNs[cpu]!);
    const end = Number.isNaN(f.end.at(row)) ? ns : Math.min(f.end.at(row), ns);
    if (end < start) return;
    const e: Exposure = {
      fork: row,
      class: start > f.start.at(row) ? Class.U2 : Class.U1,
      cpu,
      tid: tasks.pid[task]!,
      comm: tasks.comm[task]!,
      start,
      end,
      line: this.#world.line,
      borrowSeq: borrowSeq(this.#world, task, life),
      getSeq: -1,
      perhapsLate: false,
      diverted: "no",
    };
    const attempt = this.open.find((open) => open.row === row);
    if (attempt === undefined) this.exposures.push(e);
    else attempt.all.push(e);
  }

  /**
   * Two mms write-locked by one task, the second inside the first: dup_mmap(), whose nested lock is the only one of
   * its kind (mmap_write_lock_nested). The window began when the outer lock was taken.
   */
  fromLocks(task: number, tid: number, comm: number, cpu: number, held: OuterLock): Attempt {
    const attempt = this.begin(task, tid, comm, cpu, START.mmap_lock_acquire_returned, -1);
    const life = this.lifeAt(task, held.label);
    this.check(attempt, life, cpu, START.mmap_lock_acquire_returned, -1, -1);
    const f = this.#forks;
    const row = attempt.row;
    f.start.set(row, held.ns);
    f.line.set(row, held.line);
    // Bounds of the earlier instant: never above either.
    f.usersLow.set(row, Math.min(f.usersLow.at(row), held.row[0]));
    f.membersLow.set(row, Math.min(f.membersLow.at(row), held.row[1]));
    f.countLow.set(row, Math.min(f.countLow.at(row), held.row[2]));
    f.usersDoubt.add(row, 1);
    f.countDoubt.add(row, 1);
    f.countWhy.or(row, Doubt.pendingGrab);
    // What was taken since the outer lock was not there at the check.
    f.holders.set(
      row,
      f.holders.at(row).filter((h) => h.seq <= held.seq),
    );
    for (const e of attempt.all) e.start = held.ns;
    // Who came and went between the two locks was not watched.
    const { cpus } = this.#world;
    const isStill = cpus.lastSeq.subarray(0, cpus.length).every((seq, c) => c === cpu || seq <= held.seq);
    if (!isStill) {
      f.borrows.set(row, 0);
      f.entering.add(row, 1);
      f.maskOthers.set(row, 0);
      f.maskUnknown.add(row, 1);
      f.activeUnknown.add(row, 1);
    }
    this.outerLocks.forget(task);
    return attempt;
  }

  /** Life of the forking task when the trace names the old mm by `label` (-1: it does not). */
  lifeAt(task: number, label: number): number {
    const { tasks, mms } = this.#world;
    const own = tasks.mm[task]!;
    if (label < 0) return own >= 0 ? own : ensureLife(this.#m, task);
    const known = mms.findLive(label);
    if (known >= 0) return known;
    if (own >= 0 && mms.label[own] === -1) {
      mms.bind(own, label);
      return own;
    }
    return mms.ofLive(label);
  }

  /** The trace is over: windows still open keep what they have; their end is not known. */
  cutOff(): void {
    for (const attempt of [...this.open]) {
      this.end(attempt, END.none);
      if (attempt.row >= 0) this.cut(attempt);
    }
  }

  /** The window's end was never seen. When only copy_process was, nothing says that an mm was copied at all. */
  cut(attempt: Attempt): void {
    this.#forks.end.set(attempt.row, Number.NaN);
    this.#forks.lost.set(attempt.row, 1);
    if (attempt.startBy === START.copy_process) this.#forks.dropped.set(attempt.row, 1);
  }

  /** The copy's flush is done, or something later shows that it must be: the window is over. */
  end(attempt: Attempt, by: number): void {
    if (!attempt.open) return;
    attempt.open = false;
    this.open.splice(this.open.indexOf(attempt), 1);
    if (attempt.row < 0) return;
    const { ns } = this.#world;
    const f = this.#forks;
    f.end.set(attempt.row, ns);
    this.longest = Math.max(this.longest, ns - f.made.at(attempt.row));
    f.endBy.set(attempt.row, by);
    f.endLine.set(attempt.row, this.#world.line);
    for (let c = 0; c < attempt.exposures.length; c++) this.#endExposure(attempt, c);
    for (const e of attempt.all) this.exposures.push(e);
    f.endSeq.set(attempt.row, this.#world.seq);
    const hold = this.#mmapLocks.holdOf(attempt.life);
    if (hold?.task === attempt.task) f.lock.set(attempt.row, hold);
    this.#uses.windowEnds(attempt.row);
    const from = f.lock.at(attempt.row)?.seq ?? f.seq.at(attempt.row);
    // Nobody knows whether fork_lock was held already before the last check point ahead of mmap_lock.
    for (const call of attempt.blocked)
      if (call.seq > f.earlySeq.at(attempt.row))
        this.blocked.push({ fork: attempt.row, call, beforeLock: call.seq < from });
  }

  /** The fork is over (returned, or a new one begins): forget the attempt. `child`: new pid, -1 unknown or failed. */
  finish(attempt: Attempt, by: number, child: number): void {
    this.end(attempt, by);
    if (attempt.row >= 0 && child >= 0) this.#forks.child.set(attempt.row, child);
    this.attempts.delete(attempt.task);
  }

  /**
   * A fork known only from what follows it: its row is a point, or bracketed by an earlier sign. `from`: sequence of the
   * parent's last event before it.
   */
  point(attempt: Attempt, child: number, by: number, flagsUnknown: boolean, from: number): void {
    const f = this.#forks;
    if (attempt.row < 0) {
      const life = ensureLife(this.#m, attempt.task);
      const bracketed = attempt.earlySeq < this.#world.seq;
      this.check(attempt, life, attempt.forkerCpu, START.none, -1, -1);
      const row = attempt.row;
      if (bracketed) {
        f.start.set(row, attempt.early);
        f.line.set(row, attempt.earlyLine);
        f.startBy.set(row, attempt.earlyBy);
      }
      boundSince(this.#world, f, row, life, bracketed ? attempt.earlySeq : from);
    }
    f.flagsUnknown.set(attempt.row, flagsUnknown ? 1 : 0);
    this.finish(attempt, by, child);
  }

  /** copy_process returned without having copied an mm: what looked like a fork is none. */
  drop(attempt: Attempt): void {
    if (attempt.row >= 0) this.#forks.dropped.set(attempt.row, 1);
    this.finish(attempt, END.copy_process_ret, -1);
  }
}
