// Writes small CTF 1.8 traces as lttng-modules does: packetised metadata, one stream per CPU, compact and extended event
// headers, discarded-event counts, packet numbers, rotation; in either byte order, packed or naturally aligned.
import type { NamedSource } from "../../src/ingest/index.ts";
import { memoryFile } from "./dump-recording.ts";

/** How a trace is laid out. */
export interface CtfStyle {
  readonly isLittle: boolean;
  /** Integers lie at multiples of their size, as on machines without cheap unaligned access; else at bytes. */
  readonly isAligned: boolean;
  /** Headers of 32 bits with 16 of them for the id, as channels with many events have. */
  readonly isLarge: boolean;
  /** Adds procname, pid and tid to every event, as `lttng add-context` does. */
  readonly hasContext: boolean;
  readonly tracer: string;
}

export const PLAIN: CtfStyle = {
  isLittle: true,
  isAligned: false,
  isLarge: false,
  hasContext: false,
  tracer: "lttng-modules",
};

/** One event to write: its time in cycles and its fields by name. */
export interface CtfEventInput {
  readonly name: string;
  readonly at: bigint;
  readonly fields?: Readonly<Record<string, number | string | readonly number[]>>;
  readonly context?: { readonly procname: string; readonly pid: number; readonly tid: number };
}

export interface CtfPacketInput {
  readonly cpu: number;
  readonly events: readonly CtfEventInput[];
  readonly begin?: bigint;
  readonly end?: bigint;
  readonly discarded?: number;
  readonly sequence?: number;
}

/** 32 and 64 are signed integers of so many bits, 16 a text of 16 bytes, "string" one that ends in a NUL. */
type FieldKind = 8 | 32 | 64 | "comm" | "string" | "vtids";

const EVENTS: ReadonlyMap<string, readonly (readonly [string, FieldKind])[]> = new Map<
  string,
  readonly (readonly [string, FieldKind])[]
>([
  [
    "sched_waking",
    [
      ["comm", "comm"],
      ["tid", 32],
      ["prio", 32],
    ],
  ],
  [
    "sched_switch",
    [
      ["prev_comm", "comm"],
      ["prev_tid", 32],
      ["prev_prio", 32],
      ["prev_state", 64],
      ["next_comm", "comm"],
      ["next_tid", 32],
      ["next_prio", 32],
    ],
  ],
  [
    "sched_process_fork",
    [
      ["parent_comm", "comm"],
      ["parent_tid", 32],
      ["parent_pid", 32],
      ["child_comm", "comm"],
      ["child_tid", 32],
      ["vtids", "vtids"],
      ["child_pid", 32],
    ],
  ],
  [
    "sched_process_exec",
    [
      ["filename", "string"],
      ["tid", 32],
      ["old_tid", 32],
    ],
  ],
  [
    "sched_process_exit",
    [
      ["comm", "comm"],
      ["tid", 32],
      ["prio", 32],
    ],
  ],
  [
    "sched_process_free",
    [
      ["comm", "comm"],
      ["tid", 32],
      ["prio", 32],
    ],
  ],
  [
    "syscall_entry_clone",
    [
      ["clone_flags", 64],
      ["newsp", 64],
    ],
  ],
  ["syscall_exit_clone", [["ret", 64]]],
  [
    "lttng_statedump_process_state",
    [
      ["tid", 32],
      ["pid", 32],
      ["ppid", 32],
      ["name", "comm"],
      ["type", 32],
      ["status", 32],
    ],
  ],
]);

/** Names of the events that can be written; the index is the id. */
export const CTF_EVENT_NAMES: readonly string[] = [...EVENTS.keys()];
const PACKET_BYTES = 4096;
const UUID = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/** The files of a trace: metadata and a stream a CPU, or a rotated piece of one for each packet when `isRotated`. */
export function writeCtf(
  packets: readonly CtfPacketInput[],
  style: CtfStyle = PLAIN,
  isRotated = false,
): NamedSource[] {
  const files = new Map<string, Uint8Array[]>();
  packets.forEach((packet, i) => {
    const name = isRotated ? `channel0_${packet.cpu}_${i}` : `channel0_${packet.cpu}`;
    files.set(name, [...(files.get(name) ?? []), packetBytes(packet, style)]);
  });
  const streams = [...files].map(([name, parts]) => memoryFile(name, Buffer.concat(parts)));
  return [memoryFile("metadata", packetised(metadataText(style), style)), ...streams].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

class BitWriter {
  readonly bytes: number[] = [];
  readonly #style: CtfStyle;

  constructor(style: CtfStyle) {
    this.#style = style;
  }

  align(bits: number): void {
    const step = this.#style.isAligned ? bits / 8 : 1;
    while (this.bytes.length % step !== 0) this.bytes.push(0);
  }

  int(value: bigint | number, bits: number): void {
    this.align(bits);
    const all = BigInt.asUintN(bits, BigInt(value));
    const out: number[] = [];
    for (let i = 0; i < bits / 8; i++) out.push(Number((all >> BigInt(i * 8)) & 0xffn));
    this.bytes.push(...(this.#style.isLittle ? out : out.reverse()));
  }

  /** 5 bits of id and 27 of time in one unit of 32. */
  compact(id: number, time: bigint): void {
    const low = BigInt.asUintN(27, time);
    this.align(32);
    this.int(this.#style.isLittle ? BigInt(id) | (low << 5n) : (BigInt(id) << 27n) | low, 32);
  }

  /** 5 bits of id, padded to the next field. */
  five(id: number): void {
    this.align(32);
    this.bytes.push(this.#style.isLittle ? id : id << 3);
  }

  chars(text: string, length: number): void {
    const bytes = new TextEncoder().encode(text).slice(0, length - 1);
    for (let i = 0; i < length; i++) this.bytes.push(bytes[i] ?? 0);
  }
}

function packetBytes(packet: CtfPacketInput, style: CtfStyle): Uint8Array {
  const { cpu, events } = packet;
  const begin = packet.begin ?? events[0]?.at ?? 0n;
  const end = packet.end ?? events.at(-1)?.at ?? begin;
  const writeAll = (contentBits: number): number[] => {
    const w = new BitWriter(style);
    w.int(0xc1fc1fc1, 32);
    w.bytes.push(...UUID);
    w.int(0, 32);
    w.int(cpu, 64);
    w.int(begin, 64);
    w.int(end, 64);
    w.int(contentBits, 64);
    w.int(Math.max(PACKET_BYTES, Math.ceil(contentBits / 8 / PACKET_BYTES) * PACKET_BYTES) * 8, 64);
    w.int(packet.sequence ?? 0, 64);
    w.int(packet.discarded ?? 0, 64);
    w.int(cpu, 32);
    let last = begin;
    for (const event of events) {
      writeEvent(w, event, last, style);
      last = event.at;
    }
    return w.bytes;
  };
  const content = writeAll(0).length;
  const bytes = new Uint8Array(Math.max(PACKET_BYTES, Math.ceil(content / PACKET_BYTES) * PACKET_BYTES));
  bytes.set(writeAll(content * 8));
  return bytes;
}

function writeEvent(w: BitWriter, event: CtfEventInput, last: bigint, style: CtfStyle): void {
  writeHeader(w, event, last, style);
  if (style.hasContext) {
    w.align(32);
    const { procname, pid, tid } = event.context ?? { procname: "", pid: 0, tid: 0 };
    w.chars(procname, 16);
    w.int(pid, 32);
    w.int(tid, 32);
  }
  // A structure begins at the largest alignment of its fields (CTF 1.8.3, 4.2.1).
  const fields = EVENTS.get(event.name) ?? [];
  w.align(fields.some(([, kind]) => kind === 64) ? 64 : 32);
  for (const [name, kind] of fields) writeField(w, kind, event.fields?.[name]);
}

/** Compact when the time's low bits tell it from the last event's, else extended. */
function writeHeader(w: BitWriter, event: CtfEventInput, last: bigint, { isLarge }: CtfStyle): void {
  const id = CTF_EVENT_NAMES.indexOf(event.name);
  const fits = event.at >= last && event.at - last < 1n << (isLarge ? 32n : 27n);
  w.align(isLarge ? 16 : 32);
  if (fits && isLarge) {
    w.int(id, 16);
    w.int(event.at, 32);
    return;
  }
  if (fits) {
    w.compact(id, event.at);
    return;
  }
  if (isLarge) w.int(65535, 16);
  else w.five(31);
  w.align(64);
  w.int(id, 32);
  w.int(event.at, 64);
}

function writeField(
  w: BitWriter,
  kind: FieldKind,
  value: number | string | readonly number[] | undefined,
): void {
  if (kind === "comm") w.chars(String(value ?? ""), 16);
  else if (kind === "string") w.bytes.push(...new TextEncoder().encode(String(value ?? "")), 0);
  else if (kind === "vtids") {
    const list = Array.isArray(value) ? (value as readonly number[]) : [];
    w.int(list.length, 8);
    w.align(32);
    for (const item of list) w.int(item, 32);
  } else w.int(Number(value ?? 0), kind);
}

function integer(size: number, style: CtfStyle, signed: number, more = ""): string {
  return `integer { size = ${size}; align = ${style.isAligned ? size : 8}; signed = ${signed}; encoding = none; base = 10; ${more}}`;
}

function fieldText(name: string, kind: FieldKind, style: CtfStyle): string {
  const char = "integer { size = 8; align = 8; signed = 0; encoding = UTF8; base = 10; }";
  if (kind === "comm") return `${char} _${name}[16];`;
  if (kind === "string") return `string _${name};`;
  if (kind === "vtids") {
    return `${integer(8, style, 0)} __${name}_length; ${integer(32, style, 1)} _${name}[ __${name}_length ];`;
  }
  return `${integer(kind, style, 1)} _${name};`;
}

/** The TSDL of such a trace. */
export function metadataText(style: CtfStyle): string {
  const align = (size: number): number => (style.isAligned ? size : 8);
  const clocked = (size: number): string =>
    `typealias integer { size = ${size}; align = ${size === 27 ? 1 : align(size)}; signed = false; map = clock.monotonic.value; } := uint${size}_clock_monotonic_t;`;
  const plain = (size: number): string =>
    `typealias integer { size = ${size}; align = ${size < 8 ? 1 : align(size)}; signed = false; } := uint${size}_t;`;
  const events = [...EVENTS].map(
    ([name, fields], id) =>
      `event {\n\tname = "${name}";\n\tid = ${id};\n\tstream_id = 0;\n\tfields := struct {\n\t\t` +
      `${fields.map(([field, kind]) => fieldText(field, kind, style)).join("\n\t\t")}\n\t};\n};\n`,
  );
  const context = style.hasContext
    ? `\tevent.context := struct { ${fieldText("procname", "comm", style)} ${fieldText("pid", 32, style)} ${fieldText("tid", 32, style)} };\n`
    : "";
  return `/* CTF 1.8 */
${[8, 16, 32, 64, 5].map(plain).join("\n")}
typealias integer { size = 64; align = ${align(64)}; signed = false; } := unsigned long;
trace {
	major = 1;
	minor = 8;
	uuid = "01020304-0506-0708-090a-0b0c0d0e0f10";
	byte_order = ${style.isLittle ? "le" : "be"};
	packet.header := struct {
		uint32_t magic;
		uint8_t  uuid[16];
		uint32_t stream_id;
		uint64_t stream_instance_id;
	};
};
env {
	hostname = "host";
	domain = "kernel";
	sysname = "Linux";
	kernel_release = "6.1.0-test";
	tracer_name = "${style.tracer}";
	tracer_major = 2;
};
clock {
	name = "monotonic";
	freq = 1000000000; // Hz
	offset = 1539783991179109860;
};
${[27, 32, 64].map(clocked).join("\n")}
struct packet_context {
	uint64_clock_monotonic_t timestamp_begin;
	uint64_clock_monotonic_t timestamp_end;
	uint64_t content_size;
	uint64_t packet_size;
	uint64_t packet_seq_num;
	unsigned long events_discarded;
	uint32_t cpu_id;
};
struct event_header_compact {
	enum : uint5_t { compact = 0 ... 30, extended = 31 } id;
	variant <id> {
		struct { uint27_clock_monotonic_t timestamp; } compact;
		struct { uint32_t id; uint64_clock_monotonic_t timestamp; } extended;
	} v;
} align(${align(32)});
struct event_header_large {
	enum : uint16_t { compact = 0 ... 65534, extended = 65535 } id;
	variant <id> {
		struct { uint32_clock_monotonic_t timestamp; } compact;
		struct { uint32_t id; uint64_clock_monotonic_t timestamp; } extended;
	} v;
} align(${align(16)});
stream {
	id = 0;
	event.header := struct event_header_${style.isLarge ? "large" : "compact"};
	packet.context := struct packet_context;
${context}};
${events.join("")}`;
}

/** Text as packets of metadata. */
function packetised(text: string, { isLittle }: CtfStyle): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const room = PACKET_BYTES - 37;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += room) {
    const piece = bytes.subarray(at, at + room);
    const packet = new Uint8Array(PACKET_BYTES);
    const view = new DataView(packet.buffer);
    view.setUint32(0, 0x75d11d57, isLittle);
    packet.set(UUID, 4);
    view.setUint32(24, (37 + piece.length) * 8, isLittle);
    view.setUint32(28, PACKET_BYTES * 8, isLittle);
    packet.set([0, 0, 0, 1, 8], 32);
    packet.set(piece, 37);
    parts.push(packet);
  }
  return Buffer.concat(parts);
}
