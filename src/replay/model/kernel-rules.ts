// What differs by kernel release, as data: the replay runs by these rules, and docs/model.md lists them.
import type { KernelRules } from "./world.ts";

/** What a kernel release changes. `since`: first release with it, as 1000 * major + minor. */
export interface VersionRule {
  readonly rule: keyof KernelRules;
  readonly since: number;
  readonly what: string;
  readonly source: string;
}

export const RULES: readonly VersionRule[] = [
  {
    rule: "useMmAlwaysGrabs",
    since: 6004,
    what: "kthread_use_mm() always grabs the mm and then drops the old active_mm, kthread_unuse_mm() takes the lazy reference and then drops its own: one more for a moment. Before, a lazy reference on the same mm is converted",
    source: "kernel/kthread.c; mmgrab_lazy_tlb() of 6.4",
  },
  {
    rule: "lazyCpumask",
    since: 6014,
    what: "switch_mm_irqs_off() leaves the old mm's bit in mm_cpumask, a flush that misses clears it. Before, the switch clears it",
    source: "arch/x86/mm/tlb.c; 209954cbc7d0",
  },
  {
    rule: "exitTracedFirst",
    since: 6016,
    what: "sched_process_exit, and perf's EXIT record, come before exit_mm(): the task has its mm still. Before, after it. An event with the field group_dead says so itself, whatever the release",
    source: "kernel/exit.c; 3e816361e94a",
  },
];

/** Rules of a release, as 1000 * major + minor. */
export function rulesOf(version: number): KernelRules {
  const has = (rule: keyof KernelRules): boolean => RULES.some((r) => r.rule === rule && version >= r.since);
  return {
    useMmAlwaysGrabs: has("useMmAlwaysGrabs"),
    lazyCpumask: has("lazyCpumask"),
    exitTracedFirst: has("exitTracedFirst"),
  };
}
