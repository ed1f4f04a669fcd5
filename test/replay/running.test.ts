// A replay that is fed while its trace is still being read knows only what the trace has shown by then. Whenever it says
// that it holds for the whole trace, its tables are those of a replay that knew all of it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Follower } from "../../src/cli/replay-events.ts";
import { type Premise, RunningReplay } from "../../src/replay/index.ts";
import { EventFileWriter } from "../../src/table/arrow.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import { encodeTable } from "../../src/table/table-file.ts";
import { newVerdictTables } from "../../src/table/verdict-tables.ts";
import { scratch } from "../cli/run-cli.ts";
import { MANIFEST, recording, rowCount, type Trace } from "./recordings.ts";

/** Recordings of at most this many rows: all kinds of them, in seconds. */
const MAX_ROWS = 60_000;
const TRACES = MANIFEST.map(({ file }) => recording(file)).filter((trace) => rowCount(trace) <= MAX_ROWS);

/** What `rows` rows of the trace show. */
function knownBy({ meta, batches }: Trace, rows: number): Premise {
  const kinds = EVENT_KIND_NAMES.map(() => 0);
  let left = rows;
  for (const { kind, length } of batches) {
    for (let i = 0; i < length && left > 0; i++, left--) kinds[kind[i]!]! += 1;
  }
  return { kernel: meta.kernel, cpus: meta.cpus, kinds };
}

/** Tables and info of a replay that goes by `premise`, and whether it says that it holds for the whole trace. */
function replayed({ meta, batches }: Trace, premise: Premise): { holds: boolean; result: string } {
  const running = new RunningReplay(premise, {});
  for (const batch of batches) running.feed(batch);
  const holds = running.holdsFor(meta);
  const tables = newVerdictTables();
  const info = running.finish(meta, tables, 0);
  const bytes = Object.values(tables).map((table) => Buffer.from(encodeTable(table)).toString("base64"));
  return { holds, result: JSON.stringify([info, bytes]) };
}

const wholes = new Map(TRACES.map((trace) => [trace, replayed(trace, trace.meta)]));

test.each([64, 1000, 20_000])(
  "what the first %i rows show is enough, or the replay says that it is not",
  (rows) => {
    const outcomes = TRACES.map((trace) => {
      const whole = replayed(trace, trace.meta);
      const early = replayed(trace, knownBy(trace, rows));
      expect(whole.holds).toBe(true);
      if (early.holds) expect(early.result === whole.result).toBe(true);
      return { holds: early.holds, isEqual: early.result === whole.result };
    });
    // The check has something to tell apart: at first nothing holds, later most do.
    if (rows === 64) expect(outcomes.filter(({ isEqual }) => !isEqual).length).toBeGreaterThan(0);
    else expect(outcomes.filter(({ holds }) => holds).length).toBeGreaterThan(0);
  },
);

test("a replay that does not hold begins anew from the file", async () => {
  const trace = TRACES.find((t) => replayed(t, knownBy(t, 64)).result !== wholes.get(t)!.result)!;
  const { meta, batches } = trace;
  const path = join(scratch(), "events.arrow");
  const parts: Uint8Array[] = [];
  const writer = new EventFileWriter((bytes) => parts.push(bytes));
  for (const batch of batches) writer.batch(batch, meta.epochNs);
  writer.finish(meta);
  writeFileSync(path, Buffer.concat(parts));
  const tables = [0, 1].map(() => newVerdictTables());
  const choices = { assume: [], blind: false };
  await new Follower(choices).finish(meta, path, tables[0]!, 0);
  const follower = new Follower(choices);
  for (const batch of batches) follower.feed(batch, knownBy(trace, 64));
  await follower.finish(meta, path, tables[1]!, 0);
  const [anew, followed] = tables.map((t) => Object.values(t).map((table) => encodeTable(table)));
  expect(followed).toEqual(anew);
});

test("other CPUs or another kernel: the replay does not hold", () => {
  const [trace] = TRACES;
  if (trace === undefined) throw new Error("no recording");
  const { meta, batches } = trace;
  const running = new RunningReplay(meta, {});
  for (const batch of batches) running.feed(batch);
  expect(running.holdsFor(meta)).toBe(true);
  expect(running.holdsFor({ ...meta, cpus: meta.cpus + 1 })).toBe(false);
  expect(running.holdsFor({ ...meta, kernel: "6.14.0" })).toBe(false);
});
