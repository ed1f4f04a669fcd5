// Specimens of every text format, a few lines each. A case is a file in test/golden/ingest; its expected rows,
// probes and problems stand beside it. The same bytes in chunks of any size must give the same text.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { dumpRows, dumpText } from "../support/dump-rows.ts";

const DIR = fileURLToPath(new URL("../golden/ingest/", import.meta.url));
const SPECIMENS = readdirSync(DIR).filter((name) => name.endsWith(".txt") && !name.endsWith(".rows.txt"));

/** What a specimen's name says it is, for the detection check. */
function formatOf(name: string): string {
  if (name.startsWith("ftrace-")) return "ftrace-text";
  if (name.startsWith("trace-cmd-report")) return "trace-cmd-report";
  if (name.startsWith("babeltrace")) return "babeltrace-text";
  if (name.startsWith("systrace-html")) return "systrace-html";
  if (name.startsWith("bpftrace-json")) return "bpftrace-json";
  return name.startsWith("perf-") ? "perf-script" : "csv";
}

describe.each(SPECIMENS)("%s", (name) => {
  const bytes = readFileSync(join(DIR, name));
  const options = { probes: new Map([["fork_entry", "dup_mmap"]]) };

  test("rows, probes and problems", async () => {
    const dump = dumpRows(bytes, bytes.length, options);
    expect(dump.meta.format).toBe(formatOf(name));
    await expect(dumpText(dump)).toMatchFileSnapshot(join(DIR, `${basename(name, ".txt")}.rows.txt`));
  });

  test.each([1, 7, 64, 4096])("in chunks of %i bytes", (size) => {
    expect(dumpText(dumpRows(bytes, size, options))).toBe(dumpText(dumpRows(bytes, bytes.length, options)));
  });

  test("with CRLF line ends and a byte-order mark", () => {
    const crlf = new TextEncoder().encode(
      `\ufeff${new TextDecoder().decode(bytes).replaceAll("\n", "\r\n")}`,
    );
    expect(dumpRows(crlf, 64, options).rows).toEqual(dumpRows(bytes, 64, options).rows);
  });

  test("in batches of one row", () => {
    const { rows } = dumpRows(bytes, bytes.length, { ...options, batchRows: 1 });
    expect(rows.length).toBe(dumpRows(bytes, bytes.length, options).rows.length);
    const times = rows.map((row) => Number(row.slice(0, row.indexOf(" "))));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
