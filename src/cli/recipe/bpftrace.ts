// The recipe for bpftrace: a script that prints the CSV of docs/formats.md#csv. Fields come from BTF, so nothing depends on
// a kernel build; only functions that the kernel has are attached to, for bpftrace refuses a script otherwise.
import { head, needs, preamble, type RecipeOptions } from "./shell.ts";

/** One probe of the script: what it attaches to, the function it needs (null: a tracepoint), its body. */
interface Attachment {
  readonly at: string;
  readonly func: string | null;
  readonly body: string;
}

/** printf of one row; `mm` is an expression of type struct mm_struct *. */
function row(
  event: string,
  mm: string,
  more: { other?: string; target?: string; extra?: string; extraArgs?: string } = {},
): string {
  const { other = "(uint64)0", target = "-1", extra = "", extraArgs = "" } = more;
  return (
    `$m = (struct mm_struct *)${mm}; ` +
    `printf("%llu,%d,%d,%d,${event},0x%llx,%d,%d,0x%llx,%d,${extra},%s\\n", nsecs, cpu, pid, tid, (uint64)$m, ` +
    `$m->mm_users.counter, $m->mm_count.counter, ${other}, ${target}, ${extraArgs}comm);`
  );
}

/** A row whose mm's counts are not read: it may be gone, or none. */
function bareRow(
  event: string,
  more: { mm?: string; other?: string; target?: string; extra?: string; extraArgs?: string } = {},
): string {
  const { mm = "(uint64)0", other = "(uint64)0", target = "-1", extra = "", extraArgs = "" } = more;
  return `printf("%llu,%d,%d,%d,${event},0x%llx,-1,-1,0x%llx,%d,${extra},%s\\n", nsecs, cpu, pid, tid, ${mm}, ${other}, ${target}, ${extraArgs}comm);`;
}

const TASK = "((struct task_struct *)";
const kprobe = (func: string, body: string): Attachment => ({ at: `kprobe:${func}`, func, body });
const returns = (func: string, body: string): Attachment => ({ at: `kretprobe:${func}`, func, body });
const tracepoint = (name: string, body: string): Attachment => ({
  at: `tracepoint:${name}`,
  func: null,
  body,
});

/** A return's value is an mm, NULL, or an error pointer (mm_access). */
const IS_MM = "(uint64)retval - 1 < (uint64)0xfffffffffffff000";

const ATTACHMENTS: readonly Attachment[] = [
  kprobe("uprobe_dup_mmap", `@fork[tid] = arg0; ${row("fork_begin", "arg0", { other: "(uint64)arg1" })}`),
  kprobe("uprobe_end_dup_mmap", `if (@fork[tid]) { ${row("fork_end", "@fork[tid]")} delete(@fork[tid]); }`),
  kprobe("kthread_use_mm", row("use_mm", "arg0")),
  kprobe("kthread_unuse_mm", row("unuse_mm", "arg0")),
  kprobe(
    "switch_mm_irqs_off",
    `$t = (int32)-1; if (arg2) { $t = ${TASK}arg2)->pid; } ${row("switch_mm", "arg1", { other: "(uint64)arg0", target: "$t", extra: "tsk=%llx", extraArgs: "(uint64)arg2, " })}`,
  ),
  kprobe("enter_lazy_tlb", row("enter_lazy", "arg0", { target: `${TASK}arg1)->pid` })),
  kprobe("get_task_mm", "@gt[tid] = arg0;"),
  returns(
    "get_task_mm",
    `if (@gt[tid] && ${IS_MM}) { ${row("get_task_mm", "retval", { target: `${TASK}@gt[tid])->pid` })} } delete(@gt[tid]);`,
  ),
  kprobe("mm_access", "@ma[tid] = arg0;"),
  returns(
    "mm_access",
    `if (@ma[tid] && ${IS_MM}) { ${row("mm_access", "retval", { target: `${TASK}@ma[tid])->pid` })} } delete(@ma[tid]);`,
  ),
  returns("proc_mem_open", `if (${IS_MM}) { ${row("proc_mem_open", "retval")} }`),
  kprobe("mmput", row("mmput", "arg0")),
  kprobe("mmput_async", row("mmput_async", "arg0")),
  kprobe("__mmdrop", row("mmdrop_last", "arg0")),
  kprobe("mm_init", bareRow("mm_init", { mm: "(uint64)arg0", target: `${TASK}arg1)->pid` })),
  kprobe("exec_mm_release", `if (arg1) { ${row("exec_mm", "arg1", { target: `${TASK}arg0)->pid` })} }`),
  kprobe("exit_mm_release", `if (arg1) { ${row("exit_mm", "arg1", { target: `${TASK}arg0)->pid` })} }`),
  kprobe("exit_mmap", row("exit_mmap", "arg0")),
  kprobe("__khugepaged_enter", row("khugepaged_enter", "arg0")),
  kprobe("__khugepaged_exit", row("khugepaged_exit", "arg0")),
  kprobe("__ksm_enter", row("ksm_enter", "arg0")),
  tracepoint(
    "sched:sched_switch",
    bareRow("sched_switch", {
      mm: "(uint64)curtask->mm",
      other: "(uint64)curtask->active_mm",
      target: "args->next_pid",
      extra: "prev_tid=%d;prev_state=%lld",
      extraArgs: "args->prev_pid, args->prev_state, ",
    }),
  ),
  tracepoint(
    "task:task_newtask",
    bareRow("newtask", {
      mm: "(uint64)curtask->mm",
      target: "args->pid",
      extra: "clone_flags=%llx",
      extraArgs: "args->clone_flags, ",
    }),
  ),
  tracepoint(
    "sched:sched_process_fork",
    bareRow("fork", { mm: "(uint64)curtask->mm", target: "args->child_pid" }),
  ),
  tracepoint(
    "sched:sched_process_exec",
    bareRow("exec", {
      mm: "(uint64)curtask->mm",
      target: "args->pid",
      extra: "old_pid=%d",
      extraArgs: "args->old_pid, ",
    }),
  ),
  tracepoint("sched:sched_process_exit", bareRow("exit", { target: "args->pid" })),
  tracepoint("sched:sched_process_free", bareRow("free", { target: "args->pid" })),
];

const COLUMNS = "ts_ns,cpu,pid,tid,event,mm,mm_users,mm_count,other_mm,target_tid,extra,comm";

export function bpftraceRecipe(options: RecipeOptions): string {
  return [
    ...head("bpftrace", [
      "sh record.sh [SECONDS] [OUTPUT]     10 s into trace.csv; FC_SECONDS, FC_OUT do the same",
      "FC_COMMAND='make -j8' sh record.sh  records while the command runs, instead of a time",
      "then: forkcast analyze trace.csv",
    ]),
    ...preamble("trace.csv", options),
    needs("bpftrace"),
    "[ -r /sys/kernel/btf/vmlinux ] || { say 'no BTF (CONFIG_DEBUG_INFO_BTF): use forkcast recipe tracefs'; exit 1; }",
    `script=$(mktemp) || exit 1`,
    `pid=''`,
    `cleanup() { trap - EXIT; [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; rm -f "$script"; }`,
    "trap cleanup EXIT",
    "trap 'exit 130' INT; trap 'exit 143' TERM HUP",
    "armed=''",
    "# attach FUNCTION: takes the probe on standard input when the kernel has the function.",
    "attach() {",
    `  if grep -q " [tT] $1\\$" /proc/kallsyms; then cat >>"$script"`,
    `    case " $armed " in *" $1 "*) ;; *) armed="$armed $1" ;; esac`,
    `  else cat >/dev/null; say "no $1 here: it is not recorded"; fi`,
    "}",
    `cat >>"$script" <<'BT'`,
    `BEGIN { printf("${COLUMNS}\\n"); }`,
    ...ATTACHMENTS.filter(({ func }) => func === null).map(({ at, body }) => `${at} { ${body} }`),
    "BT",
    ...ATTACHMENTS.flatMap(({ at, func, body }) =>
      func === null ? [] : [`attach ${func} <<'BT'`, `${at} { ${body} }`, "BT"],
    ),
    `armed="$armed${ATTACHMENTS.filter(({ func }) => func === null)
      .map(({ at }) => ` ${at.replace(/^.*:/, "")}`)
      .join("")}"`,
    "",
    `say "recording into $out: \${FC_COMMAND:-$seconds s}"`,
    `printf '# forkcast: %s\\n' "kernel $(uname -r)" "armed$armed" >"$out" || exit 1`,
    `BPFTRACE_PERF_RB_PAGES=\${FC_PAGES:-1024} bpftrace "$script" >>"$out" 2>"$out.err" </dev/null &`,
    "pid=$!",
    "# Attached once the header stands in the output; two minutes at most.",
    "tries=0",
    `while ! grep -q '^ts_ns,' "$out"; do`,
    `  kill -0 "$pid" 2>/dev/null || { say "bpftrace failed:"; cat "$out.err" >&2; exit 1; }`,
    `  tries=$((tries + 1)); [ "$tries" -gt 1200 ] && { say 'bpftrace does not come up'; exit 1; }`,
    "  sleep 0.1",
    "done",
    `if [ -n "\${FC_COMMAND:-}" ]; then sh -c "$FC_COMMAND" </dev/null; else sleep "$seconds"; fi`,
    `kill -INT "$pid"; wait "$pid"; pid=''`,
    `[ -s "$out.err" ] || rm -f "$out.err"`,
    `say "$(wc -l <"$out") lines in $out; now: forkcast analyze $out"`,
    ")",
    "",
  ].join("\n");
}
