// Makes long trace.dat and perf.data files and CTF directories out of short recordings: their pages, records or packets again and again,
// each copy moved in time so that the whole stays in order. The tools that wrote the recordings read the result; recordings.ts checks that they
// count as many events in it as forkcast does. Used where starting node would be most of what is measured.
import { closeSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { writeLongCtf } from "./long-ctf.ts";

/** Pause between two copies, ns. */
const GAP = 1_000_000n;
const LITTLE = true;

/** Writes copies of the recording at `path` to `out` until it has `bytes` bytes. Throws when it is of another shape than is known here. */
export function writeLongRecording(path: string, out: string, bytes: number): void {
  if (statSync(path).isDirectory()) {
    writeLongCtf(path, out, bytes);
    return;
  }
  const file = readFileSync(path);
  if (file.subarray(0, 8).toString("latin1") === "PERFILE2") writeLongPerf(file, out, bytes);
  else if (file.subarray(3, 10).toString("latin1") === "tracing" && file[10] === 0x36)
    writeLongDat(file, out, bytes);
  else throw new Error(`${path}: expected a perf.data, a trace.dat of version 6 or a CTF directory`);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Math.min and max take no bigint. */
function lowest(all: readonly bigint[]): bigint {
  return [...all].sort(byTime)[0] ?? 0n;
}

function highest(all: readonly bigint[]): bigint {
  return [...all].sort(byTime).at(-1) ?? 0n;
}

function byTime(a: bigint, b: bigint): number {
  return Number(a - b);
}

/** Writes from `at` on; returns where it ended. */
function writeAt(fd: number, bytes: Uint8Array, at: number): number {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  return at + bytes.length;
}

// --- trace.dat, version 6, little-endian, 64 bits: trace-cmd.dat.v6(5)

const PAGE = 4096;
const PAGE_HEAD = 16;

function writeLongDat(file: Buffer, out: string, bytes: number): void {
  const table = file.indexOf("flyrecord\0") + 10;
  const v = view(file);
  const cpus: { at: number; size: number }[] = [];
  // The first CPU's data begin where the table ends, at the next page.
  const firstAt = Number(v.getBigUint64(table, LITTLE));
  for (let at = table; at + 16 <= firstAt; at += 16) {
    const dataAt = Number(v.getBigUint64(at, LITTLE));
    if (dataAt < firstAt) break;
    cpus.push({ at: dataAt, size: Number(v.getBigUint64(at + 8, LITTLE)) });
  }
  const pages = cpus.map(({ at, size }) => file.subarray(at, at + size));
  const spans = pages.flatMap((data) => pagesOf(data).map((page) => spanOf(page)));
  const first = lowest(spans.map(({ begin }) => begin));
  const last = highest(spans.map(({ end }) => end));
  const held = pages.reduce((sum, data) => sum + data.length, 0);
  const copies = Math.max(1, Math.ceil((bytes - firstAt) / held));
  const fd = openSync(out, "w");
  const head = new Uint8Array(file.subarray(0, firstAt));
  let at = firstAt;
  pages.forEach((data, cpu) => {
    view(head).setBigUint64(table + cpu * 16, BigInt(at), LITTLE);
    view(head).setBigUint64(table + cpu * 16 + 8, BigInt(data.length * copies), LITTLE);
    for (let copy = 0; copy < copies; copy++) {
      const moved = new Uint8Array(data);
      for (const page of pagesOf(moved)) movePage(page, BigInt(copy) * (last - first + GAP));
      at = writeAt(fd, moved, at);
    }
  });
  writeAt(fd, head, 0);
  closeSync(fd);
}

function pagesOf(data: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at + PAGE <= data.length; at += PAGE) out.push(data.subarray(at, at + PAGE));
  return out;
}

/** Visits the entries of a page (kernel/trace/ring_buffer.c): type, time since the one before, place. */
function entries(page: Uint8Array, visit: (type: number, delta: bigint, at: number) => void): void {
  const v = view(page);
  const end = Math.min(PAGE, PAGE_HEAD + (v.getUint32(8, LITTLE) & 0x07ffffff));
  for (let at = PAGE_HEAD; at + 4 <= end; ) {
    const word = v.getUint32(at, LITTLE);
    const type = word & 31;
    visit(type, BigInt(word >>> 5), at);
    if (type === 29) {
      if (word >>> 5 === 0) return;
      at += 4 + v.getUint32(at + 4, LITTLE);
    } else if (type >= 30) at += 8;
    else at += 4 + (type === 0 ? ((v.getUint32(at + 4, LITTLE) + 3) >> 2) * 4 : type * 4);
  }
}

function spanOf(page: Uint8Array): { readonly begin: bigint; readonly end: bigint } {
  const v = view(page);
  const begin = v.getBigUint64(0, LITTLE);
  let now = begin;
  entries(page, (type, delta, at) => {
    const wide = type >= 30 ? (BigInt(v.getUint32(at + 4, LITTLE)) << 27n) | delta : delta;
    if (type === 31) now = wide;
    else now += wide;
  });
  return { begin, end: now };
}

function movePage(page: Uint8Array, by: bigint): void {
  const v = view(page);
  v.setBigUint64(0, v.getBigUint64(0, LITTLE) + by, LITTLE);
  entries(page, (type, delta, at) => {
    if (type !== 31) return;
    const stamp = ((BigInt(v.getUint32(at + 4, LITTLE)) << 27n) | delta) + by;
    v.setUint32(at, (Number(stamp & 0x7ffffffn) << 5) | 31, LITTLE);
    v.setUint32(at + 4, Number((stamp >> 27n) & 0xffffffffn), LITTLE);
  });
}

// --- perf.data, a file, little-endian: tools/perf/Documentation/perf.data-file-format.txt

const SAMPLE = 9;
const FORK = 7;
const EXIT = 4;
const FINISHED_ROUND = 68;
const FIRST_USER_RECORD = 64;

interface Record {
  readonly at: number;
  readonly size: number;
  /** Places of 64-bit times in it. */
  readonly times: readonly number[];
}

function writeLongPerf(file: Buffer, out: string, bytes: number): void {
  const v = view(file);
  const u64 = (at: number): number => Number(v.getBigUint64(at, LITTLE));
  const dataAt = u64(40);
  const dataSize = u64(48);
  const sampleType = v.getUint32(u64(24) + 24, LITTLE);
  const all: Record[] = [];
  for (let at = dataAt; at + 8 <= dataAt + dataSize; at += v.getUint16(at + 6, LITTLE))
    all.push({ at, size: v.getUint16(at + 6, LITTLE), times: timesOf(v, at, sampleType) });
  // What perf made up of tasks older than the recording has no time, and stands once.
  const once = all.filter(
    ({ at, times }) => times.length === 0 && v.getUint32(at, LITTLE) !== FINISHED_ROUND,
  );
  const again = all.filter((record) => !once.includes(record));
  const stamps = again.flatMap(({ times }) => times.map((at) => v.getBigUint64(at, LITTLE)));
  const first = lowest(stamps);
  const last = highest(stamps);
  const body = new Uint8Array(again.reduce((sum, { size }) => sum + size, 0));
  const places: number[] = [];
  let used = 0;
  for (const { at, size, times } of again) {
    body.set(file.subarray(at, at + size), used);
    for (const time of times) places.push(time - at + used);
    used += size;
  }
  const fd = openSync(out, "w");
  let end = dataAt;
  for (const { at, size } of once) end = writeAt(fd, file.subarray(at, at + size), end);
  while (end < bytes) {
    end = writeAt(fd, body, end);
    const moved = view(body);
    for (const at of places)
      moved.setBigUint64(at, moved.getBigUint64(at, LITTLE) + last - first + GAP, LITTLE);
  }
  const head = new Uint8Array(file.subarray(0, dataAt));
  view(head).setBigUint64(48, BigInt(end - dataAt), LITTLE);
  writeAt(fd, head, 0);
  // The features: a table of places and sizes, then what they point to.
  const features = new Uint8Array(file.subarray(dataAt + dataSize));
  const moved = view(features);
  const firstFeature = Number(moved.getBigUint64(0, LITTLE));
  for (let at = 0; at < firstFeature - dataAt - dataSize; at += 16)
    moved.setBigUint64(at, moved.getBigUint64(at, LITTLE) + BigInt(end - dataAt - dataSize), LITTLE);
  writeAt(fd, features, end);
  closeSync(fd);
}

/** Of a sample the time behind identifier, ip and tid; of another record of the kernel the one in its trailer, before id, stream id, cpu and identifier. */
function timesOf(v: DataView, at: number, type: number): number[] {
  const has = (bit: number): number => ((type & bit) === 0 ? 0 : 8);
  const kind = v.getUint32(at, LITTLE);
  if (kind >= FIRST_USER_RECORD) return [];
  if (kind === SAMPLE) return [at + 8 + has(0x10000) + has(1) + has(2)];
  const end = at + v.getUint16(at + 6, LITTLE);
  const trailer = end - has(0x40) - has(0x200) - has(0x80) - has(0x10000) - 8;
  if (v.getBigUint64(trailer, LITTLE) === 0n) return [];
  return kind === FORK || kind === EXIT ? [trailer, at + 24] : [trailer];
}
