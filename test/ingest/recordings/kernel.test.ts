// The WebAssembly kernel for binary recordings against its reference in TypeScript: for every recording, for made-up ones of
// every event, and for damaged ones the same rows, problems and meta.
import { statSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordingOptions } from "../../../src/ingest/index.ts";
import { changes, mutate } from "../../fuzz/mutate.ts";
import { isBig } from "../../fuzz/recordings.ts";
import { recordingOutcome } from "../../support/ingest-digest.ts";
import { oddRecording } from "../../support/odd-recordings.ts";
import { sourceOf } from "../../support/recording-digest.ts";
import { rawPages, seeds } from "../../support/recording-seeds.ts";
import { bytesOf, recordings } from "./outside.ts";

type Files = RecordingOptions["files"];

function compare(files: Files, batchRows?: number): unknown {
  const options = { files, ...(batchRows === undefined ? {} : { batchRows }) };
  const fast = recordingOutcome(options);
  expect(fast).toEqual(recordingOutcome({ ...options, naive: true }));
  return fast;
}

function rowsOf(outcome: unknown): number {
  return (outcome as { readonly meta?: { readonly rows: number } }).meta?.rows ?? 0;
}

test.each(seeds())("$name, whole and damaged", (seed) => {
  expect(rowsOf(compare([sourceOf(seed.bytes)]))).toBeGreaterThan(0);
  fc.assert(
    fc.property(changes, (list) => {
      compare([sourceOf(mutate(seed, list, isBig(seed)))], 8);
    }),
    { numRuns: 100 },
  );
});

test.each([false, true])("raw pages, big-endian %s", (big) => {
  const files = rawPages(big, 8).map(({ name, bytes }) => sourceOf(bytes, name));
  expect(rowsOf(compare(files))).toBeGreaterThan(0);
});

test("made-up recordings of every event", () => {
  let read = 0;
  fc.assert(
    fc.property(oddRecording, fc.constantFrom(1, 5, 64), (files, batchRows) => {
      if (rowsOf(compare(files, batchRows)) > 5) read++;
    }),
    { numRuns: 300 },
  );
  expect(read).toBeGreaterThan(100);
}, 120_000);

// The larger ones take a minute: FORKCAST_RECORDINGS=all reads them too.
const found = recordings().filter(
  ({ path }) => process.env["FORKCAST_RECORDINGS"] === "all" || statSync(path).size < 1_200_000,
);
describe.skipIf(found.length === 0)(`${found.length} recordings`, () => {
  test.each(found)(
    "$name, whole and damaged",
    async ({ path }) => {
      const bytes = await bytesOf(path);
      expect(rowsOf(compare([sourceOf(bytes)]))).toBeGreaterThan(0);
      const stroke = fc.tuple(fc.double({ min: 0.3, max: 1, noNaN: true }), fc.nat(255));
      fc.assert(
        fc.property(fc.array(stroke, { minLength: 5, maxLength: 200 }), (blows) => {
          const struck = bytes.slice();
          for (const [place, byte] of blows) struck[Math.floor(place * (struck.length - 1))] = byte;
          compare([sourceOf(struck)]);
        }),
        { numRuns: 2 },
      );
    },
    120_000,
  );
});
