// Inputs nobody printed: glued, cut, damaged and made up. Every line is used or counted, nothing throws anything but
// InputError, and no number of the input sizes anything.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import type { FormatName } from "../../src/ingest/index.ts";
import { type Dump, dumpRows } from "../support/dump-rows.ts";

const DIR = fileURLToPath(new URL("../golden/ingest/", import.meta.url));
const SPECIMENS = readdirSync(DIR)
  .filter((name) => name.endsWith(".txt") && !name.endsWith(".rows.txt"))
  .map((name) => new Uint8Array(readFileSync(join(DIR, name))));

const FLUSH = "tlb_flush: pages:1 reason: (0)\n";

function line({ cpu = "000", pid = "9", time = "5.000001", body = FLUSH } = {}): string {
  return `            bash-${pid}       [${cpu}] .....     ${time}: ${body}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function read(text: string, format?: FormatName): Dump {
  return dumpRows(encode(text), 1 << 16, format === undefined ? {} : { format });
}

/** Problem codes with their counts: "ingest/bad-body x2". */
function codes({ problems }: Dump): string[] {
  return problems.map((problem) => problem.slice(0, problem.indexOf(" line ")));
}

describe("cut at any byte", () => {
  test("throws nothing but InputError and uses only whole lines", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SPECIMENS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (bytes, part) => {
          const head = bytes.subarray(0, Math.floor(bytes.length * part));
          const lastNewline = head.lastIndexOf(0x0a) + 1;
          const cut = outcome(head);
          const whole = outcome(head.subarray(0, lastNewline));
          if (lastNewline > 0) expect(cut).toEqual(whole);
          else expect(cut).toBe("refused");
        },
      ),
      { numRuns: 300 },
    );
  });

  test("the last line is not used without its line end, even if it reads as whole", () => {
    const dump = read((line() + line({ time: "5.000002" })).slice(0, -1));
    expect(dump.rows).toHaveLength(1);
    expect(codes(dump)).toEqual(["ingest/truncated-line x1"]);
    expect(dump.meta.lines).toBe(2);
  });

  test("blanks without a line end are no line", () => {
    const dump = read(`${line()}  \t`);
    expect(dump.rows).toHaveLength(1);
    expect(dump.problems).toEqual([]);
  });

  test("a CSV record whose quote never closes is dropped", () => {
    const header = "ts_ns,cpu,pid,tid,event,mm,mm_users,mm_count,other_mm,target_tid,comm,extra\n";
    const dump = read(`${header}5,0,9,9,mmput,0x1000,1,1,0x0,0,a,\n6,0,9,9,mmput,0x1000,1,1,0x0,0,"b\n`);
    expect(dump.rows).toHaveLength(1);
    expect(codes(dump)).toEqual(["ingest/truncated-line x1"]);
  });
});

/** Rows of an input, or that it was refused: for which reason may depend on the piece of a line at its end. */
function outcome(bytes: Uint8Array): readonly string[] | "refused" {
  try {
    return dumpRows(bytes, 4096, { probes: new Map([["fork_entry", "dup_mmap"]]) }).rows;
  } catch (error) {
    if (error instanceof InputError) return "refused";
    throw error;
  }
}

describe("numbers no kernel prints", () => {
  test.each([
    ["a CPU of 8192", { cpu: "8192" }],
    ["a CPU of 99999999", { cpu: "99999999" }],
    ["a pid above PID_MAX_LIMIT", { pid: "4194305" }],
    ["a pid of 2^31", { pid: "2147483648" }],
    ["a pid of 300 digits", { pid: "9".repeat(300) }],
    ["seconds of 20 digits", { time: "99999999999999999999.000001" }],
    ["seconds of 400 digits", { time: `${"9".repeat(400)}.000001` }],
    ["a time 104 days on", { time: "9999999.000001" }],
  ])("%s: the line is counted, not used", (_, damaged) => {
    const dump = read(line() + line(damaged) + line());
    expect(dump.rows).toHaveLength(2);
    expect(codes(dump)).toEqual(["ingest/out-of-range x1"]);
    expect(dump.meta.cpus).toBe(1);
    expect(dump.meta.spanNs).toBe(0);
  });

  test("the highest CPU and pid there can be are read", () => {
    const { rows, problems } = read(line({ cpu: "8191", pid: "4194304" }));
    expect(rows).toEqual([expect.stringMatching(/^1000 L1 tlb_flush cpu=8191 task tid=4194304 comm="bash"/)]);
    expect(problems).toEqual([]);
  });

  test.each([
    "sched_switch: prev_comm=bash prev_pid=9 prev_prio=120 prev_state=S ==> next_comm=a next_pid=4194305 next_prio=120\n",
    "sched_switch: prev_comm=bash prev_pid=99999999999 prev_prio=120 prev_state=S ==> next_comm=a next_pid=1 next_prio=120\n",
    "task_newtask: pid=2147483648 comm=a clone_flags=1200000 oom_score_adj=0\n",
    "sched_process_fork: comm=bash pid=9 child_comm=bash child_pid=-5\n",
    "sched_process_exit: comm=bash pid=4294967295 prio=120\n",
    "sched_migrate_task: comm=bash pid=9 prio=120 orig_cpu=0 dest_cpu=8192\n",
  ])("in a body: %j", (body) => {
    const dump = read(line() + line({ body }));
    expect(dump.rows).toHaveLength(1);
    expect(codes(dump)).toEqual(["ingest/bad-body x1"]);
  });

  test("negative pids stand for none", () => {
    const body =
      "sched_switch: prev_comm=bash prev_pid=9 prev_prio=120 prev_state=S ==> next_comm=a next_pid=-7 next_prio=1\n";
    expect(read(line({ body })).rows).toEqual([
      '1000 L1 sched_switch cpu=0 task tid=9 comm="bash" argComm="a" flags=0x3',
    ]);
    const perf = "         swapper    -9 [000]     5.000001: tlb:tlb_flush: pages:1 reason: (0)\n";
    expect(read(perf).rows).toEqual(['1000 L1 tlb_flush cpu=0 comm="swapper"']);
  });

  test("a header that names 99999999 CPUs names none", () => {
    const header = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:99999999\n";
    expect(read(header + line()).meta.cpus).toBe(1);
    expect(read(`cpus=99999999\n${line()}`, "trace-cmd-report").meta.cpus).toBe(1);
  });

  test("losses of an impossible CPU or number are losses of any CPU, of unknown number", () => {
    const dump = read(`${line()}CPU:99999999 [LOST 99999999999999999999 EVENTS]\n${line()}`);
    expect(dump.rows[1]).toBe("1000 L2 lost cpu=-1 flags=0xffffffff");
    expect(dump.meta.lostEvents).toBe(-1);
  });

  test("a CSV row likewise", () => {
    const header = "ts_ns,cpu,pid,tid,event,mm,mm_users,mm_count,other_mm,target_tid,extra,comm\n";
    const good = "5,0,9,9,mmput,0x1000,1,1,0x0,0,,a\n";
    const dump = read(
      `${header}${good}5,99999,9,9,mmput,0x1000,1,1,0x0,0,,a\n5,0,9,-2,mmput,0x1000,1,1,0x0,0,,a\n` +
        `99999999999999999999,0,9,9,mmput,0x1000,1,1,0x0,0,,a\n${good}`,
    );
    expect(dump.rows).toHaveLength(2);
    expect(codes(dump)).toEqual(["ingest/out-of-range x3"]);
  });
});

describe("formats mixed up", () => {
  const perf =
    "            perf  2150 [000]   313.513273:       sched:sched_switch: prev_comm=perf prev_pid=2150 prev_prio=120 prev_state=R+ ==> next_comm=migration/0 next_pid=16 next_prio=0\n";

  test("a few lines of another format are counted", () => {
    const dump = read(line().repeat(10) + perf.repeat(3));
    expect(dump.meta.format).toBe("ftrace-text");
    expect(dump.rows).toHaveLength(10);
    expect(codes(dump)).toEqual(["ftrace/bad-header x3"]);
  });

  test("a file that is mostly another format is refused", () => {
    expect(() => read(line().repeat(1000) + perf.repeat(2000))).toThrow(
      expect.objectContaining({ code: "ingest/mixed-format" }),
    );
  });

  test("differences in place of times are refused", () => {
    const at = (time: string): string => perf.replace("313.513273", `  ${time}`);
    expect(() => read(at("0.000000") + (at("0.000781") + at("0.000004")).repeat(20))).toThrow(
      expect.objectContaining({ code: "perf/delta-time" }),
    );
  });
});

describe("damage inside a file", () => {
  test("NUL bytes in the middle of a small file cost their line", () => {
    const dump = read(`${line().repeat(20)}\0\0\0\0\n${line().repeat(20)}`);
    expect(dump.rows).toHaveLength(40);
    expect(codes(dump)).toEqual(["ingest/binary-data x1"]);
  });

  test("a tail of zeros, as a crash leaves it, costs nothing else", () => {
    const dump = read(`${line().repeat(20)}${"\0".repeat(5000)}`);
    expect(dump.rows).toHaveLength(20);
    expect(codes(dump)).toEqual(["ingest/truncated-line x1"]);
  });

  test("lines of 10 MB", () => {
    const long = "x".repeat(10_000_000);
    const dump = read(
      `${line()}${long}\n${line({ body: `mmput: (mmput+0x0/0x1) ${long}\n` })}${line()}${long}`,
    );
    expect(dump.rows).toHaveLength(2);
    expect(codes(dump)).toEqual(["ingest/long-line x2", "ingest/truncated-line x1"]);
  });

  test("10,000 losses in a row are 10,000 rows", () => {
    const dump = read(line() + "CPU:3 [LOST 2 EVENTS]\n".repeat(10_000) + line());
    expect(dump.rows).toHaveLength(10_002);
    expect(dump.rows.at(-2)).toBe("1000 L10001 lost cpu=3 flags=0x2");
    expect(dump.meta.lostEvents).toBe(20_000);
    expect(codes(dump)).toEqual(["ftrace/lost-events x10000"]);
  });

  test("times that only fall come out in order", () => {
    const lines = Array.from({ length: 500 }, (_, i) => line({ time: `5.${String(999_999 - i)}` }));
    const times = read(lines.join("")).rows.map((row) => Number(row.slice(0, row.indexOf(" "))));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times).toHaveLength(500);
  });
});

// print_field(), libtraceevent src/event-parse.c: a long prints as 0x%llx, a signed one as %lld.
test("syscalls as trace-cmd report -R prints them", () => {
  const at = "            bash-9     [000]     5.000001: ";
  const { rows } = read(
    `cpus=1\n${at}sys_enter_clone:       __syscall_nr=56 clone_flags=0x1200011 newsp=0x0\n` +
      `${at}sys_exit_clone:        __syscall_nr=56 ret=936\n${at}sys_exit_clone:        __syscall_nr=56 ret=-11\n`,
  );
  expect(rows).toEqual([
    '1000 L2 sys_enter_clone cpu=0 tid=9 comm="bash" flags=0x1200011',
    '1000 L3 sys_exit_clone cpu=0 tid=9 comm="bash" argTid=936',
    '1000 L4 sys_exit_clone cpu=0 tid=9 comm="bash"',
  ]);
});
