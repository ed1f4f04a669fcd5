// forkcast report DIR: renders report.html, or its twin in text or Markdown, from the tables of a result directory.
import { join } from "node:path";
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import { replaceFile, writeWhole } from "../files.ts";
import { addFilterOptions, type FilterCliOptions } from "../filter-options.ts";
import { print } from "../output.ts";
import { REPORT_FILE } from "../output-dir.ts";
import { quotePath } from "../trace-input.ts";

interface Options extends FilterCliOptions {
  readonly out?: string;
  readonly text: boolean;
  readonly markdown: boolean;
}

/** The command; `done` receives its exit code. */
export function reportCommand(done: (code: number) => void): Command {
  const command = new Command("report")
    .description("write the report of a result directory again: HTML, text or Markdown")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .option(
      "-o, --out <file>",
      "the file to write (default: report.html in DIR; text goes to standard output)",
    )
    .option("--text", "plain text under 78 columns, for mailing lists", false)
    .option("--markdown", "Markdown, for issues and wikis", false);
  return addFilterOptions(command).action(async (dir: string, options: Options) => {
    if (options.text && options.markdown) throw new UsageError("--text or --markdown, not both");
    if (options.text || options.markdown) {
      const { writeBrief } = await import("../run-report.ts");
      await writeBrief(dir, options.text ? "text" : "markdown", options);
      done(0);
      return;
    }
    const { readResults, renderHtml, summaryOf } = await import("../results.ts");
    const { filterResults } = await import("../filter-results.ts");
    const results = await filterResults(dir, readResults(dir), options);
    const out = options.out ?? join(dir, REPORT_FILE);
    await replaceFile(out, async (temporary) =>
      writeWhole(temporary, await renderHtml(dir, results, summaryOf(results))),
    );
    await print(`report: ${quotePath(out)}`);
    done(0);
  });
}
