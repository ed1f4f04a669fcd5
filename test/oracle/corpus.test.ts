// Two minds on the recordings of ../shared/traces that this project made (lab*): row for row as in agree.test.ts, over every text
// and CSV in them; perf.data and trace.dat hold the same events and are compared with their texts by test/ingest. The small
// ones always, all with FORKCAST_ORACLE=all; skipped where the directory is not there.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decompress } from "fzstd";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { openIngest } from "../../src/ingest/index.ts";
import { disagreements } from "./compare.ts";
import { type Row, rowsOf } from "./rows.ts";

const ROOT = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const ALL = process.env["FORKCAST_ORACLE"] === "all";
const SMALL_BYTES = 24_000;

const files = existsSync(ROOT)
  ? ["lab", "lab612", "labrt"].flatMap((dir) =>
      readdirSync(`${ROOT}${dir}`, { recursive: true, encoding: "utf8" })
        .map((name) => `${dir}/${name}`)
        .filter((name) => /\.(txt|csv)\.zst$/.test(name))
        .filter((name) => ALL || statSync(ROOT + name).size < SMALL_BYTES)
        .sort(),
    )
  : [];

test.skipIf(files.length > 0)("there is no ../shared/traces: nothing compared", () => {
  expect(files).toEqual([]);
});

/** Recordings that forkcast refuses, in one line: no events of use, or a layout that tells no times. */
let refused = 0;

test.each(files)("%s", { timeout: 300_000 }, async (file) => {
  const rows: Row[] = [];
  const ingest = openIngest({ path: file }, (batch) => void rows.push(...rowsOf(batch)));
  try {
    ingest.push(decompress(readFileSync(ROOT + file)));
    const found = await disagreements(rows, ingest.end());
    expect(found).toEqual([]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    refused++;
    expect(rows).toEqual([]);
  }
});

test.skipIf(files.length === 0)("most are read", () => {
  expect(refused).toBeLessThan(files.length / 2);
});
