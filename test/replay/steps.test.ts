// The invariants of semantics.md §2.4 after every row: over random recordings of the tiny kernel and over two real ones.
import { expect, test } from "vitest";
import { generate } from "../oracle/generate.ts";
import { batchesOf } from "../oracle/rows.ts";
import { seedsToTry } from "../oracle/seeds.ts";
import { broken } from "./invariants.ts";
import { recording } from "./recordings.ts";

const SEEDS = seedsToTry(50);
const LISTED = 12;

test("random recordings", { timeout: 10_000 + SEEDS.length * 100 }, () => {
  const found: string[] = [];
  for (const seed of SEEDS) {
    const { meta, rows, label, hasLosses } = generate(seed);
    // After a gap a CPU may keep using what its task is no longer known to use, until its next switch.
    if (hasLosses) continue;
    for (const text of broken(meta, batchesOf(rows, rows.length)))
      found.push(`seed ${seed} (${label}): ${text}`);
  }
  expect(found.slice(0, LISTED)).toEqual([]);
});

test.each(["6.1/W5.ftrace.txt.zst", "6.12/W1.ftrace.kprobe.txt.zst"])("%s", (file) => {
  const { meta, batches } = recording(file);
  expect(broken(meta, batches).slice(0, LISTED)).toEqual([]);
});
