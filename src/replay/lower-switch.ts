// sched_switch, switch_mm_irqs_off, enter_lazy_tlb and CR3 loads: which of the kernel's call sites a row comes from
// (context_switch, exec_mmap, exit_mm, kthread_use_mm, leave_mm, use_temporary_mm: semantics §3.1, §3.2, §9.10).
import { CTX_IRQ, type EventBatch, NONE, NULL_MM } from "../table/event-batch.ts";
import { SWITCH_MM_NO_TASK, SwitchState } from "../table/event-kinds.ts";
import { noteCall } from "./calls.ts";
import { Doubt } from "./forks.ts";
import type { Lowering } from "./lowering.ts";
import { exitMm, exitUnseen } from "./model/exits.ts";
import { park, sameLife, setActive, usingOf } from "./model/model.ts";
import { switchedIn } from "./model/pids.ts";
import {
  contextSwitch,
  exec,
  goOffline,
  lazyTail,
  loadOther,
  settleBorrow,
  settleDrop,
  switchMmTail,
  unuseMm,
  useMm,
} from "./model/switching.ts";
import { closeOpened, settlePut } from "./model/users.ts";
import { IDLE, NO_LIFE, Tail, UNKNOWN_LIFE } from "./model/world.ts";

export function schedSwitch(
  r: Lowering,
  cpu: number,
  prev: number,
  nextPid: number,
  nextComm: number,
  state: number,
): void {
  const { tasks } = r.world;
  if (cpu < 0 || nextPid === NONE) return;
  const next = switchedIn(r.world, cpu, tasks.of(nextPid));
  if (next > IDLE && nextComm >= 0) tasks.comm[next] = nextComm;
  if (state === SwitchState.sleeping || state === SwitchState.zombie || state === SwitchState.dead) {
    settlePut(r, prev);
    settleDrop(r, prev);
    // Where their own events are not recorded, a sleep shows that kthread_use_mm or _unuse_mm is over.
    if (!r.world.switchMmSeen || !r.world.enterLazySeen) settleBorrow(r, cpu, prev);
    if (state !== SwitchState.sleeping) exitUnseen(r, cpu, prev);
    if (prev !== IDLE) {
      tasks.firm[prev] = r.world.seq;
      tasks.asleep[prev] = 1;
      r.uses.sleeps(prev);
    }
    if (state !== SwitchState.sleeping) closeOpened(r, prev);
  }
  usingOf(r, prev);
  usingOf(r, next);
  contextSwitch(r, cpu, prev, next);
}

export function switchMm(r: Lowering, b: EventBatch, i: number, cpu: number, task: number): void {
  const { mms, cpus, tasks } = r.world;
  if (cpu < 0 || b.mm[i]! < 0) return;
  const label = b.mm[i]!;
  const prevLabel = b.mm2[i]!;
  if ((b.flags[i]! & SWITCH_MM_NO_TASK) !== 0) {
    if (task > IDLE && isExec(r, task, mms.findLive(label), prevLabel > NULL_MM)) {
      exec(r, cpu, task, mms.ofLive(label));
      return;
    }
    const lazy = cpus.lazy[cpu]!;
    // flush_tlb_func() and leave_mm(): nothing else loads an mm for no task in an interrupt, or in the idle task.
    if (prevLabel === NULL_MM && (task === IDLE || (b.ctx[i]! & CTX_IRQ) !== 0)) r.world.initMm = label;
    loadOther(r, cpu, mms.of(label));
    if (lazy >= 0) r.windows.onUnload(cpu);
    return;
  }
  if (isGoingOffline(r, b, i, cpu, task)) {
    r.world.initMm = label;
    goOffline(r, cpu, task, mms.of(label), prevLabel > NULL_MM ? mms.of(prevLabel) : UNKNOWN_LIFE);
    r.windows.onUnload(cpu);
    return;
  }
  // use_temporary_mm (text_poke) passes prev NULL: only the hardware state changes.
  if (prevLabel === NULL_MM) {
    loadOther(r, cpu, mms.of(label));
    return;
  }
  const from = prevLabel > NULL_MM ? mms.of(prevLabel) : UNKNOWN_LIFE;
  const pid = b.argTid[i]!;
  const cur = cpus.cur[cpu]!;
  // A tail is printed in the name of the task that is left.
  const isOwn = b.tid[i]! >= 0 && task === cur && task !== IDLE;
  if (
    cpus.tail[cpu] === Tail.awaited &&
    !isOwn &&
    (pid === NONE ? cur !== task || task === IDLE : tasks.of(pid) === cur)
  ) {
    switchMmTail(r, cpu, cur, mms.ofLive(label), from);
    return;
  }
  const target = pid === NONE ? task : tasks.of(pid);
  if (target === task) {
    // switch_mm of current outside a switch: kthread_use_mm's, with or without its own probe.
    const life = mms.ofLive(label);
    if (tasks.entering[task] !== life && tasks.borrowed[task] !== life) {
      noteCall(r, life, "kthread_use_mm", task, b.comm[i]!);
      // Not one that was called before the trace, or a gap: the task has been at no call since. Nor one of an mm torn down meanwhile.
      if (tasks.entering[task]! < 0 && tasks.firm[task]! > r.world.lossSeq)
        r.unannounced ??= { cpu, seq: r.world.seq, ns: r.world.ns, line: r.world.line };
      r.gets.used(r.world, task, life);
      // The call itself was not recorded: it grabbed some time since the kthread's last event.
      r.forks.patchCount(r.world, life, tasks.firm[task]!, r.world.seq, 0, 1, Doubt.pendingGrab);
    }
    useMm(r, cpu, task, life, from);
    return;
  }
  // A switch whose sched_switch is missing.
  missedTail(r, cpu, task, target);
  switchMmTail(r, cpu, target, mms.ofLive(label), from);
}

/** idle_task_exit(): the idle task has no mm to be switched to. sched_force_init_mm(): current loads what is known to be init_mm. */
function isGoingOffline(r: Lowering, b: EventBatch, i: number, cpu: number, task: number): boolean {
  const { cpus, tasks, initMm } = r.world;
  const pid = b.argTid[i]!;
  if (pid !== NONE) return pid === 0 || (b.mm[i] === initMm && tasks.of(pid) === task && b.mm2[i]! > NULL_MM);
  const isTail = cpus.tail[cpu] === Tail.awaited && cpus.cur[cpu] !== task;
  return !isTail && (task === IDLE || (b.mm[i] === initMm && b.mm2[i]! > NULL_MM));
}

/**
 * CR3 written on a CPU that runs a kernel task, outside a switch: a flush or cpuidle sent it to init_mm (rows 11, 13),
 * unless the task itself loaded something (kthread_use_mm): then nobody can tell what.
 */
export function crLoaded(r: Lowering, cpu: number, task: number, irq: boolean): void {
  const { cpus } = r.world;
  if (cpus.cur[cpu] !== task || cpus.active[cpu] !== NO_LIFE) return;
  cpus.loaded[cpu] = task === IDLE || irq ? otherMm(r) : -1;
  r.windows.onUnload(cpu);
}

function otherMm(r: Lowering): number {
  if (r.world.other < 0) r.world.other = r.world.mms.create(-1, -1, -1);
  return r.world.other;
}

function missedTail(r: Lowering, cpu: number, prev: number, next: number): void {
  const { cpus, tasks } = r.world;
  cpus.prevUsing[cpu] = usingOf(r, prev);
  cpus.prevTask[cpu] = prev;
  cpus.cur[cpu] = next;
  tasks.cpu[next] = cpu;
}

/**
 * exec_mmap()'s activate_mm(): up to 6.1 it names the old mm. 6.12's switch_mm() passes prev NULL, as leave_mm() and
 * flush_tlb_func() do on the way to init_mm: then only the mm made for this exec tells.
 */
function isExec(r: Lowering, task: number, life: number, namesPrev: boolean): boolean {
  const { tasks, mms } = r.world;
  if (life >= 0 && (tasks.execNew[task] === life || mms.maker[life] === task)) return true;
  return namesPrev && tasks.leaving[task]! >= 0 && tasks.leaving[task] !== life;
}

export function enterLazy(r: Lowering, b: EventBatch, i: number, cpu: number, task: number): void {
  const { mms, cpus, tasks } = r.world;
  if (cpu < 0 || b.mm[i]! <= NULL_MM) return;
  const life = mms.of(b.mm[i]!);
  const pid = b.argTid[i]!;
  const cur = cpus.cur[cpu]!;
  const isTail =
    cpus.tail[cpu] === Tail.awaited &&
    (pid === NONE ? cur !== task || task === IDLE : tasks.of(pid) === cur && cur !== task);
  if (isTail) {
    lazyTail(r, cpu, cur, life);
    return;
  }
  const target = pid === NONE ? task : tasks.of(pid);
  if (target !== task) {
    missedTail(r, cpu, task, target);
    lazyTail(r, cpu, target, life);
    return;
  }
  if (tasks.borrowed[task]! >= 0) {
    if (tasks.unusing[task] === 0) noteCall(r, life, "kthread_unuse_mm", task, b.comm[i]!);
    unuseMm(r, cpu, task);
    return;
  }
  // exit_mm(), or kthread_unuse_mm() already applied from its own probe. The pointer may be that of the mm known by lineage.
  const own = tasks.mm[task]!;
  if (own >= 0 && sameLife(r, own, life)) exitMm(r, cpu, task, own);
  else if (tasks.leaving[task] === life) exitMm(r, cpu, task, life);
  else if (cpus.lazy[cpu] !== life) {
    park(r, cpu, life, task);
    setActive(r, cpu, task, NO_LIFE);
  }
}
