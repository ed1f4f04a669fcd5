// The report's figures counted again from the tables, row by row with plain objects and no code of src/analyze.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ColumnTable, RowOf, TableSpec } from "../../src/table/columns.ts";
import { decodeTable } from "../../src/table/table-file.ts";
import {
  BLOCK_SPEC,
  DENIAL_SPEC,
  EXPOSURE_SPEC,
  FORK_SPEC,
  VERDICT_SPEC,
} from "../../src/table/verdict-tables.ts";

function rowsOf<S extends TableSpec>(dir: string, name: string, spec: S): RowOf<S>[] {
  const table: ColumnTable<S> = decodeTable(readFileSync(join(dir, "tables", `${name}.arrow`)), spec);
  return Array.from({ length: table.length }, (_, row) => table.row(row));
}

function tally<T>(items: readonly T[], key: (item: T) => string | number | null): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(String(key(item)), (counts.get(String(key(item))) ?? 0) + 1);
  return counts;
}

/** The rows of a result directory. */
export interface Rows {
  readonly forks: RowOf<typeof FORK_SPEC>[];
  readonly verdicts: RowOf<typeof VERDICT_SPEC>[];
  readonly exposures: RowOf<typeof EXPOSURE_SPEC>[];
  readonly blocks: RowOf<typeof BLOCK_SPEC>[];
  readonly denials: RowOf<typeof DENIAL_SPEC>[];
}

export function readRows(dir: string): Rows {
  return {
    forks: rowsOf(dir, "forks", FORK_SPEC),
    verdicts: rowsOf(dir, "verdicts", VERDICT_SPEC),
    exposures: rowsOf(dir, "exposures", EXPOSURE_SPEC),
    blocks: rowsOf(dir, "blocks", BLOCK_SPEC),
    denials: rowsOf(dir, "denials", DENIAL_SPEC),
  };
}

/** Value by path as in summary.json, for everything that rows of the tables determine. */
export function recount({ forks, verdicts, blocks }: Rows): Map<string, number> {
  const out = new Map<string, number>([["forks/total", forks.length]]);
  const put = (path: string, counts: ReadonlyMap<string, number>): void => {
    for (const [key, n] of counts) out.set(`${path}/${key}`, n);
  };
  put(
    "forks/windows",
    tally(forks, ({ window }) => window),
  );
  put(
    "forks/mm_users_evidence",
    tally(forks, ({ mm_users_evidence }) => mm_users_evidence),
  );
  put(
    "forks/mm_count_evidence",
    tally(forks, ({ mm_count_evidence }) => mm_count_evidence),
  );
  put(
    "forks/exposure",
    tally(forks, ({ exposure }) => exposure),
  );
  for (const policy of new Set(verdicts.map((row) => row.policy))) {
    const mine = verdicts.filter((row) => row.policy === policy);
    const path = `policies/${policy}`;
    for (const name of ["fast", "slow", "indeterminate"])
      out.set(`${path}/${name}`, mine.filter(({ decision }) => decision === name).length);
    const fast = mine.filter(({ decision }) => decision === "fast");
    out.set(`${path}/unsafe`, fast.filter(({ verdict }) => verdict === "unsafe").length);
    out.set(`${path}/unsafe_indeterminate`, fast.filter(({ verdict }) => verdict === "indeterminate").length);
    put(
      `${path}/evidence`,
      tally(mine, ({ evidence }) => evidence),
    );
    const causes = mine.filter(({ decision }) => decision === "slow").flatMap(({ denied_by }) => denied_by);
    put(
      `${path}/denied_by`,
      tally(causes, (cause) => cause),
    );
    const waits = blocks.filter((row) => row.policy === policy);
    const known = waits
      .flatMap(({ wait_ns }) => (wait_ns === null ? [] : [Number(wait_ns)]))
      .sort((a, b) => a - b);
    out.set(`${path}/blocked/events`, waits.length);
    out.set(`${path}/blocked/unknown_waits`, waits.length - known.length);
    out.set(
      `${path}/blocked/total_ns`,
      known.reduce((sum, ns) => sum + ns, 0),
    );
    for (const [name, q] of [
      ["p50_ns", 0.5],
      ["p99_ns", 0.99],
      ["max_ns", 1],
    ] as const)
      if (known.length > 0) out.set(`${path}/blocked/${name}`, known[Math.ceil(q * known.length) - 1]!);
  }
  return out;
}

/** Number of rows by key. */
export { tally };
