// The short run of the fuzzer: some hundred damaged recordings of each shape. `npm run fuzz` is the long one.
import fc from "fast-check";
import { expect, test } from "vitest";
import { seeds } from "../support/recording-seeds.ts";
import { changes, mutate } from "./mutate.ts";
import { isBig, MAX_RSS, tryRecording } from "./recordings.ts";

const RUNS = 150;

test.each(seeds())("$name: damage is an InputError or a counted problem", (seed) => {
  fc.assert(
    fc.property(changes, (list) => {
      tryRecording(seed, mutate(seed, list, isBig(seed)));
    }),
    { numRuns: RUNS },
  );
  expect(process.memoryUsage.rss()).toBeLessThan(MAX_RSS);
});
