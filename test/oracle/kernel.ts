// A tiny kernel: CPUs, tasks, mms, a run queue and interrupts, stepped one instruction of interest at a time in random
// order. It keeps the real counters and emits the rows that probes would, in the order of semantics §2.3, §2.4, §4.1.
// programs.ts says what its tasks do; generate.ts runs it and packs the outcome.
import { CTX_IRQ, CTX_TASK, NO_MM, NO_VALUE, NONE, NULL_MM } from "../../src/table/event-batch.ts";
import {
  EventKind,
  SAMPLE_LAZY,
  SWITCH_MM_NO_TASK,
  SwitchState,
  TLB_ALL,
  TlbReason,
} from "../../src/table/event-kinds.ts";
import type { Row } from "./rows.ts";

/** What a program yields between two steps. run: may be preempted; hold: preemption off; irqsOff: interrupts off too. */
export type Pause = "run" | "hold" | "irqsOff" | "sleep";
export type Program = Generator<Pause, void, void>;

export interface Mm {
  readonly id: number;
  users: number;
  count: number;
  readonly cpumask: Set<number>;
  writer: Task | null;
  readers: number;
  khugepaged: boolean;
  ksm: boolean;
  /** Users references that no probe can see. */
  hidden: number;
}

export interface Task {
  readonly tid: number;
  /** tgid. */
  group: number;
  readonly isKernel: boolean;
  mm: Mm | null;
  active: Mm | null;
  program: Program;
  state: "ready" | "running" | "sleeping" | "dead";
  cpu: number;
  /** Still being switched out: no other CPU may run it. */
  leaving: boolean;
  /** Woken when this says so; null: some time. */
  until: (() => boolean) | null;
  vforkDone: boolean;
  /** Rows there were when the task last took a users reference by a function that probes see; -1: never. */
  gotAt: number;
  /** The same when it entered that function. */
  askedAt: number;
  /** The mm that kthread_use_mm or kthread_unuse_mm is about to take or give back. */
  changing: Mm | null;
}

/** A task used an mm on a CPU from row `from` (its switch_mm) to row `to`. */
export interface TrueUse {
  readonly task: Task;
  readonly mm: Mm;
  readonly cpu: number;
  readonly from: number;
  to: number;
  /** Kernel thread: rows there were when kthread_use_mm took hold, and gotAt; -1 for user tasks. */
  readonly enteredAt: number;
  readonly gotAt: number;
  readonly askedAt: number;
}

export interface Cpu {
  readonly id: number;
  readonly idle: Task;
  current: Task;
  loaded: Mm;
  lazy: boolean;
  inUse: TrueUse | null;
  switching: Program | null;
  mode: Pause;
  readonly interrupts: (() => void)[];
}

export interface Setup {
  readonly cpus: number;
  /** 6.4 or later. */
  readonly modern: boolean;
  /** 6.16 or later: sched_process_exit comes before exit_mm(). */
  readonly exitsFirst: boolean;
  /** Whether check rows carry mm_users and mm_count. */
  readonly sampled: boolean;
  /**
   * What happens seldom: pids given again, forks that fail before or after dup_mmap(), CLONE_VM without CLONE_THREAD, events of one time
   * stamp.
   */
  readonly rare: boolean;
}

/** mulberry32: 32 bits of state, good enough to shuffle steps. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Kernel {
  readonly setup: Setup;
  readonly chance: () => number;
  readonly rows: Row[] = [];
  readonly tasks: Task[] = [];
  readonly mms: Mm[] = [];
  readonly cpus: Cpu[] = [];
  readonly initMm: Mm;
  readonly uses: TrueUse[] = [];
  /** Rows (of switch_mm) at which a user task was switched in, and where. */
  readonly moves: { readonly task: Task; readonly cpu: number; readonly row: number }[] = [];
  /** Called right after a row that may be a fork's check point. */
  onCheck: (task: Task, mm: Mm) => void = () => {};
  ns = 0;
  #nextTid = 100;
  readonly #freeTids: number[] = [];
  #nextMm = 1;
  readonly #freeIds: number[] = [];
  #current: { readonly cpu: Cpu; readonly tid: number; readonly irq: boolean } | null = null;

  constructor(setup: Setup, seed: number) {
    this.setup = setup;
    this.chance = random(seed);
    this.initMm = this.newMm();
    for (let id = 0; id < setup.cpus; id++) {
      const idle = this.#task(0, true, idleProgram(this, id));
      idle.active = this.initMm;
      idle.state = "running";
      idle.cpu = id;
      this.initMm.count++;
      this.cpus.push({
        id,
        idle,
        current: idle,
        loaded: this.initMm,
        lazy: false,
        inUse: null,
        switching: null,
        mode: "run",
        interrupts: [],
      });
    }
  }

  /** True with probability `p`. */
  odds(p: number): boolean {
    return this.chance() < p;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.chance() * list.length)];
  }

  newMm(): Mm {
    const reused = this.#freeIds.length > 0 && this.odds(0.7) ? this.#freeIds.pop() : undefined;
    const id = reused ?? this.#nextMm++;
    const mm: Mm = {
      id,
      users: 1,
      count: 1,
      cpumask: new Set(),
      writer: null,
      readers: 0,
      khugepaged: false,
      ksm: false,
      hidden: 0,
    };
    this.mms.push(mm);
    return mm;
  }

  newTask(isKernel: boolean, mm: Mm | null, program: (task: Task) => Program): Task {
    const reused = this.setup.rare && this.odds(0.5) ? this.#freeTids.shift() : undefined;
    const task = this.#task(reused ?? this.#nextTid++, isKernel, idleProgram(this, 0));
    task.mm = mm;
    task.active = mm;
    task.program = program(task);
    task.state = "sleeping";
    task.until = () => false;
    this.tasks.push(task);
    return task;
  }

  #task(tid: number, isKernel: boolean, program: Program): Task {
    return {
      tid,
      group: tid,
      isKernel,
      mm: null,
      active: null,
      program,
      state: "ready",
      cpu: 0,
      leaving: false,
      until: null,
      vforkDone: false,
      gotAt: -1,
      askedAt: -1,
      changing: null,
    };
  }

  /** Emits a row in the context being stepped. */
  emit(kind: number, cells: Partial<Row> = {}): void {
    const { cpu, tid, irq } = this.#current!;
    const isSame = this.setup.rare && this.odds(0.3);
    if (!isSame) this.ns += 1 + Math.floor(this.chance() ** 4 * 40_000);
    this.rows.push({
      ns: this.ns,
      kind,
      cpu: cpu.id,
      ctx: irq ? CTX_IRQ : CTX_TASK,
      tid,
      tgid: NONE,
      comm: NONE,
      argTid: NONE,
      argComm: NONE,
      mm: NO_MM,
      mm2: NO_MM,
      users: NO_VALUE,
      count: NO_VALUE,
      flags: 0,
      line: this.rows.length + 1,
      ...cells,
    });
  }

  /** A check row with the counts and the state of every CPU, where the setup samples them. */
  emitCheck(kind: number, mm: Mm, child: Mm): void {
    const sample = this.setup.sampled ? { users: mm.users, count: mm.count } : {};
    this.emit(kind, { mm: mm.id, mm2: child.id, ...sample });
    if (!this.setup.sampled) return;
    const parent = this.rows.at(-1)!;
    for (const { id, loaded, lazy, current } of this.cpus) {
      this.rows.push({
        ...parent,
        kind: EventKind.cpuSample,
        cpu: id,
        mm: loaded.id,
        mm2: current.mm?.id ?? NULL_MM,
        users: NO_VALUE,
        count: NO_VALUE,
        flags: lazy ? SAMPLE_LAZY : 0,
      });
    }
  }

  /** mmdrop: frees the mm with its last reference. */
  drop(mm: Mm): void {
    if (--mm.count > 0) return;
    this.emit(EventKind.mmdrop, { mm: mm.id });
    this.#freeIds.push(mm.id);
    this.mms.splice(this.mms.indexOf(mm), 1);
  }

  /** From the next row on, the CPU's task uses `mm`; `enteredAt`: see TrueUse. */
  beginUse(cpu: Cpu, task: Task, mm: Mm, enteredAt: number): void {
    cpu.inUse = {
      task,
      mm,
      cpu: cpu.id,
      from: this.rows.length,
      to: Number.POSITIVE_INFINITY,
      enteredAt,
      gotAt: task.gotAt,
      askedAt: task.askedAt,
    };
    this.uses.push(cpu.inUse);
  }

  /** The row just emitted ends the CPU's use. */
  endUse(cpu: Cpu): void {
    if (cpu.inUse !== null) cpu.inUse.to = this.rows.length - 1;
    cpu.inUse = null;
  }

  /** The next row ends the CPU's use. */
  endUseAtNextRow(cpu: Cpu): void {
    if (cpu.inUse !== null) cpu.inUse.to = this.rows.length;
    cpu.inUse = null;
  }

  /** The CPU being stepped. */
  here(): Cpu {
    return this.#current!.cpu;
  }

  wake(task: Task): void {
    task.state = "ready";
    task.until = null;
  }

  /** switch_mm_irqs_off from its entry on. */
  load(cpu: Cpu, task: Task | null, prev: Mm | null, next: Mm): void {
    this.emit(EventKind.switchMm, {
      mm: next.id,
      mm2: prev?.id ?? NULL_MM,
      argTid: task?.tid ?? NONE,
      flags: task === null ? SWITCH_MM_NO_TASK : 0,
    });
    const moved = cpu.loaded !== next;
    if (moved) cpu.loaded.cpumask.delete(cpu.id);
    if (next !== this.initMm) next.cpumask.add(cpu.id);
    cpu.loaded = next;
    cpu.lazy = false;
    if (moved) this.emit(EventKind.tlbFlush, { flags: TlbReason.taskSwitch | TLB_ALL });
  }

  /** The CPU that a program's task runs on. */
  cpuOf(task: Task): Cpu {
    return this.cpus[task.cpu]!;
  }

  /** Runs one step of a random CPU. */
  step(): void {
    for (const task of this.tasks)
      if (task.state === "sleeping" && (task.until?.() ?? this.odds(0.05))) this.wake(task);
    const cpu = this.pick(this.cpus)!;
    if (cpu.mode !== "irqsOff" && cpu.interrupts.length > 0 && this.odds(0.5)) {
      this.#current = { cpu, tid: cpu.current.tid, irq: true };
      cpu.interrupts.shift()!();
    } else if (cpu.switching !== null) {
      const step = cpu.switching.next();
      cpu.mode = step.done ? "run" : step.value;
      if (step.done) cpu.switching = null;
    } else if (cpu.mode === "run" && this.#wantsSwitch(cpu)) this.#startSwitch(cpu, SwitchState.preempted);
    else this.#run(cpu);
  }

  #wantsSwitch(cpu: Cpu): boolean {
    const isIdle = cpu.current === cpu.idle;
    return this.#candidates().length > 0 && this.odds(isIdle ? 0.3 : 0.04);
  }

  #candidates(): Task[] {
    return this.tasks.filter((task) => task.state === "ready" && !task.leaving);
  }

  #run(cpu: Cpu): void {
    const task = cpu.current;
    this.#current = { cpu, tid: task.tid, irq: false };
    const step = task.program.next();
    if (step.done) {
      task.state = "dead";
      this.tasks.splice(this.tasks.indexOf(task), 1);
      this.#startSwitch(cpu, SwitchState.zombie);
    } else if (step.value === "sleep") {
      task.state = "sleeping";
      this.#startSwitch(cpu, SwitchState.sleeping);
    } else cpu.mode = step.value;
  }

  #startSwitch(cpu: Cpu, why: number): void {
    const prev = cpu.current;
    const isIdle = prev === cpu.idle;
    const here = this.#candidates().filter((task) => task.cpu === cpu.id);
    const next = this.pick(here.length > 0 && this.odds(0.7) ? here : this.#candidates()) ?? cpu.idle;
    if (next === prev || (next === cpu.idle && why === SwitchState.preempted)) return;
    prev.leaving = !isIdle;
    if (prev.state === "running" && !isIdle) prev.state = "ready";
    next.state = "running";
    next.cpu = cpu.id;
    cpu.mode = "irqsOff";
    cpu.switching = this.#contextSwitch(cpu, prev, next, isIdle ? SwitchState.running : why);
  }

  /** __schedule from sched_switch to the end of finish_task_switch (§2.3). */
  *#contextSwitch(cpu: Cpu, prev: Task, next: Task, why: number): Program {
    this.#current = { cpu, tid: prev.tid, irq: false };
    this.emit(EventKind.schedSwitch, { argTid: next.tid, flags: why });
    const kept = prev.active!;
    const entered = next.isKernel ? (this.uses.findLast((use) => use.task === next)?.enteredAt ?? -1) : -1;
    cpu.current = next;
    this.endUse(cpu);
    yield "irqsOff";
    this.#current = { cpu, tid: prev.tid, irq: false };
    let dropped: Mm | null = null;
    if (next.mm === null) {
      this.emit(EventKind.enterLazyTlb, { mm: kept.id, argTid: next.tid });
      yield "irqsOff";
      if (cpu.loaded !== this.initMm) cpu.lazy = true;
      next.active = kept;
      if (prev.mm !== null) kept.count++;
      else prev.active = null;
    } else {
      this.moves.push({ task: next, cpu: cpu.id, row: this.rows.length });
      this.beginUse(cpu, next, next.mm, entered);
      this.load(cpu, next, kept, next.mm);
      if (prev.mm === null) {
        dropped = kept;
        prev.active = null;
      }
    }
    yield "irqsOff";
    prev.leaving = false;
    // release_task(): its pid is free.
    if (prev.state === "dead") this.#freeTids.push(prev.tid);
    yield "hold";
    this.#current = { cpu, tid: next.tid, irq: false };
    if (dropped !== null) this.drop(dropped);
  }

  /** Interrupts every other CPU in the mm's cpumask; `done` turns true when all have answered. */
  shootDown(own: Cpu, mm: Mm, freesTables: boolean): () => boolean {
    let left = 0;
    for (const cpu of this.cpus) {
      if (cpu === own || !mm.cpumask.has(cpu.id) || (cpu.lazy && !freesTables)) continue;
      left++;
      cpu.interrupts.push(() => {
        left--;
        if (cpu.loaded !== mm) return;
        if (!cpu.lazy) this.emit(EventKind.tlbFlush, { flags: TlbReason.remoteShootdown | TLB_ALL });
        else this.load(cpu, null, null, this.initMm);
      });
    }
    return () => left === 0;
  }
}

/** The idle task: now and then a deep C-state leaves the lazy mm (leave_mm, §2.4 row 13). */
function* idleProgram(kernel: Kernel, id: number): Program {
  for (;;) {
    yield "run";
    const cpu = kernel.cpus[id]!;
    if (cpu.lazy && kernel.odds(0.01)) kernel.load(cpu, null, null, kernel.initMm);
  }
}
