// CTF traces: hand-made ones in both byte orders and all header layouts, damaged ones, and the public recordings beside the
// repository, against what babeltrace2 prints of the same files (stored with its version; live where it is installed).
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { NamedSource } from "../../src/ingest/index.ts";
import {
  type CtfEventInput,
  type CtfPacketInput,
  type CtfStyle,
  metadataText,
  PLAIN,
  writeCtf,
} from "../support/ctf-writer.ts";
import { dumpRecording, folderFiles, memoryFile } from "../support/dump-recording.ts";
import { type Dump, dumpRows } from "../support/dump-rows.ts";

expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

const hasBabeltrace = spawnSync("babeltrace2", ["--version"]).status === 0;
const scratch = mkdtempSync(join(tmpdir(), "forkcast-ctf-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const switchTo = (at: bigint, prev: number, next: number): CtfEventInput => ({
  name: "sched_switch",
  at,
  fields: {
    prev_comm: `p "${prev}`,
    prev_tid: prev,
    prev_prio: 20,
    prev_state: 1,
    next_comm: `n}${next}`,
    next_tid: next,
    next_prio: 20,
  },
  context: { procname: `p "${prev}`, pid: prev, tid: prev },
});
const clone = (at: bigint, tid: number, flags: number): CtfEventInput => ({
  name: "syscall_entry_clone",
  at,
  fields: { clone_flags: flags, newsp: -1 },
  context: { procname: "a", pid: tid, tid },
});
const fork = (at: bigint, tid: number, child: number): CtfEventInput => ({
  name: "sched_process_fork",
  at,
  fields: {
    parent_comm: "a",
    parent_tid: tid,
    parent_pid: tid,
    child_comm: "a",
    child_tid: child,
    vtids: [child, 3],
    child_pid: child,
  },
  context: { procname: "a", pid: tid, tid },
});
const exec = (at: bigint, tid: number): CtfEventInput => ({
  name: "sched_process_exec",
  at,
  fields: { filename: "/bin/true", tid, old_tid: tid },
  context: { procname: "a", pid: tid, tid },
});
const waking = (at: bigint): CtfEventInput => ({
  name: "sched_waking",
  at,
  fields: { comm: "w", tid: 5, prio: 1 },
  context: { procname: "w", pid: 5, tid: 5 },
});
const state = (at: bigint, tid: number): CtfEventInput => ({
  name: "lttng_statedump_process_state",
  at,
  fields: { tid, pid: tid, ppid: 1, name: "z", type: 0, status: 5 },
  context: { procname: "w", pid: 5, tid: 5 },
});

// The 27 bits of a compact header wrap at 134 ms: two of these lie further apart.
const LATE = 1n << 30n;
const PACKETS: readonly CtfPacketInput[] = [
  {
    cpu: 0,
    sequence: 0,
    events: [switchTo(1000n, 1, 2), clone(1500n, 2, 0x1200011), fork(2000n, 2, 9), switchTo(LATE, 2, 3)],
  },
  { cpu: 1, sequence: 0, events: [waking(1200n), exec(1300n, 4), state(1400n, 7)] },
  { cpu: 0, sequence: 1, events: [switchTo(LATE + 10000n, 3, 4), waking(LATE + 10100n)] },
];

const STYLES: readonly CtfStyle[] = [true, false].flatMap((isLittle) =>
  [false, true].flatMap((isAligned) =>
    [false, true].flatMap((isLarge) =>
      [false, true].map((hasContext) => ({ ...PLAIN, isLittle, isAligned, isLarge, hasContext })),
    ),
  ),
);

function styleName({ isLittle, isAligned, isLarge, hasContext }: CtfStyle): string {
  return `${isLittle ? "little" : "big"}-endian ${isAligned ? "aligned" : "packed"} ${isLarge ? "large" : "compact"}${hasContext ? " with context" : ""}`;
}

/** What babeltrace2 prints of a trace, as rows. */
function babeltraceDump(folder: string): Dump {
  const text = execFileSync("babeltrace2", ["--clock-seconds", folder], {
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return dumpRows(text);
}

function write(files: readonly NamedSource[], name: string): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const file of files) writeFileSync(join(folder, file.name), file.readAt(0, file.size));
  return folder;
}

test("a trace's rows", () => {
  const { meta, rows, problems } = dumpRecording(writeCtf(PACKETS));
  expect([meta.format, meta.kernel, meta.clock, meta.cpus, meta.events, meta.lostEvents]).toEqual([
    "ctf",
    "6.1.0-test",
    "mono",
    2,
    9,
    0,
  ]);
  expect(meta.epochNs).toBe(1539783991n * 1_000_000_000n);
  expect(meta.skipped).toEqual({ sched_waking: 2 });
  expect(problems).toEqual([]);
  expect(rows.join("\n")).toMatchInlineSnapshot(`
    179110860 L1 sched_switch cpu=0 tid=1 comm="p \\"1" argTid=2 argComm="n}2" flags=0x3
    179111160 L3 sched_process_exec cpu=1 tid=4 comm="<...>" argTid=4
    179111260 L4 task_state cpu=1 tgid=7 comm="<...>" argTid=7 argComm="z" flags=0x1
    179111360 L5 sys_enter_clone cpu=0 tid=2 comm="n}2" flags=0x1200011
    179111860 L6 sched_process_fork cpu=0 tid=2 tgid=2 comm="n}2" argTid=9 argComm="a" flags=0x1200003
    1252851684 L7 sched_switch cpu=0 tid=2 comm="p \\"2" argTid=3 argComm="n}3" flags=0x3
    1252861684 L8 sched_switch cpu=0 tid=3 comm="p \\"3" argTid=4 argComm="n}4" flags=0x3
  `);
});

describe.each(STYLES.map((style) => [styleName(style), style] as const))("%s", (name, style) => {
  const files = writeCtf(PACKETS, style);

  test("the same rows in every layout", () => {
    const plain = dumpRecording(writeCtf(PACKETS, { ...PLAIN, hasContext: style.hasContext }));
    expect(dumpRecording(files).rows).toEqual(plain.rows);
    expect(dumpRecording(writeCtf(PACKETS, style, true)).rows).toEqual(plain.rows);
  });

  test.skipIf(!hasBabeltrace)("as babeltrace2 reads it", () => {
    const dump = dumpRecording(files);
    const theirs = babeltraceDump(write(files, name.replaceAll(" ", "-")));
    expect(dump.rows).toEqual(theirs.rows);
    expect(dump.meta.skipped).toEqual(theirs.meta.skipped);
    expect(dump.meta.epochNs).toBe(theirs.meta.epochNs);
  });
});

describe("lost events", () => {
  test("are lost before every event that may stand behind them, and before the next packet's first", () => {
    const packets: CtfPacketInput[] = [
      { cpu: 0, sequence: 0, discarded: 0, events: [switchTo(1000n, 1, 2)] },
      { cpu: 0, sequence: 1, discarded: 7, events: [switchTo(2000n, 2, 3), switchTo(3000n, 3, 4)] },
      { cpu: 0, sequence: 2, discarded: 7, events: [switchTo(4000n, 4, 5), switchTo(5000n, 5, 6)] },
    ];
    const { meta, rows, problems } = dumpRecording(writeCtf(packets));
    expect(rows.map((row) => row.split(" ").slice(1, 4).join(" "))).toEqual([
      "L1 sched_switch cpu=0",
      "L2 lost cpu=0",
      "L2 lost cpu=0",
      "L2 sched_switch cpu=0",
      "L3 lost cpu=0",
      "L3 sched_switch cpu=0",
      "L4 lost cpu=0",
      "L4 sched_switch cpu=0",
      "L5 sched_switch cpu=0",
    ]);
    expect(meta.lostEvents).toBe(7);
    expect(problems).toEqual(['ctf/discarded-events x1 line 2: "CPU 0: 7 events lost"']);
  });

  test("counted in the first packet are lost as well", () => {
    const { meta } = dumpRecording(writeCtf([{ cpu: 0, discarded: 3, events: [switchTo(1000n, 1, 2)] }]));
    expect(meta.lostEvents).toBe(3);
  });

  test("of an unknown tracer may stand anywhere in their packet", () => {
    const many = Array.from({ length: 300 }, (_, i) => switchTo(BigInt(1000 + i), 1, 2));
    const packet = { cpu: 0, discarded: 1, events: many };
    const gaps = (tracer: string): number =>
      dumpRecording(writeCtf([packet], { ...PLAIN, tracer })).rows.filter((row) => row.includes(" lost "))
        .length;
    expect(gaps("barectf")).toBe(301);
    expect(gaps("lttng-modules")).toBeLessThan(100);
  });

  test("with a whole packet: its number is missing", () => {
    const packets = [0, 2].map((sequence) => ({
      cpu: 0,
      sequence,
      events: [switchTo(BigInt(1000 + sequence), 1, 2)],
    }));
    const { meta, problems } = dumpRecording(writeCtf(packets));
    expect(meta.lostEvents).toBe(-1);
    expect(problems).toEqual(['ctf/lost-packets x1 line 2: "CPU 0: an unknown number of packets lost"']);
  });
});

describe("damage", () => {
  const [first, second, metadata] = writeCtf(PACKETS);

  test("a stream cut anywhere is read up to the cut, and the cut is reported", () => {
    if (metadata === undefined || first === undefined || second === undefined) throw new Error("no streams");
    for (let size = 1; size < 700; size++) {
      const cut = memoryFile(first.name, first.readAt(0, size));
      const { problems, meta } = dumpRecording([metadata, cut, second]);
      expect(problems.join()).toContain("ctf/damaged-packet");
      expect(meta.events).toBeGreaterThanOrEqual(3);
    }
  });

  test("an event id that is not declared ends its packet, and what follows it is lost", () => {
    if (metadata === undefined || first === undefined || second === undefined) throw new Error("no streams");
    const bytes = first.readAt(0, first.size);
    // The first header of the second packet: id 29.
    bytes[4096 + 84] = 29;
    const { rows, problems } = dumpRecording([metadata, memoryFile(first.name, bytes), second]);
    expect(problems).toEqual([
      'ctf/damaged-packet x1 line 8: "channel0_0, packet at byte 4096: an event in it does not fit its layout"',
    ]);
    expect(rows.at(-1)).toContain(" lost cpu=0 flags=0xffffffff");
  });
});

describe("metadata", () => {
  const streams = writeCtf(PACKETS).slice(0, -1);
  const plain = metadataText(PLAIN);
  const refusal = (text: string): string => {
    try {
      dumpRecording([...streams, memoryFile("metadata", new TextEncoder().encode(text))]);
    } catch (error) {
      return String(error);
    }
    return "read";
  };

  test("may be plain text", () => {
    expect(refusal(plain)).toBe("read");
  });

  test.each([
    ["comments", "//\n".repeat(4 << 20)],
    ["one text", `env { a = "${"a".repeat(8 << 20)}"; };\n`],
    ["one text of escapes", `env { a = "${"\\\\".repeat(4 << 20)}"; };\n`],
  ])("megabytes of %s are read", (_, text) => {
    expect(refusal(text + plain)).toBe("read");
  });

  test.each([
    ["typedef", plain.replace("trace {", "typedef int x;\ntrace {")],
    ["an unknown type", plain.replace("uint32_t cpu_id", "uint24_t cpu_id")],
    ["no byte order", plain.replace(/byte_order = le;/, "")],
    ["a variant without its tag", plain.replace("variant <id>", "variant <nothing>")],
    ["user space", plain.replace('domain = "kernel"', 'domain = "ust"')],
    ["CTF 2", '\x1e{"type": "preamble", "version": 2}'],
    ["CTF 1.9", plain.replace("minor = 8", "minor = 9")],
    ["no TSDL", "\u0000\u0001"],
    ["an open text", `${plain}  "open`],
    ["too deep", `${"struct { ".repeat(40)}`],
  ])("%s is refused", (_, text) => {
    expect(refusal(text)).toMatchSnapshot();
  });
});

const PUBLIC = fileURLToPath(new URL("../../../shared/traces/public/", import.meta.url));
const EXPECTED = fileURLToPath(new URL("../golden/ctf/babeltrace2.json", import.meta.url));
const TRACES: readonly (readonly [name: string, archive: string, folder: string])[] = [
  ["many-threads", "", "tracecompass-test-traces/many-threads"],
  ["flipping-endianness", "", "tracecompass-test-traces/flipping-endianness"],
  ["lttng-modules-2.0.0-ref-trace", "", "babeltrace/lttng-modules-2.0.0-ref-trace"],
  ["101-simple_kernel", "tracevizlab/101-simple_kernel.tar.gz", "simple-kernel"],
  ["103-apt", "tracevizlab/103-apt.tar.gz", "apt"],
];

/** Counts and a digest of the rows, the same for either reader. */
function digest({ meta, rows, problems }: Dump): Record<string, unknown> {
  return {
    events: meta.events,
    rows: rows.length,
    epochNs: String(meta.epochNs),
    spanNs: meta.spanNs,
    skipped: createHash("sha256")
      .update(Object.entries(meta.skipped).sort().join("\n"))
      .digest("hex")
      .slice(0, 16),
    sha256: createHash("sha256").update(rows.join("\n")).digest("hex"),
    problems,
  };
}

describe.skipIf(!existsSync(PUBLIC))("public recordings in ../shared/traces/public", () => {
  test.each(TRACES)(
    "%s",
    (name, archive, folder) => {
      let path = join(PUBLIC, folder);
      if (archive !== "") {
        execFileSync("tar", ["-xzf", join(PUBLIC, archive), "-C", scratch]);
        path = join(scratch, folder);
      }
      const ours = digest(dumpRecording(folderFiles(path)));
      const stored = JSON.parse(readFileSync(EXPECTED, "utf8")) as Record<string, unknown>;
      expect(ours).toEqual(stored[name]);
      if (hasBabeltrace) expect(ours).toEqual(digest(babeltraceDump(path)));
    },
    240_000,
  );
});
