// The replay room: EventTable in, verdict tables out. Pure; the only entry is replay().
import { InputError } from "../base/errors.ts";
import type { EventBatch, EventTable, TraceMeta } from "../table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../table/event-kinds.ts";
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import type { Armed } from "./counts.ts";
import { rulesOf } from "./model/kernel-rules.ts";
import type { KernelRules } from "./model/world.ts";
import { POLICIES } from "./policies/index.ts";
import type { Policy } from "./policies/policy.ts";
import { WINDOW_CUT } from "./problems.ts";
import { Replayer, type ReplayWays } from "./replay.ts";
import { type OpenForks, writeVerdicts } from "./verdicts.ts";

export { REPLAY_PROBLEMS } from "./problems.ts";
export { POLICIES };

/** 6.4, where the trace names no kernel and no option does. */
const ASSUMED_VERSION = 6004;

/** What --assume accepts; `armed:FUNCTION` declares a probe that was armed and stayed silent. */
export const ASSUMPTIONS = ["lazy-sets-dirty", "preempt-rt", "silent-cpus-idle"] as const;

export interface ReplayOptions {
  /** Kernel release whose rules apply, "6.12" or "6.1.0-56-amd64"; else the trace's, else assumed. */
  readonly kernel?: string;
  /** Policy ids; all when absent. */
  readonly policies?: readonly string[];
  readonly assume?: readonly string[];
  /** Hide every sampled count from the decisions. */
  readonly blind?: boolean;
  /** Called between forks: the rows in the tables may be taken out of them (ColumnTable.letGo). */
  readonly onRows?: () => void;
}

/** What a replay goes by from a trace's first row on. */
export type Premise = Pick<TraceMeta, "kernel" | "cpus" | "kinds">;

/** A replay that is fed while its trace is still being read. */
export class RunningReplay {
  readonly #options: ReplayOptions;
  readonly #kernel: Kernel;
  readonly #replayer: Replayer;

  /**
   * `premise`: as far as the trace has been read, more than what will have been fed first. Throws InputError on an unknown
   * assumption.
   */
  constructor(premise: Premise, options: ReplayOptions, ways: ReplayWays = {}) {
    const assume = options.assume ?? [];
    checkAssumptions(assume);
    this.#options = options;
    this.#kernel = kernelOf(premise, options.kernel);
    this.#replayer = new Replayer(this.#kernel.rules, premise, ways);
    this.#replayer.windows.ownCpuCounts = assume.includes("preempt-rt");
    this.#replayer.silentIdle = assume.includes("silent-cpus-idle");
  }

  /** Applies a batch of rows in order. */
  feed(batch: EventBatch): void {
    this.#replayer.feed(batch);
  }

  /** Whether a replay that had known `premise` from the start would have done the same; when not, what was fed has to be replayed anew. */
  holdsFor(premise: Premise): boolean {
    const kernel = kernelOf(premise, this.#options.kernel);
    return (
      kernel.name === this.#kernel.name &&
      kernel.from === this.#kernel.from &&
      this.#replayer.holdsFor(premise)
    );
  }

  /** The trace is over: appends its rows to `into`. `meta` must be one that it holds for. */
  finish(meta: TraceMeta, into: VerdictTables, traceIndex: number): ReplayInfo {
    const { assume = [], policies: ids, blind, onRows = () => {} } = this.#options;
    const kernel = this.#kernel;
    const replayer = this.#replayer;
    const names = armedNames(replayer, meta, assume);
    replayer.finish(meta.comms, names.has("kthread_use_mm"));
    const armed = armedOf(names);
    const policies = POLICIES.filter((p) => ids === undefined || ids.includes(p.id));
    const lazySetsDirty = assume.includes("lazy-sets-dirty");
    const decided = { policies, armed, blind: blind === true, lazySetsDirty, traceIndex, onRows };
    const open = writeVerdicts(replayer, meta, decided, into);
    writeProblems(replayer, into, traceIndex);
    return {
      kernel: kernel.name,
      kernelFrom: kernel.from,
      policies: policies.map((p) => p.id),
      blockedNeeds: Object.fromEntries(policies.map((p) => [p.id, blockedNeed(p.serialises, armed)])),
      queueNeeds: Object.fromEntries(
        policies.filter((p) => p.holds === "mmap_lock").map((p) => [p.id, queueNeed(p, armed, names)]),
      ),
      crLoads: replayer.loads.result(),
      nearMissNeeds: armed.useMm ? null : "kthread_use_mm",
      armed: [...names].sort(),
      missing: missing(armed, open),
      assumptions: assumptions(kernel, armed, lazySetsDirty, assume),
      gets: replayer.gets.counts(meta.comms, replayer.world.lossSeq < 0),
    };
  }
}

/** Replays one trace and appends its rows to `into`. Throws InputError on an unknown assumption. */
export async function replay(
  table: EventTable,
  options: ReplayOptions,
  into: VerdictTables,
  traceIndex: number,
): Promise<ReplayInfo> {
  const running = new RunningReplay(table.meta, options);
  await table.forEachBatch((batch) => running.feed(batch));
  return running.finish(table.meta, into, traceIndex);
}

function checkAssumptions(assume: readonly string[]): void {
  for (const name of assume) {
    if (!(ASSUMPTIONS as readonly string[]).includes(name) && !name.startsWith("armed:")) {
      throw new InputError(
        "replay/unknown-assumption",
        `--assume ${name}: unknown; expected ${ASSUMPTIONS.join(", ")} or armed:FUNCTION`,
      );
    }
  }
}

/** The kernel whose rules a replay goes by. */
export interface Kernel {
  readonly name: string;
  readonly from: "trace" | "option" | "assumed";
  readonly rules: KernelRules;
}

/** `option`: the release that ReplayOptions names. */
export function kernelOf(meta: Pick<TraceMeta, "kernel">, option: string | undefined): Kernel {
  const name = option ?? meta.kernel;
  const match = /^(\d+)\.(\d+)/.exec(name);
  // Unknown: the rules that claim less (a transient extra reference in kthread_use_mm), and a mask as before 6.14.
  if (match === null) return { name: "", from: "assumed", rules: rulesOf(ASSUMED_VERSION) };
  return {
    name,
    from: option === undefined ? "trace" : "option",
    rules: rulesOf(1000 * Number(match[1]) + Number(match[2])),
  };
}

function armedNames(replayer: Replayer, meta: TraceMeta, assume: readonly string[]): Set<string> {
  const names = new Set<string>();
  EVENT_KIND_NAMES.forEach((name, kind) => {
    if (kind > EventKind.lost && replayer.seen[kind]! > 0) names.add(name);
  });
  // A recorder whose sched_process_fork events all tell their flags says as much.
  if (replayer.toldForks > 0 && replayer.untoldForks === 0) names.add("task_newtask");
  for (const id of replayer.declared) names.add(meta.comms[id]!);
  for (const name of assume) if (name.startsWith("armed:")) names.add(name.slice("armed:".length));
  return names;
}

function armedOf(names: ReadonlySet<string>): Armed {
  const has = (name: string): boolean => names.has(name);
  return {
    mmput: has("mmput"),
    newtask: has("task_newtask"),
    schedSwitch: has("sched_switch"),
    // Where enter_lazy_tlb() is inlined (7.2) a switch to a task known to have no mm says the same: context_switch().
    switchTail: has("switch_mm_irqs_off") && (has("enter_lazy_tlb") || has("sched_switch")),
    khugepaged: has("__khugepaged_enter"),
    // kthread_use_mm always calls switch_mm_irqs_off for current: either probe shows every borrow.
    useMm: has("kthread_use_mm") || has("switch_mm_irqs_off"),
    getTaskMm: has("get_task_mm") || has("get_task_mm_ret"),
  };
}

function blockedNeed(serialises: readonly string[], armed: Armed): string | null {
  if (serialises.includes("kthread_use_mm") && !armed.useMm) return "kthread_use_mm";
  if (serialises.includes("get_task_mm") && !armed.getTaskMm) return "get_task_mm";
  return null;
}

/** What the wait behind other holders of mmap_lock lacks. */
function queueNeed(policy: Policy, armed: Armed, names: ReadonlySet<string>): string | null {
  // The 15 May patch diverts while the lock is held in any mode: readers count, whose events nobody can afford to record.
  if (!policy.serialises.includes("kthread_use_mm")) return "mmap_lock events of readers";
  const lacking = [
    ...(armed.useMm ? [] : ["kthread_use_mm"]),
    ...["mmap_lock_acquire_returned", "mmap_lock_released"].filter((name) => !names.has(name)),
  ];
  return lacking.length > 0 ? lacking.join(", ") : null;
}

function writeProblems(replayer: Replayer, into: VerdictTables, traceIndex: number): void {
  const { forks } = replayer;
  for (let row = 0; row < forks.length; row++) {
    if (Number.isNaN(forks.end.at(row)) && forks.dropped.at(row) === 0)
      replayer.problems.add(WINDOW_CUT, forks.line.at(row), `fork by pid ${forks.tid.at(row)}`);
  }
  for (const p of replayer.problems.list()) {
    into.problems.append({
      code: p.kind.code,
      severity: p.kind.severity,
      source: p.kind.source,
      count: p.count,
      first_line: p.firstLine,
      sample: p.sample,
      trace: traceIndex,
      meaning: p.kind.meaning,
    });
  }
}

/** What the recording lacks, and how many forks are undecided for it. */
function missing(armed: Armed, { forks: all, users, counts, windows }: OpenForks): ReplayInfo["missing"] {
  const out: { probe: string; wouldTell: string; forks: number }[] = [];
  const need = (probe: string, wouldTell: string, n: number): void => {
    if (n > 0) out.push({ probe, wouldTell, forks: n });
  };
  if (windows > 0)
    need("uprobe_dup_mmap", "when the page tables are copied, and mm_users and mm_count then", windows);
  if (users > 0 && !armed.mmput) need("mmput", "every release of mm_users", users);
  if (users > 0 && !armed.getTaskMm) need("get_task_mm", "who takes mm_users from outside", users);
  if (users > 0 && !armed.newtask) need("task_newtask", "clone flags: which tasks share an mm", users);
  if (counts > 0 && !armed.khugepaged)
    need("__khugepaged_enter", "whether khugepaged holds mm_count", counts);
  if (counts > 0 && !armed.switchTail) need("switch_mm_irqs_off", "which CPUs hold the mm lazily", counts);
  if (!armed.useMm) need("kthread_use_mm", "kernel threads that borrow the mm", all);
  if (!armed.schedSwitch) need("sched_switch", "which task runs where", all);
  return out;
}

function assumptions(
  kernel: Kernel,
  armed: Armed,
  lazySetsDirty: boolean,
  assume: readonly string[],
): string[] {
  const out: string[] = [];
  if (kernel.from === "assumed")
    out.push("kernel release not in the trace: rules of 6.4 to 6.13 assumed; --kernel sets it");
  out.push(
    lazySetsDirty
      ? "lazy CPUs may set dirty bits (--assume lazy-sets-dirty): lazy residue counts as exposure"
      : "the dirty bit is set only by stores that retire: lazy residue is reported, not counted as exposure",
  );
  if (assume.includes("preempt-rt"))
    out.push(
      "the copy may be preempted within an update (--assume preempt-rt): use on the forker's own CPU counts as exposure",
    );
  if (assume.includes("silent-cpus-idle"))
    out.push("CPUs without an event were idle all the time (--assume silent-cpus-idle)");
  if (armed.khugepaged)
    out.push(
      "mm_count holders without a hook (bare mmgrab) are taken to be absent unless a borrow proves one",
    );
  for (const name of assume)
    if (name.startsWith("armed:")) out.push(`${name.slice(6)} declared armed by --assume`);
  return out;
}
