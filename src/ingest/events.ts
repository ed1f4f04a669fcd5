// From an event's name to its row. A name is looked up by its bytes once and remembered by id, so an event replay
// has no use for costs one hash. Fed by the format readers with a filled EventHead; writes to the sink.
import { ByteInterner } from "../base/interner.ts";
import { EventKind } from "../table/event-kinds.ts";
import {
  type BodyReader,
  readEnterClone,
  readExitClone,
  readMarker,
  readMigrateTask,
  readMmapLockAcquired,
  readMmapLockReleased,
  readMmapLockStart,
  readProcessExec,
  readProcessExit,
  readProcessFork,
  readProcessFree,
  readTaskNewtask,
  readTlbFlush,
} from "./bodies.ts";
import { EventNames, MAX_NAMES, UNNAMED } from "./event-names.ts";
import { EventShapes } from "./event-shapes.ts";
import { ascii, LPAREN, SPACE, skipSpaces, startsWith } from "./numbers.ts";
import { ProbeArgs } from "./probe-args.ts";
import { probeArgsStart, type ReturnOrder } from "./probe-place.ts";
import { addProbeRow, addSampleRows, callerFlags } from "./probe-rows.ts";
import { type Probe, ProbeRegistry } from "./probes.ts";
import { BAD_BODY, PROBE_UNRECOGNISED } from "./problems.ts";
import { addSchedSwitch } from "./sched-switch.ts";
import type { Sink } from "./sink.ts";

const UNSEEN = 0;
const SKIPPED = 1;
const SWITCH = 2;
const FIRST_BODY = 3;
const FIRST_PROBE = 64;

const BODY_READERS: readonly BodyReader[] = [
  readTaskNewtask,
  readProcessFork,
  readProcessExec,
  readProcessExit,
  readProcessFree,
  readMigrateTask,
  readTlbFlush,
  readMmapLockStart,
  readMmapLockAcquired,
  readMmapLockReleased,
  readEnterClone,
  readExitClone,
  readMarker,
];

/** Those the kernel has a twin of, and what rows they make. */
const KERNEL_TASKS: ReadonlyMap<BodyReader | undefined, EventKind> = new Map([
  [readTaskNewtask, EventKind.taskNewtask],
  [readProcessFork, EventKind.schedProcessFork],
  [readProcessExec, EventKind.schedProcessExec],
  [readProcessExit, EventKind.schedProcessExit],
  [readProcessFree, EventKind.schedProcessFree],
  [readMigrateTask, EventKind.schedMigrateTask],
]);

function body(reader: BodyReader): number {
  return FIRST_BODY + BODY_READERS.indexOf(reader);
}

/** What to do with a name, perf's "group:" left off. */
const STOCK_EVENTS: ReadonlyMap<string, number> = new Map([
  ["sched_switch", SWITCH],
  ["task_newtask", body(readTaskNewtask)],
  ["sched_process_fork", body(readProcessFork)],
  ["sched_process_exec", body(readProcessExec)],
  ["sched_process_exit", body(readProcessExit)],
  ["sched_process_free", body(readProcessFree)],
  ["sched_migrate_task", body(readMigrateTask)],
  ["tlb_flush", body(readTlbFlush)],
  ["mmap_lock_start_locking", body(readMmapLockStart)],
  ["mmap_lock_acquire_returned", body(readMmapLockAcquired)],
  ["mmap_lock_released", body(readMmapLockReleased)],
  ["sys_enter_clone", body(readEnterClone)],
  ["sys_enter_clone3", body(readEnterClone)],
  ["sys_enter_fork", body(readEnterClone)],
  ["sys_enter_vfork", body(readEnterClone)],
  ["sys_exit_clone", body(readExitClone)],
  ["sys_exit_clone3", body(readExitClone)],
  ["sys_exit_fork", body(readExitClone)],
  ["sys_exit_vfork", body(readExitClone)],
  ["tracing_mark_write", body(readMarker)],
  ["print", body(readMarker)],
]);

/** Forms ftrace prints without "name: ", by what stands before the parenthesis or the blank. */
const CLONE_CALLS: ReadonlySet<string> = new Set(["sys_clone", "sys_clone3", "sys_fork", "sys_vfork"]);
const CALL_EXIT = ascii("-> ");
const FUNCTION_CALL = ascii("<-");

/** Kinds whose rows are made of more than the arguments: see addProbeRow() and callerFlags(). */
const SHOWS_CALLER: ReadonlySet<EventKind> = new Set([
  EventKind.getTaskMmRet,
  EventKind.mmAccessRet,
  EventKind.procMemOpenRet,
]);

/** Names kept apart in TraceMeta.skipped; the rest are counted together. */
const MAX_SKIPPED_NAMES = 512;
const OTHER = "(other)";

/** A beginning of events, the counter it has, and its name; see EventShapes. */
interface KnownShape {
  readonly id: number;
  readonly printed: Uint8Array;
  readonly nameId: number;
}

/** What is done with a name's events: `action`, or what the probe says. */
interface KnownName {
  readonly id: number;
  readonly action: number;
  readonly probe: Readonly<Probe> | null;
}

/** What the events of a trace's beginning have settled for all later ones. Can be sent to another thread. */
export interface EventsState {
  readonly shapes: readonly KnownShape[];
  readonly names: readonly KnownName[];
  readonly primary: Int32Array;
}

/** How the kernel makes rows of a name's lines: not at all, as sched_switch, as a task's of `kind`, or as a probe's of `kind`. */
export interface KernelAction {
  readonly rows: "none" | "switch" | "task" | "probe";
  readonly kind: number;
  readonly isAlias: boolean;
}

/** Counts of a part: [shape, lines skipped], and by name. */
export interface EventsTally {
  readonly shapes: readonly (readonly [number, number])[];
  readonly names: readonly { readonly id: number; readonly skipped: number; readonly probed: number }[];
}

/** Turns event heads and bodies into rows. One per trace. */
export class EventDecoder {
  readonly probes: ProbeRegistry;
  /** Beginnings of events met so far, for the scanners. */
  readonly shapes: EventShapes = new EventShapes();
  readonly #sink: Sink;
  readonly #args: ProbeArgs;
  readonly #names = new EventNames();
  readonly #calls = new ByteInterner();
  readonly #callActions: Uint16Array = new Uint16Array(MAX_NAMES);
  readonly #actions: Uint16Array = new Uint16Array(MAX_NAMES);
  readonly #skipped: Float64Array = new Float64Array(MAX_NAMES);
  readonly #callsSkipped: Float64Array = new Float64Array(MAX_NAMES);
  readonly #probeList: Probe[] = [];
  /** Event-name id that came first for a row kind, -1 while there is none. */
  readonly #primary: Int32Array = new Int32Array(256).fill(-1);
  #state: EventsState | undefined;
  #skippedOther = 0;
  #functionLines = 0;

  constructor(
    sink: Sink,
    order: ReturnOrder,
    probes: ReadonlyMap<string, string>,
    state: EventsState | undefined,
  ) {
    this.#sink = sink;
    this.#args = new ProbeArgs(sink.pointers);
    this.probes = new ProbeRegistry(order, probes);
    if (state !== undefined) this.#begin(state);
  }

  /** What further lines of events met so far are decoded with. */
  state(): EventsState {
    const { shapes } = this;
    const known: KnownShape[] = [];
    const names = new Map<number, KnownName>();
    for (let id = 0; id < shapes.size; id++) {
      const nameId = shapes.nameIds[id]!;
      const name = nameId < 0 ? undefined : this.#knownName(nameId);
      if (name === null) continue;
      if (name !== undefined) names.set(nameId, name);
      known.push({ id, printed: shapes.printed(id), nameId });
    }
    return { shapes: known, names: [...names.values()], primary: this.#primary.slice() };
  }

  /** Null while a line of that name can change how the next one is decoded. */
  #knownName(id: number): KnownName | null {
    const action = this.#actions[id]!;
    if (action < FIRST_PROBE) return { id, action, probe: null };
    const probe = this.#probeList[action - FIRST_PROBE]!;
    const isSettled = probe.func !== "" && (probe.kind === null || this.#primary[probe.kind] !== -1);
    return isSettled ? { id, action: 0, probe: { ...probe, count: 0 } } : null;
  }

  #begin(state: EventsState): void {
    for (const { printed, nameId } of state.shapes) this.shapes.teach(printed, nameId);
    for (const { id, action, probe } of state.names) {
      this.#actions[id] = probe === null ? action : FIRST_PROBE + this.#probeList.push({ ...probe }) - 1;
    }
    this.#primary.set(state.primary);
    this.#state = state;
  }

  /** What was counted since `state` was left: by its shapes and names. */
  tally(): EventsTally {
    const { shapes, names } = this.#state ?? { shapes: [], names: [] };
    return {
      shapes: shapes.map(({ id }, i) => [id, this.shapes.skipped[i]!]),
      names: names.map(({ id, probe }) => ({
        id,
        skipped: this.#skipped[id]!,
        probed: probe === null ? 0 : this.#probeList[this.#actions[id]! - FIRST_PROBE]!.count,
      })),
    };
  }

  /** Adds what was counted apart. */
  absorb(tally: EventsTally): void {
    for (const [id, skipped] of tally.shapes) this.shapes.skipped[id]! += skipped;
    for (const { id, skipped, probed } of tally.names) {
      this.#skipped[id]! += skipped;
      if (probed > 0) this.#probeList[this.#actions[id]! - FIRST_PROBE]!.count += probed;
    }
  }

  /** Decodes the event whose head has been read: the name begins at head.body. */
  decode(): void {
    const { bytes, body, end } = this.#sink.head;
    const names = this.#names;
    const id = names.read(bytes, body, end);
    if (id >= 0) {
      this.decodeNamed(id, names.body);
      if (bytes[names.end + 1] === SPACE && this.shapes.find(bytes, body) < 0) {
        const isSkipped = this.#actions[id] === SKIPPED;
        this.shapes.learn(bytes, body, names.end + 2, isSkipped ? -1 : id, names.text(id));
      }
    } else if (id === UNNAMED) this.#unnamed(bytes, body, names.end, end);
    else this.#skippedOther++;
  }

  /** As decode, for the event name `id` (shapes.nameIds) whose body begins at `at`. */
  decodeNamed(id: number, at: number): void {
    const { bytes, end } = this.#sink.head;
    this.#named(id, bytes, at, end);
  }

  /** For an event name: what happens to further lines of it, as far as that is settled. */
  kernelAction(id: number): KernelAction {
    const action = this.#actions[id]!;
    const kind = action < FIRST_PROBE ? null : this.#probeList[action - FIRST_PROBE]!.kind;
    if (action === SWITCH) return { rows: "switch", kind: EventKind.schedSwitch, isAlias: false };
    const task = KERNEL_TASKS.get(BODY_READERS[action - FIRST_BODY]);
    if (task !== undefined) return { rows: "task", kind: task, isAlias: false };
    const isLeft = kind === null || SHOWS_CALLER.has(kind) || this.#primary[kind] === -1;
    return isLeft
      ? { rows: "none", kind: 0, isAlias: false }
      : { rows: "probe", kind, isAlias: this.#primary[kind] !== id };
  }

  /** Counts `lines` lines of a probe that the kernel made rows of. */
  countProbed(id: number, lines: number): void {
    const action = this.#actions[id]!;
    if (action >= FIRST_PROBE) this.#probeList[action - FIRST_PROBE]!.count += lines;
  }

  /** Events per name that replay has no use for. */
  skipped(): Record<string, number> {
    const counts = new Map<string, number>();
    this.#collect(counts, this.#names, this.#skipped);
    this.#collect(counts, this.#calls, this.#callsSkipped);
    const { texts, skipped } = this.shapes;
    for (const [id, name] of texts.entries()) {
      if (skipped[id]! > 0) counts.set(name, (counts.get(name) ?? 0) + skipped[id]!);
    }
    if (this.#functionLines > 0) counts.set("function", (counts.get("function") ?? 0) + this.#functionLines);
    const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const kept = sorted.slice(0, MAX_SKIPPED_NAMES);
    let other = this.#skippedOther;
    for (const [, n] of sorted.slice(MAX_SKIPPED_NAMES)) other += n;
    if (other > 0) kept.push([OTHER, other]);
    return Object.fromEntries(kept);
  }

  #collect(counts: Map<string, number>, names: ByteInterner | EventNames, skipped: Float64Array): void {
    for (let id = 0; id < Math.min(names.size, MAX_NAMES); id++) {
      if (skipped[id]! === 0) continue;
      const name = names.text(id);
      counts.set(name, (counts.get(name) ?? 0) + skipped[id]!);
    }
  }

  #named(id: number, bytes: Uint8Array, at: number, end: number): void {
    let action = this.#actions[id]!;
    if (action === UNSEEN) {
      action = this.#resolve(id, bytes, at, end);
      this.#actions[id] = action;
    }
    if (action === SKIPPED) this.#skipped[id]!++;
    else if (action >= FIRST_PROBE) this.#probe(id, this.#probeList[action - FIRST_PROBE]!, bytes, at, end);
    else if (!this.#stock(action, bytes, at, end)) this.#sink.problemAt(BAD_BODY, this.#names.text(id));
  }

  #stock(action: number, bytes: Uint8Array, at: number, end: number): boolean {
    if (action === SWITCH) return addSchedSwitch(this.#sink, bytes, at, end, false);
    return BODY_READERS[action - FIRST_BODY]!(this.#sink, bytes, at, end);
  }

  #resolve(id: number, bytes: Uint8Array, at: number, end: number): number {
    const event = this.#names.text(id);
    const stock = STOCK_EVENTS.get(event.slice(event.indexOf(":") + 1));
    if (stock !== undefined) return stock;
    const args = probeArgsStart(bytes, at, end);
    const probe = args < 0 ? null : this.probes.add(event, bytes, at, args, end);
    if (probe === null) return SKIPPED;
    this.#probeList.push(probe);
    return FIRST_PROBE + this.#probeList.length - 1;
  }

  #probe(id: number, probe: Probe, bytes: Uint8Array, at: number, end: number): void {
    probe.count++;
    const argsStart = probeArgsStart(bytes, at, end);
    if (argsStart < 0) {
      this.#sink.problemAt(BAD_BODY, probe.event);
      return;
    }
    if (probe.func === "") this.probes.judge(probe, bytes, at, argsStart, end);
    const kind = probe.kind;
    if (kind === null) {
      if (probe.func === "") this.#sink.problemAt(PROBE_UNRECOGNISED, probe.event);
      else this.#skipped[id]!++;
      return;
    }
    const args = this.#args;
    args.read(bytes, argsStart, end, id);
    if (this.#primary[kind] === -1) this.#primary[kind] = id;
    const isAlias = this.#primary[kind] !== id;
    const row = addProbeRow(this.#sink, kind, args, isAlias);
    if (kind === EventKind.mmAccessRet || kind === EventKind.getTaskMmRet)
      this.#sink.out.flags[row] = callerFlags(bytes, at + 1, argsStart - 1);
    if (args.sampled > 0) addSampleRows(this.#sink, args, isAlias);
  }

  /** "sys_clone(clone_flags: 1200011, …)", "sys_clone -> 0x3a8", "dup_mmap <-copy_process", or nothing known. */
  #unnamed(bytes: Uint8Array, nameStart: number, nameEnd: number, end: number): void {
    const rest = skipSpaces(bytes, nameEnd, end);
    if (startsWith(bytes, rest, end, FUNCTION_CALL)) {
      this.#functionLines++;
      return;
    }
    const id = idOf(this.#calls, bytes, nameStart, nameEnd);
    if (id < 0) {
      this.#skippedOther++;
      return;
    }
    if (this.#callActions[id] === UNSEEN) {
      this.#callActions[id] = CLONE_CALLS.has(this.#calls.text(id)) ? FIRST_BODY : SKIPPED;
    }
    if (this.#callActions[id] === SKIPPED) {
      this.#callsSkipped[id]!++;
      this.#learnCall(id, bytes, nameStart, nameEnd, end);
      return;
    }
    const ok = startsWith(bytes, rest, end, CALL_EXIT)
      ? readExitClone(this.#sink, bytes, rest + CALL_EXIT.length, end)
      : bytes[rest] === LPAREN && readEnterClone(this.#sink, bytes, rest, end);
    if (!ok) this.#sink.problemAt(BAD_BODY, this.#calls.text(id));
  }

  /** "sys_read(" or "sys_read -> ". */
  #learnCall(id: number, bytes: Uint8Array, nameStart: number, nameEnd: number, end: number): void {
    if (nameEnd === nameStart || this.shapes.find(bytes, nameStart) >= 0) return;
    const isEntry = bytes[nameEnd] === LPAREN;
    if (!isEntry && !startsWith(bytes, nameEnd + 1, end, CALL_EXIT)) return;
    const stop = isEntry ? nameEnd + 1 : nameEnd + 1 + CALL_EXIT.length;
    this.shapes.learn(bytes, nameStart, stop, -1, this.#calls.text(id));
  }
}

/** Id of a name, -1 for a new one once MAX_NAMES are known (names are the input's: memory must not follow them). */
function idOf(names: ByteInterner, bytes: Uint8Array, start: number, end: number): number {
  if (names.size < MAX_NAMES) return names.intern(bytes, start, end);
  return names.find(bytes, start, end);
}
