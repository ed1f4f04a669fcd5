// Random event batches for round-trip tests: every column, with absent values, over several batch sizes.
import fc from "fast-check";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { NO_MM, NO_VALUE, NONE, newBatch } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";

export const COMMS: readonly string[] = [
  "<idle>",
  "bash",
  "</script><script>alert(1)</script>",
  "日本\u0007",
  "",
];
export const POINTERS: readonly string[] = ["0x0", "ffff8880012bc000", "00000000deadbeef"];

const orAbsent = (value: fc.Arbitrary<number>, absent: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(absent) });
const tid = orAbsent(fc.integer({ min: 0, max: 4194304 }), NONE);
const comm = orAbsent(fc.nat({ max: COMMS.length - 1 }), NONE);
const mm = orAbsent(fc.nat({ max: POINTERS.length - 1 }), NO_MM);
const sample = orAbsent(fc.integer({ min: -3, max: 900 }), NO_VALUE);

const row = fc.record({
  ns: fc.integer({ min: -5_000_000_000, max: Number.MAX_SAFE_INTEGER }),
  kind: fc.nat({ max: EVENT_KIND_NAMES.length - 1 }),
  cpu: orAbsent(fc.nat({ max: 8191 }), NONE),
  ctx: fc.nat({ max: 7 }),
  tid,
  tgid: tid,
  comm,
  argTid: tid,
  argComm: comm,
  mm,
  mm2: mm,
  users: sample,
  count: sample,
  flags: fc.integer(),
  line: fc.nat({ max: 4294967295 }),
});

/** Batches of 0 to 40 random rows. */
export const batches: fc.Arbitrary<EventBatch[]> = fc.array(
  fc.array(row, { maxLength: 40 }).map((rows) => {
    const batch = newBatch(rows.length + 3);
    for (const [i, cells] of rows.entries()) {
      for (const [name, value] of Object.entries(cells)) batch[name as keyof typeof cells][i] = value;
    }
    batch.length = rows.length;
    return batch;
  }),
  { maxLength: 4 },
);

/** A TraceMeta for `rows` rows over COMMS and POINTERS. */
export function traceMeta(rows: number, epochNs: bigint): TraceMeta {
  return {
    path: "trace <b>.txt",
    format: "ftrace-text",
    clock: "mono",
    timeUnit: "ns",
    kernel: "6.1.0-53-amd64",
    cpus: 4,
    epochNs,
    spanNs: 12_345_678,
    lines: rows + 11,
    events: rows,
    rows,
    lostEvents: 0,
    skipped: { sched_wakeup: 3 },
    probes: [{ event: "mmdrop", func: "__mmdrop", by: "line", count: 4 }],
    comms: COMMS,
    pointers: POINTERS,
  };
}

/** Exactly the values of a batch, for comparison. */
export function plain(batch: EventBatch): Record<string, number[]> {
  const out: Record<string, number[]> = {};
  for (const [name, column] of Object.entries(batch)) {
    if (typeof column !== "number") out[name] = [...column.subarray(0, batch.length)] as number[];
  }
  return out;
}
