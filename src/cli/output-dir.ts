// DIR of -o: filled as a temporary directory beside it and renamed into place, so that it appears whole or
// not at all. Only an absent or empty DIR, or one that holds nothing but an earlier result, is replaced.
import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describeSystemError, errnoOf, UsageError } from "./exit.ts";
import { attempt } from "./files.ts";
import { quotePath } from "./trace-input.ts";

/** Names at the top of a result directory. */
export const REPORT_FILE = "report.html";
export const SUMMARY_FILE = "summary.json";
export const TABLES_DIR = "tables";
const OWN_ENTRIES: ReadonlySet<string> = new Set([REPORT_FILE, SUMMARY_FILE, TABLES_DIR]);

/** Throws UsageError unless `dir` may be created or replaced. Called before any work is done, and again before the rename. */
export function checkReplaceable(dir: string): void {
  let entries: string[];
  try {
    entries = readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    const what = errnoOf(error) === "ENOTDIR" ? "exists and is not a directory" : describeSystemError(error);
    throw new UsageError(`-o ${quotePath(dir)}: ${what}`);
  }
  if (entries.length === 0) return;
  const foreign = entries.find((name) => !OWN_ENTRIES.has(name));
  if (foreign === undefined && entries.includes(SUMMARY_FILE)) return;
  const found = foreign ?? entries[0] ?? "";
  throw new UsageError(
    `-o ${quotePath(dir)}: exists and holds ${quotePath(found)}, which is not a forkcast result; it was left as it is`,
  );
}

/** Runs `fill` on an empty temporary directory, then puts it in the place of `dir`. Nothing stays behind on failure. */
export async function replaceDir(dir: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  checkReplaceable(dir);
  const target = realTarget(dir);
  const parent = dirname(target);
  const created = attempt(parent, () => mkdirSync(parent, { recursive: true }));
  const temporary = `${target}.tmp-${process.pid}-${randomBytes(3).toString("hex")}`;
  attempt(parent, () => mkdirSync(temporary));
  let isPlaced = false;
  const discard = (): void => {
    rmSync(temporary, { recursive: true, force: true });
    if (created !== undefined && !isPlaced) removeEmptyParents(parent, created);
  };
  process.on("exit", discard);
  try {
    await fill(temporary);
    checkReplaceable(dir);
    place(temporary, target);
    isPlaced = true;
  } finally {
    process.off("exit", discard);
    discard();
  }
}

/** Renames `temporary` to `target`; an existing target is moved aside first and comes back when that fails. */
function place(temporary: string, target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }) === undefined) {
    attempt(target, () => renameSync(temporary, target));
    return;
  }
  const aside = `${temporary}-old`;
  attempt(target, () => renameSync(target, aside));
  try {
    attempt(target, () => renameSync(temporary, target));
  } catch (error) {
    renameSync(aside, target);
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Absolute path with an existing DIR's symbolic link followed, so that the link stays a link. */
function realTarget(dir: string): string {
  try {
    return realpathSync(dir);
  } catch {
    return resolve(dir);
  }
}

function removeEmptyParents(from: string, last: string): void {
  for (let path = from; path.length >= last.length; path = dirname(path)) {
    try {
      rmdirSync(path);
    } catch {
      return;
    }
  }
}

/** File name of the events of the `index`th trace (0-based) under tables/. */
export function eventsFile(index: number): string {
  return index === 0 ? "events.arrow" : `events-${index}.arrow`;
}

/** Path of a table in a result directory. */
export function tablePath(dir: string, name: string): string {
  return join(dir, TABLES_DIR, name);
}
