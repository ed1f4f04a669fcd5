// From a fork row's bounds and doubts to the two counts a decision may use, each with its evidence. Read by verdicts.ts.
import type { Evidence } from "../table/verdict-tables.ts";
import { DOUBT_NAMES, type Forks } from "./forks.ts";
import type { World } from "./model/world.ts";

/** Which kinds of evidence the recording is known to carry: seen at least once, or declared. */
export interface Armed {
  readonly mmput: boolean;
  readonly newtask: boolean;
  readonly schedSwitch: boolean;
  /** What each switch leads to: the mm that is loaded, or that nothing is. */
  readonly switchTail: boolean;
  readonly khugepaged: boolean;
  readonly useMm: boolean;
  readonly getTaskMm: boolean;
}

/** A count and what it rests on. */
export interface CountValue {
  readonly value: number;
  readonly evidence: Evidence;
}

/** mm_users by replay alone. `at-least` values never exceed the truth. */
export function derivedUsers(world: World, forks: Forks, row: number, armed: Armed): CountValue {
  const life = forks.life.at(row);
  const { mms } = world;
  if (mms.broken[life] === 1) return { value: 1, evidence: "at-least" };
  // Without clone flags nobody knows who shares the mm; without mmput only its known members count.
  if (!armed.newtask) return { value: 1, evidence: "at-least" };
  if (!armed.mmput) return { value: Math.max(1, forks.membersLow.at(row)), evidence: "at-least" };
  const value = Math.max(1, forks.usersLow.at(row));
  const exact =
    armed.newtask &&
    forks.usersDoubt.at(row) === 0 &&
    // A put whose probe lies before the trace may take effect after: no sum proves an older mm's first forks.
    mms.birth[life]! >= 0 &&
    mms.hiddenHolder[life] === 0 &&
    forks.usersLow.at(row) >= 1;
  // Without sched_switch a switch may pass for something else: only exact sums are believed.
  return exact
    ? { value, evidence: "derived" }
    : { value: armed.schedSwitch ? value : 1, evidence: "at-least" };
}

/** mm_count by replay alone. */
export function derivedCount(world: World, forks: Forks, row: number, armed: Armed): CountValue {
  const life = forks.life.at(row);
  const { mms } = world;
  const value = Math.max(1, forks.countLow.at(row));
  const exact =
    armed.schedSwitch &&
    armed.switchTail &&
    armed.khugepaged &&
    armed.mmput &&
    forks.countDoubt.at(row) === 0 &&
    mms.birth[life]! >= 0 &&
    mms.hiddenHolder[life] === 0;
  return { value: armed.schedSwitch ? value : 1, evidence: exact ? "derived" : "at-least" };
}

/** Slugs of what is in doubt about a fork's derived counts. */
export function doubts(
  world: World,
  forks: Forks,
  row: number,
  armed: Armed,
  users: CountValue,
  count: CountValue,
): string[] {
  const out: string[] = [];
  const life = forks.life.at(row);
  let why = 0;
  if (users.evidence !== "derived") why |= forks.usersWhy.at(row);
  if (count.evidence !== "derived") why |= forks.countWhy.at(row);
  DOUBT_NAMES.forEach((name, bit) => {
    if ((why & (1 << bit)) !== 0) out.push(name);
  });
  if (world.mms.hiddenHolder[life] === 1) out.push("hidden-holder");
  if (world.mms.broken[life] === 1) out.push("broken-ledger");
  if (!armed.khugepaged) out.push("khugepaged-not-proven");
  if (!armed.mmput) out.push("no-mmput");
  if (!armed.newtask) out.push("no-task_newtask");
  if (forks.flagsUnknown.at(row) === 1) out.push("clone-flags-unknown");
  if (forks.lost.at(row) === 1) out.push("window-incomplete");
  return out;
}
