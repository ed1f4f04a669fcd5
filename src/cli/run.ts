// What analyze and replay have in common once there are events: replay them, fill the result directory, say
// what was found, decide about --fail-on.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Summary } from "../analyze/summary.ts";
import { assert } from "../base/assert.ts";
import { quote } from "../base/errors.ts";
import { ASSUMPTIONS } from "../replay/index.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import type { ReplayInfo } from "../table/verdict-tables.ts";
import { EXIT, UsageError } from "./exit.ts";
import { attempt } from "./files.ts";
import { type FilterCliOptions, hasFilter } from "./filter-options.ts";
import { filterRows } from "./filter-results.ts";
import type { Listeners } from "./ingest-trace.ts";
import { type FailOn, type ReplayCliOptions, resultOptions } from "./options.ts";
import { detail, paint, print } from "./output.ts";
import { eventsFile, REPORT_FILE, replaceDir, TABLES_DIR, tablePath } from "./output-dir.ts";
import { problemLines } from "./problem-lines.ts";
import { Follower } from "./replay-events.ts";
import { type Results, summaryText, writeParquet, writeResults } from "./results.ts";
import { Tally } from "./run-tally.ts";
import { type OpenTables, TableFiles } from "./table-files.ts";
import { quotePath } from "./trace-input.ts";

/**
 * Makes the result directory `dir` of `count` traces. `provide` puts the events of trace i at the given path, lets
 * `listeners` follow, and returns what the meta lacks that whenRead got; a failure of any trace leaves nothing behind. Prints the answer; returns the exit code.
 */
export async function runInto(
  dir: string,
  count: number,
  options: ReplayCliOptions & FilterCliOptions,
  provide: (
    trace: number,
    eventsPath: string,
    tally: Tally,
    listeners: Required<Listeners>,
  ) => Promise<Pick<TraceMeta, "sha256">>,
): Promise<number> {
  checkAssumptions(options.assume);
  const tally = new Tally();
  const metas: TraceMeta[] = [];
  const infos: ReplayInfo[] = [];
  let answer: { readonly summary: Summary; readonly text: string } | undefined;
  await replaceDir(dir, async (temporary) => {
    attempt(temporary, () => mkdirSync(join(temporary, TABLES_DIR)));
    // What a filter chooses from is no part of the result.
    const unfiltered = join(temporary, "unfiltered");
    const files = new TableFiles(join(temporary, hasFilter(options) ? "unfiltered" : TABLES_DIR));
    for (let trace = 0; trace < count; trace++) {
      const eventsPath = tablePath(temporary, eventsFile(trace));
      let read: TraceMeta | undefined;
      const follower = new Follower(options, () => files.settle());
      const lacking = await provide(trace, eventsPath, tally, {
        onRows: (batch, known) => follower.feed(batch, known),
        whenRead: async (meta) => {
          const isFollowed = follower.holdsFor(meta);
          tally.stage(isFollowed ? "events read and replayed" : "events read");
          infos.push(await follower.finish(meta, eventsPath, files.tables, trace));
          tally.stage(isFollowed ? "verdicts made" : "replayed, verdicts made");
          tally.events += meta.events;
          for (const line of problemLines(meta)) detail(line);
          read = meta;
        },
      });
      assert(read !== undefined, "the events could be read");
      metas.push({ ...read, ...lacking });
    }
    const all = files.finish();
    const opened: OpenTables[] = [all];
    try {
      let results: Results = { tables: all.tables, metas, infos, options: resultOptions(options) };
      if (hasFilter(options)) {
        const chosen = new TableFiles(join(temporary, TABLES_DIR));
        const filter = await filterRows(temporary, results, options, chosen.tables, () => chosen.settle());
        const some = chosen.finish();
        opened.push(some);
        results = { ...results, tables: some.tables, filter };
      }
      const summary = await writeResults(temporary, results);
      if (options.parquet) await writeParquet(temporary, results);
      answer = { summary, text: await answerText(summary, results, options.json) };
    } finally {
      for (const { close } of opened) close();
    }
    attempt(unfiltered, () => rmSync(unfiltered, { recursive: true, force: true }));
    tally.stage("tables and report written");
  });
  if (answer === undefined) return EXIT.bug;
  await print(answer.text);
  if (!options.json) await print(`report: ${quotePath(join(dir, REPORT_FILE))}`);
  tally.close(answer.summary.forks.total);
  return options.failOn !== undefined && isMet(options.failOn, answer.summary) ? EXIT.failOn : EXIT.done;
}

async function answerText(summary: Summary, { tables }: Results, isJson: boolean): Promise<string> {
  if (isJson) return summaryText(summary);
  const { renderText } = await import("../analyze/text.ts");
  return renderText(summary, tables, paint);
}

/** Throws UsageError for a name that replay does not know. */
function checkAssumptions(names: readonly string[]): void {
  const known: readonly string[] = ASSUMPTIONS;
  const unknown = names.find((name) => !known.includes(name) && !/^armed:./.test(name));
  if (unknown === undefined) return;
  throw new UsageError(`unknown assumption ${quote(unknown)}; known: ${known.join(", ")}, armed:FUNCTION`);
}

/** Whether any evaluated policy has a fork of the condition. */
function isMet(condition: FailOn, summary: Summary): boolean {
  const policies = Object.values(summary.policies);
  return condition === "unsafe"
    ? policies.some((policy) => policy.unsafe > 0)
    : policies.some((policy) => policy.indeterminate + policy.unsafe_indeterminate > 0);
}
