// The tables of `trace_processor export arrow_tar` as its source (v58) fills them: events in the order of time, equal argument
// sets shared and numbered by their first row (importers/common/global_args_tracker.h), one cell of a kind per argument.

import type { NamedSource } from "../../src/ingest/index.ts";
import { type Cell, type Column, writeArrow } from "./arrow-writer.ts";
import { memoryFile } from "./dump-recording.ts";

export type ArgValue = number | bigint | string | null;

export interface ExportEvent {
  readonly ts: bigint;
  readonly name: string;
  readonly utid: number;
  readonly ucpu: number;
  readonly args: readonly (readonly [string, ArgValue])[];
}

export interface ExportThread {
  readonly tid: number;
  readonly name: string | null;
  readonly upid: number | null;
  readonly machine?: number;
}

export interface ExportSpec {
  readonly events: readonly ExportEvent[];
  /** By utid; 0 is the idle task. */
  readonly threads: readonly ExportThread[];
  /** Pids, by upid. */
  readonly processes: readonly number[];
  /** By ucpu. */
  readonly cpus: readonly { readonly cpu: number; readonly machine?: number }[];
  readonly stats?: readonly {
    readonly name: string;
    readonly idx?: number;
    readonly severity: string;
    readonly value: number;
  }[];
  readonly metadata?: readonly { readonly name: string; readonly int?: number; readonly text?: string }[];
}

/** A table's columns, by file name without its ending. */
export type Tables = Readonly<Record<string, readonly Column[]>>;

/** The tables, to be changed by tests that damage them. */
export function exportTables({
  events,
  threads,
  processes,
  cpus,
  stats = [],
  metadata = [],
}: ExportSpec): Tables {
  const sets = new Map<string, number>();
  const args: { set: number; key: string; value: ArgValue }[] = [];
  const setIds = events.map((event) => {
    if (event.args.length === 0) return 0;
    const digest = JSON.stringify(event.args, (_, value) =>
      typeof value === "bigint" ? `${value}n` : value,
    );
    const known = sets.get(digest);
    if (known !== undefined) return known;
    const set = args.length;
    sets.set(digest, set);
    for (const [key, value] of event.args) args.push({ set, key, value });
    return set;
  });
  const typeOf = (value: ArgValue): string =>
    typeof value === "string" || value === null ? "string" : "int";
  return {
    __intrinsic_ftrace_event: table(events.length, {
      ts: ["i64", events.map(({ ts }) => ts)],
      name: ["text", events.map(({ name }) => name)],
      utid: ["u32", events.map(({ utid }) => utid)],
      arg_set_id: ["u32", setIds],
      common_flags: ["u32", events.map(() => 0)],
      ucpu: ["u32", events.map(({ ucpu }) => ucpu)],
    }),
    __intrinsic_args: table(args.length, {
      arg_set_id: ["u32", args.map(({ set }) => set)],
      flat_key: ["text", args.map(({ key }) => key)],
      key: ["text", args.map(({ key }) => key)],
      int_value: ["i64?", args.map(({ value }) => (typeof value === "string" ? null : value))],
      string_value: ["text?", args.map(({ value }) => (typeof value === "string" ? value : null))],
      real_value: ["f64?", args.map(() => null)],
      value_type: ["text", args.map(({ value }) => typeOf(value))],
    }),
    __intrinsic_thread: table(threads.length, {
      tid: ["i64", threads.map(({ tid }) => tid)],
      name: ["text?", threads.map(({ name }) => name)],
      start_ts: ["i64?", threads.map(() => null)],
      upid: ["u32?", threads.map(({ upid }) => upid)],
      is_idle: ["u32", threads.map(({ tid }) => (tid === 0 ? 1 : 0))],
      machine_id: ["u32", threads.map(({ machine = 0 }) => machine)],
    }),
    __intrinsic_process: table(processes.length, {
      pid: ["i64", processes],
      name: ["text?", processes.map(() => null)],
      machine_id: ["u32", processes.map(() => 0)],
    }),
    __intrinsic_cpu: table(cpus.length, {
      cpu: ["u32?", cpus.map(({ cpu }) => cpu)],
      cluster_id: ["u32", cpus.map(() => 0)],
      processor: ["text", cpus.map(() => "x86")],
      machine_id: ["u32", cpus.map(({ machine = 0 }) => machine)],
    }),
    __intrinsic_stats: table(stats.length, {
      name: ["text", stats.map(({ name }) => name)],
      key: ["i64", stats.map((_, i) => i)],
      idx: ["i64?", stats.map(({ idx }) => idx ?? null)],
      severity: ["text", stats.map(({ severity }) => severity)],
      source: ["text", stats.map(() => "trace")],
      value: ["i64", stats.map(({ value }) => value)],
      machine_id: ["u32?", stats.map(() => null)],
    }),
    __intrinsic_metadata: table(metadata.length, {
      name: ["text", metadata.map(({ name }) => name)],
      key_type: ["text", metadata.map(() => "single")],
      int_value: ["i64?", metadata.map(({ int }) => int ?? null)],
      str_value: ["text?", metadata.map(({ text }) => text ?? null)],
      machine_id: ["u32?", metadata.map(() => 0)],
    }),
    __intrinsic_gpu: table(0, { gpu: ["u32?", []] }),
  };
}

/** Columns of a table, the implicit id in front; "?" marks those that can be null. */
function table(
  rows: number,
  columns: Readonly<Record<string, readonly [string, readonly Cell[]]>>,
): readonly Column[] {
  return [
    { name: "id", type: "u32", values: Array.from({ length: rows }, (_, row) => row) },
    ...Object.entries(columns).map(([name, [type, values]]): Column => {
      const nullable = type.endsWith("?");
      return { name, type: (nullable ? type.slice(0, -1) : type) as Column["type"], nullable, values };
    }),
  ];
}

/** Members of the tar, in trace_processor's names. */
export function exportFiles(tables: Tables): NamedSource[] {
  return Object.entries(tables)
    .map(([name, columns]) => memoryFile(`${name}.arrow`, writeArrow(columns)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The members as a tar, with the headers of trace_processor (util/tar_writer.cc). */
export function exportTar(files: readonly NamedSource[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, size, readAt } of files) {
    const header = new Uint8Array(512);
    const put = (at: number, text: string): void => header.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(100, "0644   ");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size.toString(8).padStart(11, "0"));
    put(136, (1_700_000_000).toString(8).padStart(11, "0"));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    put(265, "root");
    put(297, "root");
    put(329, "0000000");
    put(337, "0000000");
    put(
      148,
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
    );
    parts.push(header, readAt(0, size), new Uint8Array((512 - (size % 512)) % 512));
  }
  return Buffer.concat([...parts, new Uint8Array(1024)]);
}
