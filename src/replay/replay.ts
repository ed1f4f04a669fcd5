// The loop: one pass over the event table, each row settled by context.ts and applied by lower.ts. Fed by index.ts with
// batches; its Replayer is what verdicts.ts reads at the end. No decision of the model rests on a sampled count.
import { ProblemLog } from "../base/problem.ts";
import { CTX_ALIAS, CTX_IRQ, type EventBatch, type TraceMeta } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SAMPLE_LAZY, SAMPLE_SWITCHING } from "../table/event-kinds.ts";
import type { Attempt } from "./attempt.ts";
import { calmLazy, calmSwitch, calmSwitchMm } from "./calm.ts";
import { applyContext } from "./context.ts";
import { Forks } from "./forks.ts";
import { loseEvents, loseFromStart, loseSince } from "./gap.ts";
import { GetLog } from "./gets.ts";
import { Loads } from "./loads.ts";
import { Locks } from "./locks.ts";
import { lower } from "./lower.ts";
import { taskState } from "./lower-fork.ts";
import { crLoaded } from "./lower-switch.ts";
import type { Lowering, Place } from "./lowering.ts";
import { cutExit } from "./model/exits.ts";
import type { HoldKind, How } from "./model/model.ts";
import { cutGet } from "./model/users.ts";
import { IDLE, type KernelRules, World } from "./model/world.ts";
import { BORROW_UNANNOUNCED, CPU_DROPPED, SILENT_CPU } from "./problems.ts";
import { sweepLives } from "./sweep.ts";
import { Uses } from "./uses.ts";
import { Windows } from "./windows.ts";

/** How a replay goes about it, for tests: the tables are the same. */
export interface ReplayWays {
  /** false: no row takes a short way (calm.ts). */
  readonly calm?: boolean;
  /** Lives made between two looks for those that nothing can reach any more; Infinity: all are kept. */
  readonly sweepEvery?: number;
  /** Forks, and exposures, of a page of their columns (base/paged.ts), as a power of two. */
  readonly pageBits?: number;
}

export class Replayer implements Lowering {
  readonly world: World;
  readonly forks: Forks;
  readonly locks: Locks;
  readonly uses: Uses;
  readonly windows: Windows;
  readonly loads: Loads;
  readonly problems: ProblemLog = new ProblemLog();
  readonly gets: GetLog = new GetLog();
  /** Events seen per kind (aliases not counted): what is proven armed. */
  readonly seen: Int32Array = new Int32Array(EVENT_KIND_NAMES.length);
  /** Function names declared armed by the recording or by --assume. */
  readonly declared: Set<number> = new Set();
  /** Whose check the next cpu_sample rows belong to. */
  sampleOwner: Attempt | undefined;
  unannounced: Place | undefined;
  toldForks = 0;
  untoldForks = 0;
  /** The context task's `firm` as it was before the event being applied. */
  firmBefore = -1;
  /** false: every row takes the long way. */
  readonly calm: boolean;
  /** Lives made between two looks for those that nothing can reach any more (sweep.ts), at least; and at the next one. */
  readonly sweepEvery: number;
  sweepAt: number;
  /** Rows that took the short way. */
  calmRows = 0;
  /** --assume silent-cpus-idle: a CPU without an event was recorded, and had none. */
  silentIdle = false;
  /** CPUs that may not have been recorded; known when the trace is over. */
  silentCpus = 0;
  /** Each CPU's events begin where the ring buffer was overwritten last, not where the trace begins. */
  #startLate = false;

  readonly #kinds: readonly number[] | undefined;
  readonly #cpus: number;
  /** Kinds that shows() was asked for. */
  readonly #asked: Uint8Array = new Uint8Array(EVENT_KIND_NAMES.length);
  /** A kind has been seen for the first time (at the start: whatever `#kinds` tells). */
  #isNews = true;

  /** Of `meta`: the CPUs, all in unknown state until they show it, and which kinds of events there are. */
  constructor(rules: KernelRules, meta: Pick<TraceMeta, "cpus" | "kinds">, ways: ReplayWays = {}) {
    this.calm = ways.calm ?? true;
    this.sweepEvery = ways.sweepEvery ?? 4096;
    this.sweepAt = this.sweepEvery;
    this.forks = new Forks(ways.pageBits);
    this.world = new World(rules);
    if (meta.cpus > 0) this.world.cpus.ensure(meta.cpus - 1);
    this.#kinds = meta.kinds;
    this.#cpus = meta.cpus;
    this.locks = new Locks(this.world.mms);
    this.uses = new Uses(this.world, this.forks, this.locks, ways.pageBits);
    this.windows = new Windows(this, this.locks, this.uses, ways.pageBits);
    this.loads = new Loads(this.world, meta.kinds === undefined || this.shows(EventKind.tlbFlush));
  }

  shows(kind: EventKind): boolean {
    this.#asked[kind] = 1;
    return (this.#kinds?.[kind] ?? this.seen[kind]!) > 0;
  }

  /** Whether all that was asked about the trace so far has the same answer in `meta`. */
  holdsFor(meta: Pick<TraceMeta, "cpus" | "kinds">): boolean {
    if (meta.cpus !== this.#cpus || (meta.kinds === undefined) !== (this.#kinds === undefined)) return false;
    return this.#asked.every((asked, kind) => {
      return asked === 0 || (meta.kinds?.[kind] ?? 0) > 0 === (this.#kinds?.[kind] ?? 0) > 0;
    });
  }

  onActive(cpu: number, task: number, life: number, how: How): void {
    this.windows.onActive(cpu, task, life, how);
  }

  onReveal(cpu: number, life: number, task: number, active: boolean, since: number): void {
    this.windows.onReveal(cpu, life, task, active, since);
  }

  onTold(cpu: number): void {
    this.windows.onTold(cpu);
  }

  onHold(task: number, life: number, kind: HoldKind, begins: boolean): void {
    this.uses.onHold(task, life, kind, begins);
  }

  /** Applies a batch of rows in order. */
  feed(batch: EventBatch): void {
    const { length, kind, ns, line } = batch;
    const { world } = this;
    for (let i = 0; i < length; i++) {
      world.seq++;
      world.ns = ns[i]!;
      world.line = line[i]!;
      if (!this.#isCalm(kind[i]!, batch, i)) this.#apply(batch, i);
    }
  }

  /** The trace is over. `comms`: its task names by id. `usesArmed`: kthread_use_mm was recorded, or declared armed. */
  finish(comms: readonly string[] = [], usesArmed = false): void {
    if (!this.silentIdle) this.#loseSilent();
    this.#loseDropped(comms);
    if (usesArmed) this.#loseUnannounced();
    this.windows.cutOff();
    for (let task = 0; task < this.world.tasks.length; task++) {
      cutGet(this, task);
      cutExit(this, task);
    }
  }

  #apply(b: EventBatch, i: number): void {
    const { world } = this;
    const kind = b.kind[i]!;
    const cpu = b.cpu[i]!;
    world.livesBefore = world.mms.made;
    if (kind === EventKind.lost) {
      loseEvents(this, cpu);
      return;
    }
    if (kind === EventKind.bufferStarted) {
      if (cpu < 0) this.#startLate = true;
      else if (!this.#startLate || !this.#isFirstOf(cpu)) loseFromStart(this, cpu);
      return;
    }
    if (kind === EventKind.armed) {
      this.declared.add(b.argComm[i]!);
      if (cpu >= 0) this.#mark(cpu);
      return;
    }
    if (kind === EventKind.taskState) {
      taskState(this, b, i);
      return;
    }
    if (kind === EventKind.cpuSample) {
      this.#sample(b, i);
      return;
    }
    this.sampleOwner = undefined;
    if (this.#isNews) this.#noteKinds();
    const alias = (b.ctx[i]! & CTX_ALIAS) !== 0;
    // A second probe on one function tells of the same instant: nothing has gone on since the first.
    if (alias && kind !== EventKind.dupMmap && kind !== EventKind.uprobeDupMmap) return;
    if (this.seen[kind]!++ === 0) this.#isNews = true;
    if (this.#startLate && cpu >= 0 && this.#isFirstOf(cpu)) loseFromStart(this, cpu);
    if (world.mms.made >= this.sweepAt) sweepLives(this);
    const tid = b.tid[i]!;
    const task = applyContext(this, b, i, kind, cpu, tid);
    const isStray = kind === EventKind.tlbFlush && this.loads.flushed(b, i, cpu, task);
    const loaded = cpu >= 0 ? world.cpus.loaded[cpu]! : -1;
    lower(this, b, i, kind, cpu, tid, task);
    // A probe hit inside another's handler is not recorded (kprobe_profile counts it): a flush that interrupts one shows itself
    // by its load of CR3 alone.
    if (isStray && world.switchMmSeen) crLoaded(this, cpu, task, (b.ctx[i]! & CTX_IRQ) !== 0);
    this.loads.applied(kind, cpu, task, loaded);
  }

  /** A mark is an event of its CPU, but says nothing of what runs there. */
  #mark(cpu: number): void {
    const { cpus, seq, ns } = this.world;
    if (!this.#isFirstOf(cpu)) return;
    if (this.#startLate) loseFromStart(this, cpu);
    cpus.ensure(cpu);
    cpus.lastSeq[cpu] = seq;
    cpus.lastNs[cpu] = ns;
  }

  #isFirstOf(cpu: number): boolean {
    const { cpus } = this.world;
    return cpu >= cpus.length || cpus.lastSeq[cpu]! < 0;
  }

  /** CPUs without an event may not have been recorded (tracing_cpumask, perf record -C): then anything may have run there. */
  #loseSilent(): void {
    const { cpus } = this.world;
    for (let cpu = 0; cpu < cpus.length; cpu++) {
      if (!this.#isFirstOf(cpu)) continue;
      loseFromStart(this, cpu);
      this.silentCpus++;
      this.problems.add(SILENT_CPU, 0, `CPU ${cpu}`);
    }
  }

  /**
   * perf takes the events off a CPU that goes offline, in its hotplug thread (perf_event_exit_cpu()), and does not put them back: where
   * that thread was the last to run, nothing tells what ran since.
   */
  #loseDropped(comms: readonly string[]): void {
    const { cpus, tasks, seq } = this.world;
    for (let cpu = 0; cpu < cpus.length; cpu++) {
      const cur = cpus.cur[cpu]!;
      const last = cpus.lastSeq[cpu]!;
      if (cur <= IDLE || last === seq || comms[tasks.comm[cur]!] !== `cpuhp/${cpu}`) continue;
      loseSince(this, cpu, last, cpus.lastNs[cpu]!);
      this.problems.add(CPU_DROPPED, 0, `CPU ${cpu}`);
    }
  }

  #loseUnannounced(): void {
    if (this.unannounced === undefined) return;
    const { cpu, seq, ns, line } = this.unannounced;
    // From before that event on: the borrow itself is in doubt.
    loseSince(this, cpu, seq - 1, ns);
    this.problems.add(BORROW_UNANNOUNCED, line, `CPU ${cpu}`);
  }

  /** What the recording shows is asked at nearly every row, and changes with the first event of a kind at most. */
  #noteKinds(): void {
    const { world } = this;
    this.#isNews = false;
    world.switchMmSeen = this.shows(EventKind.switchMm);
    world.enterLazySeen = this.shows(EventKind.enterLazyTlb);
    world.switchesSeen = this.shows(EventKind.schedSwitch);
    world.flushesSeen = this.shows(EventKind.tlbFlush);
    world.unusesSeen = this.shows(EventKind.kthreadUnuseMm);
    world.putsSeen = this.shows(EventKind.mmput);
    world.makesSeen = this.shows(EventKind.mmInit) || this.shows(EventKind.execBegin);
    this.windows.loadsVisible = world.switchMmSeen || world.flushesSeen;
  }

  /** Applies a row by the short way, if there is one for it. A kind's first event is news, and a second probe's no event. */
  #isCalm(kind: number, b: EventBatch, i: number): boolean {
    if (kind !== EventKind.schedSwitch && kind !== EventKind.switchMm && kind !== EventKind.enterLazyTlb)
      return false;
    if (!this.calm || this.#isNews || this.seen[kind] === 0 || (b.ctx[i]! & CTX_ALIAS) !== 0) return false;
    const isCalm =
      kind === EventKind.schedSwitch
        ? calmSwitch(this, b, i)
        : kind === EventKind.switchMm
          ? calmSwitchMm(this, b, i)
          : calmLazy(this, b, i);
    if (!isCalm) return false;
    this.sampleOwner = undefined;
    this.seen[kind]! += 1;
    this.calmRows++;
    return true;
  }

  #sample(b: EventBatch, i: number): void {
    if (this.sampleOwner === undefined) return;
    this.windows.samples.add(
      this.sampleOwner,
      b.cpu[i]!,
      b.mm[i]!,
      (b.flags[i]! & SAMPLE_LAZY) !== 0,
      (b.flags[i]! & SAMPLE_SWITCHING) !== 0,
    );
  }
}
