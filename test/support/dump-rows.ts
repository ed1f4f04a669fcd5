// Events as text, one row a line with only the columns that hold something: what golden files of the ingest room
// are made of. Reads an input through openIngest in chunks of a chosen size.
import type { ProblemLog } from "../../src/base/problem.ts";
import { type IngestOptions, openIngest } from "../../src/ingest/index.ts";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { CTX_ALIAS, CTX_IRQ, CTX_TASK, NO_MM, NO_VALUE, NONE } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";

/** Everything an input became. */
export interface Dump {
  readonly meta: TraceMeta;
  readonly rows: string[];
  readonly problems: string[];
}

interface RawRow {
  readonly ns: number;
  readonly head: string;
  readonly comm: number;
  readonly argTid: number;
  readonly argComm: number;
  readonly mm: number;
  readonly mm2: number;
  readonly tail: string;
}

/** Reads `bytes` in chunks of `chunkSize`, each overwritten after it was pushed. */
export function dumpRows(
  bytes: Uint8Array,
  chunkSize: number = bytes.length,
  options: Partial<IngestOptions> = {},
): Dump {
  const collected = collectRows();
  const ingest = openIngest({ path: "unknown", ...options }, collected.onBatch);
  const step = Math.max(1, chunkSize);
  for (let at = 0; at < bytes.length; at += step) {
    const chunk = new Uint8Array(bytes.subarray(at, at + step));
    ingest.push(chunk);
    chunk.fill(0x23);
  }
  const meta = ingest.end();
  return collected.dump(meta, ingest.problems);
}

/** Takes batches as they come and makes a dump of them in the end. */
export function collectRows(): {
  readonly onBatch: (batch: EventBatch) => void;
  readonly dump: (meta: TraceMeta, problems: ProblemLog) => Dump;
} {
  const raw: RawRow[] = [];
  return {
    onBatch: (batch) => collect(batch, raw),
    dump: (meta, log) => ({
      meta,
      rows: raw.map((row) => textOf(row, meta)),
      problems: log
        .list()
        .map((p) => `${p.kind.code} x${p.count} line ${p.firstLine}: ${JSON.stringify(p.sample)}`),
    }),
  };
}

/** The golden text of an input: what was told of it, its rows, its problems. */
export function dumpText({ meta, rows, problems }: Dump): string {
  const lines = [
    `format ${meta.format} clock ${meta.clock} unit ${meta.timeUnit} cpus ${meta.cpus} kernel ${meta.kernel || "-"}`,
    `epoch ${meta.epochNs} span ${meta.spanNs} lines ${meta.lines} events ${meta.events} lost ${meta.lostEvents}`,
    ...meta.probes.map((p) => `probe ${p.event} = ${p.func || "?"} by ${p.by} x${p.count}`),
    ...Object.entries(meta.skipped).map(([name, count]) => `skipped ${name} x${count}`),
    ...problems.map((problem) => `problem ${problem}`),
    "",
    ...rows,
  ];
  return `${lines.join("\n")}\n`;
}

function contextText(ctx: number): string {
  return (ctx & CTX_TASK ? " task" : "") + (ctx & CTX_IRQ ? " irq" : "") + (ctx & CTX_ALIAS ? " alias" : "");
}

function fieldText(name: string, value: number, absent: number): string {
  return value === absent ? "" : ` ${name}=${value}`;
}

function collect(batch: EventBatch, raw: RawRow[]): void {
  for (let i = 0; i < batch.length; i++) {
    const where = `L${batch.line[i]} ${EVENT_KIND_NAMES[batch.kind[i]!]}`;
    const flags = batch.flags[i]!;
    raw.push({
      ns: batch.ns[i]!,
      head:
        `${where} cpu=${batch.cpu[i]}${contextText(batch.ctx[i]!)}` +
        fieldText("tid", batch.tid[i]!, NONE) +
        fieldText("tgid", batch.tgid[i]!, NONE),
      comm: batch.comm[i]!,
      argTid: batch.argTid[i]!,
      argComm: batch.argComm[i]!,
      mm: batch.mm[i]!,
      mm2: batch.mm2[i]!,
      tail:
        fieldText("users", batch.users[i]!, NO_VALUE) +
        fieldText("count", batch.count[i]!, NO_VALUE) +
        (flags === 0 ? "" : ` flags=0x${(flags >>> 0).toString(16)}`),
    });
  }
}

function textOf(row: RawRow, meta: TraceMeta): string {
  return (
    `${row.ns} ${row.head}` +
    (row.comm === NONE ? "" : ` comm=${JSON.stringify(meta.comms[row.comm])}`) +
    (row.argTid === NONE ? "" : ` argTid=${row.argTid}`) +
    (row.argComm === NONE ? "" : ` argComm=${JSON.stringify(meta.comms[row.argComm])}`) +
    (row.mm === NO_MM ? "" : ` mm=${meta.pointers[row.mm]}`) +
    (row.mm2 === NO_MM ? "" : ` mm2=${meta.pointers[row.mm2]}`) +
    row.tail
  );
}
