// npm run bench:recordings -- [--mb N] [--runs N] FILE...: what reading a trace.dat, a perf.data or a CTF directory costs,
// beside what the recorder's own tool takes to print it to nowhere. CPU seconds (user and system) of whole processes, the least of some runs; needs the tool
// and a build. Starting node is in them: with --mb each file (a trace.dat of version 6, a perf.data, a CTF directory) is repeated, moved in
// time, until it has N MB (long-recordings.ts), and the tool's lines are counted against forkcast's events.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeLongRecording } from "./long-recordings.ts";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const { values, positionals } = parseArgs({
  options: { mb: { type: "string", default: "0" }, runs: { type: "string", default: "3" } },
  allowPositionals: true,
});
const RUNS = Number(values.runs);

/** CPU seconds of a command, and what it printed on standard error. */
function cpuSeconds(command: readonly string[]): { seconds: number; stderr: string } {
  let seconds = Number.POSITIVE_INFINITY;
  let said = "";
  for (let run = 0; run < RUNS; run++) {
    const { stderr, status } = spawnSync(
      "sh",
      ["-c", '"$@" >/dev/null; code=$?; times >&2; exit $code', "sh", ...command],
      {
        encoding: "utf8",
        maxBuffer: 1 << 26,
      },
    );
    if (status !== 0) throw new Error(`${command.join(" ")}: exit code ${status}\n${stderr}`);
    // The shell's second line of times: its children, "0m1.5s 0m0.1s".
    const children = stderr.trim().split("\n").at(-1) ?? "";
    const [user = 0, system = 0] = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
      (m) => Number(m[1]) * 60 + Number(m[2]),
    );
    seconds = Math.min(seconds, user + system);
    said = stderr;
  }
  return { seconds, stderr: said };
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

/** What prints the events of a recording. */
function printingOf(path: string): readonly string[] {
  if (statSync(path).isDirectory()) return ["babeltrace2", path];
  const isPerf = readFileSync(path).subarray(0, 8).toString("latin1") === "PERFILE2";
  return isPerf ? ["perf", "script", "-i", path] : ["trace-cmd", "report", "-i", path];
}

const directory = mkdtempSync(join(tmpdir(), "forkcast-bench-"));
console.log(
  "recording                        events   printed   ingest  analyze   x ingest  x analyze   (CPU s)",
);
try {
  for (const given of positionals) {
    const isLong = Number(values.mb) > 0;
    const path = isLong ? join(directory, "long") : given;
    rmSync(join(directory, "long"), { recursive: true, force: true });
    if (isLong) writeLongRecording(given, path, Number(values.mb) * 1e6);
    const printing = printingOf(path);
    const printed = cpuSeconds(printing).seconds;
    const ingest = cpuSeconds([process.execPath, MAIN, "ingest", path, "-o", join(directory, "e.arrow")]);
    const analyze = cpuSeconds([
      process.execPath,
      MAIN,
      "analyze",
      path,
      "-o",
      join(directory, "out"),
    ]).seconds;
    const events = Number(/rows of (\d+) events/.exec(ingest.stderr)?.[1] ?? Number.NaN);
    const name = `${given.split("/").slice(-2).join("/")}${isLong ? `, ${values.mb} MB` : ""}`;
    const lines = isLong ? printedLines(printing) : events;
    if (lines !== events)
      throw new Error(`${name}: ${printing[0]} prints ${lines} events, read were ${events}`);
    const figures = [printed, ingest.seconds, analyze].map((s) => s.toFixed(2).padStart(9)).join("");
    const ratios = [printed / ingest.seconds, printed / analyze]
      .map((x) => x.toFixed(1).padStart(11))
      .join("");
    console.log(`${name.padEnd(30)}${String(events).padStart(9)}${figures}${ratios}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
