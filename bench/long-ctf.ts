// Makes a long CTF trace out of a short one, as long-recordings.ts does of other formats: its packets again and again, each
// copy's clock readings moved in time, wherever the metadata says that one stands: in packet contexts, in compact and in
// extended event headers. Walks over the declared types field by field; which fields of an event are wanted plays no part.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBig } from "../src/ingest/ctf/bits.ts";
import { metadataText } from "../src/ingest/ctf/metadata.ts";
import { parseTsdl } from "../src/ingest/ctf/tsdl.ts";
import type {
  CtfEvent,
  CtfMetadata,
  CtfStream,
  CtfType,
  EnumRange,
  IntType,
  VariantType,
} from "../src/ingest/ctf/types.ts";

/** Pause between two copies, cycles. */
const GAP = 1_000_000n;

/** An unsigned integer that a copy changes: its bit in the stream, its width, and how. */
interface Place {
  readonly at: number;
  readonly size: number;
  readonly isLittle: boolean;
  readonly what: "time" | "sequence" | "discarded";
}

interface StreamFile {
  readonly name: string;
  /** Stream class and CPU. */
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly places: readonly Place[];
  /** What a copy adds to packet numbers and to counts of discarded events. */
  readonly packets: bigint;
  readonly discarded: bigint;
  readonly begin: bigint;
  readonly end: bigint;
}

/** Writes copies of the trace in the directory `path` to the directory `out` until its streams have `bytes` bytes. */
export function writeLongCtf(path: string, out: string, bytes: number): void {
  const names = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "metadata")
    .map(({ name }) => name);
  const metadata = parseTsdl(metadataText(fileSource(join(path, "metadata")), path), path);
  const streams = names.map((name) => readStream(metadata, name, readFileSync(join(path, name))));
  if (new Set(streams.map(({ key }) => key)).size < streams.length)
    throw new Error(`${path}: expected a trace whose streams were not rotated`);
  const span = extreme(streams, "end") - extreme(streams, "begin") + GAP;
  const copies = Math.max(
    1,
    Math.ceil(bytes / streams.reduce((sum, stream) => sum + stream.bytes.length, 0)),
  );
  mkdirSync(out);
  copyFileSync(join(path, "metadata"), join(out, "metadata"));
  for (const stream of streams) {
    writeFileSync(join(out, stream.name), stream.bytes);
    const added = { time: span, sequence: stream.packets, discarded: stream.discarded };
    for (let copy = 1; copy < copies; copy++) {
      for (const { at, size, isLittle, what } of stream.places)
        writeBits(stream.bytes, at, size, isLittle, readBig(stream.bytes, at, size, isLittle) + added[what]);
      writeFileSync(join(out, stream.name), stream.bytes, { flag: "a" });
    }
  }
}

function fileSource(path: string): { size: number; readAt: (at: number, length: number) => Uint8Array } {
  const bytes = new Uint8Array(readFileSync(path));
  return { size: bytes.length, readAt: (at, length) => bytes.slice(at, at + length) };
}

/** Math.min and max take no bigint. */
function extreme(streams: readonly StreamFile[], key: "begin" | "end"): bigint {
  const sorted = streams.map((stream) => stream[key]).sort((a, b) => (a < b ? -1 : 1));
  return (key === "begin" ? sorted[0] : sorted.at(-1)) ?? 0n;
}

function readStream(metadata: CtfMetadata, name: string, file: Buffer): StreamFile {
  const bytes = new Uint8Array(file);
  const walk = new TypeWalk(bytes, metadata.isLittle);
  const classes = new Map<number, Map<number, CtfEvent>>();
  for (const event of metadata.events)
    classes.set(
      event.stream,
      (classes.get(event.stream) ?? new Map<number, CtfEvent>()).set(event.id, event),
    );
  let key = name;
  const seen: { begin: bigint; end: bigint; discarded: bigint }[] = [];
  for (let packetAt = 0; packetAt < bytes.length * 8; ) {
    walk.startPacket(packetAt);
    walk.value("", metadata.packetHeader);
    const id = Number(walk.numbers.get("stream_id") ?? 0n);
    const stream = metadata.streams.get(id);
    if (stream === undefined)
      throw new Error(`${name}: a packet of stream class ${id}, which the metadata lacks`);
    walk.value("", stream.packetContext);
    const of = (field: string): bigint => walk.numbers.get(field) ?? 0n;
    seen.push({ begin: of("timestamp_begin"), end: of("timestamp_end"), discarded: of("events_discarded") });
    key = `${id} ${of("cpu_id")}`;
    const content = packetAt + Number(of("content_size"));
    const size = Number(of("packet_size"));
    if (size <= 0) throw new Error(`${name}: expected packets that tell their size`);
    while (walk.at < content) walk.event(stream, classes.get(id) ?? new Map());
    packetAt += size;
  }
  return {
    name,
    key,
    bytes,
    places: walk.places,
    packets: BigInt(seen.length),
    discarded: seen.at(-1)?.discarded ?? 0n,
    begin: seen[0]?.begin ?? 0n,
    end: seen.at(-1)?.end ?? 0n,
  };
}

/** Walks over values of declared types (CTF 1.8.3, section 4) and notes the integers that a copy changes. */
class TypeWalk {
  at = 0;
  readonly places: Place[] = [];
  /** Integers met, by name, the latest of each: lengths, tags, and what a packet's context says. */
  readonly numbers: Map<string, bigint> = new Map();
  readonly #ranges = new Map<string, readonly EnumRange[]>();
  readonly #bytes: Uint8Array;
  readonly #isLittle: boolean;
  #packetAt = 0;

  constructor(bytes: Uint8Array, isLittle: boolean) {
    this.#bytes = bytes;
    this.#isLittle = isLittle;
  }

  startPacket(at: number): void {
    this.at = at;
    this.#packetAt = at;
    this.numbers.clear();
  }

  event({ eventHeader, eventContext }: CtfStream, classes: ReadonlyMap<number, CtfEvent>): void {
    this.value("", eventHeader);
    const event = classes.get(Number(this.numbers.get("id")));
    if (event === undefined) throw new Error(`bit ${this.at}: an event of an unknown class`);
    for (const type of [eventContext, event.context, event.fields]) this.value("", type);
  }

  value(name: string, type: CtfType | null): void {
    if (type === null) return;
    this.#align(alignOf(type));
    switch (type.kind) {
      case "int":
        this.#int(name, type);
        return;
      case "enum":
        this.#ranges.set(name, type.ranges);
        this.#int(name, type.base);
        return;
      case "float":
        this.at += type.size;
        return;
      case "string":
        this.at = (this.#bytes.indexOf(0, this.at / 8) + 1) * 8;
        return;
      case "struct":
        for (const field of type.fields) this.value(field.name, field.type);
        return;
      case "array": {
        const { element, length } = type;
        const count = typeof length === "number" ? length : Number(this.#named(length));
        for (let i = 0; i < count; i++) this.value("", element);
        return;
      }
      case "variant":
        this.#variant(type);
    }
  }

  #int(name: string, { size, order, clock }: IntType): void {
    const isLittle = order === "native" ? this.#isLittle : order === "le";
    const what = clock === "" ? COUNTED.get(name) : "time";
    if (what !== undefined) this.places.push({ at: this.at, size, isLittle, what });
    if (name !== "") this.numbers.set(name, readBig(this.#bytes, this.at, size, isLittle));
    this.at += size;
  }

  #variant({ tag, options }: VariantType): void {
    const number = this.#named(tag);
    const chosen = this.#ranges.get(lastName(tag))?.find(({ low, high }) => number >= low && number <= high);
    const option = options.find(({ name }) => name === chosen?.label.replace(/^_/, ""));
    if (option === undefined) throw new Error(`bit ${this.at}: ${tag} = ${number} selects nothing`);
    this.value(option.name, option.type);
  }

  #named(path: string): bigint {
    const number = this.numbers.get(lastName(path));
    if (number === undefined) throw new Error(`bit ${this.at}: no ${path} stands before`);
    return number;
  }

  /** Alignment counts from the packet's beginning. */
  #align(to: number): void {
    this.at += -(this.at - this.#packetAt) & (to - 1);
  }
}

const COUNTED: ReadonlyMap<string, Place["what"]> = new Map([
  ["packet_seq_num", "sequence"],
  ["events_discarded", "discarded"],
]);

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1).replace(/^_/, "");
}

function alignOf(type: CtfType): number {
  if (type.kind === "int" || type.kind === "float") return type.align;
  if (type.kind === "enum") return type.base.align;
  if (type.kind === "array") return alignOf(type.element);
  if (type.kind === "struct") return Math.max(type.align, ...type.fields.map((field) => alignOf(field.type)));
  return type.kind === "string" ? 8 : 1;
}

/** As readBig() of src/ingest/ctf/bits.ts; what does not fit is cut off. */
function writeBits(bytes: Uint8Array, at: number, size: number, isLittle: boolean, value: bigint): void {
  for (let done = 0; done < size; ) {
    const inByte = (at + done) & 7;
    const taken = Math.min(8 - inByte, size - done);
    const part = Number(BigInt.asUintN(taken, value >> BigInt(isLittle ? done : size - done - taken)));
    const shift = isLittle ? inByte : 8 - inByte - taken;
    const index = (at + done) >>> 3;
    bytes[index] = ((bytes[index] ?? 0) & ~(((1 << taken) - 1) << shift)) | (part << shift);
    done += taken;
  }
}
