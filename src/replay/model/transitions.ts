// The states and transitions of the model as data: what moves a CPU, a task, an mm and the ledgers of its two counts from
// one state to the next, by which event, with which effect, in which kernel function (semantics.md §2.3, §2.4). What
// differs by kernel release is RULES, by which the replay runs. docs/model.md is written from here, with the number of
// times the committed recordings take each row; a test holds the replay to these rows: a change of state that is no row
// of the table fails, and so does a row that nothing takes.
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
];

/** Rules of a release, as 1000 * major + minor. */
export function rulesOf(version: number): KernelRules {
  const has = (rule: keyof KernelRules): boolean => RULES.some((r) => r.rule === rule && version >= r.since);
  return { useMmAlwaysGrabs: has("useMmAlwaysGrabs"), lazyCpumask: has("lazyCpumask") };
}

/** State of a CPU. */
export const CPU_STATES = {
  unknown: "which task runs, or which mm it has, no event has shown yet",
  user: "runs a task that has the mm as tsk->mm",
  borrowing: "runs a kernel thread inside kthread_use_mm()",
  lazy: "runs a kernel task whose active_mm is the mm; the mm is still loaded, as far as events show",
  unloaded: "the same, but init_mm or a temporary mm is loaded",
  kernel: "runs a kernel task; what it holds lazily is not known",
} as const;
export type CpuState = keyof typeof CPU_STATES;

/** State of a task towards mms. */
export const TASK_STATES = {
  unknown: "no event has shown whether it has an mm",
  seen: "switched in with an mm: a user task, or a kernel thread that borrows it",
  member: "has the mm as tsk->mm and one of its mm_users",
  kernel: "no mm: a kernel thread, or a task past exit_mm()",
  calling: "has called kthread_use_mm(), which has not taken effect",
  borrowing: "a kernel thread inside kthread_use_mm()",
  unusing: "has called kthread_unuse_mm(), which has not taken effect",
  left: "has left its mm; its mmput() is to come",
} as const;
export type TaskState = keyof typeof TASK_STATES;

/** State of one lifetime of an mm. */
export const MM_STATES = {
  before: "older than the recording; no member of it is known",
  made: "mm_init() done, mm_users 1, no task has it yet",
  used: "at least one task is known to have it",
  unowned: "no task known to have it is left; references may be",
  "torn-down": "mm_users 0, exit_mmap() called; mm_count may still be held",
  freed: "mm_count 0, or its address has been given to another",
} as const;
export type MmState = keyof typeof MM_STATES;

/** A column of the ledgers: mm_users, or one kind of holder of mm_count. */
export const LEDGERS = ["mm_users", "khugepaged", "ksm", "proc-fd", "io-uring", "mmu-notifier"] as const;
export type Ledger = (typeof LEDGERS)[number];

export type Machine = "cpu" | "task" | "mm" | "ledger";

export interface Transition {
  readonly machine: Machine;
  /** Unique within its machine. */
  readonly name: string;
  /** States before and after; "none": not there yet. Of ledgers the column and the step. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Event kinds that show it; "*": any. */
  readonly by: readonly string[];
  /** CPUs and members: does the mm stay the same? Absent: either, or not both states have one. */
  readonly mm?: "same" | "other";
  /** CPUs: what mm_count of the mm moves by; "old/new" where the mm changes. Checked against the replay. */
  readonly count?: string;
  readonly effect: string;
  readonly kernel: string;
}

const USING = ["user", "borrowing"];
const HOLDING = ["lazy", "unloaded"];

const CPU: readonly Omit<Transition, "machine">[] = [
  {
    name: "user to user, same mm",
    from: USING,
    to: USING,
    by: ["sched_switch"],
    mm: "same",
    count: "0",
    effect: "nothing: switch_mm_irqs_off() returns early, no load of CR3",
    kernel: "context_switch, user to user",
  },
  {
    name: "user to user",
    from: USING,
    to: USING,
    by: ["sched_switch"],
    mm: "other",
    count: "0/0",
    effect: "next's mm loaded",
    kernel: "context_switch, user to user",
  },
  {
    name: "user to kernel",
    from: USING,
    to: ["lazy"],
    by: ["sched_switch"],
    mm: "same",
    count: "1",
    effect:
      "mm_count +1 on prev's mm, which stays loaded; done by the CPU's next event after enter_lazy_tlb, or when another CPU picks the task it left",
    kernel: "context_switch, user to kernel: mmgrab, enter_lazy_tlb",
  },
  {
    name: "kernel to kernel",
    from: HOLDING,
    to: HOLDING,
    by: ["sched_switch"],
    mm: "same",
    count: "0",
    effect: "active_mm handed on",
    kernel: "context_switch, kernel to kernel",
  },
  {
    name: "kernel to user, same mm",
    from: ["lazy"],
    to: USING,
    by: ["sched_switch"],
    mm: "same",
    count: "-1",
    effect: "mm_count -1, done by the next event in next's own context; CR3 loaded only if tlb_gen has moved",
    kernel: "context_switch, kernel to user; finish_task_switch drops rq->prev_mm",
  },
  {
    name: "kernel to user, unloaded",
    from: ["unloaded"],
    to: USING,
    by: ["sched_switch"],
    mm: "same",
    count: "-1",
    effect: "mm_count -1; the mm loaded again",
    kernel: "the same",
  },
  {
    name: "kernel to user, other mm",
    from: HOLDING,
    to: USING,
    by: ["sched_switch"],
    mm: "other",
    count: "-1/0",
    effect: "mm_count -1 on the mm held; next's loaded",
    kernel: "the same",
  },
  {
    name: "exec",
    from: ["user"],
    to: ["user"],
    by: ["switch_mm_irqs_off", "mmput", "sched_process_exec"],
    mm: "other",
    count: "0/0",
    effect: "new mm loaded; the old one's mm_users goes with the mmput() that follows",
    kernel: "exec_mmap (begin_new_exec)",
  },
  {
    name: "exec seen late",
    from: ["user"],
    to: ["user"],
    by: ["dup_mmap", "uprobe_dup_mmap"],
    mm: "other",
    count: "0/0",
    effect: "it forks another mm than it was known to have: it has exec'd since, and nothing showed that",
    kernel: "exec_mmap, not recorded",
  },
  {
    name: "exec without an mm",
    from: HOLDING,
    to: ["user"],
    by: ["switch_mm_irqs_off", "mmput", "sched_process_exec"],
    mm: "other",
    count: "-1/0",
    effect: "mm_count -1 on the mm held lazily, new mm loaded",
    kernel: "exec_mmap in a task without an mm",
  },
  {
    name: "exit_mm",
    from: ["user"],
    to: ["lazy"],
    by: ["enter_lazy_tlb", "sched_process_exit"],
    mm: "same",
    count: "1",
    effect: "mm_count +1 as the CPU's lazy reference; mm_users -1 with the mmput() that follows",
    kernel: "exit_mm",
  },
  {
    name: "kthread_use_mm, same mm",
    from: HOLDING,
    to: ["borrowing"],
    by: ["switch_mm_irqs_off"],
    mm: "same",
    count: "0",
    effect: "the lazy reference becomes the borrower's (6.4 on: +1, then -1)",
    kernel: "kthread_use_mm",
  },
  {
    name: "kthread_use_mm",
    from: HOLDING,
    to: ["borrowing"],
    by: ["switch_mm_irqs_off"],
    mm: "other",
    count: "-1/1",
    effect: "mm_count +1; -1 on the mm held lazily; loaded",
    kernel: "kthread_use_mm",
  },
  {
    name: "kthread_use_mm called",
    from: HOLDING,
    to: ["borrowing"],
    by: ["kthread_use_mm"],
    count: "0/0",
    effect: "where switch_mm_irqs_off is not recorded: the mm may be in use from here on",
    kernel: "kthread_use_mm, entry",
  },
  {
    name: "kthread_unuse_mm",
    from: ["borrowing"],
    to: ["lazy"],
    by: ["enter_lazy_tlb"],
    mm: "same",
    count: "0",
    effect: "the borrower's reference becomes the CPU's lazy one, in one step",
    kernel: "kthread_unuse_mm",
  },
  {
    name: "sent to init_mm",
    from: ["lazy"],
    to: ["unloaded"],
    by: ["switch_mm_irqs_off", "tlb_flush"],
    mm: "same",
    count: "0",
    effect: "init_mm (text_poke: a temporary mm) loaded; mm_count stays",
    kernel: "flush_tlb_func of a flush that frees tables, leave_mm, use_temporary_mm",
  },
  {
    name: "comes to light",
    from: ["unknown", "kernel"],
    to: [...USING, ...HOLDING, "kernel"],
    by: ["*"],
    effect: "what the CPU held since it became unknown comes to light; forks checked meanwhile are corrected",
    kernel: "the first event of a task; prev and mm of switch_mm_irqs_off and enter_lazy_tlb",
  },
  {
    name: "what next holds is unknown",
    from: [...USING, ...HOLDING],
    to: ["kernel"],
    by: ["sched_switch"],
    effect: "prev may or may not have had an mm by then",
    kernel: "context_switch, kernel to kernel or user to kernel",
  },
  {
    name: "next unknown",
    from: Object.keys(CPU_STATES),
    to: ["unknown"],
    by: ["sched_switch"],
    effect: "next's mm, or what it holds, is not known",
    kernel: "context_switch to a task never seen before",
  },
  {
    name: "events lost",
    from: Object.keys(CPU_STATES),
    to: ["unknown"],
    by: ["lost"],
    effect: "all is forgotten from the CPU's last event before the gap on",
    kernel: "none: the recorder lost events",
  },
];

const MEMBER_ONLY = [
  "copy_process",
  "dup_mmap",
  "uprobe_dup_mmap",
  "mmap_lock_acquire_returned",
  "task_newtask",
  "exec_mm_release",
  "exit_mm_release",
  "sched_process_exec",
  "switch_mm_irqs_off",
];
const EXEC = ["switch_mm_irqs_off", "mmput", "sched_process_exec"];

const TASK: readonly Omit<Transition, "machine">[] = [
  {
    name: "clone",
    from: ["none"],
    to: ["member"],
    by: ["task_newtask", "sched_process_fork"],
    effect: "CLONE_VM: mm_users +1 on the parent's mm; without: the first user of a new mm",
    kernel: "copy_process: copy_mm",
  },
  {
    name: "kernel thread",
    from: ["none"],
    to: ["kernel"],
    by: ["task_newtask", "sched_process_fork"],
    effect: "nothing: kthreadd made it",
    kernel: "kernel_thread, create_kthread",
  },
  {
    name: "proves itself a member",
    from: ["unknown", "seen"],
    to: ["member"],
    by: MEMBER_ONLY,
    effect: "only members do this: it has been one since before; earlier forks of the mm are corrected",
    kernel: "copy_process, exec_mmap, exit_mm",
  },
  {
    name: "switched in",
    from: ["unknown"],
    to: ["seen"],
    by: ["switch_mm_irqs_off"],
    effect: "it has the mm; whether it has an mm_users, too, is not known",
    kernel: "context_switch to a task older than the recording",
  },
  {
    name: "pointer against lineage",
    from: ["member"],
    to: ["seen"],
    by: ["switch_mm_irqs_off"],
    effect: "it is switched in with another mm than it was known to have by lineage: the pointer is believed",
    kernel: "context_switch after an exec that was not recorded",
  },
  {
    name: "shows no mm",
    from: ["unknown"],
    to: ["kernel"],
    by: ["enter_lazy_tlb", "sched_switch"],
    effect: "it has no mm",
    kernel: "context_switch to a kernel task; without enter_lazy_tlb: it ran and CR3 was not loaded",
  },
  {
    name: "kthread_use_mm called",
    from: ["unknown", "kernel"],
    to: ["calling"],
    by: ["kthread_use_mm"],
    effect: "mm_count +1 at some instant from here on",
    kernel: "kthread_use_mm, entry",
  },
  {
    name: "kthread_use_mm",
    from: ["calling"],
    to: ["borrowing"],
    by: ["switch_mm_irqs_off"],
    effect: "the mm loaded and in use",
    kernel: "kthread_use_mm",
  },
  {
    name: "kthread_unuse_mm called",
    from: ["borrowing", "seen", "unknown"],
    to: ["unusing"],
    by: ["kthread_unuse_mm"],
    effect: "nothing: the mm stays in use",
    kernel: "kthread_unuse_mm, entry",
  },
  {
    name: "kthread_unuse_mm",
    from: ["unusing"],
    to: ["kernel"],
    by: ["enter_lazy_tlb"],
    effect: "the CPU holds the mm lazily",
    kernel: "kthread_unuse_mm",
  },
  {
    name: "exec",
    from: ["member"],
    to: ["member"],
    by: EXEC,
    mm: "other",
    effect: "mm_users -1 on the old mm with the mmput() that follows",
    kernel: "exec_mmap (begin_new_exec)",
  },
  {
    name: "exec seen late",
    from: ["member"],
    to: ["member"],
    by: ["dup_mmap", "uprobe_dup_mmap"],
    mm: "other",
    effect: "the mm it forks is its mm",
    kernel: "exec_mmap, not recorded",
  },
  {
    name: "exec without an mm",
    from: ["kernel"],
    to: ["member"],
    by: EXEC,
    effect: "the first user of a new mm",
    kernel: "exec_mmap of a usermode helper",
  },
  {
    name: "exit_mm",
    from: ["member", "seen"],
    to: ["left", "kernel"],
    by: ["enter_lazy_tlb", "sched_process_exit"],
    effect: "mm_users -1 with the mmput() that follows",
    kernel: "exit_mm",
  },
  {
    name: "mmput",
    from: ["left"],
    to: ["kernel"],
    by: ["mmput"],
    effect: "mm_users -1, done by the task's next event",
    kernel: "mmput in exit_mm",
  },
  {
    name: "events lost",
    from: Object.keys(TASK_STATES),
    to: ["unknown"],
    by: ["lost"],
    effect: "all is forgotten",
    kernel: "none: the recorder lost events",
  },
];

const MM: readonly Omit<Transition, "machine">[] = [
  {
    name: "made",
    from: ["none"],
    to: ["made"],
    by: ["mm_init", "begin_new_exec", "dup_mmap", "uprobe_dup_mmap"],
    effect: "mm_users 1, mm_count 1",
    kernel: "mm_init in dup_mm and mm_alloc; where it is not recorded, the first event that names the new mm",
  },
  {
    name: "gets a user",
    from: ["made"],
    to: ["used"],
    by: ["dup_mmap", "task_newtask", "sched_process_fork", ...EXEC],
    effect: "a fork's child, or an exec, has it; or the task that forks it turns out to",
    kernel: "copy_mm, exec_mmap",
  },
  {
    name: "met with a user",
    from: ["none"],
    to: ["used"],
    by: ["task_newtask", "sched_process_fork", "sched_process_exec"],
    effect: "the same, where nothing shows the mm being made",
    kernel: "copy_mm, exec_mmap",
  },
  {
    name: "turns out used",
    from: ["before", "unowned"],
    to: ["used"],
    by: MEMBER_ONLY,
    effect: "a task older than the recording turns out to have it",
    kernel: "copy_process, exec_mmap, exit_mm",
  },
  {
    name: "last user leaves",
    from: ["used"],
    to: ["unowned", "before"],
    by: ["enter_lazy_tlb", "sched_process_exit", ...EXEC, "dup_mmap", "uprobe_dup_mmap"],
    effect: "its last known member leaves; mm_users -1 with the mmput() that follows",
    kernel: "exit_mm, exec_mmap",
  },
  {
    name: "exit_mmap",
    from: ["used", "unowned", "before"],
    to: ["torn-down"],
    by: ["exit_mmap"],
    effect: "mm_users is 0; khugepaged and KSM let go",
    kernel: "__mmput",
  },
  {
    name: "failed fork or exec",
    from: ["made"],
    to: ["torn-down"],
    by: ["exit_mmap"],
    effect: "mm_users is 0",
    kernel: "mmput in a fork or exec that failed",
  },
  {
    name: "__mmdrop",
    from: ["torn-down", "before"],
    to: ["freed"],
    by: ["__mmdrop"],
    effect: "mm_count is 0; the address is free",
    kernel: "__mmdrop",
  },
  {
    name: "address reused",
    from: ["torn-down", "unowned"],
    to: ["freed"],
    by: ["mm_init", "begin_new_exec", "dup_mmap", "task_newtask", "sched_process_fork"],
    effect: "another mm has its address: exit_mmap() or __mmdrop() was not recorded",
    kernel: "mm_init",
  },
  {
    name: "known by lineage",
    from: ["before"],
    to: ["freed"],
    by: ["enter_lazy_tlb", "switch_mm_irqs_off"],
    effect: "the address is that of an mm known by lineage: the two are one",
    kernel: "context_switch",
  },
  {
    name: "events lost",
    from: ["used"],
    to: ["unowned", "before"],
    by: ["lost"],
    effect: "nobody is known to have it any more",
    kernel: "none: the recorder lost events",
  },
];

const LEDGER: readonly Omit<Transition, "machine">[] = [
  {
    name: "born with one",
    from: ["mm_users"],
    to: ["+1"],
    by: ["mm_init", "begin_new_exec", "dup_mmap", "uprobe_dup_mmap", "sched_process_exec"],
    effect: "mm_users 1, mm_count 1; sched_process_exec where nothing showed the mm being made",
    kernel: "mm_init",
  },
  {
    name: "clone",
    from: ["mm_users"],
    to: ["+1", "+2"],
    by: ["task_newtask"],
    effect:
      "CLONE_VM: +1 some time since the parent's last event, and the parent's own where it was not known; without: the new mm's first",
    kernel: "copy_mm",
  },
  {
    name: "member since before",
    from: ["mm_users"],
    to: ["+1"],
    by: ["copy_process", "exec_mm_release", "exit_mm_release", "mmap_lock_acquire_returned"],
    effect: "the member's reference is as old as the task; earlier forks of the mm are corrected",
    kernel: "copy_mm, exec_mmap of a task older than the recording",
  },
  {
    name: "get",
    from: ["mm_users"],
    to: ["+1"],
    by: ["get_task_mm_ret", "mm_access_ret"],
    effect: "+1 some time since the call, or since the caller's last event where its entry is not recorded",
    kernel: "get_task_mm, mm_access",
  },
  {
    name: "put",
    from: ["mm_users"],
    to: ["-1"],
    by: ["mmput", "mmput_async"],
    effect:
      "done by the caller's next event of its own; a switch-out as R or R+ proves nothing. A put of a reference that no event showed being taken leaves the ledger as it is: a get without a hook lies before it",
    kernel: "mmput, mmput_async",
  },
  {
    name: "khugepaged registers",
    from: ["khugepaged"],
    to: ["+1"],
    by: ["__khugepaged_enter"],
    effect: "mm_count +1, done by the caller's next event; a fork's child inherits it by a call of its own",
    kernel: "__khugepaged_enter",
  },
  {
    name: "khugepaged lets go",
    from: ["khugepaged"],
    to: ["-1"],
    by: ["__khugepaged_exit", "exit_mmap"],
    effect: "mm_count -1",
    kernel: "__khugepaged_exit, at the latest in __mmput",
  },
  {
    name: "ksm registers",
    from: ["ksm"],
    to: ["+1"],
    by: ["__ksm_enter"],
    effect: "mm_count +1, done by the caller's next event",
    kernel: "__ksm_enter",
  },
  {
    name: "ksm lets go",
    from: ["ksm"],
    to: ["-1"],
    by: ["__ksm_exit", "exit_mmap"],
    effect: "mm_count -1",
    kernel: "__ksm_exit, at the latest in __mmput",
  },
  {
    name: "/proc file opened",
    from: ["proc-fd"],
    to: ["+1"],
    by: ["mm_access_ret", "proc_mem_open_ret", "mmput"],
    effect:
      "mm_count +1, perhaps: the opener may keep the file; mmput where the put proves a get by mmget_not_zero()",
    kernel: "proc_mem_open",
  },
  {
    name: "/proc file closed",
    from: ["proc-fd"],
    to: ["-1"],
    by: ["sched_switch"],
    effect: "mm_count -1: the opener is dead (state Z or X) and never forked",
    kernel: "do_exit: exit_files",
  },
  {
    name: "io_uring ring",
    from: ["io-uring"],
    to: ["+1"],
    by: ["task_newtask"],
    effect: "mm_count +1, perhaps, from the creator's event before on and until the mm's end",
    kernel: "io_uring_create",
  },
  {
    name: "mmu notifier",
    from: ["mmu-notifier"],
    to: ["+1"],
    by: ["__mmu_notifier_register"],
    effect: "mm_count +1, perhaps, until the mm's end",
    kernel: "__mmu_notifier_register",
  },
];

export const TRANSITIONS: readonly Transition[] = [
  ...CPU.map((row) => ({ ...row, machine: "cpu" as const })),
  ...TASK.map((row) => ({ ...row, machine: "task" as const })),
  ...MM.map((row) => ({ ...row, machine: "mm" as const })),
  ...LEDGER.map((row) => ({ ...row, machine: "ledger" as const })),
];
