// Event names of lttng-modules (2.0 to 2.13) and what is made of each. Names that stand for a syscall changed in 2.6:
// "sys_clone" and "exit_syscall" before, "syscall_entry_clone" and "syscall_exit_clone" since.

/** What an event is to rows.ts; `skip` is counted by name only. */
export const LttngEvent = {
  skip: 0,
  schedSwitch: 1,
  processFork: 2,
  processExec: 3,
  processExit: 4,
  processFree: 5,
  migrateTask: 6,
  /** clone() with its flags. */
  enterClone: 7,
  /** fork(): no flags, and none are set. */
  enterFork: 8,
  /** vfork(): CLONE_VFORK | CLONE_VM (kernel/fork.c). */
  enterVfork: 9,
  /** clone3(): the flags lie behind a pointer that is not followed. */
  enterClone3: 10,
  exitClone: 11,
  /** Of 2.5 and older: the exit of any syscall. */
  exitAny: 12,
  processState: 13,
} as const;
export type LttngEvent = (typeof LttngEvent)[keyof typeof LttngEvent];

const EVENTS: ReadonlyMap<string, LttngEvent> = new Map<string, LttngEvent>([
  ["sched_switch", LttngEvent.schedSwitch],
  ["sched_process_fork", LttngEvent.processFork],
  ["sched_process_exec", LttngEvent.processExec],
  ["sched_process_exit", LttngEvent.processExit],
  ["sched_process_free", LttngEvent.processFree],
  ["sched_migrate_task", LttngEvent.migrateTask],
  ["exit_syscall", LttngEvent.exitAny],
  ["lttng_statedump_process_state", LttngEvent.processState],
]);

const CALLS: ReadonlyMap<string, LttngEvent> = new Map<string, LttngEvent>([
  ["clone", LttngEvent.enterClone],
  ["fork", LttngEvent.enterFork],
  ["vfork", LttngEvent.enterVfork],
  ["clone3", LttngEvent.enterClone3],
]);

/** What the event of this name is. */
export function lttngEvent(name: string): LttngEvent {
  const known = EVENTS.get(name);
  if (known !== undefined) return known;
  const call = /^(?:compat_)?(?:sys|syscall_(entry|exit))_(clone3?|v?fork)$/.exec(name);
  if (call === null) return LttngEvent.skip;
  return call[1] === "exit" ? LttngEvent.exitClone : (CALLS.get(call[2] ?? "") ?? LttngEvent.skip);
}
