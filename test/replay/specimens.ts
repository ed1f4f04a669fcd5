// The short traces of test/golden/replay, replayed. Used by rules.test.ts and overlaps.test.ts.
import { readFileSync } from "node:fs";
import { outcomeText } from "./outcome.ts";
import { ingest, run } from "./recordings.ts";

/** Replays test/golden/replay/`name`.txt under the kernel and the assumption its head names. */
export async function outcomeOf(name: string): Promise<string> {
  const bytes = readFileSync(new URL(`../golden/replay/${name}.txt`, import.meta.url));
  const head = new TextDecoder().decode(bytes);
  const kernel = /^# kernel (\S+)$/m.exec(head)?.[1] ?? "";
  const assume = /^# assume (\S+)$/m.exec(head)?.[1];
  return outcomeText(
    await run(ingest(bytes, name), { kernel, assume: assume === undefined ? [] : [assume] }),
  );
}
