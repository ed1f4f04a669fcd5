// The files of a result directory: written once by analyze and replay, read back by report and explain.
// tables/run.json keeps what the Arrow tables do not: each trace's meta and what replay learned about it.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FilterNote } from "../analyze/filter.ts";
import type { ChartLibraries } from "../analyze/report/scripts.ts";
import { type Summary, summarize } from "../analyze/summary.ts";
import { assert } from "../base/assert.ts";
import { InputError } from "../base/errors.ts";
import { readEventFile } from "../table/arrow.ts";
import type { ColumnTable, TableSpec } from "../table/columns.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import { decodeTable } from "../table/table-file.ts";
import type { ReplayInfo, ResultTables, VerdictTables } from "../table/verdict-tables.ts";
import {
  BLOCK_SPEC,
  DENIAL_SPEC,
  EXPOSURE_SPEC,
  FORK_SPEC,
  NEAR_MISS_SPEC,
  PROBLEM_SPEC,
  SCHEMA_VERSION,
  VERDICT_SPEC,
} from "../table/verdict-tables.ts";
import { describeSystemError } from "./exit.ts";
import { inFile, openReader, writeWhole } from "./files.ts";
import { eventsFile, REPORT_FILE, SUMMARY_FILE, tablePath } from "./output-dir.ts";
import { quotePath } from "./trace-input.ts";
import { TOOL_VERSION } from "./version.ts";

const RUN_FILE = "run.json";

/** Everything one run found out. Parallel arrays by trace index. */
export interface Results {
  readonly tables: ResultTables;
  readonly metas: readonly TraceMeta[];
  readonly infos: readonly ReplayInfo[];
  /** Options that bear on the results, as they would be typed. */
  readonly options: readonly string[];
  /** What the forks in the tables were chosen by; absent: they are all that were recorded. */
  readonly filter?: FilterNote;
}

/** As readResults has it: all in memory. */
export type ReadResults = Results & { readonly tables: VerdictTables };

type StoredMeta = Omit<TraceMeta, "comms" | "pointers" | "problems" | "epochNs"> & {
  readonly epochNs: string;
};

interface RunFile {
  readonly schema_version: number;
  readonly tool_version: string;
  /** Optional: a result without it is read as one made without options. */
  readonly options?: readonly string[];
  readonly filter?: FilterNote;
  readonly traces: readonly { readonly meta: StoredMeta; readonly info: ReplayInfo }[];
}

/** Writes summary.json, report.html and tables/run.json into `dir`; the tables are there (TableFiles). */
export async function writeResults(dir: string, results: Results): Promise<Summary> {
  writeWhole(tablePath(dir, RUN_FILE), `${JSON.stringify(runFileOf(results), null, 2)}\n`);
  const summary = summaryOf(results);
  writeWhole(`${dir}/${SUMMARY_FILE}`, summaryText(summary));
  writeWhole(`${dir}/${REPORT_FILE}`, await renderHtml(dir, results, summary));
  return summary;
}

/** Writes the tables of `dir`, which writeResults filled, as Parquet beside the Arrow files. */
export async function writeParquet(dir: string, { tables, metas }: Results): Promise<void> {
  const { convertEvents, writeTables } = await import("./parquet-files.ts");
  writeTables(tables, (name) => tablePath(dir, `${name}.parquet`));
  for (const trace of metas.keys()) {
    const events = tablePath(dir, eventsFile(trace));
    await convertEvents(events, events.replace(/\.arrow$/, ".parquet"));
  }
}

/** All figures of a result. */
export function summaryOf({ tables, metas, infos, filter }: Results): Summary {
  return summarize(tables, metas, infos, filter ?? null);
}

/** summary.json's text. */
export function summaryText(summary: Summary): string {
  return `${JSON.stringify(summary, null, 2)}\n`;
}

/** report.html's text. `dir` holds the tables; events that are not beside them leave the drawings of windows out. */
export async function renderHtml(dir: string, results: Results, summary: Summary): Promise<string> {
  const { renderReport } = await import("../analyze/report/index.ts");
  const paths = results.metas.map((_, trace) => tablePath(dir, eventsFile(trace)));
  const readers = paths.every((path) => existsSync(path)) ? paths.map((path) => openReader(path)) : null;
  try {
    const events = readers?.map((reader, i) => inFile(paths[i] ?? "", () => readEventFile(reader)));
    return await renderReport({
      ...results,
      summary,
      toolVersion: TOOL_VERSION,
      libraries: readLibraries(),
      ...(events === undefined ? {} : { events }),
    });
  } finally {
    for (const reader of readers ?? []) reader.close();
  }
}

/** Reads back what writeResults wrote. Throws InputError naming the file that is missing or damaged. */
export function readResults(dir: string): ReadResults {
  const tables: VerdictTables = {
    forks: readTable(dir, "forks", FORK_SPEC),
    verdicts: readTable(dir, "verdicts", VERDICT_SPEC),
    exposures: readTable(dir, "exposures", EXPOSURE_SPEC),
    blocks: readTable(dir, "blocks", BLOCK_SPEC),
    near_misses: readTable(dir, "near_misses", NEAR_MISS_SPEC),
    denials: readTable(dir, "denials", DENIAL_SPEC),
    problems: readTable(dir, "problems", PROBLEM_SPEC),
  };
  const run = readRunFile(dir);
  return {
    tables,
    metas: run.traces.map(({ meta }) => ({
      ...meta,
      epochNs: BigInt(meta.epochNs),
      comms: [],
      pointers: [],
    })),
    infos: run.traces.map(({ info }) => info),
    options: run.options ?? [],
    ...(run.filter === undefined ? {} : { filter: run.filter }),
  };
}

function readTable<S extends TableSpec>(dir: string, name: string, spec: S): ColumnTable<S> {
  const path = tablePath(dir, `${name}.arrow`);
  if (!existsSync(path) && existsSync(tablePath(dir, RUN_FILE))) {
    const what = `${quotePath(dir)}: no tables/${name}.arrow: written by another version of forkcast`;
    throw new InputError("results/other-version", `${what}; analyze the trace again`);
  }
  return inFile(path, () => decodeTable(readOwn(path), spec));
}

function readRunFile(dir: string): RunFile {
  const path = tablePath(dir, RUN_FILE);
  const bad = (what: string): InputError => new InputError("results/damaged", `${quotePath(path)}: ${what}`);
  let run: RunFile;
  try {
    run = JSON.parse(new TextDecoder().decode(readOwn(path))) as RunFile;
  } catch (error) {
    if (error instanceof SyntaxError) throw bad("not JSON");
    throw error;
  }
  if (run.schema_version !== SCHEMA_VERSION) {
    throw bad(`schema_version ${JSON.stringify(run.schema_version)}; this forkcast reads ${SCHEMA_VERSION}`);
  }
  return run;
}

function readOwn(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const what = `${quotePath(path)}: ${describeSystemError(error)}; expected a directory that forkcast analyze wrote`;
    throw new InputError("results/unreadable", what);
  }
}

function runFileOf(results: Results): RunFile {
  return {
    schema_version: SCHEMA_VERSION,
    tool_version: TOOL_VERSION,
    options: results.options,
    ...(results.filter === undefined ? {} : { filter: results.filter }),
    traces: results.metas.map((meta, i) => {
      const { comms: _comms, pointers: _pointers, problems: _problems, epochNs, ...rest } = meta;
      const info = results.infos[i];
      assert(info !== undefined, `trace ${i} has no replay info`);
      return { meta: { ...rest, epochNs: epochNs.toString() }, info };
    }),
  };
}

/** The libraries' files as they are published, beside the modules that their packages export. */
function readLibraries(): ChartLibraries {
  const read = (name: string, file: string): string =>
    readFileSync(fileURLToPath(new URL(file, import.meta.resolve(name))), "utf8");
  return {
    vega: read("vega", "vega.min.js"),
    vegaLite: read("vega-lite", "vega-lite.min.js"),
    interpreter: read("vega-interpreter", "vega-interpreter.js"),
  };
}
