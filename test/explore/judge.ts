// A schedule's trace through ingest and replay, in memory: what analyze would say of its fork under one policy.
import { openIngest } from "../../src/ingest/index.ts";
import { replay } from "../../src/replay/index.ts";
import { EventFileWriter, readEventFile } from "../../src/table/arrow.ts";
import { newVerdictTables } from "../../src/table/verdict-tables.ts";

export interface Judged {
  /** Forks found in the trace, and of the last one: */
  readonly forks: number;
  readonly decision: string | null;
  readonly verdict: string | null;
  readonly problems: readonly string[];
}

/** Judges the last fork of `trace` under `policy`. */
export async function judge(trace: string, policy: string, assume: readonly string[] = []): Promise<Judged> {
  const parts: Uint8Array[] = [];
  const writer = new EventFileWriter((bytes) => parts.push(bytes));
  const ingest = openIngest({ path: "schedule.txt", probes: new Map() }, (batch) =>
    writer.batch(batch, ingest.epochNs),
  );
  ingest.push(new TextEncoder().encode(trace));
  writer.finish(ingest.end());
  const file = Buffer.concat(parts);
  const events = readEventFile({ size: file.length, readAt: (at, length) => file.subarray(at, at + length) });
  const tables = newVerdictTables();
  await replay(events, { policies: [policy], assume }, tables, 0);
  const row = tables.verdicts.length - 1;
  return {
    forks: tables.forks.length,
    decision: row < 0 ? null : tables.verdicts.get("decision", row),
    verdict: row < 0 ? null : tables.verdicts.get("verdict", row),
    problems: [...ingest.problems.list().map(({ kind }) => kind.code), ...problemsOf(tables.problems)],
  };
}

function problemsOf(table: ReturnType<typeof newVerdictTables>["problems"]): string[] {
  return Array.from({ length: table.length }, (_, row) => table.get("code", row) ?? "");
}
