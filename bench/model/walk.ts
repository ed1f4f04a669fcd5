// Which transitions the replay takes: it is fed row by row, and after each row the CPU, the tasks and the mms that the row
// touches are looked at. Used by npm run docs:model and by the test that ties transitions.ts to the replay.
import { kernelOf } from "../../src/replay/index.ts";
import type { Mms } from "../../src/replay/model/mms.ts";
import { IDLE, NO_LIFE, Tail, TaskKind, UNKNOWN_LIFE, type World } from "../../src/replay/model/world.ts";
import { Replayer } from "../../src/replay/replay.ts";
import type { EventBatch } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../../src/table/event-kinds.ts";
import { rowByRow, type Trace } from "../../test/replay/recordings.ts";
import type { CpuState, Ledger, Machine, MmState, TaskState } from "./states.ts";

/** One change of state. */
export interface Taken {
  readonly machine: Machine;
  /** State before, "none" when there was nothing; of a ledger its column. */
  readonly from: string;
  /** Name of the event; for a switch of tasks sched_switch, whatever else the kernel printed inside it. */
  readonly by: string;
  /** State after; of a ledger the step. */
  readonly to: string;
  /** Is the mm after it the one before? "": at most one of the two states has one. */
  readonly mm: "same" | "other" | "";
  /** CPUs: change of mm_count, as "1", or of the mm before and of the one after, as "-1/0". */
  readonly count: string;
  /** Events had been lost by then, announced or not. */
  readonly isLossy: boolean;
  readonly line: number;
}

type Take = (edge: Omit<Taken, "isLossy" | "line">) => void;

/** Calls `visit` for every transition of a replay of `trace`, in order. */
export function walk(trace: Trace, visit: (taken: Taken) => void): void {
  const replayer = new Replayer(kernelOf(trace.meta, undefined).rules, trace.meta, { sweepEvery: Infinity });
  const { world } = replayer;
  const take: Take = (edge) => visit({ ...edge, isLossy: world.lossSeq >= 0, line: world.line });
  const cpus = new CpuWatch(world, take);
  const others = new StateWatch(world, take);
  for (const one of rowByRow(trace.batches)) {
    others.before(one);
    replayer.feed(one);
    cpus.after(one);
    others.after(one);
  }
}

/** `life`: the mm in use or held. `lazy`: the one held lazily, which a borrower about to borrow still is. */
interface CpuLook {
  readonly state: CpuState;
  readonly life: number;
  readonly lazy: number;
}

const UNSEEN: CpuLook = { state: "unknown", life: UNKNOWN_LIFE, lazy: UNKNOWN_LIFE };

/** CPUs, from one settled state to the next: a switch of tasks is over when its tail is seen. */
class CpuWatch {
  readonly #world: World;
  readonly #take: Take;
  readonly #looks: CpuLook[] = [];
  /** A sched_switch came since the CPU's last look. */
  readonly #switched: boolean[] = [];
  /** Borrows per life at the last row, and by CPU what its own rows did to them since its last look. */
  readonly #borrows: number[] = [];
  readonly #borrowed: Map<number, number>[] = [];

  constructor(world: World, take: Take) {
    this.#world = world;
    this.#take = take;
  }

  after(b: EventBatch): void {
    const { cpus, switchMmSeen } = this.#world;
    const cpu = b.cpu[0] ?? -1;
    const kind = b.kind[0] ?? 0;
    if (cpu < 0) {
      if (kind === EventKind.lost) for (let c = 0; c < cpus.length; c++) this.#look(c, "lost");
      return;
    }
    this.#countBorrows(cpu);
    if (kind === EventKind.schedSwitch) this.#switched[cpu] = true;
    if (switchMmSeen && cpus.tail[cpu] === Tail.awaited && cpus.cur[cpu] !== -1) return;
    const isSwitch = this.#switched[cpu] === true && kind !== EventKind.lost;
    this.#switched[cpu] = false;
    this.#look(cpu, isSwitch ? "sched_switch" : (EVENT_KIND_NAMES[kind] ?? ""));
  }

  #countBorrows(cpu: number): void {
    const { borrows } = this.#world.mms;
    for (let life = 0; life < borrows.length; life++) {
      const change = (borrows[life] ?? 0) - (this.#borrows[life] ?? 0);
      if (change === 0) continue;
      this.#borrows[life] = borrows[life] ?? 0;
      this.#borrowed[cpu] ??= new Map();
      this.#borrowed[cpu].set(life, (this.#borrowed[cpu].get(life) ?? 0) + change);
    }
  }

  #look(cpu: number, by: string): void {
    const before = this.#looks[cpu] ?? UNSEEN;
    const after = cpuLook(this.#world, cpu);
    const borrowed = this.#borrowed[cpu];
    this.#looks[cpu] = after;
    this.#borrowed[cpu] = new Map();
    if (before.state === after.state && before.life === after.life && by !== "sched_switch") return;
    const moved = (life: number): number =>
      (isHolding(after, life) ? 1 : 0) - (isHolding(before, life) ? 1 : 0) + (borrowed?.get(life) ?? 0);
    const mm = before.life < 0 || after.life < 0 ? "" : before.life === after.life ? "same" : "other";
    const count =
      mm === "" ? "" : mm === "same" ? `${moved(after.life)}` : `${moved(before.life)}/${moved(after.life)}`;
    this.#take({ machine: "cpu", from: before.state, by, to: after.state, mm, count });
  }
}

function isHolding({ lazy }: CpuLook, of: number): boolean {
  return lazy === of;
}

function cpuLook({ cpus, tasks }: World, cpu: number): CpuLook {
  const active = cpus.active[cpu] ?? UNKNOWN_LIFE;
  const lazy = cpus.lazy[cpu] ?? UNKNOWN_LIFE;
  const cur = cpus.cur[cpu] ?? -1;
  if (cur === -1 || active === UNKNOWN_LIFE) return UNSEEN;
  if (active >= 0) {
    const isBorrower = tasks.borrowed[cur] === active || tasks.entering[cur] === active;
    return { state: isBorrower ? "borrowing" : "user", life: active, lazy };
  }
  if (lazy < 0) return { ...UNSEEN, state: "kernel" };
  const loaded = cpus.loaded[cpu] ?? -1;
  return { state: loaded === lazy || loaded === -1 ? "lazy" : "unloaded", life: lazy, lazy };
}

/** The ledgers' columns; `steps`: by how much a row may change one. */
const LEDGER_COLUMNS: readonly (readonly [Ledger, keyof Mms])[] = [
  ["mm_users", "sum"],
  ["khugepaged", "khugepaged"],
  ["ksm", "ksm"],
  ["proc-fd", "procFds"],
  ["io-uring", "rings"],
  ["mmu-notifier", "notifiers"],
];

/** Tasks, mms and the ledgers of mms, row by row. */
class StateWatch {
  readonly #world: World;
  readonly #take: Take;
  readonly #tasks: { readonly state: TaskState; readonly birth: number; readonly life: number }[] = [];
  readonly #mms: { readonly state: MmState; readonly ledger: readonly number[] }[] = [];
  /** The latest mm made at a pointer id. */
  readonly #atLabel = new Map<number, number>();
  #touched = { tasks: new Set<number>(), mms: new Set<number>() };

  constructor(world: World, take: Take) {
    this.#world = world;
    this.#take = take;
  }

  before(b: EventBatch): void {
    this.#touched = { tasks: new Set(), mms: new Set() };
    this.#touch(b);
  }

  after(b: EventBatch): void {
    const { tasks, mms } = this.#world;
    this.#touch(b);
    for (let life = this.#mms.length; life < mms.length; life++) {
      this.#touched.mms.add(life);
      // The mm whose address it has got.
      const label = mms.label[life] ?? -1;
      this.#touchMm(this.#atLabel.get(label) ?? NO_LIFE);
      if (label >= 0) this.#atLabel.set(label, life);
    }
    if (b.kind[0] === EventKind.lost) {
      for (let task = 1; task < tasks.length; task++) this.#touched.tasks.add(task);
      for (let life = 0; life < mms.length; life++) this.#touched.mms.add(life);
    }
    const by = EVENT_KIND_NAMES[b.kind[0] ?? 0] ?? "";
    for (const task of this.#touched.tasks) this.#lookTask(task, by);
    for (const life of this.#touched.mms) this.#lookMm(life, by);
  }

  /** The tasks a row names and those on its CPU, their mms, and the mms it names. */
  #touch(b: EventBatch): void {
    const { tasks, mms, cpus } = this.#world;
    const cpu = b.cpu[0] ?? -1;
    const named = [b.tid[0] ?? -1, b.argTid[0] ?? -1].map((pid) => (pid > 0 ? tasks.find(pid) : -1));
    for (const task of [...named, cpus.cur[cpu] ?? -1, cpus.prevTask[cpu] ?? -1])
      if (task > IDLE) this.#touchTask(task);
    for (const label of [b.mm[0] ?? -1, b.mm2[0] ?? -1]) if (label >= 0) this.#touchMm(mms.find(label));
  }

  #touchTask(task: number): void {
    const { tasks } = this.#world;
    this.#touched.tasks.add(task);
    const own = [tasks.mm[task], tasks.borrowed[task], tasks.leftLife[task]];
    for (const life of [...own, ...(tasks.opened.get(task) ?? [])]) this.#touchMm(life ?? NO_LIFE);
  }

  #touchMm(life: number): void {
    if (life >= 0) this.#touched.mms.add(life);
  }

  #lookTask(task: number, by: string): void {
    const { tasks } = this.#world;
    const before = this.#tasks[task];
    const birth = tasks.birth[task] ?? -1;
    const life = tasks.using(task);
    const to = taskLook(this.#world, task);
    const isNew = before === undefined ? birth >= 0 : before.birth !== birth;
    const from = isNew ? "none" : (before?.state ?? "unknown");
    this.#tasks[task] = { state: to, birth, life };
    const both = from === "member" && to === "member" && before !== undefined;
    const mm = !both ? "" : before.life === life ? "same" : "other";
    if (from !== to || mm === "other") this.#take({ machine: "task", from, by, to, mm, count: "" });
  }

  #lookMm(life: number, by: string): void {
    const { mms } = this.#world;
    const before = this.#mms[life];
    const state = mmLook(this.#world, life);
    const ledger = LEDGER_COLUMNS.map(([, column]) => (mms[column] as Int32Array)[life] ?? 0);
    this.#mms[life] = { state, ledger };
    const from = before?.state ?? ((mms.birth[life] ?? -1) >= 0 ? "none" : "before");
    if (from !== state) this.#take({ machine: "mm", from, by, to: state, mm: "", count: "" });
    LEDGER_COLUMNS.forEach(([name], i) => {
      const step = (ledger[i] ?? 0) - (before?.ledger[i] ?? 0);
      if (step === 0) return;
      const to = step > 0 ? `+${step}` : String(step);
      this.#take({ machine: "ledger", from: name, by, to, mm: "", count: "" });
    });
  }
}

function taskLook({ tasks }: World, task: number): TaskState {
  if ((tasks.borrowed[task] ?? -1) >= 0) return tasks.unusing[task] === 1 ? "unusing" : "borrowing";
  if ((tasks.entering[task] ?? -1) >= 0) return "calling";
  if ((tasks.mm[task] ?? -1) >= 0) return tasks.sureMember[task] === 1 ? "member" : "seen";
  if ((tasks.leftLife[task] ?? -1) >= 0) return "left";
  return tasks.kind[task] === TaskKind.kernel ? "kernel" : "unknown";
}

function mmLook({ mms }: World, life: number): MmState {
  const label = mms.label[life] ?? -1;
  if (label >= 0 && mms.find(label) !== life) return "freed";
  if (mms.closed[life] === 1) return "torn-down";
  if ((mms.members[life] ?? 0) > 0) return "used";
  if ((mms.birth[life] ?? -1) < 0) return "before";
  return mms.joinSeq[life] === -1 ? "made" : "unowned";
}
