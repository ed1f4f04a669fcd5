// The self-check against CR3: tlb_flush reason 0 is printed by every load of CR3 inside switch_mm_irqs_off (arch/x86/mm/tlb.c,
// 6.1 to 6.18), so each change of a CPU's loaded mm has one and each one has a cause. Fed by replay.ts; decides nothing.
import { CTX_IRQ, type EventBatch } from "../table/event-batch.ts";
import { EventKind, TlbReason } from "../table/event-kinds.ts";
import type { CrLoads } from "../table/verdict-tables.ts";
import { IDLE, NO_LIFE, Tail, TaskKind, type World } from "./model/world.ts";

/** What the last switch on a CPU lets a load of CR3 be. */
const Load = { open: 0, claimed: 1, perhaps: 2, none: 3, first: 4 } as const;

export class Loads {
  readonly #world: World;
  #compared = 0;
  #equal = 0;
  #events = 0;
  #unexplained = 0;
  #exiting = 0;
  #borrowing = 0;
  /** Sequence of the first reason 0 event: before it nothing proves that they are recorded. */
  #armed = -1;
  /** By CPU: what its last switch_mm_irqs_off, or sched_switch where that is not recorded, lets be, and its sequence. */
  readonly #load: number[] = [];
  readonly #seq: number[] = [];
  /** By CPU: the task of its latest claim, and the one whose claim has left it with a wrong loaded mm. */
  readonly #claimant: number[] = [];
  readonly #misled: (number | undefined)[] = [];
  /** By TaskId: claims that showed no event and wait for its sched_process_exit, -1 once that has come; of which task. */
  readonly #waiting: number[] = [];
  readonly #waitingBirth: number[] = [];
  /** By TaskId: its latest load in its own context, outside a switch, and whether it waits for an exec to explain it. */
  readonly #own: number[] = [];
  readonly #ownUnexplained: boolean[] = [];

  /** false: the recording has no tlb_flush, so that there is nothing to compare. */
  readonly mayFlush: boolean;

  constructor(world: World, mayFlush: boolean) {
    this.#world = world;
    this.mayFlush = mayFlush;
  }

  /** The figures; the claim open on a CPU when the trace ends is not counted. */
  result(): CrLoads {
    return {
      compared: this.#compared,
      equal: this.#equal,
      events: this.#events,
      unexplained: this.#unexplained,
      exiting: this.#exiting,
      borrowing: this.#borrowing,
    };
  }

  /** tlb_flush, before the model applies it. Returns whether nothing explains it. */
  flushed(b: EventBatch, i: number, cpu: number, task: number): boolean {
    if (cpu < 0 || task < 0 || (b.flags[i]! & 0xff) !== TlbReason.taskSwitch) return false;
    const { cpus, tasks, seq, lossSeq, switchMmSeen } = this.#world;
    if (this.#armed < 0) this.#armed = seq;
    const irq = (b.ctx[i]! & CTX_IRQ) !== 0;
    const inSwitch =
      !irq && cpus.tail[cpu] !== Tail.none && cpus.cur[cpu] !== task && task === cpus.prevTask[cpu];
    if (!switchMmSeen && !inSwitch) {
      this.#outside(cpu, task, irq);
      return false;
    }
    const load = this.#load[cpu] ?? Load.open;
    if (load === Load.first) this.#load[cpu] = Load.open;
    if (load === Load.open || load === Load.first || lossSeq > this.#seq[cpu]!) return false;
    this.#events++;
    this.#load[cpu] = Load.none;
    if (load === Load.claimed) {
      this.#compared++;
      this.#equal++;
      this.#misled[cpu] = undefined;
      // It still had its mm: what it missed before was no exit.
      const claimant = this.#claimant[cpu]!;
      if (this.#waitingFor(claimant) > 0) this.#waiting[claimant] = 0;
    }
    if (load !== Load.none) return false;
    // A kernel thread that loads an mm by being switched in borrows it.
    if (!switchMmSeen && tasks.kind[cpus.cur[cpu]!] === TaskKind.kernel && cpus.cur[cpu] !== IDLE)
      this.#borrowing++;
    else this.#unexplained++;
    return true;
  }

  /** A row after the model has applied it. `before`: the CPU's loaded life until then, -1 unknown. */
  applied(kind: number, cpu: number, task: number, before: number): void {
    if (cpu < 0 || task < 0) return;
    if (kind === EventKind.schedProcessExec) {
      if (!this.#world.switchMmSeen) this.#execed(task);
      return;
    }
    if (kind === EventKind.schedProcessExit) {
      // exit_mmap's own flush found this CPU lazy on the mm (row 11).
      if ((this.#own[task] ?? -1) > this.#world.tasks.birth[task]! && this.#ownUnexplained[task] === true)
        this.#unexplained--;
      this.#own[task] = -1;
      this.#exiting += Math.max(0, this.#waitingFor(task));
      this.#waiting[task] = -1;
      return;
    }
    if (kind === EventKind.schedSwitch || kind === EventKind.switchMm) this.switched(kind, cpu, before);
  }

  /** The same of sched_switch and switch_mm_irqs_off on a known CPU. */
  switched(kind: number, cpu: number, before: number): void {
    if (!this.mayFlush) return;
    const { cpus, seq, switchMmSeen } = this.#world;
    this.#close(cpu);
    this.#seq[cpu] = seq;
    this.#claimant[cpu] = cpus.cur[cpu]!;
    const after = cpus.loaded[cpu]!;
    const fromUser =
      cpus.prevUsing[cpu]! >= 0 && (kind === EventKind.schedSwitch || cpus.tail[cpu] !== Tail.none);
    if (kind === EventKind.schedSwitch && switchMmSeen) this.#load[cpu] = Load.none;
    else if (before < 0 && after >= 0) this.#load[cpu] = Load.first;
    else if (after < 0) this.#load[cpu] = Load.open;
    else if (before !== after) this.#load[cpu] = this.#armed >= 0 ? Load.claimed : Load.open;
    // The same mm: reloaded if the CPU was lazy and tlb_gen has moved, never from user to user or to a kernel task.
    else if (!fromUser && cpus.active[cpu] !== NO_LIFE) this.#load[cpu] = Load.perhaps;
    else {
      const isExec = this.#isExecing(cpus.cur[cpu]!) || this.#isExecing(cpus.prevTask[cpu]!);
      this.#load[cpu] = isExec ? Load.open : Load.none;
    }
  }

  /** It may have loaded its new mm, and sched_process_exec is to come: exec_mmap wakes a vfork's parent between the two. */
  #isExecing(task: number): boolean {
    return this.#ownUnexplained[task] === true && this.#own[task]! > this.#world.tasks.birth[task]!;
  }

  /** The CPU's next switch: a claimed load that has shown no event never took place. */
  #close(cpu: number): void {
    if (this.#world.lossSeq > this.#seq[cpu]!) return;
    // Where nobody knew what was loaded: it had the mm loaded, or no mm any more.
    if (this.#load[cpu] === Load.first) this.#misled[cpu] = this.#claimant[cpu]!;
    if (this.#load[cpu] !== Load.claimed) return;
    this.#compared++;
    if (this.#world.switchMmSeen) return;
    // The task switched to has no mm any more, which its exit_mm() would have shown; or an earlier one had none, so that
    // what is loaded is what was before that.
    const misled = this.#misled[cpu];
    const task = misled ?? this.#claimant[cpu]!;
    this.#misled[cpu] = misled === undefined ? task : undefined;
    const waiting = this.#waitingFor(task);
    if (waiting < 0) this.#exiting++;
    else this.#waiting[task] = waiting + 1;
  }

  /** A pid's next task reuses the index. */
  #waitingFor(task: number): number {
    const birth = this.#world.tasks.birth[task]!;
    if (this.#waitingBirth[task] !== birth) this.#waiting[task] = 0;
    this.#waitingBirth[task] = birth;
    return this.#waiting[task]!;
  }

  /**
   * Outside a switch, without switch_mm_irqs_off: a kernel task's is kthread_use_mm, a lazy CPU's flush, leave_mm, EFI or
   * text_poke; a user task's is exec_mmap, which its sched_process_exec will tell, or exit_mmap's flush (row 11): from 6.16
   * on sched_process_exit has come before it, until then it comes behind.
   */
  #outside(cpu: number, task: number, irq: boolean): void {
    const { tasks, cpus, seq } = this.#world;
    if (cpus.cur[cpu] !== task || tasks.kind[task] === TaskKind.unknown) return;
    this.#events++;
    const user = tasks.kind[task] === TaskKind.user && this.#waitingFor(task) >= 0;
    if (user) this.#unexplained++;
    if (irq || task === IDLE) return;
    this.#own[task] = seq;
    this.#ownUnexplained[task] = user;
  }

  #execed(task: number): void {
    const { tasks, lossSeq } = this.#world;
    const birth = tasks.birth[task]!;
    const own = this.#own[task] ?? -1;
    const shown = own > birth;
    if (shown && this.#ownUnexplained[task] === true) this.#unexplained--;
    this.#own[task] = -1;
    // Whole life seen: its load of CR3 would be too.
    if (this.#armed < 0 || birth <= Math.max(this.#armed, lossSeq)) return;
    this.#compared++;
    if (shown) this.#equal++;
  }
}
