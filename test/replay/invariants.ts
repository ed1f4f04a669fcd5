// What must hold of the replay's state after every row (semantics.md §2.4, last line), looked at from outside: the ledgers
// the model keeps per mm against the tasks and CPUs they count. Used by steps.test.ts.
import { evaluate } from "../../src/replay/evaluate.ts";
import { Forks } from "../../src/replay/forks.ts";
import { kernelOf } from "../../src/replay/index.ts";
import { Exec, NO_LIFE, Tail, UNKNOWN_LIFE, type World } from "../../src/replay/model/world.ts";
import { Replayer } from "../../src/replay/replay.ts";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import { rowByRow } from "./recordings.ts";

/** One fork's row, written over at every look. */
const row = new Forks();

/** What is broken after each row of a replay of `batches`, with the row's line; empty: nothing. */
export function broken(meta: TraceMeta, batches: Iterable<EventBatch>): string[] {
  const replayer = new Replayer(kernelOf(meta, undefined).rules, meta);
  const found: string[] = [];
  for (const one of rowByRow(batches)) {
    replayer.feed(one);
    found.push(...brokenAfter(replayer.world, one));
  }
  return found;
}

function brokenAfter(world: World, { line, kind }: EventBatch): string[] {
  const cpus = Array.from({ length: world.cpus.length }, (_, cpu) => cpu);
  const lives = new Set(cpus.flatMap((cpu) => [world.cpus.lazy[cpu]!, world.cpus.active[cpu]!]));
  const place = `line ${line[0]} (${EVENT_KIND_NAMES[kind[0]!]})`;
  return [
    ...cpus.flatMap((cpu) => brokenCpu(world, cpu)),
    ...[...lives].filter((life) => life >= 0).flatMap((life) => brokenLife(world, life)),
  ].map((text) => `${place}: ${text}`);
}

function brokenCpu(world: World, cpu: number): string[] {
  const { cpus, tasks, switchMmSeen, enterLazySeen } = world;
  const out: string[] = [];
  const lazy = cpus.lazy[cpu]!;
  const active = cpus.active[cpu]!;
  const loaded = cpus.loaded[cpu]!;
  const cur = cpus.cur[cpu]!;
  const using = cur >= 0 ? tasks.using(cur) : UNKNOWN_LIFE;
  if (cpus.pendingGrab[cpu]! >= 0 && cpus.pendingGrab[cpu] !== lazy)
    out.push(`cpu ${cpu} grabs ${cpus.pendingGrab[cpu]}, holds ${lazy}`);
  // Where a switch probe is missing, when a borrow or a load takes effect is not seen.
  if (!switchMmSeen || !enterLazySeen) return out;
  // lazy => cur->mm == NULL: no task uses an mm on a CPU that holds one lazily.
  if (lazy >= 0 && (active >= 0 || using >= 0))
    out.push(`cpu ${cpu} holds ${lazy} lazily, uses ${active}, its task ${using}`);
  if (active >= 0 && using !== UNKNOWN_LIFE && using !== active)
    out.push(`cpu ${cpu} uses ${active}, its task ${using}`);
  if (!isLoadedRight(world, cpu)) out.push(`cpu ${cpu} has ${loaded} loaded, uses ${active}, holds ${lazy}`);
  return out;
}

/** Loaded is what the CPU uses or holds, or init_mm and the temporary ones (leave_mm, text_poke), which have no users. */
function isLoadedRight({ cpus, tasks, mms }: World, cpu: number): boolean {
  const [loaded, lazy, active] = [cpus.loaded[cpu]!, cpus.lazy[cpu]!, cpus.active[cpu]!];
  if (loaded < 0 || lazy === UNKNOWN_LIFE || active === UNKNOWN_LIFE || cpus.unknownSince[cpu]! >= 0)
    return true;
  // Between sched_switch and switch_mm_irqs_off it is prev's still.
  if (cpus.tail[cpu] === Tail.awaited) return true;
  // Where exec_mmap()'s switch_mm_irqs_off has prev NULL (6.12), it is told from leave_mm()'s a few rows later.
  const cur = cpus.cur[cpu]!;
  if (cur >= 0 && tasks.exec[cur] === Exec.releasing) return true;
  return loaded === lazy || loaded === active || (mms.sum[loaded] === 0 && mms.members[loaded] === 0);
}

function brokenLife(world: World, life: number): string[] {
  const { tasks, mms, cpus } = world;
  const out: string[] = [];
  let members = 0;
  let borrows = 0;
  let lazy = 0;
  for (let task = 0; task < tasks.length; task++) {
    if (tasks.mm[task] === life && tasks.sureMember[task] === 1) members++;
    if (tasks.borrowed[task] === life) borrows++;
  }
  for (let cpu = 0; cpu < cpus.length; cpu++)
    if (cpus.lazy[cpu] === life && cpus.pendingGrab[cpu] === NO_LIFE) lazy++;
  if (members !== mms.members[life])
    out.push(`mm ${life}: ${mms.members[life]} members kept, ${members} tasks`);
  if (borrows !== mms.borrows[life])
    out.push(`mm ${life}: ${mms.borrows[life]} borrows kept, ${borrows} tasks`);
  if (world.lostDuring(life)) return out;
  // count >= [users > 0] + kernel tasks with active_mm == m: what a fork checked here would be told, at the least.
  evaluate(world, row, 0, 0, life, -1, true);
  const perhaps = (world.enterLazySeen ? 0 : mms.unusing[life]!) + mms.pendingHolds[life]!;
  const least = 1 + lazy + borrows - perhaps;
  const low = row.countLow.at(0);
  if (low < least) out.push(`mm ${life}: count ${low}, references ${least}`);
  return out;
}
