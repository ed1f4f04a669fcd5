// Hardware samples beside the replay's own knowledge: which mm each CPU had loaded at a fork's check. Fed by replay.ts
// with cpu_sample rows; what it compares is `agreement.loaded_mm`, and evidence where no probe shows loads.
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
  readonly #compared: number[] = [];

  constructor(world: World, forks: Forks) {
    this.#world = world;
    this.#forks = forks;
  }

  /** One CPU of the sample that belongs to `attempt`'s check. `lm` pointer id, `switching`: 0x1 was read. */
  add(attempt: Attempt, cpu: number, lm: number, lazy: boolean, switching: boolean): void {
    const f = this.#forks;
    const row = attempt.row;
    if (row < 0) return;
    attempt.sampled = true;
    if (f.cpuSampled[row] === 0) this.#begin(row);
    if (switching && cpu !== f.cpu[row]) f.sampledSwitching[row]! += 1;
    if (!switching && cpu !== f.cpu[row] && lm === f.label[row]) {
      f.sampledLoaded[row]! += 1;
      if (lazy) f.sampledLazy[row]! += 1;
    }
    const label = switching ? -1 : this.#loaded(cpu);
    if (label < 0) return;
    const equal = label === lm ? 1 : 0;
    f.loadedCompared[row]! += 1;
    f.loadedEqual[row]! += equal;
    this.#compared.push(row, cpu, equal, f.seq[row]!);
  }

  /** Events of `cpu` (-1 any) are missing since `fromSeq`: what was claimed of it since then was not known after all. */
  retract(cpu: number, fromSeq: number): void {
    const f = this.#forks;
    const list = this.#compared;
    // In the order of the checks: none before the first old one concerns the gap.
    for (let i = list.length - FIELDS; i >= 0 && list[i + 3]! > fromSeq; i -= FIELDS) {
      const row = list[i]!;
      if (list[i + 1] === RETRACTED || (cpu >= 0 && list[i + 1] !== cpu) || f.seq[row] !== list[i + 3])
        continue;
      f.loadedCompared[row]! -= 1;
      f.loadedEqual[row]! -= list[i + 2]!;
      list[i + 1] = RETRACTED;
    }
  }

  /** A row's sample begins, perhaps again at a later check point. */
  #begin(row: number): void {
    const f = this.#forks;
    f.cpuSampled[row] = 1;
    f.loadedCompared[row] = 0;
    f.loadedEqual[row] = 0;
  }

  /** Pointer id of what the replay says `cpu` has loaded; -1 when unknown or a load is under way. */
  #loaded(cpu: number): number {
    const { cpus, mms } = this.#world;
    if (cpu >= cpus.length || cpus.loaded[cpu] === -1 || cpus.tail[cpu] === Tail.awaited) return -1;
    return cpus.lastSeq[cpu] === cpus.loadSeq[cpu] ? -1 : mms.label[cpus.loaded[cpu]!]!;
  }
}
