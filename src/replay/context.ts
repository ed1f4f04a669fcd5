// What an event proves beside what it says: who runs on the CPU, and that work left half-done there or by that task is
// done (semantics §9.1, §9.2). Called by replay.ts for every row before the row itself is applied.
import { CTX_IRQ, CTX_TASK, type EventBatch } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../table/event-kinds.ts";
import { loseSince } from "./gap.ts";
import type { Lowering } from "./lowering.ts";
import { forgetCpu, setActive, usingOf } from "./model/model.ts";
import { exchangedPids } from "./model/pids.ts";
import { settleBorrow, settleDrop } from "./model/switching.ts";
import { settlePut } from "./model/users.ts";
import { GrabStage, IDLE, NO_LIFE, Tail } from "./model/world.ts";
import { CPU_OFFLINE, SWITCH_MISMATCH } from "./problems.ts";

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

/** Who is running, and what r event proves about work left half-done on r CPU and in r task. */
export function applyContext(
  r: Lowering,
  b: EventBatch,
  i: number,
  kind: number,
  cpu: number,
  tid: number,
): number {
  const { world } = r;
  const { tasks, cpus } = world;
  if (cpu >= 0) cpus.ensure(cpu);
  let task = tid >= 0 ? tasks.of(tid) : cpu >= 0 ? cpus.cur[cpu]! : -1;
  const tgid = b.tgid[i]!;
  const comm = b.comm[i]!;
  if (task > IDLE) {
    if (tgid >= 0) tasks.tgid[task] = tgid;
    if (comm >= 0) tasks.comm[task] = comm;
  }
  r.firmBefore = task >= 0 ? tasks.firm[task]! : -1;
  if (cpu < 0) return task;
  // tlb_flush reason 0 is printed inside switch_mm_irqs_off: the load is still under way.
  if (kind === EventKind.tlbFlush && cpus.loadSeq[cpu] === cpus.lastSeq[cpu]) cpus.loadSeq[cpu] = world.seq;
  const lastSeq = cpus.lastSeq[cpu]!;
  const lastNs = cpus.lastNs[cpu]!;
  cpus.lastSeq[cpu] = world.seq;
  cpus.lastNs[cpu] = world.ns;
  const cur = cpus.cur[cpu]!;
  if (task < 0) task = cur;
  else if (cur !== task && cur > IDLE && exchanged(r, b, i, kind, cpu, cur, task)) {
    task = cur;
    if (comm >= 0) tasks.comm[cur] = comm;
    r.firmBefore = tasks.firm[cur]!;
  }
  const irq = (b.ctx[i]! & CTX_IRQ) !== 0;
  // Events of the switch under way are printed in prev's name; the next switch is not.
  const inTail =
    cpus.tail[cpu] !== Tail.none &&
    cur !== task &&
    task === cpus.prevTask[cpu] &&
    kind !== EventKind.schedSwitch;
  // A different task acts and no switch to it was seen.
  const isMissed = inTail ? TAIL_KINDS[kind] === 0 && !irq : cur !== task && cur !== -1 && task >= 0;
  if (isMissed) {
    // A user task would have loaded its mm.
    if (task === IDLE && cpus.leaving[cpu] === 1 && tasks.using(cur) < 0) comeBack(r, cpu);
    else missed(r, cpu, task, lastSeq, lastNs);
  } else if (cur === -1 && task >= 0 && kind !== EventKind.schedSwitch) {
    arrive(r, cpu, task);
  }
  if (cpus.pendingGrab[cpu] !== NO_LIFE)
    settleGrab(r, cpu, cpus.tail[cpu] !== Tail.none && cpus.cur[cpu] !== task);
  if (TAIL_KINDS[kind] === 1) {
    if (kind === EventKind.schedSwitch && cpus.cur[cpu] === task) cpus.pendingDrop[cpu] = NO_LIFE;
    return task;
  }
  const inTask = TASK_KINDS[kind] === 1 || (b.ctx[i]! & CTX_TASK) !== 0;
  if (!inTask || irq || task < 0) return task;
  cpus.tail[cpu] = Tail.none;
  cpus.pendingDrop[cpu] = NO_LIFE;
  settlePut(r, task);
  settleDrop(r, task);
  if (tasks.entering[task]! >= 0 || tasks.unusing[task] === 1) settleBorrow(r, cpu, task);
  tasks.firm[task] = world.seq;
  return task;
}

/** Does the row carry another pid than `cur`, which runs, because an exec by a thread gave it its leader's (or the reverse)? */
function exchanged(
  r: Lowering,
  b: EventBatch,
  i: number,
  kind: number,
  cpu: number,
  cur: number,
  named: number,
): boolean {
  const { world } = r;
  const { tasks, cpus } = world;
  // Until its tail is over, a switch is printed in the name of the task before.
  if (named === cpus.prevTask[cpu] && cpus.tail[cpu] !== Tail.none && kind !== EventKind.schedSwitch)
    return false;
  if (kind === EventKind.schedProcessExec && b.argTid[i] === tasks.pid[cur]) {
    tasks.exchange(cur, named);
    return true;
  }
  return exchangedPids(world, cur, named);
}

/** mmgrab of a lazy reference (§9.1): any event after enter_lazy_tlb, or by the next task, proves it done. */
function settleGrab(r: Lowering, cpu: number, inTail: boolean): void {
  const { cpus } = r.world;
  const stage = cpus.grabStage[cpu]!;
  if (stage !== GrabStage.lazy && (stage !== GrabStage.switched || inTail)) return;
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
}

/** The first task seen on a CPU in unknown state. */
function arrive(r: Lowering, cpu: number, task: number): void {
  const { tasks, cpus } = r.world;
  cpus.cur[cpu] = task;
  tasks.cpu[task] = cpu;
  const using = usingOf(r, task);
  setActive(r, cpu, task, using);
}

/**
 * A CPU that had gone to init_mm to go offline is back: no tracepoint is recorded on a CPU that is not online
 * (include/linux/tracepoint.h), so that its switch to the idle task does not show. Kernel tasks alone ran there meanwhile.
 */
function comeBack(r: Lowering, cpu: number): void {
  const { cpus } = r.world;
  r.problems.add(CPU_OFFLINE, r.world.line, `CPU ${cpu}`);
  cpus.cur[cpu] = IDLE;
  cpus.prevTask[cpu] = -1;
  cpus.tail[cpu] = Tail.none;
  setActive(r, cpu, IDLE, NO_LIFE);
}

/**
 * `task` runs and no switch to it was seen. Where sched_switch is recorded that is a gap without a mark of its own (seen:
 * trace_pipe of a tiny buffer, where 3290 events lost were announced and the ones lost before were not): nothing after
 * the CPU's last event is known.
 */
function missed(r: Lowering, cpu: number, task: number, lastSeq: number, lastNs: number): void {
  if (r.shows(EventKind.schedSwitch)) {
    r.problems.add(SWITCH_MISMATCH, r.world.line, `CPU ${cpu}: pid ${r.world.tasks.pid[task] ?? -1}`);
    loseSince(r, cpu, lastSeq, lastNs);
  } else {
    forgetCpu(r, cpu);
  }
  arrive(r, cpu, task);
}
