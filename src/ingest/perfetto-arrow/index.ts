// Reader of `trace_processor export arrow_tar` (Perfetto v58): a tar of Arrow files, one a table. Raw ftrace events are the
// rows of __intrinsic_ftrace_event, their fields those of __intrinsic_args; each becomes a record that ../tracepoints
// decodes. Written from the source of v58 (importers/ftrace, importers/common, tables/metadata_tables.py).
import { InputError } from "../../base/errors.ts";
import { NONE, type ProbeInfo } from "../../table/event-batch.ts";
import type { StoredColumn, StoredTable } from "../../table/stored-table.ts";
import { isPid } from "../limits.ts";
import {
  PERFETTO_BAD_EVENT,
  PERFETTO_BAD_TABLE,
  PERFETTO_LOST,
  PERFETTO_OTHER_MACHINE,
} from "../problems.ts";
import type { RecordingReader, RecordingReaderOptions } from "../recordings/reader.ts";
import type { Sink } from "../sink.ts";
import { TaskNames } from "../task-names.ts";
import { RecordDecoder } from "../tracepoints/decoder.ts";
import { i32, nulAt, SplitTime, u32 } from "../words.ts";
import { ArgSets } from "./args.ts";
import { openTable, refuseOtherExport, type TableName } from "./files.ts";
import { EventRecords, type Layout, OWN_PROBE } from "./records.ts";
import { type Loss, readLosses, readMetadata } from "./stats.ts";
import { type Cpus, machineOf, readCpus, readThreads, type Threads } from "./threads.ts";

const PROGRESS_EVERY = 1 << 16;
const SWITCH = "sched_switch";

/** The columns of an event. */
interface EventColumns {
  readonly ts: StoredColumn;
  readonly name: StoredColumn;
  readonly utid: StoredColumn;
  readonly argSet: StoredColumn;
  readonly ucpu: StoredColumn;
}

/** What an event's row says, but for its arguments. */
interface EventRow {
  cpu: number;
  tid: number;
  tgid: number;
  argSet: number;
  /** Key of its name. */
  name: number;
}

export class PerfettoReader implements RecordingReader {
  records = 0;
  readonly #options: RecordingReaderOptions;
  readonly #sink: Sink;
  readonly #time = new SplitTime();
  readonly #row: EventRow = { cpu: NONE, tid: NONE, tgid: NONE, argSet: 0, name: 0 };
  /** By the key of an event's name. */
  readonly #layouts = new Map<number, Layout>();
  readonly #names: TaskNames;
  #decoder: RecordDecoder | null = null;
  /** Where a record of sched_switch has the pid and the name of each task. */
  #sides: readonly { readonly pid: number; readonly comm: number }[] | null = null;
  /** Data were lost at an unknown time, on any CPU or on those. */
  #isLossy = false;
  readonly #lossy = new Set<number>();

  constructor(options: RecordingReaderOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#names = new TaskNames(options.sink);
  }

  read(): void {
    const { files, path } = this.#options;
    refuseOtherExport(files, path);
    const events = openTable(files, "ftrace_event", path);
    if (events.rows === 0)
      throw new InputError(
        "perfetto/no-raw-events",
        `${path}: its table of raw ftrace events is empty; expected an export made without --no-ftrace-raw, of a trace with ftrace events`,
      );
    try {
      this.#read(events);
    } catch (error) {
      // A cell that cannot be read: its table's name is not known here.
      if (!(error instanceof InputError) || error.message.startsWith(path)) throw error;
      throw new InputError(error.code, `${path}: ${error.message}`);
    }
  }

  skipped(): Record<string, number> {
    return this.#decoder?.skipped() ?? {};
  }

  probes(): ProbeInfo[] {
    return this.#decoder?.probes() ?? [];
  }

  #read(events: StoredTable): void {
    const { files, path, probes } = this.#options;
    const columns = eventColumns(events, path);
    const cpus = readCpus(openTable(files, "cpu", path));
    const machine = machineOf(columns.ucpu, events.rows, cpus);
    const threads = this.#threads(machine);
    this.#describe(machine, cpus);
    this.#lose(machine);
    const args = new ArgSets(openTable(files, "args", path), path);
    const decoder = new RecordDecoder({
      sink: this.#sink,
      big: false,
      probes,
      commOf: (tid) => this.#names.of(tid),
      symbols: () => null,
      taskFromRecord: false,
    });
    this.#decoder = decoder;
    const records = new EventRecords(args, decoder);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    for (let row = 0; row < events.rows; row++) {
      this.records = row + 1;
      if (row % PROGRESS_EVERY === 0) this.#options.onProgress((size * row) / events.rows);
      if (this.#isElsewhere(columns.ucpu, row, cpus, machine)) continue;
      if (!this.#setTime(columns.ts, row)) continue;
      if (this.#place(columns, row, cpus, threads)) this.#event(columns, args, records);
      else this.#damaged(this.#row.cpu, "its CPU or its thread");
    }
  }

  #threads(machine: number): Threads {
    const { files, path } = this.#options;
    const process = this.#optional("process");
    return readThreads(openTable(files, "thread", path), process, (tid, of, bytes, start, end) => {
      if (of === machine && tid > 0) this.#names.set(tid, this.#sink.comm(bytes, start, end));
    });
  }

  /** A table that can be done without; null and a problem when it is missing or damaged. */
  #optional(table: TableName): StoredTable | null {
    const { files, path } = this.#options;
    try {
      return openTable(files, table, path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#sink.problems.add(
        PERFETTO_BAD_TABLE,
        0,
        `__intrinsic_${table}: ${error.message.slice(path.length + 2)}`,
      );
      return null;
    }
  }

  #describe(machine: number, { cpu, machine: of }: Cpus): void {
    const sink = this.#sink;
    const table = this.#optional("metadata");
    const { clock, kernel } = table === null ? { clock: "", kernel: "" } : readMetadata(table, machine);
    if (clock !== "") sink.clock = clock;
    sink.kernel = kernel;
    let most = NONE;
    for (let ucpu = 0; ucpu < cpu.length; ucpu++) if (of[ucpu] === machine) most = Math.max(most, cpu[ucpu]!);
    sink.declareCpus(most + 1);
  }

  /** Takes in what was lost. Without the statistics anything may have been. */
  #lose(machine: number): void {
    const table = this.#optional("stats");
    const unknown: Loss[] = [{ name: "__intrinsic_stats cannot be read", cpu: NONE, value: 1 }];
    for (const { name, cpu, value } of (table === null ? null : readLosses(table, machine)) ?? unknown) {
      if (cpu === NONE) this.#isLossy = true;
      else this.#lossy.add(cpu);
      const where = cpu === NONE ? "" : ` of CPU ${cpu}`;
      this.#sink.problems.add(PERFETTO_LOST, 0, `${name}${where}: ${value}`);
    }
  }

  #isElsewhere(ucpus: StoredColumn, row: number, { machine: of }: Cpus, machine: number): boolean {
    const other = of[ucpus.low(row) >>> 0];
    if (other === undefined || other === machine) return false;
    this.#sink.problems.add(PERFETTO_OTHER_MACHINE, row + 1, `machine ${other}`);
    return true;
  }

  /** Sets the head's time and line. */
  #setTime(ts: StoredColumn, row: number): boolean {
    const { head } = this.#sink;
    head.line = row + 1;
    head.ticks = false;
    const high = ts.high(row);
    if (high < 0) {
      this.#damaged(NONE, "its time");
      return false;
    }
    this.#time.set(high, ts.low(row) >>> 0);
    head.hi = this.#time.hi;
    head.lo = this.#time.lo;
    return true;
  }

  /** Sets what the row says. False when its CPU or its thread is not in the tables. */
  #place(columns: EventColumns, row: number, { cpu }: Cpus, { tid, tgid }: Threads): boolean {
    const at = this.#row;
    at.name = columns.name.isNull(row) ? NONE : columns.name.low(row);
    at.argSet = columns.argSet.low(row) >>> 0;
    at.cpu = cpu[columns.ucpu.low(row) >>> 0] ?? NONE;
    const utid = columns.utid.low(row) >>> 0;
    at.tid = tid[utid] ?? NONE;
    at.tgid = tgid[utid] ?? NONE;
    return at.cpu !== NONE && at.tid !== NONE;
  }

  #event({ name: names }: EventColumns, args: ArgSets, records: EventRecords): void {
    const { cpu, tid, tgid, argSet, name } = this.#row;
    const head = this.#sink.head;
    head.cpu = cpu;
    head.tid = tid;
    head.tgid = tgid;
    const known = this.#layouts.get(name);
    if (known !== undefined && !known.isWanted) {
      records.bare(known);
      this.#decoder?.decode(records.bytes, records.view, 0, records.length);
      return;
    }
    const hasArgs = args.select(argSet);
    const layout = known ?? this.#layoutOf(names, hasArgs, records);
    if (layout === null) this.#damaged(cpu, "its name or its arguments");
    else if (!layout.isWanted) records.bare(layout);
    else if (!this.#fill(layout, hasArgs, records)) {
      this.#damaged(cpu, `the arguments of ${layout.name}`);
      return;
    }
    if (layout === null) return;
    if (layout.isWanted) this.#gap(cpu);
    this.#decoder?.decode(records.bytes, records.view, 0, records.length);
    if (layout.name === SWITCH) this.#nameTasks(layout, records);
  }

  /** The layout of the row's event, which is kept; null when it cannot be told. */
  #layoutOf(names: StoredColumn, hasArgs: boolean, records: EventRecords): Layout | null {
    const { name: key } = this.#row;
    if (!names.texts.find(key, 256)) return null;
    const { bytes, start, end } = names.texts;
    const name = new TextDecoder().decode(bytes.subarray(start, end));
    if (name === OWN_PROBE) return hasArgs ? records.ownProbe() : null;
    const layout = records.layoutOf(name, hasArgs);
    if (layout !== null) this.#layouts.set(key, layout);
    return layout;
  }

  #fill(layout: Layout, hasArgs: boolean, records: EventRecords): boolean {
    if (!hasArgs) return false;
    if (!layout.isOwn) return records.fill(layout);
    records.place(layout);
    return true;
  }

  /** Puts a gap before the event when something was lost at an unknown time. */
  #gap(cpu: number): void {
    if (this.#isLossy) this.#sink.lost(NONE, this.#sink.lostEvents < 0 ? 0 : -1, this.records);
    else if (this.#lossy.has(cpu)) this.#sink.lost(cpu, this.#sink.lostEvents < 0 ? 0 : -1, this.records);
  }

  /** An event that cannot be read is one that is missing. */
  #damaged(cpu: number, what: string): void {
    this.#sink.lost(cpu, 1, this.records);
    this.#sink.problems.add(PERFETTO_BAD_EVENT, this.records, `row ${this.records - 1}: ${what}`, 1, what);
  }

  /** From a switch on both tasks have the names it tells; the table of threads has their last ones. */
  #nameTasks({ slots }: Layout, { bytes }: EventRecords): void {
    this.#sides ??= ["prev", "next"].map((side) => ({
      pid: slots.find(({ name }) => name === `${side}_pid`)?.offset ?? 0,
      comm: slots.find(({ name }) => name === `${side}_comm`)?.offset ?? 0,
    }));
    for (const { pid, comm } of this.#sides) {
      const tid = i32(bytes, pid, false);
      const place = u32(bytes, comm, false);
      const start = place & 0xffff;
      const end = nulAt(bytes, start, start + (place >>> 16));
      if (tid > 0 && isPid(tid) && end > start) this.#names.set(tid, this.#sink.comm(bytes, start, end));
    }
  }
}

function eventColumns(table: StoredTable, path: string): EventColumns {
  const ts = table.column("ts", "i64");
  const name = table.column("name", "text");
  const utid = table.column("utid", "u32");
  const argSet = table.column("arg_set_id", "u32");
  const ucpu = table.column("ucpu", "u32");
  if (ts === null || name === null || utid === null || argSet === null || ucpu === null)
    throw new InputError(
      "perfetto/no-column",
      `${path}: __intrinsic_ftrace_event.arrow lacks one of ts, name, utid, arg_set_id, ucpu; expected an export of trace_processor v58`,
    );
  return { ts, name, utid, argSet, ucpu };
}
