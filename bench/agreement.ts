// npm run agreement [-- DIR...]: what the replay claims without reading any sample, against the samples that recordings
// carry, with all evidence and with one kind of probe left out at a time. Reads every .zst text in DIR (traces/ unless
// said) that samples mm_users at a fork. Prints the table of docs/model.md.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { decompress } from "fzstd";
import { openIngest } from "../src/ingest/index.ts";
import { replay } from "../src/replay/index.ts";
import type { EventBatch, EventTable } from "../src/table/event-batch.ts";
import { EventKind } from "../src/table/event-kinds.ts";
import { newVerdictTables, type VerdictTables } from "../src/table/verdict-tables.ts";

type KindName = keyof typeof EventKind;

/** Row label -> event kinds left out. */
const DROPS: Readonly<Record<string, readonly KindName[]>> = {
  "nothing left out": [],
  get_task_mm: ["getTaskMm", "getTaskMmRet"],
  mmput: ["mmput", "mmputAsync"],
  switch_mm_irqs_off: ["switchMm"],
  enter_lazy_tlb: ["enterLazyTlb"],
  "both of these": ["switchMm", "enterLazyTlb"],
  kthread_use_mm: ["kthreadUseMm"],
  kthread_unuse_mm: ["kthreadUnuseMm"],
  __khugepaged_enter: ["khugepagedEnter"],
  mm_access: ["mmAccess", "mmAccessRet"],
  sched_switch: ["schedSwitch"],
  task_newtask: ["taskNewtask"],
  exec_mm_release: ["execMmRelease"],
  exit_mm_release: ["exitMmRelease"],
  mm_init: ["mmInit"],
  __mmdrop: ["mmdrop"],
  begin_new_exec: ["execBegin"],
  exit_mmap: ["exitMmap"],
  sched_process_fork: ["schedProcessFork"],
  sched_process_exec: ["schedProcessExec"],
};

interface Tally {
  sampled: number;
  usersGiven: number;
  usersRight: number;
  /** Recordings in which __khugepaged_enter is proven armed. */
  countable: number;
  countGiven: number;
  countRight: number;
  above: number;
  decided: number;
  decidedRight: number;
  falseSafe: number;
}

async function main(): Promise<void> {
  const roots = process.argv.slice(2);
  const files = (roots.length > 0 ? roots : ["traces"]).flatMap(recordings);
  const tables: EventTable[] = [];
  for (const file of files) {
    const table = load(file);
    if (table !== undefined && (await forksOf(table)).sampled > 0) tables.push(table);
  }
  console.log(`${tables.length} recordings with samples, of ${files.length}`);
  console.log(
    "left out             users given/right      count given/right  above  decided right  false safe",
  );
  for (const [label, kinds] of Object.entries(DROPS)) {
    const tally = emptyTally();
    for (const table of tables) await compare(table, kinds, tally);
    console.log(line(label, tally));
  }
}

function recordings(root: string): string[] {
  if (!statSync(root).isDirectory()) return [root];
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(txt|csv)\.zst$/.test(name))
    .sort()
    .map((name) => join(root, name));
}

/** The events of one recording in memory; undefined when it cannot be read. */
function load(path: string): EventTable | undefined {
  const batches: EventBatch[] = [];
  try {
    const ingest = openIngest({ path }, (batch) => batches.push(copyOf(batch, () => true)));
    ingest.push(decompress(readFileSync(path)));
    return tableOf(batches, ingest.end());
  } catch {
    return undefined;
  }
}

function tableOf(batches: readonly EventBatch[], meta: EventTable["meta"]): EventTable {
  return { meta, forEachBatch: async (visit) => batches.forEach(visit) };
}

function copyOf(batch: EventBatch, keep: (row: number) => boolean): EventBatch {
  const rows: number[] = [];
  for (let row = 0; row < batch.length; row++) if (keep(row)) rows.push(row);
  const copy: Record<string, unknown> = { length: rows.length };
  for (const [name, column] of Object.entries(batch)) {
    if (name === "length") continue;
    const out = (column as Int32Array).slice(0, rows.length);
    rows.forEach((row, i) => {
      out[i] = (column as Int32Array)[row] ?? 0;
    });
    copy[name] = out;
  }
  return copy as unknown as EventBatch;
}

async function forksOf(table: EventTable): Promise<{ sampled: number; into: VerdictTables }> {
  const into = newVerdictTables();
  await replay(table, {}, into, 0);
  let sampled = 0;
  for (let row = 0; row < into.forks.length; row++)
    if (into.forks.get("sampled_users", row) !== null) sampled++;
  return { sampled, into };
}

async function compare(table: EventTable, kinds: readonly KindName[], tally: Tally): Promise<void> {
  const left = new Set<number>(kinds.map((kind) => EventKind[kind]));
  const batches: EventBatch[] = [];
  await table.forEachBatch((batch) => {
    batches.push(copyOf(batch, (row) => !left.has(batch.kind[row] ?? 0)));
  });
  const full = await forksOf(table);
  const into = newVerdictTables();
  const counted = table.meta.kinds?.map((rows, kind) => (left.has(kind) ? 0 : rows));
  const meta = counted === undefined ? table.meta : { ...table.meta, kinds: counted };
  const info = await replay(tableOf(batches, meta), { blind: true }, into, 0);
  const countable = info.armed.includes("__khugepaged_enter");
  for (let row = 0; row < into.forks.length; row++) tallyFork(into, row, countable, tally);
  tallyVerdicts(full.into, into, tally);
}

function tallyFork(into: VerdictTables, row: number, countable: boolean, tally: Tally): void {
  const { forks } = into;
  const users = forks.get("sampled_users", row);
  const count = forks.get("sampled_count", row);
  if (users === null || count === null) return;
  tally.sampled++;
  if (countable) tally.countable++;
  const derivedUsers = forks.get("derived_users", row) ?? 0;
  const derivedCount = forks.get("derived_count", row) ?? 0;
  if (forks.get("derived_users_evidence", row) === "derived") {
    tally.usersGiven++;
    if (derivedUsers === users) tally.usersRight++;
  } else if (derivedUsers > users) tally.above++;
  if (forks.get("derived_count_evidence", row) === "derived") {
    tally.countGiven++;
    if (derivedCount === count) tally.countRight++;
  } else if (derivedCount > count) tally.above++;
}

/** counts-unlocked without samples against the same policy with them; safe where the full evidence says unsafe, any policy. */
function tallyVerdicts(full: VerdictTables, blind: VerdictTables, tally: Tally): void {
  const lineOf = (into: VerdictTables, row: number): number =>
    into.forks.get("line", into.verdicts.get("fork", row) ?? 0) ?? 0;
  const key = (into: VerdictTables, row: number): string =>
    `${lineOf(into, row)} ${into.verdicts.get("policy", row)}`;
  const truth = new Map<string, number>();
  for (let row = 0; row < full.verdicts.length; row++) truth.set(key(full, row), row);
  for (let row = 0; row < blind.verdicts.length; row++) {
    const at = truth.get(key(blind, row));
    if (at === undefined) continue;
    const decision = blind.verdicts.get("decision", row);
    if (blind.verdicts.get("policy", row) === "counts-unlocked" && decision !== "indeterminate") {
      tally.decided++;
      if (decision === full.verdicts.get("decision", at)) tally.decidedRight++;
    }
    if (blind.verdicts.get("verdict", row) === "safe" && full.verdicts.get("verdict", at) === "unsafe")
      tally.falseSafe++;
  }
}

function emptyTally(): Tally {
  return {
    sampled: 0,
    usersGiven: 0,
    usersRight: 0,
    countable: 0,
    countGiven: 0,
    countRight: 0,
    above: 0,
    decided: 0,
    decidedRight: 0,
    falseSafe: 0,
  };
}

function line(label: string, t: Tally): string {
  const share = (n: number, of: number): string => (of === 0 ? "-" : `${((100 * n) / of).toFixed(1)} %`);
  return [
    label.padEnd(20),
    `${share(t.usersGiven, t.sampled).padStart(7)} ${`${t.usersRight}/${t.usersGiven}`.padStart(12)}`,
    `${share(t.countGiven, t.countable).padStart(8)} ${`${t.countRight}/${t.countGiven}`.padStart(10)}`,
    String(t.above).padStart(5),
    `${share(t.decided, t.sampled).padStart(8)} ${`${t.decidedRight}/${t.decided}`.padStart(11)}`,
    String(t.falseSafe).padStart(5),
  ].join(" ");
}

await main();
