// Which files of an archive are tables of Perfetto's trace_processor, by their names: TABLE.arrow, as
// src/trace_processor/plugins/trace_export/trace_export.cc (v58) names them. Used by index.ts and by detection.
import { InputError } from "../../base/errors.ts";
import { openStoredTable, type StoredTable } from "../../table/stored-table.ts";
import type { NamedSource } from "../source.ts";

/** The tables that are read. */
export type TableName =
  | "ftrace_event"
  | "args"
  | "thread"
  | "process"
  | "cpu"
  | "machine"
  | "metadata"
  | "stats";

/** What `export perfetto` writes beside its tables, which only trace_processor of the same version reads. */
const MANIFEST = "perfetto_manifest.json";

function find(files: readonly NamedSource[], name: string): NamedSource | undefined {
  return files.find((file) => file.name === name || file.name.endsWith(`/${name}`));
}

function fileOf(files: readonly NamedSource[], table: TableName): NamedSource | undefined {
  return find(files, `__intrinsic_${table}.arrow`);
}

/** Whether these files are an export of trace_processor. */
export function holdsPerfetto(files: readonly NamedSource[]): boolean {
  const hasEvents = fileOf(files, "ftrace_event") !== undefined && fileOf(files, "args") !== undefined;
  return hasEvents || find(files, MANIFEST) !== undefined;
}

/** Throws InputError for an export of the kind that is not read. */
export function refuseOtherExport(files: readonly NamedSource[], path: string): void {
  if (find(files, MANIFEST) === undefined) return;
  throw new InputError(
    "perfetto/other-export",
    `${path}: is what \`trace_processor export perfetto\` writes, for trace_processor itself; ` +
      "expected the tar of `trace_processor export arrow_tar -o tables.tar TRACE`",
  );
}

/**
 * Opens a table. Throws InputError, naming the file, when it is missing or damaged; so do its cells later, without the
 * name.
 */
export function openTable(files: readonly NamedSource[], table: TableName, path: string): StoredTable {
  const file = fileOf(files, table);
  if (file === undefined)
    throw new InputError(
      "perfetto/no-table",
      `${path}: no __intrinsic_${table}.arrow in it; expected the tar of \`trace_processor export arrow_tar\``,
    );
  try {
    return openStoredTable(file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.code, `${path}: ${file.name}: ${error.message}`);
  }
}
