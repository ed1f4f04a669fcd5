// Spawns the built command line as a user would. Used by every test in this folder that runs commands.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const TRACES = fileURLToPath(new URL("../../traces/", import.meta.url));

/** What a run says when it is over: its rates, never twice the same. */
const CLOSING = /^(?:[\d,]+ forks?, )?[\d,]+ events?[^\n]* in [\d.]+ s: [^\n]*; memory [^\n]*\n/m;

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  /** Without the closing line, which is in `closing`; "" when there is none. */
  readonly stderr: string;
  readonly closing: string;
}

export interface CliOptions {
  readonly input?: Uint8Array | string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `forkcast args…` to its end. */
export function forkcast(args: readonly string[], options: CliOptions = {}): CliResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    input: options.input ?? "",
    env: { ...process.env, FORKCAST_DEBUG: "", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const closing = CLOSING.exec(stderr)?.[0] ?? "";
  return { code: status, stdout, stderr: stderr.replace(closing, ""), closing };
}

/** Path of a committed recording. */
export function recording(name: string): string {
  return join(TRACES, name);
}

const scratches: string[] = [];
// Here, for a hook registered while a test runs is never called.
afterAll(() => {
  for (const dir of scratches) rmSync(dir, { recursive: true, force: true });
});

/** An empty directory, removed after the tests of the file. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), "forkcast-test-"));
  scratches.push(dir);
  return dir;
}

/** The command line's entry point, for tests that need the process itself. */
export const CLI_MAIN: string = MAIN;
