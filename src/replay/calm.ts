// Switches about which nothing is to be learnt: both tasks, the mm and the CPU's state are known, and the row says what the
// model expects. They are most rows of a trace. Each function here does at once what context.ts, lower-switch.ts and
// model/switching.ts do for such a row one after the other; it looks first, and changes nothing when
// it returns false: then the row takes the long way, which is the reference (test/replay/calm.test.ts). Called by replay.ts.
import { type EventBatch, NONE, NULL_MM } from "../table/event-batch.ts";
import { EventKind, SWITCH_MM_NO_TASK, SwitchState } from "../table/event-kinds.ts";
import type { Lowering } from "./lowering.ts";
import { park, setActive } from "./model/model.ts";
import { Left } from "./model/names.ts";
import { learnLoaded, load } from "./model/switching.ts";
import {
  type Cpus,
  GrabStage,
  IDLE,
  NO_LIFE,
  Tail,
  TaskKind,
  type Tasks,
  UNKNOWN_LIFE,
} from "./model/world.ts";

/** sched_switch. */
export function calmSwitch(r: Lowering, b: EventBatch, i: number): boolean {
  const { world } = r;
  const { tasks, cpus, seq, switchMmSeen } = world;
  const cpu = b.cpu[i]!;
  if (cpu < 0 || cpu >= cpus.length || cpus.unknownSince[cpu]! >= 0) return false;
  const prev = tasks.find(b.tid[i]!);
  const next = tasks.find(b.argTid[i]!);
  if (prev < 0 || next < 0 || cpus.cur[cpu] !== prev) return false;
  if (tasks.entering[prev]! >= 0 || tasks.entering[next]! >= 0) return false;
  if (tasks.exiting[prev]! >= 0 || tasks.exiting[next]! >= 0) return false;
  if (tasks.kind[prev] === TaskKind.unknown) return false;
  const prevUsing = tasks.using(prev);
  const nextUsing = tasks.using(next);
  if (prevUsing === UNKNOWN_LIFE || nextUsing === UNKNOWN_LIFE) return false;
  const state = b.flags[i]!;
  if (state === SwitchState.zombie || state === SwitchState.dead) return false;
  const sleeps = state === SwitchState.sleeping;
  if (sleeps && !isSettled(tasks, prev)) return false;
  const old = tasks.cpu[next]!;
  // Another CPU runs it: it may be its leader, by its pid (pids.ts).
  if (next !== IDLE && old >= 0 && old !== cpu && cpus.cur[old] === next) return false;

  noteContext(r, b, i, cpu, prev);
  tasks.touch(next);
  const loaded = cpus.loaded[cpu]!;
  const nextComm = b.argComm[i]!;
  if (next !== IDLE && nextComm >= 0) tasks.comm[next] = nextComm;
  if (sleeps && prev !== IDLE) {
    tasks.firm[prev] = seq;
    tasks.asleep[prev] = 1;
    r.uses.sleeps(prev);
  }
  cpus.crLoaded[cpu] = 0;
  cpus.cur[cpu] = next;
  cpus.prevTask[cpu] = prev;
  cpus.switchSeq[cpu] = seq;
  cpus.prevUsing[cpu] = prevUsing;
  cpus.tail[cpu] = Tail.awaited;
  tasks.cpu[prev] = cpu;
  // No CPU picks a task whose switch elsewhere has not done its mmgrab (settleLeftBehind).
  if (next !== IDLE && old >= 0 && old !== cpu && cpus.prevTask[old] === next) {
    cpus.pendingGrab[old] = NO_LIFE;
    cpus.grabStage[old] = GrabStage.none;
  }
  tasks.cpu[next] = cpu;
  if (tasks.asleep[next] === 1) {
    tasks.asleep[next] = 0;
    tasks.firm[next] = seq;
  }
  cpus.pendingDrop[cpu] = NO_LIFE;
  if (nextUsing === NO_LIFE) {
    if (prevUsing >= 0) {
      park(r, cpu, prevUsing, prev, tasks.borrowed[prev]! >= 0 ? Left.borrower : Left.switched);
      cpus.pendingGrab[cpu] = prevUsing;
      cpus.grabStage[cpu] = GrabStage.switched;
    }
    setActive(r, cpu, next, NO_LIFE);
    r.loads.switched(EventKind.schedSwitch, cpu, loaded);
    return true;
  }
  const resumes = cpus.lazy[cpu] === nextUsing && cpus.loaded[cpu] === nextUsing;
  if (prevUsing === NO_LIFE) cpus.pendingDrop[cpu] = cpus.lazy[cpu]!;
  world.setLazy(cpu, NO_LIFE);
  if (!switchMmSeen) load(r, cpu, nextUsing);
  setActive(r, cpu, next, switchMmSeen ? NO_LIFE : nextUsing, resumes ? "resumed" : "switched");
  r.loads.switched(EventKind.schedSwitch, cpu, loaded);
  return true;
}

/** switch_mm_irqs_off as the tail of a switch to a task that has this mm. */
export function calmSwitchMm(r: Lowering, b: EventBatch, i: number): boolean {
  const { world } = r;
  const { tasks, cpus, mms } = world;
  const cpu = b.cpu[i]!;
  if (!isInTail(cpus, cpu) || (b.flags[i]! & SWITCH_MM_NO_TASK) !== 0) return false;
  const task = tasks.find(b.tid[i]!);
  const cur = cpus.cur[cpu]!;
  const pid = b.argTid[i]!;
  if (task !== cpus.prevTask[cpu] || cur === task || (pid !== NONE && tasks.find(pid) !== cur)) return false;
  const life = mms.findLive(b.mm[i]!);
  const prevLabel = b.mm2[i]!;
  const from = prevLabel > NULL_MM ? mms.find(prevLabel) : -1;
  if (life < 0 || from < 0 || tasks.using(cur) !== life) return false;

  noteContext(r, b, i, cpu, task);
  if (pid !== NONE) tasks.touch(cur);
  const prevUsing = cpus.prevUsing[cpu]!;
  const loaded = cpus.loaded[cpu]!;
  cpus.pendingDrop[cpu] = prevUsing >= 0 ? NO_LIFE : from;
  world.setLazy(cpu, NO_LIFE);
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
  cpus.tail[cpu] = Tail.seen;
  tasks.cpu[cur] = cpu;
  const resumes = from === life && prevUsing < 0 && cpus.loaded[cpu] === life;
  load(r, cpu, life, from);
  setActive(r, cpu, cur, life, resumes ? "resumed" : "switched");
  r.loads.switched(EventKind.switchMm, cpu, loaded);
  return true;
}

/** enter_lazy_tlb as the tail of a switch to a known kernel task, on the mm the CPU is known to hold. */
export function calmLazy(r: Lowering, b: EventBatch, i: number): boolean {
  const { world } = r;
  const { tasks, cpus, mms } = world;
  const cpu = b.cpu[i]!;
  if (!isInTail(cpus, cpu)) return false;
  const task = tasks.find(b.tid[i]!);
  const cur = cpus.cur[cpu]!;
  const pid = b.argTid[i]!;
  if (task !== cpus.prevTask[cpu] || cur === task || (pid !== NONE && tasks.find(pid) !== cur)) return false;
  const isKernel = tasks.kind[cur] === TaskKind.kernel && tasks.mm[cur] === NO_LIFE;
  if (!isKernel || tasks.borrowed[cur]! >= 0) return false;
  const label = b.mm[i]!;
  const life = label > NULL_MM ? mms.find(label) : -1;
  const prevUsing = cpus.prevUsing[cpu]!;
  if (life < 0 || mms.label[life] !== label || (prevUsing !== NO_LIFE && prevUsing !== life)) return false;

  noteContext(r, b, i, cpu, task);
  if (pid !== NONE) tasks.touch(cur);
  if (prevUsing >= 0) {
    park(r, cpu, life, task);
    cpus.pendingGrab[cpu] = life;
    cpus.grabStage[cpu] = GrabStage.lazy;
    if (cpus.loaded[cpu] === -1) learnLoaded(r, cpu, life);
  } else {
    world.setLazy(cpu, life);
    cpus.pendingGrab[cpu] = NO_LIFE;
    cpus.grabStage[cpu] = GrabStage.none;
  }
  cpus.pendingDrop[cpu] = NO_LIFE;
  cpus.tail[cpu] = Tail.seen;
  tasks.cpu[cur] = cpu;
  setActive(r, cpu, cur, NO_LIFE);
  return true;
}

/** A switch's own events are awaited, printed in the name of the task it left, and the CPU's state is known. */
function isInTail(cpus: Cpus, cpu: number): boolean {
  return cpu >= 0 && cpu < cpus.length && cpus.tail[cpu] === Tail.awaited && cpus.unknownSince[cpu]! < 0;
}

/** No call of the task is half done. */
function isSettled(tasks: Tasks, task: number): boolean {
  return (
    tasks.pendingPut[task]! < 0 &&
    tasks.pendingDrop[task]! < 0 &&
    tasks.pendingHold[task]! < 0 &&
    tasks.unusing[task] !== 1
  );
}

/** applyContext() of a switch's event by the task that runs, or ran until the switch. */
function noteContext(r: Lowering, b: EventBatch, i: number, cpu: number, task: number): void {
  const { tasks, cpus, seq, ns } = r.world;
  tasks.touch(task);
  if (task !== IDLE) {
    if (b.tgid[i]! >= 0) tasks.tgid[task] = b.tgid[i]!;
    if (b.comm[i]! >= 0) tasks.comm[task] = b.comm[i]!;
  }
  cpus.lastSeq[cpu] = seq;
  cpus.lastNs[cpu] = ns;
  if (cpus.pendingGrab[cpu] === NO_LIFE) return;
  const stage = cpus.grabStage[cpu]!;
  const isTail = cpus.tail[cpu] !== Tail.none && cpus.cur[cpu] !== task;
  if (stage !== GrabStage.lazy && (stage !== GrabStage.switched || isTail)) return;
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
}
