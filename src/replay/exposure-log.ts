// The exposures of windows that are over, as columns: a fork of a process with threads has one a thread. Filled by windows.ts,
// read by verdicts.ts fork by fork.
import { type PagedFloats, type PagedInts, PagedTable } from "../base/paged.ts";
import type { Diverted, Exposure, ExposureClass } from "./exposures.ts";
import type { Forks } from "./forks.ts";

const DIVERTED: readonly Diverted[] = ["no", "yes", "unknown"];
const NONE: readonly Exposure[] = [];

export class ExposureLog extends PagedTable {
  readonly #forks: Forks;
  readonly #class: PagedInts = this.ints();
  readonly #cpu: PagedInts = this.ints();
  readonly #tid: PagedInts = this.ints();
  readonly #comm: PagedInts = this.ints();
  readonly #start: PagedFloats = this.floats();
  readonly #end: PagedFloats = this.floats();
  readonly #line: PagedFloats = this.floats();
  /** A borrow not yet in force has a sequence that no int32 holds. */
  readonly #borrowSeq: PagedFloats = this.floats();
  readonly #getSeq: PagedInts = this.ints();
  readonly #perhapsLate: PagedInts = this.ints();
  readonly #diverted: PagedInts = this.ints();
  /** The fork's next one, 0 none; a row is one more than its index. */
  readonly #next: PagedInts = this.ints();

  constructor(forks: Forks, pageBits?: number) {
    super(pageBits);
    this.#forks = forks;
  }

  /** `e` is over, or its window is. */
  push(e: Exposure): void {
    const at = this.addRow();
    this.#class.set(at, e.class);
    this.#cpu.set(at, e.cpu);
    this.#tid.set(at, e.tid);
    this.#comm.set(at, e.comm);
    this.#start.set(at, e.start);
    this.#end.set(at, e.end);
    this.#line.set(at, e.line);
    this.#borrowSeq.set(at, e.borrowSeq);
    this.#getSeq.set(at, e.getSeq);
    this.#perhapsLate.set(at, e.perhapsLate ? 1 : 0);
    this.#diverted.set(at, DIVERTED.indexOf(e.diverted));
    const { firstExposure, lastExposure } = this.#forks;
    const last = lastExposure.at(e.fork);
    if (last === 0) firstExposure.set(e.fork, at + 1);
    else this.#next.set(last - 1, at + 1);
    lastExposure.set(e.fork, at + 1);
  }

  /** Those of a fork, in the order in which they came. */
  of(fork: number): readonly Exposure[] {
    const first = this.#forks.firstExposure.at(fork);
    if (first === 0) return NONE;
    const out: Exposure[] = [];
    this.focus(first - 1);
    for (let row = first; row !== 0; row = this.#next.at(row - 1)) out.push(this.#at(fork, row - 1));
    return out;
  }

  #at(fork: number, at: number): Exposure {
    return {
      fork,
      class: this.#class.at(at) as ExposureClass,
      cpu: this.#cpu.at(at),
      tid: this.#tid.at(at),
      comm: this.#comm.at(at),
      start: this.#start.at(at),
      end: this.#end.at(at),
      line: this.#line.at(at),
      borrowSeq: this.#borrowSeq.at(at),
      getSeq: this.#getSeq.at(at),
      perhapsLate: this.#perhapsLate.at(at) === 1,
      diverted: DIVERTED[this.#diverted.at(at)] ?? "no",
    };
  }
}
