// Spawns the built command line as a user would. Used by every test in this folder that runs commands.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const TRACES = fileURLToPath(new URL("../../traces/", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
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
  return { code: status, stdout, stderr };
}

/** Path of a committed recording. */
export function recording(name: string): string {
  return join(TRACES, name);
}

/** An empty directory, removed after the tests of the file. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), "forkcast-test-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The command line's entry point, for tests that need the process itself. */
export const CLI_MAIN: string = MAIN;
