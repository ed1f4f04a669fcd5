// Which kernel functions forkcast has a use for, and the event names under which recorders probe them. Read by
// the probe registry; the functions' meaning is in src/table/event-kinds.ts.
import { EventKind } from "../table/event-kinds.ts";

/** Row kinds of a function's entry and return; null where replay has no use for it. */
export interface ProbedFunction {
  readonly entry: EventKind | null;
  readonly ret: EventKind | null;
}

/** Functions by their exact symbol. */
export const PROBED_FUNCTIONS: ReadonlyMap<string, ProbedFunction> = new Map<string, ProbedFunction>([
  ["dup_mmap", { entry: EventKind.dupMmap, ret: EventKind.dupMmapRet }],
  ["uprobe_start_dup_mmap", { entry: EventKind.uprobeStartDupMmap, ret: null }],
  ["uprobe_dup_mmap", { entry: EventKind.uprobeDupMmap, ret: null }],
  ["uprobe_end_dup_mmap", { entry: EventKind.uprobeEndDupMmap, ret: null }],
  ["copy_page_range", { entry: EventKind.copyPageRange, ret: null }],
  ["copy_process", { entry: EventKind.copyProcess, ret: EventKind.copyProcessRet }],
  ["switch_mm_irqs_off", { entry: EventKind.switchMm, ret: null }],
  ["enter_lazy_tlb", { entry: EventKind.enterLazyTlb, ret: null }],
  ["kthread_use_mm", { entry: EventKind.kthreadUseMm, ret: EventKind.kthreadUseMmRet }],
  ["kthread_unuse_mm", { entry: EventKind.kthreadUnuseMm, ret: EventKind.kthreadUnuseMmRet }],
  ["get_task_mm", { entry: EventKind.getTaskMm, ret: EventKind.getTaskMmRet }],
  ["mm_access", { entry: EventKind.mmAccess, ret: EventKind.mmAccessRet }],
  ["proc_mem_open", { entry: null, ret: EventKind.procMemOpenRet }],
  ["mmput", { entry: EventKind.mmput, ret: null }],
  ["mmput_async", { entry: EventKind.mmputAsync, ret: null }],
  ["__mmdrop", { entry: EventKind.mmdrop, ret: null }],
  ["mm_init", { entry: EventKind.mmInit, ret: null }],
  ["begin_new_exec", { entry: EventKind.execBegin, ret: null }],
  ["exec_mm_release", { entry: EventKind.execMmRelease, ret: null }],
  ["exit_mm_release", { entry: EventKind.exitMmRelease, ret: null }],
  ["exit_mmap", { entry: EventKind.exitMmap, ret: null }],
  ["__khugepaged_enter", { entry: EventKind.khugepagedEnter, ret: null }],
  ["__khugepaged_exit", { entry: EventKind.khugepagedExit, ret: null }],
  ["__ksm_enter", { entry: EventKind.ksmEnter, ret: null }],
  ["__ksm_exit", { entry: EventKind.ksmExit, ret: null }],
  ["__mmu_notifier_register", { entry: EventKind.mmuNotifierRegister, ret: null }],
  ["flush_tlb_mm_range", { entry: EventKind.flushTlbMmRange, ret: EventKind.flushTlbMmRangeRet }],
]);

/** Event names of our recorders that are not the function's own name. */
const RECORDER_NAMES: ReadonlyMap<string, string> = new Map([
  ["switch_mm", "switch_mm_irqs_off"],
  ["mmdrop", "__mmdrop"],
  ["exec_begin", "begin_new_exec"],
  ["khugepaged_enter", "__khugepaged_enter"],
  ["khugepaged_exit", "__khugepaged_exit"],
  ["ksm_enter", "__ksm_enter"],
  ["ksm_exit", "__ksm_exit"],
  ["mmu_notifier_register", "__mmu_notifier_register"],
  ["use_mm", "kthread_use_mm"],
  ["unuse_mm", "kthread_unuse_mm"],
  ["gt_flush", "flush_tlb_mm_range"],
  ["gt_cpr", "copy_page_range"],
]);

/**
 * The function an event is named after, "" when the name says nothing. `args` is the text behind the parentheses:
 * dup_mmap's and uprobe_dup_mmap's sampling probes share names and differ in their arguments.
 */
export function functionByName(event: string, args: string, isReturn: boolean): string {
  if (event === "gt_fork" || event === "btf_dup_mmap") {
    return / newmm=|^newmm=/.test(args) ? "uprobe_dup_mmap" : "dup_mmap";
  }
  if (event === "gt_fork_ret") return isReturn ? "dup_mmap" : "uprobe_end_dup_mmap";
  for (const name of nameVariants(event)) {
    if (PROBED_FUNCTIONS.has(name)) return name;
    const known = RECORDER_NAMES.get(name);
    if (known !== undefined) return known;
  }
  return "";
}

/** The name itself, then without what `perf probe` and kprobe_events put around a symbol: p_NAME_0, NAME__return, NAME_1. */
function nameVariants(event: string): readonly string[] {
  const bare = event.replace(/^(?:[pr]_|btf_|fp_)(?=[a-z_])/, "");
  const cut = bare.replace(/(?:__return|_ret|_return|_in|_entry|_exit_ret)?(?:_\d+)?$/, "");
  return [event, bare, cut, cut.replace(/_\d+$/, "")];
}
