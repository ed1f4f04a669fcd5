// npm run fuzz -- [--format trace-dat] [--runs 10000] [--seed N]: damages recordings as long as it is asked to. Prints what
// came of them; the first that crashes, hangs or needs too much memory ends the run and is printed as the changes made.
import { parseArgs } from "node:util";
import fc from "fast-check";
import { seeds } from "../support/recording-seeds.ts";
import { changes, mutate } from "./mutate.ts";
import { isBig, MAX_RSS, tryRecording } from "./recordings.ts";

const { values } = parseArgs({
  options: {
    format: { type: "string" },
    runs: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
  },
});
const all = seeds().filter((seed) => values.format === undefined || seed.format === values.format);
if (all.length === 0) throw new Error(`--format ${values.format}: expected trace-dat or perf-data`);
const runs = Number(values.runs);
const started = performance.now();
const counts = { read: 0, refused: 0 };
let slowest = 0;
for (const seed of all) {
  fc.assert(
    fc.property(changes, (list) => {
      const { kind, ms } = tryRecording(seed, mutate(seed, list, isBig(seed)));
      counts[kind]++;
      slowest = Math.max(slowest, ms);
    }),
    { numRuns: Math.ceil(runs / all.length), seed: Number(values.seed) },
  );
}
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(
  `${counts.read + counts.refused} inputs, seed ${values.seed}: ${counts.read} read, ${counts.refused} refused, ` +
    `slowest ${slowest.toFixed(0)} ms, peak ${(peak / 1e6).toFixed(0)} MB, ` +
    `${((performance.now() - started) / 1e3).toFixed(0)} s\n`,
);
if (peak > MAX_RSS) throw new Error(`needed more than ${MAX_RSS / 1e6} MB`);
