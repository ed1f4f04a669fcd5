// What trace-cmd and perf print of a recording, as digests: run by hand to write expected.json, and live by the
// differential test where the tools are installed.
//   npx tsx test/ingest/recordings/outside.ts
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { ZstdDecoder } from "../../../src/cli/zstd-decoder.ts";
import { type Digest, readText } from "../../support/recording-digest.ts";

const SHARED = fileURLToPath(new URL("../../../../shared/traces/", import.meta.url));
const OURS = fileURLToPath(new URL("../../fixtures/recordings/", import.meta.url));
export const EXPECTED: string = fileURLToPath(new URL("expected.json", import.meta.url));

/** A recording that trace-cmd or perf can read, by a name that stays the same where the folder is elsewhere. */
export interface Found {
  readonly name: string;
  readonly path: string;
  readonly tool: "trace-cmd" | "perf";
}

/** Files of public/ that perf 6.1 refuses or prints without a time; they have tests of their own. */
const WITHOUT_TOOL = /LinuxTracepoints|linux-perf-data|perf_data_converter/;

/** Our fixtures, and the recordings of ../shared when they lie beside the repository. */
export function recordings(): Found[] {
  const found: Found[] = [];
  for (const [prefix, root] of [
    ["shared", SHARED],
    ["fixtures", OURS],
  ] as const) {
    if (!existsSync(root)) continue;
    for (const path of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
      if (WITHOUT_TOOL.test(path)) continue;
      if (path.endsWith(".dat"))
        found.push({ name: `${prefix}/${path}`, path: join(root, path), tool: "trace-cmd" });
      if (/perf\w*\.data(?:\.zst)?$/.test(path)) {
        found.push({ name: `${prefix}/${path}`, path: join(root, path), tool: "perf" });
      }
    }
  }
  return found;
}

/** A file's bytes, decompressed by its name's ending. */
export async function bytesOf(path: string): Promise<Uint8Array> {
  const bytes = readFileSync(path);
  if (path.endsWith(".gz")) return gunzipSync(bytes);
  if (!path.endsWith(".zst")) return bytes;
  const parts: Buffer[] = [];
  const decoder = new ZstdDecoder((part) => parts.push(Buffer.from(part)));
  await decoder.push(bytes);
  await decoder.end();
  return Buffer.concat(parts);
}

/** "trace-cmd version 3.1.6", "perf version 6.1.192"; "" when the tool is not installed. */
export function versionOf(tool: Found["tool"]): string {
  const args = tool === "perf" ? ["--version"] : [];
  const { stdout, stderr, error } = spawnSync(tool, args, { encoding: "utf8" });
  return error === undefined ? (/(?:trace-cmd|perf) version [\w.]+/.exec(stdout + stderr)?.[0] ?? "") : "";
}

/** What the tool prints of a recording, read as text. */
export async function printed(found: Found): Promise<Digest> {
  const directory = mkdtempSync(join(tmpdir(), "forkcast-"));
  try {
    const path = join(directory, "recording");
    writeFileSync(path, await bytesOf(found.path));
    const args =
      found.tool === "trace-cmd"
        ? ["report", "-R", "-t", "-i", path]
        : ["script", "--ns", "--show-lost-events", "-F", "comm,pid,tid,cpu,time,event,trace", "-i", path];
    const text = execFileSync(found.tool, args, {
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, HOME: directory },
    });
    return readText(text).digest;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Expected {
  readonly tool: string;
  readonly digest: Digest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const expected: Record<string, Expected> = {};
  for (const found of recordings()) {
    expected[found.name] = { tool: versionOf(found.tool), digest: await printed(found) };
    process.stdout.write(`${found.name}\n`);
  }
  writeFileSync(EXPECTED, `${JSON.stringify(expected, null, 1)}\n`);
}
