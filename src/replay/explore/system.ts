// The bounded system in one state: the replay's own World, in which everything is known, and beside it what no trace
// shows: where each actor is in its program and who holds which lock. Changed by steps.ts, stored and put back by
// search.ts.
import { assert } from "../../base/assert.ts";
import { evaluate } from "../evaluate.ts";
import { Forks } from "../forks.ts";
import { join, type Model } from "../model/model.ts";
import { share } from "../model/users.ts";
import { IDLE, type KernelRules, NO_LIFE, ShareKind, TaskKind, type Tasks, World } from "../model/world.ts";
import type { Check, Counted, Policy, Serialised } from "../policies/policy.ts";
import { type Actor, actorsOf, type Bound, type Op } from "./bound.ts";
import type { Recorder } from "./recorder.ts";

/** Lives: the mm that is forked, the other processes' mm, init_mm, the mm a vfork child makes for its exec. */
export const FORKED = 0;
export const OTHERS = 1;
export const INIT_MM = 2;
export const EXEC_MM = 3;

/** What the fork's check said. */
export const Path = { unchecked: 0, slow: 1, fast: 2 } as const;
export type Path = (typeof Path)[keyof typeof Path];

/** The forker is the first actor. */
export const FORKER = 0;
/** Numbers of a captured state before its columns. */
const SCALARS = 7;
/** The scratch row that checks are evaluated into. */
const ROW = 0;
/** mm_count rises in kthread_use_mm() before the mm is loaded (6.4 on); mm_cpumask as before 6.14. */
const RULES: KernelRules = { useMmAlwaysGrabs: true, lazyCpumask: false, exitTracedFirst: false };

export class System implements Model {
  readonly bound: Bound;
  readonly policy: Policy;
  readonly world: World = new World(RULES);
  readonly forks: Forks = new Forks();
  readonly actors: readonly Actor[];
  /** TaskId by actor. */
  readonly tasks: readonly number[];
  /** A number by actor, the same for actors that are alike. */
  readonly kinds: readonly number[];
  /** Next op of each actor's program; its length when over. An absent actor's is over from the start. */
  readonly pc: number[];
  path: Path = Path.unchecked;
  /** The design's lock, or what it uses for one, is held by the fork. */
  policyHeld = 0;
  /** mmap_lock of the forked mm: held for write by the fork; readers; the fork waits behind them. */
  writeHeld = 0;
  readLocks = 0;
  writerWaits = 0;
  /** The forker waits for its vfork child. */
  vforkWait = 0;
  /** Where the steps taken are written down as trace rows; none while searching. */
  recorder: Recorder | undefined;
  readonly #columns: readonly (number[] | Int32Array)[];
  readonly #size: number;

  /** `roster`: bit i says that actor i exists. */
  constructor(bound: Bound, policy: Policy, roster: number) {
    this.bound = bound;
    this.policy = policy;
    this.actors = actorsOf(bound, policy.holds === "mmap_lock");
    assert(this.actors.length < 31, "too many actors");
    this.world.names.enabled = false;
    this.world.switchMmSeen = true;
    this.world.enterLazySeen = true;
    this.world.unusesSeen = true;
    this.world.flushesSeen = true;
    const { mms, cpus, tasks } = this.world;
    for (const life of [FORKED, OTHERS, INIT_MM, EXEC_MM]) mms.create(life, 0, -1);
    mms.sum[FORKED] = 1;
    mms.sum[OTHERS] = 1;
    mms.sum[EXEC_MM] = 1;
    this.tasks = this.actors.map((actor, index) => this.#createTask(actor, (roster & (1 << index)) !== 0));
    this.kinds = this.actors.map(({ role }) => this.actors.findIndex((actor) => actor.role === role));
    this.pc = this.actors.map((actor, index) => ((roster & (1 << index)) === 0 ? actor.program.length : 0));
    this.forks.add(mms, FORKED, this.tasks[FORKER]!);
    // Every CPU idle, its last user task one of another process.
    cpus.ensure(bound.cpus - 1);
    for (let cpu = 0; cpu < bound.cpus; cpu++) {
      cpus.unknownSince[cpu] = -1;
      cpus.cur[cpu] = IDLE;
      cpus.lazy[cpu] = OTHERS;
      cpus.loaded[cpu] = OTHERS;
      cpus.active[cpu] = NO_LIFE;
      cpus.prevUsing[cpu] = NO_LIFE;
    }
    tasks.cpu[this.tasks[FORKER]!] = -1;
    this.#columns = [...columnsOf(tasks), ...columnsOf(mms), ...columnsOf(cpus)];
    this.#size = this.#columns.reduce((sum, column) => sum + column.length, SCALARS + 2 * this.actors.length);
  }

  onActive(): void {}

  /** Nobody asks what became of a reference: schedules are not moved in time. */
  onHold(): void {}

  onReveal(): void {
    assert(false, "a CPU of the explored system was in unknown state");
  }

  onTold(): void {
    assert(false, "a CPU of the explored system was in unknown state");
  }

  #createTask(actor: Actor, exists: boolean): number {
    const { tasks } = this.world;
    const task = tasks.create(actor.pid, 0);
    tasks.tgid[task] = actor.pid;
    tasks.mm[task] = NO_LIFE;
    tasks.kind[task] = TaskKind.kernel;
    if (actor.isKernel || !exists) return task;
    if (actor.role === "forker") join(this, task, FORKED, true);
    else if (actor.role === "thread" || actor.role === "vfork") {
      const kind = actor.role === "thread" ? ShareKind.thread : ShareKind.vfork;
      share(this, tasks.find(100), task, kind, 0);
      if (actor.role === "vfork") this.vforkWait = 1;
      tasks.execNew[task] = EXEC_MM;
    } else join(this, task, OTHERS, true);
    return task;
  }

  /** The op an actor is at; undefined when its program is over. */
  next(actor: number): Op | undefined {
    return this.actors[actor]!.program[this.pc[actor]!];
  }

  get forkerTask(): number {
    return this.tasks[FORKER]!;
  }

  /** The CPU that runs the forker, or ran it last; -1 before it ever ran. */
  get forkerCpu(): number {
    return this.world.tasks.cpu[this.forkerTask]!;
  }

  /** The actor of a task: they are created in order after the idle task. -1: the idle task, or none. */
  actorOf(task: number): number {
    return task - 1;
  }

  /** The actor on a CPU; -1 when it is idle. */
  actorOn(cpu: number): number {
    return this.actorOf(this.world.cpus.cur[cpu]!);
  }

  /**
   * What a design reads when it checks now. The model keeps lower bounds and what is under way; here what is under way is
   * known not to have happened: evaluate() leaves a grab to come out, a drop to come still counts, and a borrower past its
   * call has taken its references.
   */
  check(): Check {
    const { world, forks } = this;
    evaluate(world, forks, ROW, this.forkerTask, FORKED, this.forkerCpu, true);
    assert(forks.maskUnknown.at(ROW) === 0, "a CPU of the explored system is in unknown state");
    const entering = world.mms.entering[FORKED]!;
    return {
      users: exactly(forks.usersLow.at(ROW)),
      count: exactly(forks.countLow.at(ROW) + forks.pendingDrops.at(ROW) + entering),
      borrowers: exactly(forks.borrows.at(ROW) + entering),
      otherCpus: exactly(forks.maskOthers.at(ROW)),
    };
  }

  /**
   * Does the design make a call of `name` wait in this state? get_task_mm() looks at the counts itself: it waits only when
   * it finds what the fork's fast path asks for.
   */
  waits(name: Serialised): boolean {
    const { policy } = this;
    if (this.policyHeld === 0 || !policy.serialises.includes(name)) return false;
    if (policy.waitsOnlyWhenFast && this.path !== Path.fast) return false;
    return name !== "get_task_mm" || policy.decide(this.check()) === "fast";
  }

  /** Does taking the design's lock for a moment wait behind a queued writer of mmap_lock, as a fair rwsem has it? */
  queues(name: Serialised): boolean {
    const { policy } = this;
    return policy.holds === "mmap_lock" && policy.serialises.includes(name) && this.writerWaits === 1;
  }

  /** The fork is between its first page-table entry and the end of its flush, on the fast path. */
  get isCopyingFast(): boolean {
    return this.path === Path.fast && this.next(FORKER) === "flush";
  }

  /** The fork can neither become unsafe nor get stuck any more: it has its locks, and is on the slow path or past its flush. */
  get isDecided(): boolean {
    if (this.writeHeld === 0) return this.next(FORKER) === undefined;
    return this.path === Path.slow || this.next(FORKER) === "release";
  }

  /** CPU on which the mm is used while the fork copies it without atomics (semantics §6.1); -1 none. */
  hazardCpu(): number {
    if (!this.isCopyingFast) return -1;
    const { cpus } = this.world;
    const lazySetsDirty = this.bound.assume.includes("lazy-sets-dirty");
    const rt = this.bound.assume.includes("preempt-rt");
    for (let cpu = 0; cpu < cpus.length; cpu++) {
      if (cpus.cur[cpu] === this.forkerTask || (cpu === this.forkerCpu && !rt)) continue;
      if (cpus.active[cpu] === FORKED) return cpu;
      if (lazySetsDirty && cpus.lazy[cpu] === FORKED && cpus.loaded[cpu] === FORKED) return cpu;
    }
    return -1;
  }

  /** The whole state as numbers. */
  capture(): Int32Array {
    const { tasks, seq } = this.world;
    const out = new Int32Array(this.#size);
    out[0] = seq;
    out[1] = this.path;
    out[2] = this.policyHeld;
    out[3] = this.writeHeld;
    out[4] = this.readLocks;
    out[5] = this.writerWaits;
    out[6] = this.vforkWait;
    let at = SCALARS;
    for (const pc of this.pc) out[at++] = pc;
    for (const task of this.tasks) out[at++] = tasks.gets.get(task)?.length ?? 0;
    for (const column of this.#columns) for (let i = 0; i < column.length; i++) out[at++] = column[i]!;
    return out;
  }

  /** Puts a captured state back. */
  restore(state: Int32Array): void {
    const { world } = this;
    world.seq = state[0]!;
    this.path = state[1] as Path;
    this.policyHeld = state[2]!;
    this.writeHeld = state[3]!;
    this.readLocks = state[4]!;
    this.writerWaits = state[5]!;
    this.vforkWait = state[6]!;
    let at = SCALARS;
    for (let i = 0; i < this.pc.length; i++) this.pc[i] = state[at++]!;
    for (const task of this.tasks) {
      const held = state[at++]!;
      if (held > 0) world.tasks.gets.set(task, new Array(held).fill(FORKED));
      else world.tasks.gets.delete(task);
    }
    for (const column of this.#columns) for (let i = 0; i < column.length; i++) column[i] = state[at++]!;
  }
}

function exactly(value: number): Counted {
  return { value, exact: true };
}

/** The rows in use of the numeric columns of a part of the world; no step adds any. */
function columnsOf(part: Tasks | World["mms"] | World["cpus"]): (number[] | Int32Array)[] {
  const values: readonly unknown[] = Object.values(part);
  return values.flatMap((value) => {
    if (value instanceof Int32Array) return [value.subarray(0, part.length)];
    return Array.isArray(value) && value.every(Number.isSafeInteger) ? [value] : [];
  });
}
