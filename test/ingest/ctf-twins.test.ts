// What is read ahead against the reference, which walks event by event: the same rows, problems and meta, and the same known of the
// trace at each batch, for traces in every layout and beside the repository, whole and damaged.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { CommCache } from "../../src/ingest/ctf/comm-cache.ts";
import { TimeHeap } from "../../src/ingest/ctf/merge.ts";
import type { KnownMeta, NamedSource } from "../../src/ingest/index.ts";
import { Sink } from "../../src/ingest/sink.ts";
import { edits, mutated } from "../fuzz/byte-edits.ts";
import {
  CTF_EVENT_NAMES,
  type CtfEventInput,
  type CtfPacketInput,
  type CtfStyle,
  PLAIN,
  writeCtf,
} from "../support/ctf-writer.ts";
import { folderFiles } from "../support/dump-recording.ts";
import { recordingOutcome } from "../support/ingest-digest.ts";

type Files = readonly (readonly [name: string, bytes: Uint8Array])[];

const PUBLIC = fileURLToPath(new URL("../../../shared/traces/public/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "forkcast-ctf-twins-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Bytes that a file of the CLI may leave behind: those of the last reading are overwritten by the next. */
function source([name, bytes]: Files[number]): NamedSource {
  let last: Uint8Array = new Uint8Array(0);
  return {
    name,
    size: bytes.length,
    readAt: (at, length, into) => {
      last.fill(0xaa);
      const found = bytes.subarray(at, at + length);
      last =
        into !== undefined && into.length >= found.length
          ? into.subarray(0, found.length)
          : new Uint8Array(found.length);
      last.set(found);
      return last;
    },
  };
}

function read(files: Files, naive: boolean, batchRows: number): unknown {
  const known: KnownMeta[] = [];
  const options = { files: files.map(source), naive, batchRows, format: "ctf" } as const;
  const digest = recordingOutcome(options, (one) => known.push(one));
  return { digest, known };
}

function expectTwins(files: Files, batchRows = 64): void {
  expect(read(files, false, batchRows)).toEqual(read(files, true, batchRows));
}

function contents(files: readonly NamedSource[]): Files {
  return files.map((file) => [file.name, new Uint8Array(file.readAt(0, file.size))]);
}

/** Events of all classes, some of them further apart than the low bits of a time tell, on CPUs whose times are often equal. */
function packetsOf(cpus: number): CtfPacketInput[] {
  const numbers = Array.from({ length: cpus * 4 }, (_, i) => [Math.floor(i / 4), i % 4] as const);
  return numbers.map(([cpu, i]) => {
    const isLossy = cpu === 1 && i > 1;
    return { cpu, sequence: isLossy ? i + 1 : i, discarded: isLossy ? 3 : 0, events: eventsOf(cpu, i) };
  });
}

function eventsOf(cpu: number, packet: number): CtfEventInput[] {
  return Array.from({ length: 40 }, (_, i) => {
    const jumps = packet === 3 ? 5n : packet === 2 && i > 20 ? 3n : 0n;
    const isSkipped = (i + cpu) % 3 > 0;
    const name = isSkipped
      ? "sched_waking"
      : (CTF_EVENT_NAMES[(Math.floor(i / 3) * 7 + cpu) % CTF_EVENT_NAMES.length] ?? "");
    return event(name, BigInt(packet * 50 + i + 1) * 1000n + (jumps << 27n), i);
  });
}

function event(name: string, at: bigint, i: number): CtfEventInput {
  const fields = {
    prev_comm: `p${i % 5}`,
    prev_tid: i % 5,
    prev_state: i % 3,
    next_comm: `p${(i + 1) % 5}`,
    next_tid: (i + 1) % 5,
    parent_tid: i % 5,
    parent_pid: 1,
    child_comm: "c",
    child_tid: 100 + i,
    child_pid: 100 + i,
    vtids: Array.from({ length: i % 4 }, (_, k) => k),
    filename: "/bin/".padEnd(5 + (i % 9), "x"),
    tid: i % 5,
    old_tid: i % 5,
    clone_flags: 0x1200011,
    ret: i,
    pid: 1,
    ppid: 1,
    name: "n",
    status: i % 8,
  };
  return { name, at, fields, context: { procname: `p${i % 5}`, pid: 1, tid: i % 5 } };
}

const STYLES: readonly CtfStyle[] = [true, false].flatMap((isLittle) =>
  [false, true].flatMap((isAligned) =>
    [false, true].flatMap((isLarge) =>
      [false, true].flatMap((hasContext) =>
        ["lttng-modules", "other"].map((tracer) => ({
          ...PLAIN,
          isLittle,
          isAligned,
          isLarge,
          hasContext,
          tracer,
        })),
      ),
    ),
  ),
);
const MADE: readonly Files[] = STYLES.map((style) => contents(writeCtf(packetsOf(3), style)));

test("traces in every layout", () => {
  for (const files of MADE) {
    expect(read(files, false, 64)).toHaveProperty("digest.meta.events", 480);
    expectTwins(files);
  }
});

test("damaged ones", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), edits, (which, where, changes) => {
      const files = MADE[which % MADE.length] ?? [];
      expectTwins(damaged(files, where, changes));
    }),
    { numRuns: 400 },
  );
}, 240_000);

function damaged(files: Files, where: number, changes: Parameters<typeof mutated>[1]): Files {
  // The metadata stands first; damage there is mostly a refusal.
  const chosen = where % 8 === 0 ? 0 : where % files.length;
  return files.map(([name, bytes], i) => [name, i === chosen ? mutated(bytes, changes) : bytes]);
}

test("names by their words are those of the sink", () => {
  // More names than places, alike but for a word or for what stands behind the NUL.
  const word = fc.constantFrom([0x61, 0x61, 0x61, 0x61], [0x61, 0, 0x61, 0x61]);
  const last = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
  const name = fc.tuple(word, word, word, last).map((words) => words.flat());
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3000, size: "max" }), (names) => {
      const bytes = Uint8Array.from(names.flat());
      const view = new DataView(bytes.buffer);
      const [fast, plain] = [new Sink(16, () => {}), new Sink(16, () => {})];
      const cache = new CommCache(fast);
      for (let at = 0; at < bytes.length; at += 16) {
        const nul = bytes.subarray(at, at + 16).indexOf(0);
        expect(cache.idOf(bytes, view, at)).toBe(plain.comm(bytes, at, nul < 0 ? at + 16 : at + nul));
      }
      expect(fast.comms.texts()).toEqual(plain.comms.texts());
    }),
    { numRuns: 20 },
  );
});

test("streams in the order of their times, of equal times the first", () => {
  const runs = fc.array(fc.array(fc.nat(6), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(runs, (steps) => {
      const streams = steps.map((all) => [...all].sort((a, b) => a - b));
      const expected = streams
        .flatMap((times, stream) => times.map((time, i) => ({ time, stream, i })))
        .sort((a, b) => a.time - b.time || a.stream - b.stream || a.i - b.i);
      const heap = new TimeHeap(streams.length);
      const next = streams.map((times, stream) => {
        heap.add(times[0] ?? 0, stream);
        return 0;
      });
      for (const { stream, time } of expected) {
        expect(heap.top).toBe(stream);
        const others = streams.flatMap((times, other) =>
          other === stream || (next[other] ?? 0) >= times.length
            ? []
            : [{ other, time: times[next[other] ?? 0] ?? 0 }],
        );
        const second = others.sort((a, b) => a.time - b.time || a.other - b.other)[0];
        expect(heap.second > 0).toBe(second !== undefined);
        if (second !== undefined) {
          expect([heap.timeAt(heap.second), heap.isBeforeEqual(heap.second)]).toEqual([
            second.time,
            stream < second.other,
          ]);
          expect(time).toBeLessThanOrEqual(second.time);
        }
        const at = (next[stream] ?? 0) + 1;
        next[stream] = at;
        const times = streams[stream] ?? [];
        if (at < times.length) heap.replace(times[at] ?? 0);
        else heap.drop();
      }
      expect(heap.size).toBe(0);
    }),
  );
});

const TRACES: readonly (readonly [name: string, archive: string, folder: string])[] = [
  ["many-threads", "", "tracecompass-test-traces/many-threads"],
  ["flipping-endianness", "", "tracecompass-test-traces/flipping-endianness"],
  ["lttng-modules-2.0.0-ref-trace", "", "babeltrace/lttng-modules-2.0.0-ref-trace"],
  ["101-simple_kernel", "tracevizlab/101-simple_kernel.tar.gz", "simple-kernel"],
  ["103-apt", "tracevizlab/103-apt.tar.gz", "apt"],
];

function publicTrace(archive: string, folder: string): Files {
  if (archive === "") return contents(folderFiles(join(PUBLIC, folder)));
  if (!existsSync(join(scratch, folder))) execFileSync("tar", ["-xzf", join(PUBLIC, archive), "-C", scratch]);
  return contents(folderFiles(join(scratch, folder)));
}

describe.skipIf(!existsSync(PUBLIC))("public recordings in ../shared/traces/public", () => {
  test.each(TRACES)(
    "%s",
    (_, archive, folder) => {
      const files = publicTrace(archive, folder);
      expectTwins(files, 8192);
      // A stream's beginning is enough to damage; its end is damage as well.
      const short = files
        .filter(([name]) => !name.startsWith("index"))
        .map(([name, bytes]) => [name, name === "metadata" ? bytes : bytes.subarray(0, 40_000)] as const);
      const order = [...short].sort(([a], [b]) =>
        a === "metadata" ? -1 : b === "metadata" ? 1 : a < b ? -1 : 1,
      );
      fc.assert(
        fc.property(fc.integer({ min: 1 }), edits, (where, changes) => {
          expectTwins(damaged(order, where | 1, changes));
        }),
        { numRuns: 12 },
      );
    },
    240_000,
  );
});
