// Trace rows to model events: one case a kind. The larger ones are in lower-switch.ts and lower-fork.ts; what an event
// proves besides is context.ts's. Called by replay.ts.
import { CTX_IRQ, type EventBatch, NULL_MM } from "../table/event-batch.ts";
import {
  CALLER_OTHER,
  CLONE_VM,
  EventKind,
  LOCK_SUCCESS,
  LOCK_WRITE,
  TlbReason,
} from "../table/event-kinds.ts";
import { END, START } from "./attempt.ts";
import { noteCall } from "./calls.ts";
import { divert } from "./evaluate.ts";
import { getCause, taskHolder } from "./holders.ts";
import {
  closeStale,
  dupMmap,
  endBy,
  locked,
  newtask,
  processExec,
  processExit,
  processFork,
  unlocked,
} from "./lower-fork.ts";
import { crLoaded, enterLazy, schedSwitch, switchMm } from "./lower-switch.ts";
import type { Lowering } from "./lowering.ts";
import { exitUnseen } from "./model/exits.ts";
import { ensureLife, note, setActive } from "./model/model.ts";
import { Note } from "./model/names.ts";
import { callUnuseMm, callUseMm, holdLater } from "./model/switching.ts";
import { beginClone, beginGet, beginLeave, close, endGet, get, noteOpened, put } from "./model/users.ts";
import { Divert, IDLE, NO_LIFE, TaskKind } from "./model/world.ts";
import { LEDGER_BROKEN } from "./problems.ts";

/** Applies one row, whose context is settled, to the model and the windows. `task`: TaskId of the context, -1 unknown. */
export function lower(
  r: Lowering,
  b: EventBatch,
  i: number,
  kind: number,
  cpu: number,
  tid: number,
  task: number,
): void {
  const { world, windows } = r;
  const { tasks, mms } = world;
  if (task < 0) return;
  switch (kind) {
    case EventKind.schedSwitch:
      schedSwitch(r, cpu, task, b.argTid[i]!, b.argComm[i]!, b.flags[i]!);
      return;
    case EventKind.switchMm:
      switchMm(r, b, i, cpu, task);
      return;
    case EventKind.tlbFlush:
      if ((b.flags[i]! & 0xff) === TlbReason.taskSwitch && cpu >= 0)
        loadedCr3(r, cpu, task, (b.ctx[i]! & CTX_IRQ) !== 0);
      return;
    case EventKind.schedMigrateTask:
      // A task goes there: the machine has that CPU, whether anything of it is recorded or not.
      world.cpus.ensure(b.flags[i]! >>> 16);
      return;
    case EventKind.enterLazyTlb:
      enterLazy(r, b, i, cpu, task);
      return;
    case EventKind.taskNewtask:
      newtask(r, b, i, cpu, tid, task);
      return;
    case EventKind.schedProcessFork:
      processFork(r, b, i, cpu, tid, task);
      return;
    case EventKind.schedProcessExec:
      processExec(r, cpu, task);
      return;
    case EventKind.schedProcessExit:
      processExit(r, b, i, cpu);
      return;
    case EventKind.mmInit: {
      const label = b.mm[i]!;
      if (label <= NULL_MM) return;
      const old = mms.find(label);
      if (old >= 0) mms.unbind(old);
      const life = mms.create(label, world.seq, task);
      mms.sum[life] = 1;
      tasks.made[task] = life;
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
      close(r, life);
      if (mms.broken[life] === 1)
        r.problems.add(LEDGER_BROKEN, world.line, `mm with ${mms.sum[life]} mm_users left`);
      mms.khugepaged[life] = 0;
      mms.ksm[life] = 0;
      world.names.forget(life);
      return;
    }
    case EventKind.getTaskMm:
    case EventKind.mmAccess: {
      tasks.getEntry[task] = world.seq;
      const target = b.argTid[i]! >= 0 ? tasks.find(b.argTid[i]!) : -1;
      tasks.getTarget[task] = target;
      const life = target > IDLE ? tasks.mm[target]! : NO_LIFE;
      if (life < 0) return;
      tasks.edge[task] = world.seq;
      tasks.edgeMm[task] = life;
      calledGet(
        r,
        task,
        life,
        kind === EventKind.getTaskMm ? "get_task_mm" : "mm_access",
        b.comm[i]!,
        target,
      );
      beginGet(r, task, life);
      return;
    }
    case EventKind.getTaskMmRet:
    case EventKind.mmAccessRet:
      got(r, b, i, kind, task);
      return;
    case EventKind.procMemOpenRet:
      if (b.mm[i]! > NULL_MM) noteOpened(r, task, mms.of(b.mm[i]!));
      return;
    case EventKind.mmput:
    case EventKind.mmputAsync:
      if (b.mm[i]! > NULL_MM) put(r, task, mms.ofLive(b.mm[i]!));
      return;
    case EventKind.execBegin: {
      const label = b.mm[i]!;
      if (label <= NULL_MM) return;
      let life = mms.findLive(label);
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
      beginLeave(r, task, mms.ofLive(label), kind === EventKind.execMmRelease);
      return;
    }
    case EventKind.kthreadUseMm: {
      if (b.mm[i]! <= NULL_MM) return;
      const life = mms.ofLive(b.mm[i]!);
      noteCall(r, life, "kthread_use_mm", task, b.comm[i]!);
      r.uses.called(task, life, false);
      r.gets.used(world, task, life);
      callUseMm(r, task, life);
      // Without switch_mm_irqs_off it may take effect any time from now.
      if (!world.switchMmSeen && cpu >= 0) setActive(r, cpu, task, life, "borrowed");
      return;
    }
    case EventKind.kthreadUnuseMm: {
      if (b.mm[i]! <= NULL_MM) return;
      const life = mms.of(b.mm[i]!);
      noteCall(r, life, "kthread_unuse_mm", task, b.comm[i]!);
      callUnuseMm(r, cpu, task, life);
      return;
    }
    case EventKind.khugepagedEnter:
      if (b.mm[i]! <= NULL_MM) return;
      registered(r, task, mms.of(b.mm[i]!), mms.khugepaged, Note.khugepaged);
      return;
    case EventKind.khugepagedExit:
      if (b.mm[i]! > NULL_MM) unregistered(r, mms.of(b.mm[i]!), mms.khugepaged, Note.khugepaged);
      return;
    case EventKind.ksmEnter:
      if (b.mm[i]! <= NULL_MM) return;
      registered(r, task, mms.of(b.mm[i]!), mms.ksm, Note.ksm);
      return;
    case EventKind.ksmExit:
      if (b.mm[i]! > NULL_MM) unregistered(r, mms.of(b.mm[i]!), mms.ksm, Note.ksm);
      return;
    case EventKind.mmuNotifierRegister:
      if (b.mm[i]! <= NULL_MM) return;
      notifierRegistered(r, task, mms.of(b.mm[i]!));
      return;
    case EventKind.copyProcess: {
      closeStale(r, task);
      const flags = b.flags[i]!;
      if ((flags & CLONE_VM) !== 0) beginClone(r, task);
      if ((flags & CLONE_VM) !== 0 || tasks.kind[task] === TaskKind.kernel) return;
      const attempt = windows.begin(task, tid, b.comm[i]!, cpu, START.copy_process, flags);
      windows.check(attempt, ensureLife(r, task), cpu, START.copy_process, -1, -1);
      return;
    }
    case EventKind.sysEnterClone: {
      closeStale(r, task);
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
      dupMmap(r, b, i, kind, cpu, tid, task);
      return;
    case EventKind.mmapLockStartLocking:
      if (b.mm[i]! > NULL_MM) r.locks.ask(task, b.mm[i]!, (b.flags[i]! & LOCK_WRITE) !== 0, world.ns);
      return;
    case EventKind.mmapLockAcquireReturned:
      acquired(r, b, i, cpu, tid, task);
      return;
    case EventKind.mmapLockReleased:
      released(r, b, i, task);
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
      endBy(r, task, END.dup_mmap_ret);
      return;
    case EventKind.uprobeEndDupMmap:
      endBy(r, task, END.uprobe_end_dup_mmap);
      return;
    case EventKind.copyProcessRet: {
      endGet(r, task);
      const attempt = windows.attempts.get(task);
      if (attempt === undefined) return;
      // task_newtask comes before the return of a copy_process that succeeded.
      if (attempt.open && attempt.startBy === START.copy_process && r.shows(EventKind.taskNewtask))
        windows.drop(attempt);
      // Without task_newtask the child is learnt from sched_process_fork, which is still to come.
      else if (r.shows(EventKind.taskNewtask)) windows.finish(attempt, END.copy_process_ret, -1);
      else windows.end(attempt, END.copy_process_ret);
      return;
    }
    default:
      return;
  }
}

/** tlb_flush, reason 0: CR3 was loaded. */
function loadedCr3(r: Lowering, cpu: number, task: number, irq: boolean): void {
  const { cpus, tasks, switchMmSeen } = r.world;
  cpus.crLoaded[cpu] = 1;
  if (switchMmSeen) return;
  // Outside a switch, in a task that exits, only the flush of a lazy CPU does that: exit_mmap()'s own, or another CPU's.
  if (tasks.exiting[task]! >= 0 && cpus.cur[cpu] === task) exitUnseen(r, cpu, task);
  crLoaded(r, cpu, task, irq);
}

function acquired(r: Lowering, b: EventBatch, i: number, cpu: number, tid: number, task: number): void {
  const { world, locks } = r;
  const write = (b.flags[i]! & LOCK_WRITE) !== 0;
  const success = (b.flags[i]! & LOCK_SUCCESS) !== 0;
  if (b.mm[i]! > NULL_MM) locks.got(task, b.mm[i]!, write, success, world.ns, world.seq, world.line);
  if (write && success) locked(r, b, i, cpu, tid, task);
}

/** The window ends before its lock does: it takes note of the hold it had. */
function released(r: Lowering, b: EventBatch, i: number, task: number): void {
  if ((b.flags[i]! & LOCK_WRITE) === 0) return;
  unlocked(r, b, i, task);
  if (b.mm[i]! > NULL_MM) r.locks.released(task, b.mm[i]!, r.world.ns);
}

/** __khugepaged_enter() or __ksm_enter(): from here on they hold the mm. `slots`: which of the two, by life. */
function registered(r: Lowering, task: number, life: number, slots: Int32Array, kind: Note): void {
  if (slots[life] === 0) note(r, kind, life, task);
  slots[life] = 1;
  holdLater(r, task, life);
}

function notifierRegistered(r: Lowering, task: number, life: number): void {
  r.world.mms.notifiers[life]! += 1;
  note(r, Note.notifier, life, task);
}

function unregistered(r: Lowering, life: number, slots: Int32Array, kind: Note): void {
  slots[life] = 0;
  r.world.names.forget(life, kind);
}

function got(r: Lowering, b: EventBatch, i: number, kind: number, task: number): void {
  const { tasks, mms } = r.world;
  const entry = tasks.getEntry[task]!;
  tasks.getEntry[task] = -1;
  endGet(r, task);
  const label = b.mm[i]!;
  if (label <= NULL_MM) return;
  const life = mms.ofLive(label);
  if (entry >= 0 && divert(r.world, life) !== tasks.lastGetDiverted[task])
    tasks.lastGetDiverted[task] = Divert.unknown;
  if (entry < 0)
    calledGet(r, task, life, kind === EventKind.getTaskMmRet ? "get_task_mm" : "mm_access", b.comm[i]!, -1);
  // Without its entry, the call may have taken its reference at any time since the caller's last event.
  if (entry < 0) {
    const holder = taskHolder(r.world, task, "mm_users", getCause(r.world, task, life), "moving");
    r.forks.addHolder(r.world, life, r.firmBefore, r.world.seq, holder);
  }
  get(r, task, life, entry >= 0 ? entry : r.firmBefore);
  r.gets.got(r.world, task, b.flags[i]!);
  tasks.lastGetMm[task] = life;
  if (kind === EventKind.mmAccessRet && (b.flags[i]! & CALLER_OTHER) === 0) noteOpened(r, task, life);
}

/** get_task_mm() is called, by itself or inside mm_access(): what the 15 May patch would have made of it. */
function calledGet(
  r: Lowering,
  task: number,
  life: number,
  kind: "get_task_mm" | "mm_access",
  comm: number,
  target: number,
): void {
  const { tasks, seq } = r.world;
  const diverted = divert(r.world, life);
  tasks.lastGetSeq[task] = seq;
  tasks.lastGetMm[task] = life;
  tasks.lastGetDiverted[task] = diverted;
  r.uses.called(task, life, true, target);
  noteCall(
    r,
    life,
    kind,
    task,
    comm,
    diverted === Divert.yes ? "yes" : diverted === Divert.no ? "no" : "unknown",
  );
}
