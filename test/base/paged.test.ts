// Paged columns against plain arrays: the same numbers whatever is added, written, and read in whatever order, with pages so
// small that nearly every row is in a packed one.
import fc from "fast-check";
import { expect, test } from "vitest";
import { PackedCells } from "../../src/base/packed-cells.ts";
import { type PagedFloats, type PagedInts, PagedTable, Sparse } from "../../src/base/paged.ts";

class Table extends PagedTable {
  readonly ints32: PagedInts = this.ints();
  readonly floats64: PagedFloats = this.floats();

  add(): number {
    return this.addRow();
  }
}

/** Numbers as columns of forks hold them, and others. */
const INT = fc.oneof(
  fc.integer({ min: -2, max: 3 }),
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.integer(),
);
const FLOAT = fc.oneof(
  fc.constant(Number.NaN),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.integer({ min: 0, max: 1e6 }).map((n) => 1e12 + n * 1000),
  fc.maxSafeInteger(),
  fc.double(),
  INT,
);

const STEP = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant("add" as const), int: INT, float: FLOAT }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("set" as const), at: fc.nat(), int: INT, float: FLOAT }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("change" as const), at: fc.nat(), int: INT }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("focus" as const), at: fc.nat() }) },
);

test.each([0, 1, 3, 12])("columns of pages of 2^%i rows hold what arrays hold", (bits) => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 200 }), (steps) => {
      const table = new Table(bits);
      const ints: number[] = [];
      const floats: number[] = [];
      for (const step of steps) {
        if (step.what === "add") {
          const row = table.add();
          expect([row, table.ints32.at(row), table.floats64.at(row)]).toEqual([ints.length, 0, 0]);
          table.ints32.set(row, step.int);
          table.floats64.set(row, step.float);
          ints.push(step.int);
          floats.push(step.float);
          continue;
        }
        if (ints.length === 0) continue;
        const row = step.at % ints.length;
        if (step.what === "focus") table.focus(row);
        else if (step.what === "change") {
          table.ints32.add(row, step.int);
          table.ints32.or(row, 5);
          ints[row] = (ints[row]! + step.int) | 0 | 5;
        } else {
          table.ints32.set(row, step.int);
          table.floats64.set(row, step.float);
          ints[row] = step.int;
          floats[row] = step.float;
        }
      }
      expect(table.length).toBe(ints.length);
      expect(ints.map((_, row) => table.ints32.at(row))).toEqual(ints);
      expect(floats.map((_, row) => table.floats64.at(row))).toEqual(floats);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["all alike", new Float64Array(1000).fill(7), 0],
  ["none a number", new Float64Array(1000).fill(Number.NaN), 0],
  ["small", Int32Array.from({ length: 1000 }, (_, i) => i % 200), 1000],
  [
    "small, some none",
    Float64Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? Number.NaN : i % 200)),
    1000,
  ],
  ["far from 0", Int32Array.from({ length: 1000 }, (_, i) => 2_000_000_000 + i), 2000],
  ["microseconds", Float64Array.from({ length: 1000 }, (_, i) => 1e15 + i * 17_000), 2000],
  ["nanoseconds", Float64Array.from({ length: 1000 }, (_, i) => 1e15 + i * 17_001), 4000],
  ["fractions", Float64Array.from({ length: 1000 }, (_, i) => i / 3), 8000],
])("%s take as few bytes as they need", (_, values, bytes) => {
  const cells = new PackedCells(values);
  expect(Array.from(values, (_value, i) => cells.at(i))).toEqual([...values]);
  expect(cells.bytes).toBe(bytes);
});

test("what does not fit changes nothing", () => {
  const cells = new PackedCells(Int32Array.from([10, 20, 30]));
  for (const value of [9, 265, 10.5, Number.POSITIVE_INFINITY]) expect(cells.set(1, value)).toBe(false);
  expect([0, 1, 2].map((i) => cells.at(i))).toEqual([10, 20, 30]);
  expect(cells.set(1, 264)).toBe(true);
  expect(cells.set(2, Number.NaN)).toBe(true);
  expect([0, 1, 2].map((i) => cells.at(i))).toEqual([10, 264, Number.NaN]);
});

test("what would be rounded does not fit", () => {
  // Number.MIN_VALUE + 1 is 1.
  const cells = new PackedCells(Int32Array.from([-1, 0, 1]));
  for (const value of [Number.MIN_VALUE, -0, 2 ** -60]) expect(cells.set(1, value)).toBe(false);
  expect(cells.at(1)).toBe(0);
});

test("values of few rows", () => {
  const none: readonly string[] = [];
  const sparse = new Sparse(none);
  sparse.set(9000, none);
  sparse.set(5, ["a"]);
  sparse.set(20_000, ["b"]);
  expect([0, 4, 5, 6, 9000, 20_000, 70_000].map((row) => sparse.at(row))).toEqual([
    none,
    none,
    ["a"],
    none,
    none,
    ["b"],
    none,
  ]);
  sparse.set(5, none);
  expect(sparse.at(5)).toBe(none);
});
