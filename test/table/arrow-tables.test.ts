// Result tables as Arrow files: every column type with nulls, round trip and the library's own reader.
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { ColumnTable } from "../../src/table/columns.ts";
import { decodeTable, encodeTable } from "../../src/table/table-file.ts";
import { PROBLEM_SPEC, VERDICT_SPEC } from "../../src/table/verdict-tables.ts";
import { fixture } from "../support/verdict-fixture.ts";

const SPEC = { i: "i32", f: "f64", t: "ns", d: "dict", l: "dictList" } as const;
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("", "<b>", "a\u0000b"));
const rows = fc.array(
  fc.record({
    i: fc.option(fc.integer({ min: -2147483647 })),
    f: fc.option(fc.double({ noNaN: true })),
    t: fc.option(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n })),
    d: fc.option(text),
    l: fc.array(text, { maxLength: 4 }),
  }),
  { maxLength: 30 },
);

test("random rows come back", () => {
  fc.assert(
    fc.property(rows, (all) => {
      const table = new ColumnTable(SPEC);
      for (const row of all) table.append(row);
      const back = decodeTable(encodeTable(table), SPEC);
      expect(back.length).toBe(all.length);
      expect(all.map((_, i) => back.row(i))).toEqual(all);
    }),
  );
});

test("a table that came back can grow, and is written with the same bytes", () => {
  const { verdicts } = fixture().tables;
  const bytes = encodeTable(verdicts);
  const back = decodeTable(bytes, VERDICT_SPEC);
  expect(encodeTable(back)).toEqual(bytes);
  back.append(verdicts.row(0));
  expect(back.row(verdicts.length)).toEqual(verdicts.row(0));
});

test("apache-arrow's own reader sees the values and the metadata", () => {
  const { problems, forks } = fixture().tables;
  const table = tableFromIPC(encodeTable(problems, new Map([["who", "test"]])));
  expect(table.schema.metadata.get("who")).toBe("test");
  expect(table.get(0)!.toJSON()).toEqual(problems.row(0));
  const fork = tableFromIPC(encodeTable(forks)).get(9)!.toJSON();
  expect(fork).toMatchObject({
    fork: 9,
    end_ns: null,
    start_ns: forks.get("start_ns", 9),
    comm: forks.get("comm", 9),
  });
});

test("another table's file is refused by name", () => {
  const bytes = encodeTable(fixture().tables.verdicts);
  expect(() => decodeTable(bytes, PROBLEM_SPEC)).toThrow(
    /column 0 should be code: Dictionary<Int32, Utf8>, is fork: Int32/,
  );
  expect(() => decodeTable(bytes.subarray(0, bytes.length - 1), VERDICT_SPEC)).toThrow(InputError);
  expect(() => decodeTable(new Uint8Array(0), VERDICT_SPEC)).toThrow(InputError);
});
