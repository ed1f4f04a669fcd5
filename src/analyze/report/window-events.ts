// The events of the windows the report draws, and where events were lost: one pass over each trace's events. What a
// CPU had loaded when a window begins is what its last switch event, or hardware sample, named; nothing is derived.
import { type EventBatch, type EventTable, NONE, NULL_MM, type TraceMeta } from "../../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SAMPLE_LAZY, SWITCH_MM_NO_TASK } from "../../table/event-kinds.ts";
import type { ForkRow } from "../../table/verdict-tables.ts";
import type { Gap } from "../charts/over-time.ts";
import { eventLine } from "../event-line.ts";
import { printable } from "../plain-text.ts";

/** Events kept of one window; the rest are counted. */
const MOST_EVENTS = 600;
/** Shown before and after a window, as a share of its length. */
const MARGIN = 0.12;

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

/** The events that change a CPU's state, and how; see semantics of each in event-kinds.ts. */
export function nextState(state: CpuState, event: StateEvent): CpuState {
  switch (event.kind) {
    case EventKind.schedSwitch:
      return { ...state, tid: event.argTid, comm: event.argComm };
    case EventKind.switchMm:
      // A lazy CPU that a shootdown flushes loads init_mm (prev and tsk are NULL); its reference stays.
      if (event.isFlush) return { ...state, loaded: event.isMm };
      return { ...state, loaded: event.isMm, active: event.isMm, lazy: false };
    case EventKind.enterLazyTlb:
      return { ...state, active: event.isMm, lazy: true, loaded: event.isMm ? state.loaded : false };
    case EventKind.cpuSample:
      return { ...state, loaded: event.isMm, lazy: (event.flags & SAMPLE_LAZY) !== 0 };
    default:
      return state;
  }
}

/** What nextState reads of an event. */
export interface StateEvent {
  readonly kind: number;
  readonly argTid: number;
  readonly argComm: string;
  readonly isMm: boolean;
  readonly isFlush: boolean;
  readonly flags: number;
}

export interface WindowEvent extends StateEvent {
  /** Since the trace's epoch. */
  readonly ns: number;
  readonly cpu: number;
  readonly tid: number;
  readonly comm: string;
  /** Names the forker's mm as its first pointer (isMm), or as any. */
  readonly namesMm: boolean;
  readonly line: number;
  /** In ftrace's layout. */
  readonly text: string;
}

export interface WindowRecord {
  readonly row: number;
  /** What is shown: ns since the trace's epoch. */
  readonly from: number;
  readonly to: number;
  /** CPUs known when the record begins, by number. */
  readonly before: ReadonlyMap<number, CpuState>;
  readonly events: WindowEvent[];
  left: number;
}

export interface Recorded {
  readonly windows: ReadonlyMap<number, WindowRecord>;
  readonly gaps: readonly Gap[];
}

interface Wanted {
  readonly row: number;
  readonly mm: number;
  readonly from: number;
  readonly to: number;
}

/** Reads the events of the given forks, by their row. `traces` by trace index. */
export async function readWindows(
  forks: ReadonlyMap<number, ForkRow>,
  traces: readonly EventTable[],
): Promise<Recorded> {
  const windows = new Map<number, WindowRecord>();
  const gaps: Gap[] = [];
  for (const [index, events] of traces.entries()) {
    const { meta } = events;
    const mine = [...forks].filter(([, { trace }]) => (trace ?? 0) === index);
    const reader = new WindowReader(meta, wantedOf(mine, meta));
    await events.forEachBatch((batch) => {
      reader.visit(batch);
      collectGaps(batch, meta, index, gaps);
    });
    for (const record of reader.finish()) windows.set(record.row, record);
  }
  return { windows, gaps };
}

function collectGaps(batch: EventBatch, meta: TraceMeta, trace: number, gaps: Gap[]): void {
  for (let i = 0; i < batch.length; i++) {
    if (batch.kind[i] !== EventKind.lost) continue;
    gaps.push({ trace, ns: meta.epochNs + BigInt(batch.ns[i]!), events: batch.flags[i]! });
  }
}

function wantedOf(forks: readonly (readonly [number, ForkRow])[], meta: TraceMeta): Wanted[] {
  const wanted = forks.map(([row, { start_ns, end_ns, mm }]) => {
    const start = Number((start_ns ?? 0n) - meta.epochNs);
    const end = end_ns === null ? start : Number(end_ns - meta.epochNs);
    const margin = Math.max(1, (end - start) * MARGIN);
    return {
      row,
      mm: pointerId(meta, mm),
      from: start - margin,
      to: end + margin,
    };
  });
  return wanted.sort((a, b) => a.from - b.from || a.row - b.row);
}

/** Id of a pointer's label; one that no event has, where the trace names none. */
function pointerId({ pointers }: TraceMeta, label: string | null): number {
  const id = label === null ? -1 : pointers.lastIndexOf(label);
  return id < 0 ? NONE - 1 : id;
}

/** Follows the switches of every CPU and fills the windows that are open. */
class WindowReader {
  readonly #meta: TraceMeta;
  readonly #wanted: readonly Wanted[];
  #next = 0;
  #open: { readonly wanted: Wanted; readonly record: WindowRecord }[] = [];
  readonly #done: WindowRecord[] = [];
  /** By CPU: task, pointer ids of what is loaded and of active_mm, whether it is lazy. */
  readonly #tid: number[] = [];
  readonly #comm: number[] = [];
  readonly #loaded: number[] = [];
  readonly #active: number[] = [];
  readonly #lazy: boolean[] = [];

  constructor(meta: TraceMeta, wanted: readonly Wanted[]) {
    this.#meta = meta;
    this.#wanted = wanted;
  }

  visit(batch: EventBatch): void {
    if (this.#next >= this.#wanted.length && this.#open.length === 0) return;
    for (let i = 0; i < batch.length; i++) {
      const ns = batch.ns[i]!;
      while (this.#next < this.#wanted.length && this.#wanted[this.#next]!.from <= ns) this.#begin();
      if (this.#open.length > 0) this.#keep(batch, i, ns);
      this.#follow(batch, i);
    }
  }

  finish(): WindowRecord[] {
    while (this.#next < this.#wanted.length) this.#begin();
    for (const { record } of this.#open) this.#done.push(record);
    this.#open = [];
    return this.#done;
  }

  #begin(): void {
    const wanted = this.#wanted[this.#next++]!;
    const before = new Map<number, CpuState>();
    const cpus = Math.max(this.#tid.length, this.#loaded.length, this.#active.length);
    for (let cpu = 0; cpu < cpus; cpu++) {
      const loaded = this.#loaded[cpu];
      before.set(cpu, {
        tid: this.#tid[cpu] ?? NONE,
        comm: this.#tid[cpu] === undefined ? "" : this.#name(this.#comm[cpu] ?? NONE),
        loaded: loaded === undefined ? null : loaded === wanted.mm,
        active: this.#active[cpu] === wanted.mm,
        lazy: this.#lazy[cpu] ?? false,
      });
    }
    const { row, from, to } = wanted;
    this.#open.push({ wanted, record: { row, from, to, before, events: [], left: 0 } });
  }

  #keep(batch: EventBatch, i: number, ns: number): void {
    this.#open = this.#open.filter(({ wanted, record }) => {
      if (wanted.to >= ns) return true;
      this.#done.push(record);
      return false;
    });
    const kind = batch.kind[i]!;
    if (kind === EventKind.armed) return;
    for (const { wanted, record } of this.#open) {
      const namesMm = batch.mm[i] === wanted.mm || batch.mm2[i] === wanted.mm;
      if (!namesMm && !CHANGES_STATE.has(kind)) continue;
      if (record.events.length >= MOST_EVENTS) record.left++;
      else record.events.push(this.#eventOf(batch, i, wanted.mm, namesMm));
    }
  }

  #eventOf(batch: EventBatch, i: number, mm: number, namesMm: boolean): WindowEvent {
    return {
      ns: batch.ns[i]!,
      kind: batch.kind[i]!,
      cpu: batch.cpu[i]!,
      tid: batch.tid[i]!,
      comm: this.#name(batch.comm[i]!),
      argTid: batch.argTid[i]!,
      argComm: this.#name(batch.argComm[i]!),
      isMm: batch.mm[i] === mm,
      isFlush: isFlush(batch, i),
      namesMm,
      flags: batch.flags[i]!,
      line: batch.line[i]!,
      text: eventLine(batch, i, this.#meta),
    };
  }

  /** nextState() by pointer id: which mm a later window asks about is not known yet. */
  #follow(batch: EventBatch, i: number): void {
    const cpu = batch.cpu[i]!;
    if (cpu < 0) return;
    const mm = batch.mm[i]!;
    switch (batch.kind[i]) {
      case EventKind.schedSwitch:
        this.#tid[cpu] = batch.argTid[i]!;
        this.#comm[cpu] = batch.argComm[i]!;
        return;
      case EventKind.switchMm:
        this.#loaded[cpu] = mm;
        if (isFlush(batch, i)) return;
        this.#active[cpu] = mm;
        this.#lazy[cpu] = false;
        return;
      case EventKind.enterLazyTlb:
        this.#active[cpu] = mm;
        this.#lazy[cpu] = true;
        return;
      case EventKind.cpuSample:
        this.#loaded[cpu] = mm;
        this.#lazy[cpu] = (batch.flags[i]! & SAMPLE_LAZY) !== 0;
        return;
    }
  }

  #name(id: number): string {
    return id === NONE ? "<...>" : printable(this.#meta.comms[id] ?? "<...>");
  }
}

const CHANGES_STATE: ReadonlySet<number> = new Set([
  EventKind.schedSwitch,
  EventKind.switchMm,
  EventKind.enterLazyTlb,
  EventKind.cpuSample,
  EventKind.lost,
]);

function isFlush(batch: EventBatch, i: number): boolean {
  return (
    batch.kind[i] === EventKind.switchMm &&
    (batch.flags[i]! & SWITCH_MM_NO_TASK) !== 0 &&
    batch.mm2[i] === NULL_MM
  );
}

/** The kernel's name of an event. */
export function kindName({ kind }: WindowEvent): string {
  return EVENT_KIND_NAMES[kind] ?? "?";
}
