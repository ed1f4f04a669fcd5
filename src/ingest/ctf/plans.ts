// What the steps of layout.ts come to where a layout is plain: LTTng's two event headers, and bodies whose parts lie at byte
// boundaries known beforehand or one behind the other. Read by ahead.ts and events.ts; what has no plan is walked over step by
// step (walk.ts), which is the reference.
import { Slot } from "../lttng/fields.ts";
import { COMM_BYTES } from "./comm-cache.ts";
import { Code, NO_REGISTER, NO_SLOT, type Step } from "./layout.ts";
import { HeadSlot } from "./stream.ts";

/** "struct event_header_compact" or "_large" of lttng-modules: a tag that is the id or says that the id follows, and the time. */
export interface HeaderPlan {
  /** 5 bits of tag and 27 of time in one word; else 16 bits and then 32. */
  readonly isCompact: boolean;
  readonly isLittle: boolean;
  /** Mask of the time's 27 or 32 bits. */
  readonly timeBits: number;
  /** Alignment of its start less one, bytes; as all masks here. */
  readonly mask: number;
  /** Tags up to this one are ids; the next one stands before an id of 32 bits and a time of 64. */
  readonly lastId: number;
  readonly shortTimeMask: number;
  readonly longIdMask: number;
  readonly longTimeMask: number;
}

/** Steps begin at multiples of this many bits at least. */
const BYTE = 8;
/** Bodies are smaller: nothing here overflows 31 bits. */
const MAX_BITS = 1 << 28;

/** Integers a plan reads: width and sign. The byte order is the high bit. */
export const Load = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  u64: 6,
  i64: 7,
  /** A text of fixed length; its bytes follow in the place of the order. */
  chars: 8,
} as const;
export const BIG = 16;

/** Ends of a program's segments. */
export const Tail = {
  /** The body ends. */
  end: 0,
  /** Another segment, otherwise aligned. */
  next: 1,
  /** Bytes up to a NUL. */
  text: 2,
  /** Elements of a size, their number in a register. */
  sequence: 3,
} as const;

/** A body's plan. */
export interface BodyPlan {
  readonly mask: number;
  /** Bytes from the aligned start on; -1 where `program` tells. */
  readonly size: number;
  /**
   * By segment: mask, bytes, number of integers to keep; register, Load and offset of each; Tail, bytes of an element and its
   * register.
   */
  readonly program: Int32Array;
  /** Of a body of fixed size what is wanted: slot, Load, offset from the aligned start, bytes of a text. */
  readonly loads: Int32Array;
}

/** The plan of an event header; null for any but LTTng's. */
export function headerPlan(steps: readonly Step[]): HeaderPlan | null {
  const { align, rest } = aligned(steps);
  const [tag, variant] = rest;
  if (rest.length !== 2 || tag === undefined || variant?.code !== Code.variant) return null;
  const isTag = tag.code === Code.int && tag.slot === HeadSlot.eventId && tag.register === variant.register;
  const start = Math.max(align, tag.align);
  if (!isTag || tag.signed || tag.clockBits > 0 || start < BYTE) return null;
  const [short, long] = variant.choices;
  if (variant.choices.length !== 2 || short === undefined || long === undefined) return null;
  if (short.low !== 0 || long.low !== short.high + 1 || long.high < long.low) return null;
  const time = shortTime(tag, short.steps);
  const longMasks = longHead(tag, long.steps);
  if (time === null || longMasks === null) return null;
  return {
    isCompact: tag.size === 5,
    timeBits: tag.size === 5 ? 0x7ffffff : -1,
    isLittle: tag.isLittle,
    mask: start / 8 - 1,
    lastId: short.high,
    shortTimeMask: time,
    longIdMask: longMasks.id,
    longTimeMask: longMasks.time,
  };
}

/** Steps behind those that only align, and their alignment in bits. */
function aligned(steps: readonly Step[]): { readonly align: number; readonly rest: readonly Step[] } {
  let align = 1;
  let from = 0;
  while (steps[from]?.code === Code.skip && steps[from]?.size === 0)
    align = Math.max(align, steps[from++]!.align);
  return { align, rest: steps.slice(from) };
}

/** Mask of the time behind a tag that is an id; null when it does not lie there. */
function shortTime(tag: Step, steps: readonly Step[]): number | null {
  const { align, rest } = aligned(steps);
  const [time] = rest;
  if (rest.length !== 1 || !isTime(time, tag)) return null;
  const start = Math.max(align, time.align);
  if (tag.size === 5) return time.size === 27 && start === 1 ? 0 : null;
  return tag.size === 16 && time.size === 32 && start >= BYTE ? start / 8 - 1 : null;
}

function longHead(tag: Step, steps: readonly Step[]): { readonly id: number; readonly time: number } | null {
  const { align, rest } = aligned(steps);
  const [id, time] = rest;
  if (rest.length !== 2 || id === undefined || !isTime(time, tag) || time.size !== 64) return null;
  const isId =
    id.code === Code.int && id.size === 32 && id.slot === HeadSlot.eventId && id.register === NO_REGISTER;
  if (!isId || id.signed || id.clockBits > 0 || id.isLittle !== tag.isLittle) return null;
  const start = Math.max(align, id.align);
  return start < BYTE || time.align < BYTE ? null : { id: start / 8 - 1, time: time.align / 8 - 1 };
}

function isTime(step: Step | undefined, tag: Step): step is Step {
  return (
    step?.code === Code.int &&
    step.clockBits === step.size &&
    step.register === NO_REGISTER &&
    step.isLittle === tag.isLittle
  );
}

/** The plan of a body; null when only the walker can tell where it ends. */
export function bodyPlan(steps: readonly Step[]): BodyPlan | null {
  const compiler = new BodyCompiler();
  return steps.every((step) => compiler.add(step)) ? compiler.plan() : null;
}

/** Lays the steps of a body out, segment by segment. */
class BodyCompiler {
  readonly #program: number[] = [];
  readonly #loads: number[] = [];
  /** Of the segment: alignment of its start, length so far, integers to keep. */
  #align = BYTE;
  #bits = 0;
  #kept: number[] = [];

  /** False for a step that fits no plan. */
  add(step: Step): boolean {
    if (!this.#begin(step.align)) return false;
    switch (step.code) {
      case Code.skip:
        return this.#pass(step.size);
      case Code.int:
        return this.#int(step);
      case Code.chars:
        if (step.slot !== NO_SLOT) this.#loads.push(step.slot, Load.chars, this.#bits / 8, step.size);
        return this.#pass(step.size * 8);
      case Code.text:
        // A text that is wanted is the walker's.
        return this.#close(Tail.text, 0, 0);
      case Code.charSequence:
        return this.#close(Tail.sequence, 1, step.register);
      case Code.repeat: {
        const element = elementBits(step);
        return element > 0 && this.#pass(element * step.size);
      }
      case Code.sequence: {
        const element = elementBits(step);
        return element > 0 && this.#close(Tail.sequence, element / 8, step.register);
      }
      default:
        return false;
    }
  }

  plan(): BodyPlan | null {
    const isFixed = this.#program.length === 0;
    const mask = this.#align / 8 - 1;
    const size = this.#bits / 8;
    if (!this.#close(Tail.end, 0, 0)) return null;
    return {
      mask: isFixed ? mask : 0,
      size: isFixed ? size : -1,
      program: Int32Array.from(this.#program),
      loads: Int32Array.from(this.#loads),
    };
  }

  /** Goes to a step's alignment: inside the segment while it says no more than the segment's own. */
  #begin(align: number): boolean {
    if (this.#bits === 0) this.#align = Math.max(this.#align, align);
    else if (align > this.#align) {
      if (!this.#close(Tail.next, 0, 0)) return false;
      this.#align = align;
    } else this.#bits += -this.#bits & (align - 1);
    return true;
  }

  #pass(bits: number): boolean {
    this.#bits += bits;
    return this.#bits <= MAX_BITS;
  }

  #int({ size, register, slot, signed, isLittle, clockBits }: Step): boolean {
    if (clockBits > 0) return false;
    if (register !== NO_REGISTER || slot !== NO_SLOT) {
      const width = [8, 16, 32, 64].indexOf(size);
      if (width < 0 || this.#bits % 8 !== 0) return false;
      const load = width * 2 + (signed ? 1 : 0) + (isLittle ? 0 : BIG);
      if (register !== NO_REGISTER) this.#kept.push(register, load, this.#bits / 8);
      if (slot !== NO_SLOT) this.#loads.push(slot, load, this.#bits / 8, 0);
    }
    return this.#pass(size);
  }

  #close(tail: number, elementBytes: number, register: number): boolean {
    if (this.#bits % 8 !== 0) return false;
    const { length } = this.#kept;
    this.#program.push(
      this.#align / 8 - 1,
      this.#bits / 8,
      length / 3,
      ...this.#kept,
      tail,
      elementBytes,
      register,
    );
    this.#align = BYTE;
    this.#bits = 0;
    this.#kept = [];
    return true;
  }
}

/** Where the fields of a sched_switch lie, from the body's aligned start. */
export interface SwitchPlan {
  readonly mask: number;
  readonly prevComm: number;
  readonly prevTid: number;
  readonly prevState: number;
  readonly nextComm: number;
  readonly nextTid: number;
  /** Load of the tids and of the state. */
  readonly tid: number;
  readonly state: number;
}

/** The plan of a body of which a switch's fields and nothing else are wanted, its tids of 32 bits; null for others. */
export function switchPlan(body: BodyPlan): SwitchPlan | null {
  const { loads, mask } = body;
  const fields = new Map<number, readonly number[]>();
  for (let i = 0; i < loads.length; i += 4) fields.set(loads[i]!, [...loads.subarray(i + 1, i + 4)]);
  const [prevTid, nextTid] = [fields.get(Slot.prevTid), fields.get(Slot.nextTid)];
  const [prevComm, nextComm] = [fields.get(Slot.prevComm), fields.get(Slot.nextComm)];
  const state = fields.get(Slot.prevState);
  if (body.size < 0 || loads.length !== 20 || !prevTid || !nextTid || !prevComm || !nextComm || !state)
    return null;
  const isName = ([load, , bytes]: readonly number[]): boolean => load === Load.chars && bytes === COMM_BYTES;
  const isTid = ([load]: readonly number[]): boolean => load === tidLoad && (load & ~BIG) === Load.i32;
  const [tidLoad = 0] = prevTid;
  const [stateLoad = Load.chars] = state;
  if (!isName(prevComm) || !isName(nextComm) || !isTid(prevTid) || !isTid(nextTid)) return null;
  if (stateLoad === Load.chars) return null;
  const at = ([, place = 0]: readonly number[]): number => place;
  return {
    mask,
    prevComm: at(prevComm),
    prevTid: at(prevTid),
    prevState: at(state),
    nextComm: at(nextComm),
    nextTid: at(nextTid),
    tid: tidLoad,
    state: stateLoad,
  };
}

/** Bits of an element that is passed over as a whole, one behind the other; 0 for others. */
function elementBits({ steps }: Step): number {
  const [only] = steps;
  const isPlain =
    steps.length === 1 && only?.code === Code.skip && only.size % only.align === 0 && only.size % 8 === 0;
  return isPlain ? only.size : 0;
}
