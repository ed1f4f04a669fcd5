// Near misses: for a fast window that nothing protects, the borrow that came nearest to falling inside it. Which borrows
// could have: semantics §7 (sync-preserving reordering), as laid down in docs/model.md. Called by verdicts.ts.
import { START } from "./attempt.ts";
import type { BorrowLog } from "./borrow-log.ts";
import type { Forks } from "./forks.ts";
import type { Policy } from "./policies/policy.ts";
import type { ForkRows } from "./rows.ts";

type OrderedBy = "own-cpu" | "task-creation" | "mmap_lock" | "reference" | "window-unknown";

/** A borrow beside a window that could have come inside. */
interface Found {
  /** In the log. */
  readonly borrow: number;
  readonly side: "before" | "after";
  /** How far the kthread's run is from where its use would begin inside the window. */
  readonly distance: number;
  /** Between window and use. */
  readonly gap: number;
}

export interface NearMiss {
  readonly found: Found | undefined;
  /** Why the borrow nearest in time is not the one found. */
  readonly orderedBy: OrderedBy | undefined;
}

const NONE: NearMiss = { found: undefined, orderedBy: undefined };
const UNKNOWN_WINDOW: NearMiss = { found: undefined, orderedBy: "window-unknown" };

/** What is asked of a borrow, read from the log once for all policies. */
interface Neighbour {
  readonly borrow: number;
  readonly call: number;
  readonly to: number;
  readonly got: number;
  readonly isOwnCpu: boolean;
  /** What keeps it on its side of the window under every policy, unless it is the forker's CPU. */
  readonly orderedBy: OrderedBy | undefined;
}

/** The near misses of one fork after the other. */
export class NearMisses {
  readonly #forks: Forks;
  readonly #borrows: BorrowLog;
  readonly #into: ForkRows;
  #row = -1;
  #before: readonly Neighbour[] = [];
  #after: readonly Neighbour[] = [];

  constructor(into: ForkRows, forks: Forks, borrows: BorrowLog) {
    this.#into = into;
    this.#forks = forks;
    this.#borrows = borrows;
  }

  /** Appends the near miss of the window at `row`, which `policy` lets take the fast path. `id`: the fork's. */
  append(row: number, policy: Policy, id: number): void {
    this.#into.nearMiss(id, policy.id, this.#at(row, policy), this.#borrows);
  }

  #at(row: number, policy: Policy): NearMiss {
    const forks = this.#forks;
    const end = forks.end.at(row);
    const isPoint = forks.startBy.at(row) === START.none;
    if (isPoint || forks.lost.at(row) === 1 || Number.isNaN(end)) return UNKNOWN_WINDOW;
    if (forks.borrowBefore.at(row) === 0 && forks.borrowAfter.at(row) === 0) return NONE;
    if (row !== this.#row) this.#read(row);
    return nearest(this.#before, this.#after, forks.start.at(row), end, policy);
  }

  #read(row: number): void {
    const forks = this.#forks;
    const borrows = this.#borrows;
    this.#row = row;
    const start = forks.start.at(row);
    const endSeq = forks.endSeq.at(row);
    this.#before = borrows
      .before(forks, row)
      // In use at the check, or called in the window: the window itself was judged by that.
      .filter((borrow) => borrows.call.at(borrow) < start && borrows.to.at(borrow) <= start)
      .map((borrow) => {
        return this.#neighbour(row, borrow, borrows.lockInside.at(borrow) === 1 ? "mmap_lock" : undefined);
      });
    this.#after = borrows.after(forks, row).map((borrow) => {
      const isMadeLater = borrows.birth.at(borrow) > endSeq;
      const isLockedLater = borrows.lockBefore.at(borrow) > endSeq;
      const orderedBy = isMadeLater ? "task-creation" : isLockedLater ? "mmap_lock" : undefined;
      return this.#neighbour(row, borrow, orderedBy);
    });
  }

  #neighbour(row: number, borrow: number, orderedBy: OrderedBy | undefined): Neighbour {
    const borrows = this.#borrows;
    const cpu = borrows.cpu.at(borrow);
    return {
      borrow,
      call: borrows.call.at(borrow),
      to: borrows.to.at(borrow),
      got: borrows.got.at(borrow),
      isOwnCpu: cpu >= 0 && cpu === this.#forks.cpu.at(row),
      orderedBy,
    };
  }
}

/** The nearest that nothing orders, and what orders the one nearest in time where that is another: by the gap, then by the distance. */
function nearest(
  earlier: readonly Neighbour[],
  later: readonly Neighbour[],
  start: number,
  end: number,
  policy: Policy,
): NearMiss {
  const readsUsers = policy.reads.includes("users");
  let found = -1;
  let foundDistance = Number.POSITIVE_INFINITY;
  let foundGap = Number.POSITIVE_INFINITY;
  let closest = -1;
  let closestDistance = Number.POSITIVE_INFINITY;
  let closestGap = Number.POSITIVE_INFINITY;
  let closestBy: OrderedBy | undefined;
  for (let i = 0; i < earlier.length + later.length; i++) {
    const isEarlier = i < earlier.length;
    const neighbour = isEarlier ? earlier[i]! : later[i - earlier.length]!;
    // Over by the check, it could have come later; called after the window's end, earlier.
    const gap = isEarlier ? start - neighbour.to : neighbour.call - end;
    const distance = isEarlier ? start - runFrom(neighbour, policy, readsUsers) : gap;
    const orderedBy = ordered(neighbour, readsUsers, end - start);
    if (orderedBy === undefined && distance < foundDistance) {
      found = i;
      foundDistance = distance;
      foundGap = gap;
    }
    if (gap < closestGap || (gap === closestGap && distance < closestDistance)) {
      closest = i;
      closestDistance = distance;
      closestGap = gap;
      closestBy = orderedBy;
    }
  }
  if (found < 0) return { found: undefined, orderedBy: closestBy };
  const isEarlier = found < earlier.length;
  const { borrow } = isEarlier ? earlier[found]! : later[found - earlier.length]!;
  const side = isEarlier ? "before" : "after";
  return {
    found: { borrow, side, distance: foundDistance, gap: foundGap },
    orderedBy: closest === found ? undefined : closestBy,
  };
}

/** What of an earlier borrow's run would have to lie behind the check. */
function runFrom({ call, to, got }: Neighbour, policy: Policy, readsUsers: boolean): number {
  const hasRef = !Number.isNaN(got);
  // mm_users alone does not see a borrow without a reference of its own: it may be in use when the check is made.
  if (!hasRef && readsUsers && policy.reads.length === 1) return to;
  return readsUsers && hasRef ? got : call;
}

function ordered(
  { call, got, isOwnCpu, orderedBy }: Neighbour,
  readsUsers: boolean,
  windowNs: number,
): OrderedBy | undefined {
  if (isOwnCpu) return "own-cpu";
  // From get_task_mm to kthread_use_mm takes longer than the window: one of the two is outside wherever the run lies.
  return readsUsers && call - got >= windowNs ? "reference" : orderedBy;
}
