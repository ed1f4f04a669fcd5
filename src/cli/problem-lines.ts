// The defects met in one trace as lines for standard error: place, code, meaning, how many.
import { printable } from "../analyze/plain-text.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import { quotePath } from "./trace-input.ts";

/** One line a kind of defect, "trace.txt:12: code: meaning (3 of them, the first here)". */
export function problemLines({ path, problems = [] }: TraceMeta): string[] {
  return problems.map(({ kind, count, firstLine }) =>
    printable(
      `${quotePath(path)}:${firstLine}: ${kind.code}: ${kind.meaning} (${count} of them, the first here)`,
    ),
  );
}
