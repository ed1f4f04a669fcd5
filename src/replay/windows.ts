// Fork windows: from the events of one task around copy_mm() to one row in Forks, by the best evidence present
// (semantics §4.1, §4.2), and what happens on other CPUs while a window is open. Fed by replay.ts.
import type { ExposureClass } from "./exposures.ts";
import { ExposureClass as Class, classify, type Exposure } from "./exposures.ts";
import { Doubt, END_BY, type Forks, START_BY } from "./forks.ts";
import { confirmMember, ensureLife, type Model } from "./model/model.ts";
import { Tail, UNKNOWN_LIFE, type World } from "./model/world.ts";

const START = Object.fromEntries(START_BY.map((name, i) => [name, i])) as Record<
  (typeof START_BY)[number],
  number
>;
const END = Object.fromEntries(END_BY.map((name, i) => [name, i])) as Record<(typeof END_BY)[number], number>;

export { END, START };

/** An event that a serialising policy would have made wait for this window. */
export interface Blocked {
  readonly fork: number;
  readonly kind: "kthread_use_mm" | "kthread_unuse_mm" | "get_task_mm" | "mm_access";
  readonly tid: number;
  readonly comm: number;
  readonly at: number;
  readonly seq: number;
  readonly line: number;
  /** It happened before the check that stands (the lock was not held yet): only fork_lock covers it. */
  readonly beforeLock: boolean;
}

/** What one task has shown of a fork under way. */
export interface Attempt {
  readonly task: number;
  readonly tid: number;
  comm: number;
  /** clone flags when recorded, else -1. */
  flags: number;
  life: number;
  newLabel: number;
  row: number;
  /** Check point before the lock: its time, sequence and source. */
  early: number;
  earlySeq: number;
  earlyLine: number;
  earlyBy: number;
  startBy: number;
  /** A hardware sample belongs to the check that stands: later rows of the same function do not replace it. */
  sampled: boolean;
  /** dup_mmap's write lock on the old mm was seen. */
  locked: boolean;
  flushing: boolean;
  open: boolean;
  /** CPU that executes, or last executed, the forker. */
  forkerCpu: number;
  blocked: Blocked[];
  /** Open exposure by CPU, and all of this window. */
  exposures: (Exposure | undefined)[];
  all: Exposure[];
}

/** A write lock taken outside any known fork: the start of a window if a second mm is locked inside it (dup_mmap). */
interface TentativeLock {
  readonly label: number;
  readonly ns: number;
  readonly line: number;
  readonly seq: number;
  readonly row: Snapshot;
}

/** The counts as the replay had them at one instant. */
type Snapshot = readonly [usersLow: number, membersLow: number, countLow: number];

/** Windows of one trace. */
export class Windows {
  readonly attempts: Map<number, Attempt> = new Map();
  /** Attempts that hold, or may soon hold, the write lock. */
  readonly open: Attempt[] = [];
  readonly exposures: Exposure[] = [];
  readonly blocked: Blocked[] = [];
  #longest = 0;
  readonly #locks = new Map<number, TentativeLock>();
  readonly #m: Model;
  readonly #world: World;
  readonly #forks: Forks;
  line = 0;
  /** CR3 loads are recorded (switch_mm_irqs_off, or tlb_flush): a lazy CPU that has been flushed shows. */
  loadsVisible = false;

  constructor(m: Model) {
    this.#m = m;
    this.#world = m.world;
    this.#forks = m.forks;
  }

  /** The task's attempt, begun when it has none. `by`: what was seen first. */
  begin(task: number, tid: number, comm: number, cpu: number, by: number, flags: number): Attempt {
    const known = this.attempts.get(task);
    if (known !== undefined) return known;
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
      earlyLine: this.line,
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
    attempt.earlyLine = this.line;
    attempt.earlyBy = by;
  }

  /**
   * A check point of `attempt` on `life`: evaluates the counts as they stand. A better or equal point replaces an
   * earlier one of the same fork.
   */
  check(attempt: Attempt, life: number, cpu: number, by: number, users: number, count: number): void {
    if (by < attempt.startBy || (by === attempt.startBy && attempt.sampled)) return;
    const { tasks, mms } = this.#world;
    confirmMember(this.#m, attempt.task, life);
    tasks.forked[attempt.task] = 1;
    attempt.life = life;
    if (attempt.row < 0) attempt.row = this.#forks.add(mms, life, attempt.task);
    if (by <= START.dup_mmap) this.noteEarly(attempt, by);
    attempt.startBy = by;
    attempt.forkerCpu = cpu;
    this.#evaluate(attempt, attempt.row, cpu, by);
    this.#forks.sampledUsers[attempt.row] = users;
    this.#forks.sampledCount[attempt.row] = count;
    this.#openExposures(attempt);
  }

  /** Fills the row from the world at this instant. */
  #evaluate(attempt: Attempt, row: number, cpu: number, by: number): void {
    const f = this.#forks;
    const { tasks, mms, seq, ns } = this.#world;
    const life = attempt.life;
    f.label[row] = mms.label[life]!;
    f.tid[row] = attempt.tid;
    f.comm[row] = attempt.comm;
    f.cpu[row] = cpu;
    f.seq[row] = seq;
    f.start[row] = ns;
    f.line[row] = this.line;
    f.startBy[row] = by;
    f.early[row] = attempt.earlyBy < by ? attempt.early : Number.NaN;
    f.earlySeq[row] = attempt.earlyBy < by ? attempt.earlySeq : seq;
    const ambiguous = mms.ambiguous[life]?.length ?? 0;
    let why = 0;
    let doubt = 0;
    if (mms.birth[life]! < 0) why |= Doubt.predates;
    if (this.#world.lostDuring(life)) {
      why |= Doubt.lostEvents;
      doubt++;
    }
    if (mms.pendingPuts[life]! > 0) {
      why |= Doubt.pendingPut;
      doubt++;
    }
    if (ambiguous > 0) {
      why |= Doubt.hiddenGet;
      doubt += ambiguous;
    }
    f.usersLow[row] = (why & Doubt.lostEvents) !== 0 ? 1 : mms.sum[life]! - ambiguous;
    f.membersLow[row] = (why & Doubt.lostEvents) !== 0 ? 1 : mms.members[life]!;
    f.usersDoubt[row] = doubt;
    f.usersWhy[row] = why;
    f.threads[row] = mms.threads[life]! - (tasks.share[attempt.task] === 1 ? 1 : 0);
    // The process that began the threads is one of them for a forking thread.
    const others = mms.members[life]! - 1 - f.threads[row]! - mms.vforks[life]! - mms.ioWorkers[life]!;
    if (others > 0) f.threads[row]! += others;
    f.vforks[row] = mms.vforks[life]!;
    f.ioWorkers[row] = mms.ioWorkers[life]!;
    f.getsKthread[row] = mms.getsKthread[life]!;
    f.getsReader[row] = mms.getsReader[life]!;
    f.getsSelf[row] = mms.getsSelf[life]!;
    [f.halfBorrowers, f.halfReaders, f.halfThreads, f.halfVforks].forEach((column, i) => {
      column[row] = mms.halves[life * 4 + i]!;
    });
    this.#evaluateCount(row, life, cpu, why);
    f.maskEver[row] = mms.manyCpus[life]! === 0 ? 0 : 1;
    f.cpuSampled[row] = 0;
    f.sampledLoaded[row] = 0;
    f.sampledSwitching[row] = 0;
    f.sampledLazy[row] = 0;
    f.loadedCompared[row] = -1;
    f.loadedEqual[row] = -1;
  }

  #evaluateCount(row: number, life: number, cpu: number, usersWhy: number): void {
    const f = this.#forks;
    const { mms, cpus } = this.#world;
    let why = usersWhy & (Doubt.predates | Doubt.lostEvents);
    let doubt = why !== 0 ? 1 : 0;
    let low = 1;
    let lazyRefs = 0;
    let lazyCpus = 0;
    let drops = 0;
    let maskOthers = 0;
    let maskUnknown = 0;
    for (let c = 0; c < cpus.length; c++) {
      const unknown =
        cpus.unknownSince[c]! >= 0 && c !== cpu && this.#world.couldHold(life, cpus.unknownSince[c]!);
      if (unknown) {
        doubt++;
        why |= Doubt.cpuUnknown;
      }
      if (cpus.lazy[c] === life) {
        low++;
        lazyRefs++;
        if (c !== cpu && cpus.loaded[c] === life) lazyCpus++;
      }
      if (cpus.pendingGrab[c] === life) {
        low--;
        doubt++;
        why |= Doubt.pendingGrab;
      }
      const drop = cpus.pendingDrop[c]!;
      const dropUnknown =
        drop === UNKNOWN_LIFE &&
        cpus.unknownSince[c]! >= 0 &&
        this.#world.couldHold(life, cpus.unknownSince[c]!);
      if (drop === life) drops++;
      if (drop === life || dropUnknown) {
        doubt++;
        why |= Doubt.pendingDrop;
      }
      if (c === cpu) continue;
      // A load announced by the CPU's latest event may not have reached the hardware yet.
      const underWay = cpus.loadSeq[c]! >= 0 && cpus.loadSeq[c] === cpus.lastSeq[c];
      if (underWay && (cpus.loaded[c] === life || cpus.loadedBefore[c] === life)) maskUnknown++;
      else if (cpus.active[c] === life) maskOthers++;
      else if (cpus.loaded[c] === -1 || !this.loadsVisible) {
        if (unknown || mms.birth[life]! < 0 || cpus.lazy[c] === life || !this.loadsVisible) maskUnknown++;
      } else if (cpus.loaded[c] === life) maskOthers++;
    }
    // kthread_use_mm and _unuse_mm from 6.4 on hold one reference too many, or early, for a moment.
    if (mms.between[life]! > 0 && this.#world.rules.useMmAlwaysGrabs) {
      doubt++;
      why |= Doubt.pendingGrab;
    }
    low += mms.borrows[life]! + mms.khugepaged[life]! + mms.ksm[life]!;
    if (mms.procFds[life]! > 0) {
      doubt++;
      why |= Doubt.procFd;
    }
    if (mms.rings[life]! > 0) {
      doubt++;
      why |= Doubt.ring;
    }
    if (mms.notifiers[life]! > 0) {
      doubt++;
      why |= Doubt.notifier;
    }
    f.countLow[row] = (why & Doubt.lostEvents) !== 0 ? 1 : low;
    f.countDoubt[row] = doubt;
    f.countWhy[row] = why;
    f.lazyRefs[row] = lazyRefs;
    f.lazyCpus[row] = this.loadsVisible ? lazyCpus : -1;
    f.borrows[row] = mms.borrows[life]!;
    f.khugepaged[row] = mms.khugepaged[life]!;
    f.ksm[row] = mms.ksm[life]!;
    f.notifiers[row] = mms.notifiers[life]!;
    f.procFds[row] = mms.procFds[life]!;
    f.rings[row] = mms.rings[life]!;
    f.pendingDrops[row] = drops;
    f.maskOthers[row] = maskOthers;
    f.maskUnknown[row] = maskUnknown;
  }

  /** Who uses the mm elsewhere at the instant of the check. Replaces what an earlier check of the same fork found. */
  #openExposures(attempt: Attempt): void {
    const { cpus } = this.#world;
    attempt.exposures = [];
    attempt.all = [];
    this.#forks.activeUnknown[attempt.row] = 0;
    for (let c = 0; c < cpus.length; c++) {
      if (c === attempt.forkerCpu) continue;
      if (cpus.active[c] === attempt.life && cpus.cur[c] !== attempt.task)
        this.#expose(attempt, c, cpus.cur[c]!, true, false);
      else if (cpus.active[c] === UNKNOWN_LIFE) this.#doubtActive(attempt, c);
      else if (cpus.lazy[c] === attempt.life && this.#loadedHere(c, attempt.life)) this.#residue(attempt, c);
    }
  }

  #loadedHere(cpu: number, life: number): boolean {
    return this.loadsVisible && this.#world.cpus.loaded[cpu] === life;
  }

  #doubtActive(attempt: Attempt, cpu: number): void {
    const since = this.#world.cpus.unknownSince[cpu]!;
    if (since >= 0 && !this.#world.couldHold(attempt.life, since)) return;
    this.#forks.activeUnknown[attempt.row]! += 1;
  }

  #residue(attempt: Attempt, cpu: number): void {
    this.#push(attempt, cpu, this.#world.cpus.cur[cpu]!, Class.U4);
  }

  #push(attempt: Attempt, cpu: number, task: number, cls: ExposureClass): void {
    const { tasks, ns } = this.#world;
    const e: Exposure = {
      fork: attempt.row,
      class: cls,
      cpu,
      tid: task >= 0 ? tasks.pid[task]! : -1,
      comm: task >= 0 ? tasks.comm[task]! : -1,
      start: ns,
      end: Number.NaN,
      line: this.line,
      borrowSeq: task >= 0 && tasks.borrowed[task] === attempt.life ? tasks.borrowSeq[task]! : -1,
      getSeq: task >= 0 && tasks.lastGetMm[task] === attempt.life ? tasks.lastGetSeq[task]! : -1,
    };
    attempt.exposures[cpu] = e;
    attempt.all.push(e);
  }

  #expose(attempt: Attempt, cpu: number, task: number, atCheck: boolean, wasLazy: boolean): void {
    const checkSeq = this.#forks.seq[attempt.row]!;
    this.#push(attempt, cpu, task, classify(this.#world, task, attempt.life, checkSeq, atCheck, wasLazy));
  }

  /** Model listener: who uses what on a CPU has changed. */
  onActive(cpu: number, task: number, life: number): void {
    for (const attempt of this.open) {
      if (attempt.row < 0) continue;
      const current = attempt.exposures[cpu];
      if (task === attempt.task && task >= 0) {
        if (current !== undefined) this.#endExposure(attempt, cpu);
        if (life === attempt.life && attempt.forkerCpu !== cpu) this.#moved(attempt, cpu);
        continue;
      }
      if (cpu === attempt.forkerCpu) continue;
      if (life === attempt.life) {
        if (
          current !== undefined &&
          current.class !== Class.U4 &&
          current.tid === (task >= 0 ? this.#world.tasks.pid[task] : -1)
        )
          continue;
        const wasLazy = current?.class === Class.U4;
        if (current !== undefined) this.#endExposure(attempt, cpu);
        this.#expose(attempt, cpu, task, false, wasLazy);
      } else if (
        current !== undefined &&
        (current.class !== Class.U4 || this.#world.cpus.lazy[cpu] !== attempt.life)
      ) {
        this.#endExposure(attempt, cpu);
      }
      if (life === UNKNOWN_LIFE) this.#doubtActive(attempt, cpu);
    }
  }

  /** The forker runs on another CPU now: the one it left may be in somebody else's hands (§9.8). */
  #moved(attempt: Attempt, cpu: number): void {
    const old = attempt.forkerCpu;
    attempt.forkerCpu = cpu;
    const { cpus } = this.#world;
    if (
      old >= 0 &&
      old < cpus.length &&
      cpus.active[old] === attempt.life &&
      cpus.cur[old] !== attempt.task
    ) {
      this.#expose(attempt, old, cpus.cur[old]!, false, false);
    }
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

  /** Model listener: a CPU that was unknown since fork row `sinceFork` turns out to have held `life`. */
  onReveal(cpu: number, life: number, task: number, active: boolean, since: number, sinceFork: number): void {
    const f = this.#forks;
    const { tasks } = this.#world;
    for (let row = sinceFork; row < f.length; row++) {
      if ((f.countWhy[row]! & Doubt.lostEvents) !== 0) continue;
      if (cpu === f.cpu[row] || f.seq[row]! < since || !this.#world.couldHold(f.life[row]!, since)) continue;
      if (f.life[row] !== life) {
        f.countDoubt[row]! -= 1;
        f.activeUnknown[row] = Math.max(0, f.activeUnknown[row]! - 1);
        continue;
      }
      if (task < 0) continue;
      f.countDoubt[row]! -= 1;
      f.activeUnknown[row] = Math.max(0, f.activeUnknown[row]! - 1);
      if (!active) {
        f.countLow[row]! += 1;
        f.lazyRefs[row]! += 1;
        continue;
      }
      if (task === f.task[row]) continue;
      const end = Number.isNaN(f.end[row]!) ? this.#world.ns : f.end[row]!;
      this.exposures.push({
        fork: row,
        class: Class.U1,
        cpu,
        tid: tasks.pid[task]!,
        comm: tasks.comm[task]!,
        start: f.start[row]!,
        end,
        line: this.line,
        borrowSeq: tasks.borrowed[task] === life ? tasks.borrowSeq[task]! : -1,
        getSeq: -1,
      });
    }
  }

  /** A serialised function is called on `life` while its window is open. */
  block(life: number, kind: Blocked["kind"], tid: number, comm: number): void {
    for (const attempt of this.open) {
      if (attempt.life !== life || attempt.tid === tid) continue;
      attempt.blocked.push({
        fork: attempt.row,
        kind,
        tid,
        comm,
        at: this.#world.ns,
        seq: this.#world.seq,
        line: this.line,
        beforeLock: false,
      });
    }
  }

  /** Write lock taken on `label` by a task with no fork under way. */
  lockOutside(task: number, label: number): TentativeLock | undefined {
    const held = this.#locks.get(task);
    if (held !== undefined && held.label !== label) return held;
    const { tasks, mms, cpus, seq, ns } = this.#world;
    const life = tasks.mm[task]!;
    let lazy = 0;
    if (life >= 0)
      for (let c = 0; c < cpus.length; c++) if (cpus.lazy[c] === life && cpus.pendingGrab[c] !== life) lazy++;
    const row: Snapshot =
      life >= 0
        ? [
            mms.sum[life]! - (mms.ambiguous[life]?.length ?? 0),
            mms.members[life]!,
            1 + lazy + mms.borrows[life]! + mms.khugepaged[life]!,
          ]
        : [1, 1, 1];
    this.#locks.set(task, { label, ns, line: this.line, seq, row });
    return undefined;
  }

  /** Write lock on `label` released outside a fork. */
  unlockOutside(task: number, label: number): void {
    if (this.#locks.get(task)?.label === label) this.#locks.delete(task);
  }

  /**
   * Two mms write-locked by one task, the second inside the first: dup_mmap(), whose nested lock is the only one of
   * its kind (mmap_write_lock_nested). The window began when the outer lock was taken.
   */
  fromLocks(task: number, tid: number, comm: number, cpu: number, held: TentativeLock): Attempt {
    const attempt = this.begin(task, tid, comm, cpu, START.mmap_lock_acquire_returned, -1);
    const life = this.lifeAt(task, held.label);
    this.check(attempt, life, cpu, START.mmap_lock_acquire_returned, -1, -1);
    const f = this.#forks;
    const row = attempt.row;
    f.start[row] = held.ns;
    f.line[row] = held.line;
    // Bounds of the earlier instant: never above either.
    f.usersLow[row] = Math.min(f.usersLow[row]!, held.row[0]);
    f.membersLow[row] = Math.min(f.membersLow[row]!, held.row[1]);
    f.countLow[row] = Math.min(f.countLow[row]!, held.row[2]);
    f.usersDoubt[row]! += 1;
    f.countDoubt[row]! += 1;
    f.countWhy[row]! |= Doubt.pendingGrab;
    for (const e of attempt.all) e.start = held.ns;
    this.#locks.delete(task);
    return attempt;
  }

  /** Life of the forking task when the trace names the old mm by `label` (-1: it does not). */
  lifeAt(task: number, label: number): number {
    const { tasks, mms } = this.#world;
    const own = tasks.mm[task]!;
    if (label < 0) return own >= 0 ? own : ensureLife(this.#m, task);
    const known = mms.find(label);
    if (known >= 0) return known;
    if (own >= 0 && mms.label[own] === -1) {
      mms.bind(own, label);
      return own;
    }
    return mms.of(label);
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
    this.#forks.end[attempt.row] = Number.NaN;
    this.#forks.lost[attempt.row] = 1;
    if (attempt.startBy === START.copy_process) this.#forks.dropped[attempt.row] = 1;
  }

  /** The copy's flush is done, or something later shows that it must be: the window is over. */
  end(attempt: Attempt, by: number): void {
    if (!attempt.open) return;
    attempt.open = false;
    this.open.splice(this.open.indexOf(attempt), 1);
    if (attempt.row < 0) return;
    const { ns } = this.#world;
    const f = this.#forks;
    f.end[attempt.row] = ns;
    this.#longest = Math.max(this.#longest, ns - f.start[attempt.row]!);
    f.endBy[attempt.row] = by;
    f.endLine[attempt.row] = this.line;
    for (let c = 0; c < attempt.exposures.length; c++) this.#endExposure(attempt, c);
    for (const e of attempt.all) this.exposures.push(e);
    for (const b of attempt.blocked)
      this.blocked.push({ ...b, fork: attempt.row, beforeLock: b.seq < f.seq[attempt.row]! });
  }

  /** The fork is over (returned, or a new one begins): forget the attempt. `child`: new pid, -1 unknown or failed. */
  finish(attempt: Attempt, by: number, child: number): void {
    this.end(attempt, by);
    if (attempt.row >= 0 && child >= 0) this.#forks.child[attempt.row] = child;
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
        f.start[row] = attempt.early;
        f.line[row] = attempt.earlyLine;
        f.startBy[row] = attempt.earlyBy;
      }
      this.#boundSince(row, life, bracketed ? attempt.earlySeq : from);
    }
    f.flagsUnknown[attempt.row] = flagsUnknown ? 1 : 0;
    this.finish(attempt, by, child);
  }

  /** The check lies somewhere after `from`: only what held all the time since then is a lower bound. */
  #boundSince(row: number, life: number, from: number): void {
    const f = this.#forks;
    const { mms, cpus } = this.#world;
    f.usersDoubt[row]! += 1;
    f.countDoubt[row]! += 1;
    let low = 1 + mms.khugepaged[life]! + mms.ksm[life]!;
    for (let c = 0; c < cpus.length; c++) {
      if (cpus.lazy[c] === life && cpus.lazySeq[c]! < from && cpus.pendingGrab[c] !== life) low++;
    }
    f.countLow[row] = Math.min(f.countLow[row]!, low);
    if (mms.joinSeq[life]! >= from) {
      f.usersLow[row] = 1;
      f.membersLow[row] = 1;
    }
    f.maskUnknown[row]! += 1;
    f.maskOthers[row] = 0;
  }

  /** copy_process returned without having copied an mm: what looked like a fork is none. */
  drop(attempt: Attempt): void {
    if (attempt.row >= 0) this.#forks.dropped[attempt.row] = 1;
    this.finish(attempt, END.copy_process_ret, -1);
  }

  /**
   * A gap on `cpu` (-1: any), which began after the CPU's last event (`fromSeq`, `fromNs`): forks checked in it may
   * have missed anything, windows it touches are incomplete.
   */
  loseEvents(fromSeq: number, fromNs: number): void {
    const f = this.#forks;
    for (const attempt of this.open) if (attempt.row >= 0) f.lost[attempt.row] = 1;
    for (let row = f.length - 1; row >= 0; row--) {
      // No window is longer than the longest seen.
      if (f.start[row]! < fromNs - this.#longest) break;
      if (!(f.end[row]! < fromNs)) f.lost[row] = 1;
      if (f.seq[row]! <= fromSeq) continue;
      f.usersWhy[row]! |= Doubt.lostEvents;
      f.countWhy[row]! |= Doubt.lostEvents;
      f.usersDoubt[row]! += 1;
      f.countDoubt[row]! += 1;
      f.usersLow[row] = 1;
      f.membersLow[row] = 1;
      f.countLow[row] = 1;
      f.borrows[row] = 0;
      f.maskOthers[row] = 0;
      f.maskUnknown[row]! += 1;
      f.activeUnknown[row]! += 1;
    }
  }

  /** One CPU of the hardware sample that belongs to `attempt`'s check. `lm` pointer id, `switching`: 0x1 was read. */
  sample(attempt: Attempt, cpu: number, lm: number, lazy: boolean, switching: boolean): void {
    const f = this.#forks;
    const row = attempt.row;
    if (row < 0) return;
    attempt.sampled = true;
    const { cpus, mms } = this.#world;
    if (f.cpuSampled[row] === 0) {
      f.cpuSampled[row] = 1;
      f.loadedCompared[row] = 0;
      f.loadedEqual[row] = 0;
    }
    if (switching && cpu !== f.cpu[row]) f.sampledSwitching[row]! += 1;
    if (!switching && cpu !== f.cpu[row] && lm === f.label[row]) {
      f.sampledLoaded[row]! += 1;
      if (lazy) f.sampledLazy[row]! += 1;
    }
    if (
      switching ||
      cpu >= cpus.length ||
      cpus.loaded[cpu] === -1 ||
      cpus.tail[cpu] === Tail.awaited ||
      cpus.lastSeq[cpu] === cpus.loadSeq[cpu]
    )
      return;
    const label = mms.label[cpus.loaded[cpu]!]!;
    if (label < 0) return;
    f.loadedCompared[row]! += 1;
    if (label === lm) f.loadedEqual[row]! += 1;
  }
}
