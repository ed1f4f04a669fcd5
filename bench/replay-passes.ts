// The replay alone, all nine policies, over an event table that is in memory; rows of the result tables are let go as analyze
// does when it writes them out. Rows and events of the trace a second of CPU time. The first pass is the one a user waits for,
// later ones find the code compiled; the floor adds up five columns. Bundled and run by replay.ts.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { replay } from "../src/replay/index.ts";
import { readEventFile } from "../src/table/arrow.ts";
import type { EventBatch, EventTable } from "../src/table/event-batch.ts";
import { newVerdictTables } from "../src/table/verdict-tables.ts";

/** Rows that analyze holds of a result table. */
const HELD_ROWS = 32_768;

const args = process.argv.slice(2);
const path = args.find((arg) => !arg.startsWith("--"));
if (path === undefined)
  throw new Error("which events.arrow? forkcast ingest TRACE -o events.arrow makes one");
const runs = Number(args.find((arg) => arg.startsWith("--runs="))?.slice(7) ?? 8);

const fd = openSync(path, "r");
const table = readEventFile({
  size: statSync(path).size,
  readAt: (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    readSync(fd, bytes, 0, length, offset);
    return bytes;
  },
});
const kept: EventBatch[] = [];
const reading = await cpuSeconds(() => table.forEachBatch((b) => void kept.push({ ...b, ns: b.ns.slice() })));
closeSync(fd);
const inMemory: EventTable = {
  meta: table.meta,
  forEachBatch: (visit) => {
    for (const batch of kept) visit(batch);
    return Promise.resolve();
  },
};

async function replayed(): Promise<void> {
  const tables = newVerdictTables();
  const onRows = (): void => {
    for (const result of Object.values(tables)) if (result.length >= HELD_ROWS) result.letGo();
  };
  await replay(inMemory, { onRows }, tables, 0);
}

/** Reads five columns of every row. */
function added(): number {
  let sum = 0;
  for (const { length, ns, kind, cpu, tid, mm } of kept)
    for (let i = 0; i < length; i++)
      sum += (ns[i] ?? 0) + (kind[i] ?? 0) + (cpu[i] ?? 0) + (tid[i] ?? 0) + (mm[i] ?? 0);
  return sum;
}

async function cpuSeconds(work: () => unknown): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

async function best(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) least = Math.min(least, await cpuSeconds(work));
  return least;
}

function print(what: string, s: number, floor: number): void {
  const { rows, events } = table.meta;
  const perSecond = `${(rows / s / 1e6).toFixed(1)} M rows/s, ${(events / s / 1e6).toFixed(1)} M events/s`;
  console.log(`${what.padEnd(14)} ${s.toFixed(3)} s CPU, ${(s / floor).toFixed(0)} floors: ${perSecond}`);
}

const first = await cpuSeconds(replayed);
const floor = await best(added);
const later = await best(replayed);
print("floor", floor, floor);
print("read back", reading, floor);
print("first pass", first, floor);
print(`best of ${runs}`, later, floor);
