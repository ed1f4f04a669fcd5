// Damaged inputs of the LTTng, systrace and bpftrace JSON formats: FORKCAST_FUZZ of each (100 in npm test).
import fc from "fast-check";
import { expect, test } from "vitest";
import { edits, mutated } from "./byte-edits.ts";
import { check, type FuzzInput, type FuzzTarget, TARGETS } from "./stream-targets.ts";

const RUNS = Number(process.env["FORKCAST_FUZZ"] ?? "100");
const damage = fc.record({ entry: fc.nat(1000), file: fc.nat(1000), changes: edits });
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

/** One file of one corpus entry, changed. */
function damaged({ corpus }: FuzzTarget, { entry, file, changes }: Damage): FuzzInput {
  const input = corpus[entry % corpus.length]!;
  const chosen = [...input.keys()][file % input.size];
  return new Map(
    [...input].map(([name, bytes]) => [name, name === chosen ? mutated(bytes, changes) : bytes]),
  );
}

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
