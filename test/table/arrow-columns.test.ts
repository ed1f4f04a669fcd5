// Validity bitmaps and dictionary keys, which are made without branches, against what they mean row by row.
import fc from "fast-check";
import { expect, test } from "vitest";
import { cleanKeys, nullsEqual } from "../../src/table/arrow-columns.ts";
import { NULL_I32 } from "../../src/table/columns.ts";

const EDGES = [-1, 0, 1, NULL_I32, NULL_I32 + 1, 0x7fffffff, 7, 255];

test("a row is null when its value is the absent one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...EDGES), { maxLength: 40 }),
      fc.nat(9),
      fc.constantFrom(...EDGES),
      fc.constantFrom(Int32Array, Uint8Array, Int16Array),
      (numbers, beyond, absent, type) => {
        const values = type.from([...numbers, ...EDGES.slice(0, beyond)]);
        const { length } = numbers;
        const isNull = numbers.map((_, row) => values[row] === absent);
        const count = isNull.filter(Boolean).length;
        const bits = new Uint8Array(Math.ceil(length / 8));
        for (const [row, absence] of isNull.entries()) if (!absence) bits[row >> 3]! |= 1 << (row & 7);
        expect(nullsEqual(values, length, absent)).toEqual(count === 0 ? null : { bits, count });
      },
    ),
  );
});

test("keys of absent rows are 0", () => {
  const keys = Int32Array.from([3, NULL_I32, 0, -1, 0x7fffffff, NULL_I32]);
  const nulls = nullsEqual(keys, keys.length, NULL_I32);
  expect([...cleanKeys(keys, nulls, NULL_I32)]).toEqual([3, 0, 0, -1, 0x7fffffff, 0]);
  expect(cleanKeys(keys, null, -1)).toBe(keys);
});
