// Waits and near misses of whole recordings against the slow second opinion of naive-waits.ts: line for line the same.
// Those of ../shared, which have mmap_lock events, are run where that directory exists.
import { existsSync, readFileSync } from "node:fs";
import { decompress } from "fzstd";
import { describe, expect, test } from "vitest";
import type { BlockRow, NearMissRow, PolicyId } from "../../src/table/verdict-tables.ts";
import { rowsOf } from "../oracle/rows.ts";
import { NaiveWaits } from "./naive-waits.ts";
import { ingest, type Outcome, recording, run, type Trace } from "./recordings.ts";
import { specimen } from "./specimens.ts";

const SHARED = new URL("../../../shared/traces/", import.meta.url);
const MS = 60_000;

async function compare(trace: Trace): Promise<{ readonly waits: number; readonly misses: number }> {
  const rows = trace.batches.flatMap(rowsOf);
  const outcome = await run(trace);
  const naive = new NaiveWaits(rows, trace.meta, outcome.forks, (policy, fork) =>
    byTraceTimes(outcome, policy, fork),
  );
  const relative = (ns: bigint | null): number =>
    ns === null ? Number.POSITIVE_INFINITY : Number(ns - trace.meta.epochNs);
  const waits = outcome.blocks
    .filter(({ kind, cause }) => (kind?.startsWith("kthread") ?? false) && cause !== "fork-fork")
    .map((row) => waitLine(row, relative));
  const misses = outcome.nearMisses.map(missLine);
  expect(waits.sort()).toEqual(naive.waits());
  expect(misses.sort()).toEqual(naive.misses());
  return { waits: waits.length, misses: misses.filter((line) => !line.endsWith("none")).length };
}

/** The verdict before any run was moved; these policies' other answer is slow, whose row says why. */
function byTraceTimes(
  { verdicts }: Outcome,
  policy: string,
  fork: number,
): { readonly decision: string | null; readonly verdict: string | null } {
  const { decision, verdict, rejudged } = verdicts(policy as PolicyId)[fork]!;
  return rejudged === "slow" ? { decision: "fast", verdict: "safe" } : { decision, verdict };
}

function waitLine(row: BlockRow, relative: (ns: bigint | null) => number): string {
  const next =
    row.next_fork === null ? "" : `fork ${row.next_fork} ${row.next_verdict} ${row.next_wait_ns ?? ""}`;
  return (
    `${row.policy} ${row.kind} ${row.tid} at ${relative(row.at_ns)} ${row.cause} until ${relative(row.until_ns)} ` +
    `ends ${relative(row.use_end_ns)}: ${row.outcome} ${next}`
  );
}

function missLine({ policy, fork, distance_ns }: NearMissRow): string {
  return `${policy} fork ${fork}: ${distance_ns ?? "none"}`;
}

describe("line for line as the naive opinion", () => {
  test.each(["6.1/W5.ftrace.txt.zst", "6.1/W5n.ftrace.txt.zst"])(
    "traces/%s",
    { timeout: MS },
    async (file) => {
      const { waits, misses } = await compare(recording(file));
      expect(waits).toBeGreaterThan(20);
      expect(misses).toBeGreaterThan(0);
    },
  );

  test.each([
    "wait-shifts-the-use-whole",
    "wait-reaches-next-window",
    "wait-waits-again",
    "wait-ends-with-sleep",
    "wait-starts-late",
    "writer-queue",
    "writer-queue-downgrade-hidden",
    "writer-queue-downgrade-seen",
    "near-miss",
    "near-miss-before",
    "near-miss-out-of-reach",
    "near-miss-new-kthread",
  ])("%s", async (name) => {
    await compare(specimen(name));
  });

  test.skipIf(!existsSync(SHARED) || process.env["FORKCAST_SHARED_WAITS"] === undefined).each([
    ["lab612/W5/ftrace.twin.kprobe.txt.zst", 300],
    ["lab612/W5/trace-cmd.tc7.report.txt.zst", 300],
    ["labrt/W5/ftrace.twin.kprobe.txt.zst", 200],
    ["labrt/W5/trace-cmd.tc7.report.txt.zst", 50],
  ] as const)("../shared/traces/%s", { timeout: 10 * MS }, async (file, least) => {
    const { waits } = await compare(ingest(decompress(readFileSync(new URL(file, SHARED))), file));
    expect(waits).toBeGreaterThan(least);
  });
});
