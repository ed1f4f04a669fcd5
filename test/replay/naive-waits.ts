// The slow second opinion on waits and near misses: given the forks and what the policies decide by the trace's own times,
// it works out from the rows alone, by filtering all of them, who waits for whom, what follows, and which borrow came
// nearest. Shares no code with src/replay; waits-agree.test.ts compares the two.
import { CTX_ALIAS, type TraceMeta } from "../../src/table/event-batch.ts";
import {
  EventKind,
  LOCK_SUCCESS,
  LOCK_WRITE,
  SWITCH_MM_NO_TASK,
  SwitchState,
} from "../../src/table/event-kinds.ts";
import type { ForkRow, VerdictRow } from "../../src/table/verdict-tables.ts";
import type { Row } from "../oracle/rows.ts";

/** Something a task has of an mm between two rows. */
interface Span {
  readonly kind: "ref" | "borrow" | "lazy";
  readonly tid: number;
  readonly mm: string;
  readonly cpu: number;
  readonly call: number;
  readonly from: number;
  readonly to: number;
}

interface LockSpan {
  readonly tid: number;
  readonly from: number;
  to: number;
  isSeen: boolean;
}

interface Fork {
  readonly id: number;
  readonly tid: number;
  readonly cpu: number;
  readonly mm: string;
  readonly begin: number;
  readonly check: number;
  readonly end: number;
  readonly row: ForkRow;
}

const NEVER = Number.POSITIVE_INFINITY;
const ASLEEP: readonly number[] = [SwitchState.sleeping, SwitchState.zombie, SwitchState.dead];

export class NaiveWaits {
  readonly #rows: readonly Row[];
  readonly #meta: TraceMeta;
  readonly #decided: (policy: string, fork: number) => Pick<VerdictRow, "decision" | "verdict">;
  readonly #forks: readonly Fork[];
  readonly #spans: readonly Span[];
  readonly #locks: ReadonlyMap<string, readonly LockSpan[]>;
  readonly #names: Map<string, Set<string>> = new Map();
  readonly #byLine: Map<number, number> = new Map();
  readonly #byTid: Map<number, number[]> = new Map();
  /** Row of the latest task_newtask that made a tid. */
  readonly #made: Map<number, number> = new Map();

  constructor(
    rows: readonly Row[],
    meta: TraceMeta,
    forks: readonly ForkRow[],
    decided: (policy: string, fork: number) => Pick<VerdictRow, "decision" | "verdict">,
  ) {
    this.#rows = rows;
    this.#meta = meta;
    this.#decided = decided;
    for (const [i, row] of rows.entries()) {
      if (row.kind !== EventKind.cpuSample && !this.#byLine.has(row.line)) this.#byLine.set(row.line, i);
      if (row.kind === EventKind.taskNewtask) this.#made.set(row.argTid, i);
      this.#byTid.set(row.tid, this.#byTid.get(row.tid) ?? []);
      this.#byTid.get(row.tid)!.push(i);
    }
    this.#forks = forks.map((fork) => this.#fork(fork));
    const takers = rows.filter(
      ({ kind }) => kind === EventKind.kthreadUseMm || kind === EventKind.getTaskMmRet,
    );
    this.#spans = [...new Set(takers.map((row) => row.tid))].flatMap((tid) => this.#spansOf(tid));
    this.#locks = this.#lockSpans();
  }

  /** Name of an mm's lifetime: its address, and how often that began or ended before row `at`. */
  #life(label: number, at: number): string {
    let age = 0;
    for (const i of this.#births().get(label) ?? []) if (i < at) age++;
    return `${this.#meta.pointers[label]}@${age}`;
  }

  #birthRows: Map<number, number[]> | undefined;
  #births(): Map<number, number[]> {
    if (this.#birthRows === undefined) {
      this.#birthRows = new Map();
      for (const [i, row] of this.#rows.entries()) {
        if (row.kind !== EventKind.mmInit && row.kind !== EventKind.mmdrop) continue;
        this.#birthRows.set(row.mm, [...(this.#birthRows.get(row.mm) ?? []), i]);
      }
    }
    return this.#birthRows;
  }

  #fork(row: ForkRow): Fork {
    const at = (line: number | null): number => (line === null ? NEVER : (this.#byLine.get(line) ?? NEVER));
    const check = at(row.line);
    const early = row.early_ns === null ? check : this.#earlyRow(row, check);
    return {
      id: row.fork ?? -1,
      tid: row.tid ?? -1,
      cpu: row.cpu ?? -1,
      mm: this.#life(this.#meta.pointers.indexOf(row.mm ?? ""), check),
      begin: early,
      check,
      end: row.end_ns === null ? NEVER : at(row.end_line),
      row,
    };
  }

  #earlyRow({ early_ns, tid }: ForkRow, check: number): number {
    const ns = Number((early_ns ?? 0n) - this.#meta.epochNs);
    for (let i = check; i >= 0; i--) if (this.#rows[i]!.tid === tid && this.#rows[i]!.ns === ns) return i;
    return check;
  }

  #is(row: Row, kind: number): boolean {
    return row.kind === kind && (row.ctx & CTX_ALIAS) === 0;
  }

  #spansOf(tid: number): Span[] {
    const own = this.#byTid.get(tid) ?? [];
    const after = (from: number, wanted: (row: Row) => boolean): number =>
      own.find((i) => i > from && wanted(this.#rows[i]!)) ?? NEVER;
    const out: Span[] = [];
    for (const i of own) {
      const row = this.#rows[i]!;
      if (this.#is(row, EventKind.kthreadUseMm)) out.push(...this.#borrow(row, i, tid, after));
      if (this.#is(row, EventKind.getTaskMmRet) && row.mm > 0) {
        const to = after(i, (r) => this.#is(r, EventKind.mmput) && r.mm === row.mm);
        const call = own.findLast((j) => j < i && this.#is(this.#rows[j]!, EventKind.getTaskMm)) ?? i;
        out.push({ kind: "ref", tid, mm: this.#life(row.mm, i), cpu: row.cpu, call, from: i, to });
      }
    }
    return out;
  }

  /** The borrow that the call at `call` leads to, and the lazy reference it leaves behind until the next, or sleep. */
  #borrow(
    row: Row,
    call: number,
    tid: number,
    after: (from: number, wanted: (row: Row) => boolean) => number,
  ): Span[] {
    const from = after(
      call,
      (r) =>
        r.kind === EventKind.switchMm &&
        r.mm === row.mm &&
        r.argTid === tid &&
        (r.flags & SWITCH_MM_NO_TASK) === 0,
    );
    const unuse = after(from, (r) => this.#is(r, EventKind.kthreadUnuseMm) && r.mm === row.mm);
    const to = after(unuse, (r) => r.kind === EventKind.enterLazyTlb && r.argTid === tid && r.mm === row.mm);
    const mm = this.#life(row.mm, call);
    if (from === NEVER) return [];
    const { cpu } = this.#rows[from]!;
    const gone = Math.min(
      this.#asleep(tid, to),
      after(to, (r) => r.kind === EventKind.switchMm && r.argTid === tid),
    );
    return [
      { kind: "borrow", tid, mm, cpu, call, from, to },
      ...(to === NEVER ? [] : [{ kind: "lazy" as const, tid, mm, cpu, call: to, from: to, to: gone }]),
    ];
  }

  /** Row at which the task next goes to sleep. */
  #asleep(tid: number, from: number): number {
    const sleeps = (i: number): boolean =>
      this.#rows[i]!.kind === EventKind.schedSwitch && ASLEEP.includes(this.#rows[i]!.flags);
    return this.#byTid.get(tid)?.find((i) => i > from && sleeps(i)) ?? NEVER;
  }

  /** Write holds by the name the lock is printed under. */
  #lockSpans(): Map<string, LockSpan[]> {
    const out = new Map<string, LockSpan[]>();
    const close = (label: number, at: number, isSeen: boolean): void => {
      const last = out.get(this.#meta.pointers[label] ?? "")?.at(-1);
      if (last === undefined || last.to !== NEVER) return;
      last.to = at;
      last.isSeen = isSeen;
    };
    const put = (name: string, span: LockSpan): void => {
      if (out.has(name)) out.get(name)!.push(span);
      else out.set(name, [span]);
    };
    for (const [i, row] of this.#rows.entries()) {
      const name = this.#meta.pointers[row.mm] ?? "";
      const mine = out.get(name)?.findLast((span) => span.to === NEVER)?.tid === row.tid;
      const write = (row.flags & LOCK_WRITE) !== 0;
      const isGot = row.kind === EventKind.mmapLockAcquireReturned && (row.flags & LOCK_SUCCESS) !== 0;
      if (row.kind === EventKind.mmapLockStartLocking && mine) close(row.mm, i, false);
      else if (row.kind === EventKind.mmapLockReleased && write) close(row.mm, i, mine);
      else if (isGot) close(row.mm, i, !write && mine);
      if (isGot && write) put(name, { tid: row.tid, from: i, to: NEVER, isSeen: false });
    }
    return out;
  }

  /** Names under which an mm's lock is printed: its address, and what a fork of it locks first. */
  #lockNames(mm: string): Set<string> {
    const known = this.#names.get(mm);
    if (known !== undefined) return known;
    const names = new Set([mm.slice(0, mm.indexOf("@"))]);
    this.#names.set(mm, names);
    for (const fork of this.#forks) {
      if (fork.mm !== mm) continue;
      const isLock = (i: number): boolean =>
        this.#rows[i]!.kind === EventKind.mmapLockAcquireReturned &&
        (this.#rows[i]!.flags & LOCK_WRITE) !== 0;
      const at = this.#byTid.get(fork.tid)?.find((i) => i >= fork.begin && i <= fork.end && isLock(i));
      const first = at === undefined ? undefined : this.#rows[at];
      if (first !== undefined) names.add(this.#meta.pointers[first.mm] ?? "");
    }
    return names;
  }

  #heldAt(mm: string, at: number): LockSpan | undefined {
    for (const name of this.#lockNames(mm))
      for (const span of this.#locks.get(name) ?? []) if (span.from < at && at < span.to) return span;
    return undefined;
  }

  #ns(at: number): number {
    return at === NEVER ? NEVER : this.#rows[at]!.ns;
  }

  /** One line a wait of kthread_use_mm or kthread_unuse_mm. */
  waits(): string[] {
    const out: string[] = [];
    for (const [i, row] of this.#rows.entries()) {
      const isUse = this.#is(row, EventKind.kthreadUseMm);
      if (!isUse && !this.#is(row, EventKind.kthreadUnuseMm)) continue;
      const mm = this.#life(row.mm, i);
      const around = this.#forks.filter((fork) => fork.mm === mm && fork.tid !== row.tid && i < fork.end);
      for (const fork of around)
        if (i > fork.begin)
          out.push(this.#line("fork-lock", i, mm, "fork-window", this.#ns(fork.end), fork.id));
      if (isUse)
        for (const policy of ["mmap-lock", "users-mmap-lock"])
          out.push(...this.#forMmapLock(policy, i, mm, around));
    }
    return out.sort();
  }

  #forMmapLock(policy: string, at: number, mm: string, around: readonly Fork[]): string[] {
    const inside = around.filter((fork) => at > fork.check);
    const held = this.#heldAt(mm, at);
    if (inside.length > 0)
      return inside.map((fork) => {
        const isItsLock = held?.tid === fork.tid && held.isSeen;
        return this.#line(policy, at, mm, "fork-window", this.#ns(isItsLock ? held.to : fork.end), fork.id);
      });
    if (held === undefined) return [];
    const until = held.isSeen ? this.#ns(held.to) : NEVER;
    return [this.#line(policy, at, mm, held.isSeen ? "writer-queue" : "unreleased-lock", until, -1)];
  }

  #line(policy: string, at: number, mm: string, cause: string, until: number, forkId: number): string {
    const row = this.#rows[at]!;
    const isUse = row.kind === EventKind.kthreadUseMm;
    const own = this.#spans.find(
      (span) =>
        span.kind === "borrow" &&
        span.tid === row.tid &&
        span.mm === mm &&
        (isUse ? span.call === at : span.from < at && at < span.to),
    );
    const useEnd = own === undefined ? NEVER : this.#ns(own.to);
    const reached = until === NEVER || own === undefined ? [] : this.#reached(policy, at, until, forkId);
    const next = reached[0] ?? "";
    const isKnown = until !== NEVER && own !== undefined;
    const alone = !isUse ? "ends-late" : useEnd <= until ? "shifted-whole" : "starts-late";
    const outcome = !isKnown ? "unknown" : reached.length > 0 ? "reaches-next-window" : alone;
    const kind = isUse ? "kthread_use_mm" : "kthread_unuse_mm";
    return `${policy} ${kind} ${row.tid} at ${row.ns} ${cause} until ${until} ends ${useEnd}: ${outcome} ${next}`;
  }

  /** Later windows that the task meets otherwise for being late. */
  #reached(policy: string, at: number, until: number, forkId: number): string[] {
    const { tid, ns } = this.#rows[at]!;
    const sleep = this.#asleep(tid, at);
    const late = (i: number): number =>
      i === at ? until : i > at && i <= sleep && i !== NEVER ? this.#ns(i) + until - ns : this.#ns(i);
    const spans = this.#spans.filter((span) => span.tid === tid && span.to > at && span.from <= sleep);
    const last = this.#ns(sleep) + until - ns;
    return this.#forks
      .filter(({ id, check }) => id !== forkId && this.#ns(check) >= until && this.#ns(check) <= last)
      .flatMap((fork) =>
        this.#met(
          policy,
          fork,
          spans.filter((span) => span.mm === fork.mm),
          at,
          late,
        ),
      );
  }

  #met(
    policy: string,
    fork: Fork,
    spans: readonly Span[],
    at: number,
    late: (i: number) => number,
  ): string[] {
    const check = this.#ns(policy === "fork-lock" ? fork.begin : fork.check);
    const end = this.#ns(fork.end);
    const more = (kind: Span["kind"]): number => {
      const ofKind = spans.filter((span) => span.kind === kind);
      const isIn = ofKind.filter((span) => late(span.from) <= check && check < late(span.to));
      const wasIn = ofKind.filter((span) => this.#ns(span.from) <= check && check < this.#ns(span.to));
      return isIn.length - wasIn.length;
    };
    const isInside = (ns: number): boolean => ns > check && ns < end;
    const calls = spans.filter(
      ({ kind, call }) =>
        kind === "borrow" && call >= at && isInside(late(call)) && !isInside(this.#ns(call)),
    );
    const [refs, borrows, lazy] = [more("ref"), more("borrow"), more("lazy")];
    if ([refs, borrows, lazy, calls.length].every((n) => n === 0)) return [];
    const users = (fork.row.mm_users ?? 1) + refs;
    const count = (fork.row.mm_count ?? 1) + borrows + lazy;
    const isSlow = users > 1 || borrows > 0 || (policy !== "users-mmap-lock" && count > 1);
    const wait = calls.length === 0 ? "" : end - Math.min(...calls.map(({ call }) => late(call)));
    return [`fork ${fork.id} ${isSlow ? "slow" : this.#decided(policy, fork.id).verdict} ${wait}`];
  }

  /** One line a fork and policy without a lock that decides fast and is not unsafe: its nearest borrow. */
  misses(): string[] {
    const out: string[] = [];
    for (const policy of ["mm-count-only", "counts-unlocked", "users-only", "cpumask"]) {
      for (const fork of this.#forks) {
        const { decision, verdict } = this.#decided(policy, fork.id);
        if (decision === "fast" && verdict !== "unsafe")
          out.push(`${policy} fork ${fork.id}: ${fork.end === NEVER ? "none" : this.#nearest(policy, fork)}`);
      }
    }
    return out.sort();
  }

  #nearest(policy: string, fork: Fork): string {
    const distances = this.#spans
      .filter((span) => span.kind === "borrow" && span.mm === fork.mm && span.cpu !== fork.cpu)
      .map((borrow) => this.#distance(policy, fork, borrow));
    const best = Math.min(...distances);
    return best === NEVER ? "none" : String(best);
  }

  #distance(policy: string, fork: Fork, borrow: Span): number {
    const readsUsers = policy === "counts-unlocked" || policy === "users-only";
    const [start, end] = [this.#ns(fork.check), this.#ns(fork.end)];
    const ref = this.#spans.find(
      ({ kind, tid, mm, from, to }) =>
        kind === "ref" && tid === borrow.tid && mm === borrow.mm && from < borrow.call && to > borrow.call,
    );
    const call = this.#ns(borrow.call);
    const got = ref === undefined ? call : this.#ns(ref.call);
    if (readsUsers && ref !== undefined && call - got >= end - start) return NEVER;
    if (borrow.call > fork.end) return this.#isYoung(borrow.tid, fork.end) ? NEVER : call - end;
    if (this.#ns(borrow.to) > start) return NEVER;
    if (policy === "users-only" && ref === undefined) return start - this.#ns(borrow.to);
    return start - (readsUsers ? got : call);
  }

  #isYoung(tid: number, at: number): boolean {
    return (this.#made.get(tid) ?? -1) > at;
  }
}
