// Which task carries a pid: an exec by a thread other than the leader (fs/exec.c, de_thread()). The thread kills the others, waits
// until the leader is a zombie, and exchanges pids with it (exchange_tids; before 5.8 by attach_pid). From there on the thread's
// events carry the leader's pid, sched_process_exec tells its former one as old_pid, and what the leader still shows (its last
// switch, if it had not got there) carries the thread's. No event marks the exchange itself. Called by context.ts and
// lower-switch.ts before anything else is made of the row.
import { IDLE, NO_LIFE, TaskKind, type World } from "./world.ts";

/**
 * `named`, by the pid of an event on the CPU that runs `running`: have the two exchanged pids? Yes where one is the leader of the
 * other's thread group and has left its mm: a task that did shows nothing more on a CPU it was not switched in on, and exit_notify(),
 * which lets the exec go on, comes after exit_mm(). Then `running` is given the pid it goes by, and true returned.
 */
export function exchangedPids(world: World, running: number, named: number): boolean {
  if (running <= IDLE || named <= IDLE) return false;
  if (!leads(world, named, running) && !leads(world, running, named)) return false;
  world.tasks.exchange(running, named);
  return true;
}

/**
 * The task that is switched in on `cpu` by the pid of `next`. Where another CPU runs `next`, that is its leader, preempted before its
 * last switch: it goes by the thread's pid already.
 */
export function switchedIn(world: World, cpu: number, next: number): number {
  const { tasks, cpus } = world;
  const other = tasks.cpu[next]!;
  if (next <= IDLE || other < 0 || other === cpu || cpus.cur[other] !== next) return next;
  const leader = tasks.tgid[next]! > 0 ? tasks.find(tasks.tgid[next]!) : -1;
  return exchangedPids(world, next, leader) ? leader : next;
}

/** Has `leader` left its mm, and `thread`, of its group, not? */
function leads({ tasks }: World, leader: number, thread: number): boolean {
  if (tasks.tgid[thread] !== tasks.pid[leader] || tasks.kind[thread] === TaskKind.kernel) return false;
  return tasks.kind[leader] === TaskKind.kernel && tasks.mm[leader] === NO_LIFE;
}
