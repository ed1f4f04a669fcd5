// One trace through the stages, all in memory: what each policy would have decided, and the first unsafe fork.
//   node docs/examples/analyze-a-trace.mjs trace.txt [KERNEL]
import { readFileSync } from "node:fs";
import { EventFileWriter, newVerdictTables, openIngest, readEventFile, replay, summarize } from "forkcast";

const [path, kernel = "6.1"] = process.argv.slice(2);

// Ingest: bytes in, batches of events out; the writer makes one Arrow file of them. Push as many pieces as there are.
const parts = [];
const writer = new EventFileWriter((bytes) => parts.push(bytes));
const ingest = openIngest({ path }, (batch) => writer.batch(batch, ingest.epochNs));
ingest.push(readFileSync(path));
writer.finish(ingest.end());

// Replay: reads the events (more than once) and appends rows to the tables.
const file = Buffer.concat(parts);
const events = readEventFile({
  size: file.length,
  readAt: (offset, length) => new Uint8Array(file.subarray(offset, offset + length)),
});
const tables = newVerdictTables();
const info = await replay(events, { kernel }, tables, 0);

// Analyze: every figure of summary.json.
const { forks, policies } = summarize(tables, [events.meta], [info]);
console.log(`${forks.total} forks, kernel rules of ${info.kernel}`);
for (const [id, { fast, slow, indeterminate, unsafe }] of Object.entries(policies)) {
  console.log(`${id}: ${fast} fast (${unsafe} unsafe), ${slow} slow, ${indeterminate} undecided`);
}

const { verdicts } = tables;
for (let row = 0; row < verdicts.length; row++) {
  if (verdicts.get("verdict", row) !== "unsafe") continue;
  const { fork, policy } = verdicts.row(row);
  const { comm, tid, line } = tables.forks.row(fork);
  console.log(`first unsafe: fork ${fork} of ${comm}-${tid} under ${policy}, checked at line ${line}`);
  break;
}
