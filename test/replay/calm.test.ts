// The short way of calm rows (src/replay/calm.ts) against the long one: the same state all along, and the same tables.
// Over random recordings of the tiny kernel, whole and with rows left out, over specimens and over recordings of traces/.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PagedFloats, PagedInts } from "../../src/base/paged.ts";
import { kernelOf, RunningReplay } from "../../src/replay/index.ts";
import { columnsIn } from "../../src/replay/model/room.ts";
import { Replayer } from "../../src/replay/replay.ts";
import type { EventBatch, EventTable, TraceMeta } from "../../src/table/event-batch.ts";
import { newVerdictTables, type VerdictTables } from "../../src/table/verdict-tables.ts";
import { generate } from "../oracle/generate.ts";
import { batchesOf, type Row, tableOf } from "../oracle/rows.ts";
import { seedsToTry } from "../oracle/seeds.ts";
import { recording, rowByRow, thinned } from "./recordings.ts";
import { specimen } from "./specimens.ts";

const SEEDS = seedsToTry(24);
const MS_PER_STREAM = 1000;
/** Rows between two looks at the state. */
const STEP = 16;

/** The columns of everything the model knows, by name. */
function columnsOf({ world, forks }: Replayer): (readonly [string, ArrayLike<number>, number])[] {
  const { tasks, mms, cpus, names } = world;
  return [
    ...Object.entries({ tasks, mms, cpus }).flatMap(([part, table]) =>
      columnsIn(table).map(([name, column]) => [`${part}.${name}`, column, table.length] as const),
    ),
    ...Object.entries(forks).flatMap(([name, column]) =>
      column instanceof PagedInts || column instanceof PagedFloats
        ? [
            [
              `forks.${name}`,
              Array.from({ length: forks.length }, (_, row) => column.at(row)),
              forks.length,
            ] as const,
          ]
        : [],
    ),
    ...Object.entries({ lazy: names.lazy, formerLazy: names.formerLazy }).flatMap(([part, notes]) =>
      Object.entries(notes).map(([name, column]) => [`names.${part}.${name}`, column, cpus.length] as const),
    ),
  ];
}

/** What is not in columns. */
function restOf({ world, forks, windows }: Replayer): unknown {
  const { tasks, mms, names, seq, ns, line, lossSeq } = world;
  return {
    world: [seq, ns, line, lossSeq],
    notes: Array.from({ length: mms.length }, (_, life) => names.notesOf(life)),
    gets: [...tasks.gets],
    opened: [...tasks.opened],
    holders: Array.from({ length: forks.length }, (_, row) => forks.holders.at(row)),
    windows: [Array.from({ length: forks.length }, (_, row) => windows.exposures.of(row)), windows.open],
  };
}

function differences(short: Replayer, long: Replayer): string[] {
  const others = columnsOf(long);
  return columnsOf(short).flatMap(([name, column, length], i) => {
    const [otherName, other, otherLength] = others[i]!;
    if (name !== otherName || length !== otherLength) return [`${name} has ${length}, ${otherLength} rows`];
    const out: string[] = [];
    for (let row = 0; row < length; row++)
      if (!Object.is(column[row], other[row])) out.push(`${name}[${row}]: ${column[row]}, ${other[row]}`);
    return out;
  });
}

/** Rows between two looks at what is not in columns. */
const REST_EVERY = 256;

/** Replays by both ways at once. How many rows took the short one; fails at the first batch after which the two differ. */
function lockstep(meta: TraceMeta, batches: Iterable<EventBatch>): number {
  const [short, long] = [true, false].map((calm) => {
    return new Replayer(kernelOf(meta, undefined).rules, meta, { calm });
  }) as [Replayer, Replayer];
  let looked = 0;
  for (const batch of batches) {
    short.feed(batch);
    long.feed(batch);
    const found = differences(short, long);
    if (found.length > 0) expect(found, `after line ${batch.line[batch.length - 1]}`).toEqual([]);
    if (short.world.seq - looked < REST_EVERY) continue;
    looked = short.world.seq;
    expect(restOf(short)).toEqual(restOf(long));
  }
  expect(restOf(short)).toEqual(restOf(long));
  expect(long.calmRows).toBe(0);
  return short.calmRows;
}

async function sameTables(table: EventTable): Promise<void> {
  const [short, long] = await Promise.all(
    [true, false].map(async (calm) => {
      const tables = newVerdictTables();
      const running = new RunningReplay(table.meta, {}, { calm });
      await table.forEachBatch((batch) => running.feed(batch));
      const info = running.finish(table.meta, tables, 0);
      return { info, rows: rowsOfAll(tables) };
    }),
  );
  expect(short).toEqual(long);
}

function rowsOfAll(tables: VerdictTables): Record<string, unknown[]> {
  return Object.fromEntries(
    Object.entries(tables).map(([name, table]) => [
      name,
      Array.from({ length: table.length }, (_, row) => table.row(row) as unknown),
    ]),
  );
}

describe(`over ${SEEDS.length} random recordings`, () => {
  test.each([
    ["as they are", (rows: readonly Row[]) => rows],
    ["with rows left out", (rows: readonly Row[], seed: number) => thinned(rows, seed, 31)],
  ] as const)("%s", { timeout: 10_000 + SEEDS.length * MS_PER_STREAM }, async (_, change) => {
    let calm = 0;
    for (const seed of SEEDS) {
      const { meta, rows } = generate(seed);
      const changed = change(rows, seed);
      // What the recording shows is told, or learnt as it goes.
      const { kinds: _kinds, ...untold } = meta;
      calm += lockstep(seed % 3 === 0 ? untold : meta, batchesOf(changed, STEP));
      await sameTables(tableOf(changed, meta, 512));
    }
    expect(calm).toBeGreaterThan(SEEDS.length * 20);
  });
});

const SPECIMENS = readdirSync(new URL("../golden/replay", import.meta.url))
  .filter((name) => name.endsWith(".txt"))
  .map((name) => name.slice(0, -".txt".length));

test.each(SPECIMENS)("specimen %s", (name) => {
  const { meta, batches } = specimen(name);
  lockstep(meta, rowByRow(batches));
});

test.each([
  "6.1/W2.trace-cmd.txt.zst",
  "6.1/W6.perf.txt.zst",
  "6.1/W12.trace_pipe.txt.zst",
  "6.1/W13.bpftrace.csv.zst",
  "6.12/W1.ftrace.kprobe.txt.zst",
  "6.12/W6.ftrace.stock-hashed.txt.zst",
])("%s", async (file) => {
  const { meta, batches } = recording(file);
  lockstep(meta, batches);
  await sameTables({
    meta,
    forEachBatch: async (visit) => {
      for (const batch of batches) visit(batch);
    },
  });
});
