// One string a state, the same for states that differ only in which CPU and which of several identical actors is which,
// and in what cannot matter any more. Read by search.ts to visit each such class once.
import { type Mms, Tail, type Tasks } from "../model/world.ts";
import { FORKED, type System } from "./system.ts";

/**
 * Canonical under permutation of CPUs and of actors of a role: a CPU is described with the actor it runs, an actor on no
 * CPU by itself, and both lists are sorted. The only other ties between them are the forker's last CPU, which is a mark on
 * the CPU, and the task still leaving one, described there too. Lives other than the forked one are all alike: check() and
 * hazardCpu() ask of a CPU only whether it has the forked one.
 */
export function canonicalKey(s: System): string {
  const { cpus } = s.world;
  const onCpu: string[] = [];
  let placed = 0;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const current = s.actorOn(cpu);
    if (current >= 0) placed |= 1 << current;
    const leaving = cpus.tail[cpu] === Tail.none ? -1 : s.tasks.indexOf(cpus.prevTask[cpu]!);
    if (leaving >= 0 && leaving !== current) placed |= 1 << leaving;
    onCpu.push(
      `${actorKey(s, current)}<${leaving === current ? "" : actorKey(s, leaving)}${cpuKey(s, cpu)}${cpu === s.forkerCpu ? "f" : ""}`,
    );
  }
  const offCpu: string[] = [];
  for (let actor = 0; actor < s.actors.length; actor++)
    if ((placed & (1 << actor)) === 0) offCpu.push(actorKey(s, actor));
  return `${onCpu.sort().join("/")}|${offCpu.sort().join("")}|${globalKey(s)}`;
}

/** The same without the symmetry: which CPU and which actor is which counts. For tests of the reduction. */
export function plainKey(s: System): string {
  const { cpus } = s.world;
  let key = `${globalKey(s)}|${s.forkerCpu}`;
  for (let actor = 0; actor < s.actors.length; actor++) key += `/${actorKey(s, actor)}`;
  for (let cpu = 0; cpu < cpus.length; cpu++)
    key += `|${s.actorOn(cpu)},${cpus.tail[cpu]},${cpus.prevTask[cpu]},${cpus.lazy[cpu]},${cpuKey(s, cpu)}`;
  return key;
}

function isForked(life: number): string {
  return life === FORKED ? "1" : "0";
}

function cpuKey(s: System, cpu: number): string {
  const { lazy, loaded, active, pendingGrab, pendingDrop, tail } = s.world.cpus;
  const lives = [lazy[cpu]!, loaded[cpu]!, active[cpu]!, pendingGrab[cpu]!, pendingDrop[cpu]!];
  return `${lives.map(isForked).join("")}${tail[cpu]}`;
}

/** Where the actor is in its program, and its columns of the world as far as transitions read them. */
function actorKey(s: System, actor: number): string {
  if (actor < 0) return "-";
  const { tasks } = s.world;
  const task = s.tasks[actor]!;
  const { role } = s.actors[actor]!;
  return `${role[0]}${role[1]}${s.pc[actor]}${taskKey(tasks, task)};`;
}

function taskKey(tasks: Tasks, task: number): string {
  const lives = [tasks.mm, tasks.borrowed, tasks.entering, tasks.leaving, tasks.pendingPut];
  const own = lives.map((column) => isForked(column[task]!)).join("");
  return `${own}${tasks.unusing[task]}${tasks.gets.get(task)?.length ?? 0}`;
}

function globalKey(s: System): string {
  return `${s.path}${s.policyHeld}${s.writeHeld}${s.readLocks}${s.writerWaits}${s.vforkWait}${mmKey(s.world.mms)}`;
}

function mmKey(mms: Mms): string {
  const columns = [mms.sum, mms.members, mms.threads, mms.vforks, mms.borrows, mms.between, mms.pendingPuts];
  return columns.map((column) => column[FORKED]).join(",");
}
