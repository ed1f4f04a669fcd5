// Schemas of the result tables (house.md §6). Interface: extend, never rename; schema-changelog.md says what changed.
import { ColumnTable, type RowOf, type TableRows } from "./columns.ts";

export const SCHEMA_VERSION = 1;
/** Schema metadata of every table's file: the version. */
export const VERSION_KEY = "forkcast.schema_version";

/** Policy ids, in report order. */
export const POLICY_IDS = [
  "always-atomic",
  "mm-count-only",
  "counts-unlocked",
  "users-only",
  "get-task-mm",
  "fork-lock",
  "mmap-lock",
  "users-mmap-lock",
  "cpumask",
] as const;
export type PolicyId = (typeof POLICY_IDS)[number];

export const DENIAL_CAUSES = [
  "threads",
  "vfork-child",
  "borrower",
  "reader",
  "lazy-tlb",
  "khugepaged",
  "ksm",
  "proc-fd",
  "io-uring",
  "mmu-notifier",
  "userfaultfd",
  "unattributed",
  "unknown",
] as const;
export type DenialCause = (typeof DENIAL_CAUSES)[number];

/** measured: the trace carries the value; derived: replayed, exact; at-least: a lower bound; assumed: a named default. */
export const EVIDENCE = ["measured", "derived", "at-least", "assumed", "unknown"] as const;
export type Evidence = (typeof EVIDENCE)[number];

export const DECISIONS = ["fast", "slow", "indeterminate"] as const;
export type Decision = (typeof DECISIONS)[number];
export const VERDICTS = ["safe", "unsafe", "indeterminate"] as const;
export type Verdict = (typeof VERDICTS)[number];
export const WINDOW_KINDS = ["measured", "bracketed", "point"] as const;
export type WindowKind = (typeof WINDOW_KINDS)[number];

/** Exposure classes of semantics.md §6.1. U4 and U4b are lazy residue: reported, never unsafe by themselves. */
export const EXPOSURE_CLASSES = ["U1", "U2", "U2b", "U3", "U3b", "U4", "U4b", "U5", "U6", "U7"] as const;
export type ExposureClass = (typeof EXPOSURE_CLASSES)[number];

/**
 * One row a fork, in time order. start_ns: the latest check point the trace shows; end_ns: end of the parent's TLB
 * flush (exclusive) by the best evidence; early_ns: the check point before the lock, null when the trace shows none.
 * mm_users/mm_count are what decisions use; derived_* are the replay's own, never influenced by samples.
 * line: input line of the check point. Nullable: end_ns of a window cut off by the trace's end, child_tid of a
 * failed fork, counts when unknown, early_ns, derived_*.
 */
export const FORK_SPEC = {
  fork: "i32",
  trace: "i32",
  start_ns: "ns",
  end_ns: "ns",
  window: "dict",
  cpu: "i32",
  tid: "i32",
  comm: "dict",
  mm: "dict",
  child_tid: "i32",
  mm_users: "i32",
  mm_users_evidence: "dict",
  mm_count: "i32",
  mm_count_evidence: "dict",
  exposed_ns: "ns",
  /** Worst class seen; U4 and U4b only when there is nothing else; "none"; "U7" when the trace cannot tell. */
  exposure: "dict",
  /** Other CPUs that hold the mm lazily and have it loaded at the check; null when the trace shows no CR3 loads. */
  lazy_cpus: "i32",
  line: "i32",
  end_line: "i32",
  early_ns: "ns",
  /** Which events bound the window, e.g. "uprobe_dup_mmap" and "flush_tlb_mm_range_ret". */
  start_by: "dict",
  end_by: "dict",
  derived_users: "i32",
  derived_users_evidence: "dict",
  derived_count: "i32",
  derived_count_evidence: "dict",
  /** Of the hardware sample at the check: CPUs compared with the replay's loaded mm, and how many agree. */
  loaded_compared: "i32",
  loaded_equal: "i32",
  /** mm_users and mm_count as the trace samples them at the check; null where it does not. Hidden from decisions by --blind. */
  sampled_users: "i32",
  sampled_count: "i32",
  /** Why something about this fork is uncertain, as slugs ("predates-trace", "lost-events", "hidden-get", …). */
  doubts: "dictList",
  /** Of a count that is `at-least`: who may hold the mm unseen, and the hook that would show it ("khugepaged: __khugepaged_enter"). */
  mm_users_hidden: "dictList",
  mm_count_hidden: "dictList",
} as const;

/**
 * One row a fork and policy. verdict is null when decision is slow. `evidence`: the weakest evidence the decision rests on.
 * `rejudged`: what a task made late by this policy's own lock would make of the fork ("slow", "safe", …) where that is not
 * what the trace's times say; the decision is then indeterminate. null otherwise.
 * `hidden`: of an indeterminate decision or verdict, who may hide where it matters, "KIND[/KIND…]: HOOK", kinds as in
 * DENIAL_CAUSES. Empty otherwise, and where only `rejudged` left it open.
 */
export const VERDICT_SPEC = {
  fork: "i32",
  policy: "dict",
  decision: "dict",
  verdict: "dict",
  denied_by: "dictList",
  evidence: "dict",
  rejudged: "dict",
  hidden: "dictList",
} as const;

/** One row an interval [start_ns, end_ns) in which another task on another CPU had the mm inside the window. */
export const EXPOSURE_SPEC = {
  fork: "i32",
  class: "dict",
  cpu: "i32",
  tid: "i32",
  comm: "dict",
  start_ns: "ns",
  end_ns: "ns",
  line: "i32",
} as const;

/** Why an event would have waited, `cause` in `blocks`. */
export const BLOCK_CAUSES = ["fork-window", "writer-queue", "unreleased-lock", "fork-fork"] as const;
export type BlockCause = (typeof BLOCK_CAUSES)[number];

/** What the task that waits then does, `outcome` in `blocks`. */
export const BLOCK_OUTCOMES = [
  "shifted-whole",
  "starts-late",
  "ends-late",
  "reaches-next-window",
  "unknown",
] as const;
export type BlockOutcome = (typeof BLOCK_OUTCOMES)[number];

/**
 * One row an event that a policy would have made wait. kind: the function that waits.
 * - `cause` fork-window: until the release of `fork`'s window; writer-queue: until another writer releases the mm's
 *   mmap_lock (`fork`: the fork whose lock that is, when outside its window; else null); unreleased-lock: a write lock was
 *   taken before the call and its release is not in the trace, as after a downgrade: whether it waits cannot be told;
 *   fork-fork: a fork of the same mm (`waiter`) behind `fork`.
 * - `until_ns`: when it may go on, null unknown; `wait_ns` = until_ns - at_ns. `new_ns`: the part of the wait that is not
 *   in the kernel as recorded (a second fork waits for mmap_lock already); null unknown.
 * - `use_end_ns`: when what the call took was given back in the trace: kthread_unuse_mm after kthread_use_mm, mmput after
 *   a get; null when that is not seen.
 * - `outcome`: what the task then does. shifted-whole: that was before until_ns, so the use as a whole comes after the window; starts-late: it went on
 *   beyond; ends-late: kthread_unuse_mm, the use is longer by the wait; reaches-next-window: moved by the wait, the task
 *   meets a later window otherwise than the trace has it: `next_fork`, judged again: `next_verdict` (safe, unsafe,
 *   indeterminate or slow), `next_wait_ns` (null: it does not wait there).
 * - `ahead`: writers that waited for mmap_lock by then; with fair queueing they go first, which wait_ns leaves out.
 */
export const BLOCK_SPEC = {
  policy: "dict",
  fork: "i32",
  kind: "dict",
  tid: "i32",
  comm: "dict",
  at_ns: "ns",
  wait_ns: "ns",
  line: "i32",
  cause: "dict",
  until_ns: "ns",
  new_ns: "ns",
  use_end_ns: "ns",
  outcome: "dict",
  next_fork: "i32",
  next_verdict: "dict",
  next_wait_ns: "ns",
  waiter: "i32",
  ahead: "i32",
} as const;

/**
 * One row a fast fork and policy that serialises nothing, unless unsafe: the borrow (kthread_use_mm) of its mm that came
 * nearest to falling inside the window unseen by the check. docs/model.md says what orders a borrow against a window.
 * - `distance_ns`: how much earlier (`side` after) or later (before) the kthread's run would have had to be; null: no
 *   borrow that could. `gap_ns`: from the window to its use, as recorded.
 * - `kind`, `tid`, `comm`, `at_ns`, `line`: its call. Null as distance_ns.
 * - `ordered_by`: what keeps out the borrow that is nearest in time, when that is not the one named: "own-cpu" (it ran on
 *   the forker's CPU), "task-creation", "mmap_lock", "reference" (its get_task_mm would have come before the check, which
 *   would have seen it), "window-unknown" (the window's end is not recorded, or events were lost). Null: nothing.
 */
export const NEAR_MISS_SPEC = {
  fork: "i32",
  policy: "dict",
  distance_ns: "ns",
  gap_ns: "ns",
  side: "dict",
  kind: "dict",
  tid: "i32",
  comm: "dict",
  at_ns: "ns",
  line: "i32",
  ordered_by: "dict",
} as const;

export const COUNTERS = ["mm_users", "mm_count"] as const;
export type Counter = (typeof COUNTERS)[number];

/**
 * held: taken and not given back, as the events show; moving: on its way in or out at the check; possible: nothing proves
 * it, but it may have been held (an open /proc file, an io_uring ring, an mmu notifier, a get that only its put shows).
 */
export const BASES = ["held", "moving", "possible"] as const;

/** Who left a CPU lazily on the mm: the forker's own earlier run, another task of the mm, a kthread's kthread_unuse_mm. */
export const LEFT_BY = ["forker", "thread", "borrower", "exit", "other"] as const;

/**
 * One row a reference, or group of references, that a fork's count contains besides the first one: over the rows of a
 * fork and counter, `refs` adds up to the count the decisions use, less 1. So there are rows for every fork whose count
 * is above 1. cause `unattributed`: what no holder explains. evidence: of that count; `at-least` means there may be more.
 * Nullable: basis (unattributed), cpu (null unless it is the lazy reference of a CPU that is known), tid and comm (who
 * holds it, registered it for khugepaged or KSM, or left the CPU lazily there; null when not named: of many threads, the
 * oldest eight are), left_by (lazy references; null when the CPU was in unknown state then), since_ns and line (when and
 * with which input line the reference began; null when before the trace, or unseen).
 */
export const DENIAL_SPEC = {
  fork: "i32",
  counter: "dict",
  cause: "dict",
  refs: "i32",
  basis: "dict",
  evidence: "dict",
  cpu: "i32",
  tid: "i32",
  comm: "dict",
  left_by: "dict",
  since_ns: "ns",
  line: "i32",
} as const;

/** One row a kind of input defect. */
export const PROBLEM_SPEC = {
  code: "dict",
  severity: "dict",
  source: "dict",
  count: "i32",
  first_line: "i32",
  sample: "dict",
  trace: "i32",
  meaning: "dict",
} as const;

export type ForkRow = RowOf<typeof FORK_SPEC>;
export type VerdictRow = RowOf<typeof VERDICT_SPEC>;
export type ExposureRow = RowOf<typeof EXPOSURE_SPEC>;
export type BlockRow = RowOf<typeof BLOCK_SPEC>;
export type DenialRow = RowOf<typeof DENIAL_SPEC>;
export type NearMissRow = RowOf<typeof NEAR_MISS_SPEC>;
export type ProblemRow = RowOf<typeof PROBLEM_SPEC>;

/** What a policy's `blocked` figure lacks, or null when it can be evaluated: by trace index, then policy id. */
export type BlockedNeeds = Readonly<Record<string, string | null>>;

/** All results of one run, over all its traces, as they are read. */
export interface ResultTables {
  readonly forks: TableRows<typeof FORK_SPEC>;
  readonly verdicts: TableRows<typeof VERDICT_SPEC>;
  readonly exposures: TableRows<typeof EXPOSURE_SPEC>;
  readonly blocks: TableRows<typeof BLOCK_SPEC>;
  readonly denials: TableRows<typeof DENIAL_SPEC>;
  readonly near_misses: TableRows<typeof NEAR_MISS_SPEC>;
  /** Few: one row a kind. */
  readonly problems: ColumnTable<typeof PROBLEM_SPEC>;
}

/**
 * The same in memory, to be appended to. Rows of verdicts, exposures, denials and near_misses are in the order of forks, those of
 * one fork together.
 */
export interface VerdictTables {
  readonly forks: ColumnTable<typeof FORK_SPEC>;
  readonly verdicts: ColumnTable<typeof VERDICT_SPEC>;
  readonly exposures: ColumnTable<typeof EXPOSURE_SPEC>;
  readonly blocks: ColumnTable<typeof BLOCK_SPEC>;
  readonly denials: ColumnTable<typeof DENIAL_SPEC>;
  readonly near_misses: ColumnTable<typeof NEAR_MISS_SPEC>;
  readonly problems: ColumnTable<typeof PROBLEM_SPEC>;
}

/** Empty tables. */
export function newVerdictTables(): VerdictTables {
  return {
    forks: new ColumnTable(FORK_SPEC),
    verdicts: new ColumnTable(VERDICT_SPEC),
    exposures: new ColumnTable(EXPOSURE_SPEC),
    blocks: new ColumnTable(BLOCK_SPEC),
    denials: new ColumnTable(DENIAL_SPEC),
    near_misses: new ColumnTable(NEAR_MISS_SPEC),
    problems: new ColumnTable(PROBLEM_SPEC),
  };
}

/** Loads of CR3 against tlb_flush reason 0; all 0 where it is not recorded. */
export interface CrLoads {
  /** Changes of a CPU's loaded mm from one known mm to another, by a switch or an exec that was seen. */
  readonly compared: number;
  /** Of compared: those with an event on that CPU before its next switch. */
  readonly equal: number;
  /** Events of which the replay knows what ran. */
  readonly events: number;
  /** Of events: those that neither a load nor what may reload CR3 unseen explains. */
  readonly unexplained: number;
  /**
   * Of compared less equal, where switch_mm_irqs_off is not recorded: switches to a task past exit_mm(), whose sched_process_exit
   * came later, and the one back.
   */
  readonly exiting: number;
  /** Of events, likewise: in a switch to a kernel thread, which is thus inside kthread_use_mm(). */
  readonly borrowing: number;
}

/** What became of the references that get_task_mm() and mm_access() returned in one trace. */
export interface GetCounts {
  readonly gets: number;
  /** Of gets, where the recording names the caller: a function of fs/proc; any other, or a kernel thread. */
  readonly fromProc: number;
  readonly fromOther: number;
  /** Of gets: taken by kernel threads. */
  readonly byKthreads: number;
  /** Of gets: the same task called kthread_use_mm() on the mm before it gave the reference back. */
  readonly ledToUse: number;
  /** Kernel threads that called it on an mm of which only another task's get was outstanding (vhost: VHOST_SET_OWNER). */
  readonly handedOver: number;
  /** No events were lost. */
  readonly isWhole: boolean;
  /** Most frequent takers by task name, at most eight. */
  readonly takers: readonly { readonly comm: string; readonly gets: number }[];
  /** The first of ledToUse, by input lines. */
  readonly example: {
    readonly getLine: number;
    readonly useLine: number;
    readonly tid: number;
    readonly comm: string;
  } | null;
}

/** What replay learned about one trace besides the tables; kept in DIR/tables metadata for `report`. */
export interface ReplayInfo {
  /** Kernel version rules in force and where they came from: "trace", "--kernel", "assumed". */
  readonly kernel: string;
  readonly kernelFrom: "trace" | "option" | "assumed";
  /** Policy ids evaluated. */
  readonly policies: readonly string[];
  /** Per policy: probe(s) missing for `blocked`, or null when it could be evaluated. */
  readonly blockedNeeds: BlockedNeeds;
  /** Per policy whose lock is mmap_lock: what its queue behind other writers lacks, or null. Absent: no such queue. */
  readonly queueNeeds?: BlockedNeeds;
  /** The replay's loads of CR3 against the recorded ones; absent in results of a forkcast that did not compare them. */
  readonly crLoads?: CrLoads;
  /** Probe missing for `near_misses`, or null. */
  readonly nearMissNeeds?: string | null;
  /** Functions proven armed, by name. */
  readonly armed: readonly string[];
  /** Evidence the recording lacks: probe or event, what it would have told, and how many forks that left undecided. */
  readonly missing: readonly { readonly probe: string; readonly wouldTell: string; readonly forks: number }[];
  /** Assumptions in force, one sentence each. */
  readonly assumptions: readonly string[];
  readonly gets: GetCounts;
}
