// Who holds the references that the model counts, since when and from which input line: names beside the numbers, for
// explanation only. No count, decision or verdict is read from here. Written by the transitions, read by holders.ts.

/** The event being applied. */
export interface Now {
  readonly seq: number;
  readonly ns: number;
  readonly line: number;
}

/** It began before the trace, or nothing shows when. */
export const UNSEEN: Now = { seq: -1, ns: Number.NaN, line: 0 };

/** What a note says a task has to do with an mm. Up to `leaving` of mm_users, the others of mm_count. */
export const Note = {
  /** get_task_mm() or mm_access() returned it a reference. */
  get: 0,
  /** It has entered get_task_mm() or mm_access(). */
  taking: 1,
  /** It has entered mmput(). */
  giving: 2,
  /** It has left the mm; its mmput() is still to come. */
  leaving: 3,
  borrow: 4,
  /** kthread_use_mm() called and not seen to take effect. */
  entering: 5,
  khugepaged: 6,
  ksm: 7,
  procFd: 8,
  ring: 9,
  notifier: 10,
} as const;
export type Note = (typeof Note)[keyof typeof Note];

/** What took a CPU off the mm and left it lazily there. */
export const Left = { unknown: 0, switched: 1, vforkChild: 2, borrower: 3, exit: 4 } as const;
export type Left = (typeof Left)[keyof typeof Left];

/** A reference as noted. `ns` NaN and `line` 0: it began before the trace, or when is not known. */
export interface Noted extends Now {
  readonly kind: Note;
  readonly task: number;
  readonly tid: number;
  readonly comm: number;
}

/** Numbers of a note: kind, task, tid, comm, seq, ns, line. */
const STRIDE = 7;
/** Notes kept of one mm: a recording in which references are taken and never given back must not grow. */
const MOST_NOTES = 1024;

const MOST_SPARE = 64;
const NO_NOTES: readonly Noted[] = [];

/** The tasks that share an mm, oldest first, as lists linked through parallel arrays. */
class Members {
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  readonly #next: number[] = [];
  readonly #prev: number[] = [];
  /** Life in whose list the task is; absent: none. */
  readonly #in: (number | undefined)[] = [];
  readonly #seq: number[] = [];
  readonly #ns: number[] = [];
  readonly #line: number[] = [];

  link(life: number, task: number, seq: number, ns: number, line: number): void {
    this.unlink(task);
    const last = this.#last[life] ?? -1;
    this.#in[task] = life;
    this.#prev[task] = last;
    this.#next[task] = -1;
    if (last < 0) this.#first[life] = task;
    else this.#next[last] = task;
    this.#last[life] = task;
    this.#seq[task] = seq;
    this.#ns[task] = ns;
    this.#line[task] = line;
  }

  unlink(task: number): void {
    const life = this.#in[task];
    if (life === undefined) return;
    this.#in[task] = undefined;
    const prev = this.#prev[task]!;
    const next = this.#next[task]!;
    if (prev < 0) this.#first[life] = next;
    else this.#next[prev] = next;
    if (next < 0) this.#last[life] = prev;
    else this.#prev[next] = prev;
  }

  /** The life is no more: whoever is still listed is nobody's member. */
  clear(life: number): void {
    for (let task = this.first(life); task >= 0; task = this.next(task)) this.#in[task] = undefined;
    this.#first[life] = -1;
    this.#last[life] = -1;
  }

  /** Oldest member of a life, -1 none. A task whose pid went to another may still be listed. */
  first(life: number): number {
    return this.#first[life] ?? -1;
  }

  next(task: number): number {
    return this.#next[task] ?? -1;
  }

  /** When its membership, the present or the last one, began. */
  since(task: number): Now {
    const seq = this.#seq[task];
    if (seq === undefined) return UNSEEN;
    return { seq, ns: this.#ns[task]!, line: this.#line[task]! };
  }
}

/** How each CPU came to hold what it holds lazily. */
class LazyNotes {
  readonly task: number[] = [];
  readonly tid: number[] = [];
  readonly comm: number[] = [];
  readonly left: number[] = [];
  readonly seq: number[] = [];
  readonly ns: number[] = [];
  readonly line: number[] = [];

  set(cpu: number, task: number, tid: number, comm: number, left: Left, now: Now): void {
    this.task[cpu] = task;
    this.tid[cpu] = tid;
    this.comm[cpu] = comm;
    this.left[cpu] = left;
    this.seq[cpu] = now.seq;
    this.ns[cpu] = now.ns;
    this.line[cpu] = now.line;
  }

  copy(from: LazyNotes, cpu: number): void {
    this.task[cpu] = from.task[cpu] ?? -1;
    this.tid[cpu] = from.tid[cpu] ?? -1;
    this.comm[cpu] = from.comm[cpu] ?? -1;
    this.left[cpu] = from.left[cpu] ?? Left.unknown;
    this.seq[cpu] = from.seq[cpu] ?? -1;
    this.ns[cpu] = from.ns[cpu] ?? Number.NaN;
    this.line[cpu] = from.line[cpu] ?? 0;
  }
}

export class Names {
  /** false: nothing is noted (the explorer puts its states back, and asks for no names). */
  enabled = true;
  readonly members: Members = new Members();
  /** Of each CPU's lazy reference; of the one it held before that, which it may still be about to drop. */
  readonly lazy: LazyNotes = new LazyNotes();
  readonly formerLazy: LazyNotes = new LazyNotes();
  /** By life; absent: none. */
  readonly #notes: (number[] | undefined)[] = [];
  /** Lists that are empty again: most mms have a note only while a call is under way. */
  readonly #spare: number[][] = [];

  joined(life: number, task: number, now: Now): void {
    if (this.enabled) this.members.link(life, task, now.seq, now.ns, now.line);
  }

  /** The task has been a member since sequence `since`, in which nothing showed it. */
  joinedUnseen(life: number, task: number, since: number): void {
    if (this.enabled) this.members.link(life, task, since, Number.NaN, 0);
  }

  gone(task: number): void {
    if (this.enabled) this.members.unlink(task);
  }

  /** The CPU's lazy reference begins, left by `task` (-1: nobody knows). */
  parked(cpu: number, task: number, tid: number, comm: number, left: Left, now: Now): void {
    if (this.enabled) this.lazy.set(cpu, task, tid, comm, left, left === Left.unknown ? UNSEEN : now);
  }

  /** The CPU's lazy reference is over; it may not have been dropped yet. */
  unparked(cpu: number): void {
    if (!this.enabled) return;
    this.formerLazy.copy(this.lazy, cpu);
    this.lazy.set(cpu, -1, -1, -1, Left.unknown, UNSEEN);
  }

  add(kind: Note, life: number, task: number, tid: number, comm: number, now: Now): void {
    if (!this.enabled || life < 0) return;
    let list = life < this.#notes.length ? this.#notes[life] : undefined;
    if (list === undefined) {
      list = this.#spare.pop() ?? [];
      for (let l = this.#notes.length; l < life; l++) this.#notes.push(undefined);
      this.#notes[life] = list;
    } else if (list.length >= MOST_NOTES * STRIDE) list.splice(0, STRIDE);
    list.push(kind, task, tid, comm, now.seq, now.ns, now.line);
  }

  /** The task's latest note of that kind is over. */
  remove(kind: Note, life: number, task: number): void {
    const at = this.#find(kind, life, task);
    if (at < 0) return;
    const list = this.#notes[life]!;
    if (list.length === STRIDE) this.#clear(life, list);
    else list.splice(at, STRIDE);
  }

  /** The task's latest note of one kind becomes one of another, as old as it was; false when there is none. */
  turn(kind: Note, to: Note, life: number, task: number): boolean {
    const at = this.#find(kind, life, task);
    if (at >= 0) this.#notes[life]![at] = to;
    return at >= 0;
  }

  /** Nobody holds the mm for khugepaged or KSM any more; with `kind` absent, nobody holds it at all. */
  forget(life: number, kind?: Note): void {
    const list = this.#listOf(life);
    if (list === undefined) return;
    for (let at = list.length - STRIDE; at >= 0; at -= STRIDE)
      if (kind === undefined || list[at] === kind) list.splice(at, STRIDE);
    if (list.length === 0) this.#clear(life, list);
  }

  notesOf(life: number): readonly Noted[] {
    const list = this.#listOf(life);
    if (list === undefined) return NO_NOTES;
    const out: Noted[] = [];
    for (let at = 0; at < list.length; at += STRIDE)
      out.push({
        kind: list[at] as Note,
        task: list[at + 1]!,
        tid: list[at + 2]!,
        comm: list[at + 3]!,
        seq: list[at + 4]!,
        ns: list[at + 5]!,
        line: list[at + 6]!,
      });
    return out;
  }

  #listOf(life: number): number[] | undefined {
    return life >= 0 && life < this.#notes.length ? this.#notes[life] : undefined;
  }

  #clear(life: number, list: number[]): void {
    list.length = 0;
    this.#notes[life] = undefined;
    if (this.#spare.length < MOST_SPARE) this.#spare.push(list);
  }

  #find(kind: Note, life: number, task: number): number {
    const list = this.enabled ? this.#listOf(life) : undefined;
    if (list === undefined) return -1;
    for (let at = list.length - STRIDE; at >= 0; at -= STRIDE)
      if (list[at] === kind && list[at + 1] === task) return at;
    return -1;
  }
}
