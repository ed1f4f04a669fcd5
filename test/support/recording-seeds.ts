// Small recordings in every shape the formats allow, made from one list of events: fixtures of the differential test, and
// what the fuzzer starts from. Deterministic.
import { type EventSpec, eventSpecs, formatText, recordOf } from "./event-formats.ts";
import { type KernelRecord, type PerfDataSpec, writePerfData } from "./perf-data-writer.ts";
import {
  type Entry,
  type Page,
  type TraceDatSpec,
  type Written,
  writeRawPages,
  writeTraceDat,
} from "./trace-dat-writer.ts";

export interface Seed extends Written {
  readonly name: string;
  readonly format: "trace-dat" | "perf-data";
}

const T0 = 5_000_000_000n;
const KALLSYMS = "ffffffff81000000 T _text\nffffffff8107a000 T mmput\nffffffff8107a400 T get_task_mm\n";
const MMPUT_64 = 0xffffffff8107a004n;

interface Event {
  readonly cpu: number;
  readonly ns: bigint;
  readonly data: Uint8Array;
  readonly tid: number;
}

/** Switches, new tasks, probe hits and an event nobody wants, on two CPUs. */
function events(big: boolean, long: 4 | 8): Event[] {
  const [sw, task, put, irq] = eventSpecs(long) as [never, never, never, never];
  const list: Event[] = [];
  for (let i = 0; i < 24; i++) {
    const cpu = i % 2;
    const tid = 100 + cpu;
    const ns = T0 + BigInt(i) * 1_700n + BigInt(cpu * 300);
    const common = { common_pid: tid, common_flags: i % 5 === 0 ? 0x08 : 0 };
    const data = [
      recordOf(sw, big, {
        ...common,
        prev_comm: `t ${tid}`,
        prev_pid: tid,
        prev_prio: 120,
        prev_state: i % 3 === 0 ? 256 : 1,
        next_comm: `swapper/${cpu}`,
        next_prio: 120,
      }),
      recordOf(task, big, {
        ...common,
        pid: 200 + i,
        comm: "a=b [1] x",
        clone_flags: 0x1200000,
        oom_score_adj: -5,
      }),
      recordOf(put, big, {
        ...common,
        __probe_ip: long === 8 ? MMPUT_64 : 0xc0107a04,
        mm: 0xff42a6ce81aed580n,
        users: 3,
      }),
      recordOf(irq, big, { ...common, vec: 7 }),
    ][i % 4]!;
    list.push({ cpu, ns, data, tid });
  }
  return list;
}

/** What stands in front of the second, third and fourth record, and the time it leads to. */
function oddEntry(
  i: number,
  at: bigint,
  now: bigint,
): { readonly entry: Entry; readonly now: bigint } | null {
  if (i === 1) return { entry: { kind: "stamp", ns: at - 3n }, now: at - 3n };
  if (i === 2) return { entry: { kind: "extend", delta: Number(at - now) - 1 }, now: at - 1n };
  if (i === 3) return { entry: { kind: "discarded", delta: 1, length: 12 }, now: now + 1n };
  return null;
}

/** Two pages a CPU: with an extend, an absolute stamp, a discarded entry and a loss between the pages. */
function pagesOf(cpu: number, list: readonly Event[]): Page[] {
  const own = list.filter((event) => event.cpu === cpu);
  const half = own.length >> 1;
  return [own.slice(0, half), own.slice(half)].map((part, page) => {
    const ns = part[0]!.ns - 10n;
    let now = ns;
    const entries: Entry[] = [];
    part.forEach(({ ns: at, data }, i) => {
      const before = oddEntry(i, at, now);
      if (before !== null) entries.push(before.entry);
      entries.push({ kind: "record", delta: Number(at - (before?.now ?? now)), data });
      now = at;
    });
    return { ns, entries, ...(page === 1 ? { missed: cpu === 0 ? 17 : -1 } : {}) };
  });
}

function traceDat(
  version: 6 | 7,
  big: boolean,
  long: 4 | 8,
  codec: "none" | "zlib",
  instance = false,
): TraceDatSpec {
  const list = events(big, long);
  const cpus = [pagesOf(0, list), pagesOf(1, list)];
  return {
    version,
    big,
    long,
    codec,
    formats: eventSpecs(long).map((spec) => ({ system: spec.system, text: formatText(spec) })),
    kallsyms: long === 8 ? KALLSYMS : "c0107a00 T mmput\n",
    cmdlines: "100 t 100\n101 t 101\n",
    options: [
      { id: 4, text: "local global [mono] boot" },
      { id: 5, text: "Linux host 6.1.0-test x86_64" },
      { id: 7, text: version === 7 ? "1000" : "0" },
      { id: 2, text: "CPU: 0\nentries: 3\noverrun: 5\ndropped events: 0\n" },
    ],
    buffers: [
      { name: "", cpus },
      ...(instance ? [{ name: "second", cpus: [pagesOf(0, list), pagesOf(1, list)] }] : []),
    ],
  };
}

function perfData(
  big: boolean,
  isPipe: boolean,
  compressed: PerfDataSpec["compressed"],
  attrSize: number,
): PerfDataSpec {
  const list = events(big, 8);
  const task = (type: number, ns: bigint, pid: number, misc = 0): KernelRecord => ({
    type,
    misc,
    pid,
    tid: pid,
    ns,
    cpu: 0,
    body: (w) => {
      if (type === 3) w.int(4, pid).int(4, pid).text("named\0\0\0");
      else if (type === 2) w.int(8, 100).int(8, 9);
      else if (type === 15) w.int(4, 300).int(4, 300);
      else w.int(4, 300).int(4, pid).int(4, 300).int(4, pid).int(8, ns);
    },
  });
  const samples = list.map(
    ({ cpu, ns, data, tid }): KernelRecord => ({
      type: 9,
      body: () => {},
      pid: tid,
      tid,
      ns,
      cpu,
      raw: data,
    }),
  );
  const byCpu = (from: number, to: number): KernelRecord[] =>
    [0, 1].flatMap((cpu) => samples.slice(from, to).filter((sample) => sample.cpu === cpu));
  return {
    big,
    isPipe,
    compressed,
    attrSize,
    formats: eventSpecs(8).map((spec) => ({ system: spec.system, text: formatText(spec) })),
    tracepoints: [319, 1493, 140, 110],
    rounds: [
      [task(3, 0n, 100), task(7, T0 + 5n, 100), task(15, T0 + 7n, 100, 1 << 13), ...byCpu(0, 10)],
      [task(2, T0 + 9_000n, 100), ...byCpu(10, 24), task(4, T0 + 50_000n, 100)],
      [task(3, T0 + 51_000n, 300, 1 << 13)],
    ],
  };
}

/** An event that is described and never recorded: a probe, and one of the kernel's own. */
export function silentFormat(system: string, name: string, id: number): EventSpec {
  const fields = system === "kprobes" ? eventSpecs(8)[2]!.fields : [];
  return { system, name, id, fields };
}

/** The version 6 seed with more events described in it. */
export function traceDatWith(silent: readonly EventSpec[]): Uint8Array {
  const spec = traceDat(6, false, 8, "none");
  const formats = silent.map((event) => ({ system: event.system, text: formatText(event) }));
  return writeTraceDat({ ...spec, formats: [...spec.formats, ...formats] }).bytes;
}

/** The perf.data seed with more events in it, which have no sample; `idle`: its last sample is of the idle task. */
export function perfDataWith(silent: readonly EventSpec[], idle: boolean): Uint8Array {
  const spec = perfData(false, false, "no", 128);
  const [first = [], second = [], ...rest] = spec.rounds;
  const last = second.findLastIndex(({ type }) => type === 9);
  const rounds = [first, second.map((r, i) => (idle && i === last ? { ...r, pid: 0, tid: 0 } : r)), ...rest];
  return writePerfData({
    ...spec,
    rounds,
    formats: [...spec.formats, ...silent.map((event) => ({ system: event.system, text: formatText(event) }))],
    tracepoints: [...spec.tracepoints, ...silent.map(({ id }) => id)],
  }).bytes;
}

/** The events of the version 6 seeds as raw pages. */
export function rawPages(big: boolean, long: 4 | 8): ReturnType<typeof writeRawPages> {
  return writeRawPages(traceDat(6, big, long, "none"));
}

/** Every seed. */
export function seeds(): Seed[] {
  const dat = (name: string, spec: TraceDatSpec): Seed => ({
    name: `${name}.dat`,
    format: "trace-dat",
    ...writeTraceDat(spec),
  });
  const perf = (name: string, spec: PerfDataSpec): Seed => ({
    name: `${name}.perf.data`,
    format: "perf-data",
    ...writePerfData(spec),
  });
  return [
    dat("v6-le64", traceDat(6, false, 8, "none")),
    dat("v6-be32", traceDat(6, true, 4, "none")),
    dat("v6-instances", traceDat(6, false, 8, "none", true)),
    dat("v7-le32", traceDat(7, false, 4, "none")),
    dat("v7-be64-zlib", traceDat(7, true, 8, "zlib")),
    dat("v7-le64-zlib-instances", traceDat(7, false, 8, "zlib", true)),
    perf("file-le", perfData(false, false, "no", 128)),
    perf("file-be-newer", perfData(true, false, "no", 168)),
    perf("pipe-le", perfData(false, true, "no", 128)),
    perf("pipe-be", perfData(true, true, "no", 112)),
    perf("file-le-zstd", perfData(false, false, "COMPRESSED", 128)),
    perf("pipe-be-zstd-sized", perfData(true, true, "COMPRESSED2", 128)),
    perf("file-le-zstd-sized", perfData(false, false, "COMPRESSED2", 136)),
  ];
}
