// The account of each count: it adds up, in every recording and in random ones, it agrees with what decisions say denied
// them, and whom it names as holding the mm did hold it. FORKCAST_STREAMS=3000 looks at more random recordings,
// FORKCAST_CORPUS=DIR at every text below DIR.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { sharesOf } from "../../src/replay/attribution.ts";
import type { Holder } from "../../src/replay/holders.ts";
import { EVENT_KIND_NAMES, EventKind } from "../../src/table/event-kinds.ts";
import { COUNTERS, type DenialRow, type ForkRow, type POLICY_IDS } from "../../src/table/verdict-tables.ts";
import { byFork } from "../oracle/compare.ts";
import { generate, type Stream, type TrueHolders } from "../oracle/generate.ts";
import { batchesOf } from "../oracle/rows.ts";
import { seedsToTry } from "../oracle/seeds.ts";
import { filterRows, ingest, MANIFEST, type Outcome, recording, run, type Trace } from "./recordings.ts";

const SEEDS = seedsToTry(300);

/** What each policy's decision reads, of the counters (house rules: the table of policies). */
const READS: Readonly<Record<string, readonly string[]>> = {
  "mm-count-only": ["mm_count"],
  "counts-unlocked": ["mm_users", "mm_count"],
  "users-only": ["mm_users"],
  "get-task-mm": ["mm_users", "mm_count"],
  "fork-lock": ["mm_users", "mm_count"],
  "mmap-lock": ["mm_users", "mm_count"],
  "users-mmap-lock": ["mm_users"],
};
/** They also read how many kernel threads borrow the mm. */
const READS_BORROWERS: readonly string[] = ["fork-lock", "users-mmap-lock"];

/** Everything wrong with an outcome's accounts, one sentence each. */
function faults(outcome: Outcome): string[] {
  const groups = byFork(outcome.denials);
  return outcome.forks.flatMap((fork) => {
    const rows = groups.get(fork.fork) ?? [];
    return [...sumFaults(fork, rows), ...rowFaults(fork, rows), ...causeFaults(outcome, fork, rows)].map(
      (text) => `line ${fork.line}: ${text}`,
    );
  });
}

function sumFaults(fork: ForkRow, rows: readonly DenialRow[]): string[] {
  return COUNTERS.flatMap((counter) => {
    const sum = rows.filter((row) => row.counter === counter).reduce((n, { refs }) => n + (refs ?? 0), 0);
    const value = fork[counter];
    return value === null || sum === value - 1 ? [] : [`${counter} ${value} is not 1 + ${sum}`];
  });
}

function rowFaults(fork: ForkRow, rows: readonly DenialRow[]): string[] {
  const parked = new Set<number>();
  return rows.flatMap((row) => {
    const isHeldByCpu = row.basis === "held" && row.cpu !== null;
    const again = isHeldByCpu && parked.has(row.cpu);
    if (isHeldByCpu) parked.add(row.cpu);
    const rules: readonly (readonly [string, boolean])[] = [
      [`${row.refs} references`, (row.refs ?? 0) >= 1],
      [`basis ${row.basis}`, (row.basis === null) === (row.cause === "unattributed")],
      [`evidence ${row.evidence}`, row.evidence === fork[`${row.counter as "mm_users"}_evidence`]],
      ["on a CPU", row.cause === "lazy-tlb" || (row.cpu === null && row.left_by === null)],
      ["began after the check", (row.since_ns ?? 0n) <= (fork.start_ns ?? 0n)],
      ["a time without a line", (row.since_ns === null) === (row.line === null)],
      ["on the forker's own CPU", !isHeldByCpu || row.cpu !== fork.cpu],
      [`twice on CPU ${row.cpu}`, !again],
    ];
    return rules.filter(([, holds]) => !holds).map(([what]) => `${row.counter} ${row.cause}: ${what}`);
  });
}

/** denied_by of a slow decision names a cause exactly when a reference the policy counts is put down to it. */
function causeFaults(outcome: Outcome, fork: ForkRow, rows: readonly DenialRow[]): string[] {
  return Object.entries(READS).flatMap(([policy, counters]) => {
    const verdict = outcome.verdicts(policy as (typeof POLICY_IDS)[number])[fork.fork ?? -1];
    if (verdict?.decision !== "slow") return [];
    const read = rows.filter(({ counter }) => counters.includes(counter ?? ""));
    const expected = new Set(read.map(({ cause }) => cause));
    const named = new Set<string | null>(verdict.denied_by);
    // A borrower whose end is not shown may be out again: no lower bound of mm_count has it.
    const isBound = fork.mm_count_evidence === "at-least";
    const mayBorrow =
      READS_BORROWERS.includes(policy) && (isBound || rows.some(({ cause }) => cause === "borrower"));
    if (mayBorrow && named.has("borrower")) expected.add("borrower");
    const text = (causes: ReadonlySet<string | null>): string => [...causes].sort().join();
    return text(named) === text(expected)
      ? []
      : [`${policy}: denied by ${text(named)}, accounts ${text(expected)}`];
  });
}

describe("every count is accounted for", () => {
  test.each(MANIFEST)("$file", async ({ file }) => {
    for (const blind of [false, true]) {
      const outcome = await run(recording(file), { blind, assume: ["armed:__khugepaged_enter"] });
      expect(faults(outcome)).toEqual([]);
      expect(outcome.problems.filter(({ code }) => code === "replay/derived-above-sample")).toEqual([]);
    }
  });

  const BARE = ["mmput", "sched_switch", "task_newtask", "switch_mm_irqs_off", "enter_lazy_tlb"];
  test.each(BARE)("without %s", async (name) => {
    const gone = EVENT_KIND_NAMES.indexOf(name);
    for (const file of ["6.1/W2.ftrace.txt.zst", "6.1/W4.ftrace.txt.zst", "6.1/W6.ftrace.txt.zst"]) {
      const thin = filterRows(recording(file), (batch, i) => batch.kind[i] !== gone);
      for (const blind of [false, true]) expect(faults(await run(thin, { blind }))).toEqual([]);
    }
  });

  const corpus = process.env["FORKCAST_CORPUS"] ?? "";
  test.skipIf(corpus === "")(
    `in every text below ${corpus || "FORKCAST_CORPUS"}`,
    { timeout: 900_000 },
    async () => {
      const files = readdirSync(corpus, { recursive: true, encoding: "utf8" });
      let forks = 0;
      for (const file of files.filter((name) => /\.(txt|csv)(\.zst|\.gz)?$/.test(name)).sort()) {
        const trace = readTrace(join(corpus, file));
        if (trace === undefined) continue;
        for (const blind of [false, true]) {
          const outcome = await run(trace, { blind });
          forks += outcome.forks.length;
          expect([file, faults(outcome)]).toEqual([file, []]);
        }
      }
      expect(forks).toBeGreaterThan(0);
    },
  );
});

/** undefined: forkcast has no use for the file. */
function readTrace(path: string): Trace | undefined {
  try {
    const bytes = readFileSync(path);
    const text = path.endsWith(".zst") ? decompress(bytes) : path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    return ingest(text, path);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function outcomeOf({ meta, rows }: Stream, blind: boolean): Promise<Outcome> {
  return run({ meta, batches: [...batchesOf(rows, rows.length)] }, { blind });
}

/** Whom the accounts name as holding the mm and who did not, one sentence each. */
function slanders(stream: Stream, outcome: Outcome): string[] {
  const groups = byFork(outcome.denials);
  return outcome.forks.flatMap((fork) => {
    const ns = Number((fork.start_ns ?? 0n) - stream.meta.epochNs);
    const check = stream.checks.find((truth) => truth.tid === fork.tid && truth.ns === ns);
    if (check === undefined) return [];
    return (groups.get(fork.fork) ?? [])
      .filter(({ basis }) => basis === "held")
      .flatMap((row) => {
        const text = slander(row, check.holders, fork);
        return text === null ? [] : [`line ${fork.line}: ${row.counter} ${row.cause}: ${text}`];
      });
  });
}

function slander(row: DenialRow, truth: TrueHolders, fork: ForkRow): string | null {
  switch (row.cause) {
    case "lazy-tlb":
      return lazySlander(row, truth, fork);
    case "threads":
    case "vfork-child":
      return row.tid === null || truth.members.includes(row.tid) ? null : `${row.tid} is no member`;
    case "khugepaged":
    case "ksm":
      return truth[row.cause] ? null : "not registered";
    case "borrower":
      if (row.counter === "mm_users" || truth.borrowers.includes(row.tid ?? -1)) return null;
      return `${row.tid} does not borrow it`;
    default:
      return null;
  }
}

function lazySlander(row: DenialRow, truth: TrueHolders, fork: ForkRow): string | null {
  const held = truth.lazy.find(({ cpu }) => cpu === row.cpu);
  if (held === undefined)
    return truth.moving.includes(row.cpu ?? -1) ? null : `CPU ${row.cpu} did not hold it`;
  if (row.tid !== null && row.tid !== held.tid) return `${held.tid} left CPU ${row.cpu}, not ${row.tid}`;
  const isForker = row.tid === fork.tid;
  return isForker === (row.left_by === "forker") || row.left_by === "exit" ? null : `left by ${row.left_by}`;
}

describe(`over ${SEEDS.length} random recordings`, () => {
  test("every count is accounted for, whatever the recording lacks", {
    timeout: 10_000 + SEEDS.length * 100,
  }, async () => {
    const found: string[] = [];
    for (const seed of SEEDS) {
      const stream = generate(seed);
      for (const blind of [false, true])
        for (const text of faults(await outcomeOf(stream, blind))) found.push(`seed ${seed}: ${text}`);
    }
    expect(found).toEqual([]);
  });

  test("whoever is said to hold the mm does", { timeout: 10_000 + SEEDS.length * 100 }, async () => {
    const found: string[] = [];
    let named = 0;
    for (const seed of SEEDS) {
      const stream = generate(seed);
      // Without either a borrower leaves no sign of itself on its CPU.
      const isSeen = stream.rows.some(
        ({ kind }) => kind === EventKind.kthreadUseMm || kind === EventKind.switchMm,
      );
      if (!isSeen) continue;
      const outcome = await outcomeOf(stream, false);
      named += outcome.denials.filter(({ basis, left_by }) => basis === "held" && left_by !== null).length;
      for (const text of slanders(stream, outcome)) found.push(`seed ${seed} (${stream.label}): ${text}`);
    }
    expect(found).toEqual([]);
    expect(named).toBeGreaterThan(SEEDS.length / 10);
  });
});

describe("shares of a count", () => {
  const holder = (cause: Holder["cause"], basis: Holder["basis"], seq: number, refs = 1): Holder => ({
    counter: "mm_count",
    cause,
    refs,
    basis,
    cpu: -1,
    tid: -1,
    comm: -1,
    leftBy: null,
    seq,
    ns: seq,
    line: seq,
  });
  const shares = (value: number, ...holders: Holder[]): string =>
    sharesOf(holders, "mm_count", { value, evidence: "measured" })
      .map(({ cause, refs, holder: by }) => `${refs} ${cause} ${by?.line ?? ""}`.trim())
      .join(", ");

  test("what no holder explains is left over with its size", () => {
    expect(shares(1, holder("ksm", "held", 1))).toBe("");
    expect(shares(4)).toBe("3 unattributed");
    expect(shares(4, holder("ksm", "held", 1))).toBe("1 ksm 1, 2 unattributed");
  });

  test("what is certain comes before what moves, and that before what is possible", () => {
    const all = [holder("proc-fd", "possible", 1), holder("lazy-tlb", "moving", 2), holder("ksm", "held", 3)];
    expect(shares(2, ...all)).toBe("1 ksm 3");
    expect(shares(3, ...all)).toBe("1 ksm 3, 1 lazy-tlb 2");
    expect(shares(5, ...all)).toBe("1 ksm 3, 1 lazy-tlb 2, 1 proc-fd 1, 1 unattributed");
  });

  test("more held than counted: the newest are left out, a group in part", () => {
    expect(shares(2, holder("lazy-tlb", "held", 9), holder("khugepaged", "held", 4))).toBe("1 khugepaged 4");
    expect(shares(3, holder("threads", "held", 1, 5))).toBe("2 threads 1");
  });
});
