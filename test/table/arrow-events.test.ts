// events.arrow: what EventFileWriter writes, readEventFile gives back, and the library's own reader accepts.
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { EventFileWriter, readEventFile } from "../../src/table/arrow.ts";
import type { EventBatch } from "../../src/table/event-batch.ts";
import { NONE, newBatch } from "../../src/table/event-batch.ts";
import { EventKind } from "../../src/table/event-kinds.ts";
import { batches, COMMS, plain, traceMeta } from "../support/event-batches.ts";

function write(all: readonly EventBatch[], epochNs: bigint): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = new EventFileWriter((bytes) => chunks.push(bytes));
  let rows = 0;
  for (const batch of all) {
    writer.batch(batch, epochNs);
    rows += batch.length;
  }
  writer.finish(traceMeta(rows, epochNs));
  return new Uint8Array(Buffer.concat(chunks));
}

function source(bytes: Uint8Array) {
  return {
    size: bytes.length,
    readAt: (offset: number, length: number) => bytes.slice(offset, offset + length),
  };
}

async function readAll(bytes: Uint8Array): Promise<Record<string, number[]>[]> {
  const table = readEventFile(source(bytes));
  const out: Record<string, number[]>[] = [];
  await table.forEachBatch((batch) => out.push(plain(batch)));
  return out;
}

const EPOCHS = [0n, 1042_000007123n, 1_800_000_000_000_000_000n, 2n ** 32n - 1n];

test("random batches come back column by column, twice", async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.constantFrom(...EPOCHS), async (all, epochNs) => {
      const bytes = write(all, epochNs);
      const expected = all.filter((batch) => batch.length > 0).map(plain);
      expect(await readAll(bytes)).toEqual(expected);
      expect(await readAll(bytes)).toEqual(expected);
    }),
  );
});

test("the meta comes back whole", () => {
  const bytes = write([], EPOCHS[2]!);
  expect(readEventFile(source(bytes)).meta).toEqual(traceMeta(0, EPOCHS[2]!));
});

test("apache-arrow's own reader finds the late dictionaries", () => {
  const batch = newBatch(2);
  batch.length = 2;
  batch.ns.set([0, 1500]);
  batch.kind.set([EventKind.schedSwitch, EventKind.lost]);
  batch.cpu.set([3, NONE]);
  batch.comm.set([2, NONE]);
  batch.argComm.set([1, 4]);
  const table = tableFromIPC(write([batch], 1042_000007123n));
  const row = (i: number) => table.get(i)!.toJSON();
  expect(row(0)).toMatchObject({
    ts_ns: 1042_000007123n,
    kind: "sched_switch",
    cpu: 3,
    comm: COMMS[2],
    arg_comm: "bash",
  });
  expect(row(1)).toMatchObject({ ts_ns: 1042_000008623n, kind: "lost", cpu: null, comm: null, arg_comm: "" });
  expect(table.schema.metadata.get("forkcast.schema_version")).toBe("1");
});

test("a cut or damaged file is an InputError, never a crash", async () => {
  const batch = newBatch(20);
  batch.length = 20;
  const bytes = write([batch], 7n);
  for (let cut = 0; cut < bytes.length; cut += 7) {
    expect(() => readEventFile(source(bytes.slice(0, cut)))).toThrow(InputError);
  }
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), async (at, value) => {
      const damaged = bytes.slice();
      damaged[at] = value;
      try {
        await readAll(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("rows that do not add up are our bug", () => {
  const writer = new EventFileWriter(() => {});
  expect(() => writer.finish(traceMeta(1, 0n))).toThrow("meta says 1 rows, 0 were written");
});
