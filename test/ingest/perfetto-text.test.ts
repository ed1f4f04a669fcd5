// The same run as text and as an export of trace_processor made of it: the same rows, the same verdicts, as far as the format
// carries what they rest on.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decompress } from "fzstd";
import { describe, expect, test } from "vitest";
import { EventKind } from "../../src/table/event-kinds.ts";
import { POLICY_IDS } from "../../src/table/verdict-tables.ts";
import { ingest, ingestFiles, type Outcome, run, type Trace } from "../replay/recordings.ts";
import { perfettoOfText } from "../support/perfetto-of-text.ts";
import { exportFiles, exportTables } from "../support/perfetto-writer.ts";
import { rowText } from "../support/recording-digest.ts";

const TRACES = ["6.1/W1", "6.1/W3", "6.1/W5n", "6.1/W13", "6.12/W1.ftrace.kprobe", "6.12/W1.ftrace.stock"];

function textOf(name: string): string {
  const file = `../../traces/${name}${name.includes("ftrace") ? "" : ".ftrace"}.txt.zst`;
  return new TextDecoder().decode(decompress(readFileSync(fileURLToPath(new URL(file, import.meta.url)))));
}

/** The text without what the table of raw events has no column for: the context's flags, and who called a function. */
function asCarried(text: string): string {
  return text
    .replace(/^( *.{1,16}?-\d+ +(?:\( *(?:\d+|-+)\) +)?\[\d+\] +)\S{4,7} +(\d+\.\d{6}: )/gm, "$1$2")
    .replace(/\([^()]+ <- (\w+)\)/g, "([unknown/kretprobe'd] <- $1)");
}

/** Rows as text. The context's name is left out: text has each task's last one, an export the one of its last switch. */
function rows({ meta, batches }: Trace): string[] {
  const out: string[] = [];
  for (const batch of batches)
    for (let i = 0; i < batch.length; i++)
      out.push(rowText(batch, i, meta).replace(/^((?:[^|]*\|){4})[^|]*/, "$1"));
  return out;
}

/** Where two lists begin to differ; null when they do not. */
function difference(a: readonly string[], b: readonly string[]): unknown {
  const at = a.findIndex((text, i) => text !== b[i]);
  return at < 0 && a.length === b.length ? null : { at, a: a.slice(at, at + 3), b: b.slice(at, at + 3) };
}

/** What is said of each fork, but for its line and its task's name. */
function verdicts(outcome: Outcome): string[] {
  const plain = (row: object): string =>
    JSON.stringify(row, (key, value) =>
      /line$|comm$/.test(key) ? undefined : typeof value === "bigint" ? String(value) : value,
    );
  return [
    ...outcome.forks.map(plain),
    ...POLICY_IDS.flatMap((policy) => outcome.verdicts(policy).map(plain)),
    ...outcome.exposures.map(plain),
    ...outcome.denials.map(plain),
    ...outcome.blocks.map(plain),
  ];
}

describe.each(TRACES)("%s", (name) => {
  const text = textOf(name);
  const files = exportFiles(exportTables(perfettoOfText(text)));

  test("rows and verdicts equal those of the text", async () => {
    const printed = ingest(new TextEncoder().encode(asCarried(text)), name);
    const exported = ingestFiles(files, name);
    expect(exported.meta.problems ?? []).toEqual([]);
    const wanted = rows(printed);
    expect(wanted.length).toBeGreaterThan(1000);
    expect(difference(rows(exported), wanted)).toBeNull();
    expect(difference(verdicts(await run(exported)), verdicts(await run(printed)))).toBeNull();
    expect(exported.meta.kinds?.[EventKind.lost]).toBe(0);
  });
});
