// Recordings of every event the decoder knows, with fields of any size it takes, odd values and damaged pages: what the kernel
// for binary recordings is held against its reference with. Arbitraries of fast-check.
import fc from "fast-check";
import type { RecordingOptions } from "../../src/ingest/index.ts";
import { PROBED_FUNCTIONS } from "../../src/ingest/probe-functions.ts";
import { type EventSpec, type FieldSpec, formatText, recordOf } from "./event-formats.ts";
import { sourceOf } from "./recording-digest.ts";
import { type Entry, type Page, writeRawPages } from "./trace-dat-writer.ts";

type Files = RecordingOptions["files"];

const number = (name: string, size: number, signed: boolean): FieldSpec => ({
  declaration: `${signed ? "s" : "u"}${size * 8} ${name}`,
  name,
  size,
  signed,
});
const text = (name: string, size: number): FieldSpec => ({
  declaration: `char ${name}[${size}]`,
  name,
  size,
  signed: true,
});
const dynamic = (name: string): FieldSpec => ({
  declaration: `__data_loc char[] ${name}`,
  name,
  size: 4,
  signed: true,
});

/** Stock events and the fields of theirs that are read. */
const STOCK: readonly (readonly [string, readonly string[]])[] = [
  ["sched_switch", ["prev_comm", "prev_pid", "prev_state", "next_comm", "next_pid"]],
  ["task_newtask", ["pid", "comm", "clone_flags"]],
  ["sched_process_fork", ["child_comm", "child_pid"]],
  ["sched_process_exec", ["old_pid"]],
  ["sched_process_exit", ["pid"]],
  ["sched_process_free", ["pid"]],
  ["sched_migrate_task", ["pid", "orig_cpu", "dest_cpu"]],
  ["tlb_flush", ["reason", "pages"]],
  ["mmap_lock_start_locking", ["mm", "write"]],
  ["mmap_lock_acquire_returned", ["mm", "write", "success"]],
  ["mmap_lock_released", ["mm", "write"]],
  ["sys_enter_clone", ["clone_flags"]],
  ["sys_exit_clone", ["ret"]],
  ["print", ["buf"]],
  ["softirq_raise", ["vec"]],
];
const ARGUMENTS = [
  "mm oldmm newmm next prev tsk task pid users count flags ret freed src_mm dst_mm stray",
  "lm0 lz0 cm0 lm7 lz7 cm7 lm1023 lz3",
].flatMap((names) => names.split(" "));

const size = fc.constantFrom(1, 2, 4, 8);

function fieldOf(name: string): fc.Arbitrary<FieldSpec> {
  if (name === "buf") return fc.constant(text(name, 24));
  if (name.endsWith("comm"))
    return fc.oneof(
      fc.constantFrom(16, 16, 7, 32).map((n) => text(name, n)),
      fc.constant(dynamic(name)),
    );
  return fc.tuple(size, fc.boolean()).map(([bytes, signed]) => number(name, bytes, signed));
}

const stock = fc
  .constantFrom(...STOCK)
  .chain(([name, fields]) =>
    fc.tuple(...fields.map(fieldOf)).map((list) => ({ system: "sched", name, fields: list })),
  );

const probe = fc
  .tuple(
    fc.constantFrom(...PROBED_FUNCTIONS.keys(), "unheard_of", "vfs_read"),
    fc.constantFrom("", "_ret"),
    fc.subarray(ARGUMENTS, { minLength: 1 }),
    fc.boolean(),
  )
  .chain(([func, suffix, names, isNamed]) =>
    fc.tuple(...names.map(fieldOf)).map((fields) => ({
      system: "kprobes",
      name: isNamed ? `${func}${suffix}` : `p_${func}${suffix}_0`,
      fields: [
        ...(suffix === "" ? [number("__probe_ip", 8, false)] : []),
        ...(suffix === "" ? [] : [number("__probe_func", 8, false), number("__probe_ret_ip", 8, false)]),
        ...fields,
      ],
    })),
  );

const specs: fc.Arbitrary<readonly EventSpec[]> = fc
  .array(fc.oneof(stock, probe), { minLength: 1, maxLength: 8 })
  .map((list) => list.map((spec, i) => ({ ...spec, id: 300 + i })));

const POINTERS = [0n, 1n, 0xff2f70a182d43180n, 0xff2f70a182d43580n, 0xfffffffffffffff2n, 0xffffffff00000000n];
const value: fc.Arbitrary<number | bigint | string> = fc.oneof(
  fc.constantFrom(...POINTERS),
  fc.constantFrom(0, 1, 2, 16, 32, 0x80, 0x400, 100, 101, 4194304, 4194305, -1, -2, 2147483647, -2147483648),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const NAMES = [
  "",
  "a",
  "bash",
  ":12",
  ":x",
  "<...>",
  "<idle>",
  "fifteen-letters",
  "sixteen--letters",
  "ü \t=",
  "a very long name indeed",
];
const name = fc.constantFrom(...NAMES);

/** An entry of a page: a record of one of the events, or something odd. */
interface EntrySeed {
  readonly which: number;
  readonly values: readonly (number | bigint | string)[];
  readonly names: readonly string[];
  readonly pid: number | bigint | string;
  readonly flags: number;
  readonly cut: number;
  readonly delta: number;
  readonly odd: number;
}

const entry: fc.Arbitrary<EntrySeed> = fc.record({
  which: fc.nat(40),
  values: fc.array(value, { minLength: 26, maxLength: 26 }),
  names: fc.tuple(name, name),
  pid: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 100, 101, 4000) }, value),
  flags: fc.constantFrom(0, 8, 16, 64, 1, 0xff),
  cut: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })),
  delta: fc.oneof(fc.nat(2000), fc.nat((1 << 27) - 1)),
  odd: fc.nat(60),
});

const page = fc.record({
  ns: fc.oneof(
    { weight: 9, arbitrary: fc.nat(2_000_000).map((ns) => 5_000_000_000n + BigInt(ns)) },
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  ),
  entries: fc.array(entry, { maxLength: 20 }),
  missed: fc.constantFrom(undefined, undefined, undefined, -1, 3),
});

/** Bytes of the pages that are changed after they were written: place, and what it becomes. */
const strokes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 3 });

/** The files of a directory of raw pages. */
export const oddRecording: fc.Arbitrary<Files> = fc
  .tuple(
    specs,
    fc.array(fc.array(page, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
    strokes,
  )
  .map(([events, cpus, blows]) => {
    const files = writeRawPages({
      version: 6,
      big: false,
      long: 8,
      codec: "none",
      formats: events.map((spec) => ({ system: spec.system, text: formatText(spec) })),
      kallsyms: "ffffffff81000000 T _text\nffffffff8107a000 T mmput\n",
      cmdlines: "100 saved\n101 a=b [1] x\n4000 more\n",
      options: [],
      buffers: [{ name: "", cpus: cpus.map((pages) => pages.map((seed) => pageOf(seed, events))) }],
    });
    return files.map((file) => {
      if (!file.name.endsWith("trace_pipe_raw")) return sourceOf(file.bytes, file.name);
      const bytes = file.bytes.slice();
      for (const [place, byte] of blows) bytes[Math.floor(place * bytes.length)] = byte;
      return sourceOf(bytes, file.name);
    });
  });

function pageOf(
  { ns, entries, missed }: { ns: bigint; entries: readonly EntrySeed[]; missed: number | undefined },
  events: readonly EventSpec[],
): Page {
  const list: Entry[] = [];
  for (const seed of entries) {
    if (seed.odd === 0) list.push({ kind: "extend", delta: seed.delta * 5000 });
    else if (seed.odd === 1) list.push({ kind: "stamp", ns: ns + BigInt(seed.delta) });
    else if (seed.odd === 2) list.push({ kind: "discarded", delta: 1 + (seed.delta % 100), length: 12 });
    list.push({ kind: "record", delta: seed.delta, data: recordFrom(seed, events) });
  }
  return { ns, entries: list, ...(missed === undefined ? {} : { missed }) };
}

function recordFrom(
  { which, values, names, pid, flags, cut }: EntrySeed,
  events: readonly EventSpec[],
): Uint8Array {
  const spec = events[which % events.length]!;
  const given: Record<string, string | number | bigint> = { common_pid: pid, common_flags: flags };
  const fixed = recordOf(spec, false, {});
  let tail = "";
  spec.fields.forEach((field, i) => {
    const word = names[i % 2]!;
    if (field.declaration.startsWith("__data_loc")) {
      const at = fixed.length + tail.length;
      given[field.name] = at | ((word.length + 1) << 16);
      tail += `${word}\0`;
    } else if (field.declaration.startsWith("char")) given[field.name] = word;
    else if (field.name.startsWith("__probe")) given[field.name] = 0xffffffff8107a004n;
    else if (field.name.endsWith("pid") && which % 3 > 0) given[field.name] = 100 + (which % 7);
    else given[field.name] = values[i % values.length]!;
  });
  const bytes = Buffer.concat([recordOf(spec, false, given), Buffer.from(tail, "latin1"), Buffer.alloc(3)]);
  const length =
    bytes.length -
    (bytes.length % 4) -
    (cut > 0 ? Math.min(cut * 4, bytes.length - (bytes.length % 4) - 4) : 0);
  return new Uint8Array(bytes.subarray(0, length));
}
