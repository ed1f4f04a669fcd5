// Reader of the text babeltrace2 and babeltrace print of an LTTng kernel trace. Heads and groups are read here, rows are
// made by ../lttng/rows.ts, as for CTF itself.

import { InputError } from "../../base/errors.ts";
import { ByteInterner } from "../../base/interner.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { MAX_NAMES } from "../event-names.ts";
import { handLines } from "../lines.ts";
import { LttngFields } from "../lttng/fields.ts";
import { LttngEvent, lttngEvent } from "../lttng/names.ts";
import { LttngRows } from "../lttng/rows.ts";
import { decodeSample, skipBlanks } from "../numbers.ts";
import { BAD_BODY, CTF_DISCARDED, NOT_AN_EVENT } from "../problems.ts";
import { countBinary, countLongLine, type FormatReader, type ReaderOptions } from "../reader.ts";
import type { Sink } from "../sink.ts";
import { GroupReader } from "./fields.ts";
import { BabeltraceHead } from "./head.ts";

const SECONDS_PER_DAY = 86400;
/** A time of day that falls by more than this has passed midnight. */
const HALF_DAY = SECONDS_PER_DAY / 2;

export class BabeltraceTextReader implements FormatReader {
  unmatched = 0;
  matched = 0;
  readonly #sink: Sink;
  readonly #head = new BabeltraceHead();
  readonly #fields = new LttngFields();
  readonly #groups = new GroupReader(this.#fields);
  readonly #rows: LttngRows;
  readonly #names = new ByteInterner();
  readonly #events: LttngEvent[] = [];
  readonly #skipped: Float64Array = new Float64Array(MAX_NAMES);
  #skippedOther = 0;
  #day = 0;
  #lastOfDay = -1;
  #hasCpu = false;

  constructor({ sink }: ReaderOptions) {
    this.#sink = sink;
    this.#rows = new LttngRows(sink, this.#fields);
  }

  line(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    const head = this.#sink.head;
    head.bytes = bytes;
    head.start = start;
    head.end = end;
    head.line = lineNo;
    if (!this.#head.read(head, bytes, start, end)) {
      this.#note(bytes, start, end, lineNo);
      return;
    }
    this.matched++;
    if (this.#head.kind === "day") this.#addDays();
    const id = this.#nameId(bytes);
    const event = id < 0 ? LttngEvent.skip : this.#events[id]!;
    if (event === LttngEvent.skip) this.#skip(id, bytes, end);
    else this.#event(event, id, bytes, end);
  }

  lines(bytes: Uint8Array, from: number, to: number, lineNo: number): number {
    return handLines(this, bytes, from, to, lineNo);
  }

  longLine(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    this.unmatched++;
    countLongLine(this.#sink, bytes, start, end, lineNo);
  }

  /** Throws InputError when no event names its CPU: then it is no kernel trace. */
  end(): void {
    if (this.matched > 0 && !this.#hasCpu) {
      throw new InputError(
        "babeltrace/no-cpu",
        "no event of this babeltrace text has a cpu_id: it is not text of an LTTng kernel trace",
      );
    }
  }

  skipped(): Record<string, number> {
    const out: Record<string, number> = {};
    for (let id = 0; id < this.#names.size; id++) {
      if (this.#skipped[id]! > 0) out[this.#names.text(id)] = this.#skipped[id]!;
    }
    if (this.#skippedOther > 0) out["(other)"] = this.#skippedOther;
    return out;
  }

  probes(): ProbeInfo[] {
    return [];
  }

  #event(event: LttngEvent, id: number, bytes: Uint8Array, end: number): void {
    const sink = this.#sink;
    const isRead = this.#groups.read(bytes, this.#head.body, end);
    sink.head.cpu = this.#groups.cpu >= 0 ? this.#groups.cpu : -1;
    if (sink.head.cpu >= 0) this.#hasCpu = true;
    sink.head.tid = -1;
    sink.head.tgid = -1;
    if (!sink.begin()) return;
    if (!isRead || !this.#rows.add(event)) sink.problemAt(BAD_BODY, this.#names.text(id));
  }

  /** An event of no use: its CPU and its time still tell of the recording's extent. */
  #skip(id: number, bytes: Uint8Array, end: number): void {
    const { head } = this.#sink;
    head.cpu = -1;
    if (!this.#hasCpu && this.#groups.read(bytes, this.#head.body, end)) this.#hasCpu = this.#groups.cpu >= 0;
    head.tid = -1;
    head.tgid = -1;
    if (!this.#sink.begin()) return;
    if (id < 0) this.#skippedOther++;
    else this.#skipped[id]!++;
  }

  #nameId(bytes: Uint8Array): number {
    const { nameStart, nameEnd } = this.#head;
    if (this.#names.size >= MAX_NAMES) return this.#names.find(bytes, nameStart, nameEnd);
    const id = this.#names.intern(bytes, nameStart, nameEnd);
    if (id === this.#events.length) this.#events.push(lttngEvent(this.#names.text(id)));
    return id;
  }

  /** Times of day become seconds since the first line's midnight. */
  #addDays(): void {
    const head = this.#sink.head;
    if (head.hi < this.#lastOfDay - HALF_DAY) this.#day++;
    this.#lastOfDay = head.hi;
    head.hi += this.#day * SECONDS_PER_DAY;
  }

  /**
   * "[warning] Tracer discarded 120 events between [13:25:10.9…] and [13:25:11.0…] in trace UUID …" (babeltrace),
   * "WARNING: Tracer discarded 120 events between …" (babeltrace2), both on standard error.
   */
  #note(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    if (skipBlanks(bytes, start, end) === end) return;
    const text = decodeSample(bytes, start, end);
    const lost =
      /(?:Tracer|tracer) (?:may have )?discarded (a number of|at least \d+|\d+) (event|packet)/.exec(text);
    if (lost !== null) {
      this.matched++;
      const isCounted = lost[2] === "event" && /^\d+$/.test(lost[1] ?? "");
      this.#sink.lost(-1, isCounted ? Number(lost[1]) : -1, lineNo);
      this.#rows.lost(-1);
      this.#sink.problem(CTF_DISCARDED, lineNo, bytes, start, end);
      return;
    }
    this.unmatched++;
    if (!countBinary(this.#sink, bytes, start, end, lineNo)) {
      this.#sink.problem(NOT_AN_EVENT, lineNo, bytes, start, end);
    }
  }
}
