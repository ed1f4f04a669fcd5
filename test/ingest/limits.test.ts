// Bounds that hold against hostile input: line length, number of event names, names that are no plain keys.
import { expect, test } from "vitest";
import { MAX_LINE } from "../../src/ingest/lines.ts";
import { dumpRows } from "../support/dump-rows.ts";

const GOOD = "            bash-9       [000] .....     5.000001: tlb_flush: pages:1 reason: (0)\n";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

test.each([4096, 1 << 20, 1 << 24])("a line over the limit is counted and skipped (chunks of %i)", (size) => {
  const text = `${GOOD}${"x".repeat(MAX_LINE + 10)}\n${GOOD}`;
  const { rows, problems } = dumpRows(encode(text), size);
  expect(rows).toHaveLength(2);
  expect(problems).toEqual([expect.stringMatching(/^ingest\/long-line x1 line 2: "x/)]);
});

test("event names beyond the first 512 are counted together", () => {
  const lines = [GOOD];
  for (let i = 0; i < 10_000; i++)
    lines.push(`            bash-9       [000] .....     5.000002: name_${i}: a=1\n`);
  const { meta } = dumpRows(encode(lines.join("")), 1 << 16);
  const names = Object.keys(meta.skipped);
  expect(names).toHaveLength(513);
  expect(Object.values(meta.skipped).reduce((a, b) => a + b)).toBe(10_000);
  expect(meta.skipped["(other)"]).toBe(10_000 - 512);
});

test("an event called __proto__ is a name like any other", () => {
  const { meta } = dumpRows(
    encode(`${GOOD}            bash-9       [000] .....     5.000002: __proto__: a=1\n`),
  );
  expect(Object.entries(meta.skipped)).toEqual([["__proto__", 1]]);
});

test("NUL bytes behind the head are binary data, not events", () => {
  const head = GOOD.repeat(1000);
  const { rows, problems } = dumpRows(encode(`${head}\0\0\0\n`), 1 << 16);
  expect(rows).toHaveLength(1000);
  expect(problems).toEqual([expect.stringMatching(/^ingest\/binary-data x1 line 1001/)]);
});

test("an event older than what was passed on is clamped and counted", () => {
  const late = GOOD.replace("5.000001", "4.999999");
  const { rows, problems } = dumpRows(encode(GOOD.repeat(3) + late), 64, { batchRows: 1 });
  expect(rows.at(-1)).toMatch(/^1000 L4 /);
  expect(problems).toEqual([expect.stringMatching(/^ingest\/out-of-order x1 line 4/)]);
});

test("within the window an older event is put in its place", () => {
  const late = GOOD.replace("5.000001", "4.999999");
  const { rows, problems } = dumpRows(encode(GOOD + late), 64);
  expect(rows.map((row) => row.split(" ").slice(0, 2))).toEqual([
    ["-1000", "L2"],
    ["1000", "L1"],
  ]);
  expect(problems).toEqual([]);
});
