// Hardware samples beside the replay's own knowledge: which mm each CPU had loaded at a fork's check. Fed by replay.ts
// with cpu_sample rows; what it compares is `agreement.loaded_mm`, and evidence where no probe shows loads.
import { Int32Growable } from "../base/growable.ts";
import type { Attempt } from "./attempt.ts";
import type { Forks } from "./forks.ts";
import { Tail, type World } from "./model/world.ts";

/** Numbers a comparison takes. */
const FIELDS = 4;
/** In place of a comparison's cpu, once taken back; cpu -1 means any. */
const RETRACTED = -2;

export class Samples {
  readonly #world: World;
  readonly #forks: Forks;
  /** Comparisons made: fork row, cpu, 1 when equal, number of the check's event. */
  readonly #compared = new Int32Growable();
  /** Of checks up to this one the comparisons are forgotten: no gap on one CPU can begin before them any more. */
  #settled = -1;
  /** Numbers held before the next look at what can be forgotten. */
  #room: number;

  /** `room`: comparisons held at least. */
  constructor(world: World, forks: Forks, room = 16384) {
    this.#world = world;
    this.#forks = forks;
    this.#room = room * FIELDS;
  }

  /** One CPU of the sample that belongs to `attempt`'s check. `lm` pointer id, `switching`: 0x1 was read. */
  add(attempt: Attempt, cpu: number, lm: number, lazy: boolean, switching: boolean): void {
    const f = this.#forks;
    const row = attempt.row;
    if (row < 0) return;
    attempt.sampled = true;
    if (f.cpuSampled.at(row) === 0) this.#begin(row);
    if (switching && cpu !== f.cpu.at(row)) f.sampledSwitching.add(row, 1);
    if (!switching && cpu !== f.cpu.at(row) && lm === f.label.at(row)) {
      f.sampledLoaded.add(row, 1);
      if (lazy) f.sampledLazy.add(row, 1);
    }
    const label = switching ? -1 : this.#loaded(cpu);
    if (label < 0) return;
    const equal = label === lm ? 1 : 0;
    f.loadedCompared.add(row, 1);
    f.loadedEqual.add(row, equal);
    const list = this.#compared;
    if (list.length >= this.#room) this.#forget();
    list.push(row);
    list.push(cpu);
    list.push(equal);
    list.push(f.seq.at(row));
  }

  /** A gap on a CPU begins after the CPU's last event: what was compared before every CPU's last event stands. */
  #forget(): void {
    const { cpus, seq } = this.#world;
    const list = this.#compared;
    let oldest = seq;
    for (let c = 0; c < cpus.length; c++)
      if (cpus.lastSeq[c]! >= 0) oldest = Math.min(oldest, cpus.lastSeq[c]!);
    let from = 0;
    while (from < list.length && list.data[from + 3]! <= oldest) from += FIELDS;
    if (from > 0) this.#settled = list.data[from - 1]!;
    list.data.copyWithin(0, from, list.length);
    list.length -= from;
    this.#room = Math.max(this.#room, 2 * list.length);
  }

  /** Events of `cpu` (-1 any) are missing since `fromSeq`: what was claimed of it since then was not known after all. */
  retract(cpu: number, fromSeq: number): void {
    const f = this.#forks;
    const { data: list, length } = this.#compared;
    if (cpu < 0 && fromSeq < this.#settled) this.#retractSettled(fromSeq);
    // In the order of the checks: none before the first old one concerns the gap.
    for (let i = length - FIELDS; i >= 0 && list[i + 3]! > fromSeq; i -= FIELDS) {
      const row = list[i]!;
      if (list[i + 1] === RETRACTED || (cpu >= 0 && list[i + 1] !== cpu) || f.seq.at(row) !== list[i + 3])
        continue;
      f.loadedCompared.add(row, -1);
      f.loadedEqual.add(row, -list[i + 2]!);
      list[i + 1] = RETRACTED;
    }
  }

  /** A gap on any CPU, of which one may never have been seen. */
  #retractSettled(fromSeq: number): void {
    const f = this.#forks;
    for (let row = 0; row < f.length; row++) {
      if (f.seq.at(row) <= fromSeq || f.seq.at(row) > this.#settled || f.loadedCompared.at(row) <= 0)
        continue;
      f.loadedCompared.set(row, 0);
      f.loadedEqual.set(row, 0);
    }
  }

  /** A row's sample begins, perhaps again at a later check point. */
  #begin(row: number): void {
    const f = this.#forks;
    f.cpuSampled.set(row, 1);
    f.loadedCompared.set(row, 0);
    f.loadedEqual.set(row, 0);
  }

  /** Pointer id of what the replay says `cpu` has loaded; -1 when unknown or a load is under way. */
  #loaded(cpu: number): number {
    const { cpus, mms } = this.#world;
    if (cpu >= cpus.length || cpus.loaded[cpu] === -1 || cpus.tail[cpu] === Tail.awaited) return -1;
    return cpus.lastSeq[cpu] === cpus.loadSeq[cpu] ? -1 : mms.label[cpus.loaded[cpu]!]!;
  }
}
