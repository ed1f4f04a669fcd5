// What must hold for any recording: names do not matter, less of a recording is never known better, and a gap makes
// nothing certain. Random cuts, renamings and gaps over parts of the committed recordings.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EventBatch, NO_MM, NO_VALUE, NONE, NULL_MM, newBatch } from "../../src/table/event-batch.ts";
import { EventKind } from "../../src/table/event-kinds.ts";
import { type ForkRow, POLICY_IDS } from "../../src/table/verdict-tables.ts";
import {
  appendRow,
  filterRows,
  mapRows,
  type Outcome,
  recording,
  rowCount,
  run,
  type Trace,
  wrongClaim,
} from "./recordings.ts";

const FILES = [
  "6.1/W2.ftrace.txt.zst",
  "6.1/W3.ftrace.txt.zst",
  "6.1/W5.trace-cmd.txt.zst",
  "6.1/W6.ftrace.txt.zst",
  "6.12/W1.ftrace.kprobe.txt.zst",
];
const ASSUME = ["armed:__khugepaged_enter"];
const PART_ROWS = 12_000;
/** The same cases every time; FORKCAST_RUNS=300 looks at more, FORKCAST_SEED at others. */
const RUNS = {
  numRuns: Number(process.env["FORKCAST_RUNS"] ?? 10),
  seed: Number(process.env["FORKCAST_SEED"] ?? 1),
};

function part(file: string): Trace {
  return filterRows(recording(file), (_, __, row) => row < PART_ROWS);
}

/** A fork by the instant of its check. */
function keyOf({ tid, start_ns }: ForkRow): string {
  return `${tid}@${start_ns}`;
}

/** Claims of `ours` that contradict the samples, or an exact claim of `known` for the same fork. */
function wrong(known: Outcome, ours: Outcome): string[] {
  const before = new Map(known.forks.map((fork) => [keyOf(fork), fork]));
  return ours.forks.flatMap((fork) =>
    (["users", "count"] as const).flatMap((which) => {
      const claim = wrongClaim(fork, which);
      if (claim !== null) return [claim];
      const other = before.get(keyOf(fork));
      const areBothExact =
        fork[`derived_${which}_evidence`] === "derived" && other?.[`derived_${which}_evidence`] === "derived";
      return areBothExact && other[`derived_${which}`] !== fork[`derived_${which}`]
        ? [`line ${fork.line}: ${which} ${fork[`derived_${which}`]}, was ${other[`derived_${which}`]}`]
        : [];
    }),
  );
}

/** Forks and policies that are `verdict`. A fork is known by its window's end: its check may have been lost. */
function judged(outcome: Outcome, verdict: string): Set<string> {
  const rows = POLICY_IDS.flatMap((policy) =>
    outcome.verdicts(policy).filter((row) => row.verdict === verdict),
  );
  return new Set(
    rows.map(({ fork, policy }) => {
      const { tid, end_ns } = outcome.forks[fork ?? -1]!;
      return `${tid}..${end_ns} ${policy}`;
    }),
  );
}

describe.each(FILES)("%s", (file) => {
  test("without its beginning: no claim is wrong, nothing unsafe is safe", async () => {
    const trace = part(file);
    const known = await run(trace, { blind: true, assume: ASSUME });
    const truth = await run(trace);
    const property = fc.asyncProperty(fc.nat({ max: rowCount(trace) - 1 }), async (from) => {
      const ours = await run(
        filterRows(trace, (_, __, row) => row >= from),
        { blind: true, assume: ASSUME },
      );
      expect(wrong(known, ours)).toEqual([]);
      const safe = judged(ours, "safe");
      expect([...judged(truth, "unsafe")].filter((row) => safe.has(row))).toEqual([]);
      const unsafe = judged(ours, "unsafe");
      expect([...judged(truth, "safe")].filter((row) => unsafe.has(row))).toEqual([]);
    });
    await fc.assert(property, RUNS);
  });

  test("with events lost: no claim is wrong, nothing becomes safe", async () => {
    const trace = part(file);
    const known = await run(trace, { assume: ASSUME });
    const safe = judged(known, "safe");
    const gaps = fc.record({
      at: fc.nat({ max: rowCount(trace) - 1 }),
      cpu: fc.nat({ max: trace.meta.cpus - 1 }),
      length: fc.nat({ max: 60 }),
      names: fc.boolean(),
    });
    const property = fc.asyncProperty(gaps, async (gap) => {
      for (const blind of [false, true]) {
        const ours = await run(withGap(trace, gap), { assume: ASSUME, blind });
        expect(wrong(known, ours)).toEqual([]);
        expect([...judged(ours, "safe")].filter((row) => !safe.has(row))).toEqual([]);
      }
    });
    await fc.assert(property, RUNS);
  });

  test("pids, mm addresses and CPU numbers are names", async () => {
    const trace = part(file);
    const known = await run(trace, { assume: ASSUME });
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      const names = renaming(trace, seed);
      const ours = await run(renamed(trace, names), { assume: ASSUME });
      expect(ours.forks).toEqual(
        known.forks.map((fork) => ({
          ...fork,
          tid: names.pid(fork.tid ?? NONE),
          child_tid: fork.child_tid === null ? null : names.pid(fork.child_tid),
          cpu: names.cpu(fork.cpu ?? NONE),
        })),
      );
      // Causes are a set: they come in the order of the CPUs.
      const causesSorted = (outcome: Outcome): unknown[] =>
        POLICY_IDS.flatMap((policy) =>
          outcome.verdicts(policy).map((row) => ({ ...row, denied_by: [...row.denied_by].sort() })),
        );
      expect(causesSorted(ours)).toEqual(causesSorted(known));
      const exposures = known.exposures.map((row) => ({
        ...row,
        tid: names.pid(row.tid ?? NONE),
        cpu: names.cpu(row.cpu ?? NONE),
        comm: row.tid === 0 ? `swapper/${names.cpu(row.cpu ?? NONE)}` : row.comm,
      }));
      expect(sorted(ours.exposures)).toEqual(sorted(exposures));
      const blocks = known.blocks.map((row) => ({ ...row, tid: names.pid(row.tid ?? NONE) }));
      expect(sorted(ours.blocks)).toEqual(sorted(blocks));
    });
    await fc.assert(property, RUNS);
  });
});

test("the samples decide, and nothing else changes", async () => {
  for (const file of FILES) {
    const plain = await run(part(file), { assume: ASSUME });
    const blind = await run(part(file), { assume: ASSUME, blind: true });
    const derived = ({ forks }: Outcome): unknown[] =>
      forks.map(({ fork, start_ns, end_ns, derived_users, derived_count, doubts }) => [
        fork,
        start_ns,
        end_ns,
        derived_users,
        derived_count,
        doubts,
      ]);
    expect(derived(blind)).toEqual(derived(plain));
    expect(blind.exposures).toEqual(plain.exposures);
  }
});

function sorted(rows: readonly object[]): string[] {
  return rows
    .map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value)))
    .sort();
}

interface Gap {
  readonly at: number;
  readonly cpu: number;
  readonly length: number;
  /** The recorder says which CPU lost them (ftrace, trace-cmd), or does not (bpftrace). */
  readonly names: boolean;
}

/** Takes `length` events of a CPU out, from row `at` on, and leaves the recorder's word for it before its next one. */
function withGap(trace: Trace, gap: Gap): Trace {
  const rows = newBatch(rowCount(trace) + 1);
  const progress = { row: 0, hits: 0, isTaken: false };
  for (const batch of trace.batches) {
    for (let i = 0; i < batch.length; i++) {
      const fate = fateOf(batch, i, gap, progress);
      if (fate === "next") appendLost(rows, batch, i, gap);
      if (fate !== "lost") appendRow(rows, batch, i);
    }
  }
  const last = trace.batches.at(-1);
  // No event of the CPU follows: the recorder says so at the end.
  if (progress.hits <= gap.length && last !== undefined) appendLost(rows, last, last.length - 1, gap);
  return { meta: trace.meta, batches: [rows] };
}

/** Is this row lost, the first after the gap, or kept? The samples of a lost event are lost with it. */
function fateOf(
  batch: EventBatch,
  i: number,
  gap: Gap,
  progress: { row: number; hits: number; isTaken: boolean },
): "lost" | "next" | "kept" {
  const row = progress.row++;
  if (batch.kind[i] === EventKind.cpuSample) return progress.isTaken ? "lost" : "kept";
  const isHit = row >= gap.at && batch.cpu[i] === gap.cpu && progress.hits <= gap.length;
  progress.isTaken = isHit && progress.hits < gap.length;
  if (!isHit) return "kept";
  progress.hits++;
  return progress.isTaken ? "lost" : "next";
}

function appendLost(to: EventBatch, next: EventBatch, i: number, gap: Gap): void {
  const row = to.length++;
  to.ns[row] = next.ns[i]!;
  to.kind[row] = EventKind.lost;
  to.cpu[row] = gap.names ? gap.cpu : NONE;
  to.line[row] = next.line[i]!;
  for (const name of ["tid", "tgid", "comm", "argTid", "argComm"] as const) to[name][row] = NONE;
  for (const name of ["mm", "mm2"] as const) to[name][row] = NO_MM;
  for (const name of ["users", "count"] as const) to[name][row] = NO_VALUE;
  to.flags[row] = gap.length;
}

interface Renaming {
  pid(pid: number): number;
  cpu(cpu: number): number;
  pointer(id: number): number;
}

/** kthreadd's pid is 2 on every kernel, idle's is 0: they are no names. */
const FIXED_PIDS = [NONE, 0, 2];

function renaming(trace: Trace, seed: number): Renaming {
  const pids = new Set<number>();
  for (const batch of trace.batches)
    for (let i = 0; i < batch.length; i++)
      for (const name of ["tid", "tgid", "argTid"] as const) pids.add(batch[name][i]!);
  const pid = permutation(
    [...pids].filter((id) => !FIXED_PIDS.includes(id)),
    seed,
  );
  const cpu = permutation([...new Array(trace.meta.cpus).keys()], seed + 1);
  const pointer = permutation([...trace.meta.pointers.keys()].slice(NULL_MM + 1), seed + 2);
  return {
    pid: (id) => pid.get(id) ?? id,
    cpu: (id) => cpu.get(id) ?? id,
    pointer: (id) => pointer.get(id) ?? id,
  };
}

/** Each of `ids` to another of them, by a linear congruential generator. */
function permutation(ids: readonly number[], seed: number): Map<number, number> {
  const shuffled = [...ids];
  let state = seed >>> 0;
  for (let i = shuffled.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return new Map(ids.map((id, i) => [id, shuffled[i]!]));
}

function renamed(trace: Trace, names: Renaming): Trace {
  const { meta, batches } = mapRows(trace, (batch, i) => {
    for (const name of ["tid", "tgid", "argTid"] as const) batch[name][i] = names.pid(batch[name][i]!);
    for (const name of ["mm", "mm2"] as const) batch[name][i] = names.pointer(batch[name][i]!);
    batch.cpu[i] = names.cpu(batch.cpu[i]!);
  });
  const pointers: string[] = [];
  meta.pointers.forEach((label, id) => {
    pointers[names.pointer(id)] = label;
  });
  return { meta: { ...meta, pointers }, batches };
}
