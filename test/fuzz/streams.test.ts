// Damaged inputs of text formats, CTF, raw pages and Perfetto's tables, read and replayed: FORKCAST_FUZZ of each (100 in npm test).
import fc from "fast-check";
import { expect, test } from "vitest";
import { check, damage, damaged, TARGETS } from "./stream-targets.ts";

const RUNS = Number(process.env["FORKCAST_FUZZ"] ?? "100");

test.each([...TARGETS])(
  "damaged %s ends in rows or in one clear line",
  (_, target) => {
    const counts = { read: 0, refused: 0 };
    fc.assert(
      fc.property(damage, (one) => {
        counts[check(target, damaged(target, one))]++;
      }),
      { numRuns: RUNS },
    );
    expect(counts.read).toBeGreaterThan(0);
  },
  3_600_000,
);
