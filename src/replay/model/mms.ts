// The lifetimes of mms while a trace is replayed: parallel arrays indexed by life id, and which life is at a pointer. Part of
// the World (world.ts). Sources: semantics.md §2.1, §9.4, §9.11.

import { columnsIn, FIRST_ROOM, widen } from "./room.ts";

/**
 * mm lives: one id per lifetime of an mm_struct, as long as anything knows it (sweep.ts). `sum` is the ledger of mm_users from proven gets and puts; it is a
 * lower bound always, and exact when no doubt is open (semantics §9.4, §9.11).
 */
export class Mms {
  /** Pointer id of its address, or -1 while only known by lineage. */
  label: Int32Array = new Int32Array(FIRST_ROOM);
  /** Pointer id of its hashed form, or -1. */
  hashed: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of birth; -1: existed before the trace (or was first met after a gap). */
  birth: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1 once exit_mmap was seen: mm_users is 0 and the ledger is closed. */
  closed: Int32Array = new Int32Array(FIRST_ROOM);
  sum: Int32Array = new Int32Array(FIRST_ROOM);
  /** Tasks known to have it as tsk->mm: the lower bound when puts are not recorded. */
  members: Int32Array = new Int32Array(FIRST_ROOM);
  /** Sequence of the latest gain of a user. */
  joinSeq: Int32Array = new Int32Array(FIRST_ROOM);
  threads: Int32Array = new Int32Array(FIRST_ROOM);
  vforks: Int32Array = new Int32Array(FIRST_ROOM);
  ioWorkers: Int32Array = new Int32Array(FIRST_ROOM);
  /** kthreads inside kthread_use_mm on it. */
  borrows: Int32Array = new Int32Array(FIRST_ROOM);
  /** kthreads between the call of kthread_use_mm, or of kthread_unuse_mm, and its effect. */
  entering: Int32Array = new Int32Array(FIRST_ROOM);
  unusing: Int32Array = new Int32Array(FIRST_ROOM);
  /** mm_count drops and grabs that a task has begun and not shown to be done. */
  pendingDrops: Int32Array = new Int32Array(FIRST_ROOM);
  pendingHolds: Int32Array = new Int32Array(FIRST_ROOM);
  /** get_task_mm or mm_access calls entered and not returned. */
  openGets: Int32Array = new Int32Array(FIRST_ROOM);
  /** Outstanding gets by who holds them: kthread, another user task, a member itself. */
  getsKthread: Int32Array = new Int32Array(FIRST_ROOM);
  getsReader: Int32Array = new Int32Array(FIRST_ROOM);
  getsSelf: Int32Array = new Int32Array(FIRST_ROOM);
  pendingPuts: Int32Array = new Int32Array(FIRST_ROOM);
  /** Puts that either released somebody else's seen get or prove a hidden one; sequence numbers. */
  readonly ambiguous: (number[] | undefined)[] = [];
  khugepaged: Int32Array = new Int32Array(FIRST_ROOM);
  ksm: Int32Array = new Int32Array(FIRST_ROOM);
  notifiers: Int32Array = new Int32Array(FIRST_ROOM);
  /** Holders that may or may not still hold mm_count: open /proc files, io_uring rings. */
  procFds: Int32Array = new Int32Array(FIRST_ROOM);
  rings: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: a kthread used it without any reference the trace shows; it may have been a borrow that shows, too. */
  hiddenHolder: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1: a kthread had the mm by a kthread_use_mm() that no event shows. */
  hiddenBorrow: Int32Array = new Int32Array(FIRST_ROOM);
  /** The ledger contradicted the kernel (sum not 0 at exit_mmap): nothing about users is claimed. */
  broken: Int32Array = new Int32Array(FIRST_ROOM);
  /** Row of its latest fork; -1 none. */
  lastFork: Int32Array = new Int32Array(FIRST_ROOM);
  /** Its latest borrow, one more than its row (borrow-log.ts); 0 none. */
  lastBorrow: Int32Array = new Int32Array(FIRST_ROOM);
  /** First CPU that loaded it, and whether a second one did: mm_cpumask from 6.14 on only grows (§2.2). */
  firstCpu: Int32Array = new Int32Array(FIRST_ROOM);
  manyCpus: Int32Array = new Int32Array(FIRST_ROOM);
  /** Task that made it (mm_init), to tell exec from a borrowed load. */
  maker: Int32Array = new Int32Array(FIRST_ROOM);
  /** How many were created before it: ids are given again, this is not. */
  serial: Int32Array = new Int32Array(FIRST_ROOM);
  /** Some life has had a hashed form. */
  anyHashed = false;
  /** Life by pointer id, -1 none. */
  #byLabel: Int32Array = new Int32Array(FIRST_ROOM).fill(-1);
  #length = 0;
  #made = 0;
  /** Ids that are free again. */
  readonly #free: number[] = [];
  readonly #isFree: number[] = [];

  /** No id is as large. */
  get length(): number {
    return this.#length;
  }

  /** Lives created so far. */
  get made(): number {
    return this.#made;
  }

  /** Ids in use. */
  get live(): number {
    return this.#length - this.#free.length;
  }

  /** A new life; may replace every column by a longer one. */
  create(label: number, birth: number, maker: number): number {
    const id = this.#free.pop() ?? this.#length++;
    if (id === this.label.length) widen(this);
    this.#isFree[id] = 0;
    this.label[id] = label;
    this.hashed[id] = -1;
    this.birth[id] = birth;
    this.joinSeq[id] = -1;
    this.lastFork[id] = -1;
    this.lastBorrow[id] = 0;
    this.firstCpu[id] = -1;
    this.maker[id] = maker;
    this.serial[id] = this.#made++;
    this.ambiguous[id] = undefined;
    if (label >= 0) this.#name(label, id);
    return id;
  }

  /** Gives up every life that `isKept`, by id, has no 1 of; `over` is told of each. A pointer's life must be kept. */
  sweep(isKept: Uint8Array, over: (life: number) => void): void {
    const from = this.#free.length;
    for (let id = this.#length - 1; id >= 0; id--) {
      if (isKept[id] === 1 || this.#isFree[id] === 1) continue;
      over(id);
      this.#isFree[id] = 1;
      this.#free.push(id);
    }
    for (const [, column] of columnsIn(this))
      for (let i = from; i < this.#free.length; i++) column[this.#free[i]!] = 0;
  }

  /** Calls `visit` with every life at a pointer. */
  eachAtPointer(visit: (life: number) => void): void {
    for (const life of this.#byLabel) if (life >= 0) visit(life);
  }

  /** Life now at a pointer, or -1. */
  find(label: number): number {
    return label >= 0 && label < this.#byLabel.length ? this.#byLabel[label]! : -1;
  }

  /** Life now at a pointer; one that existed before the trace when it is new. */
  of(label: number): number {
    const known = this.find(label);
    return known >= 0 ? known : this.create(label, -1, -1);
  }

  /**
   * Life at a pointer that somebody uses, gets, forks, execs or borrows; -1 when there is none. One whose exit_mmap was
   * seen has no users and gains none (mm_users is 0 for good): another mm has its address, unseen.
   */
  findLive(label: number): number {
    const known = this.find(label);
    return known >= 0 && this.closed[known] === 0 ? known : -1;
  }

  ofLive(label: number): number {
    const known = this.findLive(label);
    return known >= 0 ? known : this.create(label, -1, -1);
  }

  /** Gives a life known by lineage its address. */
  bind(life: number, label: number): void {
    this.label[life] = label;
    this.#name(label, life);
  }

  /**
   * A second name for a life: mmap_lock events print a hashed %p where kprobes print the pointer itself. Holds until
   * the life ends or the name is given to another.
   */
  alias(life: number, label: number): void {
    this.#name(label, life);
    this.hashed[life] = label;
    this.anyHashed = true;
  }

  /** Is `label` a life's own address, not an alias? */
  isAddress(label: number): boolean {
    const life = this.find(label);
    return life >= 0 && this.label[life] === label;
  }

  /** The address is free again (__mmdrop). */
  unbind(life: number): void {
    this.#unname(this.label[life]!, life);
    this.#unname(this.hashed[life]!, life);
  }

  gets(life: number): number {
    return this.getsKthread[life]! + this.getsReader[life]! + this.getsSelf[life]!;
  }

  #name(label: number, life: number): void {
    if (label >= this.#byLabel.length) {
      let size = this.#byLabel.length;
      while (size <= label) size *= 2;
      const next = new Int32Array(size).fill(-1);
      next.set(this.#byLabel);
      this.#byLabel = next;
    }
    this.#byLabel[label] = life;
  }

  #unname(label: number, life: number): void {
    if (this.find(label) === life) this.#byLabel[label] = -1;
  }
}
