// The end of a replay: every fork through every policy, into the result tables. Fed by Replayer's forks, exposures
// and blocked calls; the tables are what analyze reads.

import type { TraceMeta } from "../table/event-batch.ts";
import type { DenialCause, Evidence, Verdict, VerdictTables } from "../table/verdict-tables.ts";
import { EXPOSURE_CLASSES } from "../table/verdict-tables.ts";
import { END, START } from "./attempt.ts";
import { causesOf, sharesOf } from "./attribution.ts";
import { Blocks } from "./blocks.ts";
import { type Armed, type CountValue, derivedCount, derivedUsers } from "./counts.ts";
import { beforeGap, coveredNs, type Exposure, ExposureClass } from "./exposures.ts";
import type { ForkFacts } from "./facts.ts";
import { Doubt, type Forks, NO_SAMPLE } from "./forks.ts";
import { hiddenFrom } from "./hidden.ts";
import { NearMisses } from "./near-misses.ts";
import type { Counted, Entry, Policy } from "./policies/policy.ts";
import { DERIVED_ABOVE_SAMPLE } from "./problems.ts";
import type { Replayer } from "./replay.ts";
import type { Judged } from "./retime.ts";
import { ForkRows } from "./rows.ts";

export interface VerdictOptions {
  readonly policies: readonly Policy[];
  readonly armed: Armed;
  readonly blind: boolean;
  readonly lazySetsDirty: boolean;
  readonly traceIndex: number;
  /** As ReplayOptions.onRows. */
  readonly onRows: () => void;
}

/** Forks of one trace, and those of them whose mm_users or mm_count is not known exactly, or whose window is not measured. */
export interface OpenForks {
  forks: number;
  users: number;
  counts: number;
  windows: number;
}

const RANK: Record<Evidence, number> = { measured: 0, derived: 1, "at-least": 2, assumed: 3, unknown: 4 };

/** Appends all rows of one trace. */
export function writeVerdicts(
  replayer: Replayer,
  meta: TraceMeta,
  options: VerdictOptions,
  into: VerdictTables,
): OpenForks {
  const { forks, windows } = replayer;
  const base = into.forks.total;
  const open: OpenForks = { forks: 0, users: 0, counts: 0, windows: 0 };
  const order = inOrder(forks);
  const factsAt = (row: number): ForkFacts =>
    factsOf(replayer, row, beforeGap(windows.exposures.of(row), forks.gapAt.at(row)), options);
  const blocks = new Blocks(
    replayer,
    {
      policies: options.policies,
      meta,
      order,
      firstId: base,
      judged: (row, policy) => judged(replayer, row, policy, factsAt(row), options),
    },
    into,
  );
  const rows = new ForkRows(into, meta);
  const nearMisses = new NearMisses(rows, forks, replayer.uses.borrows);
  order.forEach((row, position) => {
    const id = base + position;
    forks.focus(row);
    blocks.before(row);
    const facts = factsAt(row);
    const exposed = coveredNs(facts.exposures.filter((e) => isHazard(e, false) && !Number.isNaN(e.end)));
    const exposure = exposureOf(replayer, row, facts, options.armed);
    rows.fork(replayer, row, id, facts, exposure, exposed, options);
    countOpen(open, facts);
    rows.denials(id, facts);
    for (const text of facts.excess) replayer.problems.add(DERIVED_ABOVE_SAMPLE, forks.line.at(row), text);
    for (const e of facts.exposures) rows.exposure(id, e);
    for (const policy of options.policies) {
      const isFast = judge(replayer, row, id, policy, facts, blocks, options, rows, nearMisses);
      blocks.inWindow(row, policy, isFast);
    }
    blocks.after(row);
    options.onRows();
  });
  blocks.finish();
  return open;
}

function countOpen(open: OpenForks, { check, window }: ForkFacts): void {
  open.forks++;
  if (!check.users.exact) open.users++;
  if (!check.count.exact) open.counts++;
  if (window !== "measured") open.windows++;
}

/** Rows of the forks that are any, by the instants of their checks. */
function inOrder({ length, dropped, start }: Forks): Int32Array {
  const rows = new Int32Array(length);
  let kept = 0;
  let isSorted = true;
  let last = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < length; row++) {
    if (dropped.at(row) === 1) continue;
    rows[kept++] = row;
    const at = start.at(row);
    if (at < last) isSorted = false;
    last = at;
  }
  const order = rows.subarray(0, kept);
  return isSorted ? order : order.sort((a, b) => start.at(a) - start.at(b) || a - b);
}

function factsOf(
  replayer: Replayer,
  row: number,
  exposures: readonly Exposure[],
  options: VerdictOptions,
): ForkFacts {
  const { world, forks } = replayer;
  const dUsers = derivedUsers(world, forks, row, options.armed);
  const dCount = derivedCount(world, forks, row, options.armed);
  const users = measured(forks.sampledUsers.at(row), dUsers, options.blind);
  const count = measured(forks.sampledCount.at(row), dCount, options.blind);
  const useSample = forks.cpuSampled.at(row) === 1 && !options.blind && !world.rules.lazyCpumask;
  const mask = useSample
    ? { value: forks.sampledLoaded.at(row), exact: forks.sampledSwitching.at(row) === 0 }
    : derivedMask(replayer, row, options.armed);
  return {
    users,
    count,
    derivedUsers: dUsers,
    derivedCount: dCount,
    shares: {
      users: sharesOf(forks.holders.at(row), "mm_users", users),
      count: sharesOf(forks.holders.at(row), "mm_count", count),
    },
    excess: excess(forks, row, dUsers, dCount),
    check: {
      users: counted(users),
      count: counted(count),
      borrowers: borrowers(replayer, row, count, options.armed),
      otherCpus: mask,
    },
    maskEvidence: useSample ? "measured" : mask.exact ? "derived" : "at-least",
    exposures,
    window: windowKind(replayer, row),
  };
}

function measured(sample: number, derived: CountValue, blind: boolean): CountValue {
  return sample !== NO_SAMPLE && !blind ? { value: sample, evidence: "measured" } : derived;
}

function counted(c: CountValue): Counted {
  return { value: c.value, exact: c.evidence === "measured" || c.evidence === "derived" };
}

/**
 * kthreads on the mm at the check. Exact when a borrower could not have come unseen: with mm_count at 1 there is
 * none; otherwise kthread_use_mm must be visible for the whole life of the mm.
 */
function borrowers(replayer: Replayer, row: number, count: CountValue, armed: Armed): Counted {
  const { world, forks } = replayer;
  const value = forks.borrows.at(row);
  const countIsOne = counted(count).exact && count.value === 1;
  if (countIsOne) return { value: 0, exact: true };
  // Without sched_switch the end of a borrow may have passed for something else.
  if (!armed.schedSwitch) return { value: 0, exact: false };
  const life = forks.life.at(row);
  const visible =
    armed.useMm && world.mms.hiddenBorrow[life] === 0 && forks.lost.at(row) === 0 && !world.lostDuring(life);
  const bornSeen = world.mms.birth[life]! >= 0;
  // An older mm may have been borrowed before the trace began; a count that is wholly explained rules it out.
  const explained =
    count.evidence === "measured" &&
    count.value - 1 <= forks.lazyRefs.at(row) + value + forks.khugepaged.at(row) + forks.ksm.at(row);
  return { value, exact: visible && forks.entering.at(row) === 0 && (bornSeen || explained) };
}

/** CPUs in mm_cpumask besides the forker's, by replay: up to 6.13 those with the mm loaded; later any that ever had it. */
function derivedMask(replayer: Replayer, row: number, armed: Armed): Counted {
  const { world, forks } = replayer;
  // Without both a CPU may have gone on to another mm unseen.
  if (!armed.schedSwitch || !armed.switchTail) return { value: 0, exact: false };
  const life = forks.life.at(row);
  const value = forks.maskOthers.at(row);
  const known =
    forks.maskUnknown.at(row) === 0 &&
    forks.lost.at(row) === 0 &&
    forks.startBy.at(row) !== START.none &&
    world.mms.label[life]! >= 0;
  if (!world.rules.lazyCpumask) return { value, exact: known };
  return { value, exact: known && forks.maskEver.at(row) === 0 };
}

function windowKind({ forks, windows }: Replayer, row: number): "measured" | "bracketed" | "point" {
  const by = forks.startBy.at(row);
  // Where other forks show that they have the lock, this one does in the gap: the wait for it is part of this window.
  const isEarly = by < START.mmap_lock_acquire_returned && by !== START.none;
  if (forks.lost.at(row) === 1 && isEarly && windows.showLock) return "bracketed";
  const endBy = forks.endBy.at(row);
  if (by >= START.dup_mmap && endBy !== END.none && endBy <= END.uprobe_end_dup_mmap) return "measured";
  if (by === START.none || Number.isNaN(forks.end.at(row))) return by === START.none ? "point" : "bracketed";
  return "bracketed";
}

function isHazard(e: Exposure, lazySetsDirty: boolean): boolean {
  return lazySetsDirty || (e.class !== ExposureClass.U4 && e.class !== ExposureClass.U4b);
}

const NO_CAUSES: readonly DenialCause[] = [];

/** Which causes a policy's slow decision has, and the evidence of what made it slow. */
function denial(
  forks: Forks,
  row: number,
  policy: Policy,
  facts: ForkFacts,
): { causes: DenialCause[]; evidence: Evidence } {
  const causes = new Set<DenialCause>();
  let evidence: Evidence = "measured";
  const rest = (e: Evidence): void => {
    if (RANK[e] > RANK[evidence]) evidence = e;
  };
  let denied = false;
  if (policy.reads.includes("users") && facts.users.value > 1) {
    for (const cause of causesOf(facts.shares.users)) causes.add(cause);
    rest(facts.users.evidence);
    denied = true;
  }
  if (policy.reads.includes("count") && facts.count.value > 1) {
    for (const cause of causesOf(facts.shares.count)) causes.add(cause);
    if (!denied) rest(facts.count.evidence);
    denied = true;
  }
  if (policy.reads.includes("borrowers") && facts.check.borrowers.value > 0) {
    causes.add("borrower");
    if (!denied) rest("derived");
  }
  if (policy.reads.includes("cpumask")) {
    for (const cause of maskCauses(forks, row, facts)) causes.add(cause);
    rest(facts.maskEvidence);
  }
  if (policy.reads.length > 0 && causes.size === 0) causes.add("unknown");
  return { causes: [...causes], evidence };
}

function maskCauses(forks: Forks, row: number, facts: ForkFacts): DenialCause[] {
  const out = new Set<DenialCause>();
  for (const e of facts.exposures) {
    if (e.start > forks.start.at(row)) continue;
    if (e.class === ExposureClass.U4 || e.class === ExposureClass.U4b) out.add("lazy-tlb");
    else if (e.class === ExposureClass.U5) out.add("vfork-child");
    else if (e.borrowSeq >= 0) out.add("borrower");
    else out.add("threads");
  }
  if (forks.lazyCpus.at(row) > 0 || (facts.maskEvidence === "measured" && forks.sampledLazy.at(row) > 0))
    out.add("lazy-tlb");
  if (out.size === 0) out.add("unattributed");
  return [...out];
}

/** What the policy makes of a fork by the trace's own times. */
function judged(
  replayer: Replayer,
  row: number,
  policy: Policy,
  facts: ForkFacts,
  options: VerdictOptions,
): Judged {
  const decision = policy.decide(facts.check);
  const verdict =
    decision === "slow" ? null : verdictOf(replayer, row, policy, decision === "fast", facts, options);
  return { check: facts.check, decision, verdict };
}

/** Appends the verdict, and the near miss; returns whether the fork is fast by the trace's own times. */
function judge(
  replayer: Replayer,
  row: number,
  id: number,
  policy: Policy,
  facts: ForkFacts,
  blocks: Blocks,
  options: VerdictOptions,
  rows: ForkRows,
  nearMisses: NearMisses,
): boolean {
  const { forks } = replayer;
  const { decision, verdict } = judged(replayer, row, policy, facts, options);
  // What the design's own waits make of the fork rests on an assumption: where that contradicts the trace's times, neither stands.
  const rejudged = blocks.rejudged.get(row)?.get(policy.id) ?? null;
  const isOpen = decision === "indeterminate" || rejudged !== null;
  const { causes, evidence } =
    decision === "slow" && !isOpen
      ? denial(forks, row, policy, facts)
      : { causes: NO_CAUSES, evidence: fastEvidence(policy, facts) };
  rows.verdict(
    id,
    policy.id,
    rejudged === null ? decision : "indeterminate",
    rejudged === null ? verdict : "indeterminate",
    causes,
    isOpen ? "unknown" : evidence,
    rejudged,
    hiddenFrom(replayer, row, policy, facts.check, options.armed, decision, verdict),
  );
  if (decision === "fast" && verdict !== "unsafe" && policy.serialises.length === 0 && options.armed.useMm)
    nearMisses.append(row, policy, id);
  return decision === "fast";
}

function weaker(a: Evidence, b: Evidence): Evidence {
  return RANK[b] > RANK[a] ? b : a;
}

function fastEvidence(policy: Policy, facts: ForkFacts): Evidence {
  const { reads } = policy;
  let worst: Evidence = "measured";
  if (reads.includes("users")) worst = weaker(worst, facts.users.evidence);
  if (reads.includes("count")) worst = weaker(worst, facts.count.evidence);
  if (reads.includes("cpumask")) worst = weaker(worst, facts.maskEvidence);
  return reads.includes("borrowers") ? weaker(worst, "derived") : worst;
}

/** safe only when nothing could have happened unseen; unsafe as soon as one exposure that the policy lets in is certain. */
function verdictOf(
  replayer: Replayer,
  row: number,
  policy: Policy,
  fast: boolean,
  facts: ForkFacts,
  options: VerdictOptions,
): Verdict {
  const { forks } = replayer;
  if (!fast) return "indeterminate";
  // A get that may or may not have been diverted makes a window neither safe nor unsafe: without switch_mm_irqs_off
  // mm_count may have been above 1 unseen, and mm_users by a get that only its put shows.
  const unsureCounts = !options.armed.switchTail || (forks.usersWhy.at(row) & Doubt.hiddenGet) !== 0;
  const letIn = (e: Exposure, unsure: "yes" | "no"): boolean => {
    const met = metLock(forks, row, e.getSeq);
    const isUnsure = met === "unknown" || e.diverted === "unknown" || unsureCounts;
    const gotInside = met !== "no" && e.diverted !== "no" && (!isUnsure || unsure === "yes");
    const late = { borrowedInside: true, gotInside: true };
    const entry = e.perhapsLate && unsure === "yes" ? late : entryOf(forks, row, policy, e, gotInside);
    return isHazard(e, options.lazySetsDirty) && !policy.keepsOut(entry);
  };
  // One whose ends have one time stamp may not have been at all: which of two CPUs' events came first at that instant is not told.
  const hazards = facts.exposures.filter((e) => e.start !== e.end && letIn(e, "yes"));
  const perhaps = facts.exposures.some((e) => letIn(e, "no"));
  if (hazards.length > 0) {
    // What a task last did on a recorded CPU may be undone on one that was not: it may have left the mm, or had it earlier.
    if (replayer.silentCpus > 0) return "indeterminate";
    if (facts.window === "measured") return "unsafe";
    // A bracket is wider than the window: only what covers it whole is certain to be inside.
    const whole = hazards.some((e) => e.start <= forks.start.at(row) && e.end >= forks.end.at(row));
    return whole && facts.window === "bracketed" ? "unsafe" : "indeterminate";
  }
  return !perhaps && canTell(replayer, row, facts, options.armed) ? "safe" : "indeterminate";
}

function entryOf(forks: Forks, row: number, policy: Policy, e: Exposure, gotInside: boolean): Entry {
  // fork_lock is taken before copy_mm(), so a borrow between the early check point and the lock waits as well.
  const from = policy.holds === "copy_mm" ? forks.earlySeq.at(row) : forks.seq.at(row);
  return { borrowedInside: e.borrowSeq > from, gotInside };
}

/**
 * Was get_task_mm() called at sequence `seq` while the fork held mmap_lock, as the 15 May patch asks (semantics §6 (b))? The
 * lock is held from mmap_lock_acquire_returned on; where that is not recorded, from dup_mmap()'s entry (taken to get it at
 * once) or some time before uprobe_dup_mmap. A bracket begins before the lock by nobody knows how much.
 */
function metLock(forks: Forks, row: number, seq: number): "yes" | "no" | "unknown" {
  const hold = forks.lock.at(row);
  if (hold !== undefined) return seq > hold.seq ? "yes" : "no";
  const by = forks.startBy.at(row);
  const isInside = seq > forks.seq.at(row);
  if (by < START.dup_mmap) return isInside ? "unknown" : "no";
  if (isInside) return "yes";
  return by === START.uprobe_dup_mmap && seq > forks.earlySeq.at(row) ? "unknown" : "no";
}

/** Nothing can have used the mm unseen: the window is whole, borrowers would show, and no CPU is in doubt. */
function canTell(replayer: Replayer, row: number, facts: ForkFacts, armed: Armed): boolean {
  const { forks } = replayer;
  if (forks.lost.at(row) === 1 || Number.isNaN(forks.end.at(row)) || facts.window === "point") return false;
  // Between the entry of clone() and the next sign of the fork nobody was watched.
  if (forks.startBy.at(row) <= START.sys_enter_clone) return false;
  if (!armed.useMm) return false;
  // Both counts 1 at a check made by the owner: no other user task can come, only a new borrower (semantics §0.10).
  const { users, count } = facts.check;
  if (users.exact && users.value === 1 && count.exact && count.value === 1) return true;
  if (!armed.schedSwitch || forks.activeUnknown.at(row) !== 0) return false;
  // Other user tasks: which mm each has is certain only where every load of one is recorded.
  return (users.exact && users.value === 1) || armed.switchTail;
}

function excess(forks: Forks, row: number, users: CountValue, count: CountValue): string[] {
  const out: string[] = [];
  const compare = (name: string, sample: number, { value }: CountValue): void => {
    if (sample !== NO_SAMPLE && value > sample) out.push(`${name} ${sample} sampled, ${value} held`);
  };
  compare("mm_users", forks.sampledUsers.at(row), users);
  compare("mm_count", forks.sampledCount.at(row), count);
  return out;
}

/** Worst class of a fork's exposures; residue counts only when there is nothing else. */
function exposureOf(replayer: Replayer, row: number, facts: ForkFacts, armed: Armed): string {
  let worst = -1;
  for (const e of facts.exposures) {
    const residue = !isHazard(e, false);
    const worstIsResidue = worst === ExposureClass.U4 || worst === ExposureClass.U4b;
    if (worst < 0 || (!residue && (worstIsResidue || e.class < worst))) worst = e.class;
  }
  const residueOnly = worst < 0 || worst === ExposureClass.U4 || worst === ExposureClass.U4b;
  if (residueOnly && !canTell(replayer, row, facts, armed)) return "U7";
  return worst < 0 ? "none" : EXPOSURE_CLASSES[worst]!;
}
