// First half of the oracle: one walk over the rows that turns events into dated facts: which mm gained or lost a
// reference between which two rows, which task used which mm on which CPU, which CPU had which bit set. Time is the
// row's index, so "certainly before" and "maybe after" are plain comparisons. naive.ts reads the facts.

import { CTX_ALIAS, NULL_MM } from "../../src/table/event-batch.ts";
import {
  CALLER_OTHER,
  CALLER_PROC_MEM_OPEN,
  CLONE_IO,
  CLONE_THREAD,
  CLONE_UNTRACED,
  CLONE_VFORK,
  CLONE_VM,
  EventKind,
  SWITCH_MM_NO_TASK,
  SwitchState,
} from "../../src/table/event-kinds.ts";
import type { DenialCause } from "../../src/table/verdict-tables.ts";
import { NEVER, RowIndex, taskKey } from "./row-index.ts";
import type { Row } from "./rows.ts";

/** create_io_thread(): these flags of clone besides CLONE_VM. vhost_task_create() has all but the last. */
const IO_WORKER: readonly number[] = [CLONE_THREAD, CLONE_UNTRACED, CLONE_IO];

/** One mm_struct from mm_init (birth -1: older than the trace) to __mmdrop. */
export interface Life {
  readonly mm: number;
  readonly birth: number;
  /** Row of exit_mmap. */
  zero: number;
  /** What makes every value of this life a guess. */
  readonly usersDoubts: Set<string>;
  readonly countDoubts: Set<string>;
}

/** mm_users or mm_count of `life` changed by `by` at an instant after row `from` and not after row `to`. */
export interface Delta {
  readonly life: Life;
  readonly field: "users" | "count";
  readonly by: number;
  readonly cause: DenialCause | "self";
  readonly task: number;
  readonly from: number;
  readonly to: number;
}

/** Task `task` had `life` as its mm on `cpu`. `entered`: the row of its kthread_use_mm, -1 for a user task. */
export interface Use {
  readonly life: Life;
  readonly task: number;
  readonly cpu: number;
  readonly from: number;
  to: number;
  readonly entered: number;
  /** The CPU held the mm lazily just before. */
  readonly resumed: boolean;
}

/** A span of rows in which `cpu` held `life`: lazily, or in mm_cpumask. */
export interface Hold {
  readonly life: Life;
  readonly cpu: number;
  readonly from: number;
  to: number;
}

interface Task {
  /** undefined: not known. */
  mm: Life | null | undefined;
  entered: number;
  pending: { readonly life: Life; readonly row: number } | null;
  unusing: number;
  exiting: number;
  forked: boolean;
  copying: number;
  newMm: Life | null;
  /** What its mm_users reference stands for. */
  shares: "threads" | "vfork-child" | "io-uring";
  asked: number;
  readonly gets: Life[];
  accessed: Life | null;
}

interface Cpu {
  active: Life | null | undefined;
  use: Use | null;
  bit: Hold | null;
  lazy: Hold | null;
}

export class Walk extends RowIndex {
  readonly deltas: Delta[] = [];
  readonly uses: Use[] = [];
  readonly bits: Hold[] = [];
  readonly lazies: Hold[] = [];
  /**
   * Spans in which a reference changes hands, or is about to be taken: kthread_use_mm on an mm held lazily, until row `to` the
   * CPU's, then the borrower's; kthread_unuse_mm, the other way; a switch to a kernel task before its enter_lazy_tlb.
   */
  readonly conversions: { readonly life: Life; readonly from: number; readonly to: number }[] = [];
  /** The mms that vfork children share with their parents. */
  readonly #vforks: { readonly task: number; readonly life: Life; readonly from: number }[] = [];
  readonly #modern: boolean;
  readonly #lives = new Map<number, Life>();
  readonly #tasks = new Map<number, Task>();
  readonly #cpus = new Map<number, Cpu>();
  readonly #lifeAtRow = new Map<number, Life>();

  /** `modern`: kernel 6.4 or later, whose kthread_(un)use_mm hold one reference more for a moment (§2.2). */
  constructor(rows: readonly Row[], modern: boolean) {
    super(rows);
    this.#modern = modern;
    for (let i = 0; i < rows.length; i++) this.#step(i);
    for (const [key, task] of this.#tasks) this.#unfinished(key, task);
  }

  /** The life that the mm of row `i` named when the row was walked. */
  lifeAtRow(i: number): Life | undefined {
    return this.#lifeAtRow.get(i);
  }

  /** Whether the use is a vfork child's of its parent's mm. A pid is given again: its last clone counts. */
  isVfork({ task, life, from }: Use): boolean {
    const born = this.rows.findLastIndex(
      (row, i) => i < from && row.kind === EventKind.taskNewtask && row.argTid === task,
    );
    return this.#vforks.some((vfork) => vfork.task === task && vfork.life === life && vfork.from === born);
  }

  #task(key: number): Task {
    let task = this.#tasks.get(key);
    if (task === undefined) {
      task = {
        mm: key < 0 ? null : undefined,
        entered: -1,
        pending: null,
        unusing: -1,
        exiting: -1,
        forked: false,
        copying: -1,
        newMm: null,
        shares: "threads",
        asked: -1,
        gets: [],
        accessed: null,
      };
      this.#tasks.set(key, task);
    }
    return task;
  }

  #cpu(cpu: number): Cpu {
    let state = this.#cpus.get(cpu);
    if (state === undefined) {
      state = { active: undefined, use: null, bit: null, lazy: null };
      this.#cpus.set(cpu, state);
    }
    return state;
  }

  #life(mm: number): Life | null {
    if (mm <= NULL_MM) return null;
    return this.#lives.get(mm) ?? this.#born(mm, -1);
  }

  #born(mm: number, birth: number): Life {
    const life: Life = { mm, birth, zero: NEVER, usersDoubts: new Set(), countDoubts: new Set() };
    if (birth < 0) {
      life.usersDoubts.add("predates the trace");
      life.countDoubts.add("predates the trace");
    }
    this.#lives.set(mm, life);
    return life;
  }

  #add(
    life: Life | null | undefined,
    field: Delta["field"],
    by: number,
    cause: Delta["cause"],
    task: number,
    from: number,
    to: number,
  ): void {
    if (life) this.deltas.push({ life, field, by, cause, task, from, to });
  }

  #step(i: number): void {
    const row = this.rows[i]!;
    if (row.cpu < 0 || row.kind === EventKind.cpuSample || (row.ctx & CTX_ALIAS) !== 0) return;
    const key = taskKey(row.tid, row.cpu);
    switch (row.kind) {
      case EventKind.schedSwitch:
        this.#switch(i, row);
        break;
      case EventKind.switchMm:
        if (this.isLazyFlush(i)) this.#lazyFlush(i, row);
        else if (!this.isTail(i)) this.#load(i, row, key);
        break;
      case EventKind.enterLazyTlb:
        if (!this.isTail(i)) this.#leave(i, row, key);
        break;
      default:
        this.#reference(i, row, key) || this.#lifetime(i, row, key);
    }
    const life = this.#lives.get(row.mm);
    if (life !== undefined) this.#lifeAtRow.set(i, life);
  }

  #switch(i: number, row: Row): void {
    const { cpu } = row;
    const state = this.#cpu(cpu);
    const prev = this.#task(taskKey(row.tid, cpu));
    const nextKey = taskKey(row.argTid, cpu);
    const next = this.#task(nextKey);
    const tailAt = this.tailOf(i);
    const tail = tailAt === undefined ? undefined : this.rows[tailAt];
    const from = tailAt ?? i;
    if (tail?.kind === EventKind.switchMm) next.mm = this.#life(tail.mm) ?? undefined;
    else if (tail !== undefined) next.mm = null;
    const seen =
      tail === undefined ? null : this.#life(tail.kind === EventKind.switchMm ? tail.mm2 : tail.mm);
    if (state.active === undefined && seen !== null) state.active = seen;
    const old = prev.mm ?? state.active;
    if (state.use !== null) state.use.to = i;
    state.use = null;
    if (prev.mm && next.mm === null) {
      this.conversions.push({ life: prev.mm, from: i, to: from });
      this.#add(prev.mm, "count", 1, "lazy-tlb", nextKey, from, this.nextOnCpu(from, cpu));
      this.#park(state, prev.mm, cpu, from);
    } else if (prev.mm === null && next.mm) {
      this.#add(state.active, "count", -1, "lazy-tlb", nextKey, from, this.arrived(i, nextKey, cpu));
    }
    if (next.mm) {
      this.#begin(state, next.mm, nextKey, cpu, from, next.entered);
    } else state.active = old;
  }

  #park(state: Cpu, life: Life, cpu: number, from: number): void {
    state.lazy = { life, cpu, from, to: NEVER };
    this.lazies.push(state.lazy);
  }

  #begin(state: Cpu, life: Life, task: number, cpu: number, from: number, entered: number): void {
    const resumed = state.lazy?.life === life;
    if (state.lazy !== null) state.lazy.to = from;
    state.lazy = null;
    state.active = life;
    state.use = { life, task, cpu, from, to: NEVER, entered, resumed };
    this.uses.push(state.use);
    if (state.bit?.life === life) return;
    if (state.bit !== null) state.bit.to = from;
    state.bit = { life, cpu, from, to: NEVER };
    this.bits.push(state.bit);
  }

  /** A shootdown reached a lazy CPU: it loads init_mm and leaves the cpumask, but keeps its reference (§2.4 row 11). */
  #lazyFlush(i: number, row: Row): void {
    const state = this.#cpu(row.cpu);
    if (state.lazy !== null) state.lazy.to = i;
    if (state.bit !== null) state.bit.to = i;
    state.lazy = null;
    state.bit = null;
  }

  /** switch_mm_irqs_off outside a context switch: exec_mmap or kthread_use_mm. */
  #load(i: number, row: Row, key: number): void {
    const task = this.#task(key);
    const state = this.#cpu(row.cpu);
    const life = this.#life(row.mm);
    if (life === null) return;
    if ((row.flags & SWITCH_MM_NO_TASK) === 0) {
      if (task.pending !== null) this.#borrow(i, row.cpu, key);
      return;
    }
    if (task.mm === null) this.#add(state.active, "count", -1, "lazy-tlb", key, i, this.settled(i, key));
    if (state.use !== null) state.use.to = i;
    task.mm = life;
    this.#begin(state, life, key, row.cpu, i, -1);
  }

  /** kthread_use_mm took hold: a lazy reference to the same mm is converted, another one dropped (§2.2, §9.3). */
  #borrow(i: number, cpu: number, key: number): void {
    const task = this.#task(key);
    const state = this.#cpu(cpu);
    const { life, row } = task.pending!;
    const done = this.settled(i, key);
    if (state.active !== life || this.#modern) this.#add(life, "count", 1, "borrower", key, row, i);
    else this.#add(life, "count", 1, "borrower", key, i, i);
    const isConverted = state.active === life && !this.#modern;
    if (isConverted) this.conversions.push({ life, from: row, to: i });
    this.#add(state.active, "count", -1, "lazy-tlb", key, i, isConverted ? i : done);
    task.pending = null;
    task.mm = life;
    task.entered = row;
    this.#begin(state, life, key, cpu, i, row);
  }

  /** enter_lazy_tlb outside a context switch: exit_mm or kthread_unuse_mm (§9.10). */
  #leave(i: number, row: Row, key: number): void {
    const task = this.#task(key);
    const state = this.#cpu(row.cpu);
    const life = task.mm ?? this.#life(row.mm);
    if (task.unusing >= 0) this.#unuse(i, key, row.cpu);
    else {
      const from = task.exiting >= 0 ? task.exiting : this.previousOf(i, key);
      this.#add(life, "count", 1, "lazy-tlb", key, from, i);
      this.#end(i, task, state, life, row.cpu);
    }
  }

  #unuse(i: number, key: number, cpu: number): void {
    const task = this.#task(key);
    const life = task.mm;
    const done = this.#modern ? this.settled(i, key) : i;
    if (life) this.conversions.push({ life, from: task.unusing, to: i });
    this.#add(life, "count", 1, "lazy-tlb", key, this.#modern ? task.unusing : i, i);
    this.#add(life, "count", -1, "borrower", key, i, done);
    task.unusing = -1;
    this.#end(i, task, this.#cpu(cpu), life, cpu);
  }

  #end(i: number, task: Task, state: Cpu, life: Life | null | undefined, cpu: number): void {
    if (state.use !== null) state.use.to = i;
    state.use = null;
    task.mm = null;
    task.entered = -1;
    if (!life) return;
    state.active = life;
    this.#park(state, life, cpu, i);
  }

  /** Gets, puts and holders; false when the row is about something else. */
  #reference(i: number, row: Row, key: number): boolean {
    const task = this.#task(key);
    const life = this.#life(row.mm);
    switch (row.kind) {
      case EventKind.getTaskMm:
      case EventKind.mmAccess:
        task.asked = i;
        return true;
      case EventKind.getTaskMmRet:
      case EventKind.mmAccessRet:
        if (life !== null) this.#get(i, row, key, life);
        task.asked = -1;
        return true;
      case EventKind.procMemOpenRet:
        if (life !== null && task.accessed !== life) this.#openFile(i, key, life);
        task.accessed = null;
        return true;
      case EventKind.mmput:
      case EventKind.mmputAsync:
        if (life !== null) this.#put(i, key, life);
        return true;
      case EventKind.khugepagedEnter:
      case EventKind.ksmEnter:
      case EventKind.khugepagedExit:
      case EventKind.ksmExit: {
        const isKsm = row.kind === EventKind.ksmEnter || row.kind === EventKind.ksmExit;
        const by = row.kind === EventKind.ksmEnter || row.kind === EventKind.khugepagedEnter ? 1 : -1;
        this.#add(life, "count", by, isKsm ? "ksm" : "khugepaged", key, i, this.settled(i, key));
        return true;
      }
      case EventKind.mmuNotifierRegister:
        this.#add(life, "count", 1, "mmu-notifier", key, i, this.settled(i, key));
        this.#add(life, "count", -1, "mmu-notifier", key, i, NEVER);
        return true;
      default:
        return false;
    }
  }

  /** What a task had begun when the trace ended may have been done at any time since. */
  #unfinished(key: number, task: Task): void {
    if (task.asked >= 0) this.#unreturned(key, task.asked);
    if (task.pending !== null)
      this.#add(task.pending.life, "count", 1, "borrower", key, task.pending.row, NEVER);
    if (task.unusing >= 0 && this.#modern)
      this.#add(task.mm, "count", 1, "lazy-tlb", key, task.unusing, NEVER);
    const exiting = this.rows[task.exiting];
    if (exiting?.kind === EventKind.exitMmRelease && task.mm !== null)
      this.#add(task.mm, "count", 1, "lazy-tlb", key, task.exiting, NEVER);
    const copying = this.rows[task.copying];
    if (copying !== undefined && (copying.flags & CLONE_VM) !== 0)
      this.#add(task.mm, "users", 1, "threads", key, task.copying, NEVER);
  }

  /** A get entered and never seen to return: of whatever its target has had as its mm since. */
  #unreturned(key: number, asked: number): void {
    const target = this.rows[asked]!.argTid;
    const now = this.#tasks.get(target)?.mm;
    const since = this.uses.filter((use) => use.task === target && use.to > asked).map((use) => use.life);
    for (const life of new Set([...(now ? [now] : []), ...since]))
      this.#add(life, "users", 1, "reader", key, asked, NEVER);
  }

  #get(i: number, row: Row, key: number, life: Life): void {
    const task = this.#task(key);
    this.#add(life, "users", 1, "reader", key, task.asked >= 0 ? task.asked : this.previousOf(i, key), i);
    task.gets.push(life);
    if (row.kind !== EventKind.mmAccessRet || (row.flags & CALLER_OTHER) !== 0) return;
    if ((row.flags & CALLER_PROC_MEM_OPEN) !== 0) {
      this.#openFile(i, key, life);
      task.accessed = life;
    } else if (!this.has(EventKind.procMemOpenRet)) {
      this.#add(life, "count", 1, "proc-fd", key, i, NEVER);
      this.#add(life, "count", -1, "proc-fd", key, i, NEVER);
    }
  }

  /** An open /proc file: its close shows nowhere, its opener's end is the latest it can come (§9.7). */
  #openFile(i: number, key: number, life: Life): void {
    this.#add(life, "count", 1, "proc-fd", key, i, this.settled(i, key));
    const later = this.after(i, key).map((j) => ({ j, row: this.rows[j]! }));
    const forks = this.#task(key).forked || later.some(({ row }) => row.kind === EventKind.taskNewtask);
    const end = later.find(
      ({ row }) =>
        row.kind === EventKind.schedSwitch &&
        (row.flags === SwitchState.zombie || row.flags === SwitchState.dead),
    );
    this.#add(life, "count", -1, "proc-fd", key, i, forks || end === undefined ? NEVER : end.j);
  }

  #put(i: number, key: number, life: Life): void {
    const task = this.#task(key);
    const got = task.gets.lastIndexOf(life);
    const done = this.settled(i, key);
    if (got >= 0) {
      task.gets.splice(got, 1);
      this.#add(life, "users", -1, "reader", key, i, done);
    } else if (task.exiting >= 0 && this.rows[task.exiting]!.mm === life.mm) {
      this.#add(life, "users", -1, task.shares, key, i, done);
      task.exiting = -1;
      task.shares = "threads";
    } else {
      this.#add(life, "users", -1, "unknown", key, i, done);
      life.usersDoubts.add("a put without a get");
    }
  }

  /** Births, deaths, clones, borrowing. */
  #lifetime(i: number, row: Row, key: number): void {
    const task = this.#task(key);
    switch (row.kind) {
      case EventKind.mmInit:
        task.newMm = this.#newLife(i, row.mm);
        return;
      case EventKind.dupMmap:
      case EventKind.uprobeDupMmap:
        if (row.mm2 > NULL_MM && (task.newMm?.mm !== row.mm2 || task.newMm.zero !== NEVER)) {
          task.newMm = this.#newLife(i, row.mm2);
        }
        return;
      case EventKind.copyProcess:
        task.copying = i;
        return;
      case EventKind.copyProcessRet:
        task.copying = -1;
        return;
      case EventKind.taskNewtask:
        this.#newTask(i, row, key);
        return;
      case EventKind.execMmRelease:
      case EventKind.exitMmRelease:
        if (task.mm === undefined) task.mm = this.#life(row.mm);
        task.exiting = i;
        return;
      case EventKind.exitMmap:
        this.#emptied(i, this.#life(row.mm));
        return;
      case EventKind.mmdrop:
        this.#lives.delete(row.mm);
        return;
      case EventKind.kthreadUseMm:
        this.#useMm(i, row, key);
        return;
      case EventKind.kthreadUnuseMm:
        task.unusing = i;
        if (!this.has(EventKind.enterLazyTlb)) this.#unuse(i, key, row.cpu);
        return;
    }
  }

  #newLife(i: number, mm: number): Life {
    const life = this.#born(mm, i);
    this.#add(life, "users", 1, "self", -1, i, i);
    this.#add(life, "count", 1, "self", -1, i, i);
    return life;
  }

  #newTask(i: number, row: Row, key: number): void {
    const parent = this.#task(key);
    parent.forked = true;
    this.#tasks.delete(row.argTid);
    const child = this.#task(row.argTid);
    if ((row.flags & CLONE_VM) === 0) {
      child.mm = parent.mm === null ? null : (parent.newMm ?? undefined);
      return;
    }
    child.mm = parent.entered >= 0 ? null : parent.mm;
    if (!child.mm) return;
    const isVfork = (row.flags & CLONE_VFORK) !== 0;
    const isWorker = IO_WORKER.every((flag) => (row.flags & flag) !== 0);
    if (isVfork) child.shares = "vfork-child";
    else if (isWorker) child.shares = "io-uring";
    if (isVfork) this.#vforks.push({ task: row.argTid, life: child.mm, from: i });
    const from = parent.copying >= 0 ? parent.copying : this.previousOf(i, key);
    this.#add(child.mm, "users", 1, child.shares, row.argTid, from, i);
    // Its ring's count may be held from before it until nobody knows when (§9.5).
    if (isWorker) this.#add(child.mm, "count", 1, "io-uring", row.argTid, from, NEVER);
    parent.copying = -1;
  }

  #useMm(i: number, row: Row, key: number): void {
    const task = this.#task(key);
    const life = this.#life(row.mm);
    if (life === null) return;
    if (!task.gets.includes(life)) life.countDoubts.add("a borrower without a users reference");
    task.pending = { life, row: i };
    if (!this.has(EventKind.switchMm)) this.#borrow(i, row.cpu, key);
  }

  #emptied(i: number, life: Life | null): void {
    if (life === null) return;
    life.zero = i;
    let sum = 0;
    for (const delta of this.deltas) if (delta.life === life && delta.field === "users") sum += delta.by;
    if (sum !== 0) life.usersDoubts.add("users do not come to 0");
  }
}
