// What may hide behind a value that is not exact, or behind a window nobody saw whole: the kind of holder, and the hook
// (probe, event, or sampled argument) that would show it. Called by verdicts.ts; no decision or verdict reads it.
import { END, START } from "./attempt.ts";
import type { Armed, CountValue } from "./counts.ts";
import { Doubt, type Forks } from "./forks.ts";
import type { World } from "./model/world.ts";
import type { Check, Policy, Reads } from "./policies/policy.ts";
import type { Replayer } from "./replay.ts";

const START_EARLIER = "a recording that begins before the process";
const USERS = "users= at uprobe_dup_mmap";
const COUNT = "count= at uprobe_dup_mmap";
const BUFFER = "a larger buffer: events were lost";
const SWITCH_PROBE = "switch_mm_irqs_off";

/** Kinds as in DENIAL_CAUSES, several joined by "/", and the hook: "khugepaged: __khugepaged_enter". */
type Named = string;

function named(kinds: string, hook: string): Named {
  return `${kinds}: ${hook}`;
}

/** By doubt, of mm_users. Where the reference is moved by inlined code, only a sample shows it. */
const OF_USERS: readonly (readonly [number, Named])[] = [
  [Doubt.predates, named("threads/reader/borrower", `${START_EARLIER}, or ${USERS}`)],
  [Doubt.hiddenGet, named("reader/borrower", `${USERS} (mmget_not_zero is inlined)`)],
  [Doubt.pendingPut, named("reader/borrower/threads", `${USERS} (a mmput was under way)`)],
  [Doubt.lostEvents, named("unknown", BUFFER)],
  [Doubt.unfinishedGet, named("reader/borrower/threads", `${USERS} (a get or clone was under way)`)],
  [Doubt.exitRace, named("threads", "exit_mm_release and mmput")],
];

const OF_COUNT: readonly (readonly [number, Named])[] = [
  [Doubt.predates, named("lazy-tlb/khugepaged/ksm/proc-fd/mmu-notifier", `${START_EARLIER}, or ${COUNT}`)],
  [Doubt.lostEvents, named("unknown", BUFFER)],
  [Doubt.hiddenGet, named("proc-fd", `${COUNT} (mmget_not_zero is inlined)`)],
  [Doubt.cpuUnknown, named("lazy-tlb", "an earlier switch on every CPU: begin to record sooner")],
  [Doubt.pendingGrab, named("lazy-tlb/borrower/khugepaged", `${COUNT} (a mmgrab was under way)`)],
  [Doubt.pendingDrop, named("lazy-tlb", `${COUNT} (a mmdrop was under way)`)],
  [Doubt.procFd, named("proc-fd", `${COUNT} (nothing shows the file being closed)`)],
  [Doubt.ring, named("io-uring", `${COUNT} (nothing shows the ring being freed)`)],
  [Doubt.notifier, named("mmu-notifier", `${COUNT} (nothing shows it unregistered)`)],
  [
    Doubt.exitRace,
    named("lazy-tlb", `enter_lazy_tlb, or ${COUNT} where that is inlined (an exit_mm was under way)`),
  ],
];

function byDoubt(list: readonly (readonly [number, Named])[], why: number): Named[] {
  return list.flatMap(([doubt, name]) => ((why & doubt) === 0 ? [] : [name]));
}

/** Never empty: what no doubt explains is said to be unknown. */
function orUnknown(list: readonly Named[], hook: string): readonly Named[] {
  return list.length > 0 ? [...new Set(list)] : [named("unknown", hook)];
}

/** What a derived mm_users that is no exact one may leave out. */
export function hiddenUsers(world: World, forks: Forks, row: number, armed: Armed): readonly Named[] {
  const life = forks.life.at(row);
  const out = byDoubt(OF_USERS, forks.usersWhy.at(row));
  if (world.mms.hiddenHolder[life] === 1)
    out.push(named("borrower", `${USERS} (its kthread borrows without a get that shows)`));
  if (world.mms.broken[life] === 1) out.push(named("unknown", `${USERS} (gets and puts do not add up)`));
  if (!armed.mmput) out.push(named("threads/reader/borrower", "mmput"));
  if (!armed.newtask) out.push(named("threads/vfork-child", "task_newtask"));
  if (!armed.getTaskMm) out.push(named("reader/borrower", "get_task_mm"));
  return orUnknown(out, USERS);
}

/** What a derived mm_count that is no exact one may leave out. */
export function hiddenCount(world: World, forks: Forks, row: number, armed: Armed): readonly Named[] {
  const life = forks.life.at(row);
  const out = byDoubt(OF_COUNT, forks.countWhy.at(row));
  if (world.mms.hiddenHolder[life] === 1)
    out.push(named("borrower", `${COUNT} (its kthread borrows without a reference that shows)`));
  if (!armed.khugepaged) out.push(named("khugepaged", "__khugepaged_enter, or a mark that it was armed"));
  if (!armed.schedSwitch) out.push(named("lazy-tlb", "sched_switch"));
  if (!armed.switchTail) out.push(named("lazy-tlb", SWITCH_PROBE));
  if (!armed.mmput) out.push(named("proc-fd", "mmput"));
  if (!armed.useMm) out.push(named("borrower", "kthread_use_mm"));
  return orUnknown(out, COUNT);
}

/** The names that go with a count as the tables carry it: none when it is exact. */
export function hiddenBehind(value: CountValue, names: () => readonly Named[]): readonly Named[] {
  return value.evidence === "measured" || value.evidence === "derived" ? [] : names();
}

function hiddenBorrowers(world: World, forks: Forks, row: number, armed: Armed): readonly Named[] {
  const life = forks.life.at(row);
  const out: Named[] = [];
  if (!armed.useMm) out.push(named("borrower", "kthread_use_mm"));
  if (forks.lost.at(row) === 1 || world.lostDuring(life)) out.push(named("borrower", BUFFER));
  if (forks.entering.at(row) > 0) out.push(named("borrower", "switch_mm_irqs_off (a call was under way)"));
  if (world.mms.hiddenBorrow[life] === 1 || world.mms.birth[life]! < 0)
    out.push(named("borrower", START_EARLIER));
  return orUnknown(out, "kthread_use_mm");
}

function hiddenCpus(forks: Forks, row: number, armed: Armed): readonly Named[] {
  const kinds = "threads/borrower/lazy-tlb";
  const out: Named[] = [];
  if (!armed.schedSwitch) out.push(named(kinds, "sched_switch"));
  if (!armed.switchTail) out.push(named(kinds, SWITCH_PROBE));
  if (forks.lost.at(row) === 1) out.push(named(kinds, BUFFER));
  if (forks.maskUnknown.at(row) > 0)
    out.push(named(kinds, "per-CPU samples at uprobe_dup_mmap (a CPU's mm was not known)"));
  return orUnknown(out, "uprobe_dup_mmap, with per-CPU samples");
}

/** Who may have used the mm in the window unseen: what keeps a fast fork from being safe or unsafe. */
function hiddenUse({ forks }: Replayer, row: number, armed: Armed): readonly Named[] {
  const kinds = "threads/borrower";
  const out: Named[] = [];
  if (forks.lost.at(row) === 1) out.push(named(kinds, BUFFER));
  if (Number.isNaN(forks.end.at(row)))
    out.push(named(kinds, "the window's end: flush_tlb_mm_range's return"));
  else if (forks.endBy.at(row) > END.uprobe_end_dup_mmap)
    out.push(named(kinds, "flush_tlb_mm_range's return (the window is only bracketed)"));
  if (forks.startBy.at(row) < START.dup_mmap)
    out.push(named(kinds, "uprobe_dup_mmap (the window is only bracketed)"));
  if (!armed.useMm) out.push(named("borrower", "kthread_use_mm"));
  if (!armed.schedSwitch) out.push(named("threads", "sched_switch"));
  if (!armed.switchTail) out.push(named(kinds, SWITCH_PROBE));
  if (forks.activeUnknown.at(row) > 0) out.push(named(kinds, "an earlier switch on every CPU"));
  if ((forks.usersWhy.at(row) & (Doubt.hiddenGet | Doubt.pendingPut | Doubt.unfinishedGet)) !== 0)
    out.push(named("reader/borrower", `${USERS} (a get without a hook, or under way)`));
  return orUnknown(out, `${USERS}, per-CPU samples`);
}

/** What a check would have to say more exactly before the design can decide; `alone`: what it asks for. */
const ALONE: Readonly<Record<Reads, { readonly value: number; readonly of: keyof Check }>> = {
  users: { value: 1, of: "users" },
  count: { value: 1, of: "count" },
  borrowers: { value: 0, of: "borrowers" },
  cpumask: { value: 0, of: "otherCpus" },
};

/**
 * Why `policy` leaves fork `row` undecided, or a fast one without a verdict: every holder that may hide where that
 * matters. Empty when it does not.
 */
export function hiddenFrom(
  replayer: Replayer,
  row: number,
  policy: Policy,
  check: Check,
  armed: Armed,
  decision: string,
  verdict: string | null,
): readonly Named[] {
  const { world, forks } = replayer;
  if (decision === "slow") return [];
  if (decision === "fast") return verdict === "indeterminate" ? hiddenUse(replayer, row, armed) : [];
  const names: Readonly<Record<Reads, () => readonly Named[]>> = {
    users: () => hiddenUsers(world, forks, row, armed),
    count: () => hiddenCount(world, forks, row, armed),
    borrowers: () => hiddenBorrowers(world, forks, row, armed),
    cpumask: () => hiddenCpus(forks, row, armed),
  };
  const open = policy.reads.filter((name) => {
    const { value, exact } = check[ALONE[name].of];
    return !exact && value <= ALONE[name].value;
  });
  return [...new Set(open.flatMap((name) => names[name]()))];
}
