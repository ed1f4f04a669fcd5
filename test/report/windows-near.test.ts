// The events of drawn windows are read where the windows are, and back from there until every CPU is known; a reading of all
// events from the first on is the reference.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readWindows } from "../../src/analyze/report/window-events.ts";
import { EventFileWriter, readEventFile } from "../../src/table/arrow.ts";
import { type EventTable, NO_MM, NO_VALUE, NONE, newBatch } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind, SAMPLE_LAZY, SWITCH_MM_NO_TASK } from "../../src/table/event-kinds.ts";
import { COMMS, POINTERS, traceMeta } from "../support/event-batches.ts";
import { forkRow } from "../support/verdict-fixture.ts";

const EPOCH = 1_000_000_000_000n;
const KINDS = [
  EventKind.schedSwitch,
  EventKind.switchMm,
  EventKind.enterLazyTlb,
  EventKind.cpuSample,
  EventKind.mmput,
];

const event = fc.record({
  step: fc.nat({ max: 3 }),
  kind: fc.constantFrom(...KINDS),
  cpu: fc.integer({ min: -1, max: 3 }),
  task: fc.nat({ max: COMMS.length - 1 }),
  mm: fc.nat({ max: POINTERS.length - 1 }),
  flags: fc.constantFrom(0, SAMPLE_LAZY, SWITCH_MM_NO_TASK),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** A file of these events, `batchRows` rows a batch; of a machine with `cpus` CPUs. */
function tableOf(events: readonly Event[], batchRows: number, cpus: number): EventTable {
  const parts: Uint8Array[] = [];
  const writer = new EventFileWriter((bytes) => parts.push(bytes));
  const kinds = EVENT_KIND_NAMES.map(() => 0);
  let ns = 0;
  for (let from = 0; from < events.length; from += batchRows) {
    const batch = newBatch(batchRows);
    for (const [i, { step, kind, cpu, task, mm, flags }] of events.slice(from, from + batchRows).entries()) {
      ns += step;
      kinds[kind]! += 1;
      const none = { tgid: NONE, users: NO_VALUE, count: NO_VALUE, mm2: NO_MM, ctx: 0 };
      const row = {
        ns,
        kind,
        cpu,
        tid: task,
        comm: task,
        argTid: 10 + task,
        argComm: task,
        mm,
        flags,
        ...none,
      };
      for (const [name, value] of Object.entries(row)) batch[name as "ns"][i] = value;
      if (kind === EventKind.switchMm && (flags & SWITCH_MM_NO_TASK) !== 0) batch.mm2[i] = 0;
      batch.line[i] = from + i + 1;
      batch.length = i + 1;
    }
    writer.batch(batch, EPOCH);
  }
  writer.finish({ ...traceMeta(events.length, EPOCH), cpus, kinds });
  const bytes = Buffer.concat(parts);
  const readAt = (offset: number, length: number): Uint8Array =>
    Uint8Array.prototype.slice.call(bytes, offset, offset + length);
  return readEventFile({ size: bytes.length, readAt });
}

const windows = fc.array(fc.tuple(fc.integer({ min: -5, max: 130 }), fc.nat({ max: 20 })), { maxLength: 6 });

test("windows read where they are hold what a reading from the first event on holds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 80 }),
      windows,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 4, max: 5 }),
      async (events, spans, batchRows, cpus) => {
        const table = tableOf(events, batchRows, cpus);
        const forks = new Map(
          spans.map(([start, length], row) => {
            const start_ns = EPOCH + BigInt(start);
            const mm = POINTERS[1] ?? "";
            return [row, forkRow(row, { start_ns, end_ns: start_ns + BigInt(length), mm })] as const;
          }),
        );
        const { batches, ...forwards } = table;
        expect(batches?.count).toBe(Math.ceil(events.length / batchRows));
        expect(await readWindows(forks, [table])).toEqual(await readWindows(forks, [forwards]));
      },
    ),
    { numRuns: 300 },
  );
});

test("only what is near is read", async () => {
  const events = Array.from({ length: 4000 }, (_, i): Event => {
    return { step: 1, kind: EventKind.schedSwitch, cpu: i % 4, task: i % 3, mm: 0, flags: 0 };
  });
  const table = tableOf(events, 10, 4);
  const read: number[] = [];
  const batches = table.batches;
  if (batches === undefined) throw new Error("no batches");
  const watched = {
    ...table,
    batches: {
      ...batches,
      at: (index: number) => {
        read.push(index);
        return batches.at(index);
      },
    },
  };
  const start_ns = EPOCH + 3000n;
  await readWindows(new Map([[0, forkRow(0, { start_ns, end_ns: start_ns + 4n })]]), [watched]);
  expect(Math.min(...read)).toBeGreaterThanOrEqual(298);
  expect(Math.max(...read)).toBeLessThanOrEqual(300);
});
