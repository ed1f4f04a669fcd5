// What a blocked task does once it may go on (semantics §6, "Blocked-time model"): its run moves by the wait, up to its next
// voluntary switch-out and along that task only. Where that brings it to a later window, that window is judged again.
// Used by blocks.ts; the rule is laid down in docs/model.md.
import type { PagedFloats } from "../base/paged.ts";
import type { BlockOutcome, Decision, Verdict } from "../table/verdict-tables.ts";
import type { Call } from "./attempt.ts";
import type { Forks } from "./forks.ts";
import type { Check, Counted, Policy } from "./policies/policy.ts";
import type { Hold, Run } from "./uses.ts";

/** A fork under a policy as the trace has it. */
export interface Judged {
  readonly check: Check;
  readonly decision: Decision;
  /** null when slow. */
  readonly verdict: Verdict | null;
}

/** What retiming asks of the forks of the trace. */
export interface ForkLookup {
  readonly forks: Forks;
  /** Fork rows of a life in order of their checks. */
  ofLife(life: number): Int32Array;
  judged(row: number, policy: Policy): Judged;
}

/** A later window that the moved run meets otherwise than the trace has it. */
export interface Reached {
  readonly row: number;
  /** The verdict then, or the decision when it is not fast. */
  readonly verdict: Verdict | Decision;
  /** How long the moved run would wait there; NaN: not at all. */
  readonly wait: number;
  /** It contradicts what the trace's own times say of that window. */
  readonly differs: boolean;
}

export interface Moved {
  readonly outcome: BlockOutcome;
  /** End of what the call took, in the trace; NaN when open or not seen. */
  readonly useEnd: number;
  readonly reached: readonly Reached[];
}

/** Later windows looked at for one call. */
const MOST_WINDOWS = 64;

/** `call` waits until `until`: what follows. */
export function retime(lookup: ForkLookup, policy: Policy, call: Call, until: number): Moved {
  const own = ownHold(call);
  const useEnd = own?.to ?? Number.NaN;
  if (Number.isNaN(until) || own === undefined || (call.run.lost && Number.isNaN(useEnd)))
    return { outcome: "unknown", useEnd, reached: [] };
  const shift = new Shift(call.run, call.at, until - call.at);
  const reached = reachedWindows(lookup, policy, shift, until);
  const outcome =
    reached.length > 0
      ? "reaches-next-window"
      : call.kind === "kthread_unuse_mm"
        ? "ends-late"
        : useEnd <= until
          ? "shifted-whole"
          : "starts-late";
  return { outcome, useEnd, reached };
}

/** What the call took, or for kthread_unuse_mm what it ends. */
function ownHold({ kind, run, seq, life, at }: Call): Hold | undefined {
  if (kind === "kthread_unuse_mm")
    return run.holds.find((h) => h.kind === "borrow" && h.life === life && h.from <= at && !(h.to < at));
  const taken = kind === "kthread_use_mm" ? "borrow" : "ref";
  return run.holds.find((h) => h.kind === taken && h.life === life && h.callSeq === seq);
}

/** A run moved by `by` from `at` on. */
class Shift {
  readonly holds: readonly Hold[];
  readonly #at: number;
  readonly #by: number;
  /** The run's end: what comes after is not moved. */
  readonly #slept: number;

  constructor(run: Run, at: number, by: number) {
    this.#at = at;
    this.#by = by;
    this.#slept = Number.isNaN(run.slept) ? Number.POSITIVE_INFINITY : run.slept;
    this.holds = run.holds.filter((hold) => !(hold.to <= at));
  }

  /** No instant of the run is moved beyond this. */
  get last(): number {
    return this.#slept + this.#by;
  }

  moved(ns: number): number {
    if (Number.isNaN(ns)) return Number.POSITIVE_INFINITY;
    return ns > this.#at && ns <= this.#slept ? ns + this.#by : ns;
  }

  /** How many more of `kind` the task has at `ns` for being late. */
  more(life: number, kind: Hold["kind"], ns: number): number {
    let n = 0;
    for (const hold of this.holds) {
      if (hold.life !== life || hold.kind !== kind) continue;
      if (this.moved(hold.from) <= ns && ns < this.moved(hold.to)) n++;
      if (hold.from <= ns && !(hold.to <= ns)) n--;
    }
    return n;
  }

  /** What is called between the two instants when late, and is not in the trace. */
  newlyInside(life: number, kind: Hold["kind"], from: number, to: number): Hold[] {
    return this.holds.filter((hold) => {
      if (hold.life !== life || hold.kind !== kind || hold.call < this.#at) return false;
      const call = this.callOf(hold);
      return call > from && call < to && !(hold.call > from && hold.call < to);
    });
  }

  /** The blocked call itself is over when the wait is. */
  callOf(hold: Hold): number {
    return hold.call === this.#at ? this.#at + this.#by : this.moved(hold.call);
  }

  /** Call of the reference a borrow rests on, when late; NaN: none. */
  gotFor(borrow: Hold): number {
    const ref = this.holds.findLast(
      (h) =>
        h.kind === "ref" && h.life === borrow.life && h.callSeq < borrow.callSeq && !(h.to < borrow.call),
    );
    return ref === undefined ? Number.NaN : this.callOf(ref);
  }
}

function reachedWindows(lookup: ForkLookup, policy: Policy, shift: Shift, until: number): Reached[] {
  const out: Reached[] = [];
  for (const life of new Set(shift.holds.map((hold) => hold.life))) {
    const rows = lookup.ofLife(life);
    const { start } = lookup.forks;
    let left = MOST_WINDOWS;
    for (let i = firstAfter(rows, start, until); i < rows.length && left > 0; i++, left--) {
      const row = rows[i]!;
      if (start.at(row) > shift.last) break;
      const reached = reach(lookup, policy, shift, life, row);
      if (reached !== undefined) out.push(reached);
    }
  }
  return out.sort((a, b) => lookup.forks.start.at(a.row) - lookup.forks.start.at(b.row));
}

function firstAfter(rows: Int32Array, start: PagedFloats, ns: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start.at(rows[middle]!) < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

function reach(
  lookup: ForkLookup,
  policy: Policy,
  shift: Shift,
  life: number,
  row: number,
): Reached | undefined {
  const { forks } = lookup;
  // fork_lock is taken, and the counts are read, before copy_mm().
  const early = policy.holds === "copy_mm" && !Number.isNaN(forks.early.at(row));
  const check = early ? forks.early.at(row) : forks.start.at(row);
  const end = Number.isNaN(forks.end.at(row)) ? Number.POSITIVE_INFINITY : forks.end.at(row);
  const refs = shift.more(life, "ref", check);
  const borrows = shift.more(life, "borrow", check);
  const lazy = shift.more(life, "lazy", check);
  const inside = shift.newlyInside(life, "borrow", check, end);
  const gets = policy.serialises.includes("get_task_mm") ? shift.newlyInside(life, "ref", check, end) : [];
  if (refs === 0 && borrows === 0 && lazy === 0 && inside.length === 0 && gets.length === 0) return undefined;
  const judged = lookup.judged(row, policy);
  const decision = policy.decide({
    users: plus(judged.check.users, refs, 1),
    count: plus(judged.check.count, borrows + lazy, 1),
    borrowers: plus(judged.check.borrowers, borrows, 0),
    otherCpus: judged.check.otherCpus,
  });
  const isFast = decision === "fast";
  const enters = inside.filter(
    (hold) => !policy.keepsOut({ borrowedInside: true, gotInside: shift.gotFor(hold) > check }),
  );
  const isUnsafe = isFast && enters.length > 0;
  const made = policy.serialises.includes("kthread_use_mm") ? inside : gets;
  const waits = made.length > 0 && Number.isFinite(end) && (isFast || !policy.waitsOnlyWhenFast);
  return {
    row,
    verdict: isUnsafe ? "unsafe" : isFast ? (judged.verdict ?? "indeterminate") : decision,
    wait: waits ? end - Math.min(...made.map((hold) => shift.callOf(hold))) : Number.NaN,
    differs: decision !== judged.decision || (isUnsafe && judged.verdict === "safe"),
  };
}

function plus(counted: Counted, by: number, least: number): Counted {
  return { value: Math.max(least, counted.value + by), exact: counted.exact };
}
