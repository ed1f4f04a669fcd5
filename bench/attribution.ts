// npm run attribution [-- [--list] DIR...]: of the forks that counts-unlocked denies, how many have every reference of
// both counts named, by folder of recordings; --list prints the forks with a reference left over. Reads every .zst text in
// DIR (traces/ unless said) that samples mm_users at a fork. Prints the table of docs/model.md.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { decompress } from "fzstd";
import { InputError } from "../src/base/errors.ts";
import { openIngest } from "../src/ingest/index.ts";
import { replay } from "../src/replay/index.ts";
import type { EventBatch, EventTable, TraceMeta } from "../src/table/event-batch.ts";
import { type DenialRow, newVerdictTables, type VerdictTables } from "../src/table/verdict-tables.ts";

interface Tally {
  forks: number;
  slow: number;
  /** Of slow: every reference named; the same without any that is merely possible. */
  named: number;
  certain: number;
  readonly refs: Record<"mm_users" | "mm_count", Record<string, number>>;
}

const WORDS = ["held", "moving", "possible", "unattributed"] as const;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const isList = args.includes("--list");
  const roots = args.filter((arg) => arg !== "--list");
  const byFolder = new Map<string, Tally>();
  const all = newTally();
  for (const file of (roots.length > 0 ? roots : ["traces"]).flatMap(recordings)) {
    const tables = await tablesOf(file);
    if (tables === undefined) continue;
    const folder = join(basename(dirname(dirname(file))), basename(dirname(file)));
    const tally = byFolder.get(folder) ?? newTally();
    byFolder.set(folder, tally);
    for (const into of [tally, all]) count(tables, into);
    if (isList) for (const text of leftovers(tables)) console.log(`${file}: ${text}`);
  }
  console.log("                        slow  named certain    mm_users h/m/p/un     mm_count h/m/p/un");
  for (const [folder, tally] of [...byFolder, ["all", all] as const]) console.log(line(folder, tally));
}

function recordings(root: string): string[] {
  if (!statSync(root).isDirectory()) return [root];
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(txt|csv)\.zst$/.test(name))
    .sort()
    .map((name) => join(root, name));
}

/** Results of one recording; undefined when it cannot be read or has no samples. */
async function tablesOf(path: string): Promise<VerdictTables | undefined> {
  const batches: EventBatch[] = [];
  const ingest = openIngest({ path }, (batch) => {
    const copy = Object.entries(batch).map(([k, v]) => [
      k,
      typeof v === "number" ? v : v.slice(0, batch.length),
    ]);
    batches.push(Object.fromEntries(copy) as unknown as EventBatch);
  });
  let meta: TraceMeta;
  try {
    ingest.push(decompress(readFileSync(path)));
    meta = ingest.end();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  const table: EventTable = {
    meta,
    forEachBatch: async (visit) => {
      for (const batch of batches) visit(batch);
    },
  };
  const tables = newVerdictTables();
  await replay(table, { policies: ["counts-unlocked"] }, tables, 0);
  for (let row = 0; row < tables.forks.length; row++)
    if (tables.forks.get("sampled_users", row) !== null) return tables;
  return undefined;
}

function newTally(): Tally {
  const zero = (): Record<string, number> => Object.fromEntries(WORDS.map((word) => [word, 0]));
  return { forks: 0, slow: 0, named: 0, certain: 0, refs: { mm_users: zero(), mm_count: zero() } };
}

function rowsByFork({ denials }: VerdictTables): Map<number, DenialRow[]> {
  const out = new Map<number, DenialRow[]>();
  for (let i = 0; i < denials.length; i++) {
    const row = denials.row(i);
    out.set(row.fork ?? -1, [...(out.get(row.fork ?? -1) ?? []), row]);
  }
  return out;
}

function slowForks({ verdicts }: VerdictTables): number[] {
  const out: number[] = [];
  for (let i = 0; i < verdicts.length; i++)
    if (verdicts.get("decision", i) === "slow") out.push(verdicts.get("fork", i) ?? -1);
  return out;
}

function count(tables: VerdictTables, into: Tally): void {
  const byFork = rowsByFork(tables);
  into.forks += tables.forks.length;
  for (const fork of slowForks(tables)) {
    const rows = byFork.get(fork) ?? [];
    into.slow++;
    if (rows.every(({ basis }) => basis !== null)) into.named++;
    if (rows.every(({ basis }) => basis === "held" || basis === "moving")) into.certain++;
    for (const { counter, basis, refs } of rows) {
      const sums = into.refs[counter as "mm_users" | "mm_count"];
      sums[basis ?? "unattributed"] = (sums[basis ?? "unattributed"] ?? 0) + (refs ?? 0);
    }
  }
}

function leftovers(tables: VerdictTables): string[] {
  return [...rowsByFork(tables)].flatMap(([fork, rows]) =>
    rows
      .filter(({ basis }) => basis === null)
      .map(({ counter, refs, evidence }) => {
        const {
          line: at,
          comm,
          tid,
          mm,
          doubts,
          mm_users,
          mm_count,
          derived_users,
          derived_count,
        } = tables.forks.row(fork);
        const counts = `users ${mm_users} (${derived_users}) count ${mm_count} (${derived_count})`;
        return `line ${at} ${comm}-${tid} ${mm} ${counts}: ${counter} ${refs} unattributed (${evidence}); ${doubts.join(" ")}`;
      }),
  );
}

function line(label: string, { slow, named, certain, refs }: Tally): string {
  const share = (n: number): string => (slow === 0 ? "-" : `${((100 * n) / slow).toFixed(1)} %`).padStart(8);
  const four = (of: Record<string, number>): string =>
    WORDS.map((word) => of[word])
      .join("/")
      .padStart(21);
  return `${label.padEnd(20)}${String(slow).padStart(8)}${share(named)}${share(certain)}${four(refs.mm_users)}${four(refs.mm_count)}`;
}

await main();
