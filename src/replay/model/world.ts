// The state of tasks, mms and CPUs while a trace is replayed: parallel arrays indexed by small integers.
// Filled by the transitions in this folder, read by windows, exposures and policies. Sources: semantics.md §2.
import { Mms } from "./mms.ts";
import { Left, Names } from "./names.ts";
import { FIRST_ROOM, widen } from "./room.ts";

/** No mm (kernel task) / no life. */
export const NO_LIFE = -1;
/** Not known which mm, or whether any. */
export const UNKNOWN_LIFE = -2;

export const TaskKind = { unknown: 0, kernel: 1, user: 2 } as const;
export type TaskKind = (typeof TaskKind)[keyof typeof TaskKind];

/** How a task came to share an mm: decides the denial cause it stands for. */
export const ShareKind = { none: 0, thread: 1, vfork: 2, ioWorker: 3 } as const;
export type ShareKind = (typeof ShareKind)[keyof typeof ShareKind];

/** get_task_mm() of an mm with both counts 1: diverted, not, or a reference was in motion. */
export const Divert = { no: 0, yes: 1, unknown: 2 } as const;
export type Divert = (typeof Divert)[keyof typeof Divert];

/** Progress of an exec. */
export const Exec = { none: 0, releasing: 1, applied: 2 } as const;

/** Whose mm_users reference is half taken or half released: what a sampled count above the ledger stands for. */
export const Half = { none: 0, borrower: 1, reader: 2, thread: 3, vfork: 4 } as const;
export type Half = (typeof Half)[keyof typeof Half];

/** Index of the idle task; one stands for all CPUs. */
export const IDLE = 0;

/**
 * Tasks, indexed by TaskId. A pid's next task reuses the index, so indices are bounded by distinct pids.
 * `mm` is tsk->mm as a life id; a kthread inside kthread_use_mm has mm NO_LIFE and `borrowed` set, and counts as
 * user in context_switch() (semantics §9.15).
 */
export class Tasks {
  pid: Int32Array = new Int32Array(FIRST_ROOM);
  tgid: Int32Array = new Int32Array(FIRST_ROOM);
  kind: Int32Array = new Int32Array(FIRST_ROOM);
  mm: Int32Array = new Int32Array(FIRST_ROOM);
  borrowed: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence at which the kthread_use_mm in force took effect. */
  borrowSeq: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life whose kthread_use_mm() has been called but not taken effect. */
  entering: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: kthread_unuse_mm() has been called; the borrow ends with its enter_lazy_tlb. */
  unusing: Int32Array = new Int32Array(FIRST_ROOM);
  share: Int32Array = new Int32Array(FIRST_ROOM);
  /** The membership counts towards mm_users for sure (not only a kthread or user seen with this mm loaded). */
  sureMember: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence number of creation; -1: existed before the trace (or before a gap). */
  birth: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of the last event that proves the task is at no half-done refcount operation. */
  firm: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: its last switch-out was to sleep, so that its next switch-in proves it at no half-done operation. */
  asleep: Int32Array = new Int32Array(FIRST_ROOM);
  /** The last instant it was seen at the edge of a reference to `edgeMm` (mm_access, a put): a transient one began later. */
  edge: Int32Array = new Int32Array(FIRST_ROOM);
  edgeMm: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life whose mmput has been entered but not proven done. */
  pendingPut: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life whose mm_count it is about to drop, or has begun to grab for khugepaged or KSM. */
  pendingDrop: Int32Array = new Int32Array(FIRST_ROOM);
  pendingHold: Int32Array = new Int32Array(FIRST_ROOM);
  /** What that put releases, and what an open get_task_mm entry is about to take, with its life. */
  putHalf: Int32Array = new Int32Array(FIRST_ROOM);
  getHalf: Int32Array = new Int32Array(FIRST_ROOM);
  getLife: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life this task is leaving (exit_mm_release, exec_mm_release): its next mmput is the membership's. */
  leaving: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence since when its exit_mm() may be over, where nothing shows its end; -1: it is not. */
  exiting: Int32Array = new Int32Array(FIRST_ROOM);
  /** The life it has left while that put is still to come, as what it counts. */
  leftLife: Int32Array = new Int32Array(FIRST_ROOM);
  leftHalf: Int32Array = new Int32Array(FIRST_ROOM);
  /** How it shared that life. */
  leaveShare: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life made for the exec under way. */
  execNew: Int32Array = new Int32Array(FIRST_ROOM);
  /** The life whose mm_init() it ran last, and that nobody has got from it: its next child's, or an exec's. */
  made: Int32Array = new Int32Array(FIRST_ROOM);
  /** Where an exec stands: none, exec_mm_release seen, exec_mmap applied (sched_process_exec is still to come). */
  exec: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of an open get_task_mm/mm_access entry; -1 none. */
  getEntry: Int32Array = new Int32Array(FIRST_ROOM);
  /** Whose mm that call takes; -1 unknown. */
  getTarget: Int32Array = new Int32Array(FIRST_ROOM);
  /** Time of the last get_task_mm on `lastGetMm`. */
  lastGetSeq: Int32Array = new Int32Array(FIRST_ROOM);
  lastGetMm: Int32Array = new Int32Array(FIRST_ROOM);
  /** Would the 15 May patch have diverted it (Divert)? */
  lastGetDiverted: Int32Array = new Int32Array(FIRST_ROOM);
  /** CPU it last ran on; -1 unknown. */
  cpu: Int32Array = new Int32Array(FIRST_ROOM);
  comm: Int32Array = new Int32Array(FIRST_ROOM);
  /** It has forked or cloned, or shares its file table (CLONE_FILES): files it opened may live on in others. */
  forked: Int32Array = new Int32Array(FIRST_ROOM);
  /** References from get_task_mm and mm_access not yet put: task -> lives. Few tasks hold any. */
  readonly gets: Map<number, number[]> = new Map();
  /** Lives whose /proc files this task may still hold open. */
  readonly opened: Map<number, number[]> = new Map();
  /** Tasks that events have named since the last gap. */
  #touched: number[] = [];
  readonly #isTouched: number[] = [1];
  #byPid: Int32Array = new Int32Array(65536).fill(-1);

  #length = 1;

  constructor() {
    this.create(0, -1);
    this.tgid[IDLE] = 0;
    this.kind[IDLE] = TaskKind.kernel;
    this.mm[IDLE] = NO_LIFE;
  }

  get length(): number {
    return this.#length;
  }

  /** TaskId now carrying `pid`, or -1. */
  find(pid: number): number {
    if (pid === 0) return IDLE;
    return pid > 0 && pid < this.#byPid.length ? this.#byPid[pid]! : -1;
  }

  /** TaskId of `pid`, made as a task that existed before when it is new. pid must be >= 0. */
  of(pid: number): number {
    const known = this.find(pid);
    if (known < 0) return this.create(pid, -1);
    this.touch(known);
    return known;
  }

  /** Two tasks exchange their pids; everything else stays with each. */
  exchange(a: number, b: number): void {
    const pid = this.pid[a]!;
    this.pid[a] = this.pid[b]!;
    this.pid[b] = pid;
    this.#byPid[this.pid[a]!] = a;
    this.#byPid[pid] = b;
    this.touch(a);
    this.touch(b);
  }

  /** Events have named it since the last gap. */
  touch(task: number): void {
    if (this.#isTouched[task] === 1) return;
    this.#isTouched[task] = 1;
    this.#touched.push(task);
  }

  /** The tasks named since the last call: a gap forgets what is known of them, and of no others anything is known. */
  takeTouched(): readonly number[] {
    const taken = this.#touched;
    this.#touched = [];
    for (const task of taken) this.#isTouched[task] = 0;
    return taken;
  }

  /** A fresh task for `pid`; the pid's former task is over. */
  create(pid: number, birth: number): number {
    let id = this.find(pid);
    if (id < 0) {
      id = this.#length++;
      if (id === this.pid.length) widen(this);
      if (pid >= this.#byPid.length) this.#grow(pid);
      this.#byPid[pid] = id;
    }
    this.pid[id] = pid;
    this.tgid[id] = -1;
    this.kind[id] = TaskKind.unknown;
    this.mm[id] = UNKNOWN_LIFE;
    this.borrowed[id] = NO_LIFE;
    this.borrowSeq[id] = -1;
    this.entering[id] = NO_LIFE;
    this.unusing[id] = 0;
    this.share[id] = ShareKind.none;
    this.sureMember[id] = 0;
    this.birth[id] = birth;
    this.firm[id] = birth;
    this.asleep[id] = 0;
    this.edge[id] = -1;
    this.edgeMm[id] = NO_LIFE;
    this.pendingPut[id] = NO_LIFE;
    this.pendingDrop[id] = NO_LIFE;
    this.pendingHold[id] = NO_LIFE;
    this.putHalf[id] = Half.none;
    this.getHalf[id] = Half.none;
    this.getLife[id] = NO_LIFE;
    this.leaving[id] = NO_LIFE;
    this.leaveShare[id] = ShareKind.none;
    this.exiting[id] = -1;
    this.leftLife[id] = NO_LIFE;
    this.leftHalf[id] = Half.none;
    this.execNew[id] = NO_LIFE;
    this.made[id] = NO_LIFE;
    this.exec[id] = Exec.none;
    this.getEntry[id] = -1;
    this.getTarget[id] = -1;
    this.lastGetSeq[id] = -1;
    this.lastGetMm[id] = NO_LIFE;
    this.lastGetDiverted[id] = Divert.no;
    this.cpu[id] = -1;
    this.comm[id] = -1;
    this.forked[id] = 0;
    this.gets.delete(id);
    this.opened.delete(id);
    this.touch(id);
    return id;
  }

  /** The life the task uses in context_switch()'s sense: tsk->mm, or the borrowed one; NO_LIFE for kernel tasks. */
  using(task: number): number {
    const borrowed = this.borrowed[task]!;
    if (borrowed >= 0) return borrowed;
    return this.kind[task] === TaskKind.kernel ? NO_LIFE : this.mm[task]!;
  }

  #grow(pid: number): void {
    let size = this.#byPid.length;
    while (size <= pid) size *= 2;
    const next = new Int32Array(size).fill(-1);
    next.set(this.#byPid);
    this.#byPid = next;
  }
}

/** A switch: none under way; sched_switch seen; its switch_mm_irqs_off or enter_lazy_tlb seen too. */
export const Tail = { none: 0, awaited: 1, seen: 2 } as const;

/** Where a pending mmgrab of a lazy reference stands: after sched_switch, after enter_lazy_tlb. */
export const GrabStage = { none: 0, switched: 1, lazy: 2 } as const;

/**
 * CPUs, indexed by cpu number. `lazy` is the life whose mm_count the CPU's chain of kernel tasks holds
 * (active_mm of the current kernel task), `loaded` the life in cpu_tlbstate.loaded_mm (-1 unknown): they differ after a
 * flush has sent a lazy CPU to init_mm (§2.4 row 11).
 */
export class Cpus {
  cur: Int32Array = new Int32Array(FIRST_ROOM);
  lazy: Int32Array = new Int32Array(FIRST_ROOM);
  loaded: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence since when `lazy` is what it is. */
  lazySeq: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of the event that announced `loaded`: hardware follows by the CPU's next event. */
  loadSeq: Int32Array = new Int32Array(FIRST_ROOM);
  /** What was loaded before that. */
  loadedBefore: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: the CPU came to use `active` from having held it lazily. */
  resumed: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: CR3 was loaded (tlb_flush reason 0) since the last sched_switch. */
  crLoaded: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: it has gone to init_mm to go offline, and loaded no mm since. */
  leaving: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life in use by the running task; NO_LIFE for kernel tasks, UNKNOWN_LIFE when not known. */
  active: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence since when the lazy reference is unknown; -1 = known. */
  unknownSince: Int32Array = new Int32Array(FIRST_ROOM);
  unknownNs: Float64Array = new Float64Array(FIRST_ROOM);
  /** Number of fork rows when it became unknown: those after may have to be looked at again. */
  unknownFork: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life whose lazy mmgrab is under way. */
  pendingGrab: Int32Array = new Int32Array(FIRST_ROOM);
  grabStage: Int32Array = new Int32Array(FIRST_ROOM);
  /** Life whose mmdrop is under way (finish_task_switch, kthread_use_mm); UNKNOWN_LIFE: some older life's. */
  pendingDrop: Int32Array = new Int32Array(FIRST_ROOM);
  /** Progress of the switch under way; its events are still printed in prev's name. */
  tail: Int32Array = new Int32Array(FIRST_ROOM);
  prevTask: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of the last sched_switch. */
  switchSeq: Int32Array = new Int32Array(FIRST_ROOM);
  /** Whom prev used at the last switch: life, NO_LIFE kernel, UNKNOWN_LIFE. */
  prevUsing: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of the last event seen on the CPU. */
  lastSeq: Int32Array = new Int32Array(FIRST_ROOM);
  lastNs: Float64Array = new Float64Array(FIRST_ROOM);

  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Makes room for `cpu`; new CPUs are in unknown state since the trace's start. */
  ensure(cpu: number): void {
    while (this.#length <= cpu) {
      const c = this.#length++;
      if (c === this.cur.length) widen(this);
      this.cur[c] = -1;
      this.lazy[c] = UNKNOWN_LIFE;
      this.loaded[c] = -1;
      this.lazySeq[c] = -1;
      this.loadSeq[c] = -1;
      this.loadedBefore[c] = -1;
      this.resumed[c] = 0;
      this.crLoaded[c] = 0;
      this.leaving[c] = 0;
      this.active[c] = UNKNOWN_LIFE;
      this.unknownSince[c] = 0;
      this.unknownNs[c] = Number.NEGATIVE_INFINITY;
      this.unknownFork[c] = 0;
      this.pendingGrab[c] = NO_LIFE;
      this.grabStage[c] = GrabStage.none;
      this.pendingDrop[c] = NO_LIFE;
      this.tail[c] = 0;
      this.prevTask[c] = -1;
      this.switchSeq[c] = -1;
      this.prevUsing[c] = UNKNOWN_LIFE;
      this.lastSeq[c] = -1;
      this.lastNs[c] = Number.NEGATIVE_INFINITY;
    }
  }
}

/** Kernel rules that differ by version. */
export interface KernelRules {
  /** kthread_use_mm always grabs, then drops the old active_mm: a transient +1 (6.4 on). */
  readonly useMmAlwaysGrabs: boolean;
  /** mm_cpumask bits are cleared lazily (209954cbc7d0, 6.14). */
  readonly lazyCpumask: boolean;
  /** sched_process_exit comes before exit_mm() (3e816361e94a, 6.16). */
  readonly exitTracedFirst: boolean;
}

/** All state of one replay. `seq` is the number of the event being applied. */
export class World {
  readonly tasks: Tasks = new Tasks();
  readonly mms: Mms = new Mms();
  readonly cpus: Cpus = new Cpus();
  readonly names: Names = new Names();
  readonly rules: KernelRules;
  seq = 0;
  ns = 0;
  /** Input line of the event now applied. */
  line = 0;
  /** sched_switch is recorded. */
  switchesSeen = false;
  /** tlb_flush is recorded: reason 0 is every load of CR3. */
  flushesSeen = false;
  /** kthread_unuse_mm is recorded: a borrower that is about to end its borrow is seen. */
  unusesSeen = false;
  /** mmput is recorded: who has given a reference back is seen. */
  putsSeen = false;
  /** switch_mm_irqs_off is recorded. */
  switchMmSeen = false;
  /** mm_init or begin_new_exec is recorded: no mm is made unseen. */
  makesSeen = false;
  /** Lives made before the event now applied; later ones (Mms.serial) are met in it for the first time. */
  livesBefore = 0;
  /** enter_lazy_tlb is recorded: the moment a borrow ends is seen. */
  enterLazySeen = false;
  /** Life that stands for init_mm where no pointer names it; -1 not made yet. */
  other = -1;
  /** Pointer id of init_mm; -1: nothing has shown it yet. */
  initMm = -1;
  /** Sequence of the latest gap in the recording: lives born before it are in doubt. */
  lossSeq = -1;

  constructor(rules: KernelRules) {
    this.rules = rules;
  }

  /** The CPU's chain of kernel tasks holds `life` (NO_LIFE none, UNKNOWN_LIFE), left so by `task` when that is seen. */
  setLazy(cpu: number, life: number, task = -1, left: Left = Left.unknown): void {
    const { cpus, tasks, names } = this;
    if (cpus.lazy[cpu] === life) return;
    if (cpus.lazy[cpu]! >= 0) names.unparked(cpu);
    cpus.lazy[cpu] = life;
    cpus.lazySeq[cpu] = this.seq;
    if (life < 0) return;
    if (task < 0) names.parked(cpu, task, -1, -1, left, this);
    else names.parked(cpu, task, tasks.pid[task]!, tasks.comm[task]!, left, this);
  }

  /** Were events lost while `life` existed? Then no earlier knowledge of it holds. */
  lostDuring(life: number): boolean {
    return this.lossSeq >= 0 && this.mms.birth[life]! <= this.lossSeq;
  }

  /**
   * Two lives that nothing tells apart: one is known by lineage only (a task older than the trace or a gap), and may share the mm that
   * the other names.
   */
  mayBeSame(one: number, two: number): boolean {
    const { label, birth } = this.mms;
    const isUnnamed = (label[one] === -1 && one !== this.other) || (label[two] === -1 && two !== this.other);
    return one === two || (isUnnamed && (birth[one]! < 0 || birth[two]! < 0));
  }

  /** Could `life` be what an unknown CPU, unknown since `since`, holds? Not when it was born later. */
  couldHold(life: number, since: number): boolean {
    return this.mms.birth[life]! <= since;
  }
}
