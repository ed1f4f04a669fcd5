// Runs a command several times: wall time, CPU time of all its threads, peak memory. Linux only (/proc).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const POLL_MS = 20;

/** Minima over the runs: what is above them is the machine's other work. */
export interface Measurement {
  readonly what: string;
  readonly seconds: number;
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number;
  /** Highest of the runs; 0 when it was not seen. */
  readonly peakRssMb: number;
  /** Bytes read, when the command does not read the table's file. */
  readonly bytes?: number;
}

/** Where standard output goes: /dev/null, or, for what treats that as special, through a pipe there. */
export type Output = "null" | "pipe";

/** Measures `command` over `runs` runs. Its standard output is thrown away. Throws with its standard error when it fails. */
export async function measure(
  what: string,
  command: readonly string[],
  runs: number,
  output: Output = "pipe",
): Promise<Measurement> {
  let seconds = Number.POSITIVE_INFINITY;
  let cpuSeconds = Number.POSITIVE_INFINITY;
  let peakRssMb = 0;
  for (let run = 0; run < runs; run++) {
    const once = await runOnce(command, output);
    seconds = Math.min(seconds, once.seconds);
    cpuSeconds = Math.min(cpuSeconds, once.cpuSeconds);
    peakRssMb = Math.max(peakRssMb, once.peakRssMb);
  }
  return { what, seconds, cpuSeconds, peakRssMb };
}

/** The shell prints its children's times last. GNU grep stops at the first match when its output is /dev/null: it gets a pipe. */
const TIMED: Readonly<Record<Output, string>> = {
  null: `"$@" >/dev/null; code=$?; times >&2; exit $code`,
  pipe: `"$@" | cat >/dev/null; code=$?; times >&2; exit $code`,
};

async function runOnce(command: readonly string[], output: Output): Promise<Omit<Measurement, "what">> {
  const started = performance.now();
  const child = spawn("bash", ["-o", "pipefail", "-c", TIMED[output], "bench", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  let peakRssMb = 0;
  const timer = setInterval(() => {
    peakRssMb = Math.max(peakRssMb, peakOf(child.pid ?? 0));
  }, POLL_MS);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1e3;
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${said}`);
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(said);
  const cpuSeconds =
    times === null
      ? Number.NaN
      : Number(times[1]) * 60 + Number(times[2]) + Number(times[3]) * 60 + Number(times[4]);
  return { seconds, cpuSeconds, peakRssMb };
}

/** Highest VmHWM below process `pid`: the kernel's own high-water mark, so that polling misses only the last moment. */
function peakOf(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return Math.max(
      0,
      ...children
        .split(" ")
        .filter(Boolean)
        .map((child) => Math.max(peakOf(Number(child)), ownPeak(child))),
    );
  } catch {
    return 0;
  }
}

function ownPeak(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1e3;
  } catch {
    return 0;
  }
}
