// Which windows the report draws: each kind has its number even when the kinds before it take the same forks.
import { expect, test } from "vitest";
import { interestingWindows } from "../../src/analyze/report/interesting.ts";
import { newVerdictTables } from "../../src/table/verdict-tables.ts";
import { forkRow, nearMissRow } from "../support/verdict-fixture.ts";

test("the longest windows that are not drawn above, when all longer ones are", () => {
  const tables = newVerdictTables();
  const base = { policy: "users-only", denied_by: [], evidence: "measured", rejudged: null, hidden: [] };
  // Windows of forkRow() grow with the fork: the 24 unsafe, 8 open and 5 closest ones are the longest.
  for (let fork = 0; fork < 45; fork++) {
    tables.forks.append(forkRow(fork));
    const verdict = fork >= 21 ? "unsafe" : fork >= 13 ? "indeterminate" : "safe";
    tables.verdicts.append({ ...base, fork, decision: "fast", verdict });
    if (fork >= 8 && fork < 13) tables.near_misses.append(nearMissRow(fork, base.policy, 100n, "after"));
  }
  const { drawn } = interestingWindows(tables, 200);
  expect(["unsafe", "indeterminate", "closest"].map((kind) => drawn.get(kind as "unsafe")?.length)).toEqual([
    24, 8, 5,
  ]);
  expect(drawn.get("slowest")).toEqual([7, 6, 5, 4, 3]);
});
