// Claims about what happens while a fork holds its lock: borrowers that come, and who would wait. Used by claims.ts.
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import {
  forks as forkCount,
  NO_FORKS,
  notEvaluable,
  type Outcome,
  type Policies,
  showsUse,
} from "./claim.ts";
import { textAt } from "./rows.ts";
import { plural } from "./statistics.ts";

export function noBorrowerInWindow(tables: VerdictTables, infos: readonly ReplayInfo[]): Outcome {
  const { forks, exposures } = tables;
  const hit = new Set<number>();
  for (let row = 0; row < exposures.length; row++) {
    const kind = exposures.get("class", row);
    const fork = exposures.get("fork", row);
    if ((kind === "U3" || kind === "U3b") && fork !== null) hit.add(fork);
  }
  const detail = `${hit.size} of ${forkCount(forks.length)}`;
  if (hit.size > 0)
    return { verdict: "fails", figure: hit.size, unit: "forks", evidence: "derived", detail, needs: null };
  if (forks.length === 0) return notEvaluable("forks", NO_FORKS, detail);
  if (!showsUse(infos))
    return notEvaluable("forks", "kthread_use_mm", "no proof that kthread_use_mm was probed");
  const undecided = countExposure(tables, "U7");
  if (undecided > 0) {
    const needs = "a recording without lost events or unknown starts";
    return notEvaluable("forks", needs, `${undecided} undecided`, 0, "at-least");
  }
  return { verdict: "holds", figure: 0, unit: "forks", evidence: "derived", detail, needs: null };
}

function countExposure({ forks }: VerdictTables, kind: string): number {
  const exposure = forks.column("exposure");
  let n = 0;
  for (let row = 0; row < forks.length; row++) if (textAt(exposure, exposure.ints.data[row]) === kind) n++;
  return n;
}

/** No call would have waited under the policy `id`. */
export function neverBlocks({ forks }: VerdictTables, policies: Policies, id: string): Outcome {
  const policy = policies[id];
  if (policy === undefined) return notEvaluable("events", `the policy ${id}`, "the policy was not replayed");
  if ("not_evaluable" in policy.blocked) {
    return notEvaluable("events", policy.blocked.not_evaluable, "waits cannot be seen in this recording");
  }
  const { events } = policy.blocked;
  const detail = `${plural(events, "event")} would have waited, in ${forkCount(forks.length)}`;
  if (events > 0)
    return { verdict: "fails", figure: events, unit: "events", evidence: "derived", detail, needs: null };
  if (forks.length === 0) return notEvaluable("events", NO_FORKS, detail);
  if (policy.indeterminate > 0) {
    const needs = `decisions for the ${forkCount(policy.indeterminate)} left indeterminate`;
    return notEvaluable("events", needs, detail, 0, "at-least");
  }
  return { verdict: "holds", figure: 0, unit: "events", evidence: "derived", detail, needs: null };
}
