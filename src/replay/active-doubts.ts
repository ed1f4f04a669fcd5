// CPUs that may be using a fork's mm in its window, though nothing says so. Kept by windows.ts; Forks.activeUnknown counts them.
import { Sparse } from "../base/paged.ts";
import type { Forks } from "./forks.ts";

/** In place of a switch's sequence: the CPU was in doubt when the fork was checked. */
export const AT_CHECK = -1;

/** A CPU in doubt, and the sequence of the switch that says so, or AT_CHECK. */
interface ActiveDoubt {
  readonly cpu: number;
  readonly by: number;
}

const NO_DOUBTS: readonly ActiveDoubt[] = [];

/** What activeUnknown counts, by fork, but for lost events; a CPU's doubt can only be settled by what that CPU shows. */
export class ActiveDoubts {
  readonly #forks: Forks;
  readonly #of = new Sparse(NO_DOUBTS);

  constructor(forks: Forks) {
    this.#forks = forks;
  }

  /** A check of `row`: nothing is in doubt yet. */
  begin(row: number): void {
    this.#of.set(row, NO_DOUBTS);
    this.#forks.activeUnknown.set(row, 0);
  }

  add(row: number, cpu: number, by: number): void {
    this.#of.set(row, [...this.#of.at(row), { cpu, by }]);
    this.#forks.activeUnknown.add(row, 1);
  }

  /** What put `row` in doubt on `cpu` is cleared up, if it was that. */
  settle(row: number, cpu: number, by: number): void {
    const doubts = this.#of.at(row);
    const at = doubts.findIndex((doubt) => doubt.cpu === cpu && doubt.by === by);
    if (at < 0) return;
    this.#of.set(row, doubts.length === 1 ? NO_DOUBTS : doubts.toSpliced(at, 1));
    this.#forks.activeUnknown.add(row, -1);
  }
}
