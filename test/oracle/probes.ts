// What the recorder of a random recording does not record: which kernel it is, and which probes are not armed.
import { EventKind } from "../../src/table/event-kinds.ts";
import { random } from "./kernel.ts";

const EARLY: readonly number[] = [
  EventKind.mmapLockStartLocking,
  EventKind.mmapLockAcquireReturned,
  EventKind.mmapLockReleased,
];
const FLUSH: readonly number[] = [
  EventKind.flushTlbMmRange,
  EventKind.flushTlbMmRangeRet,
  EventKind.tlbFlush,
];

/**
 * Probes a recording may lack, by name. __ksm_enter and mm_access are not among them: nothing in a recording without
 * them tells that a holder or a reader was there, and few people would see KSM proven absent before a count is told.
 */
const DROPS: Readonly<Record<string, readonly number[]>> = {
  switch_mm_irqs_off: [EventKind.switchMm],
  enter_lazy_tlb: [EventKind.enterLazyTlb],
  both_switches: [EventKind.switchMm, EventKind.enterLazyTlb],
  kthread_use_mm: [EventKind.kthreadUseMm, EventKind.kthreadUseMmRet],
  kthread_unuse_mm: [EventKind.kthreadUnuseMm, EventKind.kthreadUnuseMmRet],
  use_returns: [EventKind.kthreadUseMmRet, EventKind.kthreadUnuseMmRet],
  get_task_mm: [EventKind.getTaskMm, EventKind.getTaskMmRet],
  get_entries: [EventKind.getTaskMm, EventKind.mmAccess],
  proc_mem_open: [EventKind.procMemOpenRet],
  mmput: [EventKind.mmput],
  mm_init: [EventKind.mmInit],
  mmdrop: [EventKind.mmdrop],
  exec: [EventKind.execBegin, EventKind.execMmRelease, EventKind.schedProcessExec],
  exec_mm_release: [EventKind.execMmRelease],
  exit_mm_release: [EventKind.exitMmRelease],
  exit_mmap: [EventKind.exitMmap],
  khugepaged: [EventKind.khugepagedEnter, EventKind.khugepagedExit],
  task_newtask: [EventKind.taskNewtask],
  sched_process_fork: [EventKind.schedProcessFork],
  sched_switch: [EventKind.schedSwitch],
  copy_process: [EventKind.copyProcess, EventKind.copyProcessRet],
  stock: Object.values(EventKind).filter(
    (kind) =>
      ![...EARLY, EventKind.tlbFlush].includes(kind as 9) &&
      (kind > EventKind.tlbFlush || kind === EventKind.schedMigrateTask),
  ),
};

/** Groups that a recording lacks beside what it lacks already: where a window shows by other probes then. */
const WINDOWS: Readonly<Record<string, readonly number[]>> = {
  dup_mmap: [EventKind.dupMmap, EventKind.dupMmapRet],
  uprobes: [EventKind.uprobeDupMmap, EventKind.uprobeStartDupMmap, EventKind.uprobeEndDupMmap],
  copy_process: [EventKind.copyProcess, EventKind.copyProcessRet],
  locks: EARLY,
  flush: FLUSH,
};

/** What else differs, drawn apart: the other streams are what they were without it. */
export interface Kind {
  readonly release: string;
  readonly exitsFirst: boolean;
  /** As in Debian's 7.2: enter_lazy_tlb has no symbol. The mmput or the last switch is all that shows an exit's end. */
  readonly isInlined: boolean;
  /** The recorder keeps sched_process_exit's group_dead; else the release tells what it means. */
  readonly tellsGroupDead: boolean;
  /** See Setup.rare. */
  readonly isRare: boolean;
}

export function kindOf(seed: number, modern: boolean): Kind {
  const chance = random(seed ^ 0x616);
  const exitsFirst = modern && chance() < 0.5;
  const release = exitsFirst ? "6.16" : modern ? "6.12" : "6.1";
  return {
    release,
    exitsFirst,
    isInlined: exitsFirst && chance() < 0.5,
    tellsGroupDead: chance() < 0.5,
    isRare: random(seed ^ 0x4a4e)() < 0.25,
  };
}

/** The kinds that are not recorded, in words what it lacks, and whether it is more than a recorder leaves out. */
export function hiddenKinds(
  seed: number,
  { isInlined }: Kind,
  modern: boolean,
  chance: () => number,
): {
  readonly hidden: ReadonlySet<number>;
  readonly without: readonly string[];
  readonly lacksProbe: boolean;
} {
  const hidden = new Set<number>();
  const hide = (kinds: readonly number[]): void => void kinds.forEach((kind) => void hidden.add(kind));
  if (!modern || chance() < 0.5) hide(EARLY);
  if (!modern && chance() < 0.6) hide(WINDOWS["uprobes"]!);
  if (!modern && chance() < 0.7) hide(FLUSH);
  const pick = (from: Readonly<Record<string, readonly number[]>>, by: () => number): string => {
    const name = Object.keys(from)[Math.floor(by() * Object.keys(from).length)]!;
    hide(from[name]!);
    return `without ${name}`;
  };
  const without = chance() < 0.35 ? [pick(DROPS, chance)] : [];
  const more = random(seed ^ 0x3017);
  if (more() < 0.25) {
    const n = 1 + Math.floor(more() * 3);
    for (let i = 0; i < n; i++) without.push(pick(WINDOWS, more));
    if (more() < 0.5) without.push(pick(DROPS, more));
  }
  if (isInlined) hide([EventKind.enterLazyTlb]);
  const lacksProbe = without.length > 0 || isInlined;
  return { hidden, without: isInlined ? [...without, "enter_lazy_tlb inlined"] : without, lacksProbe };
}
