// What a user sees when something is wrong: the exit code, one clear line on standard error, no stack trace,
// nothing on standard output and nothing on disk.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type CliOptions, forkcast, recording, scratch } from "./run-cli.ts";

const SMALL = recording("6.1/W2.trace-cmd.txt.zst");

/** Runs in an empty directory; expects `code`, a message, and that only what was there before is there. */
function fails(
  code: number,
  args: readonly string[],
  message: RegExp,
  options: CliOptions & { cwd: string },
): void {
  const before = readdirSync(options.cwd).sort();
  const result = forkcast(args, options);
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: "" });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/\n\s+at .*\.js|node:internal|Error:/);
  expect(readdirSync(options.cwd).sort()).toEqual(before);
}

/** One line, that is. */
const line = (pattern: string): RegExp => new RegExp(`^error: .*${pattern}[^\\n]*\\n$`);

describe("usage, exit 2", () => {
  const cwd = scratch();
  test.each<[string, readonly string[], RegExp]>([
    ["no command", [], /Usage: forkcast/],
    ["unknown command", ["analyse", "x"], /unknown command 'analyse'[\s\S]*Did you mean analyze/],
    ["no trace", ["analyze"], /missing required argument 'trace'/],
    ["unknown option", ["analyze", "x", "--frobnicate"], /unknown option '--frobnicate'/],
    [
      "unknown policy",
      ["analyze", SMALL, "--policy", "fork-lock,nope"],
      /"nope"; known: always-atomic, .*cpumask/,
    ],
    ["unknown format", ["analyze", SMALL, "--format", "nope"], /"nope"; known: ftrace-text, .*csv/],
    ["bad kernel", ["analyze", SMALL, "--kernel", "new"], /such as 6\.1/],
    ["bad probe", ["analyze", SMALL, "--probe", "nothing"], /EVENT=FUNCTION/],
    ["unknown assumption", ["analyze", SMALL, "--assume", "nope"], /nope/],
    ["bad --fail-on", ["analyze", SMALL, "--fail-on", "weather"], /unsafe, indeterminate/],
    ["standard input twice", ["analyze", "-", "-"], line("given twice")],
    ["several traces for ingest", ["ingest", SMALL, SMALL, "-o", "e.arrow"], line("one trace a file")],
    ["fork is no number", ["explain", "x", "first"], /fork's number/],
  ])("%s", (_name, args, message) => {
    fails(2, args, message, { cwd });
  });
});

describe("input unusable, exit 3", () => {
  const cwd = scratch();
  const put = (name: string, data: Uint8Array | string): string => {
    writeFileSync(join(cwd, name), data);
    return name;
  };
  const gzip = gzipSync(readFileSync(recording("manifest.json")));
  const zstd = readFileSync(SMALL);
  mkdirSync(join(cwd, "folder"));
  symlinkSync("nowhere", join(cwd, "dangling"));
  test.each<[string, readonly string[], RegExp]>([
    ["missing", ["analyze", "no-such-file"], line("no-such-file: no such file or directory")],
    ["a directory", ["analyze", "folder"], line("folder: is a directory")],
    ["a dangling link", ["analyze", "dangling"], line("dangling: no such file or directory")],
    ["empty", ["analyze", put("empty.txt", "")], line("empty.txt.*")],
    [
      "binary",
      [
        "analyze",
        put(
          "binary.bin",
          Uint8Array.from({ length: 9999 }, (_, i) => (i * 7919) % 251),
        ),
      ],
      line("binary.bin.*"),
    ],
    ["prose", ["analyze", put("prose.txt", "Call me Ishmael.\nSome years ago\n")], line("prose.txt.*")],
    ["wrong --format", ["analyze", SMALL, "--format", "csv"], line(".*")],
    [
      "gzip cut before any event",
      ["analyze", put("cut.gz", gzip.subarray(0, 40))],
      line("cut.gz: .*ends inside a member.*"),
    ],
    [
      "gzip of prose",
      ["analyze", put("prose.gz", gzipSync("Call me Ishmael.\n".repeat(9000)))],
      line("prose.gz.*"),
    ],
    [
      "zstd cut before any event",
      ["analyze", put("cut.zst", zstd.subarray(0, 50))],
      line("cut.zst: .*ends inside a frame.*"),
    ],
    [
      "xz",
      ["analyze", put("t.xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0))],
      line("xz-compressed.*"),
    ],
    ["one bad trace of two", ["analyze", SMALL, "no-such-file"], line("no-such-file.*")],
    ["a bad second trace", ["analyze", SMALL, put("second.txt", "nothing\n")], line("second.txt.*")],
    ["a hostile name", ["analyze", "a\u001b[2J\nb"], line("\\\\u001b\\[2J\\\\nb.*")],
    ["events that are none", ["replay", put("e.arrow", "ARROW1 not"), "-o", "out"], line("e.arrow.*")],
    ["no results", ["report", "folder"], line("folder/tables/.*analyze wrote")],
    ["no results to explain", ["explain", "folder", "0"], line("folder/tables/.*analyze wrote")],
  ])("%s", (_name, args, message) => {
    fails(3, args, message, { cwd });
  });

  test("nothing on standard input", () => {
    fails(3, ["analyze", "-"], line("standard input.*|-.*"), { cwd, input: "" });
  });
});

describe("a result directory that is not ours, exit 2", () => {
  const cwd = scratch();
  mkdirSync(join(cwd, "photos"));
  writeFileSync(join(cwd, "photos", "cat.jpg"), "meow");
  mkdirSync(join(cwd, "mixed"));
  writeFileSync(join(cwd, "mixed", "summary.json"), "{}");
  writeFileSync(join(cwd, "mixed", "notes.txt"), "mine");
  writeFileSync(join(cwd, "file"), "");

  test("a foreign directory is left alone", () => {
    fails(2, ["analyze", SMALL, "-o", "photos"], line("photos: .*cat.jpg.*"), { cwd });
    expect(readFileSync(join(cwd, "photos", "cat.jpg"), "utf8")).toBe("meow");
  });

  test("so is a result directory with something of the user's in it", () => {
    fails(2, ["analyze", SMALL, "-o", "mixed"], line("mixed: .*notes.txt.*"), { cwd });
    expect(readdirSync(join(cwd, "mixed")).sort()).toEqual(["notes.txt", "summary.json"]);
  });

  test("and a file", () => {
    fails(2, ["analyze", SMALL, "-o", "file"], line("file: exists and is not a directory"), { cwd });
  });
});
