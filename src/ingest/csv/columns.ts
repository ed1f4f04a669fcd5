// The header row of a recorder's CSV: which column is where. Columns are found by name, in any order; others are
// ignored. Used by detect.ts to tell the format and by the reader.
import Papa from "papaparse";

/** Columns forkcast reads. */
export const CSV_COLUMNS = [
  "ts_ns",
  "cpu",
  "pid",
  "tid",
  "event",
  "mm",
  "mm_users",
  "mm_count",
  "other_mm",
  "target_tid",
  "extra",
  "comm",
] as const;
export type CsvColumn = (typeof CSV_COLUMNS)[number];

const NEEDED: readonly CsvColumn[] = [
  "ts_ns",
  "cpu",
  "tid",
  "event",
  "mm",
  "other_mm",
  "target_tid",
  "extra",
];
/** A line with at least this many of the columns' names is a header row. */
const HEADER_NAMES = 4;

/** Where each column stands, -1 when the file has none of that name. */
export interface CsvLayout {
  readonly index: Readonly<Record<CsvColumn, number>>;
  readonly columns: number;
  /** Needed columns the header lacks. */
  readonly missing: readonly CsvColumn[];
  /** comm is last and nothing is quoted: everything behind the last separator but one is the name, as printed. */
  readonly rawComm: boolean;
}

/** Layout of a header row; null when the line is none. */
export function readCsvHeader(line: string): CsvLayout | null {
  if (!line.includes(",")) return null;
  const names = (Papa.parse<string[]>(line, { delimiter: "," }).data[0] ?? []).map((name) => name.trim());
  const entries = CSV_COLUMNS.map((column) => [column, names.indexOf(column)] as const);
  const found = entries.filter(([, at]) => at >= 0).length;
  if (found < HEADER_NAMES) return null;
  const index = Object.fromEntries(entries) as Record<CsvColumn, number>;
  return {
    index,
    columns: names.length,
    missing: NEEDED.filter((column) => index[column] < 0),
    rawComm: index.comm === names.length - 1 && !line.includes('"'),
  };
}
