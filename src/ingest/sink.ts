// Where parsed events become rows: interning, the epoch, gaps waiting for the next time stamp, and counters. One
// per trace; the decoder and the format readers write to it, index.ts turns it into TraceMeta.
import { ByteInterner } from "../base/interner.ts";
import { type ProblemKind, ProblemLog } from "../base/problem.ts";
import { type EventBatch, NO_MM, NO_VALUE, NONE } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../table/event-kinds.ts";
import { EventHead } from "./event-head.ts";
import { MAX_CPU, MAX_PID, MAX_SECONDS, MAX_SPAN } from "./limits.ts";
import { PartRows, Reorder, type RowStore } from "./merge.ts";
import { ascii, COLON, DASH, decodeSample, digitsEnd, startsWith } from "./numbers.ts";
import { PointerTable } from "./pointers.ts";
import { FTRACE_BAD_TIME, OUT_OF_ORDER, OUT_OF_RANGE } from "./problems.ts";

const BILLION = 1_000_000_000n;
const UNKNOWN_COMM = ascii("<...>");

/** Whole seconds from the epoch that are below MAX_SPAN by more than one. */
const SAFE_SECONDS = 9_000_000;

/** PendingGap.events of "CPU n buffer started". */
const BUFFER_STARTED = -2;
const MAX_WAITING_GAPS = 4096;
/** What a row's flags hold. */
const MAX_LOST = 0x7fffffff;

interface PendingGap {
  readonly cpu: number;
  readonly events: number;
  readonly line: number;
}

/** What was read apart; ids are the part's own, times count from the whole trace's epoch. Can be sent to another thread. */
export interface SinkTally {
  readonly rows: EventBatch;
  readonly kinds: readonly number[];
  readonly events: number;
  readonly firstNs: number;
  readonly lastNs: number;
  /** Time of the event read last. */
  readonly endNs: number;
  readonly maxCpu: number;
  readonly comms: { readonly heap: Uint8Array; readonly starts: Int32Array };
  readonly pointers: { readonly hi: Int32Array; readonly lo: Int32Array };
}

/** Rows, interned names and counters of one trace. */
export class Sink {
  /** Rows added per EventKind. */
  readonly kinds: number[] = EVENT_KIND_NAMES.map(() => 0);
  readonly problems: ProblemLog = new ProblemLog();
  readonly comms: ByteInterner = new ByteInterner();
  readonly pointers: PointerTable = new PointerTable();
  readonly head: EventHead = new EventHead();
  /** Event lines, used or skipped. */
  events = 0;
  /** -1 once a gap of unknown size was seen. */
  lostEvents = 0;
  clock = "unknown";
  kernel = "";
  readonly #rows: RowStore;
  readonly #unknownComm: number;
  readonly #seenProblems = new Set<string>();
  #gaps: PendingGap[] = [];
  #epochHi = -1;
  #epochLo = 0;
  #ticks = false;
  #ns = 0;
  #firstNs = Number.POSITIVE_INFINITY;
  #lastNs = Number.NEGATIVE_INFINITY;
  #maxCpu = -1;
  #commLine = -1;
  #commStart = -1;
  #commId = 0;
  #declaredCpus = 0;
  /** Rows that came too late to be put in their place; a file glued from two has one a line. */
  #late = 0;

  constructor(batchRows: number, onBatch: (batch: EventBatch) => void, rows?: RowStore) {
    this.#rows = rows ?? new Reorder(batchRows, onBatch);
    this.#unknownComm = this.comms.internText("<...>");
  }

  /** A sink of a part: rows stay as they come, times are from the whole trace's epoch. */
  static ofPart(epochSeconds: number): Sink {
    const sink = new Sink(0, () => {}, new PartRows());
    sink.#epochHi = epochSeconds;
    return sink;
  }

  /** Whole seconds of the epoch of a trace whose events can be skimmed over; -1 while they cannot. */
  get epochSeconds(): number {
    return this.canSkim() ? this.#epochHi : -1;
  }

  get rows(): number {
    return this.#rows.rows;
  }

  /** The batch being filled; ask again after every add(). */
  get out(): EventBatch {
    return this.#rows.out;
  }

  get ticks(): boolean {
    return this.#ticks;
  }

  /** Absolute ns (ticks) of the epoch; 0 before the first event. */
  get epochNs(): bigint {
    return this.#epochHi < 0 ? 0n : BigInt(this.#epochHi) * BILLION + BigInt(this.#epochLo);
  }

  /** Of the event taken in last, from the epoch. */
  get ns(): number {
    return this.#ns;
  }

  get spanNs(): number {
    return this.#lastNs >= this.#firstNs ? this.#lastNs - this.#firstNs : 0;
  }

  get cpus(): number {
    return Math.max(this.#declaredCpus, this.#maxCpu + 1);
  }

  /** Takes in the number of CPUs a header names; one no kernel has says nothing. */
  declareCpus(cpus: number): void {
    if (cpus <= MAX_CPU + 1 && cpus > this.#declaredCpus) this.#declaredCpus = cpus;
  }

  /**
   * Takes over the head's time stamp and puts waiting gaps in front of the event. False, and a problem, when the
   * stamp has another unit than the file's first one or the head holds a number no kernel prints.
   */
  begin(): boolean {
    const head = this.head;
    if (!isPlausible(head)) {
      this.problemAt(OUT_OF_RANGE);
      return false;
    }
    if (this.#epochHi < 0) this.#setEpoch();
    if (head.ticks !== this.#ticks) {
      this.problemAt(FTRACE_BAD_TIME);
      return false;
    }
    const ns = (head.hi - this.#epochHi) * 1e9 + (head.lo - this.#epochLo);
    if (ns > MAX_SPAN || ns < -MAX_SPAN) {
      this.problemAt(OUT_OF_RANGE);
      return false;
    }
    this.#ns = ns;
    if (ns > this.#lastNs) this.#lastNs = ns;
    if (ns < this.#firstNs) this.#firstNs = ns;
    if (head.cpu > this.#maxCpu) this.#maxCpu = head.cpu;
    this.events++;
    if (this.#gaps.length > 0) this.#emitGaps();
    return true;
  }

  /** Whether events can be skimmed over: the epoch is set, stamps are seconds, and no gap waits for the next event. */
  canSkim(): boolean {
    return this.#epochHi >= 0 && !this.#ticks && this.#gaps.length === 0;
  }

  /** Whether the head's seconds are near enough to the epoch for any part of a second to be so. */
  takesTime({ hi }: EventHead): boolean {
    const seconds = hi - this.#epochHi;
    return seconds < SAFE_SECONDS && seconds > -SAFE_SECONDS;
  }

  /** Takes in an event that makes no row: as begin(), for a plausible head whose time takesTime() and while canSkim(). */
  skim({ hi, lo, cpu }: EventHead): void {
    const ns = (hi - this.#epochHi) * 1e9 + lo;
    this.#ns = ns;
    if (ns > this.#lastNs) this.#lastNs = ns;
    if (ns < this.#firstNs) this.#firstNs = ns;
    if (cpu > this.#maxCpu) this.#maxCpu = cpu;
    this.events++;
  }

  /** As skim() for `events` events: their lowest, highest and last time (seconds and ns) and their highest CPU. */
  skimMany(
    events: number,
    lowest: readonly [number, number],
    highest: readonly [number, number],
    last: readonly [number, number],
    maxCpu: number,
  ): void {
    const sinceEpoch = ([hi, lo]: readonly [number, number]): number => (hi - this.#epochHi) * 1e9 + lo;
    this.skimSpan(events, sinceEpoch(lowest), sinceEpoch(highest), sinceEpoch(last), maxCpu);
  }

  /** As skimMany, with times in ns from the epoch. */
  skimSpan(events: number, lowestNs: number, highestNs: number, lastNs: number, maxCpu: number): void {
    if (events === 0) return;
    this.#ns = lastNs;
    this.#firstNs = Math.min(this.#firstNs, lowestNs);
    this.#lastNs = Math.max(this.#lastNs, highestNs);
    this.#maxCpu = Math.max(this.#maxCpu, maxCpu);
    this.events += events;
  }

  /** A new row of the head's event, every other column absent. Returns its index in `out`. */
  add(kind: EventKind): number {
    const head = this.head;
    const row = this.#claim(kind, head.line);
    this.kinds[kind]! += 1;
    const out = this.#rows.out;
    out.cpu[row] = head.cpu;
    out.ctx[row] = head.ctx;
    out.tid[row] = head.tid;
    out.tgid[row] = head.tgid;
    out.comm[row] = this.#headComm();
    return row;
  }

  /**
   * Adds rows batch[start, end), which hold this sink's ids; their events are skimmed apart. `atLine` makes the line of
   * that number the head's, for the sample of a problem.
   */
  addMany(batch: EventBatch, start: number, end: number, atLine: (line: number) => void): void {
    const { kind } = batch;
    for (let row = start; row < end; row++) this.kinds[kind[row]!]! += 1;
    this.#append(batch, start, end, atLine);
  }

  /** What a sink of a part has taken in. */
  tally(): SinkTally {
    return {
      rows: this.#rows.out,
      kinds: this.kinds,
      events: this.events,
      firstNs: this.#firstNs,
      lastNs: this.#lastNs,
      endNs: this.#ns,
      maxCpu: this.#maxCpu,
      comms: this.comms.packed(),
      pointers: this.pointers.packed(),
    };
  }

  /** Adds what was read apart, its first line being line `linesBefore` + 1. `atLine` as in addMany. */
  absorb(tally: SinkTally, linesBefore: number, atLine: (line: number) => void): void {
    const { rows } = tally;
    this.#renumber(tally, linesBefore);
    this.#append(rows, 0, rows.length, atLine);
    for (const [kind, count] of tally.kinds.entries()) this.kinds[kind]! += count;
    this.events += tally.events;
    if (tally.events > 0) this.#ns = tally.endNs;
    if (tally.lastNs > this.#lastNs) this.#lastNs = tally.lastNs;
    if (tally.firstNs < this.#firstNs) this.#firstNs = tally.firstNs;
    if (tally.maxCpu > this.#maxCpu) this.#maxCpu = tally.maxCpu;
  }

  #append(rows: EventBatch, start: number, end: number, atLine: (line: number) => void): void {
    for (let row = start; row < end; ) {
      this.#rows.makeRoom();
      const stop = Math.min(end, row + this.#rows.room);
      this.#clamp(rows, row, stop, atLine);
      this.#rows.append(rows, row, stop);
      row = stop;
    }
  }

  /** Gives the tally's rows this sink's ids and the trace's line numbers. Ids are given in the order of first sight. */
  #renumber({ rows, comms, pointers }: SinkTally, linesBefore: number): void {
    const { heap, starts } = comms;
    const commIds = new Int32Array(starts.length - 1);
    for (let id = 0; id < commIds.length; id++)
      commIds[id] = this.comms.intern(heap, starts[id]!, starts[id + 1]!);
    const mmIds = pointers.hi.map((hi, id) => this.pointers.ofWords(hi, pointers.lo[id]!));
    replaceIds(rows.comm, 0, rows.length, commIds);
    replaceIds(rows.argComm, 0, rows.length, commIds);
    replaceIds(rows.mm, 0, rows.length, mmIds);
    replaceIds(rows.mm2, 0, rows.length, mmIds);
    const { line } = rows;
    for (let row = 0; row < rows.length; row++) line[row]! += linesBefore;
  }

  /** As #claim does: a row older than the newest row passed on gets its time. */
  #clamp(rows: EventBatch, start: number, end: number, atLine: (line: number) => void): void {
    const { floorNs } = this.#rows;
    for (let row = start; row < end; row++) {
      if (rows.ns[row]! >= floorNs) continue;
      rows.ns[row] = floorNs;
      if (this.#late++ > 0) continue;
      atLine(rows.line[row]!);
      this.problemAt(OUT_OF_ORDER);
    }
  }

  /**
   * A gap of `events` lost events (-1 unknown) on `cpu` (-1 any): a row at the time of the next event. A CPU or a number
   * that cannot be stands for any and for unknown.
   */
  lost(cpu: number, events: number, line: number): void {
    const count = events > MAX_LOST ? -1 : events;
    this.#wait({ cpu: cpu > MAX_CPU ? NONE : cpu, events: count, line });
    if (count < 0 || this.lostEvents < 0) this.lostEvents = -1;
    else this.lostEvents += count;
  }

  /** A row that is no event of its own ("CPU 2 buffer started"; NONE: each CPU's with its first event), at the time of the next event. */
  bufferStarted(cpu: number, line: number): void {
    if (cpu <= MAX_CPU) this.#wait({ cpu, events: BUFFER_STARTED, line });
  }

  /** Passes on everything that waits. */
  end(): void {
    if (this.#epochHi >= 0 && this.#gaps.length > 0) this.#emitGaps();
    this.#rows.end();
    if (this.#late > 1) this.problems.add(OUT_OF_ORDER, 0, "", this.#late - 1);
  }

  /** Id of a task name; names a recorder prints for "unknown" become "<...>". */
  comm(bytes: Uint8Array, start: number, end: number): number {
    if (start >= end) return this.#unknownComm;
    if (bytes[start] === COLON && isPidName(bytes, start + 1, end)) return this.#unknownComm;
    if (bytes[start] === 0x3c && end - start === 5 && startsWith(bytes, start, end, UNKNOWN_COMM)) {
      return this.#unknownComm;
    }
    return this.comms.intern(bytes, start, end);
  }

  /** Id of the pointer that is the whole of [start, end); NO_MM when that is none. */
  pointer(bytes: Uint8Array, start: number, end: number): number {
    const id = this.pointers.read(bytes, start, end);
    return this.pointers.end === end ? id : NO_MM;
  }

  /** Counts a problem of the current head's line. */
  problemAt(kind: ProblemKind, key = ""): void {
    const head = this.head;
    this.problem(kind, head.line, head.bytes, head.start, head.end, key);
  }

  /** Counts a problem with bytes[start, end) as its sample. */
  problem(kind: ProblemKind, line: number, bytes: Uint8Array, start: number, end: number, key = ""): void {
    const id = `${kind.code}\0${key}`;
    const seen = this.#seenProblems.has(id);
    if (!seen) this.#seenProblems.add(id);
    this.problems.add(kind, line, seen ? "" : decodeSample(bytes, start, end), 1, key);
  }

  /** The head's task name; one event can make many rows. */
  #headComm(): number {
    const { bytes, line, commStart, commEnd, commId } = this.head;
    if (commId >= 0) return commId;
    if (this.#commLine !== line || this.#commStart !== commStart) {
      this.#commId = this.comm(bytes, commStart, commEnd);
      this.#commLine = line;
      this.#commStart = commStart;
    }
    return this.#commId;
  }

  #setEpoch(): void {
    this.#ticks = this.head.ticks;
    this.#epochHi = this.head.hi;
    this.#epochLo = this.#ticks ? this.head.lo : 0;
  }

  #claim(kind: EventKind, line: number): number {
    let ns = this.#ns;
    this.#rows.makeRoom();
    if (ns < this.#rows.floorNs) {
      ns = this.#rows.floorNs;
      if (this.#late++ === 0) this.problemAt(OUT_OF_ORDER);
    }
    const row = this.#rows.claim(ns);
    const out = this.#rows.out;
    out.kind[row] = kind;
    out.line[row] = line;
    out.argTid[row] = NONE;
    out.argComm[row] = NONE;
    out.mm[row] = NO_MM;
    out.mm2[row] = NO_MM;
    out.users[row] = NO_VALUE;
    out.count[row] = NO_VALUE;
    out.flags[row] = 0;
    return row;
  }

  #wait(gap: PendingGap): void {
    this.#gaps.push(gap);
    if (this.#gaps.length > MAX_WAITING_GAPS) this.#emitGaps();
  }

  #emitGaps(): void {
    const gaps = this.#gaps;
    this.#gaps = [];
    for (const gap of gaps) {
      const started = gap.events === BUFFER_STARTED;
      const row = this.#claim(started ? EventKind.bufferStarted : EventKind.lost, gap.line);
      const out = this.#rows.out;
      out.cpu[row] = gap.cpu;
      out.ctx[row] = 0;
      out.tid[row] = NONE;
      out.tgid[row] = NONE;
      out.comm[row] = NONE;
      if (!started) out.flags[row] = gap.events;
    }
  }
}

/** Absent ids are negative and stay. */
function replaceIds(column: Int32Array, start: number, end: number, ids: Int32Array): void {
  for (let row = start; row < end; row++) if (column[row]! >= 0) column[row] = ids[column[row]!]!;
}

/** Whether a kernel can have printed the head's numbers. */
function isPlausible({ cpu, tid, tgid, hi }: EventHead): boolean {
  return (
    cpu <= MAX_CPU && cpu >= NONE && tid <= MAX_PID && tid >= NONE && tgid <= MAX_PID && hi <= MAX_SECONDS
  );
}

/** ":-1", ":123": what perf prints for a task it has no name of. */
function isPidName(bytes: Uint8Array, start: number, end: number): boolean {
  const from = bytes[start] === DASH ? start + 1 : start;
  return from < end && digitsEnd(bytes, from, end) === end;
}
