// Problem codes that only the replay can see: contradictions between events. docs/formats.md lists them.
import type { ProblemKind } from "../base/problem.ts";

export const SWITCH_MISMATCH: ProblemKind = {
  code: "replay/switch-mismatch",
  severity: "data-loss",
  source: "recorder",
  meaning:
    "a CPU ran a task it was never seen switching to: events are missing since its last one, as in a gap the recorder announces",
};

export const WINDOW_CUT: ProblemKind = {
  code: "replay/window-cut",
  severity: "data-loss",
  source: "recorder",
  meaning:
    "a fork's window has no end in the trace; its verdicts are indeterminate where the rest would matter",
};

export const LEDGER_BROKEN: ProblemKind = {
  code: "replay/users-not-zero",
  severity: "data-loss",
  source: "recorder",
  meaning:
    "mm_users did not come to 0 at exit_mmap by the events recorded: a get or put is missing; no mm_users is claimed for that mm",
};

export const DERIVED_ABOVE_SAMPLE: ProblemKind = {
  code: "replay/derived-above-sample",
  severity: "data-loss",
  source: "forkcast",
  meaning:
    "more references to an mm were seen than the count sampled at its fork: the sample is older than its time stamp, or a rule is wrong; the newest references are left out of that fork's account",
};

export const SILENT_CPU: ProblemKind = {
  code: "replay/silent-cpu",
  severity: "data-loss",
  source: "recorder",
  meaning:
    "a CPU shows no event at all: it was not recorded, or idle all the time; what ran there is unknown, and no fork is judged as if nothing had (--assume silent-cpus-idle)",
};

export const CPU_OFFLINE: ProblemKind = {
  code: "replay/cpu-offline",
  severity: "info",
  source: "recorder",
  meaning:
    "a CPU went offline and came back: it shows nothing in between, when kernel tasks alone could run there, and nothing is missing",
};

export const CPU_DROPPED: ProblemKind = {
  code: "replay/cpu-dropped",
  severity: "data-loss",
  source: "recorder",
  meaning:
    "a CPU shows nothing after its hotplug thread ran: perf does not take a CPU up again that was offline, and nobody knows what ran there since; forks after that are not judged as if nothing had",
};

export const BORROW_UNANNOUNCED: ProblemKind = {
  code: "replay/borrow-unannounced",
  severity: "data-loss",
  source: "recorder",
  meaning:
    "a kernel thread took an mm though kthread_use_mm was armed and shows no call: a CPU that went offline (what it loads is init_mm), or a hit that was missed; what is known of mms ends there",
};

export const REPLAY_PROBLEMS: readonly ProblemKind[] = [
  SILENT_CPU,
  CPU_OFFLINE,
  CPU_DROPPED,
  BORROW_UNANNOUNCED,
  SWITCH_MISMATCH,
  WINDOW_CUT,
  LEDGER_BROKEN,
  DERIVED_ABOVE_SAMPLE,
];
