// The states of the model and the form of its transitions: what a CPU, a task, one lifetime of an mm and the ledgers of its
// two counts can be (semantics.md §2). The transitions themselves stand beside, one file a machine.

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

/** A row of the table. */
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

/** A row before it is told which machine it belongs to. */
export type Row = Omit<Transition, "machine">;
