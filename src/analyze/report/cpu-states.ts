// What every CPU does at a place of a trace, by its last events before it. Read forwards, or backwards from the place as far as
// it takes: the drawn windows are few, and a trace can be long.
import {
  type EventBatch,
  type EventBatches,
  NONE,
  NULL_MM,
  type TraceMeta,
} from "../../table/event-batch.ts";
import { EventKind, SAMPLE_LAZY, SWITCH_MM_NO_TASK } from "../../table/event-kinds.ts";

/** What runs on a CPU, and how it has the forker's mm, as its last events say. */
export interface CpuState {
  readonly tid: number;
  readonly comm: string;
  /** The CPU has the forker's mm loaded: the last switch_mm_irqs_off, or a hardware sample; null when neither was seen. */
  readonly loaded: boolean | null;
  /** Its active_mm is the forker's, which holds a reference also where the mm is not loaded any more. */
  readonly active: boolean;
  readonly lazy: boolean;
}

/** A row of an event table. */
export interface Place {
  readonly batch: number;
  readonly row: number;
}

export function isBefore(a: Place, b: Place): boolean {
  return a.batch < b.batch || (a.batch === b.batch && a.row < b.row);
}

/** The first row at `ns` or later; a batch more than there are when there is none. */
export async function placeOf(batches: EventBatches, ns: number): Promise<Place> {
  let low = 0;
  let high = batches.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (batches.startOf(middle) < ns) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return { batch: 0, row: 0 };
  const batch = await batches.at(low - 1);
  const row = batch.ns.subarray(0, batch.length).findIndex((at) => at >= ns);
  return row < 0 ? { batch: low, row: 0 } : { batch: low - 1, row };
}

/** A switch_mm_irqs_off by which a lazy CPU that a shootdown flushes loads init_mm. */
export function isFlush(batch: EventBatch, i: number): boolean {
  return (
    batch.kind[i] === EventKind.switchMm &&
    (batch.flags[i]! & SWITCH_MM_NO_TASK) !== 0 &&
    batch.mm2[i] === NULL_MM
  );
}

/** What of a CPU's state an event tells, as bits. */
const TASK = 1;
const LOADED = 2;
const ACTIVE = 4;
const LAZY = 8;

function told(batch: EventBatch, i: number): number {
  switch (batch.kind[i]) {
    case EventKind.schedSwitch:
      return TASK;
    case EventKind.switchMm:
      return isFlush(batch, i) ? LOADED : LOADED | ACTIVE | LAZY;
    case EventKind.enterLazyTlb:
      return ACTIVE | LAZY;
    case EventKind.cpuSample:
      return LOADED | LAZY;
    default:
      return 0;
  }
}

/** nextState() of window-events.ts by pointer id: which mm a later window asks about is not known yet. */
export class CpuStates {
  readonly #meta: TraceMeta;
  /** By CPU: task, pointer ids of what is loaded and of active_mm, whether it is lazy. */
  readonly #tid: number[] = [];
  readonly #comm: number[] = [];
  readonly #loaded: number[] = [];
  readonly #active: number[] = [];
  readonly #lazy: boolean[] = [];

  constructor(meta: TraceMeta) {
    this.#meta = meta;
  }

  /** Takes in an event. */
  follow(batch: EventBatch, i: number): void {
    const bits = batch.cpu[i]! < 0 ? 0 : told(batch, i);
    if (bits !== 0) this.#set(batch, i, bits);
  }

  /** As following every row from `from` on up to `to`, which is not among them. */
  async catchUp(batches: EventBatches, from: Place, to: Place): Promise<void> {
    const known: number[] = [];
    let left = this.#meta.cpus * this.#tellable();
    for (let index = Math.min(to.batch, batches.count - 1); index >= from.batch && left > 0; index--) {
      const batch = await batches.at(index);
      const end = index === to.batch ? to.row : batch.length;
      const begin = index === from.batch ? from.row : 0;
      for (let i = end - 1; i >= begin && left > 0; i--) left -= this.#tell(batch, i, known);
    }
  }

  /** How many things the trace tells of a CPU at most. */
  #tellable(): number {
    const { kinds } = this.#meta;
    const has = (...some: readonly number[]): number =>
      kinds === undefined || some.some((kind) => (kinds[kind] ?? 0) > 0) ? 1 : 0;
    const { schedSwitch, switchMm, enterLazyTlb, cpuSample } = EventKind;
    const loads = has(switchMm, cpuSample);
    return has(schedSwitch) + loads + has(switchMm, enterLazyTlb) + has(switchMm, enterLazyTlb, cpuSample);
  }

  /** Takes from an event what no later one has told; returns how many things that is. */
  #tell(batch: EventBatch, i: number, known: number[]): number {
    const cpu = batch.cpu[i]!;
    const bits = cpu < 0 ? 0 : told(batch, i) & ~(known[cpu] ?? 0);
    if (bits === 0) return 0;
    this.#set(batch, i, bits);
    known[cpu] = (known[cpu] ?? 0) | bits;
    return (bits & 1) + ((bits >> 1) & 1) + ((bits >> 2) & 1) + ((bits >> 3) & 1);
  }

  #set(batch: EventBatch, i: number, bits: number): void {
    const cpu = batch.cpu[i]!;
    const mm = batch.mm[i]!;
    if (bits & TASK) {
      this.#tid[cpu] = batch.argTid[i]!;
      this.#comm[cpu] = batch.argComm[i]!;
    }
    if (bits & LOADED) this.#loaded[cpu] = mm;
    if (bits & ACTIVE) this.#active[cpu] = mm;
    if (bits & LAZY) this.#lazy[cpu] = isLazy(batch, i);
  }

  /** The CPUs known, by number. `mm`: pointer id of the forker's; `nameOf`: a task name by its id. */
  before(mm: number, nameOf: (id: number) => string): Map<number, CpuState> {
    const out = new Map<number, CpuState>();
    const cpus = Math.max(this.#tid.length, this.#loaded.length, this.#active.length);
    for (let cpu = 0; cpu < cpus; cpu++) {
      const loaded = this.#loaded[cpu];
      out.set(cpu, {
        tid: this.#tid[cpu] ?? NONE,
        comm: this.#tid[cpu] === undefined ? "" : nameOf(this.#comm[cpu] ?? NONE),
        loaded: loaded === undefined ? null : loaded === mm,
        active: this.#active[cpu] === mm,
        lazy: this.#lazy[cpu] ?? false,
      });
    }
    return out;
  }
}

function isLazy(batch: EventBatch, i: number): boolean {
  const kind = batch.kind[i];
  return (
    kind === EventKind.enterLazyTlb || (kind === EventKind.cpuSample && (batch.flags[i]! & SAMPLE_LAZY) !== 0)
  );
}
