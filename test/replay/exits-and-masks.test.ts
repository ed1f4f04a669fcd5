// What differs from 6.14 and 6.16 on, how an exit shows where exit_mm() does not, and mm_cpumask: test/golden/replay/NAME.txt says which.
// Expected outcomes were worked out from the kernel's rules, then compared.
import { expect, test } from "vitest";
import { outcomeOf } from "./specimens.ts";

// Snapshots of plain text, without quotes.
expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

test("exit-traced-first", async () => {
  expect(await outcomeOf("exit-traced-first")).toMatchInlineSnapshot(`
    fork 101 [50,60) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 2 measured (2 derived), count 1 measured (1 derived), exposure U1, lazy 0
      fast unsafe: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 102 on cpu1 [50,60)
    fork 101 [80,90) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 2 measured (2 derived), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: exit-race
      fast indeterminate: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      slow unattributed: cpumask
    fork 101 [110,120) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 at-least), count 2 measured (2 derived), exposure U4, lazy 1
      doubts: unfinished-put
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 102 on cpu1 [110,120)
    fork 101 [140,150) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu1 [140,150)
  `);
});

test("exit-traced-first-stock", async () => {
  expect(await outcomeOf("exit-traced-first-stock")).toMatchInlineSnapshot(`
    fork 101 [10,11) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    fork 101 [50,52) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 3 measured (2 at-least), count 1 measured (1 at-least), exposure U1, lazy 0
      doubts: predates-trace exit-race khugepaged-not-proven no-mmput
      fast unsafe: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
      U1 103 on cpu2 [50,52)
    fork 101 [70,72) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 2 measured (1 at-least), count 2 measured (1 at-least), exposure U7, lazy 0
      doubts: predates-trace exit-race khugepaged-not-proven no-mmput
      slow unattributed: mm-count-only
      slow threads+unattributed: counts-unlocked get-task-mm fork-lock mmap-lock
      slow threads: users-only users-mmap-lock
      indeterminate: cpumask
    fork 101 [90,92) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 at-least), count 3 measured (3 at-least), exposure U7, lazy 1
      doubts: predates-trace khugepaged-not-proven no-mmput
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast indeterminate: users-only
      indeterminate: users-mmap-lock cpumask
      U4 0 on cpu2 [90,92)
  `);
});

test("exit-not-recorded", async () => {
  expect(await outcomeOf("exit-not-recorded")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 2 measured (2 at-least), exposure U4, lazy 1
      doubts: khugepaged-not-proven no-mmput
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu1 [50,60)
  `);
});

test("lazy-cpumask-predates", async () => {
  expect(await outcomeOf("lazy-cpumask-predates")).toMatchInlineSnapshot(`
    fork 101 [20,30) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [60,70) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("unnamed-after-a-gap", async () => {
  expect(await outcomeOf("unnamed-after-a-gap")).toMatchInlineSnapshot(`
    fork 101 [40,50) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: predates-trace lost-events
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 102 [60,70) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U1, lazy 0
      doubts: predates-trace lost-events
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      slow threads: cpumask
      U1 101 on cpu0 [60,70)
  `);
});

test("unnamed-past", async () => {
  expect(await outcomeOf("unnamed-past")).toMatchInlineSnapshot(`
    fork 101 [20,60) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 2 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: predates-trace cpu-unknown
      fast indeterminate: mm-count-only
      slow unattributed: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
  `);
});
