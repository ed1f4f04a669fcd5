// The closed set of events forkcast understands. Ingest maps a recorder's event names to these; replay
// switches on them. What each column of an EventBatch means per kind is documented here and nowhere else.

/**
 * Event kinds. Columns not named for a kind hold their "absent" value (see event-batch.ts).
 * `tid`, `comm`, `cpu` are always the context the event was recorded in.
 */
export const EventKind = {
  /** A recorder's gap: cpu (-1 = any cpu), flags = events lost (-1 unknown number). Times are those of the next event. */
  lost: 0,
  /** tid = prev_pid, argTid = next_pid, argComm = next_comm, flags = SwitchState of prev. */
  schedSwitch: 1,
  /**
   * tid = parent, argTid = child, argComm = child's comm; flags = FORK_* and, with FORK_FLAGS_KNOWN, clone_flags (CSIGNAL
   * stripped). After the window (semantics §0.8).
   */
  schedProcessFork: 2,
  /** tid = parent, argTid = child, argComm, flags = clone_flags (CSIGNAL stripped). After the window. */
  taskNewtask: 3,
  /** tid; argTid = old_pid. After exec_mmap. */
  schedProcessExec: 4,
  /** argTid = exiting pid, flags = EXIT_BEFORE_MM. After exit_mm() up to 6.15, before it from 6.16 on. */
  schedProcessExit: 5,
  /** argTid = pid whose task_struct is freed. */
  schedProcessFree: 6,
  /** argTid = migrated pid, flags = orig_cpu | dest_cpu << 16. */
  schedMigrateTask: 7,
  /** flags = reason | TLB_ALL when pages is -1. */
  tlbFlush: 8,
  /** mm, flags = LOCK_WRITE. */
  mmapLockStartLocking: 9,
  /** mm, flags = LOCK_WRITE | LOCK_SUCCESS. */
  mmapLockAcquireReturned: 10,
  /** mm, flags = LOCK_WRITE. */
  mmapLockReleased: 11,
  uprobeStartDupMmap: 12,
  /** mm = oldmm, mm2 = newmm; users, count of oldmm. Just after the write lock on oldmm. */
  uprobeDupMmap: 13,
  uprobeEndDupMmap: 14,
  /** dup_mmap entry: mm = oldmm, mm2 = newmm; users, count of oldmm. Before the write lock. */
  dupMmap: 15,
  /** flags = return value. */
  dupMmapRet: 16,
  /** mm = src mm, mm2 = dst mm. */
  copyPageRange: 17,
  /** flags = clone flags (low 32 bits) when probed. */
  copyProcess: 18,
  copyProcessRet: 19,
  /** switch_mm_irqs_off: mm = next, mm2 = prev, argTid = tsk->pid; flags = SWITCH_MM_NO_TASK when tsk is NULL. */
  switchMm: 20,
  /** mm, argTid = pid of the task that becomes lazy (-1 when not recorded). */
  enterLazyTlb: 21,
  kthreadUseMm: 22,
  kthreadUseMmRet: 23,
  kthreadUnuseMm: 24,
  kthreadUnuseMmRet: 25,
  /** Entry: argTid = pid of the task whose mm is taken. */
  getTaskMm: 26,
  /** Return: mm (0 = the task had none), flags = CALLER_OTHER, with CALLER_PROC for a function of fs/proc; 0 not recorded. */
  getTaskMmRet: 27,
  /** Entry: argTid = target pid. */
  mmAccess: 28,
  /** Return: mm (0 or an error pointer's label = none taken), flags = CALLER_PROC_MEM_OPEN when the caller is proc_mem_open. */
  mmAccessRet: 29,
  /** Return of proc_mem_open: mm now held (mmgrab) by a /proc file. */
  procMemOpenRet: 30,
  /** Before the decrement. */
  mmput: 31,
  mmputAsync: 32,
  /** __mmdrop: the last mm_count reference is gone. */
  mmdrop: 33,
  /** mm = the new mm, users and count become 1. */
  mmInit: 34,
  /** begin_new_exec: mm = the new mm (bprm->mm). */
  execBegin: 35,
  /** mm = old mm, argTid. */
  execMmRelease: 36,
  /** mm, argTid. */
  exitMmRelease: 37,
  /** mm; mm_users has reached 0. */
  exitMmap: 38,
  khugepagedEnter: 39,
  khugepagedExit: 40,
  ksmEnter: 41,
  ksmExit: 42,
  mmuNotifierRegister: 43,
  /** mm, flags = freed_tables (0/1, -1 not recorded). */
  flushTlbMmRange: 44,
  flushTlbMmRangeRet: 45,
  /** One CPU of a hardware sample; follows its parent row (same ns, tid, line). cpu = the sampled CPU, mm = cpu_tlbstate.loaded_mm (label 0 = NULL; loaded_mm 0x1 = switching is label 0 with flags SAMPLE_SWITCHING), mm2 = rq->curr->mm, flags bit 0 = is_lazy. */
  cpuSample: 46,
  /** ftrace's "CPU n buffer started": of this cpu not all was recorded before. Without a cpu: each one's events begin later than the trace. */
  bufferStarted: 47,
  /** Entry of clone, clone3, fork, vfork: flags = clone flags when printed, else 0. */
  sysEnterClone: 48,
  /** Exit of the same: argTid = returned pid. */
  sysExitClone: 49,
  /** A declaration that probes were armed: argComm = the function's name; one row a function. */
  armed: 50,
  /**
   * A task that existed at this time, told by the recorder and not by the task: argTid, argComm = the task, tgid = its
   * thread group, flags = STATE_* (0: nothing is known of its mm). tid and comm are the recorder's own context.
   */
  taskState: 51,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Names by kind number, as they appear in events.arrow: the kernel's event or function name, `_ret` for returns. */
export const EVENT_KIND_NAMES: readonly string[] = [
  "lost",
  "sched_switch",
  "sched_process_fork",
  "task_newtask",
  "sched_process_exec",
  "sched_process_exit",
  "sched_process_free",
  "sched_migrate_task",
  "tlb_flush",
  "mmap_lock_start_locking",
  "mmap_lock_acquire_returned",
  "mmap_lock_released",
  "uprobe_start_dup_mmap",
  "uprobe_dup_mmap",
  "uprobe_end_dup_mmap",
  "dup_mmap",
  "dup_mmap_ret",
  "copy_page_range",
  "copy_process",
  "copy_process_ret",
  "switch_mm_irqs_off",
  "enter_lazy_tlb",
  "kthread_use_mm",
  "kthread_use_mm_ret",
  "kthread_unuse_mm",
  "kthread_unuse_mm_ret",
  "get_task_mm",
  "get_task_mm_ret",
  "mm_access",
  "mm_access_ret",
  "proc_mem_open_ret",
  "mmput",
  "mmput_async",
  "__mmdrop",
  "mm_init",
  "begin_new_exec",
  "exec_mm_release",
  "exit_mm_release",
  "exit_mmap",
  "__khugepaged_enter",
  "__khugepaged_exit",
  "__ksm_enter",
  "__ksm_exit",
  "__mmu_notifier_register",
  "flush_tlb_mm_range",
  "flush_tlb_mm_range_ret",
  "cpu_sample",
  "buffer_started",
  "sys_enter_clone",
  "sys_exit_clone",
  "armed",
  "task_state",
];

/** `flags` of sched_switch: what prev_state says. A bare R may hide the "+" (libtraceevent drops it). */
export const SwitchState = { unknown: 0, running: 1, preempted: 2, sleeping: 3, zombie: 4, dead: 5 } as const;

/** schedProcessFork: the recorder has no task_newtask, this row is all there is of the fork. */
export const FORK_ONLY = 1;
/** schedProcessFork: the other bits are the clone flags. */
export const FORK_FLAGS_KNOWN = 2;
/** schedProcessExit: it has the field group_dead, which came with the move ahead of exit_mm() (3e816361e94a, 6.16). */
export const EXIT_BEFORE_MM = 1;
/** taskState: it has an mm of its own or its thread group's; it is a kernel thread and has none; it is exiting. */
export const STATE_USER = 1;
export const STATE_KERNEL = 2;
export const STATE_EXITING = 4;

export const TLB_ALL = 0x100;
/** tlb_flush reasons, include/trace/events/tlb.h. */
export const TlbReason = {
  taskSwitch: 0,
  remoteShootdown: 1,
  localShootdown: 2,
  localMmShootdown: 3,
  remoteSendIpi: 4,
  remoteWrongCpu: 5,
} as const;
export const LOCK_WRITE = 1;
export const LOCK_SUCCESS = 2;
export const SWITCH_MM_NO_TASK = 1;
export const CALLER_PROC_MEM_OPEN = 1;
/** mm_access_ret, get_task_mm_ret: the caller is known and is not proc_mem_open. */
export const CALLER_OTHER = 2;
/** Beside CALLER_OTHER: the caller is a function of fs/proc. */
export const CALLER_PROC = 4;
export const SAMPLE_LAZY = 1;
export const SAMPLE_SWITCHING = 2;

/** clone_flags, include/uapi/linux/sched.h. */
export const CLONE_VM = 0x100;
export const CLONE_VFORK = 0x4000;
export const CLONE_THREAD = 0x10000;
export const CLONE_FILES = 0x400;
/** PF-less marker of kernel threads in task_newtask: CLONE_UNTRACED as kernel_thread() and create_io_thread() pass it. */
export const CLONE_UNTRACED = 0x800000;
/** Beside CLONE_THREAD and CLONE_UNTRACED: create_io_thread() passes it (io_uring's workers), vhost_task_create() does not. */
export const CLONE_IO = 0x80000000;
