// Rows filled cell by cell are the rows that append() makes.
import { expect, test } from "vitest";
import { ColumnTable, NsOrigin, NULL_I32, RowCells, ZERO_NS } from "../../src/table/columns.ts";

const SPEC = { n: "i32", at: "ns", took: "ns", name: "dict", why: "dictList" } as const;

test("instants and durations, exact to the nanosecond, on either side of 2^32", () => {
  const byCell = new ColumnTable(SPEC);
  const byRow = new ColumnTable(SPEC);
  const cells = new RowCells(byCell);
  const times = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1.4, 86_399_999_999_999.6, -1, -(2 ** 32) - 3, -0.4];
  for (const epoch of [0n, 5n, 0xffff_ffffn, 1_700_000_000_123_456_789n]) {
    const origin = new NsOrigin(epoch);
    for (const time of times) {
      cells.int("n", 7);
      cells.ns("at", time, origin);
      cells.ns("took", time, ZERO_NS);
      cells.text("name", `name ${time % 3}`);
      cells.texts("why", ["a", `b${time}`]);
      cells.end();
      const took = BigInt(Math.round(time));
      byRow.append({ n: 7, at: epoch + took, took, name: `name ${time % 3}`, why: ["a", `b${time}`] });
    }
  }
  cells.int("n", NULL_I32);
  cells.ns("at", Number.NaN, new NsOrigin(5n));
  cells.ns("took", Number.NaN, ZERO_NS);
  cells.text("name", null);
  cells.texts("why", []);
  cells.end();
  byRow.append({ n: null, at: null, took: null, name: null, why: [] });
  const rows = (table: ColumnTable<typeof SPEC>): unknown[] =>
    Array.from({ length: table.length }, (_, row) => table.row(row));
  expect(rows(byCell)).toEqual(rows(byRow));
});

test("a cell out of order, of another type or one too few is our bug", () => {
  const cells = (): RowCells<typeof SPEC> => new RowCells(new ColumnTable(SPEC));
  expect(() => cells().text("name", "x")).toThrow(/not the next cell/);
  expect(() => cells().text("n", "x")).toThrow(/not the next cell/);
  expect(() => cells().end()).toThrow(/ends before n/);
  const late = cells();
  late.int("n", 1);
  expect(() => late.ns("at", 2 ** 60, ZERO_NS)).toThrow(/out of range/);
});
