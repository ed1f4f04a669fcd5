// Inputs nothing can be done with: one InputError, saying what was found and what to do about it.
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { dumpRows } from "../support/dump-rows.ts";

function refusal(text: string | Uint8Array, options = {}): InputError {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  try {
    dumpRows(bytes, 16, { path: "t.txt", ...options });
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

const LATENCY = "# tracer: nop\n#\n# nop latency trace v1.1.5 on 6.1.0-56-amd64\n";
const CSV = "ts_ns,cpu,pid,tid,event,mm,mm_users,mm_count,other_mm,target_tid,extra,comm";

test.each([
  ["", "ingest/empty", "t.txt is empty"],
  ["\0\0\0abc", "ingest/binary", "NUL"],
  [new Uint8Array([0x17, 0x08, 0x44, 0x74]), "ingest/binary", "trace-dat"],
  ["PERFILE2", "ingest/binary", "perf-data"],
  [new Uint8Array([0x1f, 0x8b, 8]), "ingest/binary", "gzip"],
  ["hello world\n", "ingest/unknown-format", '"hello world"'],
  ["# tracer: nop\n#\n", "ingest/no-events", "no events"],
  [
    `${LATENCY}    bash-15018     2..... 17739us!: copy_process: (copy_process+0x0/0x1ae0)\n`,
    "ftrace/latency-format",
    "options/latency-format",
  ],
  [
    `${LATENCY}            bash   15018   2 0 00000000 00000000 [4aab2453] 17.739ms (+0.569ms): a: b\n`,
    "ftrace/latency-format",
    "verbose",
  ],
  [
    "# tracer: nop\n#\ncopy_process: (copy_process+0x0/0x1ae0) flags=0x1200000\n",
    "ftrace/no-context",
    "context-info",
  ],
  [
    "# tracer: function_graph\n 1)               |  dup_mmap() {\n",
    "ftrace/function-graph",
    "current_tracer nop",
  ],
  [
    " 1)               |  dup_mmap() {\n 1) + 56.326 us   |    copy_page_range();\n",
    "ftrace/function-graph",
    "function_graph",
  ],
  ["<!DOCTYPE html>\n<html>\n", "ingest/html", "HTML"],
  [
    "[1417383672.250981367] (+0.000153780) qemu0 timer_start: { cpu_id = 0 }\n",
    "ingest/no-events",
    "babeltrace-text",
  ],
  ["java 19983 cycles: \n", "perf/no-time", "+time"],
  [`${CSV.replace("event,", "")}\n1,0,1,1,0x0,1,1,0x0,1,,a\n`, "csv/missing-column", "no column event"],
  [`${CSV}\n`, "ingest/no-events", "no event"],
])("%j", (text, code, part) => {
  const error = refusal(text);
  expect(error.code).toBe(code);
  expect(error.message).toContain(part);
  expect(error.message).not.toContain("\n");
});

test("function-tracer lines only", () => {
  const error = refusal("            bash-15489   [002] .....  1558.149359: dup_mmap <-copy_process\n");
  expect(error.code).toBe("ingest/no-events");
  expect(error.message).toContain("function 1");
});

test("mostly something else: refused, unless the format is forced", () => {
  const text = `          <idle>-0     [002]   276.964340: sched_switch:         swapper/2:0 [120] R ==> a:15 [120]\n${"junk\n".repeat(5)}`;
  expect(refusal(text).code).toBe("ingest/mixed-format");
  const dump = dumpRows(new TextEncoder().encode(text), 16, { format: "trace-cmd-report" });
  expect(dump.rows).toHaveLength(1);
  expect(dump.problems).toEqual(['ingest/not-an-event x5 line 2: "junk"']);
});
