// What the replay knows of an mm's counts at one instant, written into a fork's row: lower bounds, open doubts with their
// reasons, and the holders it counted, by cause. Called by windows.ts at every check point of a fork.
import { Doubt, type Forks } from "./forks.ts";
import { holdersOf } from "./holders.ts";
import { Divert, UNKNOWN_LIFE, type World } from "./model/world.ts";

/** Doubts being collected: how many are open, and why. */
interface Doubts {
  open: number;
  why: number;
}

function doubt(d: Doubts, condition: boolean, why: number, n = 1): void {
  if (!condition || n === 0) return;
  d.open += n;
  d.why |= why;
}

/**
 * Fills the counts of `row` from the world as it stands. `task` forks `life` on `cpu`. `loadsVisible`: CR3 loads are
 * recorded, so that a lazy CPU that was flushed shows.
 */
export function evaluate(
  world: World,
  f: Forks,
  row: number,
  task: number,
  life: number,
  cpu: number,
  loadsVisible: boolean,
): void {
  evaluateUsers(world, f, row, life);
  evaluateCount(world, f, row, life, cpu);
  f.holders.set(row, holdersOf(world, task, life));
  evaluateMask(world, f, row, life, cpu, loadsVisible);
}

function evaluateUsers(world: World, f: Forks, row: number, life: number): void {
  const { mms } = world;
  const d: Doubts = { open: 0, why: mms.birth[life]! < 0 ? Doubt.predates : 0 };
  const lost = world.lostDuring(life);
  const ambiguous = mms.ambiguous[life]?.length ?? 0;
  doubt(d, lost, Doubt.lostEvents);
  doubt(d, mms.pendingPuts[life]! > 0, Doubt.pendingPut);
  doubt(d, true, Doubt.hiddenGet, ambiguous);
  doubt(d, mms.openGets[life]! > 0, Doubt.unfinishedGet);
  f.usersLow.set(row, lost ? 1 : mms.sum[life]! - ambiguous);
  f.membersLow.set(row, lost ? 1 : mms.members[life]!);
  f.usersDoubt.set(row, d.open);
  f.usersWhy.set(row, d.why);
}

function evaluateCount(world: World, f: Forks, row: number, life: number, cpu: number): void {
  const { mms, cpus } = world;
  const d: Doubts = { open: 0, why: 0 };
  const lost = world.lostDuring(life);
  doubt(d, mms.birth[life]! < 0, Doubt.predates);
  doubt(d, lost, Doubt.lostEvents);
  let lazyRefs = 0;
  let grabs = 0;
  let drops = 0;
  for (let c = 0; c < cpus.length; c++) {
    const unknown = cpus.unknownSince[c]! >= 0 && world.couldHold(life, cpus.unknownSince[c]!);
    doubt(d, unknown && c !== cpu, Doubt.cpuUnknown);
    if (cpus.lazy[c] === life) lazyRefs++;
    if (cpus.pendingGrab[c] === life) grabs++;
    if (cpus.pendingDrop[c] === life) drops++;
    doubt(d, unknown && cpus.pendingDrop[c] === UNKNOWN_LIFE, Doubt.pendingDrop);
  }
  doubt(d, true, Doubt.pendingGrab, grabs);
  doubt(d, true, Doubt.pendingDrop, drops);
  doubt(d, mms.pendingDrops[life]! > 0, Doubt.pendingDrop);
  doubt(d, mms.pendingHolds[life]! > 0, Doubt.pendingGrab);
  // kthread_use_mm grabs somewhere before its switch_mm_irqs_off; kthread_unuse_mm from 6.4 on holds one too many for a
  // moment; without enter_lazy_tlb its end is not seen at all.
  doubt(d, mms.entering[life]! > 0, Doubt.pendingGrab);
  // Where the call of kthread_unuse_mm is not recorded, any borrower may be inside it.
  const unusing = mms.unusing[life]! > 0 || (!world.unusesSeen && mms.borrows[life]! > 0);
  doubt(d, unusing && (world.rules.useMmAlwaysGrabs || !world.enterLazySeen), Doubt.pendingGrab);
  const over = world.unusesSeen ? mms.unusing[life]! : mms.borrows[life]!;
  const perhapsOver = world.enterLazySeen ? 0 : over;
  const perhaps = perhapsOver + mms.pendingHolds[life]!;
  doubt(d, mms.procFds[life]! > 0, Doubt.procFd);
  doubt(d, mms.rings[life]! > 0, Doubt.ring);
  doubt(d, mms.notifiers[life]! > 0, Doubt.notifier);
  // One for all users together, since the forker is one.
  const low = 1 + lazyRefs - grabs - perhaps + mms.borrows[life]! + mms.khugepaged[life]! + mms.ksm[life]!;
  f.countLow.set(row, lost ? 1 : low);
  f.countDoubt.set(row, d.open);
  f.countWhy.set(row, d.why);
  f.lazyRefs.set(row, lazyRefs);
  f.pendingDrops.set(row, drops + mms.pendingDrops[life]!);
  f.borrows.set(row, mms.borrows[life]! - perhapsOver);
  f.entering.set(row, mms.entering[life]! + perhapsOver);
  f.khugepaged.set(row, mms.khugepaged[life]!);
  f.ksm.set(row, mms.ksm[life]!);
}

/** CPUs other than the forker's that have the mm loaded, and those of which that is not known. */
function evaluateMask(
  world: World,
  f: Forks,
  row: number,
  life: number,
  cpu: number,
  loadsVisible: boolean,
): void {
  const { mms, cpus } = world;
  let others = 0;
  let unknown = 0;
  let lazy = 0;
  for (let c = 0; c < cpus.length; c++) {
    if (c === cpu) continue;
    const state = loadedState(world, c, life, loadsVisible);
    if (state === "other") others++;
    else if (state === "unknown") unknown++;
    if (cpus.lazy[c] === life && cpus.loaded[c] === life) lazy++;
  }
  f.maskOthers.set(row, others);
  f.maskUnknown.set(row, unknown);
  // Where it ran before the trace, or in a gap, nothing tells.
  f.maskEver.set(row, mms.birth[life]! < 0 || world.lostDuring(life) ? 1 : mms.manyCpus[life]!);
  f.lazyCpus.set(row, loadsVisible ? lazy : -1);
}

function loadedState(
  world: World,
  c: number,
  life: number,
  loadsVisible: boolean,
): "other" | "unknown" | "none" {
  const { mms, cpus } = world;
  // A load announced by the CPU's latest event may not have reached the hardware yet.
  const underWay = cpus.loadSeq[c]! >= 0 && cpus.loadSeq[c] === cpus.lastSeq[c];
  const before = cpus.loadedBefore[c]!;
  const wasLife = before === life || (before === -1 && world.couldHold(life, cpus.loadSeq[c]!));
  if (underWay && (cpus.loaded[c] === life || wasLife)) return "unknown";
  if (cpus.active[c] === life) {
    // kthread_use_mm called: when it takes effect is not seen.
    const cur = cpus.cur[c]!;
    return cur >= 0 && world.tasks.entering[cur] === life ? "unknown" : "other";
  }
  if (!loadsVisible) return "unknown";
  const loaded = cpus.loaded[c]!;
  if (loaded === life) return "other";
  if (loaded !== -1) return world.mayBeSame(life, loaded) ? "unknown" : "none";
  const since = cpus.unknownSince[c]!;
  const could = since >= 0 && world.couldHold(life, since);
  return could || mms.birth[life]! < 0 || cpus.lazy[c] === life ? "unknown" : "none";
}

/**
 * Would get_task_mm() of `life` find both counts 1 at this instant, as the 15 May patch asks, given that they were at
 * the fork's check? Only what came since matters: other gets, borrowers, lazy references.
 */
export function divert(world: World, life: number): Divert {
  const { mms, cpus } = world;
  // Who was seen to hold it before the gap may not any more.
  if (world.lostDuring(life)) return Divert.unknown;
  let unknown = mms.openGets[life]! > 0 || mms.pendingPuts[life]! > 0 || mms.entering[life]! > 0;
  if (mms.gets(life) > 0 || mms.borrows[life]! > 0 || mms.members[life]! > 1) return Divert.no;
  for (let c = 0; c < cpus.length; c++) {
    if (cpus.pendingGrab[c] === life || cpus.pendingDrop[c] === life) unknown = true;
    else if (cpus.lazy[c] === life) return Divert.no;
    else if (cpus.unknownSince[c]! >= 0 && world.couldHold(life, cpus.unknownSince[c]!)) unknown = true;
  }
  return unknown || mms.pendingDrops[life]! > 0 ? Divert.unknown : Divert.yes;
}

/**
 * The check of `row` lies somewhere after sequence `from`: only what has held all the time since then stays in the
 * bounds.
 */
export function boundSince(world: World, f: Forks, row: number, life: number, from: number): void {
  const { mms, cpus } = world;
  f.usersDoubt.add(row, 1);
  f.countDoubt.add(row, 1);
  let low = 1 + mms.khugepaged[life]! + mms.ksm[life]! - mms.pendingHolds[life]!;
  for (let c = 0; c < cpus.length; c++) {
    if (cpus.lazy[c] === life && cpus.lazySeq[c]! < from && cpus.pendingGrab[c] !== life) low++;
  }
  f.countLow.set(row, Math.min(f.countLow.at(row), low));
  if (mms.joinSeq[life]! >= from) {
    f.usersLow.set(row, 1);
    f.membersLow.set(row, 1);
  }
  f.maskUnknown.add(row, 1);
  f.maskOthers.set(row, 0);
  f.holders.set(
    row,
    f.holders.at(row).map((h) => (h.seq < from ? h : { ...h, basis: "possible" })),
  );
}
