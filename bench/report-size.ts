// How large and how slow a report gets with the number of forks: made-up tables of 10^4, 10^5 … forks, in files as the replay
// leaves them, through summary and page.
// npm run bench:report -- [FORKS...] [--policies ID,ID]. The last line of docs/performance.md's table was measured with it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderReport } from "../src/analyze/report/index.ts";
import { summarize } from "../src/analyze/summary.ts";
import { TableFiles } from "../src/cli/table-files.ts";
import { POLICY_IDS } from "../src/table/verdict-tables.ts";
import { manyForks } from "../test/support/many-forks.ts";

const args = process.argv.slice(2);
const given = args.indexOf("--policies");
const policies = given < 0 ? POLICY_IDS : (args[given + 1] ?? "").split(",");
const sizes = (given < 0 ? args : args.slice(0, given)).map(Number);

const read = (name: string, file: string): string =>
  readFileSync(fileURLToPath(new URL(file, import.meta.resolve(name))), "utf8");
const libraries = {
  vega: read("vega", "vega.min.js"),
  vegaLite: read("vega-lite", "vega-lite.min.js"),
  interpreter: read("vega-interpreter", "vega-interpreter.js"),
};

console.log("forks, policies, report in MB, seconds, peak memory in MB (tables included)");
for (const forks of sizes.length > 0 ? sizes : [10_000, 100_000, 1_000_000]) {
  const dir = mkdtempSync(join(tmpdir(), "forkcast-bench-"));
  const files = new TableFiles(dir);
  const { metas, infos } = manyForks(forks, policies, files.tables, () => files.settle());
  const { tables, close } = files.finish();
  const started = performance.now();
  const summary = summarize(tables, metas, infos);
  const page = await renderReport({ tables, metas, summary, toolVersion: "bench", libraries });
  const seconds = (performance.now() - started) / 1e3;
  close();
  rmSync(dir, { recursive: true });
  const memory = process.resourceUsage().maxRSS / 1024;
  console.log(
    [
      forks,
      policies.length,
      (Buffer.byteLength(page) / 1e6).toFixed(2),
      seconds.toFixed(1),
      memory.toFixed(0),
    ].join(", "),
  );
}
