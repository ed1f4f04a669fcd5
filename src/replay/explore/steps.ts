// What can happen next in a state of the bounded system, and making it happen, by the model's own transitions: the
// scheduler's steps, and one atomic step of the program of the actor on a CPU. Called by search.ts.

import { assert } from "../../base/assert.ts";
import { exitMm } from "../model/exits.ts";
import {
  callUnuseMm,
  callUseMm,
  contextSwitch,
  exec,
  lazyTail,
  loadOther,
  switchMmTail,
  unuseMm,
  useMm,
} from "../model/switching.ts";
import { beginGet, beginLeave, endGet, get, put, settlePut } from "../model/users.ts";
import { GrabStage, IDLE, NO_LIFE, Tail } from "../model/world.ts";
import type { Op } from "./bound.ts";
import { EXEC_MM, FORKED, FORKER, INIT_MM, Path, type System } from "./system.ts";

/** What a CPU does: switch to the actor of that number, or to the idle task; the next op of its actor; or finish. */
export const TO_IDLE = 61;
const RUN = 62;
/** finish_task_switch(), or the end of kthread_use_mm() and kthread_unuse_mm(): the reference under way is settled. */
const SETTLE = 63;
const PER_CPU = 64;

/** One step, as a number: cpu * 64 + what. */
export type Step = number;

export function cpuOf(step: Step): number {
  return Math.floor(step / PER_CPU);
}

export function whatOf(step: Step): number {
  return step % PER_CPU;
}

/** Everything that can happen next, into `out`; returns how many. */
export function enabledSteps(s: System, out: Step[]): number {
  const { cpus } = s.world;
  out.length = 0;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const base = cpu * PER_CPU;
    if (isUnsettled(s, cpu)) {
      out.push(base + SETTLE);
      continue;
    }
    const current = s.actorOn(cpu);
    if (current >= 0) {
      if (canRun(s, current)) out.push(base + RUN);
      if (current === FORKER && staysOnCpu(s)) continue;
      out.push(base + TO_IDLE);
    }
    for (let actor = 0; actor < s.actors.length; actor++) if (isReady(s, actor)) out.push(base + actor);
  }
  return out.length;
}

function staysOnCpu(s: System): boolean {
  return (
    s.bound.assume.includes("copy-stays-on-cpu") && s.path !== Path.unchecked && s.next(FORKER) !== undefined
  );
}

/** A reference on the forked mm is under way on the CPU: nothing else happens there before it is settled. */
function isUnsettled(s: System, cpu: number): boolean {
  const { cpus } = s.world;
  return cpus.pendingGrab[cpu] === FORKED || cpus.pendingDrop[cpu] === FORKED;
}

/** Has something left to do, and is on no CPU, nor still leaving one. */
function isReady(s: System, actor: number): boolean {
  const { cpus } = s.world;
  if (isOver(s, actor) && !isAlive(s, actor)) return false;
  if (!isOver(s, actor) && isBlocked(s, actor)) return false;
  const task = s.tasks[actor]!;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    if (cpus.cur[cpu] === task) return false;
    if (cpus.tail[cpu] !== Tail.none && cpus.prevTask[cpu] === task) return false;
  }
  return true;
}

function isOver(s: System, actor: number): boolean {
  return s.next(actor) === undefined;
}

/** A user task of another process: it can run on when its program is over. */
function isAlive(s: System, actor: number): boolean {
  return s.actors[actor]!.endless && s.world.tasks.mm[s.tasks[actor]!]! >= 0;
}

function canRun(s: System, actor: number): boolean {
  return !isOver(s, actor) && !isBlocked(s, actor);
}

/** The actor cannot take its next step until another has taken one. */
function isBlocked(s: System, actor: number): boolean {
  if (actor === FORKER && s.vforkWait === 1) return true;
  const op = s.next(actor);
  switch (op) {
    case "lock":
    case "lockAndCheck":
      return s.readLocks > 0 && s.writerWaits === 1;
    case "getBegin":
    case "getWhole":
      return s.waits("get_task_mm");
    case "lockRead":
      return s.writeHeld === 1 || s.writerWaits === 1;
    case "useCall":
      return s.waits("kthread_use_mm") || s.queues("kthread_use_mm");
    case "unuse":
      return s.waits("kthread_unuse_mm") || s.queues("kthread_unuse_mm");
    default:
      return false;
  }
}

/** The fork waits for readers of mmap_lock, each of which waits for the fork. */
export function isDeadlock(s: System): boolean {
  if (s.readLocks === 0 || s.vforkWait === 1 || !isBlocked(s, FORKER)) return false;
  return s.actors.every(({ program }, actor) => {
    const isReader = program[0] === "lockRead" && s.pc[actor]! > 0 && !isOver(s, actor);
    return !isReader || isBlocked(s, actor);
  });
}

/** Takes an enabled step. */
export function take(s: System, step: Step): void {
  const cpu = cpuOf(step);
  const what = whatOf(step);
  s.world.seq++;
  s.recorder?.step(s, step);
  if (what === SETTLE) {
    settle(s, cpu);
    s.recorder?.says("the reference under way is settled");
  } else if (what === RUN) run(s, cpu, s.actorOn(cpu));
  else switchTo(s, cpu, what === TO_IDLE ? IDLE : s.tasks[what]!);
}

/** Lets the forker run to the end of a fork that has its locks, so that a trace shows the whole window. */
export function finishFork(s: System): void {
  while (s.writeHeld === 1) {
    const cpu = s.forkerCpu;
    const isRunning = s.world.cpus.cur[cpu] === s.forkerTask;
    take(s, cpu * PER_CPU + (isUnsettled(s, cpu) ? SETTLE : isRunning ? RUN : FORKER));
  }
}

function settle(s: System, cpu: number): void {
  const { cpus } = s.world;
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = GrabStage.none;
  cpus.pendingDrop[cpu] = NO_LIFE;
  cpus.tail[cpu] = Tail.none;
}

/** References on other mms under way change nothing that is looked at. */
function settleIfIdle(s: System, cpu: number): void {
  if (!isUnsettled(s, cpu)) settle(s, cpu);
}

function switchTo(s: System, cpu: number, next: number): void {
  const { cpus, tasks } = s.world;
  const prev = cpus.cur[cpu]!;
  const prevUsing = tasks.using(prev);
  const activeMm = prevUsing >= 0 ? prevUsing : cpus.lazy[cpu]!;
  s.recorder?.schedSwitch(s, cpu, prev, next);
  contextSwitch(s, cpu, prev, next);
  const using = tasks.using(next);
  if (using === NO_LIFE) {
    s.recorder?.enterLazyTlb(cpu, prev, next, activeMm);
    lazyTail(s, cpu, next, activeMm);
  } else {
    s.recorder?.switchMm(cpu, prev, next, activeMm, using);
    switchMmTail(s, cpu, next, using, activeMm);
  }
  settleIfIdle(s, cpu);
}

function run(s: System, cpu: number, actor: number): void {
  const op = s.next(actor);
  assert(op !== undefined, "an actor ran past the end of its program");
  const task = s.tasks[actor]!;
  if (waitsForReaders(s, op)) {
    s.writerWaits = 1;
    s.recorder?.says("waits for mmap_lock, which a reader holds");
    return;
  }
  s.pc[actor]! += 1;
  if (actor === FORKER) forkOp(s, cpu, op);
  else if (!memberOp(s, cpu, task, op)) borrowOp(s, cpu, task, op);
  settleIfIdle(s, cpu);
}

/** down_write() finds readers: the step is to queue. */
function waitsForReaders(s: System, op: Op): boolean {
  return (op === "lock" || op === "lockAndCheck") && s.readLocks > 0;
}

/** copy_process() of the forker (semantics §4.1), with the lock and check of the design where it has them. */
function forkOp(s: System, cpu: number, op: Op): void {
  const { policy } = s;
  if (op === "lock" || op === "lockAndCheck") {
    s.writeHeld = 1;
    s.writerWaits = 0;
    s.recorder?.says("takes mmap_lock");
  }
  if (op === "check" || op === "lockAndCheck") {
    if (policy.holds !== "nothing") s.policyHeld = 1;
    const check = s.check();
    s.path = policy.decide(check) === "fast" ? Path.fast : Path.slow;
    s.recorder?.check(s, cpu, check, op === "lockAndCheck");
  } else if (op === "copy") s.recorder?.copyPageRange(s, cpu);
  else if (op === "flush") flush(s, cpu);
  else if (op === "release") {
    s.policyHeld = 0;
    s.writeHeld = 0;
    s.recorder?.forked(s, cpu);
  }
}

/** flush_tlb_mm() frees tables: lazy CPUs are sent to init_mm and keep their reference (§2.4 row 11). */
function flush(s: System, cpu: number): void {
  const { cpus } = s.world;
  s.recorder?.flush(s, cpu);
  for (let c = 0; c < cpus.length; c++) {
    if (c === cpu || cpus.loaded[c] !== FORKED || cpus.active[c] !== NO_LIFE) continue;
    s.recorder?.leaveLazy(s, c);
    loadOther(s, c, INIT_MM);
  }
  s.recorder?.flushed(s, cpu);
}

/** Ops of tasks that have or take mm_users; false: not one of them. */
function memberOp(s: System, cpu: number, task: number, op: Op): boolean {
  const { recorder } = s;
  switch (op) {
    case "exitMm":
      recorder?.exitMm(cpu, task);
      beginLeave(s, task, FORKED, false);
      exitMm(s, cpu, task, FORKED);
      return true;
    case "vforkDone":
      recorder?.execMmRelease(cpu, task);
      beginLeave(s, task, FORKED, true);
      s.vforkWait = 0;
      return true;
    case "exec":
      recorder?.execMmap(cpu, task);
      exec(s, cpu, task, EXEC_MM);
      return true;
    case "put":
      recorder?.mmput(cpu, task);
      put(s, task, FORKED);
      settlePut(s, task);
      return true;
    case "getBegin":
      recorder?.getTaskMm(cpu, task);
      beginGet(s, task, FORKED);
      return true;
    case "getLand":
      land(s, cpu, task);
      return true;
    case "getWhole":
      recorder?.getTaskMm(cpu, task);
      beginGet(s, task, FORKED);
      land(s, cpu, task);
      return true;
    default:
      return false;
  }
}

function land(s: System, cpu: number, task: number): void {
  endGet(s, task);
  get(s, task, FORKED, s.world.seq);
  s.recorder?.gotTaskMm(cpu, task);
}

/**
 * kthread_use_mm() in two steps: past the design's lock with its references taken, then tsk->mm set and the mm loaded.
 * kthread_unuse_mm() in one (§9.3).
 */
function borrowOp(s: System, cpu: number, task: number, op: Op): void {
  const { recorder } = s;
  if (op === "lockRead") {
    s.readLocks++;
    recorder?.says("read-locks mmap_lock");
  } else if (op === "unlockRead") {
    s.readLocks--;
    recorder?.says("unlocks mmap_lock");
  } else if (op === "useCall") {
    recorder?.kthreadUseMm(cpu, task);
    callUseMm(s, task, FORKED);
  } else if (op === "useEffect") {
    const activeMm = s.world.cpus.lazy[cpu]!;
    recorder?.switchMm(cpu, task, task, activeMm, FORKED);
    useMm(s, cpu, task, FORKED, activeMm);
  } else {
    recorder?.kthreadUnuseMm(cpu, task);
    callUnuseMm(s, cpu, task, FORKED);
    unuseMm(s, cpu, task);
  }
}
