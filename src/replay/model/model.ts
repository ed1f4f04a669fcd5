// What the transitions of this folder share: the world, the forks they may have to go back to, and the listener
// that hears when a CPU starts or stops using an mm (windows turn that into exposures).
import { Doubt, type Forks } from "../forks.ts";
import { memberHolder } from "../holders.ts";
import { Left, Note, type Now } from "./names.ts";
import { Half, IDLE, NO_LIFE, ShareKind, Tail, TaskKind, UNKNOWN_LIFE, type World } from "./world.ts";

/** How a CPU came to use an mm: a switch to a user of it, the same from having held it lazily, kthread_use_mm. */
export type How = "switched" | "resumed" | "borrowed";

/** What a task has of an mm: an mm_users reference, a borrow, the lazy reference that a borrow leaves behind. */
export type HoldKind = "ref" | "borrow" | "lazy";

export interface Model {
  readonly world: World;
  readonly forks: Forks;
  /** CPU `cpu` now runs `task` using `life` (NO_LIFE: kernel task; UNKNOWN_LIFE: cannot tell). Called after the fact. */
  onActive: (cpu: number, task: number, life: number, how: How) => void;
  /**
   * The CPU's unknown past is revealed: since sequence `since` it held `life`, in use by `task` when `active`, else
   * lazily (task -1: cannot tell which). Fork rows from cpus.unknownFork[cpu] on may have doubted this CPU.
   */
  onReveal: (cpu: number, life: number, task: number, active: boolean, since: number) => void;
  /** The tail of the switch that brought a task of unknown kind to `cpu` tells what it uses: nothing ran there in between. */
  onTold: (cpu: number) => void;
  /** `task` begins, or ends, to have something of `life`. Called after the fact. */
  onHold: (task: number, life: number, kind: HoldKind, begins: boolean) => void;
}

/** Sets who runs on a CPU and which mm is in use there. */
export function setActive(m: Model, cpu: number, task: number, life: number, how: How = "switched"): void {
  m.world.cpus.active[cpu] = life;
  m.world.cpus.resumed[cpu] = how === "resumed" ? 1 : 0;
  m.onActive(cpu, task, life, how);
}

/** Makes `task` a user of `life` by tsk->mm. `sure`: the task certainly holds one mm_users. */
export function join(m: Model, task: number, life: number, sure: boolean): void {
  const { tasks, mms } = m.world;
  tasks.kind[task] = TaskKind.user;
  tasks.mm[task] = life;
  tasks.sureMember[task] = sure ? 1 : 0;
  tasks.exiting[task] = -1;
  if (!sure) return;
  m.world.names.joined(life, task, m.world);
  mms.members[life]! += 1;
  mms.joinSeq[life] = m.world.seq;
  const share = tasks.share[task]!;
  if (share === ShareKind.thread) mms.threads[life]! += 1;
  else if (share === ShareKind.vfork) mms.vforks[life]! += 1;
  else if (share === ShareKind.ioWorker) mms.ioWorkers[life]! += 1;
}

/** The task has left `life` and will put its mm_users reference: until then that reference still counts. */
export function leaveLater(m: Model, task: number, life: number): void {
  const { tasks } = m.world;
  settleLeft(m, task);
  const share = tasks.share[task]!;
  tasks.leaving[task] = life;
  tasks.leaveShare[task] = share;
  tasks.leftLife[task] = life;
  tasks.leftHalf[task] = share === ShareKind.vfork ? Half.vfork : Half.thread;
  note(m, Note.leaving, life, task, m.world.names.members.since(task));
  leave(m, task);
}

/** That mmput has begun, or will not be seen. */
export function settleLeft(m: Model, task: number): void {
  const { tasks } = m.world;
  m.world.names.remove(Note.leaving, tasks.leftLife[task]!, task);
  tasks.leftHalf[task] = Half.none;
  tasks.leftLife[task] = NO_LIFE;
}

/** Ends tsk->mm membership (mm_users itself falls at mmput). The task becomes a kernel-like one until it execs. */
export function leave(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  const life = tasks.mm[task]!;
  if (life >= 0 && tasks.sureMember[task] === 1) {
    m.world.names.gone(task);
    mms.members[life]! -= 1;
    const share = tasks.share[task]!;
    if (share === ShareKind.thread) mms.threads[life]! -= 1;
    else if (share === ShareKind.vfork) mms.vforks[life]! -= 1;
    else if (share === ShareKind.ioWorker) mms.ioWorkers[life]! -= 1;
  }
  tasks.sureMember[task] = 0;
  tasks.exiting[task] = -1;
  tasks.share[task] = ShareKind.none;
  tasks.mm[task] = NO_LIFE;
  tasks.kind[task] = TaskKind.kernel;
}

/**
 * The task certainly has `life` as tsk->mm (it forks it, exits from it, shares a tgid with one that does). When that
 * was not known before, the task has been a member since before the trace, or since the life's birth: the mm's
 * earlier forks are corrected too. Returns the life, which is the one known by lineage when `life` only names it.
 */
export function confirmMember(m: Model, task: number, named: number): number {
  const life = makeMember(m, task, named);
  const { tasks, cpus } = m.world;
  const cpu = tasks.cpu[task]!;
  // It runs: then this is what its CPU has had in use, and loaded.
  if (cpu >= 0 && cpus.cur[cpu] === task && cpus.active[cpu] !== life && cpus.tail[cpu] !== Tail.awaited) {
    const had = cpus.active[cpu]!;
    if (had >= 0 && cpus.loaded[cpu] === had) cpus.loaded[cpu] = life;
    setActive(m, cpu, task, life);
  }
  return life;
}

function makeMember(m: Model, task: number, named: number): number {
  const { tasks, mms } = m.world;
  const before = tasks.mm[task]!;
  const life = before >= 0 && sameLife(m, before, named) ? before : named;
  if (before === life && tasks.sureMember[task] === 1) return life;
  if (before >= 0 && before !== life) {
    // Lineage gave it another life: the trace missed an exec. Believe the pointer.
    partWays(m, before);
    leave(m, task);
  }
  // Taken for a kthread until now.
  const borrowed = tasks.borrowed[task]!;
  endBorrow(m, task);
  if (borrowed >= 0) m.onHold(task, borrowed, "borrow", false);
  if (before === UNKNOWN_LIFE || before === life) {
    const first = mms.members[life] === 0 && mms.birth[life]! >= 0;
    if (mms.members[life]! > 0 && tasks.share[task] === ShareKind.none) tasks.share[task] = ShareKind.thread;
    join(m, task, life, true);
    if (m.world.lostDuring(life)) return life;
    // A life born in the trace has its first member's reference in `sum` already (mm_init).
    if (!first) {
      const from = tasks.birth[task]!;
      mms.sum[life]! += 1;
      m.world.names.joinedUnseen(life, task, from);
      m.forks.addMember(m.world, life, from, memberHolder(m.world, task, "held"));
    }
    return life;
  }
  join(m, task, life, true);
  m.world.names.joinedUnseen(life, task, tasks.birth[task]!);
  if (m.world.lostDuring(life)) return life;
  if (mms.birth[life]! < 0 || mms.sum[life] === 0) mms.sum[life]! += 1;
  // A life known by lineage only may have been this one all along: then the task was a user of it before as well.
  if (before >= 0 && mms.label[before] === -1 && mms.birth[before]! < 0)
    m.forks.patchUsers(m.world, life, tasks.birth[task]!, m.world.seq, 0, 1, Doubt.predates);
  return life;
}

/**
 * Is the life `named` by a pointer never met before the one known so far by lineage only? Then the pointer is its
 * address, and from here on it is the same life everywhere.
 */
export function sameLife(m: Model, known: number, named: number): boolean {
  const { mms } = m.world;
  if (known === named) return true;
  if (mms.label[known] !== -1 || mms.label[named]! < 0 || mms.serial[named]! < m.world.livesBefore)
    return false;
  mms.bind(known, mms.label[named]!);
  return true;
}

/**
 * A task of `lineage` turns out to have an mm that was met by its pointer before. One known by lineage only was that mm all along, and what
 * was seen of the two is told apart no more: of its users only the forker is certain.
 */
export function partWays(m: Model, lineage: number): void {
  const { mms } = m.world;
  if (mms.label[lineage] === -1) mms.broken[lineage] = 1;
}

/** The task's life, made (older than the trace, address unknown) when it is known to be a user task of some mm. */
export function ensureLife(m: Model, task: number): number {
  const { tasks, mms } = m.world;
  const known = tasks.mm[task]!;
  if (known >= 0) return known;
  const life = mms.create(-1, -1, -1);
  if (known === NO_LIFE) {
    // A task thought to be a kernel one does something only user tasks do.
    tasks.kind[task] = TaskKind.user;
    tasks.mm[task] = UNKNOWN_LIFE;
  }
  confirmMember(m, task, life);
  return life;
}

/** Notes that `task` has something to do with `life`, since `at`. */
export function note(m: Model, kind: Note, life: number, task: number, at: Now = m.world): void {
  const { tasks, names } = m.world;
  names.add(kind, life, task, tasks.pid[task] ?? -1, tasks.comm[task] ?? -1, at);
}

/** `task` has `life` by kthread_use_mm() from here on. What it borrowed before is for the caller to settle. */
export function beginBorrow(m: Model, task: number, life: number): void {
  m.world.tasks.borrowed[task] = life;
  m.world.mms.borrows[life]! += 1;
  note(m, Note.borrow, life, task);
}

/** `task` borrows nothing any more. */
export function endBorrow(m: Model, task: number): void {
  const { tasks, mms, names } = m.world;
  const life = tasks.borrowed[task]!;
  if (life < 0) return;
  mms.borrows[life]! -= 1;
  tasks.borrowed[task] = NO_LIFE;
  names.remove(Note.borrow, life, task);
}

/** `cpu` holds `life` lazily from here on, because `task` left it: by a switch unless `left` says otherwise. */
export function park(m: Model, cpu: number, life: number, task: number, left: Left = Left.switched): void {
  const { tasks } = m.world;
  const isVfork = left === Left.switched && tasks.share[task] === ShareKind.vfork;
  m.world.setLazy(cpu, life, task, isVfork ? Left.vforkChild : left);
}

/** The CPU's lazy state is not known any more (trace start, gap, missed switch). */
export function forgetCpu(m: Model, cpu: number): void {
  const { cpus } = m.world;
  cpus.cur[cpu] = -1;
  m.world.setLazy(cpu, UNKNOWN_LIFE);
  cpus.loaded[cpu] = -1;
  cpus.pendingGrab[cpu] = NO_LIFE;
  cpus.grabStage[cpu] = 0;
  cpus.pendingDrop[cpu] = NO_LIFE;
  cpus.tail[cpu] = Tail.none;
  cpus.prevTask[cpu] = -1;
  cpus.prevUsing[cpu] = UNKNOWN_LIFE;
  // Also where it was not known before: what comes to light later is no older than this.
  cpus.unknownSince[cpu] = m.world.seq;
  cpus.unknownNs[cpu] = m.world.ns;
  cpus.unknownFork[cpu] = m.forks.length;
  setActive(m, cpu, -1, UNKNOWN_LIFE);
}

/** What a task uses, looking at its thread group when it is new to us: threads share the mm. */
export function usingOf(m: Model, task: number): number {
  const { tasks } = m.world;
  const using = tasks.using(task);
  if (using !== UNKNOWN_LIFE) return using;
  const tgid = tasks.tgid[task]!;
  if (tgid <= 0 || tgid === tasks.pid[task]) return using;
  const leader = tasks.find(tgid);
  if (leader <= IDLE || tasks.mm[leader]! < 0 || tasks.tgid[leader] !== tgid) return using;
  confirmMember(m, task, tasks.mm[leader]!);
  return tasks.using(task);
}

/** A CPU's held state comes to light: since it became unknown it held `life` (by `prev`, running or lazy). */
export function reveal(m: Model, cpu: number, life: number, prev: number): void {
  const { tasks, cpus } = m.world;
  const since = cpus.unknownSince[cpu]!;
  cpus.unknownSince[cpu] = -1;
  // Unknown only since the switch whose tail this is: forks checked in between keep their doubt.
  if (since < 0 || since === cpus.switchSeq[cpu]) return;
  const kind = prev >= 0 ? tasks.kind[prev]! : TaskKind.unknown;
  const active = kind === TaskKind.user || (prev >= 0 && tasks.borrowed[prev]! >= 0);
  m.onReveal(cpu, life, kind === TaskKind.unknown ? -1 : prev, active, since);
}
