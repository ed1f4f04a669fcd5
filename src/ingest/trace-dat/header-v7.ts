// trace-cmd.dat.v7(5): a chain of option sections leads to the other sections, which may be compressed.
import { Cursor, memorySource, Unreadable } from "../cursor.ts";
import type { ByteSource } from "../source.ts";
import { u32 } from "../words.ts";
import { addFormatText, type BufferData, type Layout, MAX_CPUS, MAX_SECTION, readOption } from "./layout.ts";

const OPTION = {
  done: 0,
  buffer: 3,
  headerInfo: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  kallsyms: 19,
  cmdlines: 21,
  bufferText: 22,
} as const;
const SECTION_HEADER = 16;
const COMPRESSED = 1;
const MAX_OPTION_SECTIONS = 1024;

/** Decodes a compressed block to exactly `size` bytes; throws when that cannot be done. */
export type Unpack = (bytes: Uint8Array, size: number) => Uint8Array;

/** Reads the sections that the options starting at the cursor's 64-bit offset lead to. Throws as readHeaderV6 does. */
export function readHeaderV7(layout: Layout, source: ByteSource, c: Cursor, unpack: Unpack): void {
  const read = (at: number): Cursor => openSection(layout, source, at, unpack);
  const seen = new Set<number>();
  for (let at = c.u64(); at !== 0 && !seen.has(at) && seen.size < MAX_OPTION_SECTIONS; ) {
    seen.add(at);
    at = readOptionSection(layout, source, read(at), read);
  }
}

/** Reads one section of options; returns where the next one is, 0 when this was the last. */
function readOptionSection(
  layout: Layout,
  source: ByteSource,
  c: Cursor,
  read: (at: number) => Cursor,
): number {
  while (c.left >= 6) {
    const id = c.u16();
    const size = c.u32();
    if (size > MAX_SECTION) throw new Unreadable(`claims an option of ${size} bytes`);
    const data = c.bytes(size);
    const option = new Cursor(memorySource(data), layout.big);
    switch (id) {
      case OPTION.done:
        return option.left >= 8 ? option.u64() : 0;
      case OPTION.buffer:
        readBuffer(layout, source, option);
        break;
      case OPTION.bufferText:
        layout.damaged.push("a latency tracer's text");
        break;
      default:
        if (!readTable(layout, id, option, read))
          readOption(layout, id, data, (at) => u32(data, at, layout.big));
    }
  }
  return 0;
}

/** Reads the section an option points to; false when the option is none of these. */
function readTable(layout: Layout, id: number, option: Cursor, read: (at: number) => Cursor): boolean {
  switch (id) {
    case OPTION.headerInfo: {
      const c = read(option.u64());
      c.text(64);
      layout.headerPage = new TextDecoder().decode(c.bytes(c.u64()));
      return true;
    }
    case OPTION.ftraceEvents: {
      const c = read(option.u64());
      for (let n = c.u32(); n > 0; n--) addFormatText(layout, c.bytes(c.u64()), "ftrace");
      return true;
    }
    case OPTION.eventFormats: {
      const c = read(option.u64());
      for (let systems = c.u32(); systems > 0; systems--) {
        const system = c.text(256);
        for (let n = c.u32(); n > 0; n--) addFormatText(layout, c.bytes(c.u64()), system);
      }
      return true;
    }
    case OPTION.kallsyms: {
      const at = option.u64();
      layout.kallsyms = () => {
        const c = read(at);
        return c.bytes(Math.min(c.u32(), c.left));
      };
      return true;
    }
    case OPTION.cmdlines: {
      const c = read(option.u64());
      layout.cmdlines = c.bytes(Math.min(c.u64(), c.left));
      return true;
    }
    default:
      return false;
  }
}

function readBuffer(layout: Layout, source: ByteSource, c: Cursor): void {
  const sectionAt = c.u64();
  const name = c.text(4096);
  const clock = c.text(256);
  if (layout.clock === "") layout.clock = clock;
  const pageSize = c.u32();
  const count = c.u32();
  if (count > MAX_CPUS) throw new Unreadable(`claims ${count} CPUs`);
  const cpus: BufferData["cpus"][number][] = [];
  for (let i = 0; i < count; i++) cpus.push({ cpu: c.u32(), at: c.u64(), size: c.u64() });
  const header = new Cursor(source, layout.big, sectionAt);
  header.u16();
  layout.buffers.push({ name, pageSize, isCompressed: (header.u16() & COMPRESSED) !== 0, cpus });
}

/** <2> id, <2> flags, <4> description, <8> size; when compressed then <4> packed size, <4> size and the data. */
function openSection(layout: Layout, source: ByteSource, at: number, unpack: Unpack): Cursor {
  const c = new Cursor(source, layout.big, at);
  c.u16();
  const flags = c.u16();
  c.u32();
  const size = c.u64();
  if ((flags & COMPRESSED) === 0) return new Cursor(source, layout.big, c.at, at + SECTION_HEADER + size);
  const packed = c.u32();
  const unpacked = c.u32();
  if (unpacked > MAX_SECTION) throw new Unreadable(`claims a section of ${unpacked} bytes`);
  return new Cursor(memorySource(unpack(c.bytes(packed), unpacked)), layout.big);
}
