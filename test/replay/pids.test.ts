// What a task goes by. A thread that execs takes its leader's pid, without an event of its own: fixtures cut by hand from a recording
// of threads that exec on 6.1, in which every leader had switched out by then; where it had not, by what de_thread() does.
import { expect, test } from "vitest";
import { EventKind } from "../../src/table/event-kinds.ts";
import { filterRows, run } from "./recordings.ts";
import { outcomeOf, specimen } from "./specimens.ts";

expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

/** Nothing was lost, the thread forks as 188 what it exec'd, alone, and the other process is as before. */
const FORKS = `fork 178 [20,30) dup_mmap..dup_mmap_ret child 188
  users 1 derived, count 1 derived, exposure none, lazy 0
  fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
fork 188 [90,100) dup_mmap..dup_mmap_ret
  users 1 derived, count 1 derived, exposure none, lazy 0
  fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
fork 178 [110,120) dup_mmap..dup_mmap_ret
  users 1 derived, count 1 derived, exposure none, lazy 0
  fast safe: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask`;

test.each(["exec-by-thread", "exec-by-thread-leader-shows", "exec-by-thread-leader-back"])(
  "%s",
  async (name) => {
    expect(await outcomeOf(name)).toBe(FORKS);
  },
);

test("where nothing shows whose thread it was, sched_process_exec tells its former pid", async () => {
  const { schedSwitch, schedProcessExec, dupMmap, dupMmapRet } = EventKind;
  const kinds: readonly number[] = [schedSwitch, schedProcessExec, dupMmap, dupMmapRet];
  const { problems } = await run(
    filterRows(specimen("exec-by-thread"), (b, i) => kinds.includes(b.kind[i]!)),
  );
  expect(problems).toEqual([]);
});

test("vhost-task", async () => {
  expect(await outcomeOf("vhost-task")).toMatchInlineSnapshot(`
    fork 101 [30,40) dup_mmap..dup_mmap_ret
      users 2 derived, count 1 derived, exposure none, lazy 0
      fast safe: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});
