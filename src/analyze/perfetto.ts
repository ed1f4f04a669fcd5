// The findings as Chrome trace events (the JSON that Perfetto's UI and chrome://tracing open): fork windows by forker, exposures
// by CPU, waits by policy. Format: "Trace Event Format", complete ("X") and metadata ("M") events.
import type { TraceMeta } from "../table/event-batch.ts";
import type { VerdictTables } from "../table/verdict-tables.ts";
import { printable } from "./plain-text.ts";

/** A process of the timeline: its id and name; tracks are its threads. */
interface Track {
  readonly pid: number;
  readonly tid: number;
}

/** The document's text, one event a line. Times are microseconds with three decimals: whole ns. */
export function perfettoJson(
  tables: VerdictTables,
  metas: readonly TraceMeta[],
  toolVersion: string,
): string {
  const out = new Events();
  forkEvents(out, tables, metas);
  exposureEvents(out, tables);
  waitEvents(out, tables);
  const other = { forkcast: toolVersion, traces: metas.map(({ path }) => printable(path)) };
  return `{"displayTimeUnit":"ns","otherData":${JSON.stringify(other)},"traceEvents":[\n${out.lines.join(",\n")}\n]}\n`;
}

class Events {
  readonly lines: string[] = [];
  readonly #processes = new Map<string, number>();
  readonly #threads = new Set<string>();

  /** The track of that name, announced when it is new. */
  track(process: string, tid: number, thread: string): Track {
    let pid = this.#processes.get(process);
    if (pid === undefined) {
      pid = this.#processes.size + 1;
      this.#processes.set(process, pid);
      this.#meta("process_name", { pid, tid: 0 }, process);
    }
    const key = `${pid}/${tid}`;
    if (!this.#threads.has(key)) {
      this.#threads.add(key);
      this.#meta("thread_name", { pid, tid }, thread);
    }
    return { pid, tid };
  }

  #meta(name: string, track: Track, value: string): void {
    this.lines.push(JSON.stringify({ ph: "M", name, ...track, args: { name: printable(value) } }));
  }

  /** An interval [start, end); one without an end has no length. */
  add(
    track: Track,
    name: string,
    start: bigint,
    end: bigint | null,
    args: Readonly<Record<string, unknown>>,
  ): void {
    const head = JSON.stringify({ ph: "X", name: printable(name), ...track, args }).slice(0, -1);
    this.lines.push(
      `${head},"ts":${micros(start)},"dur":${micros(end === null || end < start ? 0n : end - start)}}`,
    );
  }
}

function micros(ns: bigint): string {
  return `${ns / 1000n}.${String(ns % 1000n).padStart(3, "0")}`;
}

/** Each fork's decision and verdict by policy. */
function outcomesOf({ verdicts }: VerdictTables): Map<number, Record<string, string>> {
  const out = new Map<number, Record<string, string>>();
  for (let row = 0; row < verdicts.length; row++) {
    const { fork, policy, decision, verdict } = verdicts.row(row);
    if (fork === null) continue;
    const of = out.get(fork) ?? {};
    of[policy ?? ""] = verdict === null ? (decision ?? "") : `${decision}, ${verdict}`;
    out.set(fork, of);
  }
  return out;
}

/** "1 (measured)" */
function counted(value: number | null, evidence: string | null): string {
  return `${value ?? "?"} (${evidence})`;
}

function forkEvents(out: Events, tables: VerdictTables, metas: readonly TraceMeta[]): void {
  const { forks } = tables;
  const outcomes = outcomesOf(tables);
  for (let row = 0; row < forks.length; row++) {
    const fork = forks.row(row);
    if (fork.start_ns === null) continue;
    const path = metas[fork.trace ?? 0]?.path ?? "";
    const forker = `${fork.comm ?? "?"}-${fork.tid}`;
    const track = out.track(`forks of ${path}`, fork.tid ?? 0, forker);
    out.add(track, `fork ${fork.fork}`, fork.start_ns, fork.end_ns, {
      forker: printable(forker),
      cpu: fork.cpu,
      mm: printable(fork.mm ?? ""),
      mm_users: counted(fork.mm_users, fork.mm_users_evidence),
      mm_count: counted(fork.mm_count, fork.mm_count_evidence),
      exposure: fork.exposure,
      window: fork.window,
      line: fork.line,
      ...outcomes.get(fork.fork ?? -1),
    });
  }
}

function exposureEvents(out: Events, { exposures }: VerdictTables): void {
  for (let i = 0; i < exposures.length; i++) {
    const row = exposures.row(i);
    if (row.start_ns === null) continue;
    const task = `${row.comm ?? "?"}-${row.tid}`;
    const track = out.track("exposures", row.cpu ?? 0, `CPU ${row.cpu}`);
    out.add(track, `${row.class} ${task}`, row.start_ns, row.end_ns, { fork: row.fork, line: row.line });
  }
}

function waitEvents(out: Events, { blocks }: VerdictTables): void {
  for (let i = 0; i < blocks.length; i++) {
    const row = blocks.row(i);
    if (row.at_ns === null) continue;
    const task = `${row.comm ?? "?"}-${row.tid}`;
    const track = out.track(`waits under ${row.policy}`, row.tid ?? 0, task);
    const end = row.wait_ns === null ? null : row.at_ns + row.wait_ns;
    out.add(track, row.kind ?? "wait", row.at_ns, end, { fork: row.fork, line: row.line });
  }
}
