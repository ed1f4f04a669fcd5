// The events of the windows the report draws, and where events were lost: one pass over each trace's events. What a
// CPU had loaded when a window begins is what its last switch event, or hardware sample, named; nothing is derived.
import {
  type EventBatch,
  type EventBatches,
  type EventTable,
  NONE,
  type TraceMeta,
} from "../../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SAMPLE_LAZY } from "../../table/event-kinds.ts";
import type { ForkRow } from "../../table/verdict-tables.ts";
import type { Gap } from "../charts/over-time.ts";
import { eventLine } from "../event-line.ts";
import { printable } from "../plain-text.ts";
import { type CpuState, CpuStates, isBefore, isFlush, type Place, placeOf } from "./cpu-states.ts";

/** Events kept of one window; the rest are counted. */
const MOST_EVENTS = 600;
/** Shown before and after a window, as a share of its length. */
const MARGIN = 0.12;

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
    const { meta, batches } = events;
    const mine = [...forks].filter(([, { trace }]) => (trace ?? 0) === index);
    const reader = new WindowReader(meta, wantedOf(mine, meta));
    const hasGaps = meta.kinds?.[EventKind.lost] !== 0;
    if (hasGaps || batches === undefined) {
      await events.forEachBatch((batch) => {
        reader.visit(batch);
        collectGaps(batch, meta, index, gaps);
      });
    } else await reader.visitNear(batches);
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
  readonly #cpus: CpuStates;

  constructor(meta: TraceMeta, wanted: readonly Wanted[]) {
    this.#meta = meta;
    this.#wanted = wanted;
    this.#cpus = new CpuStates(meta);
  }

  /** Takes the next batch of all of them. */
  visit(batch: EventBatch): void {
    if (this.#next >= this.#wanted.length && this.#open.length === 0) return;
    for (let i = 0; i < batch.length; i++) {
      this.#row(batch, i);
      this.#cpus.follow(batch, i);
    }
  }

  /** Reads the batches in which windows are, and back from each window as far as it takes to know what every CPU does. */
  async visitNear(batches: EventBatches): Promise<void> {
    let at: Place = { batch: 0, row: 0 };
    while (this.#next < this.#wanted.length) {
      const begin = await placeOf(batches, this.#wanted[this.#next]!.from);
      const place = isBefore(at, begin) ? begin : at;
      await this.#cpus.catchUp(batches, at, place);
      if (place.batch >= batches.count) return;
      at = await this.#visitWindows(batches, place);
    }
  }

  /** Reads on from `place` while windows are open; returns where they no longer are. */
  async #visitWindows(batches: EventBatches, place: Place): Promise<Place> {
    for (let index = place.batch; index < batches.count; index++) {
      const batch = await batches.at(index);
      for (let row = index === place.batch ? place.row : 0; row < batch.length; row++) {
        this.#row(batch, row);
        if (this.#open.length === 0) return { batch: index, row };
        this.#cpus.follow(batch, row);
      }
    }
    return { batch: batches.count, row: 0 };
  }

  /** Begins the windows that begin by the row, and keeps it in those that are open. */
  #row(batch: EventBatch, i: number): void {
    const ns = batch.ns[i]!;
    while (this.#next < this.#wanted.length && this.#wanted[this.#next]!.from <= ns) this.#begin();
    if (this.#open.length > 0) this.#keep(batch, i, ns);
  }

  finish(): WindowRecord[] {
    while (this.#next < this.#wanted.length) this.#begin();
    for (const { record } of this.#open) this.#done.push(record);
    this.#open = [];
    return this.#done;
  }

  #begin(): void {
    const wanted = this.#wanted[this.#next++]!;
    const before = this.#cpus.before(wanted.mm, (id) => this.#name(id));
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

/** The kernel's name of an event. */
export function kindName({ kind }: WindowEvent): string {
  return EVENT_KIND_NAMES[kind] ?? "?";
}
