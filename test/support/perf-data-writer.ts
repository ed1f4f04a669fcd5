// Writes perf.data files for tests: to a file or as a pipe, either byte order, plain or with zstd-compressed records (in
// raw blocks: RFC 8878 allows a frame that compresses nothing). Layout: perf.data-file-format.txt, perf_event.h.
import { ByteWriter } from "./byte-writer.ts";
import type { Written } from "./trace-dat-writer.ts";

/** A record of the kernel: its type, misc and body; the trailer of sample_id_all is added. */
export interface KernelRecord {
  readonly type: number;
  readonly misc?: number;
  readonly body: (w: ByteWriter) => void;
  readonly pid: number;
  readonly tid: number;
  readonly ns: bigint;
  readonly cpu: number;
  /** Raw data of a SAMPLE. */
  readonly raw?: Uint8Array;
}

export interface PerfDataSpec {
  readonly big: boolean;
  readonly isPipe: boolean;
  /** As perf writes them before 6.16, and from then on. */
  readonly compressed: "no" | "COMPRESSED" | "COMPRESSED2";
  readonly attrSize: number;
  readonly formats: readonly { readonly system: string; readonly text: string }[];
  /** Ids of the tracepoints that are recorded. */
  readonly tracepoints: readonly number[];
  /** Records by round: a FINISHED_ROUND follows each. */
  readonly rounds: readonly (readonly KernelRecord[])[];
}

/** TID, TIME, CPU, PERIOD, RAW, IDENTIFIER. */
const SAMPLE_TYPE = 0x2 | 0x4 | 0x80 | 0x100 | 0x400 | 0x10000;
const SAMPLE = 9;
/** Of every record's event: ids are 100, 101, … in the order of the tracepoints. */
const FIRST_ID = 100;

export function writePerfData(spec: PerfDataSpec): Written {
  const w = new ByteWriter(spec.big);
  w.text(spec.big ? "2ELIFREP" : "PERFILE2");
  if (spec.isPipe) {
    w.mark(8, 16);
    spec.tracepoints.forEach((id, i) => {
      record(w, 64, 0, (r) => {
        writeAttr(r, spec, id);
        r.int(8, FIRST_ID + i);
      });
    });
    const data = tracingData(spec);
    const padded = new Uint8Array(Math.ceil(data.length / 8) * 8);
    padded.set(data);
    record(w, 66, 0, (r) => r.mark(4, padded.length));
    w.raw(padded);
    record(w, 80, 0, (r) => {
      r.int(8, 4);
      osRelease(r);
    });
    writeRounds(w, spec);
    return { bytes: w.take(), marks: w.marks };
  }
  w.mark(8, 104);
  w.mark(8, spec.attrSize + 16);
  const attrs = w.mark(8);
  w.mark(8, (spec.attrSize + 16) * spec.tracepoints.length);
  const data = w.mark(8);
  const dataSize = w.mark(8);
  w.int(8, 0).int(8, 0);
  const mask = (1n << 1n) | (1n << 4n);
  w.int(8, mask).int(8, 0).int(8, 0).int(8, 0);
  const idsAt = w.length;
  for (let i = 0; i < spec.tracepoints.length; i++) w.int(8, FIRST_ID + i);
  w.patch(attrs, 8, w.length);
  spec.tracepoints.forEach((id, i) => {
    writeAttr(w, spec, id);
    w.mark(8, idsAt + i * 8);
    w.mark(8, 8);
  });
  w.patch(data, 8, w.length);
  const from = w.length;
  writeRounds(w, spec);
  w.patch(dataSize, 8, w.length - from);
  const sections = [0, 1].map(() => [w.mark(8), w.mark(8)] as const);
  [(s: ByteWriter) => s.raw(tracingData(spec)), osRelease].forEach((write, i) => {
    const at = w.length;
    write(w);
    w.patch(sections[i]![0], 8, at);
    w.patch(sections[i]![1], 8, w.length - at);
  });
  return { bytes: w.take(), marks: w.marks };
}

function osRelease(w: ByteWriter): void {
  const text = "6.1.0-test".padEnd(16, "\0");
  w.mark(4, text.length);
  w.text(text);
}

function writeAttr(w: ByteWriter, spec: PerfDataSpec, id: number): void {
  const at = w.length;
  w.int(4, 2);
  w.mark(4, spec.attrSize);
  w.int(8, id).int(8, 1).int(8, SAMPLE_TYPE).int(8, 0);
  // sample_id_all is bit 18, use_clockid bit 25 of a bit field
  const flags = new Uint8Array(8);
  for (const bit of [18, 25]) flags[bit >> 3]! |= spec.big ? 0x80 >> (bit & 7) : 1 << (bit & 7);
  w.raw(flags);
  w.raw(new Uint8Array(92 - (w.length - at))).int(4, 1);
  w.raw(new Uint8Array(spec.attrSize - (w.length - at)));
}

function tracingData(spec: PerfDataSpec): Uint8Array {
  const w = new ByteWriter(spec.big);
  w.raw([0x17, 0x08, 0x44])
    .text("tracing0.6\0")
    .raw([spec.big ? 1 : 0, 8])
    .int(4, 4096);
  for (const name of ["header_page", "header_event"]) w.text(`${name}\0`).int(8, 0);
  w.int(4, 0);
  const systems = [...new Set(spec.formats.map(({ system }) => system))];
  w.int(4, systems.length);
  for (const system of systems) {
    const texts = spec.formats.filter((format) => format.system === system);
    w.text(`${system}\0`).int(4, texts.length);
    for (const { text } of texts) w.int(8, text.length).text(text);
  }
  w.int(4, 0).int(4, 0).int(8, 0);
  return w.take();
}

function record(w: ByteWriter, type: number, misc: number, body: (w: ByteWriter) => void): void {
  const at = w.length;
  w.int(4, type).int(2, misc);
  const size = w.mark(2);
  body(w);
  w.patch(size, 2, w.length - at);
}

function writeRounds(w: ByteWriter, spec: PerfDataSpec): void {
  let isFirst = true;
  for (const round of spec.rounds) {
    const plain = spec.compressed === "no" ? w : new ByteWriter(spec.big);
    for (const r of round) writeKernelRecord(plain, r, spec);
    if (spec.compressed !== "no")
      writeCompressed(w, plain.take(), isFirst, spec.compressed === "COMPRESSED2");
    isFirst = false;
    record(w, 68, 0, () => {});
  }
}

function writeKernelRecord(w: ByteWriter, r: KernelRecord, spec: PerfDataSpec): void {
  record(w, r.type, r.misc ?? 0, (body) => {
    const id =
      FIRST_ID + Math.max(0, spec.tracepoints.indexOf(r.raw === undefined ? -1 : idOf(r.raw, spec.big)));
    if (r.type === SAMPLE) {
      const raw = r.raw ?? new Uint8Array(0);
      body.int(8, id).int(4, r.pid).int(4, r.tid).int(8, r.ns).int(4, r.cpu).int(4, 0).int(8, 1);
      // Size and data together end at a multiple of 8.
      const padded = Math.ceil((raw.length + 4) / 8) * 8 - 4;
      body.mark(4, padded);
      body.raw(raw).raw(new Uint8Array(padded - raw.length));
      return;
    }
    r.body(body);
    body.int(4, r.pid).int(4, r.tid).int(8, r.ns).int(4, r.cpu).int(4, 0).int(8, id);
  });
}

function idOf(raw: Uint8Array, big: boolean): number {
  return big ? (raw[0]! << 8) | raw[1]! : raw[0]! | (raw[1]! << 8);
}

/** One zstd stream over all compressed records; a record may end inside a kernel record. */
function writeCompressed(w: ByteWriter, plain: Uint8Array, isFirst: boolean, isSized: boolean): void {
  const half = plain.length >> 1;
  [plain.subarray(0, half), plain.subarray(half)].forEach((part, i) => {
    // Frame header: magic, no content size, a window of 1 MiB (exponent 10).
    const frame = isFirst && i === 0 ? [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50] : [];
    // A raw block that is not the last: size << 3.
    const header = part.length << 3;
    const data = [...frame, header & 0xff, (header >> 8) & 0xff, header >> 16, ...part];
    record(w, isSized ? 83 : 81, 0, (body) => {
      if (!isSized) body.raw(data);
      // The size, the data, and what makes the record a multiple of 8: perf leaves there what was in its buffer.
      else
        body
          .int(8, data.length)
          .raw(data)
          .raw(Array.from({ length: -data.length & 7 }, () => 0xfd));
    });
  });
}
