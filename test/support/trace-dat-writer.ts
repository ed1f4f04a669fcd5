// Writes trace.dat files for tests: version 6 and 7, either byte order, 32- and 64-bit longs, as trace-cmd.dat(5) lays
// them out. What trace-cmd prints of them stands in test/ingest/recordings/expected.json.
import { deflateSync } from "node:zlib";
import { ByteWriter } from "./byte-writer.ts";

/** An entry of a page; `delta` in ns. */
export type Entry =
  | { readonly kind: "record"; readonly delta: number; readonly data: Uint8Array }
  | { readonly kind: "extend"; readonly delta: number }
  | { readonly kind: "stamp"; readonly ns: bigint }
  | { readonly kind: "discarded"; readonly delta: number; readonly length: number };

export interface Page {
  readonly ns: bigint;
  readonly entries: readonly Entry[];
  /** Events lost in front of the page; -1 for an unknown number. */
  readonly missed?: number;
}

export interface TraceDatSpec {
  readonly version: 6 | 7;
  readonly big: boolean;
  readonly long: 4 | 8;
  readonly codec: "none" | "zlib";
  readonly formats: readonly { readonly system: string; readonly text: string }[];
  readonly kallsyms: string;
  readonly cmdlines: string;
  readonly options: readonly { readonly id: number; readonly text: string }[];
  /** Buffers by instance name, "" for the top one; the pages of each CPU. */
  readonly buffers: readonly { readonly name: string; readonly cpus: readonly (readonly Page[])[] }[];
}

export interface Written {
  readonly bytes: Uint8Array;
  readonly marks: readonly { readonly at: number; readonly size: number }[];
}

const PAGE = 4096;

export function writeTraceDat(spec: TraceDatSpec): Written {
  const w = new ByteWriter(spec.big);
  w.raw([0x17, 0x08, 0x44])
    .text(`tracing${spec.version}\0`)
    .raw([spec.big ? 1 : 0, spec.long])
    .mark(4, PAGE);
  if (spec.version === 6) writeV6(w, spec);
  else writeV7(w, spec);
  return { bytes: w.take(), marks: w.marks };
}

/** The same recording as tracefs has it: its files by name, raw pages included. */
export function writeRawPages(spec: TraceDatSpec): { readonly name: string; readonly bytes: Uint8Array }[] {
  const text = (name: string, content: string): { name: string; bytes: Uint8Array } => ({
    name,
    bytes: new TextEncoder().encode(content),
  });
  const pages = (spec.buffers[0]?.cpus ?? []).map((list, cpu) => {
    const w = new ByteWriter(spec.big);
    for (const page of list) writePage(w, page, spec.long);
    return { name: `per_cpu/cpu${cpu}/trace_pipe_raw`, bytes: w.take() };
  });
  return [
    text("events/header_page", headerPage(spec.long)),
    ...spec.formats.map(({ system, text: format }, i) => text(`events/${system}/event${i}/format`, format)),
    text("kallsyms", spec.kallsyms),
    text("saved_cmdlines", spec.cmdlines),
    text("trace_clock", "local global [mono] boot\n"),
    text("osrelease", "6.1.0-test\n"),
    ...pages,
  ];
}

function headerPage(long: number): string {
  const data = 8 + long;
  return (
    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n" +
    `\tfield: local_t commit;\toffset:8;\tsize:${long};\tsigned:1;\n` +
    `\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\tfield: char data;\toffset:${data};\tsize:${PAGE - data};\tsigned:1;\n`
  );
}

const HEADER_EVENT = `# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
`;

function sized(w: ByteWriter, size: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  w.mark(size, bytes.length);
  w.raw(bytes);
}

function writeHeaderInfo(w: ByteWriter, spec: TraceDatSpec): void {
  w.text("header_page\0");
  sized(w, 8, headerPage(spec.long));
  w.text("header_event\0");
  sized(w, 8, HEADER_EVENT);
}

function writeFormats(w: ByteWriter, spec: TraceDatSpec): void {
  const systems = [...new Set(spec.formats.map(({ system }) => system))];
  w.mark(4, systems.length);
  for (const system of systems) {
    const texts = spec.formats.filter((format) => format.system === system);
    w.text(`${system}\0`);
    w.mark(4, texts.length);
    for (const { text } of texts) sized(w, 8, text);
  }
}

function writeV6(w: ByteWriter, spec: TraceDatSpec): void {
  writeHeaderInfo(w, spec);
  w.mark(4, 0);
  writeFormats(w, spec);
  sized(w, 4, spec.kallsyms);
  sized(w, 4, "");
  sized(w, 8, spec.cmdlines);
  const cpus = spec.buffers[0]?.cpus.length ?? 0;
  w.mark(4, cpus);
  w.text("options  \0");
  for (const { id, text } of spec.options) {
    w.int(2, id);
    sized(w, 4, `${text}\0`);
  }
  const instances = spec.buffers.slice(1).map(({ name }) => {
    w.int(2, 3);
    w.mark(4, 8 + name.length + 1);
    const at = w.mark(8);
    w.text(`${name}\0`);
    return at;
  });
  w.int(2, 0);
  spec.buffers.forEach((buffer, i) => {
    if (i > 0) w.patch(instances[i - 1]!, 8, w.length);
    w.text("flyrecord\0");
    const table = buffer.cpus.map(() => [w.mark(8), w.mark(8)] as const);
    buffer.cpus.forEach((pages, cpu) => {
      w.align(PAGE);
      const at = w.length;
      for (const page of pages) writePage(w, page, spec.long);
      w.patch(table[cpu]![0], 8, at);
      w.patch(table[cpu]![1], 8, w.length - at);
    });
  });
}

function writeV7(w: ByteWriter, spec: TraceDatSpec): void {
  w.text(spec.codec === "none" ? "none\0\0" : "zlib\x001.2.13\0");
  const first = w.mark(8);
  const headerInfo = section(w, spec, 16, (s) => writeHeaderInfo(s, spec));
  const ftrace = section(w, spec, 17, (s) => s.mark(4, 0));
  const formats = section(w, spec, 18, (s) => writeFormats(s, spec));
  const kallsyms = section(w, spec, 19, (s) => sized(s, 4, spec.kallsyms));
  const cmdlines = section(w, spec, 21, (s) => sized(s, 8, spec.cmdlines));
  const buffers = spec.buffers.map((buffer) => ({ ...buffer, ...writeBuffer(w, spec, buffer.cpus) }));
  w.patch(first, 8, w.length);
  const at = w.length;
  w.int(2, 0).int(2, 0).int(4, 0);
  const size = w.mark(8);
  const option = (id: number, write: (o: ByteWriter) => void): void => {
    w.int(2, id);
    const length = w.mark(4);
    const from = w.length;
    write(w);
    w.patch(length, 4, w.length - from);
  };
  for (const [id, offset] of [
    [16, headerInfo],
    [17, ftrace],
    [18, formats],
    [19, kallsyms],
    [21, cmdlines],
  ] as const) {
    option(id, (o) => o.mark(8, offset));
  }
  for (const { id, text } of spec.options) option(id, (o) => o.text(`${text}\0`));
  option(8, (o) => o.mark(4, spec.buffers[0]?.cpus.length ?? 0));
  for (const { name, sectionAt, data } of buffers) {
    option(3, (o) => {
      o.mark(8, sectionAt);
      o.text(`${name}\0mono\0`);
      o.mark(4, PAGE);
      o.mark(4, data.length);
      data.forEach(([from, length], cpu) => {
        o.int(4, cpu);
        o.mark(8, from);
        o.mark(8, length);
      });
    });
  }
  option(0, (o) => o.mark(8, 0));
  w.patch(size, 8, w.length - at - 16);
}

function section(w: ByteWriter, spec: TraceDatSpec, id: number, write: (s: ByteWriter) => void): number {
  const at = w.length;
  const isPacked = spec.codec !== "none";
  w.int(2, id)
    .int(2, isPacked ? 1 : 0)
    .int(4, 0);
  const size = w.mark(8);
  const from = w.length;
  const s = isPacked ? new ByteWriter(w.big) : w;
  write(s);
  if (isPacked) writePacked(w, s.take());
  w.patch(size, 8, w.length - from);
  return at;
}

function writePacked(w: ByteWriter, bytes: Uint8Array): void {
  const packed = deflateSync(bytes);
  w.mark(4, packed.length);
  w.mark(4, bytes.length);
  w.raw(packed);
}

/** Each CPU's pages, two to a chunk when compressed. */
function writeBuffer(
  w: ByteWriter,
  spec: TraceDatSpec,
  cpus: readonly (readonly Page[])[],
): { sectionAt: number; data: [number, number][] } {
  const sectionAt = w.length;
  const isPacked = spec.codec !== "none";
  w.int(2, 3)
    .int(2, isPacked ? 1 : 0)
    .int(4, 0);
  const size = w.mark(8);
  const data = cpus.map((pages): [number, number] => {
    if (!isPacked) w.align(PAGE);
    const at = w.length;
    if (!isPacked) for (const page of pages) writePage(w, page, spec.long);
    else {
      w.mark(4, Math.ceil(pages.length / 2));
      for (let i = 0; i < pages.length; i += 2) {
        const chunk = new ByteWriter(w.big);
        for (const page of pages.slice(i, i + 2)) writePage(chunk, page, spec.long);
        writePacked(w, chunk.take());
      }
    }
    return [at, w.length - at];
  });
  w.patch(size, 8, w.length - sectionAt - 16);
  return { sectionAt, data };
}

function writePage(w: ByteWriter, page: Page, long: number): void {
  const from = w.length;
  w.int(8, page.ns);
  const commit = w.mark(long);
  const dataAt = w.length;
  for (const entry of page.entries) writeEntry(w, entry);
  const length = w.length - dataAt;
  const missed = page.missed ?? 0;
  const flags = missed === 0 ? 0n : missed < 0 ? 0x80000000n : 0xc0000000n;
  w.patch(commit, long, BigInt(length) | flags);
  if (missed > 0) w.int(long, missed);
  if (w.length > from + PAGE) throw new Error("the page is too full");
  while (w.length < from + PAGE) w.raw(new Uint8Array(from + PAGE - w.length));
}

function head(w: ByteWriter, type: number, delta: number): void {
  w.marks.push({ at: w.length, size: 4 });
  w.int(4, w.big ? ((type << 27) | delta) >>> 0 : ((delta << 5) | type) >>> 0);
}

function writeEntry(w: ByteWriter, entry: Entry): void {
  switch (entry.kind) {
    case "record": {
      const padded = Math.ceil(entry.data.length / 4) * 4;
      if (padded <= 112) head(w, padded / 4, entry.delta);
      else {
        head(w, 0, entry.delta);
        w.mark(4, padded + 4);
      }
      w.raw(entry.data).raw(new Uint8Array(padded - entry.data.length));
      return;
    }
    case "extend":
      head(w, 30, entry.delta % 2 ** 27);
      w.int(4, Math.floor(entry.delta / 2 ** 27));
      return;
    case "stamp":
      head(w, 31, Number(entry.ns & 0x7ffffffn));
      w.int(4, (entry.ns >> 27n) & 0xffffffffn);
      return;
    case "discarded":
      head(w, 29, entry.delta);
      w.mark(4, entry.length);
      w.raw(new Uint8Array(entry.length - 4));
  }
}
