// A temporary directory of one command, gone when it ends, is interrupted or fails. Used by doctor and query.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "./files.ts";

/** Runs `use` with an empty directory under the system's temporary one; removes it afterwards, whatever happens. */
export async function withScratchDir<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const parent = tmpdir();
  const dir = attempt(parent, () => mkdtempSync(join(parent, "forkcast-")));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  process.on("exit", remove);
  try {
    return await use(dir);
  } finally {
    process.off("exit", remove);
    remove();
  }
}
