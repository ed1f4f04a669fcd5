// The library: the stages that the command line puts together. Everything here is pure; reading and writing files is the
// caller's business. docs/library.md says what each is for.

export { type Chart, completeSpec } from "./analyze/charts/chart.ts";
export { allCharts } from "./analyze/charts/index.ts";
export { type Descendants, descendantForks } from "./analyze/descendants.ts";
export { type ForkFilter, filterTables } from "./analyze/filter.ts";
export { type ReportInput, renderReport } from "./analyze/report/index.ts";
export type { ChartLibraries } from "./analyze/report/scripts.ts";
export { type Summary, summarize } from "./analyze/summary.ts";
export { renderText } from "./analyze/text.ts";
export { InputError } from "./base/errors.ts";
export type { Problem, ProblemKind, Severity } from "./base/problem.ts";
export { CODECS } from "./cli/codecs.ts";
export {
  type Codecs,
  FORMATS,
  type FormatName,
  type Ingest,
  type IngestOptions,
  type NamedSource,
  openIngest,
  openRecording,
  RECORDING_FORMATS,
  type Recording,
  type RecordingFormat,
  type RecordingOptions,
} from "./ingest/index.ts";
export { type ReplayOptions, replay } from "./replay/index.ts";
export { EventFileWriter, readEventFile } from "./table/arrow.ts";
export { ColumnTable, type TableRows } from "./table/columns.ts";
export type { EventBatch, EventTable, TraceMeta } from "./table/event-batch.ts";
export { EVENT_KIND_NAMES, EventKind } from "./table/event-kinds.ts";
export { decodeTable, encodeTable, openTableFile, TableFileWriter } from "./table/table-file.ts";
export {
  BLOCK_SPEC,
  DENIAL_CAUSES,
  DENIAL_SPEC,
  EXPOSURE_SPEC,
  FORK_SPEC,
  NEAR_MISS_SPEC,
  newVerdictTables,
  POLICY_IDS,
  PROBLEM_SPEC,
  type ReplayInfo,
  type ResultTables,
  SCHEMA_VERSION,
  VERDICT_SPEC,
  type VerdictTables,
} from "./table/verdict-tables.ts";
