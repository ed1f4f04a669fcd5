// What locks would have made wait, what the blocked then do, and how near borrows came: one trace of a few lines a rule,
// test/golden/replay/NAME.txt says which. Outcomes were worked out from docs/model.md's rules, then compared.
import { expect, test } from "vitest";
import type { Outcome } from "./recordings.ts";
import { replayed } from "./specimens.ts";

expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

/** Times in microseconds after second 1, where the specimens begin. */
function us(ns: bigint | null): string {
  return ns === null ? "?" : String(Number(ns - 1_000_000_000n) / 1000);
}

function span(ns: bigint | null): string {
  return ns === null ? "?" : String(Number(ns) / 1000);
}

/** Lines that several policies share are printed once, with their names. */
function grouped(lines: readonly (readonly [policy: string | null, text: string])[]): string[] {
  const byText = new Map<string, string[]>();
  for (const [policy, text] of lines) byText.set(text, [...(byText.get(text) ?? []), policy ?? ""]);
  return [...byText].map(([text, policies]) => `${text}: ${policies.join(" ")}`);
}

/** The waits, in order of their calls, then the forks whose verdict they make doubtful. */
function waits({ blocks, forks, verdicts }: Outcome): string {
  const rows = blocks.toSorted((a, b) => Number((a.at_ns ?? 0n) - (b.at_ns ?? 0n)));
  const lines = rows.map((row): [string | null, string] => {
    const whose = row.fork === null ? "" : ` of fork ${row.fork}`;
    const waiter = row.waiter === null ? "" : ` by fork ${row.waiter}`;
    const next =
      row.next_fork === null
        ? ""
        : `, fork ${row.next_fork} then ${row.next_verdict}, waits ${span(row.next_wait_ns)}`;
    const text =
      `${row.kind} ${row.tid}${waiter} at ${us(row.at_ns)} waits ${span(row.wait_ns)} (new ${span(row.new_ns)}) ` +
      `until ${us(row.until_ns)}, ${row.cause}${whose}: ${row.outcome}, ends ${us(row.use_end_ns)}${next}`;
    return [row.policy, text];
  });
  const open = forks.flatMap(({ fork }) =>
    ["get-task-mm", "fork-lock", "mmap-lock", "users-mmap-lock"].flatMap((policy) => {
      const { decision, verdict, rejudged } = verdicts(policy as "fork-lock")[fork ?? -1]!;
      const text = `fork ${fork} ${decision} ${verdict ?? "-"}${rejudged === null ? "" : `, rejudged ${rejudged}`}`;
      return [[policy, text] as const];
    }),
  );
  return [...grouped(lines), ...grouped(open)].join("\n");
}

function misses({ nearMisses }: Outcome): string {
  const lines = nearMisses.map((row): [string | null, string] => {
    const why = row.ordered_by === null ? "" : `, nearest in time kept away by ${row.ordered_by}`;
    const what =
      row.distance_ns === null
        ? "none"
        : `${span(row.distance_ns)} (gap ${span(row.gap_ns)}) ${row.side}, ${row.kind} ${row.tid} at ${us(row.at_ns)}`;
    return [row.policy, `fork ${row.fork}: ${what}${why}`];
  });
  return grouped(lines).join("\n");
}

test("wait-shifts-the-use-whole", async () => {
  expect(waits(await replayed("wait-shifts-the-use-whole"))).toMatchInlineSnapshot(`
    get_task_mm 50 at 22 waits 18 (new 18) until 40, fork-window of fork 0: shifted-whole, ends 33: get-task-mm
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: shifted-whole, ends 31: fork-lock mmap-lock users-mmap-lock
    kthread_unuse_mm 50 at 30 waits 10 (new 10) until 40, fork-window of fork 0: ends-late, ends 31: fork-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
    fork 1 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("wait-reaches-next-window", async () => {
  expect(waits(await replayed("wait-reaches-next-window"))).toMatchInlineSnapshot(`
    get_task_mm 50 at 22 waits 18 (new 18) until 40, fork-window of fork 0: reaches-next-window, ends 33, fork 1 then slow, waits ?: get-task-mm
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: reaches-next-window, ends 31, fork 1 then slow, waits ?: fork-lock mmap-lock users-mmap-lock
    kthread_unuse_mm 50 at 30 waits 10 (new 10) until 40, fork-window of fork 0: ends-late, ends 31: fork-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
    fork 1 indeterminate indeterminate, rejudged slow: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("wait-waits-again", async () => {
  expect(waits(await replayed("wait-waits-again"))).toMatchInlineSnapshot(`
    get_task_mm 50 at 22 waits 18 (new 18) until 40, fork-window of fork 0: reaches-next-window, ends 32, fork 1 then slow, waits ?: get-task-mm
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: reaches-next-window, ends 31, fork 1 then slow, waits 5: fork-lock mmap-lock
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: reaches-next-window, ends 31, fork 1 then safe, waits 5: users-mmap-lock
    kthread_unuse_mm 50 at 30 waits 10 (new 10) until 40, fork-window of fork 0: reaches-next-window, ends 31, fork 1 then slow, waits ?: fork-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
    fork 1 indeterminate indeterminate, rejudged slow: get-task-mm fork-lock mmap-lock
    fork 1 fast safe: users-mmap-lock
  `);
});

test("wait-ends-with-sleep", async () => {
  expect(waits(await replayed("wait-ends-with-sleep"))).toMatchInlineSnapshot(`
    get_task_mm 50 at 22 waits 18 (new 18) until 40, fork-window of fork 0: shifted-whole, ends 32: get-task-mm
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: shifted-whole, ends 31: fork-lock mmap-lock users-mmap-lock
    kthread_unuse_mm 50 at 30 waits 10 (new 10) until 40, fork-window of fork 0: ends-late, ends 31: fork-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
    fork 1 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("wait-starts-late", async () => {
  expect(waits(await replayed("wait-starts-late"))).toMatchInlineSnapshot(`
    get_task_mm 50 at 22 waits 18 (new 18) until 40, fork-window of fork 0: starts-late, ends 47: get-task-mm
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: starts-late, ends 46: fork-lock mmap-lock users-mmap-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("wait-open-at-the-end", async () => {
  expect(waits(await replayed("wait-open-at-the-end"))).toMatchInlineSnapshot(`
    get_task_mm 50 at 22 waits 18 (new 18) until 40, fork-window of fork 0: starts-late, ends ?: get-task-mm
    kthread_use_mm 50 at 25 waits 15 (new 15) until 40, fork-window of fork 0: starts-late, ends ?: fork-lock mmap-lock users-mmap-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("writer-queue", async () => {
  expect(waits(await replayed("writer-queue"))).toMatchInlineSnapshot(`
    kthread_use_mm 50 at 24 waits 6 (new 6) until 30, writer-queue: shifted-whole, ends 27: mmap-lock users-mmap-lock
    get_task_mm 50 at 48 waits 17 (new 17) until 65, fork-window of fork 0: shifted-whole, ends 55: get-task-mm
    kthread_use_mm 50 at 51 waits 9 (new 9) until 60, fork-window of fork 0: shifted-whole, ends 54: fork-lock
    kthread_use_mm 50 at 51 waits 14 (new 14) until 65, fork-window of fork 0: shifted-whole, ends 54: mmap-lock users-mmap-lock
    kthread_unuse_mm 50 at 53 waits 7 (new 7) until 60, fork-window of fork 0: ends-late, ends 54: fork-lock
    kthread_use_mm 50 at 63 waits 2 (new 2) until 65, writer-queue of fork 0: starts-late, ends 68: mmap-lock users-mmap-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("writer-queue-downgrade-hidden", async () => {
  expect(waits(await replayed("writer-queue-downgrade-hidden"))).toMatchInlineSnapshot(`
    kthread_use_mm 50 at 24 waits ? (new ?) until ?, unreleased-lock: unknown, ends 27: mmap-lock users-mmap-lock
    kthread_use_mm 50 at 40 waits 5 (new 5) until 45, writer-queue: shifted-whole, ends 43: mmap-lock users-mmap-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("writer-queue-downgrade-seen", async () => {
  expect(waits(await replayed("writer-queue-downgrade-seen"))).toMatchInlineSnapshot(`
    kthread_use_mm 50 at 24 waits 2 (new 2) until 26, writer-queue: starts-late, ends 28: mmap-lock users-mmap-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("writer-queue-hashed", async () => {
  expect(waits(await replayed("writer-queue-hashed"))).toMatchInlineSnapshot(`
    kthread_use_mm 50 at 16 waits ? (new ?) until ?, unreleased-lock: unknown, ends 19: mmap-lock users-mmap-lock
    kthread_use_mm 50 at 24 waits 6 (new 6) until 30, writer-queue: shifted-whole, ends 27: mmap-lock users-mmap-lock
    fork 0 fast safe: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("fork-behind-fork", async () => {
  expect(waits(await replayed("fork-behind-fork"))).toMatchInlineSnapshot(`
    copy_mm 103 by fork 1 at 43 waits 17 (new 1) until 60, fork-fork of fork 0: starts-late, ends 80: fork-lock
    dup_mmap 103 by fork 1 at 50 waits 15 (new 0) until 65, fork-fork of fork 0: starts-late, ends 80: get-task-mm mmap-lock users-mmap-lock
    fork 0 slow -: get-task-mm fork-lock mmap-lock users-mmap-lock
    fork 1 slow -: get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("near-miss", async () => {
  expect(misses(await replayed("near-miss"))).toMatchInlineSnapshot(
    `fork 0: 9 (gap 9) after, kthread_use_mm 50 at 62: mm-count-only counts-unlocked users-only cpumask`,
  );
});

test("near-miss-out-of-reach", async () => {
  expect(misses(await replayed("near-miss-out-of-reach"))).toMatchInlineSnapshot(`
    fork 0: 33 (gap 33) after, kthread_use_mm 50 at 63: mm-count-only cpumask
    fork 0: none, nearest in time kept away by reference: counts-unlocked users-only
  `);
});

test("near-miss-before", async () => {
  expect(misses(await replayed("near-miss-before"))).toMatchInlineSnapshot(`
    fork 0: 23 (gap 20) before, kthread_use_mm 50 at 10: mm-count-only cpumask
    fork 0: 26 (gap 20) before, kthread_use_mm 50 at 10: counts-unlocked users-only
  `);
});

test("near-miss-own-cpu", async () => {
  expect(misses(await replayed("near-miss-own-cpu"))).toMatchInlineSnapshot(
    `fork 0: 37 (gap 37) after, kthread_use_mm 50 at 67, nearest in time kept away by own-cpu: cpumask`,
  );
});

test("near-miss-lock-order", async () => {
  expect(misses(await replayed("near-miss-lock-order"))).toMatchInlineSnapshot(
    `fork 0: none, nearest in time kept away by mmap_lock: mm-count-only counts-unlocked users-only cpumask`,
  );
});

test("near-miss-new-kthread", async () => {
  expect(misses(await replayed("near-miss-new-kthread"))).toMatchInlineSnapshot(
    `fork 0: none, nearest in time kept away by task-creation: mm-count-only counts-unlocked users-only cpumask`,
  );
});
