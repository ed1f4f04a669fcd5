// Two paragraphs of the text answer: waits other than for a fork's window, and near misses. Part of text.ts.
import type { TimeUnit } from "../base/time.ts";
import { formatDuration } from "../base/time.ts";
import { plural } from "./figure-text.ts";
import { type Blocked, type NearMisses, referencePolicy } from "./policy-summary.ts";
import { commonUnit, type Summary } from "./summary.ts";

/** One sentence a line, unwrapped: [label, text]. */
export type Labelled = readonly [label: string, text: string];

export function waitTexts(summary: Summary): Labelled[] {
  const unit = commonUnit(summary);
  return Object.entries(summary.policies).flatMap(([id, { blocked, rejudged }]) => {
    if ("not_evaluable" in blocked) return [];
    return [
      ...queueTexts(id, blocked, unit),
      ...forkTexts(id, blocked, unit),
      ...(blocked.reach_next_window > 0
        ? [
            `${id}: ${plural(blocked.reach_next_window, "call")} made late reach a later window, ${rejudged} left open`,
          ]
        : []),
    ].map((text): Labelled => ["waits", text]);
  });
}

function queueTexts(id: string, { queue }: Blocked, unit: TimeUnit): string[] {
  if (queue === undefined || id !== "mmap-lock") return [];
  if ("not_evaluable" in queue) return [`${id} behind other writers: n/e, needs ${queue.not_evaluable}`];
  const most = queue.max_ns === null ? "" : ` (most ${formatDuration(queue.max_ns, unit)})`;
  const unsure =
    queue.perhaps === 0 ? "" : `, ${queue.perhaps} more perhaps (a write lock never seen released)`;
  return [`${id} behind other writers: ${plural(queue.events, "call")}${most}${unsure}`];
}

function forkTexts(id: string, { forks }: Blocked, unit: TimeUnit): string[] {
  if (forks === undefined || forks.events === 0) return [];
  const added = forks.new_ns === null ? "unknown" : formatDuration(forks.new_ns, unit);
  return [
    `${id}: ${plural(forks.events, "fork")} behind a fork of the same mm for ` +
      `${formatDuration(forks.total_ns, unit)}, of which ${added} not in the kernel as recorded`,
  ];
}

export function nearMissTexts(summary: Summary): Labelled[] {
  const id = referencePolicy(summary.policies);
  const misses = (id === null ? undefined : summary.policies[id])?.near_misses;
  if (id === null || misses === undefined) return [];
  if ("not_evaluable" in misses) return [["near miss", `${id}: n/e, needs ${misses.not_evaluable}`]];
  return [["near miss", `${id}: ${missText(misses, commonUnit(summary))}`]];
}

function missText(misses: NearMisses, unit: TimeUnit): string {
  const { windows, with_candidate, min_ns, p50_ns } = misses;
  const of = `${with_candidate} of ${plural(windows, "fast window")}`;
  if (min_ns === null || p50_ns === null) return `a borrow that could have come inside: ${of}`;
  return (
    `nearest borrow ${formatDuration(min_ns, unit)} off a fast window, half ` +
    `${formatDuration(p50_ns, unit)} or more (${of}); could have, as far as recorded`
  );
}
