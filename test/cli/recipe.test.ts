// forkcast recipe: every script parses, and a run of the tracefs one against a simulated tracefs arms what the kernel has,
// says what it lacks, declares it in the trace, leaves nothing behind, and what it writes can be analyzed.
// bench/qemu-record.sh runs them on real kernels.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Diagnosis } from "../../src/analyze/diagnosis.ts";
import { RECIPE_TOOLS, recipeOf } from "../../src/cli/commands/recipe.ts";
import { RECIPE_EVENTS, RECIPE_PROBES } from "../../src/cli/recipe/probes.ts";
import { functionByName, PROBED_FUNCTIONS } from "../../src/ingest/probe-functions.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import { forkcast, scratch } from "./run-cli.ts";

test("the command prints the script; --kernel makes it say when it runs elsewhere; other tools are usage errors", async () => {
  const { code, stdout, stderr } = forkcast(["recipe"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(await recipeOf("trace-cmd", {}));
  expect(stdout).not.toContain("the recipe was asked for");
  const older = forkcast(["recipe", "perf", "--kernel", "6.1.0-56-amd64"]).stdout;
  expect(older).toContain("case $(uname -r) in 6.1.*|6.1-*|6.1) ;;");
  const wrong = forkcast(["recipe", "dtrace"]);
  expect({ code: wrong.code, stdout: wrong.stdout }).toEqual({ code: 2, stdout: "" });
});

test.each(RECIPE_TOOLS)("%s: sh and bash can read it, shellcheck has nothing to say", async (tool) => {
  const script = await recipeOf(tool, { kernel: "6.12" });
  for (const shell of ["sh", "bash"]) {
    const { status, stderr } = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
    expect({ shell, status, stderr }).toEqual({ shell, status: 0, stderr: "" });
  }
  const check = spawnSync("shellcheck", ["-s", "sh", "-"], { input: script, encoding: "utf8" });
  // Where shellcheck is not installed, spawn fails and there is nothing to compare.
  if (check.error === undefined) expect(check.stdout).toBe("");
  // Pasted into a shell, everything is one subshell: exit and traps are its own.
  const code = script.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect([code[0], code.at(-1)]).toEqual(["(", ")"]);
});

test("every probe and tracepoint is one that ingest takes in, under the name it is given", () => {
  for (const { event, func, isReturn, args } of RECIPE_PROBES) {
    expect(functionByName(event, args[0] ?? "", isReturn)).toBe(func);
    const known = PROBED_FUNCTIONS.get(func);
    expect(isReturn ? known?.ret : known?.entry, `${event} (${func})`).not.toBeNull();
  }
  for (const event of RECIPE_EVENTS) expect(EVENT_KIND_NAMES).toContain(event.split(":")[1]);
  expect(new Set(RECIPE_PROBES.map(({ event }) => event)).size).toBe(RECIPE_PROBES.length);
});

const TRACE = [
  "# tracer: nop",
  "#",
  "  sh-7 [000] d..1. 1.000001: tracing_mark_write: MARK1",
  "  sh-7 [000] d..1. 1.000002: tracing_mark_write: MARK2",
  "  sh-7 [000] d..1. 1.000003: sched_switch: prev_comm=a prev_pid=6 prev_prio=120 prev_state=S ==> next_comm=sh next_pid=7 next_prio=120",
  "  sh-7 [000] ..... 1.000010: uprobe_dup_mmap: (uprobe_dup_mmap+0x4/0x10) oldmm=0xf1 newmm=0xf2 users=1 count=1",
  "  sh-7 [000] ..... 1.000050: flush_tlb_mm_range: (flush_tlb_mm_range+0x4/0x10) mm=0xf1 freed=1",
  "  sh-7 [000] ..... 1.000055: flush_tlb_mm_range_ret: (dup_mm+0x4/0x10 <- flush_tlb_mm_range)",
  "  sh-7 [000] ..... 1.000060: task_newtask: pid=8 comm=sh clone_flags=1200000 oom_score_adj=0",
  "  sh-7 [000] ..... 1.000070: sched_process_fork: comm=sh pid=7 child_comm=sh child_pid=8",
  "",
].join("\n");

test("a run against a simulated tracefs", async () => {
  const cwd = scratch();
  const at = (name: string): string => join(cwd, name);
  for (const dir of ["bin", "T", "T/instances"]) mkdirSync(at(dir), { recursive: true });
  // A kernel without dup_mmap, with a suffixed mmput; the user has a probe of their own.
  const missing = new Set(["dup_mmap", "mmput"]);
  const functions = [...new Set(RECIPE_PROBES.map(({ func }) => func))].filter((func) => !missing.has(func));
  writeFileSync(
    at("kallsyms"),
    `${[...functions, "mmput.isra.0"].map((func) => `0000 T ${func}`).join("\n")}\n`,
  );
  writeFileSync(at("T/kprobe_events"), "p:mine/theirs do_exit\n");
  writeFileSync(at("T/kprobe_profile"), "  mmput 10 0\n  get_task_mm 9 3\n");
  writeFileSync(at("trace"), TRACE);
  const stub = (name: string, body: string): void => {
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${body}\n`);
    chmodSync(at(`bin/${name}`), 0o755);
  };
  stub("id", "echo 0");
  stub("uname", `case $1 in -r) echo 6.12.1-test;; *) echo x86_64;; esac`);
  stub("bpftool", "exit 1");
  stub("sleep", "exit 0");
  // What making and removing an instance does in tracefs.
  stub(
    "mkdir",
    `/bin/mkdir "$@"; for d in forkcast sched/sched_switch mmap_lock/mmap_lock_released; do /bin/mkdir -p "$1/events/$d"; done; /bin/mkdir -p "$1/options" "$1/per_cpu/cpu0"; echo 'overrun: 5' >"$1/per_cpu/cpu0/stats"; cp ${at("trace")} "$1/trace"`,
  );
  stub("rmdir", `cat "$1/trace_marker" >${at("marker")}; cp -r "$1" ${at("instance")}; rm -r "$1"`);
  const script = (await recipeOf("tracefs", {}))
    .replace("T=/sys/kernel/tracing", `T=${at("T")}`)
    .replaceAll("/proc/kallsyms", at("kallsyms"));
  writeFileSync(at("record.sh"), script);
  const env = { ...process.env, PATH: `${at("bin")}:${process.env["PATH"]}`, FC_SECONDS: "1" };
  const run = spawnSync("sh", ["record.sh"], { cwd, encoding: "utf8", env });
  expect(run.status).toBe(0);
  expect(run.stderr).toContain("forkcast: no dup_mmap: inlined on this kernel; uprobe_dup_mmap stands in\n");
  expect(run.stderr.match(/no dup_mmap/g)).toHaveLength(1);
  expect(run.stderr).toContain(
    "no mmput: only mmput.isra.0, whose arguments may have moved; mm_users is a lower bound",
  );
  expect(run.stderr).toContain("forkcast: no tracepoint task/task_newtask\n");
  expect(run.stderr).toContain("forkcast: 5 events were overwritten");
  expect(run.stderr).toContain("forkcast: probe get_task_mm missed 3 of 12 hits\n");

  const events = readFileSync(at("T/kprobe_events"), "utf8").trim().split("\n");
  const defined = events.filter((line) => /^[pr]:forkcast\//.test(line));
  expect(defined).toContain(
    "p:forkcast/uprobe_dup_mmap uprobe_dup_mmap oldmm=%di:x64 newmm=%si:x64 users=oldmm->mm_users.counter count=oldmm->mm_count.counter",
  );
  expect(defined.some((line) => line.includes("@"))).toBe(false);
  // Every probe is removed again, the user's stays, the instance is gone.
  const removed = events.filter((line) => line.startsWith("-:")).map((line) => line.slice(2));
  expect(removed).toEqual(defined.map((line) => line.split(" ")[0]?.slice(2)));
  expect(events[0]).toBe("p:mine/theirs do_exit");
  expect(existsSync(at("T/instances/forkcast"))).toBe(false);
  expect(readFileSync(at("instance/events/mmap_lock/mmap_lock_released/filter"), "utf8")).toBe(
    "write == 1\n",
  );

  const marker = readFileSync(at("marker"), "utf8");
  expect(marker).toMatch(
    /^forkcast: armed uprobe_dup_mmap flush_tlb_mm_range .* sched_switch mmap_lock_released\n$/,
  );
  expect(marker).not.toMatch(/ (dup_mmap|mmput|task_newtask)( |\n)/);
  const text = readFileSync(at("trace.txt"), "utf8");
  const written = text.replace("MARK1", "forkcast: kernel 6.12.1-test").replace("MARK2", marker.trim());
  writeFileSync(at("trace.txt"), written);
  const { stdout } = forkcast(["doctor", "trace.txt", "--json"], { cwd });
  const [diagnosis] = (JSON.parse(stdout) as { traces: Diagnosis[] }).traces;
  expect(diagnosis).toMatchObject({ forks: 1, trace: { kernel: "6.12.1-test" } });
  const answers = Object.fromEntries(diagnosis!.questions.map(({ id, answer }) => [id, answer]));
  expect(answers).toMatchObject({
    "fork-windows": "yes",
    "mm-users": "yes",
    "mm-count": "yes",
    borrowers: "yes",
  });
});

test("bpftrace's recipe tells the kernel, and an exec's switch_mm_irqs_off from a borrower's", async () => {
  const script = await recipeOf("bpftrace", {});
  // kthread_use_mm passes current as tsk, exec_mmap NULL: where the script does not say so, each exec reads as a borrow.
  const probe = script.split("\n").find((line) => line.startsWith("kprobe:switch_mm_irqs_off"));
  expect(probe).toContain(",tsk=%llx,%s\\n");
  expect(script).toContain(`printf '# forkcast: %s\\n' "kernel $(uname -r)" "armed$armed" >"$out"`);
  const rows = [
    "# forkcast: kernel 7.2.13+deb14-amd64",
    "# forkcast: armed kthread_use_mm kthread_unuse_mm",
    "ts_ns,cpu,pid,tid,event,mm,mm_users,mm_count,other_mm,target_tid,extra,comm",
    "1000,0,7,7,switch_mm,0xf1,1,1,0xf0,7,tsk=ff01,sh",
    "1010,0,7,7,mm_init,0xf2,-1,-1,0x0,7,,sh",
    "1020,0,7,7,exec_mm,0xf1,1,1,0x0,7,,sh",
    "1030,0,7,7,switch_mm,0xf2,1,1,0xf1,-1,tsk=0,sh",
    "1040,0,7,7,fork_begin,0xf2,1,1,0xf3,-1,,sh",
    "1050,0,7,7,fork_end,0xf2,1,1,0x0,-1,,sh",
    "1060,0,7,7,newtask,0xf2,-1,-1,0x0,8,clone_flags=1200000,sh",
    "",
  ].join("\n");
  const { stdout } = forkcast(["doctor", "-", "--json"], { input: rows });
  const [diagnosis] = (JSON.parse(stdout) as { traces: Diagnosis[] }).traces;
  expect(diagnosis).toMatchObject({ forks: 1, trace: { kernel: "7.2.13+deb14-amd64" } });
  const near = diagnosis!.questions.find(({ id }) => id === "near-misses")!;
  expect(near.why).toContain("one came near in 0 pairs of fork and policy");
});

test("perf's text declares probes by a comment line", () => {
  const text = [
    "# forkcast: armed kthread_use_mm kthread_unuse_mm",
    "# os release : 6.12.9",
    "sh 7/7 [000] 1.000010000: forkcast:uprobe_dup_mmap: (ffffffff81000004) oldmm=0xf1 newmm=0xf2 users=1 count=1",
    "sh 7/7 [000] 1.000050000: forkcast:flush_tlb_mm_range_ret: (ffffffff81000004 <- ffffffff82000004)",
    "sh 7/7 [000] 1.000060000: sched:sched_process_fork: comm=sh pid=7 child_comm=sh child_pid=8",
    "",
  ].join("\n");
  const { code, stdout } = forkcast(["doctor", "-", "--json"], { input: text });
  expect(code).toBe(0);
  const [diagnosis] = (JSON.parse(stdout) as { traces: Diagnosis[] }).traces;
  expect(diagnosis!.armed_silent).toEqual(["kthread_unuse_mm", "kthread_use_mm"]);
  expect(diagnosis!.trace.kernel).toBe("6.12.9");
});
