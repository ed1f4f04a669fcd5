// A small run with one of everything analyze has to show: fast, slow and indeterminate forks, unsafe windows, waits,
// every evidence word, lost events, and task names, paths and samples made to break out of their place.

import type { TraceMeta } from "../../src/table/event-batch.ts";
import type { ForkRow, NearMissRow } from "../../src/table/verdict-tables.ts";
import {
  newVerdictTables,
  POLICY_IDS,
  type ReplayInfo,
  type VerdictTables,
} from "../../src/table/verdict-tables.ts";
import { traceMeta } from "./event-batches.ts";

export const HOSTILE: readonly string[] = [
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(1)</script>",
  "esc\u001b[2Jclear\u0007",
  "rtl\u202egnp.exe",
  "\"'`&amp;",
  "</style><!--",
];

export interface Fixture {
  readonly tables: VerdictTables;
  readonly metas: readonly TraceMeta[];
  readonly infos: readonly ReplayInfo[];
}

const EPOCH = 1042_000_000_000n;

export function forkRow(fork: number, cells: Partial<ForkRow> = {}): ForkRow {
  const start = EPOCH + BigInt(fork) * 1_000_000n;
  return {
    fork,
    trace: 0,
    start_ns: start,
    end_ns: start + 80_000n + BigInt(fork) * 1_000n,
    window: "measured",
    cpu: fork % 4,
    tid: 1000 + fork,
    comm: HOSTILE[fork % HOSTILE.length]!,
    mm: "ffff888001",
    child_tid: 2000 + fork,
    mm_users: 1,
    mm_users_evidence: "measured",
    mm_count: 1,
    mm_count_evidence: "measured",
    exposed_ns: 0n,
    exposure: "none",
    lazy_cpus: 0,
    line: 10 + fork,
    end_line: 20 + fork,
    early_ns: null,
    start_by: "uprobe_dup_mmap",
    end_by: "flush_tlb_mm_range_ret",
    derived_users: 1,
    derived_users_evidence: "derived",
    derived_count: 1,
    derived_count_evidence: "derived",
    sampled_users: 1,
    sampled_count: 1,
    loaded_compared: 4,
    loaded_equal: 4,
    doubts: [],
    mm_users_hidden: [],
    mm_count_hidden: [],
    ...cells,
  };
}

/** 12 forks: 0-5 fast (4 and 5 exposed), 6-9 slow, 10-11 indeterminate; forks 1 and 7 of a second kind of window. */
export function fixture(): Fixture {
  const tables = newVerdictTables();
  for (let fork = 0; fork < 12; fork++) tables.forks.append(forkRow(fork, FORKS[fork] ?? {}));
  for (let fork = 0; fork < 12; fork++) {
    for (const policy of POLICY_IDS) tables.verdicts.append(verdictRow(policy, fork));
  }
  exposures(tables);
  blocks(tables);
  nearMisses(tables);
  problems(tables);
  return { tables, metas: [{ ...traceMeta(900, EPOCH), path: "W<5>.txt", lostEvents: 3 }], infos: [INFO] };
}

const UNSAMPLED: Partial<ForkRow> = { sampled_users: null, sampled_count: null };
const UNKNOWN: Partial<ForkRow> = {
  mm_users: null,
  mm_users_evidence: "unknown",
  mm_count: null,
  mm_count_evidence: "unknown",
};

const FORKS: Readonly<Record<number, Partial<ForkRow>>> = {
  1: { window: "bracketed", lazy_cpus: 2 },
  4: { exposed_ns: 31_000n, exposure: "U3" },
  5: { exposed_ns: 7_000n, exposure: "U3b", derived_users: 2 },
  6: { mm_users: 3, sampled_users: 3, derived_users: 3, mm_count: 1 },
  7: {
    ...UNSAMPLED,
    window: "point",
    mm_count: 2,
    mm_count_evidence: "derived",
    derived_count: 2,
    lazy_cpus: 1,
  },
  8: {
    ...UNSAMPLED,
    mm_users: 2,
    mm_users_evidence: "at-least",
    derived_users: 2,
    derived_users_evidence: "at-least",
  },
  9: { mm_count: 4, sampled_count: 4, derived_count: 5, derived_count_evidence: "at-least", end_ns: null },
  10: { ...UNSAMPLED, ...UNKNOWN, exposure: "U7" },
  11: {
    ...UNSAMPLED,
    mm_users_evidence: "assumed",
    mm_count_evidence: "at-least",
    doubts: ["predates-trace"],
  },
};

function verdictRow(policy: string, fork: number) {
  const base = { fork, policy, evidence: "measured", denied_by: [] as string[], rejudged: null, hidden: [] };
  if (policy === "always-atomic") return { ...base, decision: "slow", verdict: null };
  if (fork >= 10)
    return { ...base, decision: "indeterminate", verdict: "indeterminate", evidence: "unknown" };
  if (fork === 6 || fork === 8) return { ...base, decision: "slow", verdict: null, denied_by: ["threads"] };
  if (fork === 7) return { ...base, decision: "slow", verdict: null, denied_by: ["lazy-tlb"] };
  if (fork === 9) return { ...base, decision: "slow", verdict: null, denied_by: ["khugepaged", "lazy-tlb"] };
  const isOpen = ["mm-count-only", "counts-unlocked", "users-only", "cpumask"].includes(policy);
  if (fork >= 4 && isOpen) return { ...base, decision: "fast", verdict: "unsafe" };
  return { ...base, decision: "fast", verdict: fork === 3 ? "indeterminate" : "safe" };
}

function exposures(tables: VerdictTables): void {
  for (const [fork, kind, from, to] of [
    [4, "U3", 5_000n, 36_000n],
    [5, "U3b", 1_000n, 5_000n],
    [5, "U4", 2_000n, 5_000n],
  ] as const) {
    const start = EPOCH + BigInt(fork) * 1_000_000n;
    tables.exposures.append({
      fork,
      class: kind,
      cpu: 3,
      tid: 77,
      comm: HOSTILE[1]!,
      start_ns: start + from,
      end_ns: start + to,
      line: 15 + fork,
    });
  }
}

function blocks(tables: VerdictTables): void {
  for (const policy of ["fork-lock", "mmap-lock", "users-mmap-lock"]) {
    for (const [fork, wait] of [
      [4, 49_000n],
      [5, 78_000n],
      [9, null],
    ] as const) {
      tables.blocks.append({
        policy,
        fork,
        kind: "kthread_use_mm",
        tid: 77,
        comm: HOSTILE[2]!,
        at_ns: EPOCH,
        wait_ns: wait,
        line: 15 + fork,
        cause: "fork-window",
        until_ns: wait === null ? null : EPOCH + wait,
        new_ns: wait,
        use_end_ns: EPOCH + 10_000n,
        outcome: wait === null ? "unknown" : "shifted-whole",
        next_fork: null,
        next_verdict: null,
        next_wait_ns: null,
        waiter: null,
        ahead: 0,
      });
    }
  }
}

const NO_CANDIDATE = {
  distance_ns: null,
  gap_ns: null,
  side: null,
  kind: null,
  tid: null,
  comm: null,
  at_ns: null,
  line: null,
  ordered_by: "own-cpu",
};

/** A borrow that missed the window of a fork. */
export function nearMissRow(
  fork: number,
  policy: string,
  distance_ns: bigint,
  side: "before" | "after",
): NearMissRow {
  const task = { kind: "kthread_use_mm", tid: 77, comm: HOSTILE[2]! };
  const place = { at_ns: EPOCH, line: 15 + fork, ordered_by: null };
  return { fork, policy, distance_ns, gap_ns: distance_ns, side, ...task, ...place };
}

function nearMisses(tables: VerdictTables): void {
  for (const policy of ["mm-count-only", "counts-unlocked", "users-only", "cpumask"]) {
    tables.near_misses.append({ ...NO_CANDIDATE, fork: 2, policy });
    for (const [fork, distance_ns, side] of [
      [0, 410_000n, "before"],
      [1, 2_500n, "after"],
      [3, 96_000n, "after"],
    ] as const) {
      tables.near_misses.append(nearMissRow(fork, policy, distance_ns, side));
    }
  }
}

function problems(tables: VerdictTables): void {
  tables.problems.append({
    code: "ftrace/bad-header",
    severity: "error",
    source: "forkcast",
    count: 2,
    first_line: 17,
    sample: HOSTILE[0]!,
    trace: 0,
    meaning: "The line was not used.",
  });
}

const INFO: ReplayInfo = {
  kernel: "6.1",
  kernelFrom: "trace",
  policies: POLICY_IDS,
  blockedNeeds: Object.fromEntries(POLICY_IDS.map((id) => [id, id === "get-task-mm" ? "get_task_mm" : null])),
  armed: ["kthread_use_mm", "uprobe_dup_mmap"],
  missing: [{ probe: "get_task_mm", wouldTell: "who reads another process's memory", forks: 2 }],
  assumptions: ["D is set only by stores that retire."],
  gets: {
    gets: 10,
    fromProc: 6,
    fromOther: 2,
    byKthreads: 1,
    ledToUse: 1,
    handedOver: 0,
    isWhole: true,
    takers: [{ comm: HOSTILE[3]!, gets: 7 }],
    example: { getLine: 15, useLine: 17, tid: 77, comm: HOSTILE[2]! },
  },
};

/** A run without any fork. */
export function emptyFixture(): Fixture {
  const gets = {
    ...INFO.gets,
    gets: 0,
    fromProc: 0,
    fromOther: 0,
    byKthreads: 0,
    ledToUse: 0,
    takers: [],
    example: null,
  };
  return { tables: newVerdictTables(), metas: [traceMeta(0, EPOCH)], infos: [{ ...INFO, gets }] };
}
