// Cycles of a trace's clock to nanoseconds since the Epoch, as babeltrace2 counts them. Used by index.ts.
import type { CtfClock } from "./types.ts";

const BILLION = 1_000_000_000n;

/** One clock, with the cycle count that stream times are relative to. */
export class ClockTime {
  /** Seconds and nanoseconds of the reading last converted. */
  hi = 0;
  lo = 0;
  /** Hz. */
  readonly freq: number;
  readonly #base: bigint;
  /** Nanoseconds of the clock's zero. */
  readonly #offsetNs: bigint;
  readonly #baseHi: number;
  readonly #baseLo: number;

  constructor(clock: CtfClock | undefined, base: bigint) {
    const freq = clock === undefined || clock.freq <= 0n ? BILLION : clock.freq;
    this.freq = Number(freq);
    this.#base = base;
    const offset = clock?.offset ?? 0n;
    const seconds = clock?.offsetSeconds ?? 0n;
    this.#offsetNs = seconds * BILLION + (freq === BILLION ? offset : nsOf(offset, Number(freq)));
    const ns = this.#offsetNs + base;
    this.#baseHi = Number(ns / BILLION);
    this.#baseLo = Number(ns % BILLION);
  }

  /** Sets hi and lo for `cycles` since the base. */
  set(cycles: number): void {
    if (this.freq === 1e9) {
      const sum = this.#baseLo + cycles;
      const seconds = Math.floor(sum / 1e9);
      this.hi = this.#baseHi + seconds;
      this.lo = sum - seconds * 1e9;
      return;
    }
    const ns = this.#offsetNs + nsOf(this.#base + BigInt(cycles), this.freq);
    this.hi = Number(ns / BILLION);
    this.lo = Number(ns % BILLION);
  }
}

/** cycles_to_ns(), babeltrace2 src/lib/trace-ir/clock-class.h: in doubles, cut off. */
function nsOf(cycles: bigint, freq: number): bigint {
  return BigInt(Math.floor((1e9 * Number(cycles)) / freq));
}
