// exit_mm(), by whatever shows it (semantics §2.4 row 6, §9.2, §9.10): enter_lazy_tlb shows its end; where that is not recorded
// (Debian's 7.2 has no symbol for it), the mmput behind it, sched_process_exit up to 6.15, the task's last switch.
import { Doubt } from "../forks.ts";
import { leave, leaveLater, type Model, park, reveal, setActive } from "./model.ts";
import { Left } from "./names.ts";
import { Exec, NO_LIFE, UNKNOWN_LIFE } from "./world.ts";

/**
 * exit_mm(): enter_lazy_tlb for the exiting task itself. mm_count +1 was taken before, at any time since its last event; mmput follows.
 */
export function exitMm(m: Model, cpu: number, task: number, life: number): void {
  const { cpus, tasks, seq } = m.world;
  m.forks.patchCount(m.world, life, tasks.firm[task]!, seq, 0, 1, Doubt.exitRace);
  if (m.world.tasks.mm[task] === life || m.world.tasks.mm[task]! < 0) {
    if (m.world.tasks.mm[task]! >= 0) leaveLater(m, task, life);
    else m.world.tasks.leaving[task] = life;
  }
  if (cpu < 0) return;
  if (cpus.unknownSince[cpu]! >= 0) reveal(m, cpu, life, task);
  park(m, cpu, life, task, Left.exit);
  setActive(m, cpu, task, NO_LIFE);
}

/** exit_mm() is about to begin. Unless enter_lazy_tlb will show its end, nobody knows from here on whether the task has its mm still. */
export function beginExit(m: Model, task: number): void {
  const { tasks, cpus, seq, enterLazySeen } = m.world;
  if (enterLazySeen || tasks.mm[task]! < 0) return;
  tasks.exiting[task] = seq;
  const cpu = tasks.cpu[task]!;
  if (cpu < 0 || cpus.cur[cpu] !== task) return;
  // Up to here it has had it, and the CPU with it.
  if (cpus.unknownSince[cpu]! >= 0) reveal(m, cpu, tasks.mm[task]!, task);
  setActive(m, cpu, task, UNKNOWN_LIFE);
}

/** exit_mm() is over: the task puts the mm_users it had. It has held the mm lazily for some time of its exit. */
export function exitPut(m: Model, task: number, life: number): void {
  const { tasks, cpus, seq } = m.world;
  const from = tasks.exiting[task]!;
  if (from >= 0) m.forks.patchCount(m.world, life, from, seq, 0, 1, Doubt.exitRace);
  leave(m, task);
  const cpu = tasks.cpu[task]!;
  if (cpu < 0 || cpus.cur[cpu] !== task) return;
  park(m, cpu, life, task, Left.exit);
  setActive(m, cpu, task, NO_LIFE);
}

/**
 * exit without exit_mm's own evidence: sched_process_exit up to 6.15, the task's last switch, a load of CR3 of a CPU that it has
 * left lazy.
 */
export function exitUnseen(m: Model, cpu: number, task: number): void {
  const { tasks, cpus, seq } = m.world;
  const life = tasks.mm[task]!;
  if (life < 0) return;
  doubtExit(m, task, life, seq);
  leave(m, task);
  if (cpu >= 0 && cpus.cur[cpu] === task) {
    park(m, cpu, life, task, Left.exit);
    setActive(m, cpu, task, NO_LIFE);
  }
}

/** The trace is over: a task whose exit_mm() had begun may have left its mm since, or taken the mm_count that it keeps. */
export function cutExit(m: Model, task: number): void {
  const { tasks, seq } = m.world;
  if (tasks.exiting[task]! >= 0) doubtExit(m, task, tasks.mm[task]!, seq + 1);
  const life = tasks.mm[task]!;
  if (life >= 0 && tasks.leaving[task] === life && tasks.exec[task] === Exec.none)
    m.forks.patchCount(m.world, life, tasks.firm[task]!, seq + 1, 0, 1, Doubt.exitRace);
}

/** `task` has left `life`, and perhaps put it, at any time between its last event that shows it had it, and `to`. */
function doubtExit(m: Model, task: number, life: number, to: number): void {
  const { tasks } = m.world;
  const firm = tasks.firm[task]!;
  const from = tasks.exiting[task]! >= 0 ? Math.min(tasks.exiting[task]!, firm) : firm;
  m.forks.patchMembers(m.world, life, from, to, -1);
  m.forks.weakenHolders(m.world, life, from, to, tasks.pid[task]!);
  m.forks.patchUsers(m.world, life, from, to, 0, 1, Doubt.exitRace);
  m.forks.patchCount(m.world, life, from, to, 0, 1, Doubt.exitRace);
}
