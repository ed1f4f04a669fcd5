// Claims about get_task_mm(): what its references are for. Figures come from each trace's GetCounts. Used by claims.ts.
import type { GetCounts, ReplayInfo } from "../table/verdict-tables.ts";
import { judgeShare, notEvaluable, type Outcome, provenArmed, showsUse } from "./claim.ts";
import { groupDigits } from "./figure-text.ts";

const NO_GETS = "a recording in which somebody calls get_task_mm, with its return probed";

function sum(infos: readonly ReplayInfo[], of: (gets: GetCounts) => number): number {
  return infos.reduce((total, { gets }) => total + of(gets), 0);
}

/** Did a reference from get_task_mm() lead to kthread_use_mm(), by its taker or by a kthread it was handed to? */
export function getsLeadNowhere(infos: readonly ReplayInfo[]): Outcome {
  const gets = sum(infos, (of) => of.gets);
  const led = sum(infos, (of) => of.ledToUse);
  const handed = sum(infos, (of) => of.handedOver);
  const example = infos.find((info) => info.gets.example !== null)?.gets.example ?? null;
  const first =
    example === null
      ? ""
      : `; first: ${example.comm}-${example.tid}, lines ${example.getLine} and ${example.useLine}`;
  const detail = `${groupDigits(led)} of ${groupDigits(gets)} by the task itself, ${handed} by a kthread it was handed to${first}`;
  if (led + handed > 0)
    return {
      verdict: "fails",
      figure: led + handed,
      unit: "events",
      evidence: "derived",
      detail,
      needs: null,
    };
  if (gets === 0) return notEvaluable("events", NO_GETS, "no get_task_mm seen");
  if (!showsUse(infos))
    return notEvaluable("events", "kthread_use_mm", "no proof that kthread_use_mm was probed");
  if (!provenArmed(infos, ["mmput"]))
    return notEvaluable("events", "mmput", "how long a get is held is not seen");
  if (infos.some((info) => !info.gets.isWhole))
    return notEvaluable("events", "a recording without lost events", detail, 0, "at-least");
  return { verdict: "holds", figure: 0, unit: "events", evidence: "derived", detail, needs: null };
}

/** Are most gets taken by functions of fs/proc? Only where the recording names the caller, or a kthread is the taker. */
export function getsFromProc(infos: readonly ReplayInfo[]): Outcome {
  const gets = sum(infos, (of) => of.gets);
  const yes = sum(infos, (of) => of.fromProc);
  const no = sum(infos, (of) => of.fromOther);
  const kthreads = sum(infos, (of) => of.byKthreads);
  const takers = infos.flatMap((info) => info.gets.takers).slice(0, 3);
  const names = takers.map(({ comm, gets: n }) => `${comm} ${groupDigits(n)}`).join(", ");
  const more = `; ${kthreads} by kthreads; most by ${names}`;
  const needs =
    gets === 0
      ? NO_GETS
      : "the caller's name: ftrace text prints (caller <- get_task_mm), trace-cmd and perf an address";
  const none = `${groupDigits(gets)} seen, no caller named${gets === 0 ? "" : more}`;
  return judgeShare(
    { yes, no, unknown: gets - yes - no, evidence: "measured" },
    (share) => share > 0.5,
    notEvaluable("share", needs, none),
    needs,
    more,
  );
}
