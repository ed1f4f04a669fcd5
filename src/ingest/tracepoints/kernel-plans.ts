// Plans of the decoder written down for the kernel, which makes the same rows of the same records (assembly/records.ts,
// where the layout of a plan is told). Only plans that will not change, of little-endian recordings.
import { EventKind } from "../../table/event-kinds.ts";
import type { KernelRows } from "../kernel-rows.ts";
import type { Plan, RecordDecoder } from "./decoder.ts";
import type { Field } from "./event-format.ts";
import type { StockAction } from "./stock-events.ts";

/** Of PLAN_OF in the kernel. */
const SKIPPED = 0xffff;
const ACTIONS: Readonly<Record<StockAction | "probe" | "countProbe", number>> = {
  switch: 1,
  child: 2,
  withPid: 3,
  migrate: 4,
  tlbFlush: 5,
  lock: 6,
  enterClone: 7,
  exitClone: 8,
  probe: 9,
  countProbe: 10,
};
/** Kinds whose rows need more than their arguments: who called, whether the pointer is an error. */
const LEFT_KINDS: ReadonlySet<number> = new Set([EventKind.mmAccessRet, EventKind.procMemOpenRet]);
/** Words of a plan. */
const Word = {
  action: 0,
  kind: 1,
  alias: 2,
  minLength: 3,
  counted: 4,
  fields: 5,
  sampled: 6,
  first: 8,
} as const;
const FIELD_WORDS = 4;
const SHAPES = { i8: 1, u8: 2, i16: 3, u16: 4, i32: 5, u32: 6, i64: 7, array: 8, dataLoc: 9 } as const;
/** argCode() of lm0. */
const SAMPLE_BASE = 32;
const MAX_SAMPLED = 100;
const MAX_TEXT = 0xffff;

/** Where plans stand in the kernel's memory. */
export interface PlanRoom {
  readonly PLAN_OF: number;
  readonly PLANS: number;
  readonly PLAN_BYTES: number;
  readonly MAX_PLANS: number;
  readonly MAX_FIELDS: number;
  readonly SKIPS: number;
}

/** The plans of one recording that the kernel knows. */
export class KernelPlans {
  readonly #room: PlanRoom;
  readonly #decoder: RecordDecoder;
  readonly #memory: KernelRows;
  /** Ids that are skipped or counted, and their plans' numbers in the kernel. */
  readonly #counted: { readonly id: number; readonly number: number }[] = [];
  #plans = 0;

  constructor(room: PlanRoom, decoder: RecordDecoder, memory: KernelRows) {
    this.#room = room;
    this.#decoder = decoder;
    this.#memory = memory;
  }

  /** Tells the kernel the plan of an id that it leaves, if it can be told. */
  teach(id: number): void {
    const at = this.#room.PLAN_OF + id * 2;
    const { view } = this.#memory;
    if (view.getUint16(at, true) !== 0) return;
    const settled = this.#decoder.settledPlan(id);
    if (settled === null) return;
    const { plan, isAlias } = settled;
    if (plan.probe === null && plan.stock === null) {
      view.setUint16(at, SKIPPED, true);
      this.#counted.push({ id, number: SKIPPED });
      return;
    }
    const number = this.#plans + 1;
    if (number >= this.#room.MAX_PLANS || !this.#write(plan, isAlias, this.#at(number))) return;
    this.#plans = number;
    view.setUint16(at, number, true);
    if (plan.probe !== null) this.#counted.push({ id, number });
  }

  /** Gives the decoder the kernel's counts. */
  count(): void {
    for (const { id, number } of this.#counted) {
      const settled = this.#decoder.settledPlan(id);
      const at = number === SKIPPED ? (this.#room.SKIPS >> 2) + id : this.#at(number) + Word.counted;
      if (settled !== null) this.#decoder.countMany(settled.plan, this.#memory.words[at]!);
    }
  }

  #at(number: number): number {
    return (this.#room.PLANS + number * this.#room.PLAN_BYTES) >> 2;
  }

  #write(plan: Plan, isAlias: boolean, at: number): boolean {
    const { probe, stock, fields } = plan;
    const action =
      probe === null ? stock?.kernel?.action : probe.probe.kind === null ? "countProbe" : "probe";
    const kind = (probe === null ? stock?.kernel?.kind : probe.probe.kind) ?? 0;
    if (action === undefined || LEFT_KINDS.has(kind) || fields.length > this.#room.MAX_FIELDS) return false;
    const words = this.#memory.words;
    words.fill(0, at, at + (this.#room.PLAN_BYTES >> 2));
    words[at + Word.kind] = kind;
    words[at + Word.alias] = isAlias ? 1 : 0;
    words[at + Word.minLength] = plan.minLength;
    words[at + Word.fields] = fields.length;
    this.#writeField(at + Word.first, plan.pid);
    this.#writeField(at + Word.first + FIELD_WORDS, plan.flags);
    const first = at + Word.first + 2 * FIELD_WORDS;
    for (const [i, field] of fields.entries()) {
      if (!this.#writeField(first + i * FIELD_WORDS, field)) return false;
    }
    if (probe !== null && !this.#writeCodes(first, probe.codes, at)) return false;
    words[at + Word.action] = ACTIONS[action];
    return true;
  }

  /** False when the kernel cannot read it. */
  #writeField(at: number, field: Field | null): boolean {
    if (field === null) return true;
    const shape = shapeOf(field);
    if (shape === null || field.size > MAX_TEXT) return false;
    this.#memory.words[at] = field.offset;
    this.#memory.words[at + 1] = shape;
    this.#memory.words[at + 3] = field.size;
    return true;
  }

  /** Sampled CPUs get the places of their first values; their numbers stand in the upper half of the first fields' last words. */
  #writeCodes(first: number, codes: readonly number[], at: number): boolean {
    const cpus: number[] = [];
    for (const [i, code] of codes.entries()) {
      let written = code;
      if (code >= SAMPLE_BASE) {
        const cpu = Math.floor((code - SAMPLE_BASE) / 3);
        if (!cpus.includes(cpu)) cpus.push(cpu);
        written = SAMPLE_BASE + cpus.indexOf(cpu) * 3 + ((code - SAMPLE_BASE) % 3);
      }
      this.#memory.words[first + i * FIELD_WORDS + 2] = written;
    }
    if (cpus.length > MAX_SAMPLED) return false;
    for (const [i, cpu] of cpus.entries()) {
      const word = first + i * FIELD_WORDS + 3;
      this.#memory.words[word] = this.#memory.words[word]! | (cpu << 16);
    }
    this.#memory.words[at + Word.sampled] = cpus.length;
    return true;
  }
}

/** Names are texts whatever their declaration says: stockFields() of decoder.ts. */
function shapeOf({ name, shape, size, isSigned }: Field): number | null {
  if (shape === "data-loc") return SHAPES.dataLoc;
  if (shape === "rel-loc") return null;
  if (shape === "array" || name.endsWith("comm")) return SHAPES.array;
  if (size === 8) return SHAPES.i64;
  if (size === 4) return isSigned ? SHAPES.i32 : SHAPES.u32;
  if (size === 2) return isSigned ? SHAPES.i16 : SHAPES.u16;
  return isSigned ? SHAPES.i8 : SHAPES.u8;
}
