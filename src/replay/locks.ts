// mmap_lock as its tracepoints show it: who holds the lock of which mm for write, who waits for it. Fed by lower.ts; calls
// of kthread_use_mm and the windows of forks keep the hold they met, whose end is filled in when it is seen.
import type { Mms } from "./model/mms.ts";

/** One write hold. `to` stays NaN until it is known. */
export interface WriteHold {
  readonly task: number;
  /** Pointer id of the lock. */
  readonly label: number;
  /** When the lock was asked for (mmap_lock_start_locking), NaN not recorded, and when it was got. */
  readonly asked: number;
  readonly from: number;
  /** Sequence of that. */
  readonly seq: number;
  readonly line: number;
  to: number;
  /**
   * released: mmap_lock_released, write. downgraded: acquire_returned of the same task, read (mmap_write_downgrade()).
   * unseen: the hold ended without either, as a downgrade does where readers are filtered out; `to` is then NaN.
   */
  ended: "" | "released" | "downgraded" | "unseen";
}

/** Holds of unknown mms kept for one call. */
const MOST_STRAYS = 32;

const NO_HOLDS: readonly WriteHold[] = [];

/** The locks of one trace, by pointer id. Indices of tasks are TaskIds. */
export class Locks {
  readonly #mms: Mms;
  /** By pointer id: task that holds the lock for write, -1 none. */
  readonly #holder: number[] = [];
  readonly #asked: number[] = [];
  readonly #from: number[] = [];
  readonly #seq: number[] = [];
  readonly #line: number[] = [];
  /** The hold as an object, once somebody has asked for it. */
  readonly #hold: (WriteHold | undefined)[] = [];
  /** By pointer id: tasks that have asked for the write lock and not got it. */
  readonly #waiting: number[] = [];
  /** By task: what it has asked for, and when. */
  readonly #askLabel: number[] = [];
  readonly #askNs: number[] = [];
  /** By task: pointer id and sequence of the last mmap_lock it got, in either mode. */
  readonly #lastLabel: number[] = [];
  readonly #lastSeq: number[] = [];
  /** Pointer ids held now. */
  readonly #held: Set<number> = new Set();

  constructor(mms: Mms) {
    this.#mms = mms;
  }

  /** mmap_lock_start_locking. */
  ask(task: number, label: number, write: boolean, ns: number): void {
    // A task cannot ask for a lock that it holds: what it held it has downgraded and released unseen.
    if (this.#holder[label] === task) this.#end(label, Number.NaN, "unseen");
    if (!write) return;
    this.#stopWaiting(task);
    this.#askLabel[task] = label;
    this.#askNs[task] = ns;
    this.#waiting[label] = (this.#waiting[label] ?? 0) + 1;
  }

  /** mmap_lock_acquire_returned. */
  got(
    task: number,
    label: number,
    write: boolean,
    success: boolean,
    ns: number,
    seq: number,
    line: number,
  ): void {
    const asked = this.#askLabel[task] === label ? this.#askNs[task]! : Number.NaN;
    if (write) this.#stopWaiting(task);
    if (!success) return;
    this.#lastLabel[task] = label;
    this.#lastSeq[task] = seq;
    const holder = this.#holder[label] ?? -1;
    if (!write) {
      // Readers and a writer exclude each other: the writer has become a reader, or is gone.
      if (holder >= 0)
        this.#end(label, holder === task ? ns : Number.NaN, holder === task ? "downgraded" : "unseen");
      return;
    }
    if (holder >= 0) this.#end(label, Number.NaN, "unseen");
    this.#holder[label] = task;
    this.#asked[label] = asked;
    this.#from[label] = ns;
    this.#seq[label] = seq;
    this.#line[label] = line;
    this.#held.add(label);
  }

  /** mmap_lock_released, write. */
  released(task: number, label: number, ns: number): void {
    const holder = this.#holder[label] ?? -1;
    if (holder < 0) return;
    this.#end(label, holder === task ? ns : Number.NaN, holder === task ? "released" : "unseen");
  }

  /** Events were lost: nothing is known of any lock. */
  lose(): void {
    for (const label of [...this.#held]) this.#end(label, Number.NaN, "unseen");
    this.#waiting.length = 0;
    this.#askLabel.length = 0;
  }

  /** The write hold in force on a life's lock. */
  holdOf(life: number): WriteHold | undefined {
    if (this.#held.size === 0) return undefined;
    const { label, hashed } = this.#mms;
    return this.#holdAt(label[life]!) ?? this.#holdAt(hashed[life]!);
  }

  /** Write holds on pointers that name no life: while `life` has no hashed name one may be its own. */
  strays(life: number): readonly WriteHold[] {
    if (this.#held.size === 0) return NO_HOLDS;
    const out: WriteHold[] = [];
    if (this.#mms.hashed[life] !== -1) return out;
    for (const label of this.#held) {
      const hold = this.#mms.find(label) < 0 ? this.#holdAt(label) : undefined;
      if (hold !== undefined && out.length < MOST_STRAYS) out.push(hold);
    }
    return out;
  }

  /** Writers that wait for a life's lock. */
  waiting(life: number): number {
    const { label, hashed } = this.#mms;
    return (
      (this.#waiting[label[life]!] ?? 0) + (hashed[life]! >= 0 ? (this.#waiting[hashed[life]!] ?? 0) : 0)
    );
  }

  /** Sequence at which `task` last got the lock of `life`, if that was its last mmap_lock; -1 otherwise. */
  lastGot(task: number, life: number): number {
    const label = this.#lastLabel[task];
    return label !== undefined && this.#mms.find(label) === life ? this.#lastSeq[task]! : -1;
  }

  #holdAt(label: number): WriteHold | undefined {
    const task = this.#holder[label] ?? -1;
    if (label < 0 || task < 0) return undefined;
    this.#hold[label] ??= {
      task,
      label,
      asked: this.#asked[label]!,
      from: this.#from[label]!,
      seq: this.#seq[label]!,
      line: this.#line[label]!,
      to: Number.NaN,
      ended: "",
    };
    return this.#hold[label];
  }

  #end(label: number, ns: number, how: WriteHold["ended"]): void {
    const hold = this.#hold[label];
    if (hold !== undefined) {
      hold.to = ns;
      hold.ended = how;
    }
    this.#hold[label] = undefined;
    this.#holder[label] = -1;
    this.#held.delete(label);
  }

  #stopWaiting(task: number): void {
    const label = this.#askLabel[task] ?? -1;
    if (label >= 0 && (this.#waiting[label] ?? 0) > 0) this.#waiting[label]! -= 1;
    this.#askLabel[task] = -1;
  }
}
