// Claims about what happens while a fork holds its lock: borrowers that come, and who would wait. Used by claims.ts.
import type { ReplayInfo, ResultTables } from "../table/verdict-tables.ts";
import {
  forks as forkCount,
  NO_FORKS,
  notEvaluable,
  type Outcome,
  type Policies,
  showsUse,
} from "./claim.ts";
import { plural } from "./figure-text.ts";
import type { Blocked } from "./policy-summary.ts";
import { countTexts, eachRow } from "./rows.ts";

export function noBorrowerInWindow(tables: ResultTables, infos: readonly ReplayInfo[]): Outcome {
  const { forks } = tables;
  const hit = borrowedForks(tables);
  const detail = `${hit} of ${forkCount(forks.length)}`;
  if (hit > 0)
    return { verdict: "fails", figure: hit, unit: "forks", evidence: "derived", detail, needs: null };
  if (forks.length === 0) return notEvaluable("forks", NO_FORKS, detail);
  if (!showsUse(infos))
    return notEvaluable("forks", "kthread_use_mm", "no proof that kthread_use_mm was probed");
  const undecided = countTexts(forks, "exposure").get("U7") ?? 0;
  if (undecided > 0) {
    const needs = "a recording without lost events or unknown starts";
    return notEvaluable("forks", needs, `${undecided} undecided`, 0, "at-least");
  }
  return { verdict: "holds", figure: 0, unit: "forks", evidence: "derived", detail, needs: null };
}

/** Forks with a borrower in their window; the rows of a fork lie together. */
function borrowedForks({ exposures }: ResultTables): number {
  let hit = 0;
  let last: number | null = null;
  eachRow(exposures, ["class", "fork"], (batch, row) => {
    const kind = batch.get("class", row);
    const fork = batch.get("fork", row);
    if ((kind !== "U3" && kind !== "U3b") || fork === null || fork === last) return;
    hit++;
    last = fork;
  });
  return hit;
}

/** Forks of whose window events are missing. */
function windowsWithGaps(forks: ResultTables["forks"]): number {
  let cut = 0;
  eachRow(forks, ["doubts"], (batch, row) => {
    if (batch.get("doubts", row)?.includes("window-incomplete") === true) cut++;
  });
  return cut;
}

/** What a claim of no wait is about: forks' windows alone, or all who wait for the design's lock. */
type Scope = "windows" | "lock";

/**
 * Nothing would have waited for the lock of the policy `id`: no call inside a fork's window; with scope "lock" also none behind
 * another writer of mmap_lock, where that is its lock, and else no fork behind a fork. (Where mmap_lock is the lock, forks wait
 * for each other in the kernel as it is.)
 */
export function neverBlocks(
  { forks }: ResultTables,
  policies: Policies,
  id: string,
  scope: Scope = "lock",
): Outcome {
  const policy = policies[id];
  if (policy === undefined) return notEvaluable("events", `the policy ${id}`, "the policy was not replayed");
  if ("not_evaluable" in policy.blocked) {
    return notEvaluable("events", policy.blocked.not_evaluable, "waits cannot be seen in this recording");
  }
  const { events, parts, needs } = waitsOf(policy.blocked, scope);
  const detail = [
    `${plural(events, "event")} would have waited, in ${forkCount(forks.length)}`,
    ...parts,
  ].join(", ");
  const evidence = needs === null ? "derived" : "at-least";
  if (events > 0) return { verdict: "fails", figure: events, unit: "events", evidence, detail, needs: null };
  if (forks.length === 0) return notEvaluable("events", NO_FORKS, detail);
  if (needs !== null) return notEvaluable("events", needs, detail, 0, "at-least");
  const cut = windowsWithGaps(forks);
  if (cut > 0) {
    const whole = `a recording without lost events: ${plural(cut, "window")} may have more`;
    return notEvaluable("events", whole, detail, 0, "at-least");
  }
  if (policy.indeterminate > 0) {
    const decisions = `decisions for the ${forkCount(policy.indeterminate)} left indeterminate`;
    return notEvaluable("events", decisions, detail, 0, "at-least");
  }
  return { verdict: "holds", figure: 0, unit: "events", evidence: "derived", detail, needs: null };
}

/** `needs`: what would show waits that this recording may hide; null: none are hidden. */
function waitsOf(
  { events, queue, forks: behind }: Blocked,
  scope: Scope,
): { readonly events: number; readonly parts: readonly string[]; readonly needs: string | null } {
  if (scope === "windows") return { events, parts: [], needs: null };
  if (queue === undefined) {
    const forked = behind?.events ?? 0;
    const parts = forked === 0 ? [] : [`${forked} of them forks behind forks`];
    return { events: events + forked, parts, needs: null };
  }
  if ("not_evaluable" in queue) return { events, parts: [], needs: queue.not_evaluable };
  const parts = queue.events === 0 ? [] : [`${queue.events} of them behind other writers`];
  const needs = queue.perhaps === 0 ? null : "mmap_lock events without a filter: a downgrade hides a release";
  return { events: events + queue.events, parts, needs };
}
