// The committed recordings against their samples: what the replay claims without them, what it decides with them, and
// what it may still claim when a probe is missing. Expected counts come from traces/manifest.json.
import { describe, expect, test } from "vitest";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import {
  type DenialCause,
  type ForkRow,
  POLICY_IDS,
  type PolicyId,
  type VerdictRow,
} from "../../src/table/verdict-tables.ts";
import { filterRows, MANIFEST, type Outcome, recording, run, type Trace, wrongClaim } from "./recordings.ts";

/** The recorder of traces/ arms this probe; a workload that never hits it leaves no other sign of that. */
const KHUGEPAGED_ARMED = "armed:__khugepaged_enter";
const LOCKED: readonly PolicyId[] = ["fork-lock", "mmap-lock", "users-mmap-lock"];
/** The sampling probe and the window's own probe sit on one function; a stalled vCPU can lie between the two. */
const SAMPLE_SKEW_NS = 1_000_000n;

const isStock = (file: string): boolean => file.includes(".stock");
const sampled = MANIFEST.filter(({ file, truth }) => truth !== null && !isStock(file));
const borrowed = sampled.filter(({ truth }) => (truth?.fast_and_active ?? 0) > 0);

function fast(rows: readonly VerdictRow[]): VerdictRow[] {
  return rows.filter(({ decision }) => decision === "fast");
}

function unsafe(rows: readonly VerdictRow[]): VerdictRow[] {
  return rows.filter(({ verdict }) => verdict === "unsafe");
}

function wrongClaims(forks: readonly ForkRow[]): string[] {
  return forks
    .flatMap((fork) => [wrongClaim(fork, "users"), wrongClaim(fork, "count")])
    .filter((claim) => claim !== null);
}

/**
 * Forks `ours` calls fast or slow and `truth` the opposite, and those it calls safe that are unsafe, by line. Decisions
 * are compared where both were taken at one instant: without dup_mmap's probe the check is copy_process.
 */
function contradictions(truth: Outcome, ours: Outcome): string[] {
  const forkAt = new Map(ours.forks.map(({ tid, child_tid, fork }) => [`${tid}/${child_tid}`, fork ?? -1]));
  return POLICY_IDS.flatMap((policy) =>
    truth.verdicts(policy).flatMap((right, i) => {
      const { tid, child_tid, line, start_ns } = truth.forks[i]!;
      const claim = ours.verdicts(policy)[forkAt.get(`${tid}/${child_tid}`) ?? -1];
      if (claim === undefined || claim.decision === "indeterminate") return [];
      const isSameCheck = ours.forks[claim.fork ?? -1]?.start_ns === start_ns;
      if (isSameCheck && right.decision !== "indeterminate" && claim.decision !== right.decision)
        return [`line ${line}, ${policy}: ${right.decision}, not ${claim.decision}`];
      return right.verdict === "unsafe" && claim.verdict === "safe"
        ? [`line ${line}, ${policy}: unsafe`]
        : [];
    }),
  );
}

function without(trace: Trace, kinds: readonly string[]): Trace {
  const gone = new Set(kinds.map((name) => EVENT_KIND_NAMES.indexOf(name)));
  return filterRows(trace, (batch, i) => !gone.has(batch.kind[i]!));
}

describe.each(sampled)("$file", ({ file, truth }) => {
  test("every fork is found, and fast where the samples say 1 and 1", async () => {
    const { forks, verdicts } = await run(recording(file));
    expect(forks.length).toBe(truth?.forks);
    expect(fast(verdicts("counts-unlocked")).length).toBe(truth?.sampled_1_1);
    expect(verdicts("always-atomic").every(({ decision }) => decision === "slow")).toBe(true);
  });

  test("unsafe without a lock, kept out by each lock, and waiting as long as the window lasts", async () => {
    const { forks, verdicts, blocks } = await run(recording(file));
    const hit = unsafe(verdicts("counts-unlocked"));
    expect(hit.length).toBe(truth?.fast_and_active);
    for (const policy of LOCKED) expect(unsafe(verdicts(policy))).toEqual([]);
    for (const { fork } of hit) {
      for (const policy of LOCKED) {
        const waits = blocks.filter(
          (row) => row.fork === fork && row.policy === policy && row.kind === "kthread_use_mm",
        );
        expect(waits).not.toEqual([]);
        for (const { at_ns, wait_ns } of waits) {
          expect(wait_ns).toBe(forks[fork ?? -1]!.end_ns! - at_ns!);
          expect(wait_ns).toBeGreaterThan(0n);
        }
      }
    }
  });

  test("claims without samples agree with the samples", async () => {
    const { forks } = await run(recording(file), { blind: true, assume: [KHUGEPAGED_ARMED] });
    expect(wrongClaims(forks)).toEqual([]);
    const sum = (column: "loaded_compared" | "loaded_equal"): number =>
      forks.reduce((total, fork) => total + (fork[column] ?? 0), 0);
    // bpftrace stamps its line, then reads CPU by CPU: on a stalled vCPU a read can be of a later state.
    const late = file.endsWith(".csv.zst") ? 1 : 0;
    expect(sum("loaded_compared") - sum("loaded_equal")).toBeLessThanOrEqual(late);
    expect(sum("loaded_compared")).toBeGreaterThan(forks.length);
  });

  test("decisions without samples never contradict those with samples", async () => {
    const truth = await run(recording(file));
    const blind = await run(recording(file), { blind: true, assume: [KHUGEPAGED_ARMED] });
    expect(contradictions(truth, blind)).toEqual([]);
    expect(fast(blind.verdicts("counts-unlocked")).length).toBeGreaterThan(0);
    const undeclared = await run(recording(file), { blind: true });
    expect(contradictions(truth, undeclared)).toEqual([]);
  });
});

/** What denies the workload's own process, and the least mm_count of the forks meant: in W4 from the borrow on. */
const CAUSES = [
  { workload: "W2", cause: "threads", count: 1 },
  { workload: "W4", cause: "borrower", count: 2 },
  { workload: "W6", cause: "lazy-tlb", count: 2 },
  { workload: "W14", cause: "khugepaged", count: 2 },
];

test.each(
  CAUSES.flatMap((row) => sampled.filter((r) => r.workload === row.workload).map((r) => ({ ...row, ...r }))),
)("$file: the workload's own cause denies: $cause", async ({ file, cause, count }) => {
  const { forks, verdicts } = await run(recording(file));
  const slow = verdicts("counts-unlocked").filter(({ fork, decision }) => {
    const { comm, mm_count } = forks[fork ?? -1]!;
    return decision === "slow" && comm !== "bash" && (mm_count ?? 0) >= count;
  });
  expect(slow.length).toBeGreaterThan(0);
  expect(slow.filter(({ denied_by }) => !denied_by.includes(cause as DenialCause))).toEqual([]);
});

test("nine in ten users and eight in ten counts are claimed as exact without samples", async () => {
  const forks: ForkRow[] = [];
  for (const { file } of sampled)
    forks.push(...(await run(recording(file), { blind: true, assume: [KHUGEPAGED_ARMED] })).forks);
  const exact = (which: "users" | "count"): number =>
    forks.filter((fork) => fork[`derived_${which}_evidence`] === "derived").length / forks.length;
  // Undecided are mms older than the trace, and counts that an open /proc file may hold (semantics §9.7, §9.11).
  expect(exact("users")).toBeGreaterThan(0.9);
  expect(exact("count")).toBeGreaterThan(0.8);
});

test.each(borrowed.filter(({ truth }) => truth?.fast_and_active_starts !== undefined))(
  "$file: the unsafe forks are those of the samples",
  async ({ file, truth }) => {
    const { forks, verdicts } = await run(recording(file));
    const starts = unsafe(verdicts("counts-unlocked")).map(({ fork }) => forks[fork ?? -1]!.start_ns ?? 0n);
    const expected = (truth?.fast_and_active_starts ?? []).map((text) => BigInt(text.replace(".", "")));
    expect(starts.length).toBe(expected.length);
    const distances = expected.map((at, i) => (starts[i]! > at ? starts[i]! - at : at - starts[i]!));
    expect(distances.filter((distance) => distance > SAMPLE_SKEW_NS)).toEqual([]);
  },
);

test.each(MANIFEST.filter(({ file }) => isStock(file)))(
  "$file: stock tracepoints find the forks and claim nothing about borrowers",
  async ({ file, truth }) => {
    const { forks, verdicts, info } = await run(recording(file));
    // The stock instance was switched on a moment before its twin: its file begins with one fork more.
    expect(forks.length).toBe((truth?.forks ?? 0) + (truth?.forks_before_samples ?? 0));
    for (const policy of POLICY_IDS) {
      expect(fast(verdicts(policy))).toEqual([]);
      expect(verdicts(policy).filter(({ verdict }) => verdict === "safe" || verdict === "unsafe")).toEqual(
        [],
      );
    }
    // Every window has its locks, but for a fork under way when the recording began.
    expect(forks.slice(1).filter(({ window }) => window !== "measured")).toEqual([]);
    expect(info.blockedNeeds["mmap-lock"]).toBe("kthread_use_mm");
  },
);

test("stock tracepoints: what is known of the counts never exceeds the twin's samples", async () => {
  const twin = await run(recording("6.12/W1.ftrace.kprobe.txt.zst"));
  const stock = await run(recording("6.12/W1.ftrace.stock.txt.zst"));
  const samples = new Map(twin.forks.map((fork) => [`${fork.tid}/${fork.child_tid}`, fork]));
  const compared = stock.forks.filter((fork) => samples.has(`${fork.tid}/${fork.child_tid}`));
  expect(compared.length).toBe(twin.forks.length);
  for (const fork of compared) {
    const sample = samples.get(`${fork.tid}/${fork.child_tid}`)!;
    expect(fork.derived_users ?? 0).toBeLessThanOrEqual(sample.sampled_users ?? 0);
    expect(fork.derived_count ?? 0).toBeLessThanOrEqual(sample.sampled_count ?? 0);
    expect([fork.mm_users_evidence, fork.mm_count_evidence]).toEqual(["at-least", "at-least"]);
  }
  expect(contradictions(twin, stock)).toEqual([]);
});

test("lost events: no fork is claimed safe in a gap, and no claim is wrong", async () => {
  const { forks, verdicts } = await run(recording("6.1/W12.trace_pipe.txt.zst"), {
    assume: [KHUGEPAGED_ARMED],
  });
  expect(wrongClaims(forks)).toEqual([]);
  for (const { line, loaded_compared, loaded_equal } of forks)
    expect([line, loaded_equal]).toEqual([line, loaded_compared]);
  const torn = forks.filter(({ doubts }) => doubts.includes("window-incomplete"));
  expect(torn.length).toBeGreaterThan(0);
  for (const { fork } of torn)
    for (const policy of POLICY_IDS) expect(verdicts(policy)[fork ?? -1]!.verdict).not.toBe("safe");
});

const KPROBED = EVENT_KIND_NAMES.slice(
  EVENT_KIND_NAMES.indexOf("uprobe_start_dup_mmap"),
  EVENT_KIND_NAMES.indexOf("buffer_started"),
);

test("threads are found by stock tracepoints alone", async () => {
  const whole = await run(recording("6.1/W2.ftrace.txt.zst"));
  const bare = await run(without(recording("6.1/W2.ftrace.txt.zst"), KPROBED));
  const key = ({ tid, child_tid }: ForkRow): string => `${tid}/${child_tid}`;
  const slow = new Map(
    bare.verdicts("users-only").map(({ fork, denied_by }) => [key(bare.forks[fork ?? -1]!), denied_by]),
  );
  const threaded = whole
    .verdicts("users-only")
    .filter(({ denied_by }) => denied_by.includes("threads"))
    .map(({ fork }) => key(whole.forks[fork ?? -1]!));
  expect(threaded.length).toBe(40);
  expect(threaded.map((fork) => slow.get(fork))).toEqual(threaded.map(() => ["threads"]));
  expect(contradictions(whole, bare)).toEqual([]);
});

/** Probes a recording may lack (semantics §9.12); a return goes with its entry and also alone. */
const DROPS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    [...KPROBED, "sched_switch", "task_newtask", "sched_process_fork", "sched_process_exec"]
      .filter((name) => !["cpu_sample", "uprobe_dup_mmap"].includes(name))
      .map((name) => [name, [name]]),
  ),
  "get_task_mm and its return": ["get_task_mm", "get_task_mm_ret"],
  "mm_access and its return": ["mm_access", "mm_access_ret"],
  "kthread_use_mm and kthread_unuse_mm": [
    "kthread_use_mm",
    "kthread_use_mm_ret",
    "kthread_unuse_mm",
    "kthread_unuse_mm_ret",
  ],
  "switch_mm_irqs_off and enter_lazy_tlb": ["switch_mm_irqs_off", "enter_lazy_tlb"],
  "dup_mmap and its return": ["dup_mmap", "dup_mmap_ret", "uprobe_dup_mmap"],
  "mm_init and __mmdrop": ["mm_init", "__mmdrop"],
  "mm_init, __mmdrop and begin_new_exec": ["mm_init", "__mmdrop", "begin_new_exec"],
  "exit_mm_release and exec_mm_release": ["exit_mm_release", "exec_mm_release"],
  "every exec event": ["begin_new_exec", "exec_mm_release", "sched_process_exec"],
  "sched_switch and task_newtask": ["sched_switch", "task_newtask"],
};

const THINNED = [
  "6.1/W2.ftrace.txt.zst",
  "6.1/W3.ftrace.txt.zst",
  "6.1/W5.trace-cmd.txt.zst",
  "6.1/W14.ftrace.txt.zst",
  "6.12/W1.ftrace.kprobe.txt.zst",
];

/** With everything recorded, by file. */
const whole = new Map<string, Promise<Outcome>>();

describe.each(Object.entries(DROPS))("without %s", (_, kinds) => {
  test.each(THINNED)("%s: nothing claimed is wrong", async (file) => {
    const thin = without(recording(file), kinds);
    const assume = kinds.includes("__khugepaged_enter") ? [] : [KHUGEPAGED_ARMED];
    const truth = whole.get(file) ?? run(recording(file));
    whole.set(file, truth);
    for (const blind of [true, false]) {
      const ours = await run(thin, { blind, assume });
      expect(wrongClaims(ours.forks)).toEqual([]);
      expect(contradictions(await truth, ours)).toEqual([]);
    }
  });
});
