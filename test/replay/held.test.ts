// What a replay holds: lives that nothing can reach any more give up their ids (src/replay/sweep.ts), forks whose page is full are
// packed (src/base/paged.ts). The tables are those of a replay that keeps everything as it is. The sweep runs before
// every row that may make a life, so that an id forgotten too early is another mm's at once, and a page has two forks. Over
// random recordings of the tiny kernel, whole and with rows left out, and recordings of traces/.
import { describe, expect, test } from "vitest";
import type { Call } from "../../src/replay/attempt.ts";
import { RunningReplay } from "../../src/replay/index.ts";
import { rulesOf } from "../../src/replay/model/kernel-rules.ts";
import { columnsIn } from "../../src/replay/model/room.ts";
import { NO_LIFE } from "../../src/replay/model/world.ts";
import { Replayer, type ReplayWays } from "../../src/replay/replay.ts";
import { sweepLives } from "../../src/replay/sweep.ts";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { encodeTable } from "../../src/table/table-file.ts";
import { newVerdictTables } from "../../src/table/verdict-tables.ts";
import { generate } from "../oracle/generate.ts";
import { batchesOf } from "../oracle/rows.ts";
import { seedsToTry } from "../oracle/seeds.ts";
import { MANIFEST, recording, rowCount, type Trace, thinned } from "./recordings.ts";

const SEEDS = seedsToTry(40);
/** Recordings of at most this many rows: all kinds of them, in seconds. */
const MAX_ROWS = 60_000;

const LITTLE: ReplayWays = { sweepEvery: 1, pageBits: 1 };
/** One page that is never full. */
const ALL: ReplayWays = { sweepEvery: Number.POSITIVE_INFINITY, pageBits: 30 };

function result(meta: TraceMeta, batches: Iterable<EventBatch>, ways: ReplayWays): string {
  const running = new RunningReplay(meta, {}, ways);
  for (const batch of batches) running.feed(batch);
  const tables = newVerdictTables();
  const info = running.finish(meta, tables, 0);
  const bytes = Object.values(tables).map((table) => Buffer.from(encodeTable(table)).toString("base64"));
  return JSON.stringify([info, bytes]);
}

test(`over ${SEEDS.length} random recordings`, { timeout: 10_000 + SEEDS.length * 1000 }, () => {
  for (const seed of SEEDS) {
    const { meta, rows } = generate(seed);
    for (const some of [rows, thinned(rows, seed, 31), thinned(rows, seed, 5)]) {
      const [little, all] = [LITTLE, ALL].map((ways) => result(meta, batchesOf(some, 512), ways));
      expect(little === all, `seed ${seed}, ${some.length} rows`).toBe(true);
    }
  }
});

test.each(MANIFEST.map(({ file }) => file).filter((file) => rowCount(recording(file)) <= MAX_ROWS))(
  "%s",
  (file) => {
    const { meta, batches } = recording(file);
    expect(result(meta, batches, LITTLE) === result(meta, batches, ALL)).toBe(true);
  },
);

/** The columns of tasks and CPUs that hold lives, and those that hold anything else. */
const LIVES = {
  tasks:
    "mm borrowed entering edgeMm pendingPut pendingDrop pendingHold getLife leaving leftLife execNew made lastGetMm",
  cpus: "lazy loaded loadedBefore active pendingGrab pendingDrop prevUsing",
} as const;
const OTHERS = {
  tasks:
    "pid tgid kind borrowSeq unusing share sureMember birth firm asleep edge putHalf getHalf leftHalf leaveShare exec " +
    "exiting getEntry getTarget lastGetSeq lastGetDiverted cpu comm forked",
  cpus:
    "cur lazySeq loadSeq resumed crLoaded unknownSince unknownNs unknownFork grabStage tail prevTask switchSeq " +
    "lastSeq lastNs leaving",
} as const;

describe.each(["tasks", "cpus"] as const)("a life in a column of %s", (part) => {
  test("every column is known to hold lives, or not to", () => {
    const { world } = new Replayer(rulesOf(6001), { cpus: 1 });
    const names = columnsIn(world[part]).map(([name]) => name);
    expect(names.sort()).toEqual([...LIVES[part].split(" "), ...OTHERS[part].split(" ")].sort());
  });

  test.each(LIVES[part].split(" "))("%s keeps it", (name) => {
    const replayer = new Replayer(rulesOf(6001), { cpus: 1 });
    const { mms, tasks } = replayer.world;
    const index = part === "tasks" ? tasks.of(77) : 0;
    const column = new Map<string, Int32Array | Float64Array>(columnsIn(replayer.world[part])).get(name)!;
    const life = mms.create(-1, -1, -1);
    column[index] = life;
    sweepLives(replayer);
    expect(mms.create(-1, -1, -1)).not.toBe(life);
    column[index] = NO_LIFE;
    sweepLives(replayer);
    expect(mms.create(-1, -1, -1)).toBe(life);
    expect(mms.serial[life]).toBe(2);
  });
});

/** What keeps a life beside columns. */
const KEEPERS: readonly (readonly [string, (r: Replayer, life: number) => void])[] = [
  ["its pointer", ({ world }, life) => world.mms.bind(life, 3)],
  ["a get", ({ world }, life) => world.tasks.gets.set(1, [life])],
  ["a /proc file", ({ world }, life) => world.tasks.opened.set(1, [life])],
  ["a fork", ({ forks, world }, life) => forks.add(world.mms, life, 1)],
  ["a hold", (r, life) => r.uses.onHold(1, life, "ref", true)],
  ["a call of kthread_use_mm", (r, life) => r.uses.called(1, life, false)],
  ["a call of get_task_mm", (r, life) => r.uses.called(1, life, true)],
  [
    "a fork under way",
    (r, life) => {
      r.world.tasks.mm[1] = life;
      r.windows.begin(1, 77, -1, 0, 0, -1);
      r.world.tasks.mm[1] = NO_LIFE;
    },
  ],
  ["a call that met a lock", (r, life) => r.windows.queued.push(callOf(life, NO_LIFE))],
  ["what its task had", (r, life) => r.windows.queued.push(callOf(NO_LIFE, life))],
  [
    "a call in a window",
    (r, life) => r.windows.blocked.push({ fork: 0, call: callOf(life, NO_LIFE), beforeLock: false }),
  ],
  [
    "a get that led to a use",
    (r, life) => {
      r.world.putsSeen = true;
      r.world.tasks.gets.set(1, [life]);
      r.gets.used(r.world, 1, life);
      r.world.tasks.gets.delete(1);
    },
  ],
  [
    "the mm no pointer names",
    (r, life) => {
      r.world.other = life;
    },
  ],
];

function callOf(life: number, held: number): Call {
  const hold = { kind: "ref", life: held, call: 0, callSeq: 0, from: 0, to: 0, birth: -1, row: -1 } as const;
  return {
    life,
    kind: "kthread_use_mm",
    tid: 1,
    comm: -1,
    at: 0,
    seq: 0,
    line: 0,
    diverts: "no",
    run: { holds: [hold], slept: Number.NaN, lost: false },
    hold: undefined,
    ahead: 0,
    strays: [],
  };
}

test.each(KEEPERS)("%s keeps a life", (_, keep) => {
  for (const isKept of [true, false]) {
    const replayer = new Replayer(rulesOf(6001), { cpus: 1 });
    const { mms, tasks } = replayer.world;
    tasks.of(77);
    const life = mms.create(-1, -1, -1);
    if (isKept) keep(replayer, life);
    sweepLives(replayer);
    expect(mms.create(-1, -1, -1) === life).toBe(!isKept);
  }
});

/** Bytes a fork more may take, in columns; as they are they would be 232. */
const MOST_BYTES = 80;

interface Held {
  readonly made: number;
  /** Lives that have not forked. */
  readonly others: number;
  readonly forks: number;
  readonly bytes: number;
}

/** The recording `times` times, each copy later than the one before. */
function* copies({ batches }: Trace, times: number): Generator<EventBatch> {
  const last = batches.at(-1)!;
  const period = last.ns[last.length - 1]! - batches[0]!.ns[0]! + 1000;
  for (let copy = 0; copy < times; copy++)
    for (const batch of batches) yield { ...batch, ns: batch.ns.map((ns) => ns + copy * period) };
}

test.each(["6.1/W1.ftrace.txt.zst", "6.12/W1.ftrace.stock.txt.zst", "6.1/W6.ftrace.txt.zst"])(
  "more copies of %s need no more lives, and few bytes a fork",
  (file) => {
    const trace = recording(file);
    const [few, many] = [4, 32].map((times) => {
      const replayer = new Replayer(rulesOf(6001), trace.meta, { sweepEvery: 256, pageBits: 8 });
      for (const batch of copies(trace, times)) replayer.feed(batch);
      const { forks, world } = replayer;
      const { mms } = world;
      const forked = mms.lastFork.subarray(0, mms.length).filter((row) => row >= 0).length;
      return { made: mms.made, others: mms.length - forked, forks: forks.length, bytes: forks.bytes };
    }) as [Held, Held];
    expect(many.made).toBeGreaterThan(few.made * 7);
    expect(many.others).toBeLessThan(few.others + 256);
    expect((many.bytes - few.bytes) / (many.forks - few.forks)).toBeLessThan(MOST_BYTES);
  },
);
