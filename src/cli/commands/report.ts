// forkcast report DIR: renders report.html, or its twin in text or Markdown, from the tables of a result directory.
import { join } from "node:path";
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import { replaceFile, writeWhole } from "../files.ts";
import { print } from "../output.ts";
import { REPORT_FILE } from "../output-dir.ts";
import { quotePath } from "../trace-input.ts";

interface Options {
  readonly out?: string;
  readonly text: boolean;
  readonly markdown: boolean;
}

/** The command; `done` receives its exit code. */
export function reportCommand(done: (code: number) => void): Command {
  return new Command("report")
    .description("write the report of a result directory again: HTML, text or Markdown")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .option(
      "-o, --out <file>",
      "the file to write (default: report.html in DIR; text goes to standard output)",
    )
    .option("--text", "plain text under 78 columns, for mailing lists", false)
    .option("--markdown", "Markdown, for issues and wikis", false)
    .action(async (dir: string, options: Options) => {
      if (options.text && options.markdown) throw new UsageError("--text or --markdown, not both");
      if (options.text || options.markdown) {
        const { writeBrief } = await import("../run-report.ts");
        await writeBrief(dir, options.text ? "text" : "markdown", options.out);
        done(0);
        return;
      }
      const { readResults, renderHtml } = await import("../results.ts");
      const { summarize } = await import("../../analyze/summary.ts");
      const results = readResults(dir);
      const summary = summarize(results.tables, results.metas, results.infos);
      const out = options.out ?? join(dir, REPORT_FILE);
      await replaceFile(out, async (temporary) =>
        writeWhole(temporary, await renderHtml(dir, results, summary)),
      );
      await print(`report: ${quotePath(out)}`);
      done(0);
    });
}
