// What a recording for forkcast consists of: kernel functions to probe and tracepoints to switch on, as data. The recipes
// print them as shell. What each event is to the replay: src/table/event-kinds.ts. Which symbols exist where was read in
// the symbol tables of Debian's images: dup_mmap is inlined in 6.12, enter_lazy_tlb in 7.2 and 7.3, uprobe_dup_mmap in none.

/** A kprobe or kretprobe. */
export interface RecipeProbe {
  /** Event name: unique, and one that forkcast knows the function by. */
  readonly event: string;
  readonly func: string;
  readonly isReturn: boolean;
  /** Fetch arguments, best first; the first that the kernel accepts is used. @USERS@, @COUNT@, @PID@ and @VM_MM@ are offsets. */
  readonly args: readonly string[];
  /** What is lost, or what stands in, when the function is not in the symbol table. */
  readonly without: string;
}

const entry = (event: string, func: string, args: readonly string[], without: string): RecipeProbe => ({
  event,
  func,
  isReturn: false,
  args,
  without,
});
const exit = (event: string, func: string, args: readonly string[], without: string): RecipeProbe => ({
  event,
  func,
  isReturn: true,
  args,
  without,
});

/**
 * In the order in which they are armed. Registers are the x86-64 calling convention; named arguments and fields
 * (oldmm->mm_users.counter) are what kprobes resolve through BTF on newer kernels, see <tracefs>/README.
 */
export const RECIPE_PROBES: readonly RecipeProbe[] = [
  entry(
    "uprobe_dup_mmap",
    "uprobe_dup_mmap",
    [
      "oldmm=%di:x64 newmm=%si:x64 users=oldmm->mm_users.counter count=oldmm->mm_count.counter",
      "oldmm=%di:x64 newmm=%si:x64 users=+@USERS@(%di):s32 count=+@COUNT@(%di):s32",
      "oldmm=%di:x64 newmm=%si:x64",
    ],
    "dup_mmap or the mmap_lock tracepoints tell when a fork copies",
  ),
  entry(
    "dup_mmap",
    "dup_mmap",
    [
      "newmm=%di:x64 oldmm=%si:x64 users=+@USERS@(%si):s32 count=+@COUNT@(%si):s32",
      "newmm=%di:x64 oldmm=%si:x64",
    ],
    "inlined on this kernel; uprobe_dup_mmap stands in",
  ),
  exit(
    "dup_mmap_ret",
    "dup_mmap",
    ["ret=$retval:s32"],
    "inlined on this kernel; flush_tlb_mm_range stands in",
  ),
  entry(
    "flush_tlb_mm_range",
    "flush_tlb_mm_range",
    ["mm=%di:x64 freed=%r8:u8"],
    "windows end at the unlock, later than the flush",
  ),
  exit(
    "flush_tlb_mm_range_ret",
    "flush_tlb_mm_range",
    [""],
    "windows end at the unlock, later than the flush",
  ),
  entry("kthread_use_mm", "kthread_use_mm", ["mm=%di:x64"], "borrowers stay invisible"),
  entry("kthread_unuse_mm", "kthread_unuse_mm", ["mm=%di:x64"], "the end of a borrow stays invisible"),
  entry(
    "switch_mm",
    "switch_mm_irqs_off",
    ["prev=%di:x64 next=%si:x64 tsk=%dx:x64 pid=+@PID@(%dx):s32", "prev=%di:x64 next=%si:x64 tsk=%dx:x64"],
    "which mm a CPU has loaded is not seen",
  ),
  entry(
    "enter_lazy_tlb",
    "enter_lazy_tlb",
    ["mm=%di:x64 pid=tsk->pid", "mm=%di:x64 pid=+@PID@(%si):s32", "mm=%di:x64"],
    "inlined on this kernel; sched_switch and switch_mm_irqs_off stand in",
  ),
  entry(
    "get_task_mm_in",
    "get_task_mm",
    ["pid=task->pid", "pid=+@PID@(%di):s32", "task=%di:x64"],
    "readers of other processes are not seen",
  ),
  exit("get_task_mm", "get_task_mm", ["mm=$retval:x64"], "readers of other processes are not seen"),
  exit("mm_access_ret", "mm_access", ["mm=$retval:x64"], "readers of /proc/PID/mem and maps are not seen"),
  exit("proc_mem_open", "proc_mem_open", ["mm=$retval:x64"], "open /proc files are told by mm_access alone"),
  entry("mmput", "mmput", ["mm=%di:x64"], "mm_users is a lower bound"),
  entry("mmput_async", "mmput_async", ["mm=%di:x64"], "some releases of mm_users are not seen"),
  entry("mmdrop", "__mmdrop", ["mm=%di:x64"], "the end of an mm is told by exit_mmap alone"),
  entry(
    "mm_init",
    "mm_init",
    ["mm=%di:x64 pid=+@PID@(%si):s32", "mm=%di:x64"],
    "a new mm is told by its first use",
  ),
  entry("exec_mm_release", "exec_mm_release", ["mm=%si:x64"], "when an exec leaves its old mm is not seen"),
  entry(
    "exit_mm_release",
    "exit_mm_release",
    ["mm=%si:x64"],
    "when an exit leaves its mm is told by sched_process_exit",
  ),
  entry("exit_mmap", "exit_mmap", ["mm=%di:x64"], "when mm_users reaches 0 is not checked"),
  entry(
    "khugepaged_enter",
    "__khugepaged_enter",
    ["mm=%di:x64"],
    "mm_count is a lower bound where THP is on",
  ),
  entry("khugepaged_exit", "__khugepaged_exit", ["mm=%di:x64"], "mm_count is a lower bound where THP is on"),
  entry("ksm_enter", "__ksm_enter", ["mm=%di:x64"], "KSM's hold of mm_count is not seen"),
  entry(
    "mmu_notifier_register",
    "__mmu_notifier_register",
    ["mm=%si:x64"],
    "mmu notifiers' hold of mm_count is not seen",
  ),
];

/** Tracepoints, as system:event. */
export const RECIPE_EVENTS: readonly string[] = [
  "sched:sched_switch",
  "sched:sched_process_fork",
  "sched:sched_process_exec",
  "sched:sched_process_exit",
  "sched:sched_process_free",
  "sched:sched_migrate_task",
  "task:task_newtask",
  "tlb:tlb_flush",
];

/** Hot unless filtered: only writers matter to a fork. */
export const LOCK_EVENTS: readonly string[] = [
  "mmap_lock:mmap_lock_start_locking",
  "mmap_lock:mmap_lock_acquire_returned",
  "mmap_lock:mmap_lock_released",
];
export const LOCK_FILTER = "write == 1";
