// Runs compiled steps over a packet's bits. One walker per stream: it holds the place, the registers and the clock.
import { readBig, readBits } from "./bits.ts";
import { Code, NO_REGISTER, NO_SLOT, type Step } from "./layout.ts";

/** Takes what steps want: numbers (of a clock reading the cycles since the base) and the byte ranges of texts. */
export interface Taker {
  number(slot: number, value: number): void;
  text(slot: number, start: number, end: number): void;
}

/** Elements of one sequence; a packet of the largest size LTTng makes has no more. */
const MAX_ELEMENTS: number = 1 << 26;
const TWO_32 = 0x100000000;

/** A place in a packet that moves on. */
export class Walker {
  bytes: Uint8Array = new Uint8Array(0);
  /** Bit to be read next, and the first that is not the packet's. */
  at = 0;
  end = 0;
  /** Cycles since `base`. */
  cycles = 0;
  base = 0n;
  baseLow = 0;
  baseHigh = 0;
  readonly #registers: Float64Array;

  constructor(registers: number) {
    this.#registers = new Float64Array(registers);
  }

  /** Puts the clock at `cycles` since `base`. */
  setClock(base: bigint, cycles: number): void {
    this.base = base;
    this.baseLow = Number(base & 0xffffffffn);
    this.baseHigh = Number(base >> 32n);
    this.cycles = cycles;
  }

  /** The clock's low 32 bits. */
  lowCycles(): number {
    return (((this.baseLow + this.cycles) % TWO_32) + TWO_32) % TWO_32;
  }

  /** Runs `steps`. False when the packet ends first or a tag selects nothing: the packet is damaged. */
  run(steps: readonly Step[], taker: Taker): boolean {
    for (let i = 0; i < steps.length; i++) {
      const made = steps[i]!;
      // Alignments are powers of two.
      this.at += -this.at & (made.align - 1);
      if (made.code === Code.skip) {
        this.at += made.size;
        if (this.at > this.end) return false;
      } else if (!(made.code === Code.int ? this.#int(made, taker) : this.#other(made, taker))) return false;
    }
    return true;
  }

  #int(made: Step, taker: Taker): boolean {
    const { size, register, slot } = made;
    const from = this.at;
    this.at += size;
    if (this.at > this.end) return false;
    if (made.clockBits > 0) this.#tick(made, from);
    if (register === NO_REGISTER && slot === NO_SLOT) return true;
    if (made.clockBits > 0 && register === NO_REGISTER) {
      taker.number(slot, this.cycles);
      return true;
    }
    const value = readBits(this.bytes, from, size, made.isLittle, made.signed);
    if (register !== NO_REGISTER) this.#registers[register] = value;
    if (slot !== NO_SLOT) taker.number(slot, value);
    return true;
  }

  /** A reading of less than 64 bits replaces the clock's low ones; when they fall, it has wrapped (CTF 1.8.3, section 8). */
  #tick(made: Step, from: number): void {
    const { clockBits, isLittle } = made;
    if (clockBits === 64) {
      // The halves' difference is exact, so their sum is rounded once, as the whole's would be.
      const low = readBits(this.bytes, isLittle ? from : from + 32, 32, isLittle, false);
      const high = readBits(this.bytes, isLittle ? from + 32 : from, 32, isLittle, false);
      this.cycles = (high - this.baseHigh) * TWO_32 + (low - this.baseLow);
      return;
    }
    if (clockBits > 32) {
      const value = readBig(this.bytes, from, clockBits, isLittle);
      const now = this.base + BigInt(this.cycles);
      this.cycles += Number(BigInt.asUintN(clockBits, value - now));
      return;
    }
    const range = 2 ** clockBits;
    const low = this.lowCycles() % range;
    const value = readBits(this.bytes, from, clockBits, isLittle, false);
    this.cycles += value >= low ? value - low : value - low + range;
  }

  #other(made: Step, taker: Taker): boolean {
    switch (made.code) {
      case Code.text:
        return this.#text(made.slot, taker);
      case Code.chars:
        return this.#chars(made.size, made.slot, taker);
      case Code.charSequence:
        return this.#chars(this.#registers[made.register]!, made.slot, taker);
      case Code.repeat:
        return this.#repeat(made.size, made.steps, taker);
      case Code.sequence:
        return this.#repeat(this.#registers[made.register]!, made.steps, taker);
      default: {
        const tag = this.#registers[made.register]!;
        for (const { low, high, steps } of made.choices) {
          if (tag >= low && tag <= high) return this.run(steps, taker);
        }
        return false;
      }
    }
  }

  #text(slot: number, taker: Taker): boolean {
    const start = this.at >>> 3;
    const stop = this.end >>> 3;
    const nul = this.bytes.indexOf(0, start);
    if (nul < 0 || nul >= stop) return false;
    this.at = (nul + 1) * 8;
    if (slot !== NO_SLOT) taker.text(slot, start, nul);
    return true;
  }

  #chars(count: number, slot: number, taker: Taker): boolean {
    const start = this.at >>> 3;
    this.at += count * 8;
    if (!(count >= 0) || this.at > this.end) return false;
    if (slot === NO_SLOT) return true;
    let end = start;
    while (end < start + count && this.bytes[end] !== 0) end++;
    taker.text(slot, start, end);
    return true;
  }

  #repeat(count: number, steps: readonly Step[], taker: Taker): boolean {
    if (!(count >= 0 && count <= MAX_ELEMENTS)) return false;
    const [only] = steps;
    if (steps.length === 0 || count === 0) return true;
    // Elements that follow one another without padding are passed over at once.
    if (steps.length === 1 && only?.code === Code.skip && only.size % only.align === 0 && only.size > 0) {
      this.at += only.size * count;
      return this.at <= this.end;
    }
    for (let i = 0; i < count; i++) {
      const before = this.at;
      if (!this.run(steps, taker)) return false;
      // An element without bits: no count of them moves the place.
      if (this.at === before) return true;
    }
    return true;
  }
}
