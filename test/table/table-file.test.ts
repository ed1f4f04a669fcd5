// Tables written and read a batch at a time hold what tables in memory hold, and are the same file while they are one batch.
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { ColumnTable, type RowOf, type TableRows, type TableSpec } from "../../src/table/columns.ts";
import { decodeTable, encodeTable, openTableFile, TableFileWriter } from "../../src/table/table-file.ts";
import { VERDICT_SPEC } from "../../src/table/verdict-tables.ts";
import { fixture } from "../support/verdict-fixture.ts";

const SPEC = { i: "i32", f: "f64", t: "ns", d: "dict", l: "dictList" } as const;
const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 5 }), fc.constantFrom("", "a", "b"));
const rows = fc.array(
  fc.record({
    i: fc.option(fc.integer({ min: -2147483647 })),
    f: fc.option(fc.double({ noNaN: true })),
    t: fc.option(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n })),
    d: fc.option(text),
    l: fc.array(text, { maxLength: 3 }),
  }),
  { maxLength: 60 },
);

function written<S extends TableSpec>(spec: S, all: readonly RowOf<S>[], batchRows: number): Uint8Array {
  const table = new ColumnTable(spec);
  const chunks: Uint8Array[] = [];
  const writer = new TableFileWriter(table, (bytes) => chunks.push(bytes), batchRows);
  for (const row of all) {
    table.append(row);
    writer.settle();
    expect(table.length).toBeLessThan(batchRows);
  }
  expect(table.total).toBe(all.length);
  writer.finish();
  return Buffer.concat(chunks);
}

function open<S extends TableSpec>(bytes: Uint8Array, spec: S): TableRows<S> {
  const readAt = (offset: number, length: number): Uint8Array => bytes.slice(offset, offset + length);
  return openTableFile({ size: bytes.length, readAt }, spec);
}

test("rows come back in order, whatever the batches, all columns or some", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 20 }), (all, batchRows) => {
      const bytes = written(SPEC, all, batchRows);
      const table = open(bytes, SPEC);
      expect(table.length).toBe(all.length);
      const back: unknown[] = [];
      for (const batch of table.batches(["i", "f", "t", "d", "l"])) {
        expect(batch.first).toBe(back.length);
        for (let row = 0; row < batch.length; row++) back.push(batch.row(row));
      }
      expect(back).toEqual(all);
      const lists: unknown[] = [];
      for (const batch of table.batches(["l"]))
        for (let row = 0; row < batch.length; row++) lists.push(batch.get("l", row));
      expect(lists).toEqual(all.map(({ l }) => l));
      const whole = decodeTable(bytes, SPEC);
      expect(all.map((_, row) => whole.row(row))).toEqual(all);
    }),
  );
});

test("a table of one batch has the bytes of encodeTable", () => {
  const { verdicts } = fixture().tables;
  const all = Array.from({ length: verdicts.length }, (_, row) => verdicts.row(row));
  expect(Buffer.from(written(VERDICT_SPEC, all, 1000))).toEqual(Buffer.from(encodeTable(verdicts)));
});

test("batches that are skipped are not read", () => {
  const all = Array.from({ length: 10 }, (_, i) => ({ i, f: i, t: BigInt(i), d: `d${i}`, l: [] }));
  const bytes = written(SPEC, all, 4);
  const batches = open(bytes, SPEC).batches(["i"], (first, end) => !(first <= 5 && 5 < end));
  // A batch is valid until the next is asked for.
  const found = Array.from(batches, (batch) => [batch.first, batch.length, batch.get("i", 1)]);
  expect(found).toEqual([[4, 4, 5]]);
});

test("apache-arrow's own reader sees several batches", () => {
  const { verdicts } = fixture().tables;
  const all = Array.from({ length: verdicts.length }, (_, row) => verdicts.row(row));
  const table = tableFromIPC(written(VERDICT_SPEC, all, 10));
  expect(table.batches.length).toBe(Math.ceil(all.length / 10));
  expect(table.toArray().map((row) => [row.fork, row.policy, [...row.denied_by]])).toEqual(
    all.map(({ fork, policy, denied_by }) => [fork, policy, denied_by]),
  );
});

test("another table's file, and keys outside their dictionary, are refused", () => {
  const { verdicts } = fixture().tables;
  const bytes = encodeTable(verdicts);
  expect(() => open(bytes, SPEC)).toThrow(InputError);
  // Keys of the policies: 9 of them, 0 to 8, row after row.
  const keys = Buffer.from(new Int32Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2]).buffer);
  const at = Buffer.from(bytes).indexOf(keys);
  expect(at).toBeGreaterThan(0);
  bytes[at] = 99;
  const table = open(bytes, VERDICT_SPEC);
  expect(() => [...table.batches(["policy"])]).toThrow("key 99 of a dictionary of 9");
});
