// The short traces of test/golden/replay, each by its name without .txt.
import { readFileSync } from "node:fs";
import { outcomeText } from "./outcome.ts";
import { ingest, type Outcome, run, type Trace } from "./recordings.ts";

function bytesOf(name: string): Uint8Array {
  return readFileSync(new URL(`../golden/replay/${name}.txt`, import.meta.url));
}

export function specimen(name: string): Trace {
  return ingest(bytesOf(name), name);
}

/** What the replay makes of it, under the kernel and the assumption its head names. */
export function replayed(name: string): Promise<Outcome> {
  const head = new TextDecoder().decode(bytesOf(name));
  const kernel = /^# kernel (\S+)$/m.exec(head)?.[1] ?? "";
  const assume = /^# assume (\S+)$/m.exec(head)?.[1];
  return run(specimen(name), { kernel, assume: assume === undefined ? [] : [assume] });
}

/** The same as text. */
export async function outcomeOf(name: string): Promise<string> {
  return outcomeText(await replayed(name));
}
