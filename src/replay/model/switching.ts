// context_switch() and everything else that moves lazy references, loaded mms and CPU state: semantics §2.3,
// §2.4 rows 1, 5-8, 11-14, and what recordings added in §9.1, §9.3, §9.10, §9.15.
import { beginExit } from "./exits.ts";
import {
  beginBorrow,
  endBorrow,
  forgetCpu,
  join,
  leave,
  leaveLater,
  type Model,
  note,
  park,
  partWays,
  reveal,
  sameLife,
  setActive,
} from "./model.ts";
import { Left, Note } from "./names.ts";
import { Exec, GrabStage, IDLE, NO_LIFE, ShareKind, Tail, TaskKind, UNKNOWN_LIFE } from "./world.ts";

/**
 * A task of unknown kind leaves a CPU that a user of `life` left to it, and CR3 was not loaded in between. A user
 * task of another mm would have loaded it (§2.3), and no task older than `life` is a member of it: it is a kernel
 * task, and has held `life` lazily since it came.
 */
function inferKernel(m: Model, cpu: number, task: number): void {
  const { tasks, cpus, mms } = m.world;
  const life = cpus.prevUsing[cpu]!;
  if (life < 0 || cpus.crLoaded[cpu] === 1 || mms.birth[life]! <= tasks.birth[task]! || mms.birth[life]! < 0)
    return;
  if (m.world.lostDuring(life)) return;
  learnKernel(m, task);
  if (cpus.unknownSince[cpu]! >= 0 && cpus.unknownSince[cpu]! < cpus.switchSeq[cpu]!) return;
  cpus.unknownSince[cpu] = -1;
  m.world.setLazy(cpu, life);
}

/** sched_switch: prev leaves `cpu`, next comes; the counters follow §2.3 as far as both tasks are known. */
export function contextSwitch(m: Model, cpu: number, prev: number, next: number): void {
  const { tasks, cpus, seq, switchMmSeen, flushesSeen } = m.world;
  if (cpus.cur[cpu] !== prev) {
    if (cpus.cur[cpu] !== -1) forgetCpu(m, cpu);
  } else if (flushesSeen && tasks.kind[prev] === TaskKind.unknown) inferKernel(m, cpu, prev);
  cpus.crLoaded[cpu] = 0;
  const prevUsing = usingAtSwitch(m, prev);
  const wasUnknown = cpus.unknownSince[cpu]! >= 0;
  if (wasUnknown && prevUsing >= 0) reveal(m, cpu, prevUsing, prev);
  cpus.cur[cpu] = next;
  cpus.prevTask[cpu] = prev;
  cpus.switchSeq[cpu] = seq;
  cpus.prevUsing[cpu] = prevUsing;
  cpus.tail[cpu] = Tail.awaited;
  tasks.cpu[prev] = cpu;
  if (next !== IDLE) settleLeftBehind(m, cpu, next);
  tasks.cpu[next] = cpu;
  if (tasks.asleep[next] === 1) {
    tasks.asleep[next] = 0;
    tasks.firm[next] = seq;
  }
  cpus.pendingDrop[cpu] = NO_LIFE;
  const nextUsing = usingAtSwitch(m, next);
  if (nextUsing === NO_LIFE) {
    // user -> kernel grabs; kernel -> kernel transfers; unknown -> kernel: the tail says on what.
    if (prevUsing >= 0) {
      park(m, cpu, prevUsing, prev, tasks.borrowed[prev]! >= 0 ? Left.borrower : Left.switched);
      cpus.pendingGrab[cpu] = prevUsing;
      cpus.grabStage[cpu] = GrabStage.switched;
    } else if (prevUsing === UNKNOWN_LIFE) makeUnknown(m, cpu);
    setActive(m, cpu, next, NO_LIFE);
    return;
  }
  if (nextUsing >= 0) {
    const how = cpus.lazy[cpu] === nextUsing && cpus.loaded[cpu] === nextUsing ? "resumed" : "switched";
    if (prevUsing === NO_LIFE || prevUsing === UNKNOWN_LIFE) cpus.pendingDrop[cpu] = cpus.lazy[cpu]!;
    m.world.setLazy(cpu, NO_LIFE);
    if (!switchMmSeen) {
      if (wasUnknown) cpus.unknownSince[cpu] = -1;
      load(m, cpu, nextUsing);
    }
    // With switch_mm_irqs_off probed the new mm is in use from that event on; without it, from here.
    setActive(m, cpu, next, switchMmSeen ? NO_LIFE : nextUsing, how);
    return;
  }
  makeUnknown(m, cpu);
  if (!switchMmSeen) cpus.loaded[cpu] = -1;
  cpus.pendingGrab[cpu] = NO_LIFE;
  setActive(m, cpu, next, UNKNOWN_LIFE);
}

/**
 * What a task uses as it is switched out or in. One preempted after it called kthread_use_mm is a kernel task until the
 * call's switch_mm_irqs_off; where that is not recorded it may be either.
 */
function usingAtSwitch(m: Model, task: number): number {
  const { tasks, switchMmSeen } = m.world;
  if (tasks.exiting[task]! >= 0) return UNKNOWN_LIFE;
  if (!switchMmSeen && tasks.entering[task]! >= 0 && tasks.borrowed[task]! < 0) return UNKNOWN_LIFE;
  return tasks.using(task);
}

/**
 * A task is picked on `cpu` that another CPU was last seen switching away from: no CPU picks a task whose on_cpu is still
 * set, and finish_task() clears it after the switch's mmgrab. So the grab there is done, though that CPU shows nothing more.
 */
function settleLeftBehind(m: Model, cpu: number, task: number): void {
  const { tasks, cpus } = m.world;
  const old = tasks.cpu[task]!;
  if (old < 0 || old === cpu || cpus.prevTask[old] !== task || cpus.cur[old] === task) return;
  cpus.pendingGrab[old] = NO_LIFE;
  cpus.grabStage[old] = GrabStage.none;
}

function makeUnknown(m: Model, cpu: number): void {
  const { cpus } = m.world;
  m.world.setLazy(cpu, UNKNOWN_LIFE);
  if (cpus.unknownSince[cpu]! >= 0) return;
  cpus.unknownSince[cpu] = m.world.seq;
  cpus.unknownNs[cpu] = m.world.ns;
  cpus.unknownFork[cpu] = m.forks.length;
}

/** cpu_tlbstate.loaded_mm becomes `life`. `from`: the active_mm until then, which was loaded unless a flush had sent it away. */
export function load(m: Model, cpu: number, life: number, from = -1): void {
  const { cpus, mms } = m.world;
  cpus.loadedBefore[cpu] = cpus.loaded[cpu]! >= 0 ? cpus.loaded[cpu]! : from;
  cpus.loaded[cpu] = life;
  cpus.loadSeq[cpu] = m.world.seq;
  cpus.leaving[cpu] = 0;
  if (mms.firstCpu[life] === -1) mms.firstCpu[life] = cpu;
  else if (mms.firstCpu[life] !== cpu) mms.manyCpus[life] = 1;
}

/** `life` turns out to be what the CPU has had loaded: nothing is under way. */
export function learnLoaded(m: Model, cpu: number, life: number): void {
  load(m, cpu, life);
  m.world.cpus.loadSeq[cpu] = -1;
}

/** enter_lazy_tlb as the tail of a switch to kernel task `next`, whose active_mm is now `life`. */
export function lazyTail(m: Model, cpu: number, next: number, met: number): void {
  const { tasks, cpus, mms } = m.world;
  const prevUsing = cpus.prevUsing[cpu]!;
  learnKernel(m, next);
  if (prevUsing >= 0 && prevUsing !== met) mendLineage(m, cpus.prevTask[cpu]!, met);
  const life = mms.label[met]! >= 0 ? mms.find(mms.label[met]!) : met;
  const wasUnknown = cpus.unknownSince[cpu]! >= 0;
  if (wasUnknown) {
    m.onTold(cpu);
    reveal(m, cpu, life, cpus.prevTask[cpu]!);
  }
  // A prev of unknown kind may have been a kernel task: then the reference is older, and nobody knows whose.
  if (prevUsing >= 0) park(m, cpu, life, cpus.prevTask[cpu]!);
  else m.world.setLazy(cpu, life);
  if (prevUsing === NO_LIFE) {
    cpus.pendingGrab[cpu] = NO_LIFE;
    cpus.grabStage[cpu] = GrabStage.none;
  } else {
    cpus.pendingGrab[cpu] = life;
    cpus.grabStage[cpu] = GrabStage.lazy;
    // What stays loaded is prev's mm, whatever it was taken for.
    if (
      prevUsing >= 0 &&
      (cpus.loaded[cpu] === -1 || cpus.loaded[cpu] === prevUsing) &&
      cpus.loaded[cpu] !== life
    )
      learnLoaded(m, cpu, life);
  }
  cpus.pendingDrop[cpu] = NO_LIFE;
  cpus.tail[cpu] = Tail.seen;
  tasks.cpu[next] = cpu;
  setActive(m, cpu, next, NO_LIFE);
}

/** switch_mm_irqs_off(prev, next, tsk) as the tail of a switch to `task`, which uses `next`; `from` is prev->active_mm's life. */
export function switchMmTail(m: Model, cpu: number, task: number, next: number, from: number): void {
  const { tasks, cpus } = m.world;
  const prevUsing = cpus.prevUsing[cpu]!;
  learnUser(m, task, next);
  // The pointer may have turned out to be the address of a life known by lineage.
  const life = tasks.using(task);
  if (cpus.unknownSince[cpu]! >= 0) {
    m.onTold(cpu);
    if (from >= 0) reveal(m, cpu, from, cpus.prevTask[cpu]!);
  }
  // kernel -> user drops prev->active_mm in finish_task_switch; user -> user has nothing to drop.
  cpus.pendingDrop[cpu] = prevUsing >= 0 ? NO_LIFE : from;
  m.world.setLazy(cpu, NO_LIFE);
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
  cpus.tail[cpu] = Tail.seen;
  tasks.cpu[task] = cpu;
  // Still loaded: no flush has sent the lazy CPU to init_mm meanwhile.
  const how = from === life && prevUsing < 0 && cpus.loaded[cpu] === life ? "resumed" : "switched";
  load(m, cpu, life, from);
  setActive(m, cpu, task, life, how);
  if (tasks.exiting[task]! >= 0) beginExit(m, task);
}

/** A task was switched in as a kernel task: it has no mm and borrows none. */
function learnKernel(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  if (task === IDLE) return;
  const borrowed = tasks.borrowed[task]!;
  if (borrowed >= 0) {
    if (tasks.unusing[task] === 1) mms.unusing[borrowed]! -= 1;
    tasks.unusing[task] = 0;
    endBorrow(m, task);
  }
  if (tasks.mm[task]! >= 0) leave(m, task);
  tasks.kind[task] = TaskKind.kernel;
  tasks.mm[task] = NO_LIFE;
}

/** A task was switched in with `life` as its mm: a user task, or a kthread inside kthread_use_mm. */
function learnUser(m: Model, task: number, life: number): void {
  const { tasks, mms } = m.world;
  if (tasks.using(task) === life) return;
  if (tasks.kind[task] === TaskKind.kernel && tasks.borrowed[task]! < 0 && tasks.mm[task] === NO_LIFE) {
    // Known to have had no mm: its kthread_use_mm (or exec) was not recorded.
    if (mms.maker[life] === task) {
      join(m, task, life, true);
      return;
    }
    beginBorrow(m, task, life);
    tasks.borrowSeq[task] = m.world.seq;
    mms.hiddenHolder[life] = 1;
    mms.hiddenBorrow[life] = 1;
    return;
  }
  if (tasks.borrowed[task]! >= 0) {
    endBorrow(m, task);
    beginBorrow(m, task, life);
    return;
  }
  if (tasks.mm[task]! >= 0) {
    if (sameLife(m, tasks.mm[task]!, life)) return;
    partWays(m, tasks.mm[task]!);
    leave(m, task);
    join(m, task, life, mms.maker[life] === task);
    return;
  }
  // First sight of a task older than the trace. It may be a kthread inside kthread_use_mm, so it is not proven to
  // hold mm_users: not a sure member.
  tasks.kind[task] = TaskKind.user;
  tasks.mm[task] = life;
  tasks.sureMember[task] = 0;
}

/** The pointer contradicts the lineage: prev used `life` after all (an exec the trace missed). */
function mendLineage(m: Model, task: number, life: number): void {
  if (task > IDLE && m.world.tasks.borrowed[task]! < 0 && m.world.tasks.mm[task]! >= 0)
    learnUser(m, task, life);
}

/** switch_mm_irqs_off with tsk NULL onto init_mm, or a temporary mm: the CPU's hardware state changes, nothing else (rows 11, 13-15). */
export function loadOther(m: Model, cpu: number, life: number): void {
  const { cpus } = m.world;
  cpus.loadedBefore[cpu] = cpus.loaded[cpu]!;
  cpus.loaded[cpu] = life;
  cpus.loadSeq[cpu] = m.world.seq;
}

/**
 * A CPU goes offline: `task` has loaded init_mm, `life`, for good. In 7.2 that is its hotplug thread, which drops what the CPU held
 * lazily (sched_force_init_mm()); up to 6.12 its idle task, which leaves the drop to another CPU (idle_task_exit(), finish_cpu()):
 * it shows nowhere, but is done when the CPU runs again. `from` is what it held, where that is told.
 */
export function goOffline(m: Model, cpu: number, task: number, life: number, from: number): void {
  const { cpus } = m.world;
  if (from >= 0 && cpus.unknownSince[cpu]! >= 0) reveal(m, cpu, from, task);
  loadOther(m, cpu, life);
  cpus.leaving[cpu] = 1;
  const held = from >= 0 ? from : cpus.lazy[cpu]!;
  if (held < 0) return;
  m.world.setLazy(cpu, NO_LIFE);
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
  if (task === IDLE) cpus.pendingDrop[cpu] = held;
  else dropLater(m, task, held);
}

/** exec_mmap(): the running task's mm becomes `life`; its former mm's reference goes with the mmput that follows. */
export function exec(m: Model, cpu: number, task: number, life: number): void {
  const { tasks, cpus } = m.world;
  const old = tasks.mm[task]!;
  if (old >= 0) {
    leaveLater(m, task, old);
  } else if (cpu >= 0 && cpus.lazy[cpu] !== NO_LIFE) {
    // exec from a kernel thread (usermode helper): the lazy reference is dropped (§2.2).
    cpus.pendingDrop[cpu] = cpus.lazy[cpu]!;
    m.world.setLazy(cpu, NO_LIFE);
  }
  tasks.share[task] = ShareKind.none;
  join(m, task, life, true);
  tasks.execNew[task] = NO_LIFE;
  tasks.exec[task] = Exec.applied;
  if (cpu < 0) return;
  if (cpus.unknownSince[cpu]! >= 0 && old >= 0) reveal(m, cpu, old, task);
  load(m, cpu, life, old);
  if (cpus.unknownSince[cpu]! < 0) m.world.setLazy(cpu, NO_LIFE);
  setActive(m, cpu, task, life);
}

/** kthread_use_mm() called: a preempted caller has not got the mm yet; from 6.4 on it may hold its mmgrab already. */
export function callUseMm(m: Model, task: number, life: number): void {
  const { tasks, mms } = m.world;
  if (tasks.entering[task] === life || tasks.borrowed[task] === life) return;
  settleUse(m, task);
  // What it rests on it has by now: a get that comes before the call takes effect is somebody else's.
  if (!isBacked(m, task, life, mms.entering[life]! + 1)) mms.hiddenHolder[life] = 1;
  tasks.entering[task] = life;
  mms.entering[life]! += 1;
  note(m, Note.entering, life, task);
}

/** kthread_unuse_mm() called: the mm stays in use until tsk->mm is cleared, in one step with enter_lazy_tlb (§9.3, §9.15). */
export function callUnuseMm(m: Model, cpu: number, task: number, life: number): void {
  const { tasks, mms } = m.world;
  if (tasks.unusing[task] === 1) return;
  if (tasks.borrowed[task] !== life) {
    // Borrowed before the trace began, or its kthread_use_mm was not recorded.
    settleUse(m, task);
    if (tasks.mm[task]! >= 0) leave(m, task);
    tasks.kind[task] = TaskKind.kernel;
    tasks.mm[task] = NO_LIFE;
    endBorrow(m, task);
    beginBorrow(m, task, life);
    if (!isBacked(m, task, life)) {
      mms.hiddenHolder[life] = 1;
      mms.hiddenBorrow[life] = 1;
    }
    if (cpu >= 0) learnLoaded(m, cpu, life);
  }
  tasks.unusing[task] = 1;
  mms.unusing[life]! += 1;
}

/** A call of kthread_use_mm that never showed its switch_mm: it is over one way or the other. */
function settleUse(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  const life = tasks.entering[task]!;
  if (life < 0) return;
  mms.entering[life]! -= 1;
  tasks.entering[task] = NO_LIFE;
  m.world.names.remove(Note.entering, life, task);
}

/** kthread_use_mm(mm) takes effect (§2.2, §9.3): mm_count +1 unless the lazy reference is converted; the old active_mm is dropped. */
export function useMm(m: Model, cpu: number, task: number, life: number, from: number): void {
  const { tasks, mms, cpus, rules, seq } = m.world;
  settleUse(m, task);
  const before = tasks.borrowed[task]!;
  if (before >= 0 && before !== life) m.onHold(task, before, "borrow", false);
  if (before !== life) {
    if (tasks.mm[task]! >= 0) leave(m, task);
    if (tasks.kind[task] !== TaskKind.kernel) ownGets(m, task);
    tasks.kind[task] = TaskKind.kernel;
    tasks.mm[task] = NO_LIFE;
    // switch_mm_irqs_off names what the kthread held until now.
    if (cpu >= 0 && from >= 0) reveal(m, cpu, from, task);
    endBorrow(m, task);
    beginBorrow(m, task, life);
    tasks.borrowSeq[task] = seq;
    m.onHold(task, life, "borrow", true);
    // Used without any reference the trace shows: somebody else holds one (§9.4).
    if (!isBacked(m, task, life)) mms.hiddenHolder[life] = 1;
    if (cpu >= 0) {
      cpus.unknownSince[cpu] = -1;
      const lazy = from >= 0 ? from : cpus.lazy[cpu]!;
      m.world.setLazy(cpu, NO_LIFE);
      // Dropped after switch_mm, by the kthread itself, which may be preempted before.
      if (lazy !== life || rules.useMmAlwaysGrabs) dropLater(m, task, lazy);
    }
  }
  if (cpu < 0) return;
  load(m, cpu, life, from);
  setActive(m, cpu, task, life, "borrowed");
}

/**
 * Does a reference that the trace shows stand behind the borrow of `life` that `task` has begun: its own get, or one by a
 * kthread or a member for it? Another process's get is a reader's, which puts it when it pleases. `more`: borrows called and not in effect.
 */
function isBacked(m: Model, task: number, life: number, more = 0): boolean {
  const { tasks, mms } = m.world;
  if (tasks.gets.get(task)?.includes(life) === true) return true;
  return mms.getsKthread[life]! + mms.getsSelf[life]! >= mms.borrows[life]! + more;
}

/** A task not known to be a kthread when it took its references: a borrower's, not a reader's. */
function ownGets(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  for (const life of tasks.gets.get(task) ?? []) {
    if (mms.getsReader[life]! <= 0) continue;
    mms.getsReader[life]! -= 1;
    mms.getsKthread[life]! += 1;
  }
}

/** The borrow ends: the reference stays, as the CPU's lazy one (net 0, one step: §9.3). */
export function unuseMm(m: Model, cpu: number, task: number): void {
  const { tasks, mms, cpus, rules } = m.world;
  const life = tasks.borrowed[task]!;
  if (life < 0) return;
  if (tasks.unusing[task] === 1) mms.unusing[life]! -= 1;
  tasks.unusing[task] = 0;
  const borrowSeq = tasks.borrowSeq[task]!;
  endBorrow(m, task);
  tasks.borrowSeq[task] = -1;
  m.onHold(task, life, "borrow", false);
  m.onHold(task, life, "lazy", true);
  if (cpu < 0) return;
  const since = cpus.unknownSince[cpu]!;
  if (since >= 0) {
    cpus.unknownSince[cpu] = -1;
    // Only a borrow older than the unknown state has held the CPU all that time.
    if (borrowSeq < since) m.onReveal(cpu, life, task, true, since);
  }
  park(m, cpu, life, task, Left.borrower);
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
  // From 6.4 on mmgrab_lazy_tlb comes first and mmdrop after: one more for a moment.
  if (rules.useMmAlwaysGrabs) dropLater(m, task, life);
  setActive(m, cpu, task, NO_LIFE);
}

/** `task` is about to drop one mm_count of `life`; its next event of its own shows that it has. */
function dropLater(m: Model, task: number, life: number): void {
  settleDrop(m, task);
  if (life < 0) return;
  m.world.tasks.pendingDrop[task] = life;
  m.world.mms.pendingDrops[life]! += 1;
}

/** The task has gone on after a drop, or after a grab of khugepaged's or KSM's. */
export function settleDrop(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  const drop = tasks.pendingDrop[task]!;
  if (drop >= 0) {
    mms.pendingDrops[drop]! -= 1;
    tasks.pendingDrop[task] = NO_LIFE;
  }
  const hold = tasks.pendingHold[task]!;
  if (hold >= 0) {
    mms.pendingHolds[hold]! -= 1;
    tasks.pendingHold[task] = NO_LIFE;
  }
}

/** __khugepaged_enter() or __ksm_enter() called: the mmgrab is done by the caller's next event. */
export function holdLater(m: Model, task: number, life: number): void {
  settleDrop(m, task);
  m.world.tasks.pendingHold[task] = life;
  m.world.mms.pendingHolds[life]! += 1;
}

/** The task has gone on after kthread_use_mm or kthread_unuse_mm: the call has taken effect, seen or not. */
export function settleBorrow(m: Model, cpu: number, task: number): void {
  const { tasks, cpus, enterLazySeen } = m.world;
  if (tasks.entering[task]! >= 0) useMm(m, cpu, task, tasks.entering[task]!, UNKNOWN_LIFE);
  else if (tasks.unusing[task] !== 1) return;
  else if (enterLazySeen || cpu < 0 || tasks.firm[task]! >= cpus.switchSeq[cpu]!) unuseMm(m, cpu, task);
  else {
    // Switched out and in since the call: the borrow may have ended there, and this CPU may hold anything lazily.
    unuseMm(m, -1, task);
    makeUnknown(m, cpu);
    setActive(m, cpu, task, NO_LIFE);
  }
}
