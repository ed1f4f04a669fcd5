// Random recordings of the tiny kernel (kernel.ts), with the truth beside them: what the counters and CPUs really were
// at every point that may be a fork's check, and which policy's fast path would really have been unsafe.
import { NO_MM, NO_VALUE, NONE, type TraceMeta } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SwitchState } from "../../src/table/event-kinds.ts";
import type { PolicyId } from "../../src/table/verdict-tables.ts";
import { Kernel, type Mm, random, type Task, type TrueUse } from "./kernel.ts";
import { hiddenKinds, kindOf } from "./probes.ts";
import { kernelTask, userTask } from "./programs.ts";
import type { Row } from "./rows.ts";

/** The truth at one check point. */
export interface TrueCheck {
  readonly tid: number;
  readonly ns: number;
  readonly users: number;
  readonly count: number;
  /** Policies whose fast path would have been taken; null: inside a kthread_(un)use_mm, where either answer is right. */
  readonly isFast: ReadonlyMap<PolicyId, boolean | null>;
  /** A users reference that nothing in the recording proves. */
  readonly isHidden: boolean;
  readonly holders: TrueHolders;
  /** Whether a policy's fast path was unsafe in a window from here to `endNs`; null: a get was under way at the check. */
  isUnsafe(policy: PolicyId, endNs: number): boolean | null;
}

/** Who held the forked mm. */
export interface TrueHolders {
  /** CPUs that held it lazily, and the task that had left them so (-1: from before anything ran there). */
  readonly lazy: readonly { readonly cpu: number; readonly tid: number }[];
  /** CPUs in the middle of a switch, or of kthread_(un)use_mm: a reference may be counted that no task has any more. */
  readonly moving: readonly number[];
  /** Kernel threads inside kthread_use_mm, or in the middle of it or of kthread_unuse_mm. */
  readonly borrowers: readonly number[];
  /** Tasks besides the forker whose tsk->mm it was. */
  readonly members: readonly number[];
  readonly khugepaged: boolean;
  readonly ksm: boolean;
}

export interface Stream {
  readonly rows: readonly Row[];
  readonly meta: TraceMeta;
  readonly checks: readonly TrueCheck[];
  /** Every probe is recorded. */
  readonly hasAllProbes: boolean;
  /** And no event is lost. */
  readonly isComplete: boolean;
  readonly hasLosses: boolean;
  /** How the recording was made, for messages. */
  readonly label: string;
}

const LOCKING: ReadonlySet<string> = new Set(["fork-lock", "mmap-lock", "users-mmap-lock"]);
/** The recording of seed `seed`; the same seed always gives the same one. */
export function generate(seed: number): Stream {
  const chance = random(seed ^ 0x5eed);
  const modern = chance() < 0.4;
  const sampled = chance() < 0.5;
  const kind = kindOf(seed, modern);
  const kernel = new Kernel(
    { cpus: 2 + Math.floor(chance() * 3), modern, exitsFirst: kind.exitsFirst, sampled, rare: kind.isRare },
    seed,
  );
  const checks: TrueCheck[] = [];
  kernel.onCheck = (task, mm) => void checks.push(trueCheck(kernel, task, mm));
  for (let i = 0; i < 3; i++)
    kernel.wake(kernel.newTask(false, kernel.newMm(), (task) => userTask(kernel, task)));
  for (let i = 0; i < 4; i++)
    kernel.wake(kernel.newTask(true, null, (task) => kernelTask(kernel, task, i > 1)));
  const length = 400 + Math.floor(chance() * 1600);
  for (let i = 0; i < 40_000 && kernel.rows.length < length; i++) kernel.step();

  const { hidden, without, lacksProbe } = hiddenKinds(seed, kind, modern, chance);
  const labels = [
    kind.release,
    ...(kind.isRare ? ["rare"] : []),
    sampled ? "sampled" : "unsampled",
    ...without,
  ];
  const from = chance() < 0.5 ? 0 : Math.floor(chance() * 300);
  let rows = withoutKinds(kernel.rows.slice(from), hidden);
  const isArmed = chance() < 0.7;
  const loses = chance() < 0.12;
  if (loses) {
    rows = lose(rows, chance);
    labels.push("lost events");
  }
  if (chance() < 0.2) {
    rows = rows.map((row) => withoutContext(row));
    labels.push("no context");
  }
  if (!kind.tellsGroupDead)
    rows = rows.map((row) => (row.kind === EventKind.schedProcessExit ? { ...row, flags: 0 } : row));
  const comms = ["<idle>", "task", ...new Set(EVENT_KIND_NAMES)];
  if (isArmed) rows = [...armedRows(comms, hidden, rows[0]?.ns ?? 0), ...rows];
  rows = rows.map((row, i) => ({
    ...row,
    comm: row.comm === NONE ? (row.tid === 0 ? 0 : 1) : row.comm,
    line: i + 1,
  }));
  return {
    rows,
    meta: metaOf(kernel, rows, comms, `${kind.release}.0-amd64`),
    checks,
    ...completeness(lacksProbe, loses),
    label: labels.join(", "),
  };
}

/** Samples go with the row they were read for. */
function withoutKinds(rows: readonly Row[], hidden: ReadonlySet<number>): Row[] {
  let isKept = false;
  return rows.filter(({ kind }) => {
    if (kind !== EventKind.cpuSample) isKept = !hidden.has(kind);
    return isKept;
  });
}

function completeness(
  lacksProbe: boolean,
  loses: boolean,
): Pick<Stream, "hasAllProbes" | "isComplete" | "hasLosses"> {
  return { hasAllProbes: !lacksProbe, isComplete: !lacksProbe && !loses, hasLosses: loses };
}

function withoutContext(row: Row): Row {
  const flags =
    row.kind === EventKind.schedSwitch && row.flags === SwitchState.preempted
      ? SwitchState.running
      : row.flags;
  return { ...row, ctx: 0, flags };
}

/** Takes a run of one CPU's events out and leaves the recorder's word for it. */
function lose(rows: readonly Row[], chance: () => number): Row[] {
  const at = Math.floor(chance() * rows.length);
  const cpu = rows[at]?.cpu ?? 0;
  const own = rows
    .map((row, i) => ({ row, i }))
    .filter(({ row, i }) => i >= at && row.cpu === cpu && row.kind !== EventKind.cpuSample);
  const gone = own.slice(0, 1 + Math.floor(chance() * 25));
  const next = own[gone.length];
  if (next === undefined) return [...rows];
  const taken = new Set(gone.map(({ row }) => row.line));
  const gap = {
    ...next.row,
    kind: EventKind.lost,
    ctx: 0,
    tid: NONE,
    argTid: NONE,
    mm: NO_MM,
    mm2: NO_MM,
    users: NO_VALUE,
    count: NO_VALUE,
    flags: gone.length,
  };
  return rows.flatMap((row) => (taken.has(row.line) ? [] : row === next.row ? [gap, row] : [row]));
}

function armedRows(comms: string[], hidden: ReadonlySet<number>, ns: number): Row[] {
  const shown = Object.values(EventKind).filter(
    (kind) => kind >= EventKind.uprobeStartDupMmap && kind < EventKind.cpuSample && !hidden.has(kind),
  );
  const names = new Set(shown.map((kind) => EVENT_KIND_NAMES[kind]!.replace(/_ret$/, "")));
  return [...names].map((name) => {
    if (!comms.includes(name)) comms.push(name);
    return {
      ns,
      kind: EventKind.armed,
      cpu: NONE,
      ctx: 0,
      tid: NONE,
      tgid: NONE,
      comm: 1,
      argTid: NONE,
      argComm: comms.indexOf(name),
      mm: NO_MM,
      mm2: NO_MM,
      users: NO_VALUE,
      count: NO_VALUE,
      flags: 0,
      line: 0,
    };
  });
}

function trueCheck(kernel: Kernel, task: Task, mm: Mm): TrueCheck {
  // The check row may be followed by samples; its index is that of the last row of another kind.
  const at = kernel.rows.findLastIndex((row) => row.kind !== EventKind.cpuSample);
  const { users, count } = mm;
  const { rows, uses, moves } = kernel;
  const borrowers = kernel.tasks.filter((other) => other.isKernel && other.mm === mm).length;
  const isChanging = kernel.tasks.some((other) => other.changing === mm);
  const others = [...mm.cpumask].filter((cpu) => cpu !== task.cpu).length;
  const both = users === 1 && count === 1;
  const raised = users + borrowers === 1;
  const isFast = new Map<PolicyId, boolean | null>([
    ["always-atomic", false],
    ["mm-count-only", count === 1],
    ["counts-unlocked", both],
    ["users-only", users === 1],
    ["get-task-mm", both],
    ["mmap-lock", both],
    ["fork-lock", isChanging ? null : both && raised],
    ["users-mmap-lock", isChanging ? null : raised],
    ["cpumask", others === 0],
  ]);
  const startCpu = task.cpu;
  const isUnsafe = (policy: PolicyId, endNs: number): boolean | null => {
    const exposed = uses.filter(
      (use) => use.mm === mm && use.task !== task && overlaps(rows, moves, task, startCpu, use, at, endNs),
    );
    const isRaced = exposed.some(({ askedAt, gotAt }) => askedAt <= at && gotAt > at);
    return policy === "get-task-mm" && isRaced ? null : exposed.some((use) => !keptOut(policy, use, at));
  };
  const isHidden = mm.hidden > 0;
  const holders = trueHolders(kernel, task, mm);
  return { tid: task.tid, ns: rows[at]!.ns, users, count, isFast, isHidden, holders, isUnsafe };
}

function trueHolders(kernel: Kernel, forker: Task, mm: Mm): TrueHolders {
  const all = [...kernel.tasks, ...kernel.cpus.map(({ idle }) => idle)];
  const parked = new Set(all.filter((task) => task.mm === null && task.active === mm).map(({ cpu }) => cpu));
  const leftBy = (cpu: number): number => kernel.uses.findLast((use) => use.cpu === cpu)?.task.tid ?? -1;
  return {
    lazy: [...parked].map((cpu) => ({ cpu, tid: leftBy(cpu) })),
    moving: kernel.cpus
      .filter(({ switching, current }) => switching !== null || current.changing !== null)
      .map(({ id }) => id),
    borrowers: all
      .filter((task) => task.isKernel && (task.mm === mm || task.changing === mm))
      .map(({ tid }) => tid),
    members: all.filter((task) => !task.isKernel && task.mm === mm && task !== forker).map(({ tid }) => tid),
    khugepaged: mm.khugepaged,
    ksm: mm.ksm,
  };
}

function keptOut(policy: PolicyId, use: TrueUse, at: number): boolean {
  if (use.enteredAt < 0) return false;
  if (policy === "get-task-mm") return use.gotAt > at;
  return LOCKING.has(policy) && use.enteredAt > at;
}

/** Whether `use` and the window overlap while the forker runs, or last ran, on another CPU (§6.1, §9.8). */
function overlaps(
  rows: readonly Row[],
  moves: Kernel["moves"],
  task: Task,
  startCpu: number,
  use: TrueUse,
  at: number,
  endNs: number,
): boolean {
  const time = (row: number): number => rows[Math.min(row, rows.length - 1)]!.ns;
  let cpu = startCpu;
  let from = rows[at]!.ns;
  const later = moves.filter((move) => move.task === task && move.row > at && time(move.row) < endNs);
  for (const move of [...later, null]) {
    const to = move === null ? endNs : time(move.row);
    if (cpu !== use.cpu && Math.max(from, time(use.from)) < Math.min(to, time(use.to))) return true;
    if (move !== null) cpu = move.cpu;
    from = to;
  }
  return false;
}

function metaOf(kernel: Kernel, rows: readonly Row[], comms: readonly string[], release: string): TraceMeta {
  const last = Math.max(1, ...rows.flatMap(({ mm, mm2 }) => [mm, mm2]));
  return {
    path: "generated",
    format: "ftrace-text",
    clock: "mono",
    timeUnit: "ns",
    kernel: release,
    cpus: kernel.setup.cpus,
    epochNs: 1_000_000_000n,
    spanNs: kernel.ns,
    lines: rows.length,
    events: rows.length,
    rows: rows.length,
    kinds: kindCounts(rows),
    lostEvents: rows.filter(({ kind }) => kind === EventKind.lost).reduce((sum, { flags }) => sum + flags, 0),
    skipped: {},
    probes: [],
    comms,
    pointers: ["0x0", ...Array.from({ length: last }, (_, i) => `ffff8880000${i + 1}`)],
  };
}

function kindCounts(rows: readonly Row[]): number[] {
  const counts = EVENT_KIND_NAMES.map(() => 0);
  for (const { kind } of rows) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
