// The loop: one pass over the event table, each row lowered to the transitions of model/ and to windows.ts.
// Fed by index.ts with batches; its Replayer is what verdicts.ts reads at the end. Never reads a sampled count.
import { ProblemLog } from "../base/problem.ts";
import {
  CTX_ALIAS,
  CTX_IRQ,
  CTX_TASK,
  type EventBatch,
  NO_VALUE,
  NONE,
  NULL_MM,
} from "../table/event-batch.ts";
import {
  CALLER_OTHER,
  CLONE_THREAD,
  CLONE_UNTRACED,
  CLONE_VFORK,
  CLONE_VM,
  EVENT_KIND_NAMES,
  EventKind,
  LOCK_SUCCESS,
  LOCK_WRITE,
  SAMPLE_LAZY,
  SAMPLE_SWITCHING,
  SWITCH_MM_NO_TASK,
  SwitchState,
  TlbReason,
} from "../table/event-kinds.ts";
import { Doubt, Forks } from "./forks.ts";
import { confirmMember, ensureLife, forgetCpu, join, leave, type Model, setActive } from "./model/model.ts";
import {
  callUnuseMm,
  callUseMm,
  contextSwitch,
  exec,
  exitMm,
  exitUnseen,
  lazyTail,
  loadOther,
  settleBorrow,
  switchMmTail,
  unuseMm,
  useMm,
} from "./model/switching.ts";
import {
  beginGet,
  beginLeave,
  close,
  closeOpened,
  endGet,
  get,
  noteOpened,
  put,
  settlePut,
  share,
} from "./model/users.ts";
import {
  GrabStage,
  IDLE,
  type KernelRules,
  NO_LIFE,
  ShareKind,
  Tail,
  TaskKind,
  UNKNOWN_LIFE,
  World,
} from "./model/world.ts";
import { LEDGER_BROKEN, SWITCH_MISMATCH } from "./problems.ts";
import { type Attempt, END, START, Windows } from "./windows.ts";

/** Kinds recorded only in the context of the task that calls the function: they prove that the task went on. */
const TASK_KINDS: Uint8Array = kindSet([
  EventKind.schedProcessFork,
  EventKind.taskNewtask,
  EventKind.schedProcessExec,
  EventKind.schedProcessExit,
  EventKind.mmapLockStartLocking,
  EventKind.mmapLockAcquireReturned,
  EventKind.mmapLockReleased,
  EventKind.uprobeStartDupMmap,
  EventKind.uprobeDupMmap,
  EventKind.uprobeEndDupMmap,
  EventKind.dupMmap,
  EventKind.dupMmapRet,
  EventKind.copyPageRange,
  EventKind.copyProcess,
  EventKind.copyProcessRet,
  EventKind.kthreadUseMm,
  EventKind.kthreadUseMmRet,
  EventKind.kthreadUnuseMm,
  EventKind.kthreadUnuseMmRet,
  EventKind.getTaskMm,
  EventKind.getTaskMmRet,
  EventKind.mmAccess,
  EventKind.mmAccessRet,
  EventKind.procMemOpenRet,
  EventKind.mmput,
  EventKind.mmInit,
  EventKind.execBegin,
  EventKind.execMmRelease,
  EventKind.exitMmRelease,
  EventKind.exitMmap,
  EventKind.khugepagedEnter,
  EventKind.khugepagedExit,
  EventKind.ksmEnter,
  EventKind.ksmExit,
  EventKind.mmuNotifierRegister,
  EventKind.flushTlbMmRange,
  EventKind.flushTlbMmRangeRet,
  EventKind.sysEnterClone,
  EventKind.sysExitClone,
  EventKind.cpuSample,
]);
/** Kinds printed from inside a switch or under another task's name: they settle nothing (§9.1, §9.2). */
const TAIL_KINDS: Uint8Array = kindSet([
  EventKind.switchMm,
  EventKind.enterLazyTlb,
  EventKind.tlbFlush,
  EventKind.mmdrop,
  EventKind.lost,
  EventKind.bufferStarted,
  EventKind.armed,
  EventKind.schedSwitch,
]);

function kindSet(kinds: readonly number[]): Uint8Array {
  const set = new Uint8Array(EVENT_KIND_NAMES.length);
  for (const kind of kinds) set[kind] = 1;
  return set;
}

export class Replayer implements Model {
  readonly world: World;
  readonly forks: Forks = new Forks();
  readonly windows: Windows;
  readonly problems: ProblemLog = new ProblemLog();
  /** Events seen per kind (aliases not counted): what is proven armed. */
  readonly seen: Int32Array = new Int32Array(EVENT_KIND_NAMES.length);
  /** Function names declared armed by the recording or by --assume. */
  readonly declared: Set<number> = new Set();
  #sampleOwner: Attempt | undefined;
  #firmBefore = -1;
  #crLoads = 0;
  /** Stands for init_mm where no pointer names it. */
  #other = -1;

  /** `cpus`: how many CPUs the recording has; all are in unknown state until they show it. */
  constructor(rules: KernelRules, cpus: number) {
    this.world = new World(rules);
    if (cpus > 0) this.world.cpus.ensure(cpus - 1);
    this.windows = new Windows(this);
  }

  onActive(cpu: number, task: number, life: number): void {
    this.windows.onActive(cpu, task, life);
  }

  onReveal(cpu: number, life: number, task: number, active: boolean, since: number, sinceFork: number): void {
    this.windows.onReveal(cpu, life, task, active, since, sinceFork);
  }

  /** Applies a batch of rows in order. */
  feed(batch: EventBatch): void {
    const length = batch.length;
    for (let i = 0; i < length; i++) this.#apply(batch, i);
  }

  /** The trace is over. */
  finish(): void {
    this.windows.cutOff();
  }

  #apply(b: EventBatch, i: number): void {
    const { world, windows } = this;
    const kind = b.kind[i]!;
    const cpu = b.cpu[i]!;
    world.seq++;
    world.ns = b.ns[i]!;
    windows.line = b.line[i]!;
    if (kind === EventKind.lost || kind === EventKind.bufferStarted) {
      if (kind === EventKind.lost) this.#lost(cpu);
      return;
    }
    if (kind === EventKind.armed) {
      this.declared.add(b.argComm[i]!);
      return;
    }
    if (kind === EventKind.cpuSample) {
      this.#sample(b, i);
      return;
    }
    this.#sampleOwner = undefined;
    windows.loadsVisible = this.seen[EventKind.switchMm]! > 0 || this.#crLoads > 0;
    const alias = (b.ctx[i]! & CTX_ALIAS) !== 0;
    if (!alias) this.seen[kind]!++;
    const tid = b.tid[i]!;
    const task = this.#context(b, i, kind, cpu, tid);
    if (alias && kind !== EventKind.dupMmap && kind !== EventKind.uprobeDupMmap) return;
    this.#dispatch(b, i, kind, cpu, tid, task);
  }

  /** Who is running, and what this event proves about work left half-done on this CPU and in this task. */
  #context(b: EventBatch, i: number, kind: number, cpu: number, tid: number): number {
    const { world } = this;
    const { tasks, cpus } = world;
    if (cpu >= 0) cpus.ensure(cpu);
    let task = tid >= 0 ? tasks.of(tid) : cpu >= 0 ? cpus.cur[cpu]! : -1;
    const tgid = b.tgid[i]!;
    const comm = b.comm[i]!;
    if (task > IDLE) {
      if (tgid >= 0) tasks.tgid[task] = tgid;
      if (comm >= 0) tasks.comm[task] = comm;
    }
    this.#firmBefore = task >= 0 ? tasks.firm[task]! : -1;
    if (cpu < 0) return task;
    cpus.lastSeq[cpu] = world.seq;
    cpus.lastNs[cpu] = world.ns;
    const cur = cpus.cur[cpu]!;
    if (task < 0) task = cur;
    const irq = (b.ctx[i]! & CTX_IRQ) !== 0;
    const inTail = cpus.tail[cpu] !== Tail.none && cur !== task && task === cpus.prevTask[cpu];
    if (inTail && TAIL_KINDS[kind] === 0 && !irq) {
      // A different task acts and no switch to it was seen.
      this.#missed(cpu, task);
    } else if (!inTail && cur !== task && cur !== -1 && task >= 0 && kind !== EventKind.schedSwitch) {
      this.#missed(cpu, task);
    } else if (cur === -1 && task >= 0 && kind !== EventKind.schedSwitch) {
      this.#arrive(cpu, task);
    }
    if (cpus.pendingGrab[cpu] !== NO_LIFE)
      this.#settleGrab(cpu, cpus.tail[cpu] !== Tail.none && cpus.cur[cpu] !== task);
    if (TAIL_KINDS[kind] === 1) {
      if (kind === EventKind.schedSwitch && cpus.cur[cpu] === task) cpus.pendingDrop[cpu] = NO_LIFE;
      return task;
    }
    const inTask = TASK_KINDS[kind] === 1 || (b.ctx[i]! & CTX_TASK) !== 0;
    if (!inTask || irq || task < 0) return task;
    cpus.tail[cpu] = Tail.none;
    cpus.pendingDrop[cpu] = NO_LIFE;
    settlePut(this, task);
    if (tasks.entering[task]! >= 0 || tasks.unusing[task] === 1) settleBorrow(this, cpu, task);
    tasks.firm[task] = world.seq;
    return task;
  }

  /** mmgrab of a lazy reference (§9.1): any event after enter_lazy_tlb, or by the next task, proves it done. */
  #settleGrab(cpu: number, inTail: boolean): void {
    const { cpus } = this.world;
    const stage = cpus.grabStage[cpu]!;
    if (stage !== GrabStage.lazy && (stage !== GrabStage.switched || inTail)) return;
    cpus.pendingGrab[cpu] = NO_LIFE;
    cpus.grabStage[cpu] = GrabStage.none;
  }

  /** The first task seen on a CPU in unknown state. */
  #arrive(cpu: number, task: number): void {
    const { tasks, cpus } = this.world;
    cpus.cur[cpu] = task;
    tasks.cpu[task] = cpu;
    const using = this.#using(task);
    setActive(this, cpu, task, using);
  }

  #missed(cpu: number, task: number): void {
    if (this.seen[EventKind.schedSwitch]! > 0) {
      this.problems.add(
        SWITCH_MISMATCH,
        this.windows.line,
        `CPU ${cpu}: pid ${this.world.tasks.pid[task] ?? -1}`,
      );
    }
    forgetCpu(this, cpu);
    this.#arrive(cpu, task);
  }

  /** What a task uses, looking at its thread group when it is new to us: threads share the mm. */
  #using(task: number): number {
    const { tasks } = this.world;
    const using = tasks.using(task);
    if (using !== UNKNOWN_LIFE) return using;
    const tgid = tasks.tgid[task]!;
    if (tgid <= 0 || tgid === tasks.pid[task]) return using;
    const leader = tasks.find(tgid);
    if (leader <= IDLE || tasks.mm[leader]! < 0 || tasks.tgid[leader] !== tgid) return using;
    confirmMember(this, task, tasks.mm[leader]!);
    return tasks.using(task);
  }

  #lost(cpu: number): void {
    const { world } = this;
    const { cpus, tasks } = world;
    world.lossSeq = world.seq;
    if (cpu >= 0) cpus.ensure(cpu);
    let fromSeq = world.seq;
    let fromNs = world.ns;
    for (let c = 0; c < cpus.length; c++) {
      if (cpu >= 0 && c !== cpu) continue;
      fromSeq = Math.min(fromSeq, cpus.lastSeq[c]!);
      fromNs = Math.min(fromNs, cpus.lastNs[c]!);
    }
    this.windows.loseEvents(fromSeq, fromNs);
    for (let c = 0; c < cpus.length; c++) if (cpu < 0 || c === cpu) forgetCpu(this, c);
    // Any task may have exec'd, exited, borrowed or released in the gap.
    for (let t = IDLE + 1; t < tasks.length; t++) {
      if (tasks.entering[t]! >= 0) world.mms.between[tasks.entering[t]!]! -= 1;
      if (tasks.unusing[t] === 1) world.mms.between[tasks.borrowed[t]!]! -= 1;
      if (tasks.borrowed[t]! >= 0) world.mms.borrows[tasks.borrowed[t]!]! -= 1;
      tasks.entering[t] = NO_LIFE;
      tasks.unusing[t] = 0;
      tasks.borrowed[t] = NO_LIFE;
      settlePut(this, t);
      if (tasks.mm[t]! >= 0) leave(this, t);
      tasks.kind[t] = TaskKind.unknown;
      tasks.mm[t] = UNKNOWN_LIFE;
      tasks.leaving[t] = NO_LIFE;
    }
    tasks.gets.clear();
    tasks.opened.clear();
  }

  #sample(b: EventBatch, i: number): void {
    if (this.#sampleOwner === undefined) return;
    this.windows.sample(
      this.#sampleOwner,
      b.cpu[i]!,
      b.mm[i]!,
      (b.flags[i]! & SAMPLE_LAZY) !== 0,
      (b.flags[i]! & SAMPLE_SWITCHING) !== 0,
    );
  }

  #dispatch(b: EventBatch, i: number, kind: number, cpu: number, tid: number, task: number): void {
    const { world, windows } = this;
    const { tasks, mms, cpus } = world;
    if (task < 0) return;
    switch (kind) {
      case EventKind.schedSwitch:
        this.#switch(cpu, task, b.argTid[i]!, b.argComm[i]!, b.flags[i]!);
        return;
      case EventKind.switchMm:
        this.#switchMm(b, i, cpu, task);
        return;
      case EventKind.tlbFlush:
        if ((b.flags[i]! & 0xff) !== TlbReason.taskSwitch || cpu < 0) return;
        this.#crLoads++;
        cpus.crLoaded[cpu] = 1;
        if (this.seen[EventKind.switchMm] === 0) this.#crLoaded(cpu, task, (b.ctx[i]! & CTX_IRQ) !== 0);
        return;
      case EventKind.enterLazyTlb:
        this.#enterLazy(b, i, cpu, task);
        return;
      case EventKind.taskNewtask:
        this.#newtask(b, i, cpu, tid, task);
        return;
      case EventKind.schedProcessFork:
        this.#processFork(b, i, cpu, tid, task);
        return;
      case EventKind.schedProcessExec:
        this.#processExec(cpu, task);
        return;
      case EventKind.schedProcessExit:
        this.#processExit(cpu, b.argTid[i]!);
        return;
      case EventKind.mmInit: {
        const label = b.mm[i]!;
        if (label <= NULL_MM) return;
        const old = mms.find(label);
        if (old >= 0) mms.unbind(old);
        const life = mms.create(label, world.seq, task);
        mms.sum[life] = 1;
        return;
      }
      case EventKind.mmdrop: {
        const life = mms.find(b.mm[i]!);
        if (life >= 0) mms.unbind(life);
        return;
      }
      case EventKind.exitMmap: {
        const life = mms.find(b.mm[i]!);
        if (life < 0) return;
        close(this, life);
        if (mms.broken[life] === 1)
          this.problems.add(LEDGER_BROKEN, windows.line, `mm with ${mms.sum[life]} mm_users left`);
        mms.khugepaged[life] = 0;
        mms.ksm[life] = 0;
        return;
      }
      case EventKind.getTaskMm:
      case EventKind.mmAccess: {
        tasks.getEntry[task] = world.seq;
        const target = b.argTid[i]! >= 0 ? tasks.find(b.argTid[i]!) : -1;
        if (target > IDLE && tasks.mm[target]! >= 0) {
          tasks.lastGetSeq[task] = world.seq;
          tasks.lastGetMm[task] = tasks.mm[target]!;
          tasks.edge[task] = world.seq;
          tasks.edgeMm[task] = tasks.mm[target]!;
          beginGet(this, task, tasks.mm[target]!);
          windows.block(
            tasks.mm[target]!,
            kind === EventKind.getTaskMm ? "get_task_mm" : "mm_access",
            tid,
            b.comm[i]!,
          );
        }
        return;
      }
      case EventKind.getTaskMmRet:
      case EventKind.mmAccessRet:
        this.#got(b, i, kind, tid, task);
        return;
      case EventKind.procMemOpenRet:
        if (b.mm[i]! > NULL_MM) noteOpened(this, task, mms.of(b.mm[i]!));
        return;
      case EventKind.mmput:
      case EventKind.mmputAsync:
        if (b.mm[i]! > NULL_MM) put(this, task, mms.of(b.mm[i]!));
        return;
      case EventKind.execBegin: {
        const label = b.mm[i]!;
        if (label <= NULL_MM) return;
        let life = mms.find(label);
        if (life < 0) {
          life = mms.create(label, world.seq, task);
          mms.sum[life] = 1;
        }
        mms.maker[life] = task;
        tasks.execNew[task] = life;
        return;
      }
      case EventKind.execMmRelease:
      case EventKind.exitMmRelease: {
        const label = b.mm[i]!;
        if (label <= NULL_MM) return;
        beginLeave(this, task, mms.of(label));
        return;
      }
      case EventKind.kthreadUseMm: {
        if (b.mm[i]! <= NULL_MM) return;
        const life = mms.of(b.mm[i]!);
        windows.block(life, "kthread_use_mm", tid, b.comm[i]!);
        callUseMm(this, task, life);
        if (this.seen[EventKind.switchMm] === 0) useMm(this, cpu, task, life);
        return;
      }
      case EventKind.kthreadUnuseMm: {
        if (b.mm[i]! <= NULL_MM) return;
        const life = mms.of(b.mm[i]!);
        windows.block(life, "kthread_unuse_mm", tid, b.comm[i]!);
        callUnuseMm(this, task, life);
        if (this.seen[EventKind.enterLazyTlb] === 0) unuseMm(this, cpu, task);
        return;
      }
      case EventKind.khugepagedEnter:
        if (b.mm[i]! > NULL_MM) mms.khugepaged[mms.of(b.mm[i]!)] = 1;
        return;
      case EventKind.khugepagedExit:
        if (b.mm[i]! > NULL_MM) mms.khugepaged[mms.of(b.mm[i]!)] = 0;
        return;
      case EventKind.ksmEnter:
        if (b.mm[i]! > NULL_MM) mms.ksm[mms.of(b.mm[i]!)] = 1;
        return;
      case EventKind.ksmExit:
        if (b.mm[i]! > NULL_MM) mms.ksm[mms.of(b.mm[i]!)] = 0;
        return;
      case EventKind.mmuNotifierRegister:
        if (b.mm[i]! > NULL_MM) mms.notifiers[mms.of(b.mm[i]!)]! += 1;
        return;
      case EventKind.copyProcess: {
        this.#closeStale(task);
        const flags = b.flags[i]!;
        if ((flags & CLONE_VM) !== 0 || tasks.kind[task] === TaskKind.kernel) return;
        const attempt = windows.begin(task, tid, b.comm[i]!, cpu, START.copy_process, flags);
        windows.check(attempt, ensureLife(this, task), cpu, START.copy_process, -1, -1);
        return;
      }
      case EventKind.sysEnterClone: {
        this.#closeStale(task);
        const flags = b.flags[i]!;
        if ((flags & CLONE_VM) === 0) windows.begin(task, tid, b.comm[i]!, cpu, START.sys_enter_clone, flags);
        return;
      }
      case EventKind.uprobeStartDupMmap: {
        const attempt = windows.begin(task, tid, b.comm[i]!, cpu, START.uprobe_start_dup_mmap, -1);
        windows.noteEarly(attempt, START.uprobe_start_dup_mmap);
        return;
      }
      case EventKind.dupMmap:
      case EventKind.uprobeDupMmap:
        this.#dupMmap(b, i, kind, cpu, tid, task);
        return;
      case EventKind.mmapLockAcquireReturned:
        if ((b.flags[i]! & LOCK_WRITE) !== 0 && (b.flags[i]! & LOCK_SUCCESS) !== 0)
          this.#locked(b, i, cpu, tid, task);
        return;
      case EventKind.mmapLockReleased:
        if ((b.flags[i]! & LOCK_WRITE) !== 0) this.#unlocked(b, i, task);
        return;
      case EventKind.flushTlbMmRange: {
        const attempt = windows.attempts.get(task);
        if (attempt !== undefined && attempt.row >= 0 && attempt.open && mms.find(b.mm[i]!) === attempt.life)
          attempt.flushing = true;
        return;
      }
      case EventKind.flushTlbMmRangeRet: {
        const attempt = windows.attempts.get(task);
        if (attempt?.flushing === true) windows.end(attempt, END.flush_tlb_mm_range_ret);
        return;
      }
      case EventKind.dupMmapRet:
        this.#endBy(task, END.dup_mmap_ret);
        return;
      case EventKind.uprobeEndDupMmap:
        this.#endBy(task, END.uprobe_end_dup_mmap);
        return;
      case EventKind.copyProcessRet: {
        const attempt = windows.attempts.get(task);
        if (attempt === undefined) return;
        // task_newtask comes before the return of a copy_process that succeeded.
        if (attempt.open && attempt.startBy === START.copy_process && this.seen[EventKind.taskNewtask]! > 0)
          windows.drop(attempt);
        else windows.end(attempt, END.copy_process_ret);
        return;
      }
      default:
        return;
    }
  }

  #switch(cpu: number, prev: number, nextPid: number, nextComm: number, state: number): void {
    const { tasks } = this.world;
    if (cpu < 0 || nextPid === NONE) return;
    const next = tasks.of(nextPid);
    if (next > IDLE && nextComm >= 0) tasks.comm[next] = nextComm;
    if (state === SwitchState.sleeping || state === SwitchState.zombie || state === SwitchState.dead) {
      settlePut(this, prev);
      if (prev !== IDLE) {
        tasks.firm[prev] = this.world.seq;
        tasks.asleep[prev] = 1;
      }
      if (state !== SwitchState.sleeping) closeOpened(this, prev);
    }
    this.#using(prev);
    this.#using(next);
    contextSwitch(this, cpu, prev, next, {
      switchMm: this.seen[EventKind.switchMm]! > 0,
      tlbFlush: this.#crLoads > 0,
    });
  }

  #switchMm(b: EventBatch, i: number, cpu: number, task: number): void {
    const { mms, cpus, tasks } = this.world;
    if (cpu < 0 || b.mm[i]! < 0) return;
    const label = b.mm[i]!;
    const prevLabel = b.mm2[i]!;
    if ((b.flags[i]! & SWITCH_MM_NO_TASK) !== 0) {
      if (prevLabel > NULL_MM && task > IDLE && this.#isExec(task, mms.of(label))) {
        exec(this, cpu, task, mms.of(label));
        return;
      }
      const lazy = cpus.lazy[cpu]!;
      loadOther(this, cpu, mms.of(label));
      if (lazy >= 0) this.windows.onUnload(cpu);
      return;
    }
    // use_temporary_mm (text_poke) passes prev NULL: only the hardware state changes.
    if (prevLabel === NULL_MM) {
      loadOther(this, cpu, mms.of(label));
      return;
    }
    const from = prevLabel > NULL_MM ? mms.of(prevLabel) : UNKNOWN_LIFE;
    const pid = b.argTid[i]!;
    if (
      cpus.tail[cpu] === Tail.awaited &&
      (pid === NONE ? cpus.cur[cpu] !== task || task === IDLE : tasks.of(pid) === cpus.cur[cpu])
    ) {
      switchMmTail(this, cpu, cpus.cur[cpu]!, mms.of(label), from);
      return;
    }
    const target = pid === NONE ? task : tasks.of(pid);
    if (target === task) {
      // switch_mm of current outside a switch: kthread_use_mm's, with or without its own probe.
      const life = mms.of(label);
      if (tasks.entering[task] !== life && tasks.borrowed[task] !== life)
        this.windows.block(life, "kthread_use_mm", tasks.pid[task]!, b.comm[i]!);
      useMm(this, cpu, task, life);
      return;
    }
    // A switch whose sched_switch is missing.
    this.#missedTail(cpu, task, target);
    switchMmTail(this, cpu, target, mms.of(label), from);
  }

  /**
   * CR3 written on a CPU that runs a kernel task, outside a switch: a flush or cpuidle sent it to init_mm (rows 11, 13),
   * unless the task itself loaded something (kthread_use_mm): then nobody can tell what.
   */
  #crLoaded(cpu: number, task: number, irq: boolean): void {
    const { cpus } = this.world;
    if (cpus.cur[cpu] !== task || cpus.active[cpu] !== NO_LIFE) return;
    cpus.loaded[cpu] = task === IDLE || irq ? this.#otherMm() : -1;
    this.windows.onUnload(cpu);
  }

  #otherMm(): number {
    if (this.#other < 0) this.#other = this.world.mms.create(-1, -1, -1);
    return this.#other;
  }

  #missedTail(cpu: number, prev: number, next: number): void {
    const { cpus, tasks } = this.world;
    cpus.prevUsing[cpu] = this.#using(prev);
    cpus.prevTask[cpu] = prev;
    cpus.cur[cpu] = next;
    tasks.cpu[next] = cpu;
  }

  #isExec(task: number, life: number): boolean {
    const { tasks, mms } = this.world;
    return (
      tasks.execNew[task] === life ||
      mms.maker[life] === task ||
      (tasks.leaving[task]! >= 0 && tasks.leaving[task] !== life)
    );
  }

  #enterLazy(b: EventBatch, i: number, cpu: number, task: number): void {
    const { mms, cpus, tasks } = this.world;
    if (cpu < 0 || b.mm[i]! <= NULL_MM) return;
    const life = mms.of(b.mm[i]!);
    const pid = b.argTid[i]!;
    const cur = cpus.cur[cpu]!;
    const isTail =
      cpus.tail[cpu] === Tail.awaited &&
      (pid === NONE ? cur !== task || task === IDLE : tasks.of(pid) === cur && cur !== task);
    if (isTail) {
      lazyTail(this, cpu, cur, life);
      return;
    }
    const target = pid === NONE ? task : tasks.of(pid);
    if (target !== task) {
      this.#missedTail(cpu, task, target);
      lazyTail(this, cpu, target, life);
      return;
    }
    if (tasks.borrowed[task]! >= 0) {
      if (tasks.unusing[task] === 0)
        this.windows.block(life, "kthread_unuse_mm", tasks.pid[task]!, b.comm[i]!);
      unuseMm(this, cpu, task);
      return;
    }
    // exit_mm(), or kthread_unuse_mm() already applied from its own probe.
    if (tasks.mm[task] === life || tasks.leaving[task] === life) exitMm(this, cpu, task, life);
    else if (cpus.lazy[cpu] !== life) {
      cpus.setLazy(cpu, life, this.world.seq);
      setActive(this, cpu, task, NO_LIFE);
    }
  }

  #got(b: EventBatch, i: number, kind: number, tid: number, task: number): void {
    const { tasks, mms, seq } = this.world;
    const entry = tasks.getEntry[task]!;
    tasks.getEntry[task] = -1;
    endGet(this, task);
    const label = b.mm[i]!;
    if (label <= NULL_MM) return;
    const life = mms.of(label);
    if (entry < 0) {
      tasks.lastGetSeq[task] = seq;
      tasks.lastGetMm[task] = life;
      this.windows.block(
        life,
        kind === EventKind.getTaskMmRet ? "get_task_mm" : "mm_access",
        tid,
        b.comm[i]!,
      );
    }
    get(this, task, life, entry >= 0 ? entry : this.#firmBefore);
    tasks.lastGetMm[task] = life;
    if (kind === EventKind.mmAccessRet && (b.flags[i]! & CALLER_OTHER) === 0) noteOpened(this, task, life);
  }

  #newtask(b: EventBatch, i: number, cpu: number, tid: number, parent: number): void {
    const { world, windows } = this;
    const { tasks, mms } = world;
    const flags = b.flags[i]!;
    const pid = b.argTid[i]!;
    if (pid <= 0) return;
    const attempt = windows.attempts.get(parent);
    const from = this.#firmBefore;
    if ((flags & CLONE_VM) !== 0 && attempt !== undefined && attempt.row < 0)
      windows.finish(attempt, END.none, -1);
    const child = tasks.create(pid, world.seq);
    tasks.comm[child] = b.argComm[i]! >= 0 ? b.argComm[i]! : b.comm[i]!;
    tasks.forked[parent] = 1;
    if ((flags & CLONE_VM) !== 0) {
      const fromUser = (flags & CLONE_THREAD) !== 0 || (flags & CLONE_UNTRACED) === 0;
      if (
        !fromUser ||
        (tasks.kind[parent] === TaskKind.kernel &&
          tasks.mm[parent] === NO_LIFE &&
          tasks.borrowed[parent]! < 0)
      ) {
        tasks.kind[child] = TaskKind.kernel;
        tasks.mm[child] = NO_LIFE;
        return;
      }
      ensureLife(this, parent);
      const kind =
        (flags & CLONE_THREAD) !== 0
          ? (flags & CLONE_UNTRACED) !== 0
            ? ShareKind.ioWorker
            : ShareKind.thread
          : (flags & CLONE_VFORK) !== 0
            ? ShareKind.vfork
            : ShareKind.thread;
      if ((flags & CLONE_THREAD) !== 0) tasks.tgid[child] = tasks.tgid[parent]!;
      share(this, parent, child, kind, from);
      return;
    }
    const fork = attempt ?? windows.begin(parent, tid, b.comm[i]!, cpu, START.none, flags);
    let life = fork.newLabel > NULL_MM ? mms.find(fork.newLabel) : -1;
    if (life < 0) {
      // No mm_init seen: born no earlier than the parent's last sign before copy_mm.
      life = mms.create(fork.newLabel > NULL_MM ? fork.newLabel : -1, Math.max(fork.earlySeq, 0), child);
      mms.sum[life] = 1;
    }
    tasks.share[child] = ShareKind.none;
    join(this, child, life, true);
    if (fork.row < 0) windows.point(fork, pid, END.task_newtask, false, from);
    else windows.finish(fork, END.task_newtask, pid);
  }

  /** Without task_newtask the clone flags are unknown unless the syscall or copy_process showed them. */
  #processFork(b: EventBatch, i: number, cpu: number, tid: number, parent: number): void {
    const { world, windows } = this;
    const { tasks, mms } = world;
    const pid = b.argTid[i]!;
    const known = tasks.find(pid);
    if (
      known >= 0 &&
      tasks.birth[known]! >= 0 &&
      world.seq - tasks.birth[known]! < 1e6 &&
      tasks.comm[known] !== -1 &&
      this.seen[EventKind.taskNewtask]! > 0
    ) {
      const attempt = windows.attempts.get(parent);
      if (attempt !== undefined) windows.finish(attempt, END.sched_process_fork, -1);
      return;
    }
    const attempt = windows.attempts.get(parent);
    const child = tasks.create(pid, world.seq);
    tasks.comm[child] = b.argComm[i]!;
    tasks.forked[parent] = 1;
    // kthreadd (pid 2 on every kernel) makes kernel threads: no mm is copied.
    if (tasks.pid[parent] === 2) {
      tasks.kind[child] = TaskKind.kernel;
      tasks.mm[child] = NO_LIFE;
      return;
    }
    if (attempt === undefined || (attempt.row < 0 && attempt.flags === -1)) {
      const fork = attempt ?? windows.begin(parent, tid, b.comm[i]!, cpu, START.none, -1);
      windows.point(fork, pid, END.sched_process_fork, true, this.#firmBefore);
      return;
    }
    const label = attempt.newLabel;
    let life = label > NULL_MM ? mms.find(label) : -1;
    if (life < 0) {
      life = mms.create(label > NULL_MM ? label : -1, attempt.earlySeq, child);
      mms.sum[life] = 1;
    }
    join(this, child, life, true);
    if (attempt.row < 0) windows.point(attempt, pid, END.sched_process_fork, false, this.#firmBefore);
    else windows.finish(attempt, END.sched_process_fork, pid);
  }

  #processExec(cpu: number, task: number): void {
    const { world } = this;
    const { tasks, mms, cpus } = world;
    if (task <= IDLE) return;
    // exec_mmap already applied from switch_mm_irqs_off?
    const maker = tasks.mm[task]! >= 0 && mms.maker[tasks.mm[task]!] === task;
    if (maker && this.seen[EventKind.switchMm]! > 0) return;
    const made = tasks.execNew[task]!;
    if (made >= 0) {
      exec(this, cpu, task, made);
      return;
    }
    const old = tasks.mm[task]!;
    const from = this.#firmBefore;
    if (old >= 0) {
      this.forks.patchMembers(world, old, from, world.seq, -1);
      this.forks.patchUsers(world, old, from, world.seq, 0, 1, Doubt.exitRace);
    }
    const life = mms.create(-1, Math.max(from, 0), task);
    mms.sum[life] = 1;
    exec(this, cpu, task, life);
    if (cpu >= 0) cpus.loaded[cpu] = -1;
  }

  #processExit(cpu: number, pid: number): void {
    const { tasks } = this.world;
    const task = tasks.find(pid);
    if (task <= IDLE) return;
    exitUnseen(this, cpu, task);
  }

  #dupMmap(b: EventBatch, i: number, kind: number, cpu: number, tid: number, task: number): void {
    const { windows } = this;
    const by = kind === EventKind.dupMmap ? START.dup_mmap : START.uprobe_dup_mmap;
    let attempt = windows.attempts.get(task);
    // The same function again after its window was closed: another fork (no copy_process probe between).
    if (attempt !== undefined && !attempt.open) {
      windows.finish(attempt, END.none, -1);
      attempt = undefined;
    }
    attempt ??= windows.begin(task, tid, b.comm[i]!, cpu, by, -1);
    attempt.comm = b.comm[i]!;
    const life = windows.lifeAt(task, b.mm[i]! > NULL_MM ? b.mm[i]! : -1);
    if (b.mm2[i]! > NULL_MM) attempt.newLabel = b.mm2[i]!;
    const users = b.users[i]!;
    const count = b.count[i]!;
    windows.check(attempt, life, cpu, by, users === NO_VALUE ? -1 : users, count === NO_VALUE ? -1 : count);
    this.#sampleOwner = this.forks.line[attempt.row] === windows.line ? attempt : undefined;
    if (attempt.newLabel > NULL_MM && this.world.mms.find(attempt.newLabel) < 0) {
      const child = this.world.mms.create(attempt.newLabel, this.world.seq, task);
      this.world.mms.sum[child] = 1;
    }
  }

  #locked(b: EventBatch, i: number, cpu: number, tid: number, task: number): void {
    const { windows } = this;
    const label = b.mm[i]!;
    if (label <= NULL_MM) return;
    const attempt = windows.attempts.get(task);
    if (attempt !== undefined && attempt.open) {
      const { mms, tasks } = this.world;
      if (attempt.startBy < START.mmap_lock_acquire_returned && !attempt.locked) {
        // Inside copy_process the first write lock is dup_mmap's on the old mm, whatever name it is printed under.
        const known = attempt.row >= 0 ? attempt.life : tasks.mm[task]!;
        if (known >= 0 && mms.label[known]! >= 0 && mms.find(label) !== known) {
          if (mms.isAddress(label)) return;
          mms.alias(known, label);
        }
        attempt.locked = true;
        windows.check(attempt, windows.lifeAt(task, label), cpu, START.mmap_lock_acquire_returned, -1, -1);
      } else if (mms.find(label) !== attempt.life) {
        if (attempt.newLabel <= NULL_MM) attempt.newLabel = label;
        else if (attempt.newLabel !== label && !mms.isAddress(label)) {
          const child = mms.find(attempt.newLabel);
          if (child >= 0) mms.alias(child, label);
        }
      }
      return;
    }
    const held = windows.lockOutside(task, label);
    if (held === undefined) return;
    const made = windows.fromLocks(task, tid, b.comm[i]!, cpu, held);
    made.newLabel = label;
  }

  #unlocked(b: EventBatch, i: number, task: number): void {
    const { windows } = this;
    const attempt = windows.attempts.get(task);
    if (attempt !== undefined && attempt.row >= 0) {
      if (attempt.open && this.world.mms.find(b.mm[i]!) === attempt.life)
        windows.end(attempt, END.mmap_lock_released);
      return;
    }
    windows.unlockOutside(task, b.mm[i]!);
  }

  #endBy(task: number, by: number): void {
    const attempt = this.windows.attempts.get(task);
    if (attempt !== undefined) this.windows.end(attempt, by);
  }

  /** A new fork begins while an old one never showed its end. */
  #closeStale(task: number): void {
    const attempt = this.windows.attempts.get(task);
    if (attempt === undefined) return;
    const cut = attempt.open && attempt.row >= 0;
    this.windows.finish(attempt, END.none, -1);
    if (cut) this.windows.cut(attempt);
  }
}
