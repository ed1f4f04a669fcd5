// What recordings.ts and run.ts have in common: which recordings are measured, and what each costs beside the tool that prints it.
// Both print to nowhere: /dev/null for the tool, events.arrow for forkcast.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decompress } from "fzstd";
import { writeLongRecording } from "./long-recordings.ts";
import { type Measurement, measure } from "./measure.ts";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const SHARED = fileURLToPath(new URL("../../shared/traces/", import.meta.url));

/** Recordings beside the repository, and how many megabytes each is made; starting node is little of reading so many. */
export const LONG_RECORDINGS: readonly {
  readonly name: string;
  readonly path: string;
  readonly mb: number;
}[] = [
  { name: "trace.dat lab/W5", path: join(SHARED, "lab", "W5", "trace-cmd.v6.dat"), mb: 200 },
  {
    name: "trace.dat lisa",
    path: join(SHARED, "public", "lisa", "sched_load-trace.dat"),
    mb: 100,
  },
  { name: "perf.data lab612/W5", path: join(SHARED, "lab612", "W5", "perf.data.zst"), mb: 200 },
  {
    name: "CTF many-threads",
    path: join(SHARED, "public", "tracecompass-test-traces", "many-threads"),
    mb: 100,
  },
];

/** Makes `out` a recording of `mb` megabytes out of the one at `path`, which may be compressed. */
export function makeLong(path: string, out: string, mb: number): void {
  rmSync(out, { recursive: true, force: true });
  const short = `${out}.short`;
  if (path.endsWith(".zst")) writeFileSync(short, decompress(readFileSync(path)));
  writeLongRecording(path.endsWith(".zst") ? short : path, out, mb * 1e6);
  rmSync(short, { force: true });
}

/** The command that prints the events of a recording. */
export function printingOf(path: string): readonly string[] {
  if (statSync(path).isDirectory()) return ["babeltrace2", path];
  const isPerf = readFileSync(path).subarray(0, 8).toString("latin1") === "PERFILE2";
  return isPerf ? ["perf", "script", "-i", path] : ["trace-cmd", "report", "-i", path];
}

export interface RecordingCost {
  readonly events: number;
  readonly printed: Measurement;
  readonly ingest: Measurement;
  /** Null unless it was asked for. */
  readonly analyze: Measurement | null;
}

/**
 * Measures one recording, least of `runs` runs. `scratch` is a directory for results. Throws unless the tool prints as many
 * events as forkcast reads, when `isCounted`.
 */
export async function measureRecording(
  name: string,
  path: string,
  scratch: string,
  options: { readonly runs: number; readonly isCounted: boolean; readonly isAnalyzed: boolean },
): Promise<RecordingCost> {
  const { runs, isCounted, isAnalyzed } = options;
  const printing = printingOf(path);
  const ingesting = [MAIN, "ingest", path, "-o", join(scratch, "e.arrow")];
  const analyzing = [MAIN, "analyze", path, "-o", join(scratch, "out")];
  const said = spawnSync(process.execPath, ingesting, { encoding: "utf8" }).stderr;
  const events = Number(/rows of (\d+) events/.exec(said)?.[1] ?? Number.NaN);
  const lines = isCounted ? printedLines(printing) : events;
  if (lines !== events)
    throw new Error(`${name}: ${printing[0]} prints ${lines} events, read were ${events}`);
  const bytes = sizeOf(path);
  const measured = async (what: string, command: readonly string[]): Promise<Measurement> => ({
    ...(await measure(what, command, runs, "null")),
    bytes,
  });
  const cost = {
    events,
    printed: await measured(`${printing[0]}, ${name}`, printing),
    ingest: await measured(`forkcast ingest, ${name}`, [process.execPath, ...ingesting]),
    analyze: isAnalyzed
      ? await measured(`forkcast analyze, ${name}`, [process.execPath, ...analyzing])
      : null,
  };
  rmSync(join(scratch, "e.arrow"), { force: true });
  rmSync(join(scratch, "out"), { recursive: true, force: true });
  return cost;
}

/** Event lines that the tool prints. */
function printedLines(command: readonly string[]): number {
  const { stdout, status } = spawnSync(
    "sh",
    ["-c", '"$@" 2>/dev/null | grep -v -e "^cpus=" -e "EVENTS DROPPED" | wc -l', "sh", ...command],
    { encoding: "utf8" },
  );
  return status === 0 ? Number(stdout) : Number.NaN;
}

/** Bytes of a file, or of all files in a directory. */
export function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}
