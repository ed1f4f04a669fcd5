// Results are read a few rows at a time and more than once: what is made of them does not depend on how many, and quantiles
// are those of the sorted values.
import fc from "fast-check";
import { expect, test } from "vitest";
import { allCharts } from "../../src/analyze/charts/index.ts";
import { filterTables } from "../../src/analyze/filter.ts";
import { ranksOf } from "../../src/analyze/ranks.ts";
import { renderReport } from "../../src/analyze/report/index.ts";
import { summarize } from "../../src/analyze/summary.ts";
import { newVerdictTables, type ResultTables } from "../../src/table/verdict-tables.ts";
import { inBatches } from "../support/in-batches.ts";
import { manyForks } from "../support/many-forks.ts";
import { nearestRank } from "../support/nearest-rank.ts";
import { fixture } from "../support/verdict-fixture.ts";

const LIBRARIES = {
  vega: "",
  vegaLite: "",
  interpreter: "import { x } from 'vega-util';\n\nexport { expression as expressionInterpreter };\n",
};

async function pageOf(run: ReturnType<typeof fixture>, tables: ResultTables): Promise<string> {
  const summary = summarize(tables, run.metas, run.infos);
  const page = await renderReport({ ...run, tables, summary, toolVersion: "1", libraries: LIBRARIES });
  return `${JSON.stringify(summary)}\n${page}`;
}

test.each([
  ["one of everything", fixture(), [1, 2, 5, 7]],
  ["many forks", manyForks(600), [13, 1000]],
] as const)("%s: the same report from any batches", async (_name, run, sizes) => {
  const whole = await pageOf(run, run.tables);
  for (const rows of sizes) expect(await pageOf(run, inBatches(run.tables, rows))).toBe(whole);
});

test("a filter takes the same forks from any batches, also into tables that are emptied meanwhile", async () => {
  const run = manyForks(400);
  const filter = { cpus: [[1, 2]] } as const;
  const expected = filterTables(run.tables, filter, ["ns"], null);
  expect(expected.forks.length).toBe(200);
  const taken: unknown[] = [];
  const into = newVerdictTables();
  filterTables(inBatches(run.tables, 17), filter, ["ns"], null, into, () => {
    for (let row = 0; row < into.verdicts.length; row++) taken.push(into.verdicts.row(row));
    for (const table of Object.values(into)) table.letGo();
  });
  expect(into.forks.total).toBe(200);
  expect(taken).toEqual(
    Array.from({ length: expected.verdicts.length }, (_, row) => expected.verdicts.row(row)),
  );
  // Fork ids are no rows here: everything that joins by them goes another way.
  expect(await pageOf(run, inBatches(expected, 11))).toBe(await pageOf(run, expected));
});

test("ranks are those of the sorted values", () => {
  const value = fc.oneof(
    fc.integer({ min: -5, max: 5 }),
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const qs = [0, 0.25, 0.5, 0.9, 0.99, 1];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 2 }), value), { maxLength: 80 }), (pairs) => {
      const ranks = ranksOf(
        (visit) => {
          for (const [group, v] of pairs) visit(group, v);
        },
        3,
        qs,
      );
      for (const [group, { count, at }] of ranks.entries()) {
        const sorted = Float64Array.from(pairs.filter(([g]) => g === group).map(([, v]) => v)).sort();
        expect(count).toBe(sorted.length);
        expect(at).toEqual(qs.map((q) => nearestRank(sorted, q)));
      }
    }),
  );
});

test("causes of denial of very many forks are in fewer bins of time, and none is lost", () => {
  const run = manyForks(40_000);
  const summary = summarize(run.tables, run.metas, run.infos);
  const chart = allCharts(summary, run.tables).find(({ id }) => id === "denials");
  const rows = chart?.datasets["denials"]?.rows ?? [];
  expect(rows.length).toBeGreaterThan(1000);
  expect(rows.length).toBeLessThanOrEqual(8000);
  const policies = chart?.datasets["denials"]?.words["policy"] ?? [];
  for (const [place, id] of policies.entries()) {
    const slow = rows.filter((row) => row[2] === place && row[3] === null);
    expect(slow.reduce((sum, row) => sum + Number(row[5]), 0)).toBe(summary.policies[id]?.slow);
  }
  const bins = new Set(rows.map((row) => row[0])).size;
  expect(bins).toBeLessThan(48);
  expect(chart?.description).toContain(`${bins} bins of time here, where the other charts have 48`);
});
