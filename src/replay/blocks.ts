// What a design's lock would have made wait, into the blocks table: calls inside a fork's window, calls that meet another
// writer of mmap_lock, forks behind forks. What each then does is retime.ts's. Fed by verdicts.ts in the order of forks.
import type { TraceMeta } from "../table/event-batch.ts";
import type { BlockCause, BlockRow, VerdictTables } from "../table/verdict-tables.ts";
import type { Blocked, Call } from "./attempt.ts";
import type { Forks } from "./forks.ts";
import type { WriteHold } from "./locks.ts";
import type { Mms } from "./model/mms.ts";
import type { Policy } from "./policies/policy.ts";
import type { Replayer } from "./replay.ts";
import { type ForkLookup, type Judged, type Moved, type Reached, retime } from "./retime.ts";

/** Forks of one mm under way at once that are looked at; a window cut off has no end. */
const MOST_AT_ONCE = 64;

export interface BlockOptions {
  readonly policies: readonly Policy[];
  readonly meta: TraceMeta;
  /** Fork rows in order of their checks; the first has this id, the others follow. */
  readonly order: Int32Array;
  readonly firstId: number;
  /** What a policy makes of a fork by the trace's own times. */
  judged(row: number, policy: Policy): Judged;
}

/** Rows of `blocks`, in the order of forks; `before`, then per policy `inWindow`, then `after` for each fork, `finish` last. */
export class Blocks {
  /** By row and policy id: what a moved run makes of the fork where that is not what the trace's times say. */
  readonly rejudged: Map<number, Map<string, string>> = new Map();
  readonly #forks: Forks;
  readonly #mms: Mms;
  readonly #options: BlockOptions;
  readonly #into: VerdictTables["blocks"];
  readonly #lookup: ForkLookup;
  /** Fork ids by row. */
  readonly #ids: Int32Array;
  readonly #byLock: Map<WriteHold, number>;
  /** Calls by the rows of the windows they lie in. */
  readonly #blocked: Map<number, Blocked[]> = new Map();
  readonly #inWindow: Set<Call> = new Set();
  readonly #queued: readonly Call[];
  #nextQueued = 0;
  /** By row: forks of the same mm that begin before its end. */
  readonly #behind: Map<number, number[]> = new Map();
  /** Locks are printed under hashed pointers: a hold that names no mm may be any mm's. */
  readonly #isHashed: boolean;

  constructor(replayer: Replayer, options: BlockOptions, into: VerdictTables) {
    const { forks, windows, world } = replayer;
    this.#forks = forks;
    this.#mms = world.mms;
    this.#options = options;
    this.#into = into.blocks;
    this.#queued = windows.queued;
    this.#isHashed = world.mms.anyHashed;
    this.#ids = new Int32Array(forks.length).fill(-1);
    this.#byLock = new Map();
    options.order.forEach((row, position) => {
      this.#ids[row] = options.firstId + position;
      const lock = forks.lock.at(row);
      if (lock !== undefined) this.#byLock.set(lock, row);
    });
    const ofLife = rowsByLife(forks, options.order, world.mms.length);
    this.#lookup = { forks, ofLife, judged: options.judged };
    const { lastFork } = world.mms;
    for (let life = 0; life < world.mms.length; life++)
      if (lastFork[life]! >= 0 && forks.prev.at(lastFork[life]!) >= 0)
        noteOverlaps(forks, ofLife(life), this.#behind);
    for (const blocked of windows.blocked) {
      push(this.#blocked, blocked.fork, blocked);
      if (!blocked.beforeLock) this.#inWindow.add(blocked.call);
    }
  }

  /** Calls that met another writer's lock before the check of `row`. */
  before(row: number): void {
    for (; (this.#queued[this.#nextQueued]?.at ?? Infinity) < this.#forks.start.at(row); this.#nextQueued++)
      this.#queue(this.#queued[this.#nextQueued]!);
  }

  finish(): void {
    for (; this.#nextQueued < this.#queued.length; this.#nextQueued++)
      this.#queue(this.#queued[this.#nextQueued]!);
  }

  /** Calls inside the window of `row`. `isFast`: what the policy decided there. */
  inWindow(row: number, policy: Policy, isFast: boolean): void {
    for (const { call, beforeLock } of this.#blocked.get(row) ?? [])
      if (waitsInWindow(policy, isFast, call, beforeLock)) this.#append(policy, call, "fork-window", row);
  }

  /**
   * A call of kthread_use_mm that met a write hold on mmap_lock, unless it is a fork's and the call lies in its window.
   */
  #queue(call: Call): void {
    if (this.#inWindow.has(call)) return;
    const hashed = this.#mms.hashed[call.life]!;
    const hold = call.hold ?? call.strays.find(({ label }) => label === hashed);
    const isKnown = hashed >= 0 || !this.#isHashed;
    if (hold === undefined && (isKnown || call.strays.length === 0)) return;
    const isReleased = hold?.ended === "released" || hold?.ended === "downgraded";
    const cause = isReleased ? "writer-queue" : "unreleased-lock";
    const holder = hold === undefined ? -1 : (this.#byLock.get(hold) ?? -1);
    for (const policy of this.#options.policies) {
      if (policy.holds !== "mmap_lock" || !policy.serialises.includes(call.kind)) continue;
      this.#append(policy, call, cause, holder, hold);
    }
  }

  #append(policy: Policy, call: Call, cause: BlockCause, row: number, hold?: WriteHold): void {
    const until = cause === "unreleased-lock" ? Number.NaN : (hold?.to ?? this.#release(policy, row));
    const moved = retime(this.#lookup, policy, call, until);
    for (const reached of moved.reached) this.#note(policy, reached);
    this.#into.append(this.#row(policy, call, cause, row, until, moved));
  }

  /** When the fork at `row` lets go of the policy's lock. */
  #release(policy: Policy, row: number): number {
    const to = this.#forks.lock.at(row)?.to ?? Number.NaN;
    const end = this.#forks.end.at(row);
    return policy.holds !== "mmap_lock" || Number.isNaN(to) ? end : to;
  }

  #note(policy: Policy, { row, verdict, differs }: Reached): void {
    if (!differs) return;
    const known = this.rejudged.get(row);
    if (known === undefined) this.rejudged.set(row, new Map([[policy.id, verdict]]));
    else known.set(policy.id, verdict);
  }

  #row(policy: Policy, call: Call, cause: BlockCause, row: number, until: number, moved: Moved): BlockRow {
    const { meta } = this.#options;
    const next = moved.reached[0];
    const wait = span(until - call.at);
    return {
      policy: policy.id,
      fork: row < 0 ? null : this.#id(row),
      kind: call.kind,
      tid: call.tid,
      comm: meta.comms[call.comm] ?? "",
      at_ns: absolute(meta, call.at),
      wait_ns: wait,
      line: call.line,
      cause,
      until_ns: instant(meta, until),
      new_ns: wait,
      use_end_ns: instant(meta, moved.useEnd),
      outcome: moved.outcome,
      next_fork: next === undefined ? null : this.#id(next.row),
      next_verdict: next?.verdict ?? null,
      next_wait_ns: span(next?.wait ?? Number.NaN),
      waiter: null,
      ahead: call.ahead,
    };
  }

  #id(row: number): number {
    return this.#ids[row] ?? -1;
  }

  /**
   * Forks of the same mm that wait for the fork at `row`. Under fork_lock they do so from before copy_mm(); for mmap_lock
   * they do in every kernel, in dup_mmap().
   */
  after(row: number): void {
    for (const waiter of this.#behind.get(row) ?? []) {
      for (const policy of this.#options.policies) {
        if (policy.holds === "nothing") continue;
        const wait =
          policy.holds === "copy_mm" ? this.#behindForkLock(row, waiter) : this.#behindMmapLock(row, waiter);
        if (wait !== undefined) this.#appendFork(policy, row, waiter, wait);
      }
    }
  }

  #behindForkLock(row: number, waiter: number): ForkWait | undefined {
    const f = this.#forks;
    const at = begin(f, waiter);
    const until = f.end.at(row);
    if (!(begin(f, row) < at && at < until)) return undefined;
    // It asks for mmap_lock as long after copy_mm()'s begin as it did, and finds this fork gone.
    const lock = f.lock.at(waiter);
    const got = lock === undefined ? Number.NaN : until + (lock.asked - at);
    return { at, until, added: Math.max(0, got - (lock?.from ?? Number.NaN)) };
  }

  #behindMmapLock(row: number, waiter: number): ForkWait | undefined {
    const f = this.#forks;
    const mine = f.lock.at(row);
    const other = f.lock.at(waiter);
    const from = mine?.from ?? f.start.at(row);
    const until = mine === undefined || Number.isNaN(mine.to) ? f.end.at(row) : mine.to;
    const at = other !== undefined && !Number.isNaN(other.asked) ? other.asked : f.early.at(waiter);
    const got = other?.from ?? f.start.at(waiter);
    if (!(from <= at && at < until && until <= got)) return undefined;
    return { at, until, added: 0 };
  }

  #appendFork(policy: Policy, row: number, waiter: number, { at, until, added }: ForkWait): void {
    const { meta } = this.#options;
    const f = this.#forks;
    this.#into.append({
      policy: policy.id,
      fork: this.#id(row),
      kind: policy.holds === "copy_mm" ? "copy_mm" : "dup_mmap",
      tid: f.tid.at(waiter),
      comm: meta.comms[f.comm.at(waiter)] ?? "",
      at_ns: absolute(meta, at),
      wait_ns: span(until - at),
      line: f.line.at(waiter),
      cause: "fork-fork",
      until_ns: instant(meta, until),
      new_ns: span(added),
      use_end_ns: instant(meta, f.end.at(waiter)),
      outcome: "starts-late",
      next_fork: null,
      next_verdict: null,
      next_wait_ns: null,
      waiter: this.#id(waiter),
      ahead: 0,
    });
  }
}

interface ForkWait {
  readonly at: number;
  readonly until: number;
  /** Of that, not in the kernel as recorded; NaN unknown. */
  readonly added: number;
}

/** copy_mm()'s begin, as near as the trace shows it. */
function begin(f: Forks, row: number): number {
  return Number.isNaN(f.early.at(row)) ? f.start.at(row) : f.early.at(row);
}

/** Fork rows of each life, in the order of `order`. */
function rowsByLife(f: Forks, order: Int32Array, lives: number): (life: number) => Int32Array {
  const ends = new Int32Array(lives + 1);
  for (const row of order) ends[f.life.at(row) + 1]! += 1;
  for (let life = 0; life < lives; life++) ends[life + 1]! += ends[life]!;
  const rows = new Int32Array(order.length);
  const next = ends.slice();
  for (const row of order) {
    const life = f.life.at(row);
    rows[next[life]!] = row;
    next[life]! += 1;
  }
  return (life) => rows.subarray(ends[life], ends[life + 1]);
}

/** For the forks of one life: which begin before another's release, into `behind`. */
function noteOverlaps(f: Forks, rows: Int32Array, behind: Map<number, number[]>): void {
  if (rows.length < 2) return;
  const order = [...rows].sort((a, b) => begin(f, a) - begin(f, b));
  let open: number[] = [];
  for (const row of order) {
    open = open.filter((other) => !((f.lock.at(other)?.to ?? f.end.at(other)) <= begin(f, row)));
    for (const other of open) push(behind, other, row);
    open.push(row);
    if (open.length > MOST_AT_ONCE) open.shift();
  }
}

function push<K, T>(map: Map<K, T[]>, key: K, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

function waitsInWindow(policy: Policy, isFast: boolean, call: Call, beforeLock: boolean): boolean {
  if (call.diverts === "no" || !policy.serialises.includes(call.kind)) return false;
  if (policy.waitsOnlyWhenFast && !isFast) return false;
  return !(beforeLock && policy.holds === "mmap_lock");
}

function absolute(meta: TraceMeta, relative: number): bigint {
  return meta.epochNs + BigInt(Math.round(relative));
}

function instant(meta: TraceMeta, relative: number): bigint | null {
  return Number.isNaN(relative) ? null : absolute(meta, relative);
}

function span(ns: number): bigint | null {
  return Number.isNaN(ns) ? null : BigInt(Math.round(ns));
}
