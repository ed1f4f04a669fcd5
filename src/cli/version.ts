// The version that --version prints and results carry: package.json's, two levels above src/cli and dist/cli.
import { readFileSync } from "node:fs";

export const TOOL_VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
