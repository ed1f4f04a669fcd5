// What must hold for every input: where the bytes are cut changes nothing, lines that are no events change no row,
// and rows come out in time order whatever order the lines are in.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { FormatName } from "../../src/ingest/index.ts";
import { openIngest } from "../../src/ingest/index.ts";
import { dumpRows, dumpText } from "../support/dump-rows.ts";

const DIR = fileURLToPath(new URL("../golden/ingest/", import.meta.url));
const SPECIMENS = readdirSync(DIR)
  .filter((name) => name.endsWith(".txt") && !name.endsWith(".rows.txt"))
  .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(DIR, name))) }));
/** A quoted field may hold a line end; the page around a trace and a list of threads behind one are not its lines. */
const SPLITTABLE = SPECIMENS.filter(({ name }) => !/quoted|html|thread-list/.test(name));

const specimen = fc.constantFrom(...SPECIMENS);
const junk = fc.stringMatching(/^junk [a-z(){}:%]{0,30}$/);

function withoutLines(rows: readonly string[]): string[] {
  return rows.map((row) => row.replace(/ L\d+ /, " "));
}

/** Problem counts by code: what junk adds to. */
function unusable(problems: readonly string[]): number {
  let count = 0;
  for (const problem of problems) {
    const match = /^(?:ftrace\/bad-header|ingest\/not-an-event|csv\/bad-row) x(\d+)/.exec(problem);
    if (match !== null) count += Number(match[1]);
  }
  return count;
}

test("cutting the bytes anywhere changes nothing", () => {
  fc.assert(
    fc.property(specimen, fc.array(fc.nat(4000), { maxLength: 8 }), ({ bytes }, cuts) => {
      const whole = dumpText(dumpRows(bytes));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      let rows = 0;
      const ingest = openIngest({ path: "unknown" }, (batch) => {
        rows += batch.length;
      });
      for (let i = 1; i < places.length; i++) ingest.push(bytes.slice(places[i - 1], places[i]));
      const meta = ingest.end();
      const dump = dumpRows(bytes, Math.max(1, cuts[0] ?? 1));
      expect(rows).toBe(dump.rows.length);
      expect(dumpText({ ...dump, meta })).toBe(whole);
    }),
    { numRuns: 60 },
  );
});

test("junk lines add problems and change no row", () => {
  const places = fc.array(fc.tuple(fc.nat(40), junk), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...SPLITTABLE), places, ({ bytes }, insertions) => {
      const lines = new TextDecoder().decode(bytes).split("\n");
      for (const [at, text] of insertions) lines.splice(Math.min(at, lines.length - 1), 0, text);
      const clean = dumpRows(bytes);
      const format = clean.meta.format as FormatName;
      const dirty = dumpRows(new TextEncoder().encode(lines.join("\n")), 64, { format });
      expect(withoutLines(dirty.rows)).toEqual(withoutLines(clean.rows));
      expect(unusable(dirty.problems)).toBe(unusable(clean.problems) + insertions.length);
    }),
    { numRuns: 60 },
  );
});

test("no garbage makes it throw anything but InputError", () => {
  const words = fc.constantFrom(
    ...[
      " ",
      "-",
      "[000]",
      "1.5:",
      "(",
      ")",
      ":",
      "==>",
      "prev_comm=",
      "next_pid=1",
      "=",
      "a",
      "0x",
      "mm=",
      "<-",
      "\n",
      ",",
    ],
  );
  const line = fc.array(words, { maxLength: 20 }).map((parts) => parts.join(""));
  const formats = fc.constantFrom<FormatName>("ftrace-text", "trace-cmd-report", "perf-script", "csv");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), formats, (lines, format) => {
      const good = SPECIMENS.find(({ bytes }) => dumpRows(bytes).meta.format === format);
      const text = `${new TextDecoder().decode(good?.bytes)}\n${lines.join("\n")}`;
      const dump = dumpRows(new TextEncoder().encode(text), 64, { format });
      expect(dump.rows.length).toBeGreaterThan(0);
    }),
    { numRuns: 100 },
  );
});

test("rows are in time order, whatever the order of the lines", () => {
  const times = fc.array(fc.integer({ min: 0, max: 999_999 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 8 }), (micros, batchRows) => {
      const text = micros
        .map(
          (us) =>
            `            bash-9       [000] .....     5.${String(us).padStart(6, "0")}: tlb_flush: pages:1 reason: (0)\n`,
        )
        .join("");
      const { rows, problems } = dumpRows(new TextEncoder().encode(text), 100, { batchRows });
      const out = rows.map((row) => Number(row.slice(0, row.indexOf(" "))));
      expect(out).toEqual(out.toSorted((a, b) => a - b));
      expect(out).toHaveLength(micros.length);
      if (problems.length === 0) expect(out).toEqual(micros.map((us) => us * 1000).sort((a, b) => a - b));
    }),
  );
});
