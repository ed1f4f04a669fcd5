// Every borrow of an mm, as columns, each knowing the mm's borrows before and after it: a fork keeps where it stands among
// them. Filled by uses.ts, read by near-misses.ts.
import { type PagedFloats, type PagedInts, PagedTable } from "../base/paged.ts";
import type { Forks } from "./forks.ts";
import type { Mms } from "./model/mms.ts";

/** Borrows looked at before a window, and after it. */
const MOST_NEIGHBOURS = 8;

/** What is known of a borrow when it takes effect. */
export interface Begun {
  readonly life: number;
  /** The call that led to it where recorded, else when it took effect; ns since the epoch. */
  readonly call: number;
  readonly tid: number;
  readonly comm: number;
  readonly cpu: number;
  readonly line: number;
  /** kthread_use_mm itself was recorded, not just its switch_mm_irqs_off. */
  readonly isCallSeen: boolean;
  /** Call of the get_task_mm() whose reference it holds meanwhile; NaN: none of its own. */
  readonly got: number;
  /** Sequence since which all it needs exists; -1 before the trace, or unknown. */
  readonly birth: number;
  /** Sequence of its last mmap_lock on this mm before the call; -1 none. */
  readonly lockBefore: number;
}

/** Rows in the order in which borrows took effect; meanings as in Begun. */
export class BorrowLog extends PagedTable {
  readonly call: PagedFloats = this.floats();
  /** NaN while it lasts. */
  readonly to: PagedFloats = this.floats();
  readonly tid: PagedInts = this.ints();
  readonly comm: PagedInts = this.ints();
  readonly cpu: PagedInts = this.ints();
  readonly line: PagedFloats = this.floats();
  readonly isCallSeen: PagedInts = this.ints();
  readonly got: PagedFloats = this.floats();
  readonly birth: PagedInts = this.ints();
  readonly lockBefore: PagedInts = this.ints();
  /** 1: it took this mm's mmap_lock while it lasted. */
  readonly lockInside: PagedInts = this.ints();
  /** The mm's borrow before it and after it, each one more than its row; 0 none. */
  readonly #before: PagedInts = this.ints();
  readonly #after: PagedInts = this.ints();

  /** Its row. */
  add(begun: Begun, mms: Mms, forks: Forks): number {
    const row = this.addRow();
    this.call.set(row, begun.call);
    this.to.set(row, Number.NaN);
    this.tid.set(row, begun.tid);
    this.comm.set(row, begun.comm);
    this.cpu.set(row, begun.cpu);
    this.line.set(row, begun.line);
    this.isCallSeen.set(row, begun.isCallSeen ? 1 : 0);
    this.got.set(row, begun.got);
    this.birth.set(row, begun.birth);
    this.lockBefore.set(row, begun.lockBefore);
    const last = mms.lastBorrow[begun.life]!;
    this.#before.set(row, last);
    if (last > 0) this.#after.set(last - 1, row + 1);
    else
      for (let fork = mms.lastFork[begun.life]!; fork >= 0; fork = forks.prev.at(fork))
        if (!Number.isNaN(forks.end.at(fork))) forks.borrowAfter.set(fork, row + 1);
    mms.lastBorrow[begun.life] = row + 1;
    return row;
  }

  /** The window of `fork` ends now. */
  windowEnds(fork: number, mms: Mms, forks: Forks): void {
    forks.borrowBefore.set(fork, mms.lastBorrow[forks.life.at(fork)]!);
  }

  /** Rows of the mm's latest borrows by the end of the fork's window, oldest first. */
  before(forks: Forks, fork: number): number[] {
    const out: number[] = [];
    let at = forks.borrowBefore.at(fork);
    for (; at > 0 && out.length < MOST_NEIGHBOURS; at = this.#before.at(at - 1)) out.push(at - 1);
    return out.reverse();
  }

  /** Rows of the mm's first borrows after the fork's window, in order. */
  after(forks: Forks, fork: number): number[] {
    const out: number[] = [];
    const last = forks.borrowBefore.at(fork);
    let at = last > 0 ? this.#after.at(last - 1) : forks.borrowAfter.at(fork);
    for (; at > 0 && out.length < MOST_NEIGHBOURS; at = this.#after.at(at - 1)) out.push(at - 1);
    return out;
  }
}
