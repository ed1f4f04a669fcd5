// Who may hide, and the hook that would show it: every value that is not exact says so, and a probe left out of a recording
// is named by every fork that its absence leaves open.
import { describe, expect, test } from "vitest";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import { COUNTERS, DENIAL_CAUSES, type ForkRow, POLICY_IDS } from "../../src/table/verdict-tables.ts";
import { filterRows, MANIFEST, type Outcome, recording, run, type Trace } from "./recordings.ts";
import { specimen } from "./specimens.ts";

const isExact = (evidence: string | null): boolean => evidence === "measured" || evidence === "derived";

/** What is not exact and names nobody, or is exact and does. */
function silent({ forks, verdicts }: Outcome): string[] {
  const counts = forks.flatMap((fork) =>
    COUNTERS.filter(
      (counter) => isExact(fork[`${counter}_evidence`]) !== (fork[`${counter}_hidden`].length === 0),
    ).map((counter) => `line ${fork.line}: ${counter} ${fork[`${counter}_evidence`]}`),
  );
  const decisions = POLICY_IDS.flatMap((policy) =>
    verdicts(policy)
      .filter(({ rejudged }) => rejudged === null)
      .filter(({ decision, verdict, hidden }) => {
        const isOpen = decision === "indeterminate" || verdict === "indeterminate";
        return isOpen !== hidden.length > 0;
      })
      .map(({ fork, decision, verdict }) => `fork ${fork} ${policy}: ${decision} ${verdict}`),
  );
  return [...counts, ...decisions];
}

function namesIn({ forks, verdicts }: Outcome): Set<string> {
  return new Set([
    ...forks.flatMap((fork) => [...fork.mm_users_hidden, ...fork.mm_count_hidden]),
    ...POLICY_IDS.flatMap((policy) => verdicts(policy).flatMap(({ hidden }) => hidden)),
  ]);
}

test.each(MANIFEST.map(({ file }) => file))("%s, blind", async (file) => {
  const outcome = await run(recording(file), { blind: true });
  expect(silent(outcome).slice(0, 5)).toEqual([]);
  for (const name of namesIn(outcome)) {
    const [kinds = "", hook = ""] = name.split(": ");
    expect(hook).not.toBe("");
    // A value left open for no reason that is known.
    expect(["unknown: users= at uprobe_dup_mmap", "unknown: count= at uprobe_dup_mmap"]).not.toContain(name);
    for (const kind of kinds.split("/")) expect(DENIAL_CAUSES).toContain(kind);
  }
});

function without(trace: Trace, names: readonly string[]): Trace {
  const kinds = new Set(
    names.flatMap((name) => [name, `${name}_ret`]).map((name) => EVENT_KIND_NAMES.indexOf(name)),
  );
  return filterRows(trace, (batch, i) => !kinds.has(batch.kind[i] ?? -1));
}

describe("a probe left out is named where that leaves a count open", () => {
  const FILE = "6.1/W5.ftrace.txt.zst";
  const ARMED = ["armed:__khugepaged_enter"];
  const open = ({ forks }: Outcome, counter: "mm_users" | "mm_count"): Map<number, ForkRow> =>
    new Map(forks.filter((f) => !isExact(f[`${counter}_evidence`])).map((fork) => [fork.line ?? -1, fork]));
  test.each([
    ["mm_users", "mmput", "mmput"],
    ["mm_users", "task_newtask", "task_newtask"],
    ["mm_users", "get_task_mm", "get_task_mm"],
    ["mm_count", "sched_switch", "sched_switch"],
    ["mm_count", "switch_mm_irqs_off", "switch_mm_irqs_off"],
    ["mm_count", "mmput", "mmput"],
    ["mm_count", "__khugepaged_enter", "__khugepaged_enter, or a mark that it was armed"],
  ] as const)("%s without %s", async (counter, probe, hook) => {
    const whole = open(await run(recording(FILE), { blind: true, assume: ARMED }), counter);
    const assume = probe === "__khugepaged_enter" ? [] : ARMED;
    const marks = EVENT_KIND_NAMES.indexOf("armed");
    const trace = filterRows(without(recording(FILE), [probe]), (b, i) => b.kind[i] !== marks);
    const lacking = open(await run(trace, { blind: true, assume }), counter);
    const opened = [...lacking].filter(([line]) => !whole.has(line)).map(([, fork]) => fork);
    expect(opened.length).toBeGreaterThan(0);
    const names = opened.map((fork) => fork[`${counter}_hidden`].map((name) => name.split(": ")[1]));
    expect(names.filter((list) => !list.includes(hook))).toEqual([]);
  });
});

test.each([
  ["hidden-get", "reader/borrower: users= at uprobe_dup_mmap (mmget_not_zero is inlined)"],
  ["proc-fd-until-death", "proc-fd: count= at uprobe_dup_mmap (nothing shows the file being closed)"],
  ["io-uring", "io-uring: count= at uprobe_dup_mmap (nothing shows the ring being freed)"],
  ["mmu-notifier", "mmu-notifier: count= at uprobe_dup_mmap (nothing shows it unregistered)"],
  ["unfinished-put", "reader/borrower/threads: users= at uprobe_dup_mmap (a mmput was under way)"],
  [
    "use-mm-without-get",
    "borrower: count= at uprobe_dup_mmap (its kthread borrows without a reference that shows)",
  ],
  ["lost-events-in-window", "threads/borrower: a larger buffer: events were lost"],
])("%s: %s", async (name, expected) => {
  const trace = specimen(name);
  const outcomes = [await run(trace, { kernel: "6.1" }), await run(trace, { kernel: "6.1", blind: true })];
  expect(outcomes.flatMap((outcome) => [...namesIn(outcome)])).toContain(expected);
  expect(outcomes.flatMap(silent)).toEqual([]);
});
