// What people would use instead of forkcast, and the floors: commands over the same file. Used by run.ts.
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decompress } from "fzstd";
import type { TraceFormat } from "./workload.ts";

/** A command over the file, or why there is none here. */
export interface Peer {
  readonly what: string;
  /** For --only. */
  readonly group: "floor" | "peers";
  readonly command: readonly string[];
  readonly absent?: string;
  /** What it reads, when that is not the trace. */
  readonly input?: string;
}

const SHARED = fileURLToPath(new URL("../../shared/traces/", import.meta.url));

/** Time, CPU and the two tasks of every sched_switch: a fraction of what an analysis needs. */
const AWK_FIELDS = `/sched_switch/ {
  for (i = 1; i <= NF; i++) { if ($i ~ /^\\[[0-9]+\\]$/) cpu = $i; if ($i ~ /^[0-9]+\\.[0-9]+:$/) time = $i
    if ($i ~ /^prev_pid=/) prev = substr($i, 10); if ($i ~ /^next_pid=/) next_pid = substr($i, 10) }
  n++; sum += prev + next_pid } END { print n, sum, time, cpu }`;

const DUCKDB_SQL = `SELECT count(*), max(regexp_extract(line, '([0-9]+\\.[0-9]+):', 1)), sum(TRY_CAST(regexp_extract(line, 'next_pid=([0-9]+)', 1) AS INT))
  FROM read_csv('FILE', columns={'line': 'VARCHAR'}, delim='\\x01', header=false, quote='', escape='') WHERE line LIKE '%sched_switch%'`;

/** The peers for a text file. */
export function peersOf(path: string, format: TraceFormat): Peer[] {
  const peers: Peer[] = [
    { what: "wc -l", group: "floor", command: ["wc", "-l", path] },
    { what: "grep -c sched_switch", group: "floor", command: ["grep", "-c", "sched_switch", path] },
    tool("mawk", ["mawk", AWK_FIELDS, path], "mawk sched fields"),
    tool("gawk", ["gawk", AWK_FIELDS, path], "gawk sched fields"),
    tool(
      "trace_processor_shell",
      ["trace_processor_shell", "-Q", "select count(*) from sched", path],
      "Perfetto trace_processor",
    ),
    duckdb(DUCKDB_SQL.replace("FILE", path)),
  ];
  if (format !== "csv") return peers;
  return [
    ...peers,
    { what: "papaparse alone", group: "peers", command: [...scriptCommand("papaparse-alone.ts"), path] },
  ];
}

/** By its own program, else by the package, which is an optional one. */
function duckdb(sql: string): Peer {
  const peer = tool("duckdb", ["duckdb", "-c", sql], "DuckDB read_csv + regexp");
  if (peer.absent === undefined) return peer;
  try {
    createRequire(import.meta.url).resolve("@duckdb/node-api");
  } catch {
    return { ...peer, absent: "neither duckdb on PATH nor @duckdb/node-api is here" };
  }
  return { what: peer.what, group: "peers", command: [...scriptCommand("duckdb-alone.ts"), sql] };
}

function scriptCommand(name: string): readonly string[] {
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  return [process.execPath, tsx, fileURLToPath(new URL(name, import.meta.url))];
}

/** Printers of binary recordings, over those that lie beside the repository; `scratch` takes what has to be unpacked. */
export function printers(scratch: string): Peer[] {
  const dat = join(SHARED, "lab", "W5", "trace-cmd.v7.dat");
  const perf = join(SHARED, "lab", "W5", "perf.data.zst");
  const ctf = join(SHARED, "public", "tracecompass-test-traces", "many-threads");
  const unpacked = join(scratch, "perf.data");
  if (existsSync(perf)) writeFileSync(unpacked, decompress(readFileSync(perf)));
  return [
    printer("trace-cmd", dat, ["trace-cmd", "report", "-i", dat], "trace-cmd report, W5 .dat"),
    printer("perf", perf, ["perf", "script", "-i", unpacked], "perf script, W5 perf.data"),
    printer("babeltrace2", ctf, ["babeltrace2", ctf], "babeltrace2, many-threads"),
  ];
}

function printer(binary: string, recording: string, command: readonly string[], what: string): Peer {
  const peer = tool(binary, command, what);
  if (existsSync(recording)) return { ...peer, input: recording };
  return { ...peer, absent: "no such recording beside the repository" };
}

function tool(binary: string, command: readonly string[], what: string): Peer {
  const peer = { what, group: "peers", command } as const;
  return isOnPath(binary) ? peer : { ...peer, absent: `${binary} is not on PATH` };
}

function isOnPath(binary: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, binary), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
