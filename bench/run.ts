// npm run bench -- [--mb N] [--format ftrace,perf,csv] [--mix user|sched|dense] [--only floor,peers,forkcast,recordings,startup]
// [--runs N] [--keep] [--update-baseline]: how long forkcast takes for N MB of trace text, next to what the same file
// costs wc, grep and the tools people would use instead. Prints tables, writes bench/out/bench.json, and compares the
// ratios to grep with bench/baseline.json. Linux only (/proc).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Measurement, measure } from "./measure.ts";
import { MIX_NAMES, MIXES, type MixName } from "./mixes.ts";
import { type Peer, peersOf, printers } from "./peers.ts";
import { LONG_RECORDINGS, makeLong, measureRecording, sizeOf } from "./recording-runs.ts";
import { TRACE_FORMATS, type TraceFormat, writeWorkload } from "./workload.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "bench", "out");
const BASELINE = join(ROOT, "bench", "baseline.json");
const MAIN = join(ROOT, "dist", "cli", "main.js");
const FORKCAST = [process.execPath, MAIN] as const;
const GROUPS = ["floor", "peers", "forkcast", "recordings", "startup"] as const;
/** A ratio this much above its baseline is called worse; runs on a busy machine differ by as much. */
const TOLERANCE = 1.15;

/** What is repeated: shell loops for the mixes, where most lines are the mix's; the denser W5 as it is. */
const RECORDINGS: Readonly<Record<TraceFormat, string>> = {
  ftrace: "W1.ftrace.txt.zst",
  perf: "W6.perf.txt.zst",
  csv: "W5.bpftrace.csv.zst",
};
const RECORDINGS_TABLE = "recordings (those beside the repository)";
const DENSE = "W5.ftrace.txt.zst";

interface Table {
  readonly name: string;
  readonly bytes: number;
  readonly lines: number;
  readonly measurements: readonly Measurement[];
  readonly absent: readonly string[];
}

const { values } = parseArgs({
  options: {
    mb: { type: "string", default: "200" },
    format: { type: "string", default: "ftrace" },
    mix: { type: "string", default: "user" },
    only: { type: "string", default: GROUPS.join(",") },
    runs: { type: "string", default: "3" },
    keep: { type: "boolean", default: false },
    "update-baseline": { type: "boolean", default: false },
  },
});
const megabytes = wholeNumber("mb", values.mb);
const runs = wholeNumber("runs", values.runs);
const formats = names("format", values.format, TRACE_FORMATS);
const only = names("only", values.only, GROUPS);
const mix = names("mix", values.mix, MIX_NAMES)[0] ?? "user";

mkdirSync(OUT, { recursive: true });
const tables: Table[] = [];
if (only.some((group) => group !== "startup" && group !== "recordings"))
  for (const format of formats) tables.push(await throughput(format, mix));
if (only.includes("recordings")) tables.push(await recordings());
if (only.includes("startup")) tables.push(await startup());
for (const table of tables) print(table);
const ratios = Object.fromEntries(tables.flatMap(ratiosOf));
const machine = {
  cpu: cpus()[0]?.model ?? "",
  cpus: cpus().length,
  kernel: release(),
  node: process.version,
};
const record = {
  date: new Date().toISOString(),
  commit: commitOf(),
  machine,
  versions: versions(),
  runs,
  tables,
  ratios,
};
writeFileSync(join(OUT, "bench.json"), `${JSON.stringify(record, null, 2)}\n`);
compare();

async function throughput(format: TraceFormat, name: MixName): Promise<Table> {
  const trace = join(OUT, `${format}-${name}-${megabytes}.txt`);
  const countFile = `${trace}.lines`;
  if (!existsSync(trace) || !existsSync(countFile)) {
    const recording = format === "ftrace" && name === "dense" ? DENSE : RECORDINGS[format];
    const count = writeWorkload(join(ROOT, "traces", "6.1", recording), format, name, trace, megabytes * 1e6);
    writeFileSync(countFile, String(count));
  }
  const lines = Number(readFileSync(countFile, "utf8"));
  const events = join(OUT, "events.arrow");
  const result = join(OUT, "result");
  const peers = chosenPeers(trace, format);
  const measurements: Measurement[] = [];
  for (const peer of peers) {
    if (peer.absent !== undefined) continue;
    measurements.push(await measure(peer.what, peer.command, runs));
  }
  if (only.includes("forkcast")) {
    measurements.push(
      await measure("forkcast ingest", [...FORKCAST, "ingest", trace, "-o", events], runs),
      await measure("forkcast replay", [...FORKCAST, "replay", events, "-o", result], runs),
      await measure("forkcast analyze", [...FORKCAST, "analyze", trace, "-o", result], runs),
    );
  }
  const bytes = statSync(trace).size;
  for (const path of [events, result, ...(values.keep ? [] : [trace, countFile])])
    rmSync(path, { recursive: true, force: true });
  const absent = peers.flatMap((peer) => (peer.absent === undefined ? [] : [`${peer.what}: ${peer.absent}`]));
  return {
    name: `${format} text, mix ${name} (${format === "csv" ? MIXES.dense.what : MIXES[name].what})`,
    bytes,
    lines,
    measurements,
    absent,
  };
}

/** grep is always there: ratios are to it. */
function chosenPeers(trace: string, format: TraceFormat): Peer[] {
  return peersOf(trace, format).filter((peer) => only.includes(peer.group) || peer.what.startsWith("grep"));
}

/** Binary recordings: reading each, and the tool that wrote it printing it; as they are, and long ones made of them. */
async function recordings(): Promise<Table> {
  const events = join(OUT, "events.arrow");
  const measurements: Measurement[] = [];
  const absent: string[] = [];
  for (const { what, command, input, absent: why } of printers(OUT)) {
    if (why !== undefined) absent.push(`${what}: ${why}`);
    if (input === undefined) continue;
    const bytes = sizeOf(input);
    const measured = async (name: string, line: readonly string[]): Promise<void> => {
      measurements.push({ ...(await measure(name, line, runs, "null")), bytes });
    };
    if (why === undefined) await measured(what, command);
    await measured(`forkcast ingest, ${what.split(", ")[1]}`, [...FORKCAST, "ingest", input, "-o", events]);
  }
  rmSync(events, { force: true });
  const long = join(OUT, "long-recording");
  for (const { name, path, mb } of LONG_RECORDINGS) {
    if (!existsSync(path)) {
      absent.push(`${name}: no such recording beside the repository`);
      continue;
    }
    makeLong(path, long, mb);
    const options = { runs, isCounted: false, isAnalyzed: false };
    try {
      const { printed, ingest } = await measureRecording(`${name} ${mb} MB`, long, OUT, options);
      measurements.push(printed, ingest);
    } catch (error) {
      absent.push(`${name}: ${String(error).split("\n")[0]}`);
    }
  }
  rmSync(long, { recursive: true, force: true });
  return { name: RECORDINGS_TABLE, bytes: 0, lines: 0, measurements, absent };
}

/** How soon an answer comes: the bare interpreter is the floor. */
async function startup(): Promise<Table> {
  const trace = join(OUT, "startup.txt");
  const lines = writeWorkload(join(ROOT, "traces", "6.1", RECORDINGS.ftrace), "ftrace", "dense", trace, 1e6);
  const result = join(OUT, "startup");
  const often = runs * 4;
  const measurements = [
    await measure("node -e 0", [process.execPath, "-e", "0"], often),
    await measure("forkcast --version", [...FORKCAST, "--version"], often),
    await measure("forkcast analyze 1 MB", [...FORKCAST, "analyze", trace, "-o", result], often),
  ];
  const bytes = statSync(trace).size;
  for (const path of [trace, result]) rmSync(path, { recursive: true, force: true });
  return { name: "start-up", bytes, lines, measurements, absent: [] };
}

function floorOf(table: Table): Measurement | undefined {
  return table.measurements.find(({ what }) => what.startsWith("grep") || what.startsWith("node -e"));
}

function print(table: Table): void {
  const floor = floorOf(table);
  const size = table.lines === 0 ? "" : `: ${(table.bytes / 1e6).toFixed(0)} MB, ${table.lines} lines`;
  console.log(`\n${table.name}${size}; minimum of ${runs} runs\n`);
  console.log(`what                           wall s    cpu s     MB/s  x floor  peak RSS`);
  for (const { what, seconds, cpuSeconds, peakRssMb, bytes } of table.measurements) {
    const cells = [
      seconds.toFixed(2).padStart(9),
      cpuSeconds.toFixed(2).padStart(9),
      ((bytes ?? table.bytes) / 1e6 / seconds).toFixed(0).padStart(9),
      (bytes === undefined ? (seconds / (floor?.seconds ?? Number.NaN)).toFixed(1) : "-").padStart(9),
      (peakRssMb === 0 ? "-" : `${peakRssMb.toFixed(0)} MB`).padStart(10),
    ];
    console.log(what.padEnd(28) + cells.join(""));
  }
  for (const absent of table.absent) console.log(`absent: ${absent}`);
}

/** Of forkcast's own measurements: wall time over the floor's, CPU time over the floor's. A recording's floor is its printer. */
function ratiosOf(table: Table): [string, { readonly wall: number; readonly cpu: number }][] {
  if (table.name === RECORDINGS_TABLE) {
    return table.measurements.flatMap((own, i) => {
      const printer = table.measurements[i - 1];
      if (!own.what.startsWith("forkcast") || printer === undefined || printer.what.startsWith("forkcast"))
        return [];
      return [[`recordings: ${own.what} to ${printer.what}`, ratio(own, printer)]];
    });
  }
  const floor = floorOf(table);
  if (floor === undefined) return [];
  return table.measurements
    .filter(({ what }) => what.startsWith("forkcast"))
    .map((own) => {
      const size = table.name === "start-up" ? "" : ` ${megabytes} MB`;
      return [`${table.name.split(" (")[0]}${size}: ${own.what}`, ratio(own, floor)];
    });
}

function ratio(own: Measurement, floor: Measurement): { readonly wall: number; readonly cpu: number } {
  const round = (n: number): number => Math.round(n * 100) / 100;
  return { wall: round(own.seconds / floor.seconds), cpu: round(own.cpuSeconds / floor.cpuSeconds) };
}

/** Says which ratios are above the stored ones; stores the new ones when asked to. */
function compare(): void {
  const stored = (existsSync(BASELINE) ? JSON.parse(readFileSync(BASELINE, "utf8")) : {}) as typeof ratios;
  console.log("\nagainst bench/baseline.json (ratios of wall time, and of CPU time, to the floor):");
  for (const [key, now] of Object.entries(ratios)) {
    const before = stored[key];
    const verdict =
      before === undefined
        ? "no baseline"
        : now.wall > before.wall * TOLERANCE && now.cpu > before.cpu * TOLERANCE
          ? "WORSE"
          : "ok";
    const was = before === undefined ? "" : ` (was ${before.wall}, ${before.cpu})`;
    console.log(`  ${verdict.padEnd(12)}${key}: ${now.wall}, ${now.cpu}${was}`);
  }
  if (values["update-baseline"])
    writeFileSync(BASELINE, `${JSON.stringify({ ...stored, ...ratios }, null, 2)}\n`);
}

function versions(): Record<string, string> {
  const packages = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  return {
    forkcast: packages.version,
    ...packages.dependencies,
    grep: firstLine("grep"),
    trace_cmd: firstLine("trace-cmd"),
  };
}

function firstLine(tool: string): string {
  try {
    return execFileSync(tool, ["--version"], { encoding: "utf8", stdio: "pipe" }).split("\n")[0] ?? "";
  } catch {
    return "";
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

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${option} ${text}: expected a whole number from 1`);
  return value;
}

function names<T extends string>(option: string, text: string, known: readonly T[]): readonly T[] {
  return text.split(",").map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new Error(`--${option} ${name}: unknown; known: ${known.join(", ")}`);
    return found;
  });
}
