// Binary recordings through the command line: in place, compressed, from standard input, in a directory; what comes out
// is the same and nothing stays behind. Where ../shared lies beside the repository, a .dat and its printed text give the
// same verdicts.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as tar from "tar";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { memoryFile } from "../support/dump-recording.ts";
import { perfettoOfText, SPECIMEN } from "../support/perfetto-of-text.ts";
import { exportFiles, exportTables, exportTar } from "../support/perfetto-writer.ts";
import { rawPages, seeds } from "../support/recording-seeds.ts";
import { forkcast, scratch } from "./run-cli.ts";

const SHARED = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const cwd = scratch();
const dat = seeds()[0]!.bytes;

function ingested(args: readonly string[], stdin?: Uint8Array): string {
  const { code, stderr } = forkcast(["ingest", ...args, "-o", "e.arrow"], {
    cwd,
    ...(stdin === undefined ? {} : { input: Buffer.from(stdin) }),
  });
  expect([code, readdirSync(cwd).filter((name) => name.includes("spool") || name.includes("tmp"))]).toEqual([
    0,
    [],
  ]);
  return /\d+ rows of \d+ events, [\w-]+/.exec(stderr)?.[0] ?? stderr;
}

test("a file, gzip and standard input give the same", () => {
  writeFileSync(join(cwd, "t.dat"), dat);
  writeFileSync(join(cwd, "t.dat.gz"), gzipSync(dat));
  const plain = ingested(["t.dat"]);
  expect(plain).toBe("23 rows of 24 events, trace-dat");
  expect(ingested(["t.dat.gz"])).toBe(plain);
  expect(ingested(["-"], dat)).toBe(plain);
});

test("a long recording and a long text get the checksum that a thread of its own makes", () => {
  const long = 33 << 20;
  const line =
    "bash-1 [000] d..2. 1.000001: sched_switch: prev_comm=a prev_pid=1 prev_prio=1 prev_state=R ==> next_comm=b next_pid=2 next_prio=1\n";
  const files: readonly (readonly [string, Buffer])[] = [
    ["long.dat", Buffer.concat([dat, Buffer.alloc(long - dat.length)])],
    ["long.txt", Buffer.from(line.repeat(Math.ceil(long / line.length)))],
  ];
  for (const [name, bytes] of files) {
    writeFileSync(join(cwd, name), bytes);
    ingested([name]);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(readFileSync(join(cwd, "e.arrow")).includes(sha256)).toBe(true);
  }
});

test("a long recording is read alike by a thread of its own, and refused alike", () => {
  const seed = seeds().find(({ name }) => name.startsWith("file-le.perf"))!.bytes;
  const long = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc((33 << 20) - bytes.length)]);
  writeFileSync(join(cwd, "long.dat"), long(dat));
  writeFileSync(join(cwd, "long.data"), long(seed));
  for (const name of ["long.dat", "long.data"]) {
    const here = ingested([name, "--threads", "1"]);
    const bytes = readFileSync(join(cwd, "e.arrow"));
    expect([ingested([name]), readFileSync(join(cwd, "e.arrow")).equals(bytes)]).toEqual([here, true]);
  }
  writeFileSync(join(cwd, "bad.dat"), long(dat.subarray(0, 700)));
  const refused = [["--threads", "1"], []].map((options) =>
    forkcast(["ingest", "bad.dat", ...options, "-o", "bad.arrow"], { cwd }),
  );
  expect(refused[0]!.code).toBe(3);
  expect(refused[1]).toEqual(refused[0]);
  expect(existsSync(join(cwd, "bad.arrow"))).toBe(false);
});

test("a named pipe gives the same, --format given or not", () => {
  writeFileSync(join(cwd, "t.dat"), dat);
  execFileSync("mkfifo", [join(cwd, "pipe")]);
  for (const options of [[], ["--format", "trace-dat"]]) {
    const writer = spawn("sh", ["-c", "cat t.dat > pipe"], { cwd });
    expect(ingested(["pipe", ...options])).toBe("23 rows of 24 events, trace-dat");
    writer.kill();
  }
});

test("a damaged one leaves one line and no file", () => {
  writeFileSync(join(cwd, "cut.dat.gz"), gzipSync(dat.subarray(0, 700)));
  const before = readdirSync(cwd).sort();
  const { code, stderr } = forkcast(["ingest", "cut.dat.gz", "-o", "new.arrow"], { cwd });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^error: cut\.dat\.gz \(trace-dat\) ends inside its header[^\n]*\n$/);
  expect(readdirSync(cwd).sort()).toEqual(before);
});

test("a directory, its tar archive and a compressed one give the same; a cut one says so", async () => {
  for (const { name, bytes } of rawPages(false, 8)) {
    mkdirSync(join(cwd, "raw", dirname(name)), { recursive: true });
    writeFileSync(join(cwd, "raw", name), bytes);
  }
  await tar.create({ file: join(cwd, "raw.tar"), cwd, portable: true }, ["raw"]);
  const archive = readFileSync(join(cwd, "raw.tar"));
  writeFileSync(join(cwd, "raw.tar.gz"), gzipSync(archive));
  const plain = ingested(["raw"]);
  expect(plain).toBe("20 rows of 24 events, raw-pages");
  expect(ingested(["raw.tar"])).toBe(plain);
  expect(ingested(["raw.tar.gz"])).toBe(plain);
  expect(ingested(["-"], archive)).toBe(plain);
  expect(ingested(["raw.tar", "--format", "raw-pages"])).toBe(plain);
  writeFileSync(join(cwd, "cut.tar"), archive.subarray(0, archive.indexOf("trace_pipe_raw") + 700));
  const { code, stderr } = forkcast(["ingest", "cut.tar", "-o", "new.arrow"], { cwd });
  expect([code, stderr]).toEqual([3, expect.stringMatching(/^error: cut\.tar[^\n]*\n$/)]);
});

test("what trace_processor exports: its tar, compressed or not, and its files unpacked; its other exports are named", () => {
  const tables = exportFiles(exportTables(perfettoOfText(SPECIMEN)));
  const archive = exportTar(tables);
  writeFileSync(join(cwd, "tables.tar"), archive);
  writeFileSync(join(cwd, "tables.tar.gz"), gzipSync(archive));
  mkdirSync(join(cwd, "tables"));
  for (const { name, size, readAt } of tables) writeFileSync(join(cwd, "tables", name), readAt(0, size));
  for (const path of ["tables.tar", "tables.tar.gz", "tables"])
    expect(ingested([path])).toBe("9 rows of 10 events, perfetto-arrow");
  expect(ingested(["-"], archive)).toBe("9 rows of 10 events, perfetto-arrow");
  expect(ingested(["tables.tar", "--format", "perfetto-arrow"])).toBe("9 rows of 10 events, perfetto-arrow");
  writeFileSync(
    join(cwd, "cut.tar"),
    archive.subarray(0, Buffer.from(archive).indexOf("__intrinsic_ftrace_event") + 1500),
  );
  writeFileSync(
    join(cwd, "other.tar"),
    exportTar([memoryFile("perfetto_manifest.json", new Uint8Array(2)), ...tables]),
  );
  writeFileSync(join(cwd, "trace.db"), "SQLite format 3\0\u0010\0");
  for (const [path, line] of [
    ["cut.tar", /^error: cut\.tar: (?:no )?__intrinsic_\w+\.arrow[^\n]*\n$/],
    ["other.tar", /^error: other\.tar: [^\n]*`trace_processor export arrow_tar[^\n]*\n$/],
    ["trace.db", /^error: trace\.db [^\n]*`trace_processor export arrow_tar[^\n]*\n$/],
  ] as const) {
    const { code, stderr } = forkcast(["ingest", path, "-o", "new.arrow"], { cwd });
    expect([code, stderr]).toEqual([3, expect.stringMatching(line)]);
  }
});

test("a directory that is no recording is refused", () => {
  mkdirSync(join(cwd, "folder"));
  writeFileSync(join(cwd, "folder", "x"), "text");
  const { code, stderr } = forkcast(["ingest", "folder", "-o", "new.arrow"], { cwd });
  expect([code, stderr]).toEqual([
    3,
    expect.stringMatching(/^error: folder: is a directory \(1 files in it\)[^\n]*\n$/),
  ]);
});

test("an archive that is no recording is called one, whatever its name", async () => {
  mkdirSync(join(cwd, "folder"), { recursive: true });
  writeFileSync(join(cwd, "folder", "x"), "text");
  await tar.create({ file: join(cwd, "backup"), cwd, portable: true }, ["folder"]);
  const { code, stderr } = forkcast(["ingest", "backup", "-o", "new.arrow"], { cwd });
  expect([code, stderr]).toEqual([
    3,
    expect.stringMatching(/^error: backup: is an archive \(1 files in it\)[^\n]*\n$/),
  ]);
});

const PAIRS: readonly (readonly [string, string])[] = [
  ["lab/W5/trace-cmd.v7.dat", "lab/W5/trace-cmd.tc7.report.txt.zst"],
  ["lab/W2/trace-cmd.v7.dat", "lab/W2/trace-cmd.tc7.report.txt.zst"],
  ["lab/W14/perf.data.zst", "lab/W14/perf.script.txt.zst"],
];
const pairs = PAIRS.filter(([a, b]) => existsSync(join(SHARED, a)) && existsSync(join(SHARED, b)));

describe.skipIf(pairs.length === 0)("the same run as recorded and as printed, ../shared/traces", () => {
  test.each(pairs.length > 0 ? pairs : [["skipped: there is no such folder", ""] as const])(
    "%s",
    (binary, text) => {
      const verdicts = (path: string): unknown => {
        const { code, stdout } = forkcast(
          ["analyze", join(SHARED, path), "-o", "out", "--json", "--kernel", "6.1"],
          { cwd },
        );
        expect(code).toBe(0);
        const { forks, policies } = JSON.parse(stdout) as Summary;
        // Microseconds in text, nanoseconds in the recording: how long a wait was, how old a
        // reference, how near a miss, differs.
        const { attribution, ...counts } = forks;
        const { lazy, ...references } = attribution;
        return [
          { ...counts, references, left_by: lazy.left_by },
          Object.fromEntries(
            Object.entries(policies).map(([id, p]) => [id, { ...p, blocked: null, near_misses: null }]),
          ),
        ];
      };
      expect(verdicts(binary)).toEqual(verdicts(text));
    },
  );
});
