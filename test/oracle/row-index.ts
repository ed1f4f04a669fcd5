// Lookups over the rows of one trace for the oracle: the next row of a CPU, the row that proves an operation of a task
// done, which rows are the tail of a context switch. naive-walk.ts builds on it.
import { CTX_ALIAS, CTX_IRQ, CTX_TASK, NULL_MM } from "../../src/table/event-batch.ts";
import {
  EventKind,
  SWITCH_MM_NO_TASK,
  SwitchState,
  TLB_ALL,
  TlbReason,
} from "../../src/table/event-kinds.ts";
import type { Row } from "./rows.ts";

/** After every row. */
export const NEVER: number = Number.POSITIVE_INFINITY;

/** Kinds that an interrupt may record where the format does not tell the context. */
const MAYBE_IRQ: ReadonlySet<number> = new Set([
  EventKind.tlbFlush,
  EventKind.schedMigrateTask,
  EventKind.schedProcessFree,
  EventKind.mmputAsync,
  EventKind.mmdrop,
  EventKind.lost,
  EventKind.cpuSample,
  EventKind.bufferStarted,
  EventKind.armed,
]);

/** Key of a task: every CPU has an idle task with pid 0. */
export const taskKey = (tid: number, cpu: number): number => (tid === 0 ? -1000 - cpu : tid);

export class RowIndex {
  readonly rows: readonly Row[];
  readonly #ofCpu = new Map<number, number[]>();
  readonly #ofTask = new Map<number, number[]>();
  readonly #isTail = new Set<number>();
  readonly #tailOf = new Map<number, number>();
  readonly #kinds: ReadonlySet<number>;
  /** exec_mmap()'s switches: 6.12's pass prev NULL, as leave_mm() and flush_tlb_func() do (§3.2). */
  readonly #execs: ReadonlySet<number>;

  constructor(rows: readonly Row[]) {
    this.rows = rows;
    this.#kinds = new Set(rows.map((row) => row.kind));
    for (const [i, row] of rows.entries()) {
      if (row.kind === EventKind.cpuSample || row.cpu < 0) continue;
      push(this.#ofCpu, row.cpu, i);
      push(this.#ofTask, taskKey(row.tid, row.cpu), i);
    }
    this.#execs = execsOf(rows);
    this.#findTails();
  }

  /** Whether the row is a part of the context switch before it on its CPU. */
  isTail(i: number): boolean {
    return this.#isTail.has(i);
  }

  /** switch_mm or enter_lazy_tlb of the context switch whose sched_switch is row `i`. */
  tailOf(i: number): number | undefined {
    return this.#tailOf.get(i);
  }

  /** Indexes of a task's rows after row `i`. */
  after(i: number, task: number): readonly number[] {
    const list = this.#ofTask.get(task) ?? [];
    return list.slice(firstAfter(list, i));
  }

  has(kind: number): boolean {
    return this.#kinds.has(kind);
  }

  /** The row at which the task that a sched_switch names is on the CPU: the switch's tail, where it is recorded. */
  arrival(i: number): number {
    return this.#tailOf.get(i) ?? i;
  }

  /** Whether row `i` is switch_mm_irqs_off(NULL, init_mm, NULL): leave_mm, or an interrupt that a flush sent to a lazy CPU. */
  isLazyFlush(i: number): boolean {
    const row = this.rows[i]!;
    return (
      row.kind === EventKind.switchMm &&
      (row.flags & SWITCH_MM_NO_TASK) !== 0 &&
      row.mm2 === NULL_MM &&
      !this.#execs.has(i)
    );
  }

  isIrq(i: number): boolean {
    const row = this.rows[i]!;
    if ((row.ctx & CTX_IRQ) !== 0 || this.isLazyFlush(i)) return true;
    return (row.ctx & CTX_TASK) === 0 && MAYBE_IRQ.has(row.kind);
  }

  /** The next row of any kind on a CPU: NEVER at the end. */
  nextOnCpu(i: number, cpu: number): number {
    const list = this.#ofCpu.get(cpu) ?? [];
    return list[firstAfter(list, i)] ?? NEVER;
  }

  previousOnCpu(i: number, cpu: number): number {
    const list = this.#ofCpu.get(cpu) ?? [];
    return list[firstAfter(list, i - 1) - 1] ?? -1;
  }

  previousOf(i: number, task: number): number {
    const list = this.#ofTask.get(task) ?? [];
    return list[firstAfter(list, i - 1) - 1] ?? -1;
  }

  /**
   * The row that proves that what a task began at row `i` is done: its next row in task context, but neither a
   * switch-out that may be a preemption, nor the tail of that switch (§9.2), nor a second probe on the same function.
   */
  settled(i: number, task: number): number {
    const list = this.#ofTask.get(task) ?? [];
    for (let at = firstAfter(list, i); at < list.length; at++) {
      const j = list[at]!;
      const isAlias = (this.rows[j]!.ctx & CTX_ALIAS) !== 0;
      if (isAlias || this.isIrq(j) || this.#isTail.has(j)) continue;
      const { kind, flags } = this.rows[j]!;
      // Printed inside switch_mm_irqs_off: kthread_use_mm's drop of the old mm is still to come.
      if (kind === EventKind.tlbFlush && (flags & ~TLB_ALL) === TlbReason.taskSwitch) continue;
      const asleep =
        flags === SwitchState.sleeping || flags === SwitchState.zombie || flags === SwitchState.dead;
      if (kind === EventKind.schedSwitch && !asleep) continue;
      return j;
    }
    return NEVER;
  }

  /** A task that the CPU switched to at row `i` has left finish_task_switch at its next task-context row there (§9.1). */
  arrived(i: number, task: number, cpu: number): number {
    const list = this.#ofCpu.get(cpu) ?? [];
    for (let at = firstAfter(list, i); at < list.length; at++) {
      const j = list[at]!;
      if (!this.isIrq(j) && taskKey(this.rows[j]!.tid, cpu) === task) return j;
    }
    return NEVER;
  }

  #findTails(): void {
    for (const [cpu, list] of this.#ofCpu) {
      let at = -1;
      for (const i of list) {
        const row = this.rows[i]!;
        if (row.kind === EventKind.schedSwitch) at = i;
        else if (at >= 0 && !this.#tail(i, at, cpu) && (row.ctx & CTX_IRQ) === 0 && !this.isLazyFlush(i))
          at = -1;
      }
    }
  }

  #tail(i: number, at: number, cpu: number): boolean {
    const row = this.rows[i]!;
    const out = this.rows[at]!;
    const isSwitch = row.kind === EventKind.switchMm || row.kind === EventKind.enterLazyTlb;
    if (!isSwitch && row.kind !== EventKind.tlbFlush) return false;
    if (row.tid !== out.tid || this.isLazyFlush(i)) return false;
    if (isSwitch && row.argTid >= 0 && taskKey(row.argTid, cpu) !== taskKey(out.argTid, cpu)) return false;
    if (isSwitch && (row.flags & SWITCH_MM_NO_TASK) !== 0 && row.kind === EventKind.switchMm) return false;
    this.#isTail.add(i);
    if (isSwitch && !this.#tailOf.has(at)) this.#tailOf.set(at, i);
    return true;
  }
}

/** The first switch_mm_irqs_off without a task after a task's exec_mm_release. */
function execsOf(rows: readonly Row[]): ReadonlySet<number> {
  const releasing = new Set<number>();
  const found = new Set<number>();
  for (const [i, { kind, tid, cpu, flags }] of rows.entries()) {
    const task = taskKey(tid, cpu);
    if (kind === EventKind.execMmRelease) releasing.add(task);
    else if (kind === EventKind.schedProcessExec) releasing.delete(task);
    else if (kind === EventKind.switchMm && (flags & SWITCH_MM_NO_TASK) !== 0 && releasing.delete(task))
      found.add(i);
  }
  return found;
}

/** Index of the first element above `i` in an ascending list. */
function firstAfter(list: readonly number[], i: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! > i) high = middle;
    else low = middle + 1;
  }
  return low;
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
