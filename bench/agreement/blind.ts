// What one blind replay claims, against the samples and against the same replay with them: the tally that every row of
// the report shows.
import { type ForkRow, POLICY_IDS, type VerdictRow } from "../../src/table/verdict-tables.ts";
import type { Outcome } from "../../test/replay/recordings.ts";
import { byKey, keyOf, share } from "./recordings.ts";

/** Figures over any number of forks and recordings. */
export interface Tally {
  sampled: number;
  usersGiven: number;
  usersRight: number;
  /** Sampled forks of recordings in which the holder probes are proven or declared armed. */
  countable: number;
  countGiven: number;
  countRight: number;
  above: number;
  loadedCompared: number;
  loadedEqual: number;
  /** Forks and policies: all that the truth decides, those decided, those decided as in truth. */
  decidable: number;
  decided: number;
  decidedRight: number;
  /** Verdicts over forks and policies that the full evidence gives. */
  judged: number;
  judgedRight: number;
  falseSafe: number;
  falseUnsafe: number;
  /** Claims that differ, but of an instant that is not the sample's: without the best check point the next best is earlier. */
  elsewhere: number;
}

export function emptyTally(): Tally {
  return {
    sampled: 0,
    usersGiven: 0,
    usersRight: 0,
    countable: 0,
    countGiven: 0,
    countRight: 0,
    above: 0,
    loadedCompared: 0,
    loadedEqual: 0,
    decidable: 0,
    decided: 0,
    decidedRight: 0,
    judged: 0,
    judgedRight: 0,
    falseSafe: 0,
    falseUnsafe: 0,
    elsewhere: 0,
  };
}

/**
 * Adds one recording: `ours` claims without samples, `truth` is the replay of the whole recording with them. Checks no more
 * than `slackNs` apart are of one instant.
 */
export function tally(into: Tally, truth: Outcome, ours: Outcome, slackNs = 0n): void {
  const samples = byKey(truth);
  const countable = ours.info.armed.includes("__khugepaged_enter");
  for (const fork of ours.forks) {
    const right = samples.get(keyOf(fork));
    if (right !== undefined) tallyCounts(into, right, fork, countable, slackNs);
    into.loadedCompared += fork.loaded_compared ?? 0;
    into.loadedEqual += fork.loaded_equal ?? 0;
  }
  tallyVerdicts(into, truth, ours, slackNs);
}

function tallyCounts(into: Tally, truth: ForkRow, fork: ForkRow, countable: boolean, slackNs: bigint): void {
  if (truth.sampled_users === null || truth.sampled_count === null) return;
  into.sampled++;
  if (countable) into.countable++;
  const isSameCheck = isSame(truth, fork, slackNs);
  const users = claimOf(fork, "users", truth.sampled_users, isSameCheck);
  const count = claimOf(fork, "count", truth.sampled_count, isSameCheck);
  for (const claim of [users, count]) {
    if (claim === "above") into.above++;
    if (claim === "elsewhere") into.elsewhere++;
  }
  if (users === "right" || users === "wrong") into.usersGiven++;
  if (users === "right") into.usersRight++;
  if (count === "right" || count === "wrong") into.countGiven++;
  if (count === "right") into.countRight++;
}

function claimOf(
  fork: ForkRow,
  which: "users" | "count",
  sample: number,
  isSameCheck: boolean,
): "right" | "wrong" | "bound" | "above" | "elsewhere" {
  const value = fork[`derived_${which}`] ?? 0;
  const isExact = fork[`derived_${which}_evidence`] === "derived";
  if (isExact ? value === sample : value <= sample) return isExact ? "right" : "bound";
  if (!isSameCheck) return "elsewhere";
  return isExact ? "wrong" : "above";
}

function isSame(one: ForkRow, two: ForkRow, slackNs: bigint): boolean {
  const apart = (one.start_ns ?? 0n) - (two.start_ns ?? 0n);
  return apart <= slackNs && -apart <= slackNs;
}

function tallyVerdicts(into: Tally, truth: Outcome, ours: Outcome, slackNs: bigint): void {
  const forks = byKey(ours);
  for (const policy of POLICY_IDS) {
    if (policy === "always-atomic") continue;
    for (const right of truth.verdicts(policy)) {
      const fork = truth.forks[right.fork ?? -1];
      if (fork === undefined || fork.sampled_users === null || right.decision === "indeterminate") continue;
      into.decidable++;
      const known = forks.get(keyOf(fork));
      const claim = ours.verdicts(policy)[known?.fork ?? -1];
      if (known === undefined || claim === undefined) continue;
      tallyDecision(into, right, claim, isSame(fork, known, slackNs));
      tallyVerdict(into, right, claim);
    }
  }
}

function tallyDecision(into: Tally, right: VerdictRow, claim: VerdictRow, isSameCheck: boolean): void {
  if (claim.decision === "indeterminate") return;
  if (right.decision !== claim.decision && !isSameCheck) {
    into.elsewhere++;
    return;
  }
  into.decided++;
  if (right.decision === claim.decision) into.decidedRight++;
}

function tallyVerdict(into: Tally, { verdict: right }: VerdictRow, { verdict: claim }: VerdictRow): void {
  if (right !== "safe" && right !== "unsafe") return;
  into.judged++;
  if (right === claim) into.judgedRight++;
  else if (claim === "safe") into.falseSafe++;
  else if (claim === "unsafe") into.falseUnsafe++;
}

export const TALLY_HEAD =
  "users given     right  count given     right above  loaded mm equal   decided       right  verdicts  f.safe f.unsafe elsewhere";

/** One row of figures; wide enough for the whole corpus. */
export function tallyText(t: Tally): string {
  const of = (right: number, given: number): string => (right === given ? `${given}` : `${right}/${given}`);
  return [
    share(t.usersGiven, t.sampled).padStart(11),
    of(t.usersRight, t.usersGiven).padStart(9),
    share(t.countGiven, t.countable).padStart(12),
    of(t.countRight, t.countGiven).padStart(9),
    String(t.above).padStart(5),
    of(t.loadedEqual, t.loadedCompared).padStart(16),
    share(t.decided, t.decidable).padStart(9),
    of(t.decidedRight, t.decided).padStart(11),
    share(t.judgedRight, t.judged).padStart(9),
    String(t.falseSafe).padStart(7),
    String(t.falseUnsafe).padStart(8),
    String(t.elsewhere).padStart(9),
  ].join(" ");
}
