// What is said beside the result: the closing line, -q, -v, colour, progress on a terminal only; and what is generated from the
// program: the manual page and the shells' completions name every command and every option.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { decompress } from "fzstd";
import { expect, test } from "vitest";
import { modelOf } from "../../src/cli/command-model.ts";
import { completionFor } from "../../src/cli/completion/index.ts";
import { manPage } from "../../src/cli/man-page.ts";
import { MANUAL_NOTES } from "../../src/cli/manual-notes.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { MEGABYTES, progressText, THOUSAND_EVENTS } from "../../src/cli/progress.ts";
import { CLI_MAIN, forkcast, recording, scratch } from "./run-cli.ts";

const cwd = scratch();
const TRACE = recording("6.1/W5n.ftrace.txt.zst");
const ESC = "\x1b[";

test("one closing line with rates; -q is silent; the result is the same", () => {
  const plain = forkcast(["analyze", TRACE, "-o", "r"], { cwd });
  expect(plain.stderr).toBe("");
  expect(plain.closing).toMatch(
    /^113 forks, 9,719 events, 1\.6 MB in \d+\.\d\d s: [\d,]+( k)? ev\/s, [\d.]+ MB\/s; memory \d+ MB\n$/,
  );
  const quiet = forkcast(["analyze", TRACE, "-o", "r", "-q"], { cwd });
  expect({ stderr: quiet.stderr, closing: quiet.closing }).toEqual({ stderr: "", closing: "" });
  expect(quiet.stdout).toBe(plain.stdout);
  expect(plain.stdout).not.toContain(ESC);
});

test("-v says how long the stages took; a failure is said with -q too", () => {
  const text = forkcast(["ingest", TRACE, "-o", "e.arrow", "-v"], { cwd });
  expect(text.closing).toMatch(/^9,719 events/);
  const { stderr } = forkcast(["replay", "e.arrow", "-o", "v", "-v"], { cwd });
  for (const stage of ["events read", "replayed, verdicts made", "tables and report written"]) {
    expect(stderr).toMatch(new RegExp(`^${stage}: \\d+\\.\\d\\d s$`, "m"));
  }
  const failed = forkcast(["analyze", "absent.txt", "-q"], { cwd });
  expect(failed).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^error: absent\.txt: no such file/),
  });
});

test("any number of threads reads the same bytes of events", () => {
  const text = decompress(readFileSync(recording("6.1/W5.ftrace.txt.zst")));
  writeFileSync(join(cwd, "w5.txt"), text);
  const eventsBy = (threads: string): Buffer => {
    const { code } = forkcast(["ingest", "w5.txt", "-o", `t${threads}.arrow`, "--threads", threads, "-q"], {
      cwd,
    });
    expect(code).toBe(0);
    return readFileSync(join(cwd, `t${threads}.arrow`));
  };
  const one = eventsBy("1");
  expect(one.length).toBeGreaterThan(100_000);
  expect(eventsBy("2").equals(one)).toBe(true);
  expect(eventsBy("3").equals(one)).toBe(true);
});

test("colour: never in a pipe, always when asked, and NO_COLOR is about auto", () => {
  const env = { NO_COLOR: "1" };
  const always = forkcast(["replay", "e.arrow", "-o", "c", "--color", "always"], { cwd, env });
  expect(always.stdout).toContain(`${ESC}31musers-only `);
  const never = forkcast(["replay", "e.arrow", "-o", "c", "--color", "never"], { cwd });
  expect(never.stdout).not.toContain(ESC);
  expect(stripVTControlCharacters(always.stdout)).toBe(never.stdout);
});

/** A terminal by script(1) of util-linux. */
const hasTerminal = spawnSync("script", ["--version"]).status === 0;

test.skipIf(!hasTerminal)("on a terminal: coloured unless NO_COLOR", () => {
  const onTerminal = (env: Readonly<Record<string, string>>): string =>
    spawnSync("script", ["-qec", `${process.execPath} ${CLI_MAIN} replay e.arrow -o t`, "/dev/null"], {
      cwd,
      encoding: "utf8",
      env: { ...process.env, TERM: "xterm", NO_COLOR: "", ...env },
    }).stdout;
  expect(onTerminal({})).toContain(`${ESC}31m`);
  expect(onTerminal({ NO_COLOR: "1" })).not.toContain(`${ESC}31m`);
});

test("progress says bytes, share, rate and time left", () => {
  expect(progressText("t", MEGABYTES, 312e6, 1200e6, 2)).toBe("t: 312 of 1200 MB (26 %), 156 MB/s, 6 s left");
  expect(progressText("-", MEGABYTES, 5e6, 0, 2)).toBe("-: 5.0 MB, 2.5 MB/s");
  expect(progressText("replay", THOUSAND_EVENTS, 5e5, 2e6, 1)).toBe(
    "replay: 500 of 2000 k events (25 %), 500 k events/s, 3 s left",
  );
});

const model = modelOf(buildProgram(() => {}));
const FLAGS = model.commands.flatMap(({ name, options }) =>
  options.flatMap(({ flags }) => flags.map((flag) => [name, flag] as const)),
);

test("the manual page has every command, argument, option and example", () => {
  const page = manPage(model, MANUAL_NOTES).replaceAll("\\-", "-");
  for (const { name, arguments: own, options, examples } of model.commands) {
    const [, section = ""] =
      new RegExp(`\\n\\.SS forkcast ${name}\\b([\\s\\S]*?)(?=\\n\\.S[SH])`).exec(page) ?? [];
    for (const { usage } of own) expect(section).toContain(usage);
    for (const { flags } of options)
      for (const flag of flags) expect(section, name).toContain(`\\fB${flag}\\fR`);
    for (const line of examples) expect(section).toContain(line);
  }
  expect(FLAGS.length).toBeGreaterThan(100);
});

const has = (tool: string): boolean => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;

test.skipIf(!has("groff"))("groff has nothing to say about it", () => {
  const input = manPage(model, MANUAL_NOTES);
  const { status, stderr } = spawnSync("groff", ["-man", "-ww", "-Tutf8", "-z"], { input, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

const tries = [
  [["forkcast", "an"], ["analyze"]],
  [["forkcast", "analyze", "--pol"], ["--policy"]],
  [["forkcast", "analyze", "--policy", "fork-lock,mmap"], ["fork-lock,mmap-lock"]],
  [["forkcast", "query", "d", "s", "--format", "mark"], ["markdown"]],
  [["forkcast", "recipe", "bpf"], ["bpftrace"]],
] as const;

test.skipIf(!has("bash"))("bash completes commands, options, values, and lists of values", () => {
  const script = [
    completionFor("bash", model),
    `try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _forkcast; echo "\${COMPREPLY[*]}"; }`,
    ...tries.map(([words]) => `try ${words.join(" ")}`),
  ].join("\n");
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout.trimEnd().split("\n")).toEqual(tries.map(([, found]) => found.join(" ")));
});

test.skipIf(!has("fish"))("fish does", () => {
  const script = [
    completionFor("fish", model),
    ...tries.map(([words]) => `complete -C '${words.join(" ")}'`),
  ].join("\n");
  const { stdout } = spawnSync("fish", ["--no-config", "-c", script], {
    encoding: "utf8",
    env: { ...process.env, HOME: cwd },
  });
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t")[0]),
  ).toEqual(tries.map(([, found]) => found.join(" ")));
});

test("every shell's script names every option of every command", () => {
  const zsh = completionFor("zsh", model);
  const fish = completionFor("fish", model);
  for (const { name, options } of model.commands) {
    const part = zsh.slice(zsh.indexOf(`\n    ${name}) _arguments`)).split(" ;;")[0];
    for (const { flags } of options) for (const flag of flags) expect(part, name).toContain(flag);
  }
  expect(fish.match(/^complete .*__fish_seen_subcommand_from \w+' (?:-[sl] )/gm)).toHaveLength(
    model.commands.reduce((sum, { options }) => sum + options.length, 0),
  );
  if (has("zsh")) expect(spawnSync("zsh", ["-n"], { input: zsh, encoding: "utf8" }).stderr).toBe("");
});
