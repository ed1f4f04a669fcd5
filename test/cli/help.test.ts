// Every command's --help ends with three examples; all of them run here, as they stand, in a directory where their files are.
// Tools that need root or another host (sudo, ssh) or record (perf, trace-cmd) are stood in for by scripts.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { EXAMPLES } from "../../src/cli/examples.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { ZstdDecoder } from "../../src/cli/zstd-decoder.ts";
import { seeds } from "../support/recording-seeds.ts";
import { CLI_MAIN, recording, scratch } from "./run-cli.ts";

const cwd = scratch();
const program = buildProgram(() => {});
const LINES = Object.entries(EXAMPLES).flatMap(([name, lines]) => lines.map((line) => [name, line] as const));

test("every command has three examples, and no other name has", () => {
  const names = program.commands.map((command) => command.name());
  expect(Object.keys(EXAMPLES).sort()).toEqual(names.sort());
  for (const name of names) {
    expect(EXAMPLES[name], name).toHaveLength(3);
    for (const line of EXAMPLES[name] ?? [])
      expect(line, name).toMatch(new RegExp(`\\bforkcast ${name}( |$)`));
  }
});

test("--help ends with them", () => {
  for (const command of program.commands) {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    for (const line of EXAMPLES[command.name()] ?? []) expect(help).toContain(`\n  ${line}`);
    for (const line of help.split("\n")) expect(line.length, line).toBeLessThan(80);
  }
});

async function decompress(name: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const decoder = new ZstdDecoder((bytes) => parts.push(bytes.slice()));
  await decoder.push(readFileSync(recording(name)));
  await decoder.end();
  return Buffer.concat(parts);
}

/** Runs a line that is one plain command in this process: a new one would take longer to load than to run. */
async function runHere(words: readonly string[]): Promise<string> {
  let out = "";
  const take = (text: string | Uint8Array, done?: unknown): boolean => {
    out += String(text);
    if (typeof done === "function") done();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(take),
    vi.spyOn(process.stderr, "write").mockImplementation(() => true),
  ];
  try {
    await buildProgram(() => {}).parseAsync(["node", "forkcast", ...words]);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return out;
}

describe("each example runs", () => {
  const home = process.cwd();
  beforeAll(async () => {
    const text = await decompress("6.1/W1.ftrace.txt.zst");
    for (const name of ["trace.txt", "capture.txt"]) writeFileSync(join(cwd, name), text);
    writeFileSync(join(cwd, "trace.gz"), gzipSync(text));
    for (const name of ["run1.txt.zst", "run2.txt.zst"])
      copyFileSync(recording("6.1/W1.ftrace.txt.zst"), join(cwd, name));
    writeFileSync(join(cwd, "script.txt"), await decompress("6.1/W6.perf.txt.zst"));
    for (const [format, name] of [
      ["trace-dat", "trace.dat"],
      ["perf-data", "perf.data"],
    ] as const) {
      const seed = seeds().find((candidate) => candidate.format === format);
      writeFileSync(join(cwd, name), seed?.bytes ?? new Uint8Array());
    }
    const bin = join(cwd, "bin");
    for (const dir of [
      bin,
      ".bash_completion.d",
      ".local/share/man/man1",
      ".zfunc",
      ".config/fish/completions",
    ].map((dir) => join(cwd, dir.replace(cwd, ""))))
      mkdirSync(dir, { recursive: true });
    const stand: Readonly<Record<string, string>> = {
      forkcast: `exec ${process.execPath} ${CLI_MAIN} "$@"`,
      perf: "cat script.txt",
      "trace-cmd": "cat trace.txt",
      sudo: 'test -s "$2"',
      ssh: "cat > /dev/null",
      man: "cat > /dev/null",
      mandoc: "cat",
    };
    for (const [name, script] of Object.entries(stand)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    process.chdir(cwd);
    await runHere(["analyze", "trace.txt"]);
    for (const dir of ["both", "before", "after", "linux-6.1", "linux-6.12", "blind"])
      cpSync("forkcast-out", dir, { recursive: true });
    await runHere(["ingest", "trace.txt", "-o", "events.arrow"]);
    return () => process.chdir(home);
  }, 60_000);

  test.each(LINES)("%s: %s", async (_name, line) => {
    const words = (line.match(/'[^']*'|[^\s']+/g) ?? []).map((word) => word.replace(/^'|'$/g, ""));
    if (!/[|>&]/.test(line.replace(/'[^']*'/g, ""))) {
      const written = words.includes("-o") ? words[words.indexOf("-o") + 1] : undefined;
      if (written !== undefined) rmSync(written, { recursive: true, force: true });
      const out = await runHere(words.slice(1));
      if (written === undefined) expect(out).not.toBe("");
      else expect(existsSync(written), written).toBe(true);
      return;
    }
    const env = { ...process.env, HOME: cwd, PATH: `${join(cwd, "bin")}:${process.env["PATH"]}` };
    const { status, stderr } = spawnSync("sh", ["-ec", line], { cwd, env, encoding: "utf8" });
    expect({ status, error: /error/.test(stderr) ? stderr : "" }).toEqual({ status: 0, error: "" });
  });
});
