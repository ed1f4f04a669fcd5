// Events of one stream's packet, read ahead: heads and lengths in one loop, into columns, as far as they are plain. The merge takes
// them one by one; what stops the loop (a layout without a plan, damage, events that may stand behind lost ones, the
// packet's end) is the stream's next() again, which is the reference.
import type { Step } from "./layout.ts";
import { BIG, type HeaderPlan, Load, Tail } from "./plans.ts";
import type { Stream } from "./stream.ts";
import type { Taker, Walker } from "./walk.ts";

/** Cycles beyond this are not exact once others are added. */
const MAX_EXACT: number = 2 ** 51;
const TWO_32 = 0x100000000;
/** In Bodies.sizes. */
export const ONLY_WALKED = -2;

/** Bodies of all event classes of a trace, by the class's number. */
export interface Bodies {
  /** Alignment of the start less one, bytes. */
  readonly masks: Int32Array;
  /** Bytes; -1 where the program tells, ONLY_WALKED where only the walker can. */
  readonly sizes: Int32Array;
  readonly programs: readonly Int32Array[];
  /** By stream class: number of the event class by event id, -1 for none. */
  readonly byId: ReadonlyMap<number, Int32Array>;
}

/** Some events that follow one another. */
export class EventsAhead {
  /** Of each event: cycles since the base, number of its class, byte behind its header. */
  readonly times: Float64Array;
  readonly classes: Int32Array;
  readonly places: Int32Array;
  count = 0;
  /** The packet they lie in, and where its content ends. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  end = 0;
  #walker: Walker | undefined;
  /** Of the header read last: event id, whether its time is whole, the time's low 32 bits or fewer and high 32 bits. */
  #id = 0;
  #isLong = false;
  #low = 0;
  #high = 0;
  readonly #bodies: Bodies;
  readonly #registers: Float64Array;

  /** Room for `size` events. */
  constructor(size: number, bodies: Bodies, registers: number) {
    this.times = new Float64Array(size);
    this.classes = new Int32Array(size);
    this.places = new Int32Array(size);
    this.#bodies = bodies;
    this.#registers = new Float64Array(registers);
  }

  /** Reads what is plain from the stream's place on, and moves it behind that. The number of events, 0 when the next is not plain. */
  read(stream: Stream): number {
    this.count = 0;
    const { walker, header } = stream;
    const byId = this.#bodies.byId.get(stream.streamId);
    if (header === null || byId === undefined || (walker.at & 7) !== 0) return 0;
    if (this.bytes !== walker.bytes) {
      this.bytes = walker.bytes;
      this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    }
    this.end = walker.end >>> 3;
    this.#walker = walker;
    return this.#read(stream, header, byId);
  }

  /** Walks over the body at `place` of one of these events, for what is wanted of it. */
  walk(place: number, steps: readonly Step[], taker: Taker): void {
    const walker = this.#walker;
    if (walker === undefined) return;
    const behind = walker.at;
    walker.at = place * 8;
    walker.run(steps, taker);
    walker.at = behind;
  }

  #read(stream: Stream, header: HeaderPlan, byId: Int32Array): number {
    const { times, classes, places, end } = this;
    const { walker } = stream;
    const { isCompact, timeBits } = header;
    const room = times.length;
    const stop = Math.min(end, stream.calmUntil());
    const { baseLow, baseHigh } = walker;
    let at = walker.at / 8;
    let cycles = walker.cycles;
    let low = walker.lowCycles() | 0;
    let count = 0;
    while (at < stop && count < room && cycles < MAX_EXACT && cycles > -MAX_EXACT) {
      const place = isCompact ? this.#compactHead(header, at) : this.#largeHead(header, at);
      if (place < 0) break;
      const id = this.#id;
      const number = id < byId.length ? byId[id]! : -1;
      const next = number < 0 ? -1 : this.#bodyEnd(number, place);
      if (next < 0 || next > end) break;
      const now = this.#low;
      cycles = this.#isLong
        ? ((this.#high >>> 0) - baseHigh) * TWO_32 + ((now >>> 0) - baseLow)
        : cycles + (((now - low) & timeBits) >>> 0);
      low = now;
      times[count] = cycles;
      classes[count] = number;
      places[count] = place;
      count++;
      at = next;
    }
    walker.at = at * 8;
    walker.cycles = cycles;
    this.count = count;
    return count;
  }

  /** Reads a header of 5 bits of tag and 27 of time. Returns where it ends, -1 when it is not plain; as the other ones below. */
  #compactHead(header: HeaderPlan, at: number): number {
    const { isLittle } = header;
    const place = (at + header.mask) & ~header.mask;
    if (place + 4 > this.end) return -1;
    const word = this.view.getUint32(place, isLittle);
    const tag = isLittle ? word & 31 : word >>> 27;
    if (tag > header.lastId) return this.#longHead(header, tag, place + 1);
    this.#id = tag;
    this.#isLong = false;
    this.#low = isLittle ? word >>> 5 : word & 0x7ffffff;
    return place + 4;
  }

  /** 16 bits of tag, 32 of time. */
  #largeHead(header: HeaderPlan, at: number): number {
    const { isLittle, shortTimeMask } = header;
    const start = (at + header.mask) & ~header.mask;
    if (start + 2 > this.end) return -1;
    const tag = this.view.getUint16(start, isLittle);
    if (tag > header.lastId) return this.#longHead(header, tag, start + 2);
    const place = (start + 2 + shortTimeMask) & ~shortTimeMask;
    if (place + 4 > this.end) return -1;
    this.#id = tag;
    this.#isLong = false;
    this.#low = this.view.getInt32(place, isLittle);
    return place + 4;
  }

  /** Behind a tag that is no id: 32 bits of id, 64 of time. */
  #longHead({ isLittle, lastId, longIdMask, longTimeMask }: HeaderPlan, tag: number, at: number): number {
    // Tags behind this one select nothing.
    if (tag !== lastId + 1) return -1;
    const { view } = this;
    const place = (at + longIdMask) & ~longIdMask;
    const time = (place + 4 + longTimeMask) & ~longTimeMask;
    if (time + 8 > this.end) return -1;
    this.#id = view.getUint32(place, isLittle);
    this.#isLong = true;
    this.#low = view.getInt32(isLittle ? time : time + 4, isLittle);
    this.#high = view.getInt32(isLittle ? time + 4 : time, isLittle);
    return time + 8;
  }

  /** Where the body of class `number` ends that begins at `place` or behind; -1 when that is not plain. */
  #bodyEnd(number: number, place: number): number {
    const { masks, sizes, programs } = this.#bodies;
    const size = sizes[number]!;
    if (size >= 0) {
      const mask = masks[number]!;
      return ((place + mask) & ~mask) + size;
    }
    return size === ONLY_WALKED ? -1 : this.#skip(programs[number]!, place);
  }

  #skip(program: Int32Array, from: number): number {
    const { end } = this;
    let at = from;
    for (let i = 0; ; i += 3) {
      const mask = program[i]!;
      const start = (at + mask) & ~mask;
      at = start + program[i + 1]!;
      if (at > end) return -1;
      const kept = i + 3 + program[i + 2]! * 3;
      for (i += 3; i < kept; i += 3)
        this.#registers[program[i]!] = readNumber(this.view, start + program[i + 2]!, program[i + 1]!);
      const tail = program[i]!;
      if (tail === Tail.end) return at;
      if (tail === Tail.text) at = this.#textEnd(at);
      else if (tail === Tail.sequence) at = this.#sequenceEnd(at, program[i + 1]!, program[i + 2]!);
      if (at < 0) return -1;
    }
  }

  #textEnd(from: number): number {
    const { bytes, end } = this;
    let at = from;
    while (at < end && bytes[at] !== 0) at++;
    return at < end ? at + 1 : -1;
  }

  #sequenceEnd(at: number, elementBytes: number, register: number): number {
    const length = this.#registers[register]! * elementBytes;
    return length >= 0 && length <= this.end - at ? at + length : -1;
  }
}

/** The integer at `at`, as readBits() of bits.ts gives it. */
export function readNumber(view: DataView, at: number, load: number): number {
  const isLittle = (load & BIG) === 0;
  switch (load & ~BIG) {
    case Load.u8:
      return view.getUint8(at);
    case Load.i8:
      return view.getInt8(at);
    case Load.u16:
      return view.getUint16(at, isLittle);
    case Load.i16:
      return view.getInt16(at, isLittle);
    case Load.u32:
      return view.getUint32(at, isLittle);
    case Load.i32:
      return view.getInt32(at, isLittle);
    default: {
      const low = view.getUint32(isLittle ? at : at + 4, isLittle);
      const highAt = isLittle ? at + 4 : at;
      const high = (load & 1) === 0 ? view.getUint32(highAt, isLittle) : view.getInt32(highAt, isLittle);
      return high * TWO_32 + low;
    }
  }
}
