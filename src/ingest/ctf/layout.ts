// Compiles a CTF type into a list of steps that walk over its bits: what is wanted goes to a slot, what a length or a tag
// needs goes to a register, the rest is stepped over. Made once per event class by index.ts, run by packet.ts.
import { InputError } from "../../base/errors.ts";
import type { ArrayType, CtfType, IntType, StructType, VariantType } from "./types.ts";

/** Kinds of step. */
export const Code = {
  /** Bits that nobody wants. */
  skip: 0,
  int: 1,
  /** Bytes up to a NUL. */
  text: 2,
  /** A fixed number of characters. */
  chars: 3,
  /** The same, their number in a register. */
  charSequence: 4,
  /** Steps repeated a fixed number of times, or as often as a register says. */
  repeat: 5,
  sequence: 6,
  variant: 7,
} as const;

export const NO_SLOT = -1;
export const NO_REGISTER = -1;

/** One alternative of a variant: tags from `low` to `high`. */
export interface Choice {
  readonly low: number;
  readonly high: number;
  readonly steps: readonly Step[];
}

/** A step. Every step has all properties, so that the walk sees one shape. */
export interface Step {
  readonly code: number;
  /** Alignment of its start, bits. */
  readonly align: number;
  /** Bits of an int or a skip; elements of chars and repeat. */
  size: number;
  readonly signed: boolean;
  readonly isLittle: boolean;
  readonly slot: number;
  /** Where an int is kept for later steps; where a sequence or variant finds its length or tag. */
  register: number;
  /** Of a clock reading: its bits; else 0. */
  readonly clockBits: number;
  readonly steps: readonly Step[];
  readonly choices: readonly Choice[];
}

/** What the compiled steps refer to. */
interface Place {
  readonly step: Step;
  readonly type: CtfType;
}

/** Steps more than this for one class are no event class of LTTng's (the largest has some dozen). */
const MAX_STEPS = 65536;

/** Compiles the types of one trace. Registers are shared by all steps of the trace. */
export class LayoutCompiler {
  /** Registers handed out so far. */
  registers = 0;
  readonly #isLittle: boolean;
  readonly #path: string;
  #steps = 0;
  #slots: ReadonlyMap<string, number> = new Map();
  /** Fields read so far, innermost structure last. */
  readonly #scopes: Map<string, Place>[] = [];

  constructor(isLittle: boolean, path: string) {
    this.#isLittle = isLittle;
    this.#path = path;
  }

  /** Steps over a value of `type`; fields named in `slots` (at any depth) go to their slot. null: no steps. */
  compile(type: CtfType | null, slots: ReadonlyMap<string, number>): readonly Step[] {
    if (type === null) return [];
    this.#slots = slots;
    this.#steps = 0;
    const steps: Step[] = [];
    this.#add(steps, "", type);
    return merged(steps);
  }

  #add(out: Step[], name: string, type: CtfType): void {
    if (++this.#steps > MAX_STEPS) this.#fail("an event class is larger than any LTTng has");
    switch (type.kind) {
      case "int":
        this.#addInt(out, name, type, type);
        return;
      case "enum":
        this.#addInt(out, name, type.base, type);
        return;
      case "float":
        out.push(step({ code: Code.skip, align: type.align, size: type.size }));
        return;
      case "string":
        out.push(step({ code: Code.text, align: 8, slot: this.#slot(name) }));
        return;
      case "struct":
        this.#addStruct(out, type);
        return;
      case "variant":
        this.#addVariant(out, type);
        return;
      case "array":
        this.#addArray(out, name, type);
        return;
    }
  }

  #addInt(out: Step[], name: string, int: IntType, type: CtfType): void {
    const made = step({
      code: Code.int,
      align: int.align,
      size: int.size,
      signed: int.signed,
      isLittle: int.order === "native" ? this.#isLittle : int.order === "le",
      slot: this.#slot(name),
      clockBits: int.clock === "" ? 0 : int.size,
    });
    out.push(made);
    if (name !== "") this.#scopes.at(-1)?.set(name, { step: made, type });
  }

  #addStruct(out: Step[], type: StructType): void {
    const align = alignOf(type);
    if (align > 1) out.push(step({ code: Code.skip, align, size: 0 }));
    this.#scopes.push(new Map());
    for (const field of type.fields) this.#add(out, field.name, field.type);
    this.#scopes.pop();
  }

  #addVariant(out: Step[], type: VariantType): void {
    const tag = this.#find(type.tag);
    if (tag.type.kind !== "enum") this.#fail(`the tag ${type.tag} of a variant is no enumeration`);
    const { ranges } = tag.type;
    const choices: Choice[] = [];
    for (const option of type.options) {
      const steps: Step[] = [];
      this.#add(steps, option.name, option.type);
      for (const { label, low, high } of ranges) {
        if (label.replace(/^_/, "") === option.name)
          choices.push({ low: Number(low), high: Number(high), steps: merged(steps) });
      }
    }
    out.push(step({ code: Code.variant, register: this.#registerOf(tag.step), choices }));
  }

  #addArray(out: Step[], name: string, type: ArrayType): void {
    const { element, length } = type;
    const align = alignOf(element);
    const isText = element.kind === "int" && element.isText && element.size === 8 && element.align <= 8;
    if (typeof length === "number") {
      if (isText) {
        out.push(step({ code: Code.chars, align: 8, size: length, slot: this.#slot(name) }));
        return;
      }
      out.push(step({ code: Code.repeat, align, size: length, steps: this.#element(element) }));
      return;
    }
    const register = this.#registerOf(this.#find(length).step);
    if (isText) out.push(step({ code: Code.charSequence, align: 8, slot: this.#slot(name), register }));
    else out.push(step({ code: Code.sequence, align, register, steps: this.#element(element) }));
  }

  #element(type: CtfType): readonly Step[] {
    const steps: Step[] = [];
    this.#add(steps, "", type);
    return merged(steps);
  }

  #slot(name: string): number {
    return name === "" ? NO_SLOT : (this.#slots.get(name) ?? NO_SLOT);
  }

  /** The field a length or a tag names, searched from the innermost structure outwards. */
  #find(path: string): Place {
    const name = path.slice(path.lastIndexOf(".") + 1).replace(/^_/, "");
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]!.get(name);
      if (found !== undefined) return found;
    }
    return this.#fail(`no integer ${path} stands before the field that needs it`);
  }

  #registerOf(made: Step): number {
    if (made.register === NO_REGISTER) made.register = this.registers++;
    return made.register;
  }

  #fail(what: string): never {
    throw new InputError("ctf/bad-metadata", `${this.#path}: its metadata: ${what}`);
  }
}

function step(of: Partial<Step> & { readonly code: number }): Step {
  return {
    align: 1,
    size: 0,
    signed: false,
    isLittle: true,
    slot: NO_SLOT,
    register: NO_REGISTER,
    clockBits: 0,
    steps: [],
    choices: [],
    ...of,
  };
}

/** Alignment of a type's start: the largest of its parts' (CTF 1.8.3, 4.2.1). */
function alignOf(type: CtfType): number {
  switch (type.kind) {
    case "int":
    case "float":
      return type.align;
    case "enum":
      return type.base.align;
    case "string":
      return 8;
    case "struct":
      return type.fields.reduce((align, field) => Math.max(align, alignOf(field.type)), type.align);
    case "array":
      return alignOf(type.element);
    case "variant":
      return 1;
  }
}

/**
 * Neighbours that nobody wants become one step. Registers are given while later fields compile, so this runs when a
 * structure is complete; an int that got one stays.
 */
function merged(steps: readonly Step[]): readonly Step[] {
  const out: Step[] = [];
  for (const made of steps) {
    const skipped = asSkip(made);
    const last = out.at(-1);
    const joins =
      skipped !== null &&
      last?.code === Code.skip &&
      skipped.align <= 8 &&
      last.size % 8 === 0 &&
      skipped.size % 8 === 0 &&
      last.align >= 8;
    if (joins && last !== undefined) last.size += skipped.size;
    else out.push(skipped ?? made);
  }
  return out;
}

/** The step as plain bits to pass over; null when it does more. Only for steps nothing refers to. */
function asSkip(made: Step): Step | null {
  const { code, slot, register, clockBits, align, size } = made;
  if (code === Code.skip) return { ...made };
  if (code === Code.int && slot === NO_SLOT && register === NO_REGISTER && clockBits === 0)
    return step({ code: Code.skip, align, size });
  if (code === Code.chars && slot === NO_SLOT) return step({ code: Code.skip, align, size: size * 8 });
  return null;
}
