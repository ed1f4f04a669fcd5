// One string a state, the same for states that differ only in which CPU and which of several identical actors is which,
// and in what cannot matter any more. Read by search.ts to visit each such class once.
import { Tail } from "../model/world.ts";
import { FORKED, type System } from "./system.ts";

/** Bits of an actor's code, of a CPU's own, and so the place of each in a CPU's whole code. */
const ACTOR_BITS = 2 ** 16;
const CPU_BITS = 2 ** 8;

/**
 * Canonical under permutation of CPUs and of actors of a role: a CPU is described with the actor it runs, an actor on no
 * CPU by itself, and both lists are sorted. The only other ties between them are the forker's last CPU, which is a mark on
 * the CPU, and the task still leaving one, described there too. Lives other than the forked one are all alike: check() and
 * hazardCpu() ask of a CPU only whether it has the forked one.
 */
export function canonicalKey(s: System): string {
  const { cpus } = s.world;
  const onCpu: number[] = [];
  let placed = 0;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const current = s.actorOn(cpu);
    if (current >= 0) placed |= 1 << current;
    const left = cpus.tail[cpu] === Tail.none ? -1 : s.actorOf(cpus.prevTask[cpu]!);
    if (left >= 0) placed |= 1 << left;
    const leaving = left === current ? -1 : left;
    onCpu.push((actorCode(s, current) * ACTOR_BITS + actorCode(s, leaving)) * CPU_BITS + cpuCode(s, cpu));
  }
  const offCpu: number[] = [];
  for (let actor = 0; actor < s.actors.length; actor++)
    if ((placed & (1 << actor)) === 0) offCpu.push(actorCode(s, actor));
  const chars = systemCodes(s);
  for (const code of onCpu.sort(ascending)) {
    chars.push(
      code % CPU_BITS,
      Math.floor(code / CPU_BITS) % ACTOR_BITS,
      Math.floor(code / CPU_BITS / ACTOR_BITS),
    );
  }
  chars.push(...offCpu.sort(ascending));
  return String.fromCharCode(...chars);
}

/** The same without the symmetry: which CPU, which actor and which life is which counts. For tests of the reduction. */
export function plainKey(s: System): string {
  const { cpus } = s.world;
  const codes = systemCodes(s);
  for (let actor = 0; actor < s.actors.length; actor++) codes.push(actorCode(s, actor));
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const { cur, tail, prevTask, lazy, loaded, active } = cpus;
    const left = tail[cpu] === Tail.none ? 0 : prevTask[cpu]!;
    codes.push(cur[cpu]!, left, lazy[cpu]! + 2, loaded[cpu]! + 2, active[cpu]! + 2, cpuCode(s, cpu));
  }
  return String.fromCharCode(...codes);
}

function ascending(a: number, b: number): number {
  return a - b;
}

function cpuCode(s: System, cpu: number): number {
  const { lazy, loaded, active, pendingGrab, pendingDrop, tail } = s.world.cpus;
  let code = tail[cpu]! * 2 + (cpu === s.forkerCpu ? 1 : 0);
  for (const column of [lazy, loaded, active, pendingGrab, pendingDrop])
    code = code * 2 + (column[cpu] === FORKED ? 1 : 0);
  return code;
}

/** Its kind of program, where it is in it, and its columns of the world as far as transitions read them; 0 for none. */
function actorCode(s: System, actor: number): number {
  if (actor < 0) return 0;
  const { mm, borrowed, entering, leaving, pendingPut, unusing, gets } = s.world.tasks;
  const task = s.tasks[actor]!;
  let code = (s.kinds[actor]! + 1) * 8 + s.pc[actor]!;
  for (const column of [mm, borrowed, entering, leaving, pendingPut])
    code = code * 2 + (column[task] === FORKED ? 1 : 0);
  return (code * 2 + unusing[task]!) * 2 + (gets.has(task) ? 1 : 0);
}

/** Locks, what the check said, and the forked mm's counters. */
function systemCodes(s: System): number[] {
  const { sum, members, threads, vforks, borrows, entering, pendingPuts } = s.world.mms;
  return [
    s.path,
    s.policyHeld * 8 + s.writeHeld * 4 + s.writerWaits * 2 + s.vforkWait,
    s.readLocks,
    ...[sum, members, threads, vforks, borrows, entering, pendingPuts].map((column) => column[FORKED]!),
  ];
}
