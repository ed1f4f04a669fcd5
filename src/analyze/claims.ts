// The claims made on the list in May 2023, each with who made it and what judges it, in a fixed order. Part of summary.ts.
import type { TimeUnit } from "../base/time.ts";
import type { ReplayInfo, ResultTables } from "../table/verdict-tables.ts";
import type { Claim, Judge, Policies } from "./claim.ts";
import { forkerLeaves, idleSpoils, lazyCpus, shareOfOnes } from "./claim-counts.ts";
import { getsFromProc, getsLeadNowhere } from "./claim-gets.ts";
import { neverBlocks, noBorrowerInWindow } from "./claim-locks.ts";

export type { Claim } from "./claim.ts";

interface ClaimRule extends Pick<Claim, "id" | "claim" | "who" | "when"> {
  readonly judge: Judge;
  /** Judged on calls that belong to no fork: a filter of forks does not bear on it. */
  readonly isOfRecording?: true;
}

const TORVALDS = "Linus Torvalds";
const HANSEN = "Dave Hansen";

const RULES: readonly ClaimRule[] = [
  {
    id: "single-threaded-99",
    claim: "At least 99 % of forks come from an mm with mm_users 1.",
    who: TORVALDS,
    when: "2023-05-08",
    judge: (tables) => shareOfOnes(tables, "mm_users", (share) => share >= 0.99),
  },
  {
    id: "count-commonly-1",
    claim: "mm_count is 1 in more than half of all forks.",
    who: TORVALDS,
    when: "2023-05-08",
    judge: (tables) => shareOfOnes(tables, "mm_count", (share) => share > 0.5),
  },
  {
    id: "idle-thread-spoils-count",
    claim: "Where mm_count is above 1, mostly nothing but lazy references (the idle thread) makes it so.",
    who: TORVALDS,
    when: "2023-05-08",
    judge: idleSpoils,
  },
  {
    id: "get-task-mm-no-switch-mm",
    claim: "No reference from get_task_mm leads to a switch_mm (kthread_use_mm) while it is held.",
    who: TORVALDS,
    when: "2023-05-15",
    isOfRecording: true,
    judge: (_tables, _policies, infos) => getsLeadNowhere(infos),
  },
  {
    id: "get-task-mm-mostly-proc",
    claim: "More than half of all get_task_mm references are taken by /proc.",
    who: TORVALDS,
    when: "2023-05-15",
    isOfRecording: true,
    judge: (_tables, _policies, infos) => getsFromProc(infos),
  },
  {
    id: "no-use-mm-during-fork",
    claim: "No kernel thread takes up the mm (kthread_use_mm, or is switched in with it) during a fork.",
    who: TORVALDS,
    when: "2023-05-15",
    judge: (tables, _policies, infos) => noBorrowerInWindow(tables, infos),
  },
  {
    id: "fork-lock-never-contends",
    claim: "fork_lock never makes kthread_use_mm, kthread_unuse_mm or another fork wait.",
    who: TORVALDS,
    when: "2023-05-15",
    judge: (tables, policies) => neverBlocks(tables, policies, "fork-lock"),
  },
  {
    id: "mmap-lock-never-contends",
    claim: "Taking mmap_lock for read in kthread_use_mm never waits, for a fork or another writer.",
    who: TORVALDS,
    when: "2023-05-16",
    judge: (tables, policies) => neverBlocks(tables, policies, "mmap-lock"),
  },
  {
    id: "get-task-mm-never-diverts",
    claim: "get_task_mm never meets a fork on the fast path.",
    who: HANSEN,
    when: "2023-05-15",
    judge: (tables, policies) => neverBlocks(tables, policies, "get-task-mm", "windows"),
  },
  {
    id: "lazy-cpus-per-fork",
    claim: "Some forks find the mm lazily loaded on other CPUs.",
    who: TORVALDS,
    when: "2023-05",
    judge: lazyCpus,
  },
  {
    id: "forker-leaves-lazy-cpus",
    claim: "A forker that moves from core to core leaves CPUs in its wake that hold its mm lazily.",
    who: TORVALDS,
    when: "2023-05",
    judge: forkerLeaves,
  },
];

/** Judges every claim, in a fixed order. `unit`: of all times. `isFiltered`: the tables hold only some of the recording's forks. */
export function claims(
  tables: ResultTables,
  policies: Policies,
  infos: readonly ReplayInfo[],
  unit: TimeUnit,
  isFiltered = false,
): Claim[] {
  return RULES.map(({ judge, isOfRecording, ...claim }) => {
    const outcome = judge(tables, policies, infos, unit);
    const whole =
      isFiltered && isOfRecording === true ? " (of the whole recording, whatever the filter)" : "";
    return { ...claim, ...outcome, detail: outcome.detail + whole };
  });
}
