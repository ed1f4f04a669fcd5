// Lost events: what a gap makes unknown. Called by replay.ts for `lost` rows.
import type { Lowering } from "./lowering.ts";
import { forgetCpu, leave, settleLeft } from "./model/model.ts";
import { settleDrop } from "./model/switching.ts";
import { endGet, settlePut } from "./model/users.ts";
import { NO_LIFE, TaskKind, UNKNOWN_LIFE } from "./model/world.ts";

/**
 * A gap in the recording, on one CPU or (cpu -1) on any: what was known of tasks and of the CPU is forgotten, and every
 * mm that existed then is in doubt from here on.
 */
export function loseEvents(r: Lowering, cpu: number): void {
  const { world } = r;
  const { cpus, tasks } = world;
  world.lossSeq = world.seq;
  if (cpu >= 0) cpus.ensure(cpu);
  let fromSeq = world.seq;
  let fromNs = world.ns;
  for (let c = 0; c < cpus.length; c++) {
    if (cpu >= 0 && c !== cpu) continue;
    fromSeq = Math.min(fromSeq, cpus.lastSeq[c]!);
    fromNs = Math.min(fromNs, cpus.lastNs[c]!);
  }
  r.windows.loseEvents(fromSeq, fromNs);
  for (let c = 0; c < cpus.length; c++) if (cpu < 0 || c === cpu) forgetCpu(r, c);
  // Any task may have exec'd, exited, borrowed or released in the gap.
  for (const t of tasks.takeTouched()) {
    if (tasks.entering[t]! >= 0) world.mms.entering[tasks.entering[t]!]! -= 1;
    if (tasks.unusing[t] === 1) world.mms.unusing[tasks.borrowed[t]!]! -= 1;
    if (tasks.borrowed[t]! >= 0) world.mms.borrows[tasks.borrowed[t]!]! -= 1;
    tasks.entering[t] = NO_LIFE;
    tasks.unusing[t] = 0;
    tasks.borrowed[t] = NO_LIFE;
    endGet(r, t);
    settlePut(r, t);
    settleDrop(r, t);
    settleLeft(r, t);
    if (tasks.mm[t]! >= 0) leave(r, t);
    tasks.kind[t] = TaskKind.unknown;
    tasks.mm[t] = UNKNOWN_LIFE;
    tasks.leaving[t] = NO_LIFE;
  }
  tasks.gets.clear();
  tasks.opened.clear();
}
