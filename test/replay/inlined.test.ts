// enter_lazy_tlb() is inlined in Debian's 7.2 and 7.3. Recordings that have it, without it: mm_count is derived all the same, and
// equals what was sampled.
import { expect, test } from "vitest";
import { EventKind } from "../../src/table/event-kinds.ts";
import { filterRows, recording, run } from "./recordings.ts";

test.each([
  ["6.1/W1.ftrace.txt.zst", 0.9],
  ["6.1/W5.ftrace.txt.zst", 0.9],
  ["6.1/W6.ftrace.txt.zst", 0.9],
  ["6.12/W1.ftrace.kprobe.txt.zst", 0.9],
])("%s", async (file, share) => {
  const assume = ["armed:__khugepaged_enter"];
  const whole = recording(file);
  const bare = filterRows(whole, (batch, i) => batch.kind[i] !== EventKind.enterLazyTlb);
  const had = await run(whole, { blind: true, assume });
  const { forks } = await run(bare, { blind: true, assume });
  const derived = forks.filter((fork) => fork.derived_count_evidence === "derived");
  const before = had.forks.filter((fork) => fork.derived_count_evidence === "derived");
  expect(derived.length).toBeGreaterThanOrEqual(share * before.length);
  expect(derived.length).toBeGreaterThan(10);
  const wrong = derived.filter(
    (fork) => fork.sampled_count !== null && fork.sampled_count !== fork.derived_count,
  );
  expect(wrong.map(({ line }) => line)).toEqual([]);
});
