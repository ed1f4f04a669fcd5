// npm run kernel: builds the modules of assembly/ and puts them, as base64, into src/ingest, because the rooms behind the
// command line read no files. A test holds these files to what the source gives.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FLAGS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd"];

export interface KernelModule {
  readonly source: string;
  readonly target: string;
  readonly constant: string;
}

/** One for text, one for ring-buffer pages, one for perf.data. */
export const MODULES: readonly KernelModule[] = [
  { source: "assembly/plain.ts", target: "src/ingest/kernel-wasm.ts", constant: "KERNEL_WASM" },
  { source: "assembly/pages.ts", target: "src/ingest/ring-buffer/pages-wasm.ts", constant: "PAGES_WASM" },
  { source: "assembly/perf.ts", target: "src/ingest/perf-data/perf-wasm.ts", constant: "PERF_WASM" },
];

/** The text of a module's target. */
export async function kernelSource({ source, constant }: KernelModule): Promise<string> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([source, "--baseDir", ROOT, ...FLAGS, "--outFile", "out.wasm"], {
    readFile: (name, base) => readOrNull(`${base}/${name}`),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined)
    throw new Error(`${source}: ${String(error)}\n${stderr.toString()}`);
  return [
    `// Built from ${source} by \`npm run kernel\`; do not edit.`,
    "",
    "/** The WebAssembly module, base64. */",
    `export const ${constant}: string =\n  "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const module of MODULES) writeFileSync(`${ROOT}${module.target}`, await kernelSource(module));
}
