// What doctor does: each trace through ingest and replay in a temporary place, then its diagnosis. Nothing is kept.
import { join } from "node:path";
import { type Diagnosis, diagnose } from "../analyze/diagnosis.ts";
import { renderDiagnosis } from "../analyze/diagnosis-text.ts";
import { newVerdictTables, SCHEMA_VERSION } from "../table/verdict-tables.ts";
import { ingestTrace } from "./ingest-trace.ts";
import type { IngestCliOptions } from "./options.ts";
import { replayEvents } from "./replay-events.ts";
import { withScratchDir } from "./scratch-dir.ts";

export interface DoctorCliOptions extends IngestCliOptions {
  readonly kernel?: string;
  readonly json: boolean;
}

/** The text of the command: one diagnosis a trace, as lines for people or as one JSON document. */
export async function runDoctor(paths: readonly string[], options: DoctorCliOptions): Promise<string> {
  const traces: Diagnosis[] = [];
  for (const path of paths) traces.push(await diagnoseTrace(path, options));
  if (options.json) return `${JSON.stringify({ schema_version: SCHEMA_VERSION, traces }, null, 2)}\n`;
  return traces.map(renderDiagnosis).join("\n\n");
}

async function diagnoseTrace(path: string, options: DoctorCliOptions): Promise<Diagnosis> {
  return await withScratchDir(async (dir) => {
    const events = join(dir, "events.arrow");
    await ingestTrace(path, options, events);
    const tables = newVerdictTables();
    const { kernel } = options;
    const choices = { assume: [], blind: false, ...(kernel === undefined ? {} : { kernel }) };
    const { meta, info } = await replayEvents(events, choices, tables, 0);
    return diagnose(tables, meta, info);
  });
}
