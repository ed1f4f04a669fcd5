// Lost events: what a gap makes unknown. Called by replay.ts for `lost` rows.
import type { Lowering } from "./lowering.ts";
import { endBorrow, forgetCpu, leave, settleLeft } from "./model/model.ts";
import { Note } from "./model/names.ts";
import { settleDrop } from "./model/switching.ts";
import { endGet, settlePut } from "./model/users.ts";
import { NO_LIFE, TaskKind, UNKNOWN_LIFE } from "./model/world.ts";

/** The recorder's own mark of a gap, on one CPU or (cpu -1) on any: it began after the last event seen there. */
export function loseEvents(r: Lowering, cpu: number): void {
  const { cpus, seq, ns } = r.world;
  if (cpu >= 0) cpus.ensure(cpu);
  let fromSeq = seq;
  let fromNs = ns;
  for (let c = 0; c < cpus.length; c++) {
    if (cpu >= 0 && c !== cpu) continue;
    fromSeq = Math.min(fromSeq, cpus.lastSeq[c]!);
    fromNs = Math.min(fromNs, cpus.lastNs[c]!);
  }
  loseSince(r, cpu, fromSeq, fromNs);
}

/** Nothing of `cpu` was recorded up to here, or not all of it. */
export function loseFromStart(r: Lowering, cpu: number): void {
  r.world.cpus.ensure(cpu);
  loseSince(r, cpu, -1, Number.NEGATIVE_INFINITY);
}

/**
 * Events of `cpu` (-1 any) are missing after number `fromSeq`, time `fromNs`, up to here: what was known of tasks and of
 * the CPU is forgotten, and every mm that existed then is in doubt from here on.
 */
export function loseSince(r: Lowering, cpu: number, fromSeq: number, fromNs: number): void {
  const { world } = r;
  const { cpus, tasks } = world;
  world.lossSeq = world.seq;
  r.windows.samples.retract(cpu, fromSeq);
  r.forks.dropFound(world, fromSeq);
  loseWindows(r, fromSeq, fromNs);
  r.locks.lose();
  r.windows.outerLocks.lose();
  r.uses.lose();
  for (let c = 0; c < cpus.length; c++) if (cpu < 0 || c === cpu) forgetCpu(r, c);
  // Any task may have exec'd, exited, borrowed or released in the gap.
  for (const t of tasks.takeTouched()) {
    if (tasks.entering[t]! >= 0) world.mms.entering[tasks.entering[t]!]! -= 1;
    if (tasks.unusing[t] === 1) world.mms.unusing[tasks.borrowed[t]!]! -= 1;
    tasks.unusing[t] = 0;
    world.names.remove(Note.entering, tasks.entering[t]!, t);
    tasks.entering[t] = NO_LIFE;
    endBorrow(r, t);
    endGet(r, t);
    settlePut(r, t);
    settleDrop(r, t);
    settleLeft(r, t);
    if (tasks.mm[t]! >= 0) leave(r, t);
    tasks.kind[t] = TaskKind.unknown;
    tasks.mm[t] = UNKNOWN_LIFE;
    tasks.leaving[t] = NO_LIFE;
    tasks.made[t] = NO_LIFE;
  }
  tasks.gets.clear();
  tasks.opened.clear();
}

/** Forks checked in the gap may have missed anything; windows it touches are incomplete. */
function loseWindows({ forks, windows }: Lowering, fromSeq: number, fromNs: number): void {
  const open = windows.open.flatMap(({ row }) => (row >= 0 ? [row] : []));
  for (const row of open) forks.cutAt(row, fromNs);
  const loseAt = (row: number): void => {
    if (!(forks.end.at(row) < fromNs)) forks.cutAt(row, fromNs);
    if (forks.seq.at(row) > fromSeq) forks.forget(row);
  };
  let last = forks.length - 1;
  for (; last >= 0 && forks.made.at(last) >= fromNs - windows.longest; last--) loseAt(last);
  for (const row of open) if (row <= last) loseAt(row);
}
