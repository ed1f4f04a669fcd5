// Lives of mms that nothing can reach any more: no task, CPU, pointer, call or fork knows them, so that no later event can be
// about one and no row says anything of it. Their ids are given to new ones: a process has two lives, its fork's and its
// exec's, and few of them fork themselves. Called by replay.ts between two rows.
import type { Call } from "./attempt.ts";
import type { Replayer } from "./replay.ts";

/** Lives, and calls, that one look is worth: with more of them kept it waits for as many times as many to be made. */
const WORTH = 4096;

/** Gives up the lives that are out of reach, and sets when to look next: looking costs what is kept. */
export function sweepLives(r: Replayer): void {
  const { mms, names } = r.world;
  const isKept = reached(r);
  mms.sweep(isKept, (life) => {
    names.forget(life);
    names.members.clear(life);
  });
  const kept = mms.live + r.windows.blocked.length + r.windows.queued.length;
  r.sweepAt = mms.made + r.sweepEvery * (1 + Math.floor(kept / WORTH));
}

/** By life: 1 where something knows it. */
function reached(r: Replayer): Uint8Array {
  const { tasks, cpus, mms } = r.world;
  const out = new Uint8Array(mms.length);
  const visit = (life: number): void => {
    if (life >= 0) out[life] = 1;
  };
  const ofTasks = [
    tasks.mm,
    tasks.borrowed,
    tasks.entering,
    tasks.edgeMm,
    tasks.pendingPut,
    tasks.pendingDrop,
    tasks.pendingHold,
    tasks.getLife,
    tasks.leaving,
    tasks.leftLife,
    tasks.execNew,
    tasks.made,
    tasks.lastGetMm,
  ];
  for (const column of ofTasks) for (let task = 0; task < tasks.length; task++) visit(column[task]!);
  for (const lives of [...tasks.gets.values(), ...tasks.opened.values()]) lives.forEach(visit);
  const ofCpus = [
    cpus.lazy,
    cpus.loaded,
    cpus.loadedBefore,
    cpus.active,
    cpus.pendingGrab,
    cpus.pendingDrop,
    cpus.prevUsing,
  ];
  for (const column of ofCpus) for (let cpu = 0; cpu < cpus.length; cpu++) visit(column[cpu]!);
  mms.eachAtPointer(visit);
  for (let life = 0; life < mms.length; life++) if (mms.lastFork[life]! >= 0) visit(life);
  r.uses.eachLife(visit);
  eachInWindows(r, visit);
  r.gets.eachLife(visit);
  visit(r.world.other);
  return out;
}

/** Calls `visit` with every life of a fork under way, and of the calls that are kept with what their tasks held. */
function eachInWindows({ windows }: Replayer, visit: (life: number) => void): void {
  const visitCall = ({ life, run }: Call): void => {
    visit(life);
    for (const hold of run.holds) visit(hold.life);
  };
  for (const attempt of [...windows.attempts.values(), ...windows.open]) {
    visit(attempt.life);
    attempt.blocked.forEach(visitCall);
  }
  for (const { call } of windows.blocked) visitCall(call);
  windows.queued.forEach(visitCall);
}
