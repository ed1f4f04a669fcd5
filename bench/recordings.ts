// npm run bench:recordings -- [--mb N] [--runs N] FILE...: what reading a trace.dat, a perf.data or a CTF directory costs,
// beside what the recorder's own tool takes to print it to nowhere: wall time, and CPU time of all threads, of whole processes,
// the least of some runs; needs the tool and a build. Starting node is in them: with --mb each recording (a trace.dat of version
// 6, a perf.data, a CTF directory) is repeated, moved in time, until it has N MB (long-recordings.ts), and the tool's lines are
// counted against forkcast's events. `npm run bench -- --only recordings` measures some as well.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Measurement } from "./measure.ts";
import { makeLong, measureRecording } from "./recording-runs.ts";

const { values, positionals } = parseArgs({
  options: { mb: { type: "string", default: "0" }, runs: { type: "string", default: "3" } },
  allowPositionals: true,
});
const megabytes = Number(values.mb);
const runs = Number(values.runs);
const scratch = mkdtempSync(join(tmpdir(), "forkcast-bench-"));

function cells({ seconds, cpuSeconds }: Measurement): string {
  return `${seconds.toFixed(2)} ${cpuSeconds.toFixed(2)}`.padStart(14);
}

/** How many times as fast: wall, CPU. */
function times(printed: Measurement, own: Measurement): string {
  const [wall, cpu] = [printed.seconds / own.seconds, printed.cpuSeconds / own.cpuSeconds];
  return `${wall.toFixed(1)} ${cpu.toFixed(1)}`.padStart(13);
}

console.log(
  `${"seconds: wall, CPU".padEnd(30)}   events       printed        ingest       analyze     x ingest    x analyze`,
);
try {
  for (const given of positionals) {
    const isLong = megabytes > 0;
    const path = isLong ? join(scratch, "long") : given;
    if (isLong) makeLong(given, path, megabytes);
    const name = `${given.split("/").slice(-2).join("/")}${isLong ? `, ${megabytes} MB` : ""}`;
    const options = { runs, isCounted: isLong, isAnalyzed: true };
    const { events, printed, ingest, analyze } = await measureRecording(name, path, scratch, options);
    const own = analyze === null ? [ingest] : [ingest, analyze];
    const ratios = own.map((measured) => times(printed, measured)).join("");
    console.log(
      name.padEnd(30) + String(events).padStart(9) + cells(printed) + own.map(cells).join("") + ratios,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
