// The loop: one pass over the event table, each row settled by context.ts and applied by lower.ts. Fed by index.ts with
// batches; its Replayer is what verdicts.ts reads at the end. No decision of the model rests on a sampled count.
import { ProblemLog } from "../base/problem.ts";
import { CTX_ALIAS, type EventBatch } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SAMPLE_LAZY, SAMPLE_SWITCHING } from "../table/event-kinds.ts";
import type { Attempt } from "./attempt.ts";
import { applyContext } from "./context.ts";
import { Forks } from "./forks.ts";
import { loseEvents } from "./gap.ts";
import { lower } from "./lower.ts";
import type { Lowering } from "./lowering.ts";
import { type KernelRules, World } from "./model/world.ts";
import { Windows } from "./windows.ts";

export class Replayer implements Lowering {
  readonly world: World;
  readonly forks: Forks = new Forks();
  readonly windows: Windows;
  readonly problems: ProblemLog = new ProblemLog();
  /** Events seen per kind (aliases not counted): what is proven armed. */
  readonly seen: Int32Array = new Int32Array(EVENT_KIND_NAMES.length);
  /** Function names declared armed by the recording or by --assume. */
  readonly declared: Set<number> = new Set();
  /** Whose check the next cpu_sample rows belong to. */
  sampleOwner: Attempt | undefined;
  /** The context task's `firm` as it was before the event being applied. */
  firmBefore = -1;
  /** Loads of CR3 (tlb_flush reason 0) seen so far. */
  crLoads = 0;
  /** Stands for init_mm where no pointer names it. */
  other = -1;

  /** `cpus`: how many CPUs the recording has; all are in unknown state until they show it. */
  constructor(rules: KernelRules, cpus: number) {
    this.world = new World(rules);
    if (cpus > 0) this.world.cpus.ensure(cpus - 1);
    this.windows = new Windows(this);
  }

  onActive(cpu: number, task: number, life: number): void {
    this.windows.onActive(cpu, task, life);
  }

  onReveal(cpu: number, life: number, task: number, active: boolean, since: number, sinceFork: number): void {
    this.windows.onReveal(cpu, life, task, active, since, sinceFork);
  }

  /** Applies a batch of rows in order. */
  feed(batch: EventBatch): void {
    const length = batch.length;
    for (let i = 0; i < length; i++) this.#apply(batch, i);
  }

  /** The trace is over. */
  finish(): void {
    this.windows.cutOff();
  }

  #apply(b: EventBatch, i: number): void {
    const { world, windows } = this;
    const kind = b.kind[i]!;
    const cpu = b.cpu[i]!;
    world.seq++;
    world.ns = b.ns[i]!;
    windows.line = b.line[i]!;
    if (kind === EventKind.lost || kind === EventKind.bufferStarted) {
      if (kind === EventKind.lost) loseEvents(this, cpu);
      return;
    }
    if (kind === EventKind.armed) {
      this.declared.add(b.argComm[i]!);
      return;
    }
    if (kind === EventKind.cpuSample) {
      this.#sample(b, i);
      return;
    }
    this.sampleOwner = undefined;
    world.switchMmSeen = this.seen[EventKind.switchMm]! > 0;
    world.enterLazySeen = this.seen[EventKind.enterLazyTlb]! > 0;
    windows.loadsVisible = world.switchMmSeen || this.crLoads > 0;
    const alias = (b.ctx[i]! & CTX_ALIAS) !== 0;
    if (!alias) this.seen[kind]!++;
    const tid = b.tid[i]!;
    const task = applyContext(this, b, i, kind, cpu, tid);
    if (alias && kind !== EventKind.dupMmap && kind !== EventKind.uprobeDupMmap) return;
    lower(this, b, i, kind, cpu, tid, task);
  }

  #sample(b: EventBatch, i: number): void {
    if (this.sampleOwner === undefined) return;
    this.windows.sample(
      this.sampleOwner,
      b.cpu[i]!,
      b.mm[i]!,
      (b.flags[i]! & SAMPLE_LAZY) !== 0,
      (b.flags[i]! & SAMPLE_SWITCHING) !== 0,
    );
  }
}
