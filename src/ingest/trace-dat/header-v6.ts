// trace-cmd.dat.v6(5): everything stands one behind the other, the pages last.
import { Cursor, Unreadable } from "../cursor.ts";
import type { ByteSource } from "../source.ts";
import { u32 } from "../words.ts";
import { addFormatText, type BufferData, type Layout, MAX_CPUS, MAX_SECTION, readOption } from "./layout.ts";

const OPTION_BUFFER = 3;
const MAGIC_TEXT = 64;

/** Reads the file from where its first table begins. Throws EndOfData where it is cut, and a text for what cannot be. */
export function readHeaderV6(layout: Layout, source: ByteSource, c: Cursor): void {
  c.text(MAGIC_TEXT);
  layout.headerPage = textOf(c, c.u64());
  c.text(MAGIC_TEXT);
  c.skip(c.u64());
  for (let n = c.u32(); n > 0; n--) addFormatText(layout, section(c, c.u64()), "ftrace");
  for (let systems = c.u32(); systems > 0; systems--) {
    const system = c.text(256);
    for (let n = c.u32(); n > 0; n--) addFormatText(layout, section(c, c.u64()), system);
  }
  const symbolsSize = c.u32();
  const symbolsAt = c.at;
  c.skip(symbolsSize);
  layout.kallsyms = () => new Cursor(source, layout.big, symbolsAt).bytes(Math.min(symbolsSize, MAX_SECTION));
  c.skip(c.u32());
  layout.cmdlines = section(c, c.u64());
  layout.cpuCount = c.u32();
  const instances: { at: number; name: string }[] = [];
  let kind = c.text(10);
  if (kind.startsWith("options")) {
    readOptions(layout, c, instances);
    kind = c.text(10);
  }
  if (kind.startsWith("latency")) throw new Unreadable("holds a latency tracer's text, not events");
  if (!kind.startsWith("flyrecord"))
    throw new Unreadable(`has ${JSON.stringify(kind)} where its data should begin`);
  layout.buffers.push(readBuffer(layout, c, ""));
  for (const { at, name } of instances) readInstance(layout, source, at, name);
}

function readOptions(layout: Layout, c: Cursor, instances: { at: number; name: string }[]): void {
  for (let id = c.u16(); id !== 0; id = c.u16()) {
    const data = section(c, c.u32());
    const u32At = (at: number): number => u32(data, at, layout.big);
    if (id === OPTION_BUFFER && data.length > 8) {
      const name = new TextDecoder().decode(data.subarray(8)).replace(/\0.*$/s, "");
      const at = u32At(layout.big ? 0 : 4) * 4294967296 + u32At(layout.big ? 4 : 0);
      // The top instance is listed by some versions as well; its data follow the options.
      if (name !== "" && instances.length < 256) instances.push({ at, name });
    } else {
      readOption(layout, id, data, u32At);
    }
  }
}

function readInstance(layout: Layout, source: ByteSource, at: number, name: string): void {
  const c = new Cursor(source, layout.big, at);
  try {
    if (c.text(10).startsWith("flyrecord")) {
      layout.buffers.push(readBuffer(layout, c, name));
      return;
    }
  } catch {
    // falls through: the offset leads nowhere
  }
  layout.damaged.push(`the buffer of instance ${JSON.stringify(name)}`);
}

function readBuffer(layout: Layout, c: Cursor, name: string): BufferData {
  if (layout.cpuCount > MAX_CPUS) throw new Unreadable(`claims ${layout.cpuCount} CPUs`);
  const cpus = [];
  for (let cpu = 0; cpu < layout.cpuCount; cpu++) cpus.push({ cpu, at: c.u64(), size: c.u64() });
  return { name, pageSize: layout.pageSize, isCompressed: false, cpus };
}

function section(c: Cursor, size: number): Uint8Array {
  if (size > MAX_SECTION) throw new Unreadable(`claims a table of ${size} bytes`);
  return c.bytes(size);
}

function textOf(c: Cursor, size: number): string {
  return new TextDecoder().decode(section(c, size));
}
