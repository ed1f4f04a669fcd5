// What is made of the events of a trace, in their order: counted, or handed to rows of ../lttng. Takes them one by one from a
// stream that stands at one, or from what was read ahead of it.
import { isPid, MAX_SECONDS } from "../limits.ts";
import type { LttngFields, Slot } from "../lttng/fields.ts";
import { LttngEvent } from "../lttng/names.ts";
import { LttngRows } from "../lttng/rows.ts";
import { BAD_BODY, CTF_DAMAGED, CTF_DISCARDED, CTF_LOST_PACKETS } from "../problems.ts";
import type { Sink } from "../sink.ts";
import { type Bodies, type EventsAhead, ONLY_WALKED, readNumber } from "./ahead.ts";
import type { ClockTime } from "./clock.ts";
import { CommCache } from "./comm-cache.ts";
import type { Step } from "./layout.ts";
import { BIG, type BodyPlan, Load, type SwitchPlan, switchPlan } from "./plans.ts";
import type { Damage, Stream, StreamListener } from "./stream.ts";
import type { Taker } from "./walk.ts";

const WHY: Readonly<Record<Damage, string>> = {
  magic: "no packet begins here",
  sizes: "its sizes do not fit the file",
  stream: "it is of a stream the metadata does not have",
  event: "an event in it does not fit its layout",
};
/** Bytes of an event that a problem shows. */
const SAMPLE_BYTES = 64;
/** Seconds around the first event in which events that make no row are only counted; Sink.takesTime() has the bound. */
const CALM_SECONDS = 1_000_000;
/** Event ids that are looked up in an array. */
const MAX_DENSE_ID = 65535;

/** An event class. */
export interface EventClass {
  readonly id: number;
  readonly stream: number;
  readonly name: string;
  readonly event: LttngEvent;
  readonly steps: readonly Step[];
  readonly body: BodyPlan | null;
}

/** Takes events in time order. */
export class EventTaker implements StreamListener {
  records = 0;
  readonly #sink: Sink;
  readonly #clock: ClockTime;
  readonly #fields: LttngFields;
  readonly #rows: LttngRows;
  readonly #taker: Taker;
  readonly #classes: readonly EventClass[];
  readonly #byId: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly #isSkipped: Uint8Array;
  /** By class: plans of sched_switch events. */
  readonly #switches: readonly (SwitchPlan | null)[];
  readonly #comms: CommCache;
  readonly #counts: Float64Array;
  /** The class whose fields lie in `#fields`, all of them read from fixed places; -1: clear them first. */
  #filled = -1;
  /** Between these cycles an event that makes no row is only counted; an empty range until the sink says so. */
  #calmFrom = Number.POSITIVE_INFINITY;
  #calmUntil = Number.NEGATIVE_INFINITY;
  /** Whether the event taken last was only counted, and its time. */
  #isLastCounted = false;
  #lastTime = 0;
  /** What was counted and not yet told to the sink. */
  #skimmed = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;
  #maxCpu = -1;

  constructor(sink: Sink, clock: ClockTime, fields: LttngFields, classes: readonly EventClass[]) {
    this.#sink = sink;
    this.#clock = clock;
    this.#fields = fields;
    this.#rows = new LttngRows(sink, fields);
    this.#taker = takerOf(fields);
    this.#classes = classes;
    this.#byId = numbersById(classes);
    this.#isSkipped = Uint8Array.from(classes, ({ event }) => (event === LttngEvent.skip ? 1 : 0));
    this.#switches = classes.map(({ event, body }) =>
      event === LttngEvent.schedSwitch && body !== null ? switchPlan(body) : null,
    );
    this.#comms = new CommCache(sink);
    this.#counts = new Float64Array(classes.length);
  }

  /** How long bodies are, for reading ahead. */
  bodies(): Bodies {
    const classes = this.#classes;
    const byId = new Map<number, Int32Array>();
    for (const [stream, numbers] of this.#byId) {
      const dense = [...numbers].filter(([id]) => id >= 0 && id <= MAX_DENSE_ID);
      const table = new Int32Array(dense.reduce((most, [id]) => Math.max(most, id + 1), 0)).fill(-1);
      for (const [id, number] of dense) table[id] = number;
      byId.set(stream, table);
    }
    return {
      masks: Int32Array.from(classes, ({ body }) => body?.mask ?? 0),
      sizes: Int32Array.from(classes, ({ body }) => body?.size ?? ONLY_WALKED),
      programs: classes.map(({ body }) => body?.program ?? new Int32Array(0)),
      byId,
    };
  }

  /** Events per name that make no row. */
  skipped(): Record<string, number> {
    const out: Record<string, number> = {};
    for (const [number, { name, event }] of this.#classes.entries()) {
      const count = this.#counts[number]!;
      if (event === LttngEvent.skip && count > 0) out[name] = (out[name] ?? 0) + count;
    }
    return out;
  }

  /** Takes the event that `stream` stands at. */
  take(stream: Stream): void {
    const { walker } = stream;
    this.#tell();
    this.#isLastCounted = false;
    const number = this.#byId.get(stream.streamId)?.get(stream.eventId);
    const found = number === undefined ? undefined : this.#classes[number];
    if (number === undefined || found === undefined) {
      stream.damage("event");
      return;
    }
    this.#begin(number, walker.cycles, stream.cpu, walker.bytes);
    if (stream.inLoss) {
      this.#sink.lost(stream.cpu, 0, this.records);
      this.#rows.lost(stream.cpu);
      this.#calmFrom = Number.POSITIVE_INFINITY;
    }
    if (found.event !== LttngEvent.skip) this.#clear();
    const start = walker.at >>> 3;
    const isWhole = walker.run(found.steps, this.#taker);
    if (isWhole) this.#add(found, start, walker.end >>> 3);
    else stream.damage("event");
    this.#seeWhetherCalm(walker.cycles);
  }

  /**
   * Takes events of `ahead` from `from` on while they come before `until`, or at it when `isBeforeEqual`; the first one in any
   * case. Returns the number of the first that was not taken.
   */
  takeAhead(ahead: EventsAhead, from: number, cpu: number, until: number, isBeforeEqual: boolean): number {
    const { times, classes, count } = ahead;
    const isSkipped = this.#isSkipped;
    let i = from;
    let time = times[i]!;
    let isCounted = false;
    do {
      const number = classes[i]!;
      isCounted = isSkipped[number] === 1 && this.#isCalm(time);
      if (isCounted) this.#count(number, time);
      else this.#takeOne(ahead, i, cpu);
      if (++i === count) break;
      time = times[i]!;
    } while (time < until || (time === until && isBeforeEqual));
    this.#isLastCounted = isCounted;
    this.#lastTime = time;
    if (cpu > this.#maxCpu) {
      // Who gets a batch asks for the number of CPUs.
      this.#maxCpu = cpu;
      this.#tell();
    }
    return i;
  }

  /** All events were taken. */
  end(): void {
    this.#tell();
  }

  lost(stream: Stream, count: number, what: "events" | "packets"): void {
    this.#lose(
      stream.cpu,
      count,
      what === "events" ? CTF_DISCARDED : CTF_LOST_PACKETS,
      `CPU ${stream.cpu}: ${count < 0 ? "an unknown number of" : count} ${what} lost`,
    );
  }

  damaged(stream: Stream, file: string, at: number, why: Damage): void {
    this.#lose(stream.cpu, -1, CTF_DAMAGED, `${file}, packet at byte ${at}: ${WHY[why]}`);
  }

  #lose(cpu: number, count: number, kind: typeof CTF_DAMAGED, what: string): void {
    this.#tell();
    this.#sink.lost(cpu, count, this.records + 1);
    this.#rows.lost(cpu);
    const text = new TextEncoder().encode(what);
    this.#sink.problem(kind, this.records + 1, text, 0, text.length);
    // The gap waits for the next event's time.
    this.#calmFrom = Number.POSITIVE_INFINITY;
  }

  #count(number: number, time: number): void {
    this.#counts[number]!++;
    this.records++;
    this.#skimmed++;
    if (time < this.#lowest) this.#lowest = time;
    if (time > this.#highest) this.#highest = time;
  }

  /** Tells the sink what was counted: before a gap, which has the time of the event before it unless one follows. */
  #tell(): void {
    const sink = this.#sink;
    if (this.#skimmed === 0) return;
    if (this.#isLastCounted) sink.head.line = this.records;
    const lastNs = this.#isLastCounted ? this.#nsOf(this.#lastTime) : sink.ns;
    sink.skimSpan(this.#skimmed, this.#nsOf(this.#lowest), this.#nsOf(this.#highest), lastNs, this.#maxCpu);
    this.#skimmed = 0;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#highest = Number.NEGATIVE_INFINITY;
  }

  /** From the epoch. */
  #nsOf(time: number): number {
    const clock = this.#clock;
    clock.set(time);
    return (clock.hi - this.#sink.epochSeconds) * 1e9 + clock.lo;
  }

  /** One event read ahead that makes a row, or that the sink has to see by itself. */
  #takeOne(ahead: EventsAhead, index: number, cpu: number): void {
    const number = ahead.classes[index]!;
    const found = this.#classes[number]!;
    const place = ahead.places[index]!;
    const time = ahead.times[index]!;
    this.#begin(number, time, cpu, ahead.bytes);
    const plan = this.#switches[number] ?? null;
    if (plan === null || !this.#addSwitch(ahead, place, plan)) {
      if (found.event !== LttngEvent.skip) this.#fill(ahead, number, place);
      this.#add(found, place, ahead.end);
    }
    this.#seeWhetherCalm(time);
  }

  /** The row of a sched_switch. False, and nothing done, when a pid is none: the long way counts it. */
  #addSwitch({ bytes, view, end }: EventsAhead, place: number, plan: SwitchPlan): boolean {
    const start = (place + plan.mask) & ~plan.mask;
    const isLittle = (plan.tid & BIG) === 0;
    const prev = view.getInt32(start + plan.prevTid, isLittle);
    const next = view.getInt32(start + plan.nextTid, isLittle);
    if (!isPid(prev) || !isPid(next)) return false;
    const { head } = this.#sink;
    head.start = place;
    head.end = Math.min(place + SAMPLE_BYTES, end);
    if (!this.#sink.begin()) return true;
    const prevComm = this.#comms.idOf(bytes, view, start + plan.prevComm);
    const state = readNumber(view, start + plan.prevState, plan.state);
    this.#rows.addSwitch(prev, prevComm, state, next, this.#comms.idOf(bytes, view, start + plan.nextComm));
    return true;
  }

  #begin(number: number, time: number, cpu: number, bytes: Uint8Array): void {
    this.records++;
    this.#counts[number]!++;
    const { head } = this.#sink;
    const clock = this.#clock;
    clock.set(time);
    head.hi = clock.hi;
    head.lo = clock.lo;
    head.ticks = false;
    head.cpu = cpu;
    head.tid = -1;
    head.tgid = -1;
    head.line = this.records;
    head.bytes = bytes;
    this.#fields.bytes = bytes;
  }

  /** Reads the wanted fields of an event whose body begins at `place`. */
  #fill(ahead: EventsAhead, number: number, place: number): void {
    const { body, steps } = this.#classes[number]!;
    if (body === null || body.size < 0) {
      this.#clear();
      ahead.walk(place, steps, this.#taker);
      return;
    }
    if (this.#filled !== number) this.#clear();
    this.#filled = number;
    const { loads, mask } = body;
    const { values } = this.#fields;
    const start = (place + mask) & ~mask;
    for (let i = 0; i < loads.length; i += 4) {
      const slot = loads[i]!;
      const load = loads[i + 1]!;
      const at = start + loads[i + 2]!;
      if (load === Load.chars)
        this.#fields.setText(slot as Slot, at, textEnd(ahead.bytes, at, loads[i + 3]!));
      else values[slot] = readNumber(ahead.view, at, load);
    }
  }

  #clear(): void {
    this.#fields.clear();
    this.#filled = -1;
  }

  #add({ event, name }: EventClass, start: number, end: number): void {
    const { head } = this.#sink;
    head.start = start;
    head.end = Math.min(start + SAMPLE_BYTES, end);
    if (this.#sink.begin() && event !== LttngEvent.skip && !this.#rows.add(event))
      this.#sink.problemAt(BAD_BODY, name);
  }

  #isCalm(time: number): boolean {
    return time >= this.#calmFrom && time <= this.#calmUntil;
  }

  /** Sees whether events near `time`, that of the event taken last, can be counted only. */
  #seeWhetherCalm(time: number): void {
    if (this.#isCalm(time)) return;
    const sink = this.#sink;
    const reach = CALM_SECONDS * this.#clock.freq;
    const isCalm = sink.canSkim() && this.#isNear(time - reach) && this.#isNear(time + reach);
    this.#calmFrom = isCalm ? time - reach : Number.POSITIVE_INFINITY;
    this.#calmUntil = isCalm ? time + reach : Number.NEGATIVE_INFINITY;
  }

  #isNear(time: number): boolean {
    const { head } = this.#sink;
    const clock = this.#clock;
    clock.set(time);
    head.hi = clock.hi;
    return this.#sink.takesTime(head) && head.hi <= MAX_SECONDS;
  }
}

function textEnd(bytes: Uint8Array, start: number, length: number): number {
  let end = start;
  while (end < start + length && bytes[end] !== 0) end++;
  return end;
}

function takerOf(fields: LttngFields): Taker {
  return {
    number: (slot, value) => {
      fields.values[slot] = value;
    },
    text: (slot, start, end) => fields.setText(slot as Slot, start, end),
  };
}

function numbersById(classes: readonly EventClass[]): Map<number, Map<number, number>> {
  const out = new Map<number, Map<number, number>>();
  for (const [number, { stream, id }] of classes.entries()) {
    const ofStream = out.get(stream) ?? new Map<number, number>();
    out.set(stream, ofStream.set(id, number));
  }
  return out;
}
