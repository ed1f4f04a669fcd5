// A user's way from nothing to the sentence they quote on the list, with a stopwatch: three commands. The recording is the
// one thing not done here (it needs root): a trace.dat stands for what the second command writes.
// npm run stopwatch -- [trace.dat]; without one, the recording of the W5 workload beside or in this repository.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MAIN = join(ROOT, "dist/cli/main.js");
const KNOWN = ["../shared/traces/lab/W5/trace-cmd.v7.dat", "traces/6.1/W5.trace-cmd.txt.zst"];

const given = process.argv[2];
const trace = resolve(given ?? KNOWN.map((path) => join(ROOT, path)).find((path) => existsSync(path)) ?? "");
const cwd = mkdtempSync(join(tmpdir(), "forkcast-stopwatch-"));

/** Runs a command to its end; its seconds and what it printed. */
function timed(args: readonly string[]): { readonly seconds: number; readonly stdout: string } {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`forkcast ${args.join(" ")}: exit ${status}\n${stderr}`);
  return { seconds: (performance.now() - started) / 1e3, stdout };
}

try {
  const recipe = timed(["recipe", "trace-cmd"]);
  const analyze = timed(["analyze", trace]);
  const size = (statSync(trace).size / 1e6).toFixed(1);
  const line = (seconds: number | null, command: string, what: string): void =>
    console.log(`${seconds === null ? "     -" : `${seconds.toFixed(2)} s`}  ${command}\n        ${what}`);
  line(
    recipe.seconds,
    "forkcast recipe trace-cmd > record.sh",
    `${recipe.stdout.split("\n").length} lines of sh`,
  );
  line(
    null,
    "sudo sh record.sh 10",
    `as long as you record; here ${basename(trace)} (${size} MB) stands for it`,
  );
  line(analyze.seconds, "forkcast analyze trace.txt", "its first lines are the sentence to quote:");
  console.log(`\n${analyze.stdout.split("\n\n")[0]}`);
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
