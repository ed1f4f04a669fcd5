// What an export says of the recording as a whole: lost data (__intrinsic_stats), clock and kernel (__intrinsic_metadata).
// Names and what they count: src/trace_processor/storage/stats.h and metadata.h, v58.
import { NONE } from "../../table/event-batch.ts";
import type { StoredColumn, StoredTable } from "../../table/stored-table.ts";
import { MAX_CPU } from "../limits.ts";

/** Statistics of one CPU, by `idx`: the kernel lost events while Perfetto recorded. */
const LOST_ON_CPU: ReadonlySet<string> = new Set([
  "ftrace_cpu_has_data_loss",
  "ftrace_cpu_overrun_delta",
  "ftrace_cpu_commit_overrun_delta",
  "ftrace_cpu_dropped_events_delta",
]);
/** Statistics that stand for events that are not in the table, on some CPU, and have another severity than data_loss. */
const LOST_ANYWHERE: ReadonlySet<string> = new Set([
  "ftrace_bundle_tokenizer_errors",
  "ftrace_generic_descriptor_errors",
  "ftrace_missing_event_id",
  "compact_sched_has_parse_errors",
  "sorter_push_event_out_of_order",
  "clock_sync_unrelatable_clock_domains",
]);
const LOST_DATA = "data_loss";
const MAX_NAME = 128;
const CLOCK_FAILURE = "clock_sync_failure";
/** Lost data of sources that are not ftrace. */
const NOT_FTRACE = /^(?:android_|heapprofd_|heap_graph_|jit_|perf_|primes_|simpleperf_|misplaced_end_event$)/;

/** BuiltinClock, protos/perfetto/common/builtin_clock.proto, in ftrace's words. */
const CLOCKS: ReadonlyMap<number, string> = new Map([
  [1, "realtime"],
  [3, "mono"],
  [5, "mono_raw"],
  [6, "boot"],
]);

/** A statistic that counts lost data. */
export interface Loss {
  readonly name: string;
  /** The CPU it is of, -1 for any. */
  readonly cpu: number;
  readonly value: number;
}

/** The losses of `machine`, and those no machine is named for. Null when the table lacks a column. */
export function readLosses(table: StoredTable, machine: number): Loss[] | null {
  if (table.rows === 0) return [];
  const names = table.column("name", "text");
  const values = table.column("value", "i64");
  const severities = table.column("severity", "text");
  if (names === null || values === null || severities === null) return null;
  const indexes = table.column("idx", "i64");
  const machines = table.column("machine_id", "u32");
  const losses: Loss[] = [];
  for (let row = 0; row < table.rows; row++) {
    const value = numberOf(values, row, 0);
    if (value <= 0 || numberOf(machines, row, machine) !== machine) continue;
    const name = names.text(row, MAX_NAME) ?? "a statistic without a name";
    if (!isLoss(name, severities.text(row, MAX_NAME) ?? LOST_DATA)) continue;
    const index = numberOf(indexes, row, NONE);
    const isCpu = LOST_ON_CPU.has(name) && index >= 0 && index <= MAX_CPU;
    losses.push({ name, cpu: isCpu ? index : NONE, value });
  }
  return losses;
}

function numberOf(column: StoredColumn | null, row: number, otherwise: number): number {
  return column === null || column.isNull(row) ? otherwise : column.number(row);
}

function isLoss(name: string, severity: string): boolean {
  if (LOST_ON_CPU.has(name) || LOST_ANYWHERE.has(name) || name.startsWith(CLOCK_FAILURE)) return true;
  return severity === LOST_DATA && !NOT_FTRACE.test(name);
}

/** Clock and kernel as the metadata tell; "" where they do not. */
export function readMetadata(
  table: StoredTable,
  machine: number,
): { readonly clock: string; readonly kernel: string } {
  const names = table.column("name", "text");
  const numbers = table.column("int_value", "i64");
  const texts = table.column("str_value", "text");
  const machines = table.column("machine_id", "u32");
  let clock = "";
  let kernel = "";
  for (let row = 0; row < table.rows; row++) {
    const name = names?.text(row, MAX_NAME) ?? "";
    if (name === "trace_time_clock_id") clock = CLOCKS.get(numberOf(numbers, row, 0)) ?? "";
    if (name === "system_release" && numberOf(machines, row, machine) === machine)
      kernel = releaseOf(texts?.text(row, 256) ?? "");
  }
  return { clock, kernel };
}

function releaseOf(text: string): string {
  return /^\S{1,64}$/.test(text) ? text : "";
}
