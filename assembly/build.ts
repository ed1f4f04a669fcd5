// npm run kernel: builds assembly/plain.ts and puts it, as base64, into src/ingest/kernel-wasm.ts, because the rooms
// behind the command line read no files. With --check: says whether that file is what the source gives.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const SOURCE = "assembly/plain.ts";
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TARGET = fileURLToPath(new URL("../src/ingest/kernel-wasm.ts", import.meta.url));
const FLAGS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd"];

/** The text of src/ingest/kernel-wasm.ts. */
export async function kernelSource(): Promise<string> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([SOURCE, "--baseDir", ROOT, ...FLAGS, "--outFile", "plain.wasm"], {
    readFile: (name, base) => readOrNull(`${base}/${name}`),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined)
    throw new Error(`${SOURCE}: ${String(error)}\n${stderr.toString()}`);
  return [
    "// Built from assembly/plain.ts by `npm run kernel`; do not edit.",
    "",
    "/** The WebAssembly module, base64. */",
    `export const KERNEL_WASM: string =\n  "${Buffer.from(binary).toString("base64")}";`,
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

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await kernelSource());
