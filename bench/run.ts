// npm run bench [-- --mb N]: how long forkcast takes for N MB of ftrace text (200 unless said), next to what the
// same file costs wc and grep. Prints a table and writes bench/out/analyze-N.json. Linux only (/proc).
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ZstdDecoder } from "../src/cli/zstd-decoder.ts";
import { writeRepeated } from "./retime.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "bench", "out");
const RECORDING = join(ROOT, "traces", "6.1", "W5.ftrace.txt.zst");
const RUNS = 3;
const POLL_MS = 20;

interface Measurement {
  readonly what: string;
  /** Median of the runs. */
  readonly seconds: number;
  /** Highest of the runs; 0 when it was not seen. */
  readonly peakRssMb: number;
}

const { values } = parseArgs({ options: { mb: { type: "string", default: "200" } } });
const megabytes = Number(values.mb);
if (!Number.isInteger(megabytes) || megabytes < 1)
  throw new Error(`--mb ${values.mb}: expected a whole number from 1`);

mkdirSync(OUT, { recursive: true });
const trace = join(OUT, `ftrace-${megabytes}.txt`);
const events = join(OUT, "events.arrow");
const result = join(OUT, "result");
const lines = writeRepeated(await recordingText(), trace, megabytes * 1e6);
const bytes = statSync(trace).size;
const main = join(ROOT, "dist", "cli", "main.js");
const node = [process.execPath, main] as const;

const measurements: Measurement[] = [
  await measure("wc -l", ["sh", "-c", `wc -l < "$0" | cat`, trace]),
  await measure("grep -c sched_switch", ["sh", "-c", `grep -c sched_switch "$0" | cat`, trace]),
  await measure("forkcast ingest", [...node, "ingest", trace, "-o", events]),
  await measure("forkcast replay", [...node, "replay", events, "-o", result]),
  await measure("forkcast analyze", [...node, "analyze", trace, "-o", result]),
];

const grep = measurements[1]?.seconds ?? Number.NaN;
console.log(`${(bytes / 1e6).toFixed(0)} MB, ${lines} lines of ftrace text; median of ${RUNS} runs\n`);
console.log("what                     seconds     MB/s   x grep   peak RSS");
for (const { what, seconds, peakRssMb } of measurements) {
  const rate = (bytes / 1e6 / seconds).toFixed(0);
  const rss = peakRssMb === 0 ? "-" : `${peakRssMb.toFixed(0)} MB`;
  const ratio = (seconds / grep).toFixed(1);
  console.log(
    `${what.padEnd(22)}${seconds.toFixed(2).padStart(10)}${rate.padStart(9)}${ratio.padStart(9)}${rss.padStart(11)}`,
  );
}
const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? "",
  cpus: cpus().length,
  commit: commitOf(),
};
const record = { date: new Date().toISOString(), ...machine, bytes, lines, runs: RUNS, measurements };
writeFileSync(join(OUT, `analyze-${megabytes}.json`), `${JSON.stringify(record, null, 2)}\n`);
for (const path of [trace, events, result]) rmSync(path, { recursive: true, force: true });

async function recordingText(): Promise<string> {
  const parts: Buffer[] = [];
  const decoder = new ZstdDecoder((part) => parts.push(Buffer.from(part)));
  await decoder.push(readFileSync(RECORDING));
  await decoder.end();
  return Buffer.concat(parts).toString("utf8");
}

async function measure(what: string, command: readonly string[]): Promise<Measurement> {
  const seconds: number[] = [];
  let peakRssMb = 0;
  for (let run = 0; run < RUNS; run++) {
    const { elapsed, peak } = await runOnce(command);
    seconds.push(elapsed);
    peakRssMb = Math.max(peakRssMb, peak);
  }
  seconds.sort((a, b) => a - b);
  return { what, seconds: seconds[RUNS >> 1] ?? Number.NaN, peakRssMb };
}

async function runOnce([file = "", ...args]: readonly string[]): Promise<{ elapsed: number; peak: number }> {
  const started = performance.now();
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakRss(child));
  }, POLL_MS);
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")}: exit code ${code}\n${said}`);
  return { elapsed: (performance.now() - started) / 1e3, peak };
}

/** VmHWM: the kernel's own high-water mark, so that polling misses only the last moment. */
function peakRss(child: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1e3;
  } catch {
    return 0;
  }
}

function commitOf(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch {
    return "";
  }
}
