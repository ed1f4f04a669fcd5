// The replay alone, all nine policies, over an event table that is in memory: CPU time, rows and events of the trace a second.
// The first pass is the one a user waits for; later ones find the code compiled. npm run bench:replay -- events.arrow [--runs=N]
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { replay } from "../src/replay/index.ts";
import { readEventFile } from "../src/table/arrow.ts";
import type { EventBatch, EventTable } from "../src/table/event-batch.ts";
import { newVerdictTables } from "../src/table/verdict-tables.ts";

const args = process.argv.slice(2);
const path = args.find((arg) => !arg.startsWith("--"));
if (path === undefined)
  throw new Error("which events.arrow? forkcast ingest TRACE -o events.arrow makes one");
const runs = Number(args.find((arg) => arg.startsWith("--runs="))?.slice(7) ?? 5);

const fd = openSync(path, "r");
const source = {
  size: statSync(path).size,
  readAt: (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    readSync(fd, bytes, 0, length, offset);
    return bytes;
  },
};
const table = readEventFile(source);
const kept: EventBatch[] = [];
const readFrom = process.cpuUsage();
await table.forEachBatch((batch) => void kept.push({ ...batch, ns: batch.ns.slice() }));
report("read back", process.cpuUsage(readFrom), 0);
closeSync(fd);
const inMemory: EventTable = {
  meta: table.meta,
  forEachBatch: (visit) => {
    for (const batch of kept) visit(batch);
    return Promise.resolve();
  },
};
for (let run = 0; run < runs; run++) {
  const tables = newVerdictTables();
  const from = process.cpuUsage();
  await replay(inMemory, {}, tables, 0);
  report(`replay ${run}`, process.cpuUsage(from), tables.forks.length);
}

function report(what: string, { user, system }: NodeJS.CpuUsage, forks: number): void {
  const s = (user + system) / 1e6;
  const { rows, events } = table.meta;
  console.log(
    `${what}: ${s.toFixed(2)} s, ${(rows / s / 1e6).toFixed(2)} M rows/s, ${(events / s / 1e6).toFixed(1)} M events/s, ${forks} forks`,
  );
}
