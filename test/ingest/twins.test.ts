// The scanners against the reference: for every recording and specimen, and for damaged ones, the same rows, problems
// and meta as by giving each line to the readers' line().
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf, ownSamples, sharedSamples } from "../support/ingest-digest.ts";

const OWN = ownSamples();
/** Three times what a reader gives to the kernel at least (src/ingest/scanned-reader.ts). */
const KERNEL_BYTES = 96 << 10;
/** Minutes: with FORKCAST_CORPUS=1 only. */
const SHARED = process.env["FORKCAST_CORPUS"] === "1" ? sharedSamples() : [];

function read(bytes: Uint8Array, naive: boolean, chunk = 1 << 20): unknown {
  return digestOf({ naive }, (ingest) => {
    for (let at = 0; at < bytes.length; at += chunk) ingest.push(bytes.slice(at, at + chunk));
  });
}

test.each(OWN)("$name", ({ bytes }) => {
  const content = bytes();
  expect(read(content, false)).toEqual(read(content, true));
});

test.each(OWN.filter(({ name }) => /ftrace|trace-cmd|perf/.test(name)))(
  "$name, losses noted at its end",
  ({ bytes }) => {
    // All that is skimmed must be known when the note's row gets the time of the last event.
    const content = Buffer.concat([
      bytes(),
      Buffer.from("CPU:1 [LOST 3 EVENTS]\nCPU:0 [3 EVENTS DROPPED]\n"),
    ]);
    expect(read(content, false)).toEqual(read(content, true));
  },
);

describe.skipIf(SHARED.length === 0)(
  `${SHARED.length} recordings in ../shared/traces (FORKCAST_CORPUS=1)`,
  () => {
    test.each(SHARED.length > 0 ? SHARED : OWN.slice(0, 1))("$name", ({ bytes }) => {
      const content = bytes();
      expect(read(content, false)).toEqual(read(content, true));
    });
  },
);

test("damaged text is read alike", () => {
  const contents = OWN.filter(({ name }) => name.endsWith(".txt")).map(({ bytes }) => bytes());
  const damage = fc.array(
    fc.record({
      place: fc.double({ min: 0, max: 1, noNaN: true }),
      text: fc.constantFrom(
        " ",
        "-",
        "[",
        ":",
        "(",
        "\n",
        "\r\n",
        "9",
        "99999999",
        "#",
        "\t",
        ".",
        "\\n\\",
        "<",
        "\0",
      ),
      cut: fc.nat(3),
    }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(
      fc.nat(contents.length - 1),
      damage,
      fc.integer({ min: 1, max: 5000 }),
      (which, blows, chunk) => {
        const content = contents[which] ?? new Uint8Array(0);
        let text = Buffer.from(content).toString("latin1");
        for (const { place, text: put, cut } of blows) {
          const at = Math.floor(place * text.length);
          text = text.slice(0, at) + put + text.slice(at + cut);
        }
        // The repeated copy meets what the damaged one taught.
        const bytes = new Uint8Array(Buffer.from(text + text, "latin1"));
        expect(read(bytes, false, chunk)).toEqual(read(bytes, true));
        // Long enough for the kernel, which chunks of a few kB never reach.
        const long = new Uint8Array(
          Buffer.from(text.repeat(Math.ceil(KERNEL_BYTES / text.length)), "latin1"),
        );
        expect(read(long, false)).toEqual(read(long, true));
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
