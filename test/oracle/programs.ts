// What the tasks of the tiny kernel do: fork, clone, exec, exit, borrow, read /proc, map memory. Each function follows
// the kernel function of its name, one yield wherever another CPU or a preemption can come in between.
import { NULL_MM } from "../../src/table/event-batch.ts";
import {
  CALLER_OTHER,
  CALLER_PROC_MEM_OPEN,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  EventKind,
  EXIT_BEFORE_MM,
  LOCK_SUCCESS,
  LOCK_WRITE,
  TLB_ALL,
  TlbReason,
} from "../../src/table/event-kinds.ts";
import type { Kernel, Mm, Program, Task } from "./kernel.ts";

const MAX_TASKS = 12;
const FORK_FLAGS = 0x1200000;
const ENOMEM = -12;

/** A user process: some random deeds, then exit. */
export function* userTask(k: Kernel, task: Task): Program {
  const deeds = 4 + Math.floor(k.chance() * 25);
  for (let i = 0; i < deeds; i++) {
    yield "run";
    const roll = k.chance();
    const crowded = k.tasks.length > MAX_TASKS;
    if (roll < 0.3) yield "sleep";
    else if (roll < 0.45) yield "run";
    else if (roll < 0.65 && !crowded) yield* fork(k, task);
    else if (roll < 0.7 && !crowded) yield* clone(k, task, CLONE_VM | CLONE_THREAD);
    else if (roll < 0.74 && !crowded) yield* clone(k, task, CLONE_VM | CLONE_VFORK);
    else if (roll < 0.77) yield* exec(k, task);
    else if (roll < 0.83) yield* enterHolder(k, task.mm!, "khugepaged");
    else if (roll < 0.84) yield* enterHolder(k, task.mm!, "ksm");
    else if (roll < 0.87) yield* munmap(k, task);
    else if (roll < 0.93) yield* readStatus(k, task);
    else if (roll < 0.95) yield* readProcFile(k, task);
    else if (k.setup.rare) yield* rareDeed(k, task, crowded);
  }
  yield* exit(k, task);
}

function* rareDeed(k: Kernel, task: Task, crowded: boolean): Program {
  if (k.odds(0.4)) yield* abandonedFork(k);
  else if (!crowded) yield* clone(k, task, CLONE_VM);
}

function* vforkChild(k: Kernel, task: Task): Program {
  yield "run";
  if (k.odds(0.3)) {
    yield* exit(k, task);
    return;
  }
  yield* exec(k, task);
  yield* userTask(k, task);
}

/** A kernel thread that borrows mms, or only runs now and then. */
export function* kernelTask(k: Kernel, task: Task, borrows: boolean): Program {
  for (;;) {
    yield "sleep";
    const target = k.pick(k.tasks.filter((other) => !other.isKernel && other.mm !== null));
    const roll = k.chance();
    if (!borrows || target === undefined || roll < 0.2) yield "run";
    else if (roll < 0.75) yield* borrowWithGet(k, task, target);
    else if (roll < 0.85) yield* borrowHidden(k, task, target.mm!);
    else yield* borrowByCount(k, task, target.mm!);
  }
}

function* borrowWithGet(k: Kernel, task: Task, target: Task): Program {
  const mm = yield* getTaskMm(k, task, target);
  if (mm === null) return;
  do {
    yield* useMm(k, task, mm);
    yield* dawdle(k);
    yield* unuseMm(k, task, mm);
  } while (k.odds(0.25));
  yield* mmput(k, mm);
}

/** mmget_not_zero has no hook: only the put shows. */
function* borrowHidden(k: Kernel, task: Task, mm: Mm): Program {
  mm.users++;
  mm.hidden++;
  task.gotAt = -1;
  yield* useMm(k, task, mm);
  yield* dawdle(k);
  yield* unuseMm(k, task, mm);
  yield* mmput(k, mm, true);
}

/** A driver with an mm_count reference only (idxd, §3.3); the mm may lose its last user meanwhile. */
function* borrowByCount(k: Kernel, task: Task, mm: Mm): Program {
  mm.count++;
  task.gotAt = -1;
  yield* useMm(k, task, mm);
  yield* dawdle(k);
  yield* unuseMm(k, task, mm);
  k.drop(mm);
}

function* dawdle(k: Kernel): Program {
  while (k.odds(0.8)) yield k.odds(0.1) ? "sleep" : "run";
}

function* useMm(k: Kernel, task: Task, mm: Mm): Program {
  k.emit(EventKind.kthreadUseMm, { mm: mm.id });
  task.changing = mm;
  yield "run";
  if (k.setup.modern) mm.count++;
  yield "irqsOff";
  const old = task.active!;
  const grabs = old !== mm || k.setup.modern;
  if (old !== mm && !k.setup.modern) mm.count++;
  task.active = mm;
  task.mm = mm;
  yield "irqsOff";
  const cpu = k.cpuOf(task);
  k.beginUse(cpu, task, mm, k.rows.length);
  k.load(cpu, task, old, mm);
  task.changing = null;
  yield "irqsOff";
  yield "run";
  if (grabs) k.drop(old);
  k.emit(EventKind.kthreadUseMmRet);
  yield "run";
}

function* unuseMm(k: Kernel, task: Task, mm: Mm): Program {
  k.emit(EventKind.kthreadUnuseMm, { mm: mm.id });
  task.changing = mm;
  yield "run";
  yield "irqsOff";
  if (k.setup.modern) mm.count++;
  task.mm = null;
  yield "irqsOff";
  leaveMm(k, task, mm);
  task.changing = null;
  yield "irqsOff";
  yield "run";
  if (k.setup.modern) k.drop(mm);
  k.emit(EventKind.kthreadUnuseMmRet);
  yield "run";
}

/** enter_lazy_tlb for the task itself. */
function leaveMm(k: Kernel, task: Task, mm: Mm): void {
  const cpu = k.cpuOf(task);
  k.emit(EventKind.enterLazyTlb, { mm: mm.id, argTid: task.tid });
  k.endUse(cpu);
  if (cpu.loaded !== k.initMm) cpu.lazy = true;
}

function* getTaskMm(k: Kernel, task: Task, target: Task): Generator<"run", Mm | null, void> {
  k.emit(EventKind.getTaskMm, { argTid: target.tid });
  task.askedAt = k.rows.length;
  yield "run";
  const mm = target.isKernel ? null : target.mm;
  if (mm !== null) {
    // The 15 May patch diverts only a get that finds both counts 1 (§6 (b)).
    task.gotAt = mm.users === 1 && mm.count === 1 ? k.rows.length : -1;
    mm.users++;
  }
  yield "run";
  k.emit(EventKind.getTaskMmRet, { mm: mm?.id ?? NULL_MM });
  yield "run";
  return mm;
}

function* mmput(k: Kernel, mm: Mm, isHidden = false): Program {
  k.emit(EventKind.mmput, { mm: mm.id });
  yield "run";
  mm.users--;
  if (isHidden) mm.hidden--;
  if (mm.users === 0) yield* teardown(k, mm);
  yield "run";
}

/** __mmput. */
function* teardown(k: Kernel, mm: Mm): Program {
  yield "run";
  if (mm.ksm) {
    k.emit(EventKind.ksmExit, { mm: mm.id });
    mm.count--;
  }
  if (mm.khugepaged) {
    k.emit(EventKind.khugepagedExit, { mm: mm.id });
    mm.count--;
  }
  yield "run";
  k.emit(EventKind.exitMmap, { mm: mm.id });
  yield "run";
  yield* flush(k, mm);
  k.drop(mm);
}

/** flush_tlb_mm_range with freed tables, by a task on whichever CPU it is. */
function* flush(k: Kernel, mm: Mm): Program {
  k.emit(EventKind.flushTlbMmRange, { mm: mm.id, flags: 1 });
  yield "hold";
  const done = k.shootDown(k.here(), mm, true);
  if (k.here().loaded === mm && !k.here().lazy)
    k.emit(EventKind.tlbFlush, { flags: TlbReason.localMmShootdown | TLB_ALL });
  while (!done()) yield "hold";
  k.emit(EventKind.flushTlbMmRangeRet);
  yield "run";
}

function* writeLock(k: Kernel, task: Task, mm: Mm): Program {
  k.emit(EventKind.mmapLockStartLocking, { mm: mm.id, flags: LOCK_WRITE });
  yield "run";
  while (mm.writer !== null || mm.readers > 0) {
    task.until = () => mm.writer === null && mm.readers === 0;
    yield "sleep";
  }
  mm.writer = task;
  yield "run";
  k.emit(EventKind.mmapLockAcquireReturned, { mm: mm.id, flags: LOCK_WRITE | LOCK_SUCCESS });
}

function* writeUnlock(k: Kernel, mm: Mm): Program {
  k.emit(EventKind.mmapLockReleased, { mm: mm.id, flags: LOCK_WRITE });
  yield "run";
  mm.writer = null;
  yield "run";
}

function* readLock(task: Task, mm: Mm): Program {
  while (mm.writer !== null) {
    task.until = () => mm.writer === null;
    yield "sleep";
  }
  mm.readers++;
  yield "run";
}

function* munmap(k: Kernel, task: Task): Program {
  const mm = task.mm!;
  yield* writeLock(k, task, mm);
  yield "run";
  yield* flush(k, mm);
  yield* writeUnlock(k, mm);
}

function* enterHolder(k: Kernel, mm: Mm, who: "khugepaged" | "ksm"): Program {
  if (mm[who]) return;
  mm[who] = true;
  k.emit(who === "ksm" ? EventKind.ksmEnter : EventKind.khugepagedEnter, { mm: mm.id });
  yield "run";
  mm.count++;
  yield "run";
}

function* fork(k: Kernel, task: Task): Program {
  const mm = task.mm!;
  k.emit(EventKind.copyProcess, { flags: FORK_FLAGS });
  k.onCheck(task, mm);
  yield "run";
  const child = k.newMm();
  k.emit(EventKind.mmInit, { mm: child.id });
  yield "run";
  if (!k.setup.modern) {
    k.emitCheck(EventKind.dupMmap, mm, child);
    k.onCheck(task, mm);
    yield "run";
  }
  k.emit(EventKind.uprobeStartDupMmap);
  yield "run";
  const fails = k.odds(0.04);
  yield* dupMmap(k, task, mm, child, fails);
  k.emit(EventKind.uprobeEndDupMmap);
  yield "run";
  if (!k.setup.modern) k.emit(EventKind.dupMmapRet, { flags: fails ? ENOMEM : 0 });
  yield "run";
  // After copy_mm() too: copy_namespaces(), alloc_pid(), a fatal signal.
  if (fails || (k.setup.rare && k.odds(0.1))) {
    yield* mmput(k, child);
    k.emit(EventKind.copyProcessRet);
    return;
  }
  const born = k.newTask(false, child, (self) => userTask(k, self));
  yield* announce(k, born, FORK_FLAGS);
}

/** copy_process() gives up before copy_mm(): a signal is pending, or the limit is reached. */
function* abandonedFork(k: Kernel): Program {
  k.emit(EventKind.copyProcess, { flags: FORK_FLAGS });
  yield "run";
  k.emit(EventKind.copyProcessRet);
  yield "run";
}

function* dupMmap(k: Kernel, task: Task, mm: Mm, child: Mm, fails: boolean): Program {
  yield* writeLock(k, task, mm);
  k.onCheck(task, mm);
  yield "run";
  k.emitCheck(EventKind.uprobeDupMmap, mm, child);
  k.onCheck(task, mm);
  yield "run";
  yield* writeLock(k, task, child);
  if (!k.setup.modern) yield* inherit(k, mm, child);
  do {
    k.emit(EventKind.copyPageRange, { mm: mm.id, mm2: child.id });
    yield "run";
    if (k.odds(0.1)) yield "sleep";
  } while (k.odds(0.7));
  if (k.setup.modern && !fails) yield* inherit(k, mm, child);
  yield* writeUnlock(k, child);
  yield* flush(k, mm);
  yield* writeUnlock(k, mm);
}

/** khugepaged_fork and ksm_fork. */
function* inherit(k: Kernel, mm: Mm, child: Mm): Program {
  if (mm.ksm) yield* enterHolder(k, child, "ksm");
  if (mm.khugepaged) yield* enterHolder(k, child, "khugepaged");
}

/** The end of copy_process and kernel_clone. */
function* announce(k: Kernel, born: Task, flags: number): Program {
  k.emit(EventKind.taskNewtask, { argTid: born.tid, flags });
  yield "run";
  k.emit(EventKind.copyProcessRet);
  k.emit(EventKind.schedProcessFork, { argTid: born.tid });
  yield "run";
  k.wake(born);
}

function* clone(k: Kernel, task: Task, flags: number): Program {
  const mm = task.mm!;
  k.emit(EventKind.copyProcess, { flags });
  yield "run";
  mm.users++;
  yield "run";
  const isVfork = (flags & CLONE_VFORK) !== 0;
  const born = k.newTask(false, mm, (self) => (isVfork ? vforkChild(k, self) : userTask(k, self)));
  if ((flags & CLONE_THREAD) !== 0) born.group = task.group;
  yield* announce(k, born, flags);
  if (!isVfork) return;
  task.until = () => born.vforkDone;
  yield "sleep";
}

/**
 * begin_new_exec and what it frees. de_thread() would kill the other threads first and give a thread its leader's pid: only
 * leaders that are alone exec here.
 */
function* exec(k: Kernel, task: Task): Program {
  const isAlone = !k.tasks.some((other) => other !== task && other.group === task.group);
  if (!isAlone || task.group !== task.tid) return;
  const next = k.newMm();
  k.emit(EventKind.mmInit, { mm: next.id });
  yield k.odds(0.3) ? "sleep" : "run";
  k.emit(EventKind.execBegin, { mm: next.id });
  yield "run";
  const old = task.mm!;
  k.emit(EventKind.execMmRelease, { mm: old.id, argTid: task.tid });
  task.vforkDone = true;
  yield "run";
  yield* readLock(task, old);
  yield "irqsOff";
  task.active = next;
  task.mm = next;
  const cpu = k.cpuOf(task);
  k.endUseAtNextRow(cpu);
  k.beginUse(cpu, task, next, -1);
  k.load(cpu, null, old, next);
  yield "irqsOff";
  old.readers--;
  yield "run";
  yield* mmput(k, old);
  k.emit(EventKind.schedProcessExec, { argTid: task.tid });
}

function* exit(k: Kernel, task: Task): Program {
  const mm = task.mm!;
  if (k.setup.exitsFirst) {
    k.emit(EventKind.schedProcessExit, { argTid: task.tid, flags: EXIT_BEFORE_MM });
    yield "run";
  }
  k.emit(EventKind.exitMmRelease, { mm: mm.id, argTid: task.tid });
  task.vforkDone = true;
  yield "run";
  yield* readLock(task, mm);
  mm.count++;
  yield "irqsOff";
  task.mm = null;
  yield "irqsOff";
  leaveMm(k, task, mm);
  yield "irqsOff";
  mm.readers--;
  yield "run";
  yield* mmput(k, mm);
  if (!k.setup.exitsFirst) k.emit(EventKind.schedProcessExit, { argTid: task.tid });
  yield "run";
}

/** ps: /proc/PID/stat. */
function* readStatus(k: Kernel, task: Task): Program {
  const target = k.pick(k.tasks.filter((other) => other !== task));
  if (target === undefined) return;
  const mm = yield* getTaskMm(k, task, target);
  if (mm === null) return;
  while (k.odds(0.5)) yield k.odds(0.2) ? "sleep" : "run";
  yield* mmput(k, mm);
}

/** /proc/PID/maps: mm_access and mmgrab at open, mmget_not_zero at each read, mmdrop at close (§9.4, §9.7). */
function* readProcFile(k: Kernel, task: Task): Program {
  const target = k.pick(k.tasks.filter((other) => !other.isKernel && other.mm !== null && other !== task));
  if (target === undefined) return;
  k.emit(EventKind.mmAccess, { argTid: target.tid });
  yield "run";
  const mm = target.mm;
  if (mm !== null) {
    // The 15 May patch diverts only a get that finds both counts 1 (§6 (b)).
    task.gotAt = mm.users === 1 && mm.count === 1 ? k.rows.length : -1;
    mm.users++;
  }
  yield "run";
  const isFile = k.odds(0.7);
  k.emit(EventKind.mmAccessRet, {
    mm: mm?.id ?? NULL_MM,
    flags: isFile ? CALLER_PROC_MEM_OPEN : CALLER_OTHER,
  });
  yield "run";
  if (mm === null) return;
  if (isFile) mm.count++;
  yield* mmput(k, mm);
  if (!isFile) return;
  k.emit(EventKind.procMemOpenRet, { mm: mm.id });
  for (yield "run"; k.odds(0.5); yield "run") {
    if (mm.users === 0) continue;
    mm.users++;
    mm.hidden++;
    yield "run";
    yield* mmput(k, mm, true);
  }
  k.drop(mm);
}
