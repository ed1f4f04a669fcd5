// The same events in every shape trace.dat and perf.data have: byte orders, word sizes, versions, pipes, compression,
// instances. Each must give the same rows.
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { CODECS } from "../../../src/cli/codecs.ts";
import { CodecError, openRecording } from "../../../src/ingest/index.ts";
import { readFiles, readRecording, sourceOf } from "../../support/recording-digest.ts";
import { rawPages, type Seed, seeds } from "../../support/recording-seeds.ts";

const all = seeds();

function named(part: string): Seed {
  const seed = all.find(({ name }) => name.startsWith(part));
  if (seed === undefined) throw new Error(`no seed ${part}`);
  return seed;
}

describe("one list of events", () => {
  const { digest } = readRecording(named("v6-le64").bytes);

  test("is read as it was written", () => {
    expect(digest.events).toBe(24);
    expect(
      Object.fromEntries(Object.entries(digest.kinds).map(([k, v]) => [k, Number(v.split(" ")[0])])),
    ).toEqual({
      lost: 2,
      mmput: 6,
      sched_switch: 6,
      task_newtask: 6,
    });
    expect(digest.skipped).toEqual({ softirq_raise: 6 });
    // 17 in front of CPU 0's second page, an unknown number on CPU 1
    expect(digest.lost).toBe(-1);
  });

  test("32-bit and big-endian give the same rows", () => {
    expect(readRecording(named("v6-be32").bytes).digest).toEqual(digest);
  });

  test.each([
    ["64-bit, little-endian", false, 8],
    ["32-bit, big-endian", true, 4],
  ] as const)("raw pages, %s, give the same rows", (_, big, long) => {
    const raw = readFiles(rawPages(big, long).map(({ name, bytes }) => sourceOf(bytes, name)));
    expect(raw.meta).toMatchObject({ format: "raw-pages", clock: "mono", kernel: "6.1.0-test", cpus: 2 });
    expect(raw.digest).toEqual(digest);
  });

  test("raw pages cut inside a page lose what it held, and say so", () => {
    const files = rawPages(false, 8).map(({ name, bytes }) =>
      sourceOf(name.endsWith("cpu0/trace_pipe_raw") ? bytes.subarray(0, bytes.length - 100) : bytes, name),
    );
    const raw = readFiles(files);
    expect(raw.digest.events).toBeLessThan(digest.events);
    expect(raw.problems.join(" ")).toContain("recording/cut");
  });

  test("raw pages without their header are refused by name", () => {
    const files = rawPages(false, 8).filter(({ name }) => name !== "events/header_page");
    expect(() =>
      readFiles(
        files.map(({ name, bytes }) => sourceOf(bytes, name)),
        "raw-pages",
      ),
    ).toThrow(/no header_page, \d+ event formats, pages of 2 CPUs; expected copies of events\/header_page/);
  });

  test("version 7 moves them by its OFFSET of 1000 ns and nothing else", () => {
    const le = readRecording(named("v7-le32").bytes);
    expect(readRecording(named("v7-be64-zlib").bytes).digest).toEqual(le.digest);
    expect(le.digest.kinds).not.toEqual(digest.kinds);
    expect(Object.keys(le.digest.kinds)).toEqual(Object.keys(digest.kinds));
  });

  test.each(["v6-instances", "v7-le64-zlib-instances"])(
    "%s: an event two instances record counts once",
    (name) => {
      const { digest: both, problems } = readRecording(named(name).bytes);
      expect(both.events).toBe(24);
      expect(problems).toContain("trace-dat/second-instance 24");
    },
  );

  test("perf.data: file, pipe, byte orders, attribute sizes and zstd give the same rows", () => {
    const [first, ...rest] = all
      .filter(({ format }) => format === "perf-data")
      .map((seed) => readRecording(seed.bytes).digest);
    expect(first?.kinds["mmput"]).toMatch(/^6 /);
    expect(rest).toEqual(rest.map(() => first));
  });
});

test("perf.data: one without attributes is not read by those of the file before", () => {
  for (const name of ["file-le", "file-le-zstd", "file-le-zstd-sized"]) {
    readRecording(named(name).bytes);
    const bytes = named(name).bytes.slice();
    // The size of the section of attributes: less than one.
    new DataView(bytes.buffer).setBigUint64(32, 8n, true);
    expect(() => readRecording(bytes)).toThrow(/describes no event/);
  }
});

test("perf.data: compressed records that wait for more are lost events, not silence", () => {
  const bytes = named("file-le-zstd").bytes.slice();
  const view = new DataView(bytes.buffer);
  const [dataAt, dataSize] = [Number(view.getBigUint64(40, true)), Number(view.getBigUint64(48, true))];
  let last = -1;
  for (let at = dataAt; at < dataAt + dataSize; at += view.getUint16(at + 6, true))
    if (view.getUint32(at, true) === 81) last = at;
  // Its raw block claims one byte more than there is.
  view.setUint8(last + 8, view.getUint8(last + 8) + 8);
  const whole = readRecording(named("file-le-zstd").bytes);
  const { problems, meta } = readRecording(bytes);
  expect(whole.problems).not.toContain("perf-data/damaged-compression 1");
  expect(problems).toContain("perf-data/damaged-compression 1");
  expect(meta.events).toBeLessThan(whole.meta.events);
  expect(meta.lostEvents).toBe(-1);
});

test("a probe is named by the file's symbols before its own name", () => {
  const { meta } = readRecording(named("v6-le64").bytes);
  expect(meta.probes).toEqual([{ event: "p_mmput_0", func: "mmput", by: "symbols", count: 6 }]);
  expect(meta).toMatchObject({ clock: "mono", kernel: "6.1.0-test", cpus: 2, format: "trace-dat" });
});

describe("what cannot be used is one clear line", () => {
  const open = (bytes: Uint8Array, codecs = CODECS): unknown =>
    openRecording({ path: "t.dat", files: [sourceOf(bytes)], codecs, format: "trace-dat" }, () => {}).read();

  test("a file cut in its header", () => {
    expect(() => open(named("v6-le64").bytes.slice(0, 900))).toThrow(InputError);
    expect(() => open(named("v6-le64").bytes.slice(0, 900))).toThrow(
      /^t\.dat \(trace-dat\) ends inside its header/,
    );
  });

  test("another compression is refused by its name", () => {
    const bytes = named("v7-be64-zlib").bytes.slice();
    bytes.set(
      new TextEncoder().encode("lzma"),
      bytes.findIndex((_, i) => bytes[i] === 0x7a && bytes[i + 1] === 0x6c),
    );
    expect(() => open(bytes)).toThrow(
      /compressed with "lzma 1\.2\.13", which is not decoded; expected zstd, zlib or none/,
    );
  });

  test("a file cut in its pages keeps what is before, and says so", () => {
    const { bytes } = named("v6-le64");
    const { problems, meta } = readRecording(bytes.slice(0, bytes.length - 4096));
    expect(problems).toContain("recording/cut-short 1");
    expect(meta.events).toBe(18);
    expect(meta.lostEvents).toBe(-1);
  });
});

test("decoders refuse what is larger than allowed, before they allocate it", () => {
  // A frame that claims a window of 1.75 TiB.
  const frame = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, ...new Array<number>(20).fill(0)]);
  expect(() => CODECS.zstd(frame, 1 << 20)).toThrow(CodecError);
  expect(() => CODECS.zstdStream()(frame, 1 << 20)).toThrow(CodecError);
  const zeros = new Uint8Array([
    0x78, 0x9c, 0x63, 0x60, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x00, 0x00, 0x04, 0x00, 0x00, 0x01,
  ]);
  expect(() => CODECS.zlib(zeros, 16)).toThrow(CodecError);
});
