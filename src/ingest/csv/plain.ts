// The fast way through a CSV: records of unquoted files whose fields are printed as bpftrace prints them, read from the
// bytes. What is printed otherwise, or has more to it (CPU samples), goes to papaparse and rows.ts, which are the reference
// (test/ingest/csv.test.ts).
import { ByteInterner } from "../../base/interner.ts";
import { NO_MM, NO_VALUE, NONE, NULL_MM } from "../../table/event-batch.ts";
import { EventKind, SWITCH_MM_NO_TASK } from "../../table/event-kinds.ts";
import { isPid } from "../limits.ts";
import { ascii, DASH, startsWith } from "../numbers.ts";
import { stateOfNumber } from "../sched-switch.ts";
import type { Sink } from "../sink.ts";
import type { CsvLayout } from "./columns.ts";
import { KINDS, WITH_TARGET, WITHOUT_MM } from "./rows.ts";

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const PREV_TID = ascii("prev_tid=");
const PREV_STATE = ascii("prev_state=");
const TSK = ascii("tsk=");
/** Digits that surely fit an int32. */
const MAX_DIGITS = 9;
const NS_DIGITS = 9;
/** More make a number of seconds that no clock shows. */
const MAX_TIME_DIGITS = 18;
/** Names of events are the input's: memory must not follow them. */
const MAX_NAMES = 1024;

/** Kinds whose rows are made of more than numbers and pointers. */
const LEFT: ReadonlySet<EventKind> = new Set<EventKind>([
  EventKind.dupMmap,
  EventKind.dupMmapRet,
  EventKind.taskNewtask,
  EventKind.schedProcessExec,
]);

/** One a trace: read() looks at a record and changes nothing but this object, add() makes its row. */
export class PlainRecord {
  readonly #sink: Sink;
  readonly #layout: CsvLayout;
  /** Where each field begins; behind the last one stands where one more would. */
  readonly #starts: Int32Array;
  readonly #names = new ByteInterner();
  /** By name's id. */
  readonly #kinds: (EventKind | undefined)[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #kind: EventKind = EventKind.lost;
  #isOdd = false;
  #hi = 0;
  #lo = 0;
  #cpu = 0;
  #tid = 0;
  #tgid = 0;
  #target = 0;
  #users = 0;
  #count = 0;
  #prev = 0;
  #state = 0;
  #tsk = 0;
  #tskEnd = 0;

  constructor(sink: Sink, layout: CsvLayout) {
    this.#sink = sink;
    this.#layout = layout;
    this.#starts = new Int32Array(layout.columns + 1);
  }

  /** Whether bytes[start, end) is a record that can be added here. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#split(bytes, start, end)) return false;
    const { index } = this.#layout;
    this.#bytes = bytes;
    this.#isOdd = false;
    const kind = this.#kindOf(index.event);
    if (kind === undefined || LEFT.has(kind)) return false;
    this.#kind = kind;
    this.#readTime(index.ts_ns);
    this.#cpu = this.#int(index.cpu);
    this.#tid = this.#int(index.tid);
    if (this.#cpu === NO_VALUE || this.#tid === NO_VALUE) return false;
    this.#tgid = this.#int(index.pid);
    this.#target = this.#int(index.target_tid);
    this.#users = this.#int(index.mm_users);
    this.#count = this.#int(index.mm_count);
    if (kind === EventKind.schedSwitch) this.#readSwitch(index.extra);
    else if (kind === EventKind.switchMm) this.#readTask(index.extra);
    return !this.#isOdd;
  }

  /** Adds the record read last, bytes[start, end), as line `line`. */
  add(start: number, end: number, line: number): void {
    const head = this.#sink.head;
    head.bytes = this.#bytes;
    head.start = start;
    head.end = end;
    head.line = line;
    head.commStart = this.#starts[this.#layout.columns - 1]!;
    head.commEnd = end;
    head.hi = this.#hi;
    head.lo = this.#lo;
    head.ticks = false;
    head.cpu = this.#cpu;
    head.tid = this.#tid;
    head.ctx = 0;
    head.tgid = this.#tgid === NO_VALUE ? NONE : this.#tgid;
    if (this.#sink.begin()) this.#addRow(this.#kind);
  }

  #addRow(kind: EventKind): void {
    const sink = this.#sink;
    const { index } = this.#layout;
    const isSwitch = kind === EventKind.schedSwitch;
    if (isSwitch && isPid(this.#prev)) sink.head.tid = this.#prev;
    const row = sink.add(kind);
    const out = sink.out;
    if (WITH_TARGET.has(kind)) out.argTid[row] = isPid(this.#target) ? this.#target : NONE;
    if (isSwitch) {
      if (this.#state !== NO_VALUE) out.flags[row] = stateOfNumber(this.#state);
      return;
    }
    if (!WITHOUT_MM.has(kind)) this.#setMm(row);
    if (kind !== EventKind.switchMm) return;
    out.mm2[row] = this.#pointer(index.other_mm);
    if (this.#tsk === this.#tskEnd || sink.pointer(this.#bytes, this.#tsk, this.#tskEnd) !== NULL_MM) return;
    out.flags[row] = SWITCH_MM_NO_TASK;
    out.argTid[row] = NONE;
  }

  #setMm(row: number): void {
    const out = this.#sink.out;
    const mm = this.#pointer(this.#layout.index.mm);
    out.mm[row] = mm;
    if (mm === NULL_MM || mm === NO_MM) return;
    out.users[row] = this.#users === -1 ? NO_VALUE : this.#users;
    out.count[row] = this.#count === -1 ? NO_VALUE : this.#count;
  }

  /** The name is last and may hold commas. */
  #split(bytes: Uint8Array, start: number, end: number): boolean {
    const starts = this.#starts;
    const last = this.#layout.columns - 1;
    starts[0] = start;
    let field = 0;
    for (let at = start; at < end && field < last; at++) if (bytes[at] === COMMA) starts[++field] = at + 1;
    starts[last + 1] = end + 1;
    return field === last;
  }

  #kindOf(column: number): EventKind | undefined {
    const from = this.#starts[column]!;
    const to = this.#starts[column + 1]! - 1;
    let id = this.#names.find(this.#bytes, from, to);
    if (id < 0 && this.#names.size < MAX_NAMES) {
      id = this.#names.intern(this.#bytes, from, to);
      this.#kinds[id] = KINDS.get(this.#names.text(id));
    }
    return id < 0 ? undefined : this.#kinds[id];
  }

  #readTime(column: number): void {
    const from = this.#starts[column]!;
    const to = this.#starts[column + 1]! - 1;
    if (to - from <= NS_DIGITS || to - from > MAX_TIME_DIGITS) this.#isOdd = true;
    this.#hi = this.#digits(from, to - NS_DIGITS);
    this.#lo = this.#digits(to - NS_DIGITS, to);
  }

  #digits(from: number, to: number): number {
    let value = 0;
    for (let i = from; i < to; i++) {
      const digit = this.#bytes[i]! - 0x30;
      if (!(digit >= 0 && digit <= 9)) this.#isOdd = true;
      value = value * 10 + digit;
    }
    return value;
  }

  /** As intOf() of a column, NO_VALUE for an empty one and for none. Odd when it is not surely printed so. */
  #int(column: number): number {
    return column < 0 ? NO_VALUE : this.#intAt(this.#starts[column]!, this.#starts[column + 1]! - 1);
  }

  #intAt(from: number, to: number): number {
    if (from === to) return NO_VALUE;
    const first = this.#bytes[from] === DASH ? from + 1 : from;
    if (first === to || to - first > MAX_DIGITS) this.#isOdd = true;
    const value = this.#digits(first, to);
    return first === from ? value : -value | 0;
  }

  /** "prev_tid=0;prev_state=0" */
  #readSwitch(column: number): void {
    const bytes = this.#bytes;
    const to = this.#starts[column + 1]! - 1;
    const tid = this.#starts[column]! + PREV_TID.length;
    let split = tid;
    while (split < to && bytes[split] !== SEMICOLON) split++;
    const state = split + 1 + PREV_STATE.length;
    if (
      !startsWith(bytes, tid - PREV_TID.length, to, PREV_TID) ||
      !startsWith(bytes, split + 1, to, PREV_STATE)
    ) {
      this.#isOdd = true;
      return;
    }
    this.#prev = this.#intAt(tid, split);
    this.#state = this.#intAt(state, to);
  }

  /** "tsk=0xff42a6ce82208900", or nothing. */
  #readTask(column: number): void {
    const bytes = this.#bytes;
    const from = this.#starts[column]!;
    const to = this.#starts[column + 1]! - 1;
    this.#tsk = from === to ? to : from + TSK.length;
    this.#tskEnd = to;
    if (from === to) return;
    if (!startsWith(bytes, from, to, TSK)) this.#isOdd = true;
    for (let i = from; i < to; i++) if (bytes[i] === SEMICOLON) this.#isOdd = true;
  }

  #pointer(column: number): number {
    return this.#sink.pointer(this.#bytes, this.#starts[column]!, this.#starts[column + 1]! - 1);
  }
}
