// The lifetimes of mms while a trace is replayed: parallel arrays indexed by life id, and which life is at a pointer. Part of
// the World (world.ts). Sources: semantics.md §2.1, §9.4, §9.11.

/**
 * mm lives: one id per lifetime of an mm_struct. `sum` is the ledger of mm_users from proven gets and puts; it is a
 * lower bound always, and exact when no doubt is open (semantics §9.4, §9.11).
 */
export class Mms {
  /** Pointer id of its address, or -1 while only known by lineage. */
  readonly label: number[] = [];
  /** Pointer id of its hashed form, or -1. */
  readonly hashed: number[] = [];
  /** Sequence of birth; -1: existed before the trace (or was first met after a gap). */
  readonly birth: number[] = [];
  /** 1 once exit_mmap was seen: mm_users is 0 and the ledger is closed. */
  readonly closed: number[] = [];
  readonly sum: number[] = [];
  /** Tasks known to have it as tsk->mm: the lower bound when puts are not recorded. */
  readonly members: number[] = [];
  /** Sequence of the latest gain of a user. */
  readonly joinSeq: number[] = [];
  readonly threads: number[] = [];
  readonly vforks: number[] = [];
  readonly ioWorkers: number[] = [];
  /** kthreads inside kthread_use_mm on it. */
  readonly borrows: number[] = [];
  /** kthreads between the call of kthread_use_mm, or of kthread_unuse_mm, and its effect. */
  readonly entering: number[] = [];
  readonly unusing: number[] = [];
  /** mm_count drops and grabs that a task has begun and not shown to be done. */
  readonly pendingDrops: number[] = [];
  readonly pendingHolds: number[] = [];
  /** get_task_mm or mm_access calls entered and not returned. */
  readonly openGets: number[] = [];
  /** Outstanding gets by who holds them: kthread, another user task, a member itself. */
  readonly getsKthread: number[] = [];
  readonly getsReader: number[] = [];
  readonly getsSelf: number[] = [];
  readonly pendingPuts: number[] = [];
  /** Puts that either released somebody else's seen get or prove a hidden one; sequence numbers. */
  readonly ambiguous: (number[] | undefined)[] = [];
  readonly khugepaged: number[] = [];
  readonly ksm: number[] = [];
  readonly notifiers: number[] = [];
  /** Holders that may or may not still hold mm_count: open /proc files, io_uring rings. */
  readonly procFds: number[] = [];
  readonly rings: number[] = [];
  /** A kthread used it without any reference the trace shows. */
  readonly hiddenHolder: number[] = [];
  /** The ledger contradicted the kernel (sum not 0 at exit_mmap): nothing about users is claimed. */
  readonly broken: number[] = [];
  /** Row of its latest fork; -1 none. */
  readonly lastFork: number[] = [];
  /** First CPU that loaded it, and whether a second one did: mm_cpumask from 6.14 on only grows (§2.2). */
  readonly firstCpu: number[] = [];
  readonly manyCpus: number[] = [];
  /** Task that made it (mm_init), to tell exec from a borrowed load. */
  readonly maker: number[] = [];
  /** Life by pointer id. */
  readonly #byLabel: number[] = [];

  get length(): number {
    return this.label.length;
  }

  create(label: number, birth: number, maker: number): number {
    const id = this.label.length;
    this.label.push(label);
    this.hashed.push(-1);
    this.birth.push(birth);
    this.closed.push(0);
    this.sum.push(0);
    this.members.push(0);
    this.joinSeq.push(-1);
    this.threads.push(0);
    this.vforks.push(0);
    this.ioWorkers.push(0);
    this.borrows.push(0);
    this.entering.push(0);
    this.unusing.push(0);
    this.pendingDrops.push(0);
    this.pendingHolds.push(0);
    this.openGets.push(0);
    this.getsKthread.push(0);
    this.getsReader.push(0);
    this.getsSelf.push(0);
    this.pendingPuts.push(0);
    this.ambiguous.push(undefined);
    this.khugepaged.push(0);
    this.ksm.push(0);
    this.notifiers.push(0);
    this.procFds.push(0);
    this.rings.push(0);
    this.hiddenHolder.push(0);
    this.broken.push(0);
    this.lastFork.push(-1);
    this.firstCpu.push(-1);
    this.manyCpus.push(0);
    this.maker.push(maker);
    if (label >= 0) this.#byLabel[label] = id;
    return id;
  }

  /** Life now at a pointer, or -1. */
  find(label: number): number {
    return this.#byLabel[label] ?? -1;
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
    this.#byLabel[label] = life;
  }

  /**
   * A second name for a life: mmap_lock events print a hashed %p where kprobes print the pointer itself. Holds until
   * the life ends or the name is given to another.
   */
  alias(life: number, label: number): void {
    this.#byLabel[label] = life;
    this.hashed[life] = label;
  }

  /** Is `label` a life's own address, not an alias? */
  isAddress(label: number): boolean {
    const life = this.find(label);
    return life >= 0 && this.label[life] === label;
  }

  /** The address is free again (__mmdrop). */
  unbind(life: number): void {
    for (const label of [this.label[life]!, this.hashed[life]!]) {
      if (label >= 0 && this.#byLabel[label] === life) this.#byLabel[label] = -1;
    }
  }

  gets(life: number): number {
    return this.getsKthread[life]! + this.getsReader[life]! + this.getsSelf[life]!;
  }
}
