// Decoders on whole, chunked, joined, cut and damaged input: what comes out, and which problem is named.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Decoder } from "../../src/cli/decoder.ts";
import { GzipDecoder, isGzip } from "../../src/cli/gzip-decoder.ts";
import { Xxh64 } from "../../src/cli/xxh64.ts";
import { isZstd, ZstdDecoder } from "../../src/cli/zstd-decoder.ts";

const TEXT = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `line ${i} ${i * 7919}\n`).join(""));
const GZIP = gzipSync(TEXT);
/** 1.2 MB of text, as recorded. */
const ZSTD = readFileSync(new URL("../../traces/6.1/W1.ftrace.txt.zst", import.meta.url));

interface Decoded {
  readonly text: Buffer;
  readonly defect: string;
}

async function decode(
  open: (onBytes: (bytes: Uint8Array) => void) => Decoder,
  data: Uint8Array,
  step = data.length,
): Promise<Decoded> {
  const parts: Buffer[] = [];
  const decoder = open((bytes) => parts.push(Buffer.from(bytes)));
  for (let at = 0; at < data.length; at += step) await decoder.push(data.slice(at, at + step));
  await decoder.end();
  return { text: Buffer.concat(parts), defect: decoder.defect?.kind.code ?? "" };
}

const gunzip = (data: Uint8Array, step?: number): Promise<Decoded> =>
  decode((b) => new GzipDecoder(b), data, step);
const unzstd = (data: Uint8Array, step?: number): Promise<Decoded> =>
  decode((b) => new ZstdDecoder(b), data, step);

describe("gzip", () => {
  test.each([1_000_000, 4096, 61, 7])("chunks of %i bytes give the same text", async (step) => {
    const { text, defect } = await gunzip(GZIP, step);
    expect(defect).toBe("");
    expect(text.equals(TEXT)).toBe(true);
  });

  test("one byte at a time, over a member with a name and two members", async () => {
    const small = gzipSync(Buffer.from("first\n"));
    // FLG 08: the original name follows the header, as gzip(1) writes it.
    const named = Buffer.concat([
      small.subarray(0, 3),
      Buffer.of(8),
      small.subarray(4, 10),
      Buffer.from("t.txt\0"),
      small.subarray(10),
    ]);
    const { text, defect } = await gunzip(Buffer.concat([named, gzipSync(Buffer.from("second\n"))]), 1);
    expect(defect).toBe("");
    expect(text.toString()).toBe("first\nsecond\n");
  });

  test("garbage after the last member loses nothing", async () => {
    const { text, defect } = await gunzip(Buffer.concat([GZIP, Buffer.from("not gzip at all")]));
    expect(defect).toBe("input/trailing-garbage");
    expect(text.equals(TEXT)).toBe(true);
  });

  test("zero padding after the last member is no problem", async () => {
    const { text, defect } = await gunzip(Buffer.concat([GZIP, Buffer.alloc(512)]));
    expect(defect).toBe("");
    expect(text.equals(TEXT)).toBe(true);
  });

  test.each([5, 12, 1000, GZIP.length - 9, GZIP.length - 1])("cut after %i bytes", async (length) => {
    const { text, defect } = await gunzip(GZIP.subarray(0, length), 4096);
    expect(defect).toBe("input/truncated-compression");
    expect(TEXT.subarray(0, text.length).equals(text)).toBe(true);
    if (length === GZIP.length - 1) expect(text.length).toBe(TEXT.length);
  });

  test("a wrong checksum is damage", async () => {
    const bad = Buffer.from(GZIP);
    bad[bad.length - 8] = bad[bad.length - 8]! ^ 1;
    const { text, defect } = await gunzip(bad);
    expect(defect).toBe("input/corrupt-compression");
    expect(text.equals(TEXT)).toBe(true);
  });

  test("damage inside is damage", async () => {
    const bad = Buffer.from(GZIP);
    bad.fill(0xff, bad.length >> 1, (bad.length >> 1) + 64);
    expect((await gunzip(bad, 4096)).defect).toBe("input/corrupt-compression");
  });
});

describe("zstd", () => {
  test.each([1 << 20, 4096, 333, 1])("chunks of %i bytes give the same text", async (step) => {
    const { text, defect } = await unzstd(ZSTD, step);
    expect(defect).toBe("");
    expect(text.length).toBe(1_245_179);
    expect(text.subarray(0, 13).toString()).toBe("# tracer: nop");
  });

  test("two frames are one text", async () => {
    const { text, defect } = await unzstd(Buffer.concat([ZSTD, ZSTD]), 5000);
    expect(defect).toBe("");
    expect(text.length).toBe(2 * 1_245_179);
  });

  test("cut inside a frame", async () => {
    const { text, defect } = await unzstd(ZSTD.subarray(0, 40_000), 4096);
    expect(defect).toBe("input/truncated-compression");
    expect(text.length).toBeGreaterThan(100_000);
  });

  test("garbage after the last frame loses nothing", async () => {
    const { text, defect } = await unzstd(Buffer.concat([ZSTD, Buffer.from("x".repeat(100))]));
    expect(defect).toBe("input/trailing-garbage");
    expect(text.length).toBe(1_245_179);
  });

  test("damage inside is damage", async () => {
    const bad = Buffer.from(ZSTD);
    bad.fill(0xff, 30_000, 30_400);
    expect((await unzstd(bad, 4096)).defect).toBe("input/corrupt-compression");
  });
});

test.each([
  ["", 0x51d8e999],
  ["a", 0xa98c6e5b],
])("xxh64 of %j", (text, low) => {
  const hash = new Xxh64();
  hash.update(Buffer.from(text));
  expect(hash.low32()).toBe(low);
});

test("magic numbers", () => {
  expect([isGzip(GZIP), isGzip(ZSTD), isZstd(ZSTD), isZstd(GZIP), isZstd(new Uint8Array(0))]).toEqual([
    true,
    false,
    true,
    false,
    false,
  ]);
});
