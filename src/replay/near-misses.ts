// Near misses: for a fast window that nothing protects, the borrow that came nearest to falling inside it. Which borrows
// could have: semantics §7 (sync-preserving reordering), as laid down in docs/model.md. Called by verdicts.ts.
import { START } from "./attempt.ts";
import type { BorrowLog } from "./borrow-log.ts";
import type { Forks } from "./forks.ts";
import type { Policy } from "./policies/policy.ts";
import type { ForkRows } from "./rows.ts";

type OrderedBy = "own-cpu" | "task-creation" | "mmap_lock" | "reference" | "window-unknown";

/** A borrow beside a window. */
interface Candidate {
  /** In the log. */
  readonly borrow: number;
  readonly side: "before" | "after";
  /** How far the kthread's run is from where its use would begin inside the window. */
  readonly distance: number;
  /** Between window and use. */
  readonly gap: number;
  /** Why it could not have come inside. */
  readonly orderedBy: OrderedBy | undefined;
}

export interface NearMiss {
  readonly found: Candidate | undefined;
  /** Why the borrow nearest in time is not the one found. */
  readonly orderedBy: OrderedBy | undefined;
}

const NONE: NearMiss = { found: undefined, orderedBy: undefined };
const UNKNOWN_WINDOW: NearMiss = { found: undefined, orderedBy: "window-unknown" };

/** A fork's window, and the mm's borrows. */
interface Window {
  readonly forks: Forks;
  readonly row: number;
  readonly borrows: BorrowLog;
}

/** Appends the near miss of the window at `row`, which `policy` lets take the fast path. `id`: the fork's. */
export function appendNearMiss(into: ForkRows, window: Window, policy: Policy, id: number): void {
  into.nearMiss(id, policy.id, nearMiss(window, policy), window.borrows);
}

function nearMiss(window: Window, policy: Policy): NearMiss {
  const { forks, row, borrows } = window;
  const isPoint = forks.startBy.at(row) === START.none;
  if (isPoint || forks.lost.at(row) === 1 || Number.isNaN(forks.end.at(row))) return UNKNOWN_WINDOW;
  if (forks.borrowBefore.at(row) === 0 && forks.borrowAfter.at(row) === 0) return NONE;
  let found: Candidate | undefined;
  let nearest: Candidate | undefined;
  const consider = (c: Candidate): void => {
    if (c.orderedBy === undefined && (found === undefined || c.distance < found.distance)) found = c;
    const isNearer =
      nearest === undefined ||
      c.gap < nearest.gap ||
      (c.gap === nearest.gap && c.distance < nearest.distance);
    if (isNearer) nearest = c;
  };
  const start = forks.start.at(row);
  for (const borrow of borrows.before(forks, row)) {
    // In use at the check, or called in the window: the window itself was judged by that.
    if (borrows.call.at(borrow) < start && borrows.to.at(borrow) <= start)
      consider(before(window, policy, borrow));
  }
  for (const borrow of borrows.after(forks, row)) consider(after(window, policy, borrow));
  return { found, orderedBy: nearest === found ? undefined : nearest?.orderedBy };
}

/** A borrow that was over by the check: it could have come later. */
function before(window: Window, policy: Policy, borrow: number): Candidate {
  const { forks, row, borrows } = window;
  const start = forks.start.at(row);
  const gap = start - borrows.to.at(borrow);
  const got = borrows.got.at(borrow);
  const readsUsers = policy.reads.includes("users");
  const hasRef = !Number.isNaN(got);
  // mm_users alone does not see a borrow without a reference of its own: it may be in use when the check is made.
  const isUnseen = !hasRef && readsUsers && policy.reads.length === 1;
  const distance = isUnseen ? gap : start - (readsUsers && hasRef ? got : borrows.call.at(borrow));
  const isLocked = borrows.lockInside.at(borrow) === 1;
  const orderedBy = ordered(window, policy, borrow) ?? (isLocked ? "mmap_lock" : undefined);
  return { borrow, side: "before", distance, gap, orderedBy };
}

/** A borrow called after the window's end: it could have come earlier. */
function after(window: Window, policy: Policy, borrow: number): Candidate {
  const { forks, row, borrows } = window;
  const distance = borrows.call.at(borrow) - forks.end.at(row);
  const endSeq = forks.endSeq.at(row);
  const isMadeLater = borrows.birth.at(borrow) > endSeq;
  const isLockedLater = borrows.lockBefore.at(borrow) > endSeq;
  const orderedBy =
    ordered(window, policy, borrow) ??
    (isMadeLater ? "task-creation" : isLockedLater ? "mmap_lock" : undefined);
  return { borrow, side: "after", distance, gap: distance, orderedBy };
}

/** What holds on either side. */
function ordered({ forks, row, borrows }: Window, policy: Policy, borrow: number): OrderedBy | undefined {
  const cpu = borrows.cpu.at(borrow);
  if (cpu >= 0 && cpu === forks.cpu.at(row)) return "own-cpu";
  // From get_task_mm to kthread_use_mm takes longer than the window: one of the two is outside wherever the run lies.
  const length = forks.end.at(row) - forks.start.at(row);
  if (policy.reads.includes("users") && borrows.call.at(borrow) - borrows.got.at(borrow) >= length)
    return "reference";
  return undefined;
}
