// The transition table against the replay: every change of state over the committed recordings and fixtures is one of its
// rows, with the mm_count the row says, every row is taken, and docs/model.md says how often.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fillPage, modelParts } from "../../bench/model/page.ts";
import { allows, outcomes, tallyModel } from "../../bench/model/tally.ts";
import { TRANSITIONS } from "../../bench/model/transitions.ts";

const tally = await tallyModel();

test("every change of state is one row of the table", () => {
  expect(tally.strange.slice(0, 10)).toEqual([]);
});

test("every row is taken", () => {
  const never = [...tally.rows].filter(([, { first }]) => first === undefined);
  expect(never.map(([{ machine, name }]) => `${machine} ${name}`)).toEqual([]);
});

test("names are unique within a machine", () => {
  const names = TRANSITIONS.map(({ machine, name }) => `${machine} ${name}`);
  expect(new Set(names).size).toBe(names.length);
});

test("a change of state with another effect on mm_count is none of a row's", () => {
  const edge = {
    machine: "cpu",
    from: "user",
    by: "sched_switch",
    to: "lazy",
    mm: "same",
    isLossy: false,
    line: 1,
  } as const;
  const rows = (count: string): readonly string[] =>
    TRANSITIONS.filter((row) => allows(row, { ...edge, count })).map(({ name }) => name);
  expect(rows("1")).toEqual(["user to kernel"]);
  expect(rows("0")).toEqual([]);
});

test("docs/model.md is what npm run docs:model writes", async () => {
  const page = readFileSync(new URL("../../docs/model.md", import.meta.url), "utf8");
  expect(page).toBe(fillPage(page, modelParts(tally, await outcomes())));
});
