// Who holds an mm at one instant, as far as the events show: the references behind the two counts, named. A fork's row
// keeps the list of its check; attribution.ts measures it against the count that decided. Built from the model's
// state and notes (model/names.ts).
import type { Counter, DenialCause } from "../table/verdict-tables.ts";
import { Left, Note, type Noted, type Now, UNSEEN } from "./model/names.ts";
import { Half, NO_LIFE, ShareKind, TaskKind, type World } from "./model/world.ts";

/**
 * held: taken and not given back, as the events show. moving: being taken or given back just then. possible: nothing
 * shows that it was held, but it may have been (an open /proc file, a ring, a get that only its later put proves).
 */
export type Basis = "held" | "moving" | "possible";
/** Who left a CPU lazily on the mm. */
export type LeftBy = "forker" | "thread" | "borrower" | "exit" | "other";

/** `refs` references to the mm; more than one only where they are not named. `ns` NaN, `line` 0: no event shows when it began. */
export interface Holder extends Now {
  readonly counter: Counter;
  readonly cause: DenialCause;
  readonly refs: number;
  readonly basis: Basis;
  /** -1: not a CPU's lazy reference. */
  readonly cpu: number;
  /** -1: nobody is named. */
  readonly tid: number;
  readonly comm: number;
  readonly leftBy: LeftBy | null;
}

/** Threads named one by one in a fork's account; the others are one row. */
const MOST_NAMED = 8;

const NOBODY = { refs: 1, cpu: -1, tid: -1, comm: -1, leftBy: null, ...UNSEEN } as const;

const NONE: readonly Holder[] = [];

/** Everybody who holds `life` or may, as the world stands, besides its forker `task`. */
export function holdersOf(world: World, task: number, life: number): readonly Holder[] {
  if (!world.names.enabled) return NONE;
  const { tasks, rules } = world;
  const out: Holder[] = [];
  addMembers(out, world, task, life);
  addLazy(out, world, task, life);
  for (const noted of world.names.notesOf(life)) {
    const holder = noteHolder(world, noted, life);
    if (holder !== null) out.push(holder);
    if (noted.kind === Note.borrow && tasks.unusing[noted.task] === 1 && rules.useMmAlwaysGrabs)
      out.push(unuseHolder(world, noted));
  }
  return out.length === 0 ? NONE : out;
}

/** `task` as a member of its mm: a thread, vfork child or io_uring worker. */
export function memberHolder(world: World, task: number, basis: Basis): Holder {
  const { seq, ns, line } = world.names.members.since(task);
  return { ...joiningHolder(world, task, basis), seq, ns, line };
}

/** The same before the event that shows it: when it began is not known then. */
export function joiningHolder(world: World, task: number, basis: Basis): Holder {
  return taskHolder(world, task, "mm_users", memberCause(world, task), basis);
}

/** `task` as the holder of one reference that began unseen. */
export function taskHolder(
  world: World,
  task: number,
  counter: Counter,
  cause: DenialCause,
  basis: Basis,
): Holder {
  const { pid, comm } = world.tasks;
  const isKnown = task >= 0;
  // In full: spreads made this 0.1 s of a replay of 17,605 forks.
  return {
    counter,
    cause,
    refs: 1,
    basis,
    cpu: -1,
    tid: isKnown ? pid[task]! : -1,
    comm: isKnown ? comm[task]! : -1,
    leftBy: null,
    seq: -1,
    ns: Number.NaN,
    line: 0,
  };
}

/** A CPU that, as only came to light later, held the mm lazily at the check. */
export function revealedHolder(cpu: number): Holder {
  return { ...NOBODY, counter: "mm_count", cause: "lazy-tlb", basis: "held", cpu };
}

/** What a get_task_mm() reference of `task` stands for: a borrower's own, or its driver's, or a reader's. */
export function getCause({ tasks, mms }: World, task: number, life: number): DenialCause {
  if (tasks.kind[task] === TaskKind.kernel) return "borrower";
  return tasks.mm[task] === life && mms.borrows[life]! > 0 ? "borrower" : "reader";
}

function memberCause({ tasks }: World, task: number): DenialCause {
  if (tasks.share[task] === ShareKind.vfork) return "vfork-child";
  return tasks.share[task] === ShareKind.ioWorker ? "io-uring" : "threads";
}

/**
 * The members of the mm besides the forker. One that came with no clone of its own (the process a forking thread
 * belongs to) is a thread all the same.
 */
function addMembers(out: Holder[], world: World, forker: number, life: number): void {
  const { tasks, mms, names } = world;
  if (mms.members[life]! <= 1) return;
  const threads = mms.threads[life]! - (tasks.share[forker] === ShareKind.thread ? 1 : 0);
  const others = mms.members[life]! - 1 - threads - mms.vforks[life]! - mms.ioWorkers[life]!;
  const left = new Map<DenialCause, number>([
    ["threads", threads + Math.max(0, others)],
    ["vfork-child", mms.vforks[life]!],
    ["io-uring", mms.ioWorkers[life]!],
  ]);
  let named = 0;
  for (let t = names.members.first(life); t >= 0 && named < MOST_NAMED; t = names.members.next(t)) {
    // A pid's next task reuses the index.
    if (t === forker || tasks.mm[t] !== life || tasks.sureMember[t] === 0) continue;
    const own = memberCause(world, t);
    // A forking vfork child shares the mm with its parent: the pair is what denies.
    const cause = (left.get(own) ?? 0) > 0 ? own : "vfork-child";
    if ((left.get(cause) ?? 0) <= 0) continue;
    left.set(cause, left.get(cause)! - 1);
    out.push({ ...memberHolder(world, t, "held"), cause });
    named++;
  }
  for (const [cause, refs] of left)
    if (refs > 0) out.push({ ...NOBODY, counter: "mm_users", cause, refs, basis: "held" });
}

/** Lazy references: those held, those whose grab or drop is under way. */
function addLazy(out: Holder[], world: World, forker: number, life: number): void {
  const { cpus, mms, names, tasks } = world;
  let drops = mms.pendingDrops[life]!;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const cur = cpus.cur[cpu]!;
    if (cpus.lazy[cpu] === life) out.push(lazyHolder(world, names.lazy, forker, cpu, lazyBasis(world, cpu)));
    if (cpus.pendingDrop[cpu] === life) out.push(lazyHolder(world, names.formerLazy, forker, cpu, "moving"));
    if (drops > 0 && cur >= 0 && tasks.pendingDrop[cur] === life) {
      out.push({ ...taskHolder(world, cur, "mm_count", "lazy-tlb", "moving"), cpu, leftBy: "borrower" });
      drops--;
    }
  }
  if (drops > 0)
    out.push({ ...NOBODY, counter: "mm_count", cause: "lazy-tlb", basis: "moving", refs: drops });
}

function lazyBasis(world: World, cpu: number): Basis {
  const { cpus, tasks } = world;
  const life = cpus.lazy[cpu]!;
  // Without sched_switch nobody knows what the CPU has gone on to.
  const isOld = world.lostDuring(life) && cpus.lazySeq[cpu]! <= world.lossSeq;
  if (isOld || !world.switchesSeen) return "possible";
  // A kthread about to borrow turns the reference into its own, or drops it for another mm's.
  const cur = cpus.cur[cpu]!;
  const isTurning = cur >= 0 && tasks.entering[cur] !== NO_LIFE;
  return cpus.pendingGrab[cpu] === life || isTurning ? "moving" : "held";
}

function lazyHolder(
  world: World,
  note: World["names"]["lazy"],
  forker: number,
  cpu: number,
  basis: Basis,
): Holder {
  return {
    counter: "mm_count",
    cause: "lazy-tlb",
    refs: 1,
    basis,
    cpu,
    tid: note.tid[cpu] ?? -1,
    comm: note.comm[cpu] ?? -1,
    leftBy: leftBy(world, note, forker, cpu),
    seq: note.seq[cpu] ?? -1,
    ns: note.ns[cpu] ?? Number.NaN,
    line: note.line[cpu] ?? 0,
  };
}

function leftBy(world: World, note: World["names"]["lazy"], forker: number, cpu: number): LeftBy | null {
  switch (note.left[cpu] as Left | undefined) {
    case Left.exit:
      return "exit";
    case Left.borrower:
      return "borrower";
    case Left.vforkChild:
      return "other";
    case Left.switched:
      // A pid's next task reuses the index, and is younger than what the former left.
      return note.task[cpu] === forker && world.tasks.birth[forker]! <= note.seq[cpu]! ? "forker" : "thread";
    default:
      return null;
  }
}

const HALF_CAUSES: Readonly<Record<Half, DenialCause>> = {
  [Half.none]: "unknown",
  [Half.borrower]: "borrower",
  [Half.reader]: "reader",
  [Half.thread]: "threads",
  [Half.vfork]: "vfork-child",
};

function noteHolder(world: World, noted: Noted, life: number): Holder | null {
  const { tasks, mms } = world;
  const { kind, task, tid, comm, seq, ns, line } = noted;
  const isOld = world.lostDuring(life) && seq <= world.lossSeq;
  const as = (counter: Counter, cause: DenialCause, basis: Basis): Holder => {
    const certain = basis === "held" && isOld ? "possible" : basis;
    return { counter, cause, refs: 1, basis: certain, cpu: -1, tid, comm, leftBy: null, seq, ns, line };
  };
  switch (kind) {
    case Note.get:
      return as("mm_users", getCause(world, task, life), "held");
    case Note.taking:
      return as("mm_users", HALF_CAUSES[tasks.getHalf[task]! as Half], "moving");
    case Note.giving:
      return as("mm_users", HALF_CAUSES[tasks.putHalf[task]! as Half], "moving");
    case Note.leaving:
      return as("mm_users", HALF_CAUSES[tasks.leftHalf[task]! as Half], "moving");
    case Note.borrow: {
      // Without enter_lazy_tlb the end of a borrow is not seen; by then the reference is the CPU's lazy one.
      const isOver = tasks.unusing[task] === 1 && !world.enterLazySeen;
      return as("mm_count", "borrower", isOver ? "moving" : "held");
    }
    case Note.entering:
      return as("mm_count", "borrower", "moving");
    case Note.khugepaged:
      return mms.khugepaged[life] === 1 ? as("mm_count", "khugepaged", slotBasis(world, task, life)) : null;
    case Note.ksm:
      return mms.ksm[life] === 1 ? as("mm_count", "ksm", slotBasis(world, task, life)) : null;
    case Note.procFd:
      return as("mm_count", "proc-fd", "possible");
    case Note.ring:
      return as("mm_count", "io-uring", "possible");
    case Note.notifier:
      return as("mm_count", "mmu-notifier", "possible");
  }
}

/** kthread_unuse_mm() from 6.4 on takes the CPU's lazy reference before it gives up its own (§2.2). */
function unuseHolder(world: World, { task, tid, comm }: Noted): Holder {
  const cpu = world.tasks.cpu[task]!;
  return {
    ...NOBODY,
    counter: "mm_count",
    cause: "lazy-tlb",
    basis: "moving",
    cpu,
    tid,
    comm,
    leftBy: "borrower",
  };
}

function slotBasis(world: World, task: number, life: number): Basis {
  return world.tasks.pendingHold[task] === life && life !== NO_LIFE ? "moving" : "held";
}
