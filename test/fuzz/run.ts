// npm run fuzz -- [--format trace-dat] [--runs 10000] [--seed N]: damages inputs as long as it is asked to, --runs of each
// format. Prints what came of them; the first that crashes, hangs or needs too much memory ends the run and is printed as
// the changes made.
import { parseArgs } from "node:util";
import fc from "fast-check";
import { seeds } from "../support/recording-seeds.ts";
import { changes, mutate } from "./mutate.ts";
import { isBig, MAX_RSS, tryRecording } from "./recordings.ts";
import { check, damage, damaged, TARGETS } from "./stream-targets.ts";

const { values } = parseArgs({
  options: {
    format: { type: "string" },
    runs: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
  },
});
const RECORDINGS = ["trace-dat", "perf-data"] as const;
const formats = [...RECORDINGS, ...TARGETS.keys()];
const chosen = formats.filter((format) => values.format === undefined || format === values.format);
if (chosen.length === 0) throw new Error(`--format ${values.format}: expected ${formats.join(", ")}`);
const runs = Number(values.runs);
const seed = Number(values.seed);
let total = 0;
for (const format of chosen) total += fuzz(format);
process.stdout.write(`${total} inputs in all\n`);

/** Inputs tried. */
function fuzz(format: string): number {
  const counts = { read: 0, refused: 0 };
  const started = performance.now();
  let slowest = 0;
  const timed = (tryOne: () => "read" | "refused"): void => {
    const { user, system } = process.cpuUsage();
    counts[tryOne()]++;
    const spent = process.cpuUsage();
    slowest = Math.max(slowest, (spent.user + spent.system - user - system) / 1e3);
  };
  const target = TARGETS.get(format);
  if (target !== undefined) {
    const property = fc.property(damage, (one) => {
      const input = damaged(target, one);
      timed(() => check(target, input));
    });
    fc.assert(property, { numRuns: runs, seed });
  }
  const shapes = seeds().filter((shape) => shape.format === format);
  for (const shape of shapes) {
    const property = fc.property(changes, (list) => {
      const bytes = mutate(shape, list, isBig(shape));
      timed(() => tryRecording(shape, bytes).kind);
    });
    fc.assert(property, { numRuns: Math.ceil(runs / shapes.length), seed });
  }
  const peak = process.resourceUsage().maxRSS * 1024;
  const inputs = counts.read + counts.refused;
  process.stdout.write(
    `${format}: ${inputs} inputs, seed ${seed}: ${counts.read} read, ${counts.refused} refused, ` +
      `slowest ${slowest.toFixed(0)} ms, peak so far ${(peak / 1e6).toFixed(0)} MB, ` +
      `${((performance.now() - started) / 1e3).toFixed(0)} s\n`,
  );
  if (peak > MAX_RSS) throw new Error(`needed more than ${MAX_RSS / 1e6} MB`);
  return inputs;
}
