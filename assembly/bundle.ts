// The last step of npm run build: puts the modules of the command line and of the packages that every run loads, some three
// hundred files, into a few. Loading them one by one took 0.3 s of a 1 MB trace's 1.4 s. Without comments and spaces there is
// less to scan before the first line runs; names stay, for stack traces. What is loaded lazily stays apart, every other
// package stays where it is; the library (dist/index.js) is what tsc wrote.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = "dist/cli";
/** Packages whose code is copied, and the texts their licences ask to go with it. */
const BUNDLED = ["apache-arrow", "flatbuffers", "tslib", "commander", "fzstd", "papaparse"];
const LICENCES = ["LICENSE.txt", "LICENSE", "NOTICE.txt"];

const { dependencies, optionalDependencies } = JSON.parse(
  readFileSync(`${ROOT}package.json`, "utf8"),
) as Record<"dependencies" | "optionalDependencies", Record<string, string>>;
await build({
  absWorkingDir: ROOT,
  entryPoints: ["main", "part-worker", "recording-worker", "hash-worker"].map((name) => `${OUT}/${name}.js`),
  outdir: OUT,
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifyWhitespace: true,
  minifySyntax: true,
  // What commander asks for is part of node.
  banner: {
    js: 'import{createRequire as nodeRequire}from"node:module";const require=nodeRequire(import.meta.url);',
  },
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter(
    (name) => !BUNDLED.includes(name),
  ),
  logLevel: "warning",
});
const texts = BUNDLED.flatMap((name) =>
  LICENCES.map((file) => `node_modules/${name}/${file}`)
    .filter((path) => existsSync(`${ROOT}${path}`))
    .map((path) => `${path.slice("node_modules/".length)}\n\n${readFileSync(`${ROOT}${path}`, "utf8")}`),
);
writeFileSync(`${ROOT}${OUT}/third-party-licences.txt`, texts.join("\n\n"));
