// forkcast report DIR: renders report.html again from the tables of a result directory.
import { join } from "node:path";
import { Command } from "commander";
import { replaceFile, writeWhole } from "../files.ts";
import { print } from "../output.ts";
import { REPORT_FILE } from "../output-dir.ts";
import { quotePath } from "../trace-input.ts";

/** The command; `done` receives its exit code. */
export function reportCommand(done: (code: number) => void): Command {
  return new Command("report")
    .description("write the HTML report of a result directory again")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .option("-o, --out <file>", "the HTML file to write (default: report.html in DIR)")
    .action(async (dir: string, options: { readonly out?: string }) => {
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
