// One trace of a few lines a rule of the kernel or of a design: test/golden/replay/NAME.txt says which and where it is
// laid down. Expected outcomes were worked out from the kernel's rules, then compared.
import { expect, test } from "vitest";
import { outcomeOf } from "./specimens.ts";

// Snapshots of plain text, without quotes.
expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

test("lazy-grab-by-idle", async () => {
  expect(await outcomeOf("lazy-grab-by-idle")).toMatchInlineSnapshot(`
    fork 101 [40,50) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 at-least, exposure U4, lazy 1
      doubts: unfinished-grab
      indeterminate: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      slow lazy-tlb: cpumask
      U4 0 on cpu1 [40,50)
    fork 101 [70,80) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only cpumask
      slow threads+lazy-tlb: counts-unlocked get-task-mm fork-lock mmap-lock
      slow threads: users-only users-mmap-lock
      U4 0 on cpu1 [70,80)
  `);
});

test("lazy-grab-left-behind", async () => {
  expect(await outcomeOf("lazy-grab-left-behind")).toMatchInlineSnapshot(`
    fork 101 [40,50) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [40,50)
  `);
});

test("lazy-drop-on-user", async () => {
  expect(await outcomeOf("lazy-drop-on-user")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: unfinished-drop
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
    fork 101 [80,90) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("kernel-to-kernel-transfer", async () => {
  expect(await outcomeOf("kernel-to-kernel-transfer")).toMatchInlineSnapshot(`
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [60,70)
  `);
});

test("lazy-ref-survives-flush", async () => {
  expect(await outcomeOf("lazy-ref-survives-flush")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure none, lazy 0
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("own-flush-ends-residue", async () => {
  expect(await outcomeOf("own-flush-ends-residue")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..flush_tlb_mm_range_ret
      users 1 derived, count 2 derived, exposure U4b, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4b 0 on cpu0 [50,57)
  `);
});

test("exit-mm-lazy", async () => {
  expect(await outcomeOf("exit-mm-lazy")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 at-least, count 2 derived, exposure U4, lazy 1
      doubts: unfinished-put
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      indeterminate: users-only users-mmap-lock
      U4 102 on cpu1 [50,60)
    fork 101 [80,90) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu1 [80,90)
  `);
});

test("exec-new-mm", async () => {
  expect(await outcomeOf("exec-new-mm")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("vfork-child-denies", async () => {
  expect(await outcomeOf("vfork-child-denies")).toMatchInlineSnapshot(`
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure U5, lazy 0
      fast unsafe: mm-count-only
      slow vfork-child: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U5 102 on cpu1 [60,65)
    fork 101 [80,90) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("thread-denies", async () => {
  expect(await outcomeOf("thread-denies")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("thread-switched-in", async () => {
  expect(await outcomeOf("thread-switched-in")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure U2, lazy 0
      fast unsafe: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      U2 102 on cpu1 [36,40)
  `);
});

test("thread-resumed-from-lazy", async () => {
  expect(await outcomeOf("thread-resumed-from-lazy")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 derived, exposure U2b, lazy 1
      slow lazy-tlb: mm-count-only cpumask
      slow threads+lazy-tlb: counts-unlocked get-task-mm fork-lock mmap-lock
      slow threads: users-only users-mmap-lock
      U4 0 on cpu1 [30,35)
      U2b 102 on cpu1 [36,40)
  `);
});

test("borrower-inside", async () => {
  expect(await outcomeOf("borrower-inside")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure U3, lazy 0
      fast unsafe: mm-count-only counts-unlocked users-only cpumask
      fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [26,31)
      U4 50 on cpu1 [31,40)
      wait 18 get_task_mm 50 at 22: get-task-mm
      wait 15 kthread_use_mm 50 at 25: fork-lock mmap-lock users-mmap-lock
      wait 10 kthread_unuse_mm 50 at 30: fork-lock
  `);
});

test("borrower-switched-in", async () => {
  expect(await outcomeOf("borrower-switched-in")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 3 measured (3 at-least), exposure U3b, lazy 1
      doubts: hidden-holder
      slow borrower+lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast unsafe: users-only
      slow borrower: users-mmap-lock
      slow lazy-tlb: cpumask
      U4 0 on cpu1 [30,35)
      U3b 50 on cpu1 [36,40)
  `);
});

test("borrower-at-check", async () => {
  expect(await outcomeOf("borrower-at-check")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 2 measured (2 at-least), exposure U1, lazy 0
      doubts: hidden-holder
      slow borrower: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      fast unsafe: users-only
      U1 50 on cpu1 [30,36)
      U4 50 on cpu1 [36,40)
      wait 5 kthread_unuse_mm 50 at 35: fork-lock
  `);
});

test("borrower-on-forkers-cpu", async () => {
  expect(await outcomeOf("borrower-on-forkers-cpu")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      wait 13 kthread_use_mm 50 at 27: fork-lock mmap-lock users-mmap-lock
      wait 10 kthread_unuse_mm 50 at 30: fork-lock
  `);
});

test("forker-migrates", async () => {
  expect(await outcomeOf("forker-migrates")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure U3, lazy 0
      fast unsafe: mm-count-only counts-unlocked users-only get-task-mm cpumask
      fast safe: fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu0 [31,37)
      U4 50 on cpu0 [37,40)
      wait 13 kthread_use_mm 50 at 27: fork-lock mmap-lock users-mmap-lock
      wait 4 kthread_unuse_mm 50 at 36: fork-lock
  `);
});

test("get-diverts", async () => {
  expect(await outcomeOf("get-diverts")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret child 103
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      wait 16 get_task_mm 300 at 24: get-task-mm
    fork 101 [60,80) dup_mmap..dup_mmap_ret
      users 2 at-least, count 1 derived, exposure none, lazy 0
      doubts: unfinished-put
      fast safe: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("get-meets-the-lock", async () => {
  expect(await outcomeOf("get-meets-the-lock")).toMatchInlineSnapshot(`
    fork 101 [24,40) uprobe_dup_mmap..mmap_lock_released child 103 early 18
      users 1 measured (1 at-least), count 1 measured (1 derived), exposure U3, lazy 0
      doubts: unfinished-get
      fast unsafe: mm-count-only counts-unlocked users-only cpumask
      fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [29,40)
      wait 18 get_task_mm 50 at 22: get-task-mm
      wait 12 kthread_use_mm 50 at 28: fork-lock mmap-lock users-mmap-lock
  `);
});

test("get-in-a-bracket", async () => {
  expect(await outcomeOf("get-in-a-bracket")).toMatchInlineSnapshot(`
    fork 101 [20,42) copy_process..task_newtask child 103 bracketed
      users 1 derived, count 1 derived, exposure U3, lazy 0
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm cpumask
      fast safe: fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [29,42)
      wait 20 get_task_mm 50 at 22: get-task-mm
      wait 14 kthread_use_mm 50 at 28: fork-lock mmap-lock users-mmap-lock
  `);
});

test("get-before-uprobe", async () => {
  expect(await outcomeOf("get-before-uprobe")).toMatchInlineSnapshot(`
    fork 101 [24,40) uprobe_dup_mmap..uprobe_end_dup_mmap child 103 early 18
      users 1 measured (1 at-least), count 1 measured (1 derived), exposure U3, lazy 0
      doubts: unfinished-get
      fast unsafe: mm-count-only counts-unlocked users-only cpumask
      fast indeterminate: get-task-mm
      fast safe: fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [29,40)
      wait 12 kthread_use_mm 50 at 28: fork-lock mmap-lock users-mmap-lock
  `);
});

test("borrow-without-switches", async () => {
  expect(await outcomeOf("borrow-without-switches")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret child 103
      users 2 derived, count 1 at-least, exposure U1, lazy 0
      doubts: unfinished-grab
      indeterminate: mm-count-only cpumask
      slow unattributed: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      U1 50 on cpu1 [20,40)
  `);
});

test("unuse-not-recorded", async () => {
  expect(await outcomeOf("unuse-not-recorded")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret child 103
      users 2 derived, count 1 at-least, exposure U1, lazy 0
      doubts: unfinished-grab
      indeterminate: mm-count-only cpumask
      slow unattributed: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      U1 50 on cpu1 [20,40)
  `);
});

test("no-borrow-probe", async () => {
  expect(await outcomeOf("no-borrow-probe")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret child 103
      users 1 measured (1 derived), count 1 measured (1 at-least), exposure U7, lazy ?
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
  `);
});

test("use-mm-without-get", async () => {
  expect(await outcomeOf("use-mm-without-get")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U3, lazy 0
      doubts: hidden-holder
      fast unsafe: mm-count-only counts-unlocked users-only get-task-mm cpumask
      fast safe: fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [26,31)
      U4 50 on cpu1 [31,40)
      wait 15 kthread_use_mm 50 at 25: fork-lock mmap-lock users-mmap-lock
      wait 10 kthread_unuse_mm 50 at 30: fork-lock
  `);
});

test("unuse-waits-under-fork-lock", async () => {
  expect(await outcomeOf("unuse-waits-under-fork-lock")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 derived, exposure U1, lazy 0
      slow borrower: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 50 on cpu1 [20,31)
      U4 50 on cpu1 [31,40)
      wait 10 kthread_unuse_mm 50 at 30: fork-lock
  `);
});

test("borrower-first-seen-at-get", async () => {
  expect(await outcomeOf("borrower-first-seen-at-get")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 2 derived, exposure U1, lazy 0
      slow borrower: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 50 on cpu1 [20,31)
      U4 50 on cpu1 [31,40)
      wait 10 kthread_unuse_mm 50 at 30: fork-lock
  `);
});

test("preempted-borrower", async () => {
  expect(await outcomeOf("preempted-borrower")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 3 derived, exposure U4, lazy 1
      slow borrower+lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      slow borrower: users-only users-mmap-lock
      slow lazy-tlb: cpumask
      U4 25 on cpu1 [30,40)
    fork 101 [70,80) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("preempted-unuse", async () => {
  expect(await outcomeOf("preempted-unuse")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 3 measured (3 at-least), exposure U3b, lazy 1
      doubts: hidden-holder
      slow borrower+lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast unsafe: users-only
      slow borrower: users-mmap-lock
      slow lazy-tlb: cpumask
      U4 25 on cpu1 [30,33)
      U3b 50 on cpu1 [34,37)
      U4 50 on cpu1 [37,40)
  `);
});

test("unfinished-put", async () => {
  expect(await outcomeOf("unfinished-put")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 derived, exposure none, lazy 0
      doubts: unfinished-put
      fast safe: mm-count-only cpumask
      indeterminate: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("hidden-get", async () => {
  expect(await outcomeOf("hidden-get")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: hidden-get proc-fd
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
    fork 101 [40,50) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: proc-fd
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("khugepaged-inherited", async () => {
  expect(await outcomeOf("khugepaged-inherited")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret child 102
      users 1 derived, count 2 derived, exposure none, lazy 0
      slow khugepaged: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
    fork 102 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure none, lazy 0
      slow khugepaged: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("proc-fd-until-death", async () => {
  expect(await outcomeOf("proc-fd-until-death")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 measured (1 derived), count 2 measured (1 at-least), exposure none, lazy 0
      doubts: proc-fd
      slow proc-fd: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("io-uring", async () => {
  expect(await outcomeOf("io-uring")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 at-least, exposure none, lazy 0
      doubts: io-uring
      indeterminate: mm-count-only
      slow io-uring: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
  `);
});

test("mm-address-reuse", async () => {
  expect(await outcomeOf("mm-address-reuse")).toMatchInlineSnapshot(`
    fork 103 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("pid-reuse", async () => {
  expect(await outcomeOf("pid-reuse")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret child 102
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: proc-fd
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("failed-fork", async () => {
  expect(await outcomeOf("failed-fork")).toMatchInlineSnapshot(`
    fork 101 [31,35) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [41,45) dup_mmap..dup_mmap_ret child 102
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("fork-cut-off", async () => {
  expect(await outcomeOf("fork-cut-off")).toMatchInlineSnapshot(`
    fork 101 [20,?) dup_mmap..none bracketed
      users 1 derived, count 1 derived, exposure U7, lazy 0
      doubts: window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    problem replay/window-cut x1
  `);
});

test("starts-mid-life", async () => {
  expect(await outcomeOf("starts-mid-life")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
  `);
});

test("lost-events-in-window", async () => {
  expect(await outcomeOf("lost-events-in-window")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
  `);
});

test("unmarked-gap-in-window", async () => {
  expect(await outcomeOf("unmarked-gap-in-window")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    problem replay/switch-mismatch x1
  `);
});

test("past-of-another-cpu", async () => {
  expect(await outcomeOf("past-of-another-cpu")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 2 measured (1 at-least), exposure U7, lazy 0
      doubts: predates-trace cpu-unknown khugepaged-not-proven
      slow unattributed: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast indeterminate: users-only
      indeterminate: users-mmap-lock cpumask
  `);
});

test("first-seen-in-window", async () => {
  expect(await outcomeOf("first-seen-in-window")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 2 measured (1 at-least), exposure none, lazy 0
      doubts: predates-trace khugepaged-not-proven
      slow unattributed: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only cpumask
      indeterminate: users-mmap-lock
  `);
});

test("first-seen-untold", async () => {
  expect(await outcomeOf("first-seen-untold")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 2 measured (1 at-least), exposure U7, lazy 0
      doubts: predates-trace khugepaged-not-proven
      slow unattributed: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast indeterminate: users-only cpumask
      indeterminate: users-mmap-lock
  `);
});

test("gap-in-a-ledger", async () => {
  expect(await outcomeOf("gap-in-a-ledger")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret child 103
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: hidden-get proc-fd
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
  `);
});

test("gap-behind-an-outer-lock", async () => {
  expect(await outcomeOf("gap-behind-an-outer-lock")).toMatchInlineSnapshot(`
    fork 101 [10,52) mmap_lock_acquire_returned..mmap_lock_released child 102
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace lost-events cpu-unknown unfinished-grab khugepaged-not-proven no-mmput window-incomplete
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("gap-hides-a-second-fork", async () => {
  expect(await outcomeOf("gap-hides-a-second-fork")).toMatchInlineSnapshot(`
    fork 101 [20,60) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: hidden-holder window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
      wait 20 kthread_use_mm 50 at 40: fork-lock mmap-lock users-mmap-lock
      wait 8 kthread_unuse_mm 50 at 52: fork-lock
  `);
});

test("borrower-before-a-gap", async () => {
  expect(await outcomeOf("borrower-before-a-gap")).toMatchInlineSnapshot(`
    fork 101 [20,60) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U3, lazy 0
      doubts: hidden-holder window-incomplete
      fast unsafe: mm-count-only counts-unlocked users-only get-task-mm
      fast indeterminate: fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
      U3 50 on cpu1 [25,26)
      wait 36 kthread_use_mm 50 at 24: fork-lock mmap-lock users-mmap-lock
      wait 8 kthread_unuse_mm 50 at 52: fork-lock
  `);
});

test("lock-held-before-a-gap", async () => {
  expect(await outcomeOf("lock-held-before-a-gap")).toMatchInlineSnapshot(``);
});

test("check-in-a-gap", async () => {
  expect(await outcomeOf("check-in-a-gap")).toMatchInlineSnapshot(`
    fork 101 [20,60) dup_mmap..dup_mmap_ret bracketed
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U3, lazy 0
      doubts: hidden-holder window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
      U3 50 on cpu1 [25,26)
      wait 36 kthread_use_mm 50 at 24: fork-lock mmap-lock users-mmap-lock
      wait 8 kthread_unuse_mm 50 at 52: fork-lock
    fork 101 [81,82) uprobe_dup_mmap..dup_mmap_ret early 80
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U4, lazy 1
      doubts: lost-events hidden-holder
      fast safe: mm-count-only counts-unlocked users-only get-task-mm mmap-lock
      indeterminate: fork-lock users-mmap-lock
      slow lazy-tlb: cpumask
      U4 50 on cpu1 [81,82)
  `);
});

test("member-found-in-a-gap", async () => {
  expect(await outcomeOf("member-found-in-a-gap")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret child 102
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: lost-events
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      slow unattributed: cpumask
  `);
});

test("child-named-by-mm-init", async () => {
  expect(await outcomeOf("child-named-by-mm-init")).toMatchInlineSnapshot(`
    fork 101 [20,25) copy_process..task_newtask child 102 bracketed
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 102 [60,65) copy_process..task_newtask child 104 bracketed
      users 1 derived, count 2 at-least, exposure U7, lazy ?
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast indeterminate: users-only
      indeterminate: users-mmap-lock cpumask
  `);
});

test("child-at-an-old-address", async () => {
  expect(await outcomeOf("child-at-an-old-address")).toMatchInlineSnapshot(`
    fork 101 [30,32) dup_mmap..dup_mmap_ret child 102
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace lost-events
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      fast safe: cpumask
    fork 102 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure none, lazy 0
      slow khugepaged: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("left-between-two-locks", async () => {
  expect(await outcomeOf("left-between-two-locks")).toMatchInlineSnapshot(`
    fork 101 [20,40) mmap_lock_acquire_returned..mmap_lock_released child 102
      users 2 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: unfinished-grab
      indeterminate: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("borrower-at-the-very-end", async () => {
  expect(await outcomeOf("borrower-at-the-very-end")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U3, lazy 0
      doubts: hidden-holder
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm cpumask
      fast safe: fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [40,40)
      wait 0 kthread_use_mm 50 at 40: fork-lock mmap-lock users-mmap-lock
  `);
});

test("grab-of-an-exit", async () => {
  expect(await outcomeOf("grab-of-an-exit")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 at-least, exposure U1, lazy 0
      doubts: exit-race
      indeterminate: mm-count-only
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U1 103 on cpu1 [20,25)
      U4 103 on cpu1 [25,40)
  `);
});

test("get-behind-the-call", async () => {
  expect(await outcomeOf("get-behind-the-call")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 at-least, count 2 at-least, exposure U1, lazy 0
      doubts: hidden-holder
      slow borrower: mm-count-only
      slow unattributed+borrower: counts-unlocked get-task-mm fork-lock mmap-lock users-mmap-lock
      slow unattributed: users-only
      indeterminate: cpumask
      U1 50 on cpu1 [30,40)
  `);
});

test("past-before-a-gap", async () => {
  expect(await outcomeOf("past-before-a-gap")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure none, lazy 0
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("cpu-not-recorded", async () => {
  expect(await outcomeOf("cpu-not-recorded")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    problem replay/silent-cpu x1
  `);
});

test("buffers-begin-late", async () => {
  expect(await outcomeOf("buffers-begin-late")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure none, lazy 0
      doubts: lost-events
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("buffer-started", async () => {
  expect(await outcomeOf("buffer-started")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure none, lazy 0
      doubts: lost-events
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("predates-trace", async () => {
  expect(await outcomeOf("predates-trace")).toMatchInlineSnapshot(`
    fork 101 [20,30) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("stock-lock-window", async () => {
  expect(await outcomeOf("stock-lock-window")).toMatchInlineSnapshot(`
    fork 101 [26,34) mmap_lock_acquire_returned..mmap_lock_released child 102 early 20
      users 1 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [51,56) mmap_lock_acquire_returned..mmap_lock_released child 104
      users 2 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: predates-trace cpu-unknown unfinished-grab khugepaged-not-proven no-mmput
      indeterminate: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("newtask-only", async () => {
  expect(await outcomeOf("newtask-only")).toMatchInlineSnapshot(`
    fork 101 [20,20) none..task_newtask child 102 point
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [40,40) none..task_newtask child 104 point
      users 2 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("lock-waited-for", async () => {
  expect(await outcomeOf("lock-waited-for")).toMatchInlineSnapshot(`
    fork 101 [40,50) uprobe_dup_mmap..flush_tlb_mm_range_ret early 22
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      wait 26 kthread_use_mm 50 at 24: fork-lock
      wait 22 kthread_unuse_mm 50 at 28: fork-lock
  `);
});

test("lazy-sets-dirty", async () => {
  expect(await outcomeOf("lazy-sets-dirty")).toMatchInlineSnapshot(`
    fork 101 [50,60) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast unsafe: users-only users-mmap-lock
      U4 0 on cpu0 [50,60)
  `);
});

test("forker-leaves-residue", async () => {
  expect(await outcomeOf("forker-leaves-residue")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure U4, lazy 0
      fast unsafe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
      U4 0 on cpu0 [31,40)
  `);
});

test("residue-of-a-kept-out-borrower", async () => {
  expect(await outcomeOf("residue-of-a-kept-out-borrower")).toMatchInlineSnapshot(`
    fork 101 [20,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure U3, lazy 0
      fast unsafe: mm-count-only counts-unlocked users-only cpumask
      fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
      U3 50 on cpu1 [26,31)
      U4 50 on cpu1 [31,40)
      wait 18 get_task_mm 50 at 22: get-task-mm
      wait 15 kthread_use_mm 50 at 25: fork-lock mmap-lock users-mmap-lock
      wait 10 kthread_unuse_mm 50 at 30: fork-lock
  `);
});

test("address-reused-in-a-gap", async () => {
  expect(await outcomeOf("address-reused-in-a-gap")).toMatchInlineSnapshot(`
    fork 101 [30,35) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U7, lazy 0
      doubts: predates-trace lost-events cpu-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 1 at-least, count 1 at-least, exposure U4, lazy 1
      doubts: predates-trace lost-events
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      slow lazy-tlb: cpumask
      U4 0 on cpu0 [60,70)
  `);
});

test("address-reused-unseen", async () => {
  expect(await outcomeOf("address-reused-unseen")).toMatchInlineSnapshot(`
    fork 103 [60,70) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("ksm-registers", async () => {
  expect(await outcomeOf("ksm-registers")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure none, lazy 0
      slow ksm: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("mmu-notifier", async () => {
  expect(await outcomeOf("mmu-notifier")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: mmu-notifier
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("exec-from-kernel-task", async () => {
  expect(await outcomeOf("exec-from-kernel-task")).toMatchInlineSnapshot(`
    fork 101 [35,36) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 300 on cpu0 [35,36)
    fork 101 [44,46) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 at-least, exposure none, lazy 0
      doubts: unfinished-drop
      indeterminate: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
    fork 101 [60,70) dup_mmap..dup_mmap_ret
      users 1 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("cr3-load-missed-probe", async () => {
  expect(await outcomeOf("cr3-load-missed-probe")).toMatchInlineSnapshot(`
    fork 101 [40,50) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [40,50)
    fork 101 [70,80) dup_mmap..dup_mmap_ret
      users 1 derived, count 2 derived, exposure none, lazy 0
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock cpumask
  `);
});

test("lazy-inlined", async () => {
  expect(await outcomeOf("lazy-inlined")).toMatchInlineSnapshot(`
    fork 101 [40,45) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [40,45)
    fork 101 [60,65) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [60,65)
    fork 101 [90,95) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 1 measured (1 derived), exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
  `);
});

test("cpu-goes-offline", async () => {
  expect(await outcomeOf("cpu-goes-offline")).toMatchInlineSnapshot(`
    fork 101 [40,45) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 22 on cpu0 [40,45)
    fork 101 [60,65) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 1 measured (1 derived), exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    fork 101 [80,85) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 1 measured (1 derived), exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    problem replay/cpu-offline x1
  `);
});

test("idle-goes-offline", async () => {
  expect(await outcomeOf("idle-goes-offline")).toMatchInlineSnapshot(`
    fork 101 [40,45) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only users-mmap-lock
      U4 0 on cpu0 [40,45)
    fork 101 [60,65) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 1 measured (1 at-least), exposure none, lazy 0
      doubts: unfinished-drop
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    fork 101 [80,85) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 1 measured (1 derived), exposure none, lazy 0
      fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("cpu-dropped", async () => {
  expect(await outcomeOf("cpu-dropped")).toMatchInlineSnapshot(`
    fork 101 [40,45) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only
      indeterminate: users-mmap-lock
      U4 0 on cpu0 [40,45)
    fork 101 [60,65) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 at-least), count 2 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events cpu-unknown window-incomplete
      slow unattributed: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast indeterminate: users-only
      indeterminate: users-mmap-lock cpumask
    fork 101 [80,85) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 at-least), count 2 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events cpu-unknown window-incomplete
      slow unattributed: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast indeterminate: users-only
      indeterminate: users-mmap-lock cpumask
    problem replay/cpu-dropped x1
  `);
});

test("borrow-unannounced", async () => {
  expect(await outcomeOf("borrow-unannounced")).toMatchInlineSnapshot(`
    fork 101 [40,45) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 derived), count 2 measured (2 derived), exposure U4, lazy 1
      slow lazy-tlb: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock cpumask
      fast safe: users-only
      indeterminate: users-mmap-lock
      U4 22 on cpu0 [40,45)
    fork 101 [60,65) uprobe_dup_mmap..uprobe_end_dup_mmap
      users 1 measured (1 at-least), count 1 measured (1 at-least), exposure U7, lazy 0
      doubts: lost-events unfinished-drop window-incomplete
      fast indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
      indeterminate: cpumask
    problem replay/borrow-unannounced x1
  `);
});

test("borrows-seen-holder-not", async () => {
  expect(await outcomeOf("borrows-seen-holder-not")).toMatchInlineSnapshot(`
    fork 833 [40,50) dup_mmap..dup_mmap_ret
      users 1 measured (1 at-least), count 3 measured (2 at-least), exposure U4, lazy 1
      doubts: hidden-holder
      slow lazy-tlb+unattributed: mm-count-only counts-unlocked get-task-mm fork-lock mmap-lock
      fast safe: users-only users-mmap-lock
      slow lazy-tlb: cpumask
      U4 0 on cpu1 [40,50)
    fork 833 [70,80) dup_mmap..dup_mmap_ret
      users 2 measured (1 at-least), count 3 measured (2 at-least), exposure U1, lazy 0
      doubts: hidden-holder
      slow borrower+unattributed: mm-count-only
      slow unattributed+borrower: counts-unlocked get-task-mm fork-lock mmap-lock users-mmap-lock
      slow unattributed: users-only
      slow borrower: cpumask
      U1 836 on cpu1 [70,80)
  `);
});
