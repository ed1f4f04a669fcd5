// npm run bench:replay -- events.arrow [--runs=N]: bundles replay-passes.ts as the command line is bundled (assembly/bundle.ts),
// and runs it. Loaded module by module by tsx, a replay took 0.43 s where it takes 0.31: tsx names every function it meets as a
// value, once more whenever one is made.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const OUT = fileURLToPath(new URL("./out/replay-passes.mjs", import.meta.url));

await build({
  entryPoints: [fileURLToPath(new URL("./replay-passes.ts", import.meta.url))],
  outfile: OUT,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifyWhitespace: true,
  minifySyntax: true,
  banner: {
    js: 'import{createRequire as nodeRequire}from"node:module";const require=nodeRequire(import.meta.url);',
  },
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, [OUT, ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
