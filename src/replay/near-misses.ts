// Near misses: for a fast window that nothing protects, the borrow that came nearest to falling inside it. Which borrows
// could have: semantics §7 (sync-preserving reordering), as laid down in docs/model.md. Called by verdicts.ts.
import { START } from "./attempt.ts";
import type { Forks } from "./forks.ts";
import type { Policy } from "./policies/policy.ts";
import type { ForkRows } from "./rows.ts";
import type { Borrow } from "./uses.ts";

type OrderedBy = "own-cpu" | "task-creation" | "mmap_lock" | "reference" | "window-unknown";

interface NearMiss {
  readonly borrow: Borrow | undefined;
  readonly side: "before" | "after" | undefined;
  /** How far the kthread's run is from where its use would begin inside the window; NaN without a borrow. */
  readonly distance: number;
  /** Between window and use. */
  readonly gap: number;
  /** Why the borrow nearest in time is not the one found. */
  readonly orderedBy: OrderedBy | undefined;
}

const NONE: NearMiss = {
  borrow: undefined,
  side: undefined,
  distance: Number.NaN,
  gap: Number.NaN,
  orderedBy: undefined,
};

const UNKNOWN_WINDOW: NearMiss = { ...NONE, orderedBy: "window-unknown" };

interface Candidate {
  readonly borrow: Borrow;
  readonly side: "before" | "after";
  readonly distance: number;
  readonly gap: number;
  readonly orderedBy: OrderedBy | undefined;
}

/** Appends the near miss of the window at `row`, which `policy` lets take the fast path. `id`: the fork's. */
export function appendNearMiss(into: ForkRows, forks: Forks, row: number, policy: Policy, id: number): void {
  const { borrow, side, distance, gap, orderedBy } = nearMiss(forks, row, policy);
  into.nearMiss(id, policy.id, borrow, side ?? null, distance, gap, orderedBy ?? null);
}

function nearMiss(forks: Forks, row: number, policy: Policy): NearMiss {
  const isPoint = forks.startBy.at(row) === START.none;
  if (isPoint || forks.lost.at(row) === 1 || Number.isNaN(forks.end.at(row))) return UNKNOWN_WINDOW;
  if (forks.borrowsBefore.at(row).length === 0 && forks.borrowsAfter.at(row).length === 0) return NONE;
  const candidates = [
    ...forks.borrowsBefore.at(row).flatMap((borrow) => before(forks, row, policy, borrow)),
    ...forks.borrowsAfter.at(row).map((borrow) => after(forks, row, policy, borrow)),
  ].sort((a, b) => a.distance - b.distance);
  const nearest = candidates.reduce<Candidate | undefined>(
    (best, c) => (best === undefined || c.gap < best.gap ? c : best),
    undefined,
  );
  const found = candidates.find((c) => c.orderedBy === undefined);
  if (found === undefined) return { ...NONE, orderedBy: nearest?.orderedBy };
  return { ...found, orderedBy: nearest === found ? undefined : nearest?.orderedBy };
}

/** A borrow that was over by the check: it could have come later. */
function before(forks: Forks, row: number, policy: Policy, borrow: Borrow): Candidate[] {
  const start = forks.start.at(row);
  // In use at the check: the window itself was judged by that.
  if (!(borrow.to <= start)) return [];
  const gap = start - borrow.to;
  const readsUsers = policy.reads.includes("users");
  const hasRef = !Number.isNaN(borrow.got);
  // mm_users alone does not see a borrow without a reference of its own: it may be in use when the check is made.
  const isUnseen = !hasRef && readsUsers && policy.reads.length === 1;
  const from = readsUsers && hasRef ? borrow.got : borrow.call;
  const distance = isUnseen ? gap : start - from;
  const orderedBy = ordered(forks, row, policy, borrow) ?? (borrow.lockInside ? "mmap_lock" : undefined);
  return [{ borrow, side: "before", distance, gap, orderedBy }];
}

/** A borrow called after the window's end: it could have come earlier. */
function after(forks: Forks, row: number, policy: Policy, borrow: Borrow): Candidate {
  const distance = borrow.call - forks.end.at(row);
  const endSeq = forks.endSeq.at(row);
  const orderedBy =
    ordered(forks, row, policy, borrow) ??
    (borrow.birth > endSeq ? "task-creation" : borrow.lockBefore > endSeq ? "mmap_lock" : undefined);
  return { borrow, side: "after", distance, gap: distance, orderedBy };
}

/** What holds on either side. */
function ordered(forks: Forks, row: number, policy: Policy, borrow: Borrow): OrderedBy | undefined {
  if (borrow.cpu >= 0 && borrow.cpu === forks.cpu.at(row)) return "own-cpu";
  // From get_task_mm to kthread_use_mm takes longer than the window: one of the two is outside wherever the run lies.
  const length = forks.end.at(row) - forks.start.at(row);
  if (policy.reads.includes("users") && borrow.call - borrow.got >= length) return "reference";
  return undefined;
}
