// Process creation, exec and exit: newtask and fork events, the check points of a fork and its mmap_lock events
// (semantics §4.1, §4.2, §5.1).
import { type EventBatch, NO_VALUE, NULL_MM } from "../table/event-batch.ts";
import {
  CLONE_FILES,
  CLONE_IO,
  CLONE_THREAD,
  CLONE_UNTRACED,
  CLONE_VFORK,
  CLONE_VM,
  EventKind,
  EXIT_BEFORE_MM,
  FORK_FLAGS_KNOWN,
  FORK_ONLY,
  STATE_KERNEL,
  STATE_USER,
} from "../table/event-kinds.ts";
import { type Attempt, END, START } from "./attempt.ts";
import { Doubt } from "./forks.ts";
import type { Lowering } from "./lowering.ts";
import { exitUnseen } from "./model/exits.ts";
import { confirmMember, ensureLife, join } from "./model/model.ts";
import { exec } from "./model/switching.ts";
import { beginLeave, execLife, share } from "./model/users.ts";
import { Exec, IDLE, NO_LIFE, ShareKind, TaskKind, UNKNOWN_LIFE } from "./model/world.ts";

/** task_newtask, or what says as much. */
export function newtask(
  r: Lowering,
  b: EventBatch,
  i: number,
  cpu: number,
  tid: number,
  parent: number,
  by: number = END.task_newtask,
): void {
  const { world, windows } = r;
  const { tasks, mms } = world;
  const flags = b.flags[i]!;
  const pid = b.argTid[i]!;
  if (pid <= 0) return;
  const attempt = windows.attempts.get(parent);
  const from = r.firmBefore;
  if ((flags & CLONE_VM) !== 0 && attempt !== undefined && attempt.row < 0)
    windows.finish(attempt, END.none, -1);
  const child = tasks.create(pid, world.seq);
  tasks.comm[child] = b.argComm[i]! >= 0 ? b.argComm[i]! : b.comm[i]!;
  tasks.forked[parent] = 1;
  if ((flags & CLONE_FILES) !== 0) tasks.forked[child] = 1;
  tasks.tgid[child] = (flags & CLONE_THREAD) !== 0 ? tasks.tgid[parent]! : pid;
  if ((flags & CLONE_VM) !== 0) {
    const fromUser = (flags & CLONE_THREAD) !== 0 || (flags & CLONE_UNTRACED) === 0;
    if (
      !fromUser ||
      (tasks.kind[parent] === TaskKind.kernel && tasks.mm[parent] === NO_LIFE && tasks.borrowed[parent]! < 0)
    ) {
      tasks.kind[child] = TaskKind.kernel;
      tasks.mm[child] = NO_LIFE;
      return;
    }
    ensureLife(r, parent);
    const kind =
      (flags & CLONE_THREAD) !== 0
        ? (flags & CLONE_UNTRACED) !== 0 && (flags & CLONE_IO) !== 0
          ? ShareKind.ioWorker
          : ShareKind.thread
        : (flags & CLONE_VFORK) !== 0
          ? ShareKind.vfork
          : ShareKind.thread;
    share(r, parent, child, kind, from);
    return;
  }
  const fork = attempt ?? windows.begin(parent, tid, b.comm[i]!, cpu, START.none, flags);
  let life = madeFor(r, fork, parent);
  if (life < 0) {
    // No mm_init seen: born no earlier than the first sign of the fork. A fork without any began before the trace.
    const birth = attempt !== undefined ? attempt.earlySeq : showsForkStart(r) ? -1 : from;
    life = mms.create(fork.newLabel > NULL_MM ? fork.newLabel : -1, birth, child);
    mms.sum[life] = 1;
  }
  tasks.share[child] = ShareKind.none;
  join(r, child, life, true);
  if (fork.row < 0) windows.point(fork, pid, by, false, from);
  else windows.finish(fork, by, pid);
}

/**
 * The life that the parent made for its child (mm_init), -1 when that was not seen. An mm of that address which is older or has
 * users is another, whose end was not recorded (stock tracepoints show no exit_mmap).
 */
function madeFor(r: Lowering, fork: Attempt, parent: number): number {
  const { mms } = r.world;
  // Where dup_mmap() and its locks do not name it, it is the one that the parent ran mm_init() for last.
  const made = r.world.tasks.made[parent]!;
  r.world.tasks.made[parent] = NO_LIFE;
  const unnamed = made >= 0 && mms.closed[made] === 0 && mms.find(mms.label[made]!) === made ? made : -1;
  const life = fork.newLabel > NULL_MM ? mms.findLive(fork.newLabel) : unnamed;
  if (life < 0 || mms.members[life]! > 0) return -1;
  return mms.maker[life] === parent || mms.birth[life]! >= fork.earlySeq ? life : -1;
}

/** Would a fork that began in the recording have shown it before task_newtask? */
function showsForkStart(r: Lowering): boolean {
  return [
    EventKind.copyProcess,
    EventKind.uprobeStartDupMmap,
    EventKind.dupMmap,
    EventKind.uprobeDupMmap,
  ].some((kind) => r.shows(kind));
}

/** Without task_newtask the clone flags are unknown unless the syscall or copy_process showed them. */
export function processFork(
  r: Lowering,
  b: EventBatch,
  i: number,
  cpu: number,
  tid: number,
  parent: number,
): void {
  const { world, windows } = r;
  const { tasks, mms } = world;
  const pid = b.argTid[i]!;
  const isOnly = (b.flags[i]! & FORK_ONLY) !== 0;
  // kthreadd makes kernel threads without a syscall that shows their flags.
  if (isOnly && (b.flags[i]! & FORK_FLAGS_KNOWN) !== 0 && tasks.pid[parent] !== 2) {
    r.toldForks++;
    newtask(r, b, i, cpu, tid, parent, END.sched_process_fork);
    return;
  }
  const known = tasks.find(pid);
  if (!isOnly && known >= 0 && tasks.birth[known]! >= 0 && r.shows(EventKind.taskNewtask)) {
    const attempt = windows.attempts.get(parent);
    if (attempt !== undefined) windows.finish(attempt, END.sched_process_fork, -1);
    return;
  }
  const attempt = windows.attempts.get(parent);
  const child = tasks.create(pid, world.seq);
  tasks.comm[child] = b.argComm[i]!;
  tasks.forked[parent] = 1;
  if (attempt === undefined || attempt.flags === -1) tasks.forked[child] = 1;
  // kthreadd (pid 2 on every kernel) makes kernel threads: no mm is copied.
  if (tasks.pid[parent] === 2) {
    tasks.kind[child] = TaskKind.kernel;
    tasks.mm[child] = NO_LIFE;
    return;
  }
  if (attempt === undefined || (attempt.row < 0 && attempt.flags === -1)) {
    r.untoldForks++;
    const fork = attempt ?? windows.begin(parent, tid, b.comm[i]!, cpu, START.none, -1);
    windows.point(fork, pid, END.sched_process_fork, true, r.firmBefore);
    return;
  }
  const label = attempt.newLabel;
  let life = madeFor(r, attempt, parent);
  if (life < 0) {
    life = mms.create(label > NULL_MM ? label : -1, attempt.earlySeq, child);
    mms.sum[life] = 1;
  }
  join(r, child, life, true);
  if (attempt.row < 0) windows.point(attempt, pid, END.sched_process_fork, false, r.firmBefore);
  else windows.finish(attempt, END.sched_process_fork, pid);
}

/**
 * A task the recorder found when it began (lttng_statedump_process_state). A thread that is no leader shares its leader's
 * mm (CLONE_THREAD needs CLONE_VM), so that mm has both as users. Of a lone task nothing follows: a vfork child has its
 * parent's mm and a thread group of its own.
 */
export function taskState(r: Lowering, b: EventBatch, i: number): void {
  const { tasks } = r.world;
  const pid = b.argTid[i]!;
  const flags = b.flags[i]!;
  if (pid <= 0) return;
  const task = tasks.of(pid);
  if ((flags & STATE_KERNEL) !== 0) {
    if (tasks.kind[task] === TaskKind.unknown && tasks.mm[task] === UNKNOWN_LIFE) {
      if (tasks.borrowed[task] !== NO_LIFE) return;
      tasks.kind[task] = TaskKind.kernel;
      tasks.mm[task] = NO_LIFE;
    }
    return;
  }
  if ((flags & STATE_USER) === 0) return;
  const group = b.tgid[i]!;
  if (group <= 0) return;
  tasks.tgid[task] = group;
  // A member that exits unseen would be counted for ever.
  if (!r.shows(EventKind.schedProcessExit)) return;
  if (group === pid || tasks.mm[task] !== UNKNOWN_LIFE || tasks.kind[task] === TaskKind.kernel) return;
  const leader = tasks.find(group);
  if (leader <= IDLE || tasks.tgid[leader] !== group || tasks.mm[leader] === NO_LIFE) return;
  confirmMember(r, task, ensureLife(r, leader));
}

export function processExec(r: Lowering, cpu: number, task: number): void {
  const { world } = r;
  const { tasks, cpus } = world;
  if (task <= IDLE) return;
  const isApplied = tasks.exec[task] === Exec.applied;
  tasks.exec[task] = Exec.none;
  if (isApplied) return;
  const old = tasks.mm[task]!;
  const loaded = cpu >= 0 ? cpus.loaded[cpu]! : -1;
  if (world.switchMmSeen && loaded >= 0 && old >= 0) {
    // exec_mmap() loaded the new mm: before the trace began, or nothing told then that it was an exec.
    if (loaded !== old) exec(r, cpu, task, loaded);
    tasks.exec[task] = Exec.none;
    return;
  }
  if (old >= 0 && tasks.execNew[task]! < 0) {
    // Nothing showed when the old mm was left.
    const from = r.firmBefore;
    r.forks.patchMembers(world, old, from, world.seq, -1);
    r.forks.patchUsers(world, old, from, world.seq, 0, 1, Doubt.exitRace);
  }
  exec(r, cpu, task, execLife(r, task));
  tasks.exec[task] = Exec.none;
  if (cpu >= 0 && !world.switchMmSeen) cpus.loaded[cpu] = tasks.mm[task]!;
}

/** sched_process_exit: exit_mm() is over, or is to come and shows nothing but its end, if exit_mm_release is not recorded. */
export function processExit(r: Lowering, b: EventBatch, i: number, cpu: number): void {
  const { tasks, rules } = r.world;
  const task = tasks.find(b.argTid[i]!);
  if (task <= IDLE) return;
  if (!rules.exitTracedFirst && (b.flags[i]! & EXIT_BEFORE_MM) === 0) exitUnseen(r, cpu, task);
  else if (tasks.mm[task]! >= 0 && !r.shows(EventKind.exitMmRelease))
    beginLeave(r, task, tasks.mm[task]!, false);
}

export function dupMmap(
  r: Lowering,
  b: EventBatch,
  i: number,
  kind: number,
  cpu: number,
  tid: number,
  task: number,
): void {
  const { windows } = r;
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
  r.sampleOwner = r.forks.line.at(attempt.row) === r.world.line ? attempt : undefined;
  if (attempt.newLabel > NULL_MM) makeChild(r, attempt);
}

/** The new mm has just been made: another life that is known at its address is over, though neither its end nor mm_init() was seen. */
function makeChild(r: Lowering, { newLabel, task, earlySeq }: Attempt): void {
  const { mms, tasks, seq } = r.world;
  const known = mms.find(newLabel);
  const isMade = known >= 0 && mms.maker[known] === task && mms.birth[known]! >= earlySeq;
  if (isMade || (known >= 0 && tasks.made[task] === known)) return;
  if (known >= 0) mms.unbind(known);
  const child = mms.create(newLabel, seq, task);
  mms.sum[child] = 1;
}

export function locked(r: Lowering, b: EventBatch, i: number, cpu: number, tid: number, task: number): void {
  const { windows } = r;
  const label = b.mm[i]!;
  if (label <= NULL_MM) return;
  const attempt = windows.attempts.get(task);
  if (attempt?.open) {
    const { mms, tasks } = r.world;
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
  const held = windows.outerLocks.got(task, label);
  if (held === undefined) return;
  const made = windows.fromLocks(task, tid, b.comm[i]!, cpu, held);
  made.newLabel = label;
}

export function unlocked(r: Lowering, b: EventBatch, i: number, task: number): void {
  const { windows } = r;
  windows.outerLocks.released(task, b.mm[i]!);
  const attempt = windows.attempts.get(task);
  if (attempt !== undefined && attempt.row >= 0) {
    if (attempt.open && r.world.mms.find(b.mm[i]!) === attempt.life)
      windows.end(attempt, END.mmap_lock_released);
  }
}

export function endBy(r: Lowering, task: number, by: number): void {
  const attempt = r.windows.attempts.get(task);
  if (attempt !== undefined) r.windows.end(attempt, by);
}

/** A new fork begins while an old one never showed its end. */
export function closeStale(r: Lowering, task: number): void {
  const attempt = r.windows.attempts.get(task);
  if (attempt === undefined) return;
  const cut = attempt.open && attempt.row >= 0;
  r.windows.finish(attempt, END.none, -1);
  if (cut) r.windows.cut(attempt);
}
