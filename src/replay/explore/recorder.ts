// Writes down a schedule while it is taken: in words, step by step, and as the trace that the recorders of this project
// would have made of it (docs/formats.md), so that analyze can read it. Driven by steps.ts through System.recorder.
import { IDLE } from "../model/world.ts";
import type { Check } from "../policies/policy.ts";
import { cpuOf, type Step } from "./steps.ts";
import { EXEC_MM, FORKED, INIT_MM, OTHERS, Path, type System } from "./system.ts";

/** One step in words. `task` is the comm of who takes it, "idle" for the idle task. */
export interface StepText {
  readonly cpu: number;
  readonly task: string;
  readonly what: string;
}

/** What context an event is recorded in: five flag columns (docs/formats.md). */
const FLAGS = { task: ".....", switching: "d..2.", irq: "d.h1." } as const;
const FORK_FLAGS = "1200000";
/** CLONE_VM | CLONE_THREAD and what pthread_create adds; CLONE_VM | CLONE_VFORK; what kthreadd passes. */
const THREAD_FLAGS = "3d0f00";
const VFORK_FLAGS = "4100";
const KTHREAD_FLAGS = "800700";
const FORKER_PID = 100;
/** A process that is there before the trace begins: it runs on every CPU once, so that what each holds is known. */
const SHELL = { pid: 50, comm: "shell" } as const;
const KTHREADD = { pid: 2, comm: "kthreadd" } as const;
const CHILD_PID = 200;
/** Lives that only the trace has: the forker's mm before its exec, and its child's. */
const OLD_MM = 4;
const CHILD_MM = 5;

interface Who {
  readonly pid: number;
  readonly comm: string;
}

export class Recorder {
  readonly steps: StepText[] = [];
  readonly #system: System;
  readonly #rows: string[] = [];
  /** Microseconds since boot. */
  #now = 100_000_000;

  /** `s` is in its initial state; `roster` as given to System. */
  constructor(s: System, roster: number) {
    this.#system = s;
    this.#prologue(roster);
  }

  /** The trace as ftrace prints it. */
  trace(): string {
    const rows = this.#rows.length;
    return [
      "# tracer: nop",
      "#",
      `# entries-in-buffer/entries-written: ${rows}/${rows}   #P:${this.#system.bound.cpus}`,
      "#",
      "#                                _-----=> irqs-off/BH-disabled",
      "#                               / _----=> need-resched",
      "#                              | / _---=> hardirq/softirq",
      "#                              || / _--=> preempt-depth",
      "#                              ||| / _-=> migrate-disable",
      "#                              |||| /     delay",
      "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
      "#              | |         |   |||||     |         |",
      ...this.#rows,
      "",
    ].join("\n");
  }

  /** A step begins. */
  step(s: System, step: Step): void {
    const cpu = cpuOf(step);
    this.#now = (Math.floor(this.#now / 100) + 1) * 100;
    this.steps.push({ cpu, task: this.#who(s.world.cpus.cur[cpu]!).comm, what: "" });
  }

  /** What the step is, when no event of it says so. */
  says(what: string): void {
    const last = this.steps.pop();
    if (last !== undefined) this.steps.push({ ...last, what });
  }

  schedSwitch(s: System, cpu: number, prev: number, next: number): void {
    const to = this.#who(next);
    const actor = s.actorOf(prev);
    const isDead = actor >= 0 && s.next(actor) === undefined && s.world.tasks.mm[prev]! < 0;
    this.says(`switches to ${to.comm}`);
    this.#schedSwitch(
      cpu,
      this.#who(prev),
      to,
      prev === IDLE ? "R" : isDead && !s.actors[actor]!.isKernel ? "Z" : "R+",
    );
  }

  enterLazyTlb(cpu: number, prev: number, next: number, mm: number): void {
    this.#enterLazyTlb(cpu, this.#who(prev), this.#who(next), mm);
  }

  switchMm(cpu: number, prev: number, next: number, from: number, to: number): void {
    if (prev === next) this.says("kthread_use_mm(): has loaded the mm");
    this.#switchMm(cpu, this.#who(prev), this.#who(next), from, to);
  }

  /** The probe at the design's check: dup_mmap's entry before the lock, uprobe_dup_mmap under it (semantics §4.2). */
  check(s: System, cpu: number, check: Check, isLocked: boolean): void {
    const users = check.users.value;
    const count = check.count.value;
    const { reads } = s.policy;
    const read = [`users ${users}`, `count ${count}`];
    if (reads.includes("borrowers")) read.push(`borrowers ${check.borrowers.value}`);
    if (reads.includes("cpumask")) read.push(`other CPUs ${check.otherCpus.value}`);
    const path = s.path === Path.fast ? "fast path" : "slow path";
    this.says(`${isLocked ? "takes mmap_lock; " : "checks: "}${read.join(", ")}: ${path}`);
    const forker = this.#who(s.forkerTask);
    this.#row(forker, cpu, "copy_process: (copy_process+0x0/0x1ae0)", `flags=0x${FORK_FLAGS}`);
    this.#row(forker, cpu, "mm_init: (mm_init+0x0/0x3e0)", `mm=${pointer(CHILD_MM)} pid=${FORKER_PID}`);
    const counts = `users=${users} count=${count}`;
    if (isLocked) {
      const mms = `oldmm=${pointer(FORKED)} newmm=${pointer(CHILD_MM)}`;
      this.#row(forker, cpu, "uprobe_dup_mmap: (uprobe_dup_mmap+0x4/0x30)", `${mms} ${counts}`);
    } else {
      const mms = `mm=${pointer(CHILD_MM)} oldmm=${pointer(FORKED)}`;
      this.#row(forker, cpu, "dup_mmap: (dup_mmap+0x0/0x610)", `${mms} ${counts}`);
    }
  }

  copyPageRange(s: System, cpu: number): void {
    this.says("begins to copy the page tables");
    const mms = `dst_mm=${pointer(CHILD_MM)} src_mm=${pointer(FORKED)}`;
    this.#row(this.#who(s.forkerTask), cpu, "copy_page_range: (copy_page_range+0x4/0x1910)", mms);
  }

  flush(s: System, cpu: number): void {
    this.says("flushes the TLBs: the window ends");
    const range = `mm=${pointer(FORKED)} start=0x0 end=0xffffffffffffffff freed=1`;
    this.#row(this.#who(s.forkerTask), cpu, "flush_tlb_mm_range: (flush_tlb_mm_range+0x4/0x1c0)", range);
  }

  /** The flush's interrupt on a CPU that held the mm lazily. */
  leaveLazy(s: System, cpu: number): void {
    const mms = `prev=0x0 next=${pointer(INIT_MM)} tsk=0x0 pid=0`;
    const who = this.#who(s.world.cpus.cur[cpu]!);
    this.#row(who, cpu, "switch_mm: (switch_mm_irqs_off+0x0/0x470)", mms, FLAGS.irq);
  }

  flushed(s: System, cpu: number): void {
    const caller = "(copy_process+0x14f6/0x2800 <- flush_tlb_mm_range)";
    this.#row(this.#who(s.forkerTask), cpu, "flush_tlb_mm_range_ret:", caller);
  }

  forked(s: System, cpu: number): void {
    this.says("releases its locks: the fork is done");
    const forker = this.#who(s.forkerTask);
    if (s.policy.holds === "mmap_lock")
      this.#row(forker, cpu, "uprobe_end_dup_mmap:", "(uprobe_end_dup_mmap+0x4/0x60)");
    else this.#row(forker, cpu, "dup_mmap_ret:", "(copy_process+0xbf/0x1ae0 <- dup_mmap) ret=0");
    this.#newtask(forker, cpu, { pid: CHILD_PID, comm: forker.comm }, FORK_FLAGS);
  }

  exitMm(cpu: number, task: number): void {
    this.says("exits: exit_mm()");
    const who = this.#who(task);
    const mm = `pid=${who.pid} mm=${pointer(FORKED)}`;
    this.#row(who, cpu, "exit_mm_release: (exit_mm_release+0x0/0x30)", mm);
    this.#enterLazyTlb(cpu, who, who, FORKED);
  }

  execMmRelease(cpu: number, task: number): void {
    this.says("execs: wakes the forker, which waited in vfork()");
    this.#execRelease(cpu, this.#who(task), FORKED, EXEC_MM);
  }

  execMmap(cpu: number, task: number): void {
    this.says("execs: exec_mmap()");
    this.#loadWithoutTask(cpu, this.#who(task), FORKED, EXEC_MM);
  }

  mmput(cpu: number, task: number): void {
    this.says("mmput()");
    this.#mmput(cpu, this.#who(task), FORKED);
  }

  getTaskMm(cpu: number, task: number): void {
    this.says("get_task_mm(): called");
    const of = `task=0xffff888100100000 pid=${FORKER_PID} tgid=${FORKER_PID}`;
    this.#row(this.#who(task), cpu, "get_task_mm_in: (get_task_mm+0x0/0x60)", of);
  }

  gotTaskMm(cpu: number, task: number): void {
    this.says("get_task_mm(): has raised mm_users");
    const from = "(borrow_or_read+0x116/0x1a0 <- get_task_mm)";
    this.#row(this.#who(task), cpu, `get_task_mm: ${from}`, `mm=${pointer(FORKED)}`);
  }

  kthreadUseMm(cpu: number, task: number): void {
    this.says("kthread_use_mm(): has its references, not yet the mm");
    this.#row(this.#who(task), cpu, "kthread_use_mm: (kthread_use_mm+0x0/0xb0)", `mm=${pointer(FORKED)}`);
  }

  kthreadUnuseMm(cpu: number, task: number): void {
    this.says("kthread_unuse_mm()");
    this.#row(this.#who(task), cpu, "kthread_unuse_mm: (kthread_unuse_mm+0x0/0x90)", `mm=${pointer(FORKED)}`);
    this.#enterLazyTlb(cpu, this.#who(task), this.#who(task), FORKED);
  }

  #who(task: number): Who {
    return task === IDLE ? { pid: 0, comm: "idle" } : this.#system.actors[this.#system.actorOf(task)]!;
  }

  /** Shows where everything in the initial state comes from, so that nothing predates the trace but the shell. */
  #prologue(roster: number): void {
    const { actors, bound } = this.#system;
    const idle: Who = { pid: 0, comm: "idle" };
    for (let cpu = bound.cpus - 1; cpu >= 0; cpu--) {
      this.#now += 100;
      this.#userSwitch(cpu, idle, SHELL, INIT_MM, OTHERS);
      if (cpu > 0) this.#kernelSwitch(cpu, SHELL, idle, OTHERS);
    }
    const present = actors.filter((_, index) => (roster & (1 << index)) !== 0);
    for (const actor of present) if (actor.endless) this.#newtask(SHELL, 0, actor, THREAD_FLAGS);
    this.#kernelSwitch(0, SHELL, KTHREADD, OTHERS);
    for (const actor of present) if (actor.isKernel) this.#newtask(KTHREADD, 0, actor, KTHREAD_FLAGS);
    const forker = this.#who(this.#system.forkerTask);
    this.#userSwitch(0, KTHREADD, forker, OTHERS, OLD_MM);
    this.#execRelease(0, forker, OLD_MM, FORKED);
    this.#loadWithoutTask(0, forker, OLD_MM, FORKED);
    this.#mmput(0, forker, OLD_MM);
    for (const actor of present) if (actor.role === "thread") this.#newtask(forker, 0, actor, THREAD_FLAGS);
    for (const actor of present) if (actor.role === "vfork") this.#newtask(forker, 0, actor, VFORK_FLAGS);
    this.#userSwitch(0, forker, SHELL, FORKED, OTHERS);
    this.#kernelSwitch(0, SHELL, idle, OTHERS);
  }

  #userSwitch(cpu: number, prev: Who, next: Who, from: number, to: number): void {
    this.#schedSwitch(cpu, prev, next, prev.pid === 0 ? "R" : "S");
    this.#switchMm(cpu, prev, next, from, to);
  }

  #kernelSwitch(cpu: number, prev: Who, next: Who, mm: number): void {
    this.#schedSwitch(cpu, prev, next, "S");
    this.#enterLazyTlb(cpu, prev, next, mm);
  }

  #schedSwitch(cpu: number, prev: Who, next: Who, state: string): void {
    const from = `prev_comm=${shown(prev, cpu)} prev_pid=${prev.pid} prev_prio=120 prev_state=${state}`;
    const to = `next_comm=${shown(next, cpu)} next_pid=${next.pid} next_prio=120`;
    this.#row(prev, cpu, "sched_switch:", `${from} ==> ${to}`, FLAGS.switching);
  }

  #enterLazyTlb(cpu: number, prev: Who, next: Who, mm: number): void {
    const body = `mm=${pointer(mm)} pid=${next.pid}`;
    this.#row(prev, cpu, "enter_lazy_tlb: (enter_lazy_tlb+0x0/0x30)", body, FLAGS.switching);
  }

  #switchMm(cpu: number, prev: Who, next: Who, from: number, to: number): void {
    const body = `prev=${pointer(from)} next=${pointer(to)} tsk=0xffff888100200000 pid=${next.pid}`;
    this.#row(prev, cpu, "switch_mm: (switch_mm_irqs_off+0x0/0x470)", body, FLAGS.switching);
  }

  #loadWithoutTask(cpu: number, who: Who, from: number, to: number): void {
    const body = `prev=${pointer(from)} next=${pointer(to)} tsk=0x0 pid=0`;
    this.#row(who, cpu, "switch_mm: (switch_mm_irqs_off+0x0/0x470)", body, FLAGS.switching);
  }

  #execRelease(cpu: number, who: Who, from: number, to: number): void {
    this.#row(who, cpu, "mm_init: (mm_init+0x0/0x3e0)", `mm=${pointer(to)} pid=${who.pid}`);
    this.#row(who, cpu, "exec_begin: (begin_new_exec+0x0/0xb40)", `newmm=${pointer(to)}`);
    const body = `pid=${who.pid} mm=${pointer(from)}`;
    this.#row(who, cpu, "exec_mm_release: (exec_mm_release+0x0/0x30)", body);
  }

  #mmput(cpu: number, who: Who, mm: number): void {
    this.#row(who, cpu, "mmput: (mmput+0x0/0x30)", `mm=${pointer(mm)}`);
  }

  #newtask(parent: Who, cpu: number, child: Who, flags: string): void {
    const body = `pid=${child.pid} comm=${child.comm} clone_flags=${flags} oom_score_adj=0`;
    this.#row(parent, cpu, "task_newtask:", body);
  }

  #row(who: Who, cpu: number, event: string, body: string, flags: string = FLAGS.task): void {
    this.#now++;
    const comm = (who.pid === 0 ? "<idle>" : who.comm).padStart(16);
    const micros = String(this.#now % 1_000_000).padStart(6, "0");
    const time = `${String(Math.floor(this.#now / 1_000_000)).padStart(5)}.${micros}`;
    const place = `[${String(cpu).padStart(3, "0")}]`;
    this.#rows.push(`${comm}-${String(who.pid).padEnd(7)} ${place} ${flags} ${time}: ${event} ${body}`);
  }
}

/** The name sched_switch prints. */
function shown(who: Who, cpu: number): string {
  return who.pid === 0 ? `swapper/${cpu}` : who.comm;
}

/** Address of a life. */
function pointer(life: number): string {
  return `0xffff88810000${life + 1}000`;
}
