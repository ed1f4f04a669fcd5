// The tables that forkcast analyze wrote, read back: who denies the fast path, and how long each lock makes others wait.
//   node docs/examples/read-a-result.mjs forkcast-out
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_SPEC, decodeTable, VERDICT_SPEC } from "forkcast";

const dir = process.argv[2] ?? "forkcast-out";
const read = (name, spec) => decodeTable(readFileSync(join(dir, "tables", `${name}.arrow`)), spec);

// A table is columns: get one cell by column and row; row() makes an object and is for a few rows.
const verdicts = read("verdicts", VERDICT_SPEC);
const causes = new Map();
for (let row = 0; row < verdicts.length; row++) {
  if (verdicts.get("policy", row) !== "counts-unlocked") continue;
  for (const cause of verdicts.get("denied_by", row)) causes.set(cause, (causes.get(cause) ?? 0) + 1);
}
for (const [cause, forks] of [...causes].sort(([, a], [, b]) => b - a))
  console.log(`${cause}: ${forks} forks`);

// Times and durations are bigint nanoseconds; null is unknown, never 0.
const blocks = read("blocks", BLOCK_SPEC);
const waits = new Map();
for (let row = 0; row < blocks.length; row++) {
  const wait = blocks.get("wait_ns", row);
  if (wait === null || blocks.get("cause", row) !== "fork-window") continue;
  const policy = blocks.get("policy", row);
  waits.set(policy, [...(waits.get(policy) ?? []), wait]);
}
for (const [policy, lengths] of waits) {
  lengths.sort((a, b) => Number(a - b));
  console.log(`${policy}: ${lengths.length} waits, longest ${lengths.at(-1)} ns`);
}
