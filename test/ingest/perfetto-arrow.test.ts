// Exports of trace_processor that are odd or damaged: what cannot be joined is counted and a gap, what cannot be used is one
// line, losses make verdicts indeterminate.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { decompress } from "fzstd";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import type { NamedSource } from "../../src/ingest/index.ts";
import { EventKind } from "../../src/table/event-kinds.ts";
import { openStoredTable } from "../../src/table/stored-table.ts";
import { POLICY_IDS } from "../../src/table/verdict-tables.ts";
import { ingestFiles, run } from "../replay/recordings.ts";
import { type Column, writeArrow } from "../support/arrow-writer.ts";
import { dumpRecording, memoryFile } from "../support/dump-recording.ts";
import { dumpRows } from "../support/dump-rows.ts";
import { perfettoOfText, SPECIMEN } from "../support/perfetto-of-text.ts";
import { type ExportSpec, exportFiles, exportTables, type Tables } from "../support/perfetto-writer.ts";

const SPEC = perfettoOfText(SPECIMEN);
const TABLES = exportTables(SPEC);

/** The tables with one column's cells replaced. */
function changed(table: string, column: string, change: (old: Column) => Column): Tables {
  const columns = TABLES[table]!.map((old) => (old.name === column ? change(old) : old));
  return { ...TABLES, [table]: columns };
}

function without(table: string): NamedSource[] {
  return exportFiles(TABLES).filter(({ name }) => name !== `${table}.arrow`);
}

function refusal(files: readonly NamedSource[]): string {
  try {
    dumpRecording(files, "perfetto-arrow");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).not.toMatch(/\n|undefined|NaN/);
    return `${error.code} ${error.message}`;
  }
  throw new Error("was accepted");
}

function bytesOf(file: NamedSource): Uint8Array {
  return file.readAt(0, file.size);
}

test("what it is, and what it holds", () => {
  const metadata = [
    { name: "trace_time_clock_id", int: 6 },
    { name: "system_release", text: "6.1.0-test" },
  ];
  const { meta, problems } = dumpRecording(exportFiles(exportTables({ ...SPEC, metadata })));
  expect(problems).toEqual([]);
  expect(meta).toMatchObject({
    format: "perfetto-arrow",
    clock: "boot",
    kernel: "6.1.0-test",
    cpus: 2,
    events: 10,
  });
  expect(meta.skipped).toEqual({ irq_handler_entry: 1 });
  expect(meta.epochNs).toBe(1_000_000_000n);
  expect(meta.probes.map(({ event, func, by }) => `${event} ${func} ${by}`)).toEqual([
    "dup_mmap dup_mmap name",
    "dup_mmap_ret dup_mmap address",
    "mmput mmput name",
  ]);
});

describe("the files themselves", () => {
  test("apache-arrow reads what the writer of these tests makes", () => {
    for (const file of exportFiles(TABLES)) {
      const columns = TABLES[file.name.replace(".arrow", "")]!;
      const table = tableFromIPC(bytesOf(file));
      expect(table.numRows).toBe(columns[0]!.values.length);
      for (const { name, type, values } of columns)
        expect([...table.getChild(name)!].map((cell) => (cell === null ? null : String(cell)))).toEqual(
          values.map((cell) =>
            cell === null ? null : String(type === "i64" ? BigInt.asIntN(64, BigInt(cell)) : cell),
          ),
        );
    }
  });

  test("a file of apache-arrow's own writer is read", () => {
    const file = tableToIPC(
      tableFromArrays({
        a: Int32Array.from([1, -2, 3]),
        b: BigInt64Array.from([1n, -(2n ** 40n), 3n]),
        c: ["x", "y", "x"],
      }),
      "file",
    );
    const table = openStoredTable(memoryFile("t", file));
    expect(table.rows).toBe(3);
    expect([0, 1, 2].map((row) => table.column("a", "i32")?.number(row))).toEqual([1, -2, 3]);
    expect([0, 1, 2].map((row) => table.column("b", "i64")?.number(row))).toEqual([1, -(2 ** 40), 3]);
    expect([0, 1, 2].map((row) => table.column("c", "text")?.text(row))).toEqual(["x", "y", "x"]);
    expect(table.column("a", "i64")).toBeNull();
  });

  test("cells far apart are read from their own blocks", () => {
    const rows = 300_000;
    const values = Array.from({ length: rows }, (_, row) => BigInt(row) * 7_000_000_000n);
    const texts = Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? null : `text ${row % 50_000}`));
    const file = writeArrow([
      { name: "n", type: "i64", values },
      { name: "t", type: "text", nullable: true, values: texts },
    ]);
    const table = openStoredTable(memoryFile("t", file));
    for (let i = 0, row = 0; i < 2000; i++, row = (row + 77_777) % rows) {
      expect(BigInt(table.column("n", "i64")!.number(row))).toBe(values[row]);
      expect(table.column("t", "text")!.text(row)).toBe(texts[row]);
    }
  });
});

describe("events that cannot be joined", () => {
  const LAST = SPEC.events.length - 1;
  const cases: readonly (readonly [string, Tables])[] = [
    [
      "an argument set that does not exist",
      changed("__intrinsic_ftrace_event", "arg_set_id", (old) => ({
        ...old,
        values: old.values.map((value, row) => (row === LAST ? 9999 : value)),
      })),
    ],
    [
      "a name outside the dictionary",
      changed("__intrinsic_ftrace_event", "name", (old) => ({
        ...old,
        keys: old.values.map((value, row) => (row === LAST ? 4242 : [...new Set(old.values)].indexOf(value))),
      })),
    ],
    [
      "a thread outside the table",
      changed("__intrinsic_ftrace_event", "utid", (old) => ({
        ...old,
        values: old.values.map((value, row) => (row === LAST ? 77 : value)),
      })),
    ],
    [
      "a CPU outside the table",
      changed("__intrinsic_ftrace_event", "ucpu", (old) => ({
        ...old,
        values: old.values.map((value, row) => (row === LAST ? 77 : value)),
      })),
    ],
    [
      "a negative time",
      changed("__intrinsic_ftrace_event", "ts", (old) => ({
        ...old,
        values: old.values.map((value, row) => (row === LAST ? -5n : value)),
      })),
    ],
  ];
  test.each(cases)("%s", (_, tables) => {
    const { meta, rows, problems } = dumpRecording(exportFiles(tables));
    expect(problems).toEqual([expect.stringMatching(/^perfetto\/bad-event x1 line 10/)]);
    expect(meta.kinds?.[EventKind.dupMmapRet]).toBe(1);
    expect(rows.at(-1)).toMatch(/ lost cpu=-?\d+ flags=0x1$/);
  });

  test("an argument of the wrong type, a missing one", () => {
    const spec = (args: ExportSpec["events"][number]["args"]): ExportSpec => ({
      ...SPEC,
      events: SPEC.events.map((event, i) => (i === LAST - 1 ? { ...event, args } : event)),
    });
    const { args } = SPEC.events[LAST - 1]!;
    for (const bad of [
      args.filter(([key]) => key !== "users"),
      args.map(([key, value]) => [key, key === "oldmm" ? "text" : value] as const),
      args.map(([key, value]) => [key, key === "oldmm" ? null : value] as const),
      [],
    ]) {
      const { meta, problems } = dumpRecording(exportFiles(exportTables(spec(bad))));
      // Without arguments a row has the id 0, here that of a dup_mmap's set: nothing tells that it is not its own.
      const isOwn = bad.length === 0;
      expect(problems).toEqual(
        isOwn ? [] : [expect.stringMatching(/bad-event x1 line 9.*arguments of dup_mmap/)],
      );
      expect(meta.kinds?.[EventKind.dupMmap]).toBe(isOwn ? 2 : 1);
    }
  });

  test("sets numbered otherwise are found while they ascend, and refused one by one when not", () => {
    const whole = dumpRecording(exportFiles(TABLES)).rows;
    const shift = (old: Column): Column => ({
      ...old,
      values: old.values.map((value) => Number(value) * 3 + 1000),
    });
    const events = changed("__intrinsic_ftrace_event", "arg_set_id", shift);
    const args = changed("__intrinsic_args", "arg_set_id", shift);
    const other = { ...events, __intrinsic_args: args["__intrinsic_args"]! };
    expect(dumpRecording(exportFiles(other)).rows).toEqual(whole);
    const reversed = TABLES["__intrinsic_args"]!.map((old) => ({
      ...old,
      values: [...old.values].reverse(),
    }));
    const { problems } = dumpRecording(exportFiles({ ...TABLES, __intrinsic_args: reversed }));
    expect(problems.join()).toContain("perfetto/bad-event");
  });

  test("a set of more arguments than an event can have", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i] as const);
    const events = SPEC.events.map((event) => ({ ...event, args: many }));
    expect(refusal(exportFiles(exportTables({ ...SPEC, events })))).toContain(
      "holds no event forkcast reads",
    );
  });
});

describe("exports that cannot be used", () => {
  test.each([
    ["ftrace_event", "perfetto/no-table recording: no __intrinsic_ftrace_event.arrow in it"],
    ["args", "no __intrinsic_args.arrow"],
    ["thread", "no __intrinsic_thread.arrow"],
    ["cpu", "no __intrinsic_cpu.arrow"],
  ])("no table %s", (table, line) => {
    expect(refusal(without(`__intrinsic_${table}`))).toContain(line);
  });

  test("a table that is cut short, or none at all", () => {
    for (const cut of [0, 5, 700, 4000]) {
      const files = exportFiles(TABLES).map((file) =>
        file.name === "__intrinsic_args.arrow" ? memoryFile(file.name, bytesOf(file).subarray(0, cut)) : file,
      );
      expect(refusal(files)).toContain(
        "recording: __intrinsic_args.arrow: damaged Arrow file: it has no Arrow footer",
      );
    }
  });

  test("columns of other types", () => {
    const wrong = (old: Column): Column => ({ ...old, type: "f64", values: old.values.map(Number) });
    expect(refusal(exportFiles(changed("__intrinsic_ftrace_event", "ts", wrong)))).toContain(
      "lacks one of ts, name",
    );
    const text = (old: Column): Column => ({ ...old, type: "text" });
    expect(refusal(exportFiles(changed("__intrinsic_args", "int_value", text)))).toContain(
      "lacks one of arg_set_id",
    );
  });

  test("no raw events: exported with --no-ftrace-raw", () => {
    const files = exportFiles(exportTables({ ...SPEC, events: [] }));
    expect(refusal(files)).toContain(
      "perfetto/no-raw-events recording: its table of raw ftrace events is empty",
    );
    expect(refusal(files)).toContain("without --no-ftrace-raw");
  });

  test("what `export perfetto` and `export sqlite` write, and the trace itself", () => {
    const manifest = [...exportFiles(TABLES), memoryFile("perfetto_manifest.json", new Uint8Array(2))];
    expect(refusal(manifest)).toMatch(/^perfetto\/other-export .*`trace_processor export arrow_tar/);
    const packet = [0x0a, 4, 8, 0, 16, 0];
    for (const bytes of [
      new TextEncoder().encode("SQLite format 3\0\u0010\0"),
      Uint8Array.from([...packet, ...packet, ...packet]),
    ])
      expect(() => dumpRows(bytes, 16)).toThrow(
        /`trace_processor export arrow_tar -o tables.tar TRACE` writes is read/,
      );
  });
});

describe("losses", () => {
  const whole = perfettoOfText(
    new TextDecoder().decode(
      decompress(readFileSync(fileURLToPath(new URL("../../traces/6.1/W1.ftrace.txt.zst", import.meta.url)))),
    ),
  );
  const stat = (name: string, severity: string, value: number, idx?: number) => ({
    name,
    severity,
    value,
    ...(idx === undefined ? {} : { idx }),
  });
  async function judged(files: readonly NamedSource[]): Promise<{ cpus: Set<number>; safe: number }> {
    const trace = ingestFiles(files, "t");
    const cpus = new Set<number>();
    for (const batch of trace.batches)
      for (let i = 0; i < batch.length; i++) if (batch.kind[i] === EventKind.lost) cpus.add(batch.cpu[i]!);
    const outcome = await run(trace);
    const rows = POLICY_IDS.flatMap((policy) => outcome.verdicts(policy));
    expect(outcome.forks.length).toBe(105);
    return {
      cpus,
      safe: rows.filter(({ verdict }) => verdict === "safe").length,
    };
  }

  test("none", async () => {
    const { cpus, safe } = await judged(
      exportFiles(
        exportTables({
          ...whole,
          stats: [
            stat("ftrace_cpu_has_data_loss", "data_loss", 0, 1),
            stat("ftrace_cpu_overrun_begin", "info", 7, 1),
            stat("heapprofd_buffer_overran", "data_loss", 7),
          ],
        }),
      ),
    );
    expect([...cpus]).toEqual([]);
    expect(safe).toBeGreaterThan(0);
  });

  test.each([
    ["ftrace_cpu_has_data_loss", "data_loss", 1],
    ["ftrace_cpu_overrun_delta", "info", 1],
    ["ftrace_cpu_has_data_loss", "data_loss", 0],
    ["traced_buf_trace_writer_packet_loss", "data_loss", 0],
    ["a_loss_of_a_later_version", "data_loss", undefined],
    ["clock_sync_failure", "error", undefined],
  ])("%s, %s, %j", async (name, severity, idx) => {
    const stats = [stat(name, severity, 3, idx)];
    const files = exportFiles(exportTables({ ...whole, stats }));
    const { cpus, safe } = await judged(files);
    expect([...cpus]).toEqual([name.startsWith("ftrace_cpu") ? idx : -1]);
    expect(safe).toBe(0);
    const { meta, problems } = dumpRecording(files);
    expect(meta.lostEvents).toBe(-1);
    expect(problems).toEqual([expect.stringContaining(`perfetto/data-loss x1 line 0: "${name}`)]);
  });

  test.each(["stats", "metadata", "process"])("no table %s", async (table) => {
    const files = exportFiles(exportTables(whole)).filter(
      ({ name }) => name !== `__intrinsic_${table}.arrow`,
    );
    const { cpus, safe } = await judged(files);
    expect(safe === 0).toBe(table === "stats");
    expect([...cpus]).toEqual(table === "stats" ? [-1] : []);
    expect(dumpRecording(files).problems[0]).toMatch(/^perfetto\/bad-table x1/);
  });
});

test("two machines: the one with the most events is read", () => {
  const events = SPEC.events.flatMap((event, i) =>
    i < 3 ? [event, { ...event, ucpu: 2, utid: SPEC.threads.length }] : [event],
  );
  const files = exportFiles(
    exportTables({
      ...SPEC,
      events,
      cpus: [...SPEC.cpus, { cpu: 0, machine: 1 }],
      threads: [...SPEC.threads, { tid: 100, name: "guest", upid: null, machine: 1 }],
    }),
  );
  const { rows, problems } = dumpRecording(files);
  const whole = dumpRecording(exportFiles(TABLES));
  const plain = (list: readonly string[]): string[] => list.map((row) => row.replace(/ L\d+ /, " "));
  expect(plain(rows)).toEqual(plain(whole.rows));
  expect(problems).toEqual([expect.stringMatching(/^perfetto\/other-machine x3/)]);
});

test("probes that Perfetto makes itself name a function and record no argument", () => {
  const event = (name: string, type: number, ts: bigint) => ({
    ts,
    name: "kprobe_event",
    utid: 1,
    ucpu: 0,
    args: [
      ["name", name],
      ["type", type],
    ] as const,
  });
  const events = [
    event("dup_mmap", 1, 1_000_000_000n),
    event("dup_mmap", 2, 1_000_000_100n),
    event("vfs_read", 3, 1_000_000_200n),
    event("dup_mmap", 1, 1_000_000_300n),
    event("mmput", 0, 1_000_000_400n),
  ];
  const { meta, problems } = dumpRecording(exportFiles(exportTables({ ...SPEC, events })));
  expect(
    [EventKind.dupMmap, EventKind.dupMmapRet, EventKind.mmput].map((kind) => meta.kinds?.[kind]),
  ).toEqual([2, 1, 0]);
  expect(meta.probes.map(({ event: name, func, by, count }) => `${name} ${func} ${by} ${count}`)).toEqual([
    "dup_mmap dup_mmap line 2",
    "dup_mmap dup_mmap line 1",
    "vfs_read vfs_read line 1",
  ]);
  expect(problems).toEqual([expect.stringMatching(/^perfetto\/bad-event x1 line 5/)]);
});
