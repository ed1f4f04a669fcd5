// What a task has of an mm from call to call: references (get_task_mm, mm_access), borrows (kthread_use_mm) and the lazy
// reference a borrow leaves behind, kept per run of the task (from one voluntary switch-out to the next) as long as a blocked
// call or a near miss needs it. Fed by the model's transitions; read by retime.ts and near-misses.ts.
import { BorrowLog } from "./borrow-log.ts";
import type { Forks } from "./forks.ts";
import type { Locks } from "./locks.ts";
import type { HoldKind } from "./model/model.ts";
import type { World } from "./model/world.ts";

/** A span [from, to) in which a task has something of `life`; `to` is NaN while open. Times are ns since the epoch. */
export interface Hold {
  readonly kind: HoldKind;
  readonly life: number;
  /** The call that led to it, where recorded; else as `from`. */
  readonly call: number;
  readonly callSeq: number;
  readonly from: number;
  to: number;
  /** Sequence since which all it needs exists (the task a get is made on); -1 before the trace, or unknown. */
  readonly birth: number;
  /** Of a borrow: its row in the log; -1. */
  readonly row: number;
}

/** What a task did until it went to sleep. */
export interface Run {
  readonly holds: Hold[];
  /** When it was switched out of its own accord; NaN not yet. */
  slept: number;
  /** Events were lost meanwhile. */
  lost: boolean;
}

/** A call not yet known to have led to anything. */
interface Called {
  readonly life: number;
  readonly ns: number;
  readonly seq: number;
  readonly line: number;
  /** Of a get: sequence since which the task it is made on exists; -1 before the trace, or unknown. */
  readonly birth: number;
}

/** Holds kept of one run; a task that never sleeps begins a new one. */
const MOST_HOLDS = 64;

export class Uses {
  readonly #world: World;
  readonly #forks: Forks;
  readonly #locks: Locks;
  readonly borrows: BorrowLog;
  readonly #runs: Map<number, Run> = new Map();
  readonly #borrowCalls: Map<number, Called> = new Map();
  readonly #getCalls: Map<number, Called> = new Map();

  constructor(world: World, forks: Forks, locks: Locks, pageBits?: number) {
    this.borrows = new BorrowLog(pageBits);
    this.#world = world;
    this.#forks = forks;
    this.#locks = locks;
  }

  /** The task's run under way. */
  run(task: number): Run {
    let run = this.#runs.get(task);
    if (run === undefined) {
      run = { holds: [], slept: Number.NaN, lost: false };
      this.#runs.set(task, run);
    }
    return run;
  }

  /** kthread_use_mm, get_task_mm or mm_access is called; `target`: the task a get is made on, -1 unknown. */
  called(task: number, life: number, isGet: boolean, target: number = -1): void {
    const { ns, seq, line, tasks } = this.#world;
    const birth = target >= 0 ? tasks.birth[target]! : -1;
    (isGet ? this.#getCalls : this.#borrowCalls).set(task, { life, ns, seq, line, birth });
  }

  /** Model listener: `task` begins or ends to have something of `life`. */
  onHold(task: number, life: number, kind: HoldKind, begins: boolean): void {
    const run = this.run(task);
    if (!begins) {
      this.#end(task, run, life, kind);
      return;
    }
    if (run.holds.length >= MOST_HOLDS) this.#renew(task, run);
    const { holds } = this.run(task);
    if (kind === "borrow") {
      this.#endLazy(run);
      holds.push(this.#borrow(task, life, run));
    } else holds.push(this.#hold(task, life, kind));
    if (kind === "ref") this.#getCalls.delete(task);
  }

  #hold(task: number, life: number, kind: HoldKind): Hold {
    const { ns, seq } = this.#world;
    const called = kind === "ref" ? this.#getCalls.get(task) : undefined;
    const isItsCall = called !== undefined && called.life === life;
    const call = isItsCall ? called.ns : ns;
    const birth = isItsCall ? called.birth : -1;
    const callSeq = isItsCall ? called.seq : seq;
    return { kind, life, call, callSeq, from: ns, to: Number.NaN, birth, row: -1 };
  }

  #borrow(task: number, life: number, run: Run): Hold {
    const { ns, seq, line, tasks } = this.#world;
    const called = this.#borrowCalls.get(task);
    this.#borrowCalls.delete(task);
    const isItsCall = called !== undefined && called.life === life;
    const ref = run.holds.findLast((h) => h.kind === "ref" && h.life === life && Number.isNaN(h.to));
    const call = isItsCall ? called.ns : ns;
    const callSeq = isItsCall ? called.seq : seq;
    const birth = Math.max(tasks.birth[task]!, ref?.birth ?? -1);
    const begun = {
      life,
      call,
      tid: tasks.pid[task]!,
      comm: tasks.comm[task]!,
      cpu: tasks.cpu[task]!,
      line: isItsCall ? called.line : line,
      isCallSeen: isItsCall,
      got: ref === undefined ? Number.NaN : ref.call,
      birth,
      lockBefore: this.#locks.lastGot(task, life),
    };
    const row = this.borrows.add(begun, this.#world.mms, this.#forks);
    return { kind: "borrow", life, call, callSeq, from: ns, to: Number.NaN, birth, row };
  }

  #end(task: number, run: Run, life: number, kind: HoldKind): void {
    const hold = run.holds.findLast((h) => h.kind === kind && h.life === life && Number.isNaN(h.to));
    if (hold === undefined) return;
    hold.to = this.#world.ns;
    if (kind === "borrow") {
      this.borrows.to.set(hold.row, hold.to);
      if (this.#locks.lastGot(task, life) > hold.callSeq) this.borrows.lockInside.set(hold.row, 1);
    }
  }

  /** The task has been switched out of its own accord: its run is over, what it still has goes on in the next. */
  sleeps(task: number): void {
    const run = this.#runs.get(task);
    if (run === undefined) return;
    run.slept = this.#world.ns;
    this.#endLazy(run);
    this.#renew(task, run);
  }

  /** The kthread has another active_mm, or is off the CPU, whose reference it then is. */
  #endLazy(run: Run): void {
    for (const hold of run.holds) if (hold.kind === "lazy" && Number.isNaN(hold.to)) hold.to = this.#world.ns;
  }

  #renew(task: number, run: Run): void {
    const open = run.holds.filter((hold) => Number.isNaN(hold.to));
    if (open.length === 0) this.#runs.delete(task);
    else this.#runs.set(task, { holds: open, slept: Number.NaN, lost: false });
  }

  /** Calls `visit` with every life that a task has something of, or may come to have by a call under way. */
  eachLife(visit: (life: number) => void): void {
    for (const { holds } of this.#runs.values()) for (const { life } of holds) visit(life);
    for (const { life } of this.#borrowCalls.values()) visit(life);
    for (const { life } of this.#getCalls.values()) visit(life);
  }

  /** A gap in the recording: nobody knows what has ended in it. */
  lose(): void {
    for (const run of this.#runs.values()) run.lost = true;
    this.#runs.clear();
    this.#borrowCalls.clear();
    this.#getCalls.clear();
  }

  /** The window of `row` ends now. */
  windowEnds(row: number): void {
    this.borrows.windowEnds(row, this.#world.mms, this.#forks);
  }
}
