// More traces of a few lines, as in rules.test.ts: forks, calls and gaps that overlap, or that show themselves late. Most were
// cut out of random recordings in which the replay said something untrue.
import { expect, test } from "vitest";
import { outcomeOf } from "./specimens.ts";

// Snapshots of plain text, without quotes.
expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

test("exec-twice", async () => {
  expect(await outcomeOf("exec-twice")).toMatchInlineSnapshot(`
    fork 100 [5,5) none..task_newtask child 101 point
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: khugepaged-not-proven no-mmput
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("gap-before-late-check", async () => {
  expect(await outcomeOf("gap-before-late-check")).toMatchInlineSnapshot(`
    fork 201 [30,31) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: lost-events window-incomplete
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("exec-seen-late", async () => {
  expect(await outcomeOf("exec-seen-late")).toMatchInlineSnapshot(`
    fork 101 [22,30) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 102 [50,60) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace hidden-get
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
  `);
});

test("forks-overtake", async () => {
  expect(await outcomeOf("forks-overtake")).toMatchInlineSnapshot(`
    fork 102 [24,30) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure U1, lazy 0
      fast unsafe: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 101 on cpu0 [24,30)
    fork 301 [35,35) none..task_newtask child 300 point
      users 1 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [40,44) dup_mmap..dup_mmap_ret
      users 2 at-least, count 1 at-least, exposure none, lazy 0
      doubts: hidden-get proc-fd
      indeterminate: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
  `);
});

test("preempted-use-unseen", async () => {
  expect(await outcomeOf("preempted-use-unseen")).toMatchInlineSnapshot(`
    fork 100 [4,5) dup_mmap..dup_mmap_ret child 101
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy ?
      doubts: cpu-unknown
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
  `);
});

test("proc-fd-of-an-older-task", async () => {
  expect(await outcomeOf("proc-fd-of-an-older-task")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 measured (1 derived), count 2 measured (1 at-least), exposure none, lazy 0
      doubts: proc-fd
      slow proc-fd: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: proc-fd
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("khugepaged-not-proven", async () => {
  expect(await outcomeOf("khugepaged-not-proven")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: khugepaged-not-proven
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("user-to-user", async () => {
  expect(await outcomeOf("user-to-user")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
  `);
});

test("borrow-of-what-it-held", async () => {
  expect(await outcomeOf("borrow-of-what-it-held")).toMatchInlineSnapshot(`
    fork 101 [20,24) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 at-least, exposure U1, lazy 0
      doubts: unfinished-drop
      slow borrower: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
      U1 50 on cpu0 [20,24)
    fork 101 [30,34) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 derived, exposure U1, lazy 0
      slow borrower: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 50 on cpu0 [30,34)
    fork 101 [44,46) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 at-least, exposure U4, lazy 1
      doubts: unfinished-drop
      slow lazy-tlb: mm-count-only cpumask
      slow borrower+lazy-tlb: counts-unlocked get-task-mm fork-lock mmap-lock
      slow borrower: users-only users-mmap-lock
      U4 50 on cpu0 [44,46)
    fork 101 [60,64) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [60,64)
  `);
});

test("exec-with-prev-null", async () => {
  expect(await outcomeOf("exec-with-prev-null")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only
      slow vfork-child: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
  `);
});

test("clone-under-way", async () => {
  expect(await outcomeOf("clone-under-way")).toMatchInlineSnapshot(`
    fork 102 [35,40) dup_mmap..dup_mmap_ret
      users 2 at-least, count 1 derived, exposure U1, lazy 0
      doubts: unfinished-get
      fast unsafe: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 101 on cpu0 [35,40)
  `);
});
