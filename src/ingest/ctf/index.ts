// Reader of CTF 1.8 traces that LTTng's kernel tracer wrote: a directory with a metadata file and stream files, rotated or
// not. Streams are merged by time; an event that no row is made of is walked over and counted.
import { InputError } from "../../base/errors.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { CONTEXT_SLOTS, LttngFields, PAYLOAD_SLOTS } from "../lttng/fields.ts";
import { LttngEvent, lttngEvent } from "../lttng/names.ts";
import type { RecordingReader, RecordingReaderOptions } from "../recordings/reader.ts";
import type { Sink } from "../sink.ts";
import { ClockTime } from "./clock.ts";
import { type EventClass, EventTaker } from "./events.ts";
import { findTrace, type TraceFiles } from "./files.ts";
import { LayoutCompiler } from "./layout.ts";
import { mergeByScan, mergeStreams } from "./merge.ts";
import { metadataText } from "./metadata.ts";
import { bodyPlan, headerPlan } from "./plans.ts";
import {
  EVENT_HEADER_SLOTS,
  HeadSlot,
  PACKET_CONTEXT_SLOTS,
  PACKET_HEADER_SLOTS,
  PacketHead,
  type PacketLayout,
  readPacketHead,
  Stream,
  type StreamFile,
  type StreamPlan,
} from "./stream.ts";
import { parseTsdl } from "./tsdl.ts";
import type { CtfMetadata } from "./types.ts";
import { Walker } from "./walk.ts";

/** The largest event forkcast reads: sched_process_exec with a path of PATH_MAX, its header, and room. */
const LARGEST_EVENT = 4096 + 512;
/** Streams: a CPU of the largest machine each, in a few channels. */
const MAX_STREAMS = 65536;
const NO_SLOTS: ReadonlyMap<string, number> = new Map();

export class CtfReader implements RecordingReader {
  readonly #options: RecordingReaderOptions;
  readonly #sink: Sink;
  #events: EventTaker | undefined;

  constructor(options: RecordingReaderOptions) {
    this.#options = options;
    this.#sink = options.sink;
  }

  get records(): number {
    return this.#events?.records ?? 0;
  }

  read(): void {
    const { path, files, naive, onProgress } = this.#options;
    const trace = findTrace(files, path);
    const metadata = parseTsdl(metadataText(trace.metadata, path), path);
    this.#check(metadata);
    const { layout, classes } = this.#compile(metadata);
    const { chains, base } = chainsOf(layout, trace);
    if (chains.length > MAX_STREAMS) this.#refuse("ctf/bad-metadata", `${chains.length} streams`);
    const clock = new ClockTime(clockOf(metadata), base);
    this.#describe(metadata);
    const events = new EventTaker(this.#sink, clock, new LttngFields(), classes);
    this.#events = events;
    const isLttng = metadata.env.get("tracer_name") === "lttng-modules";
    const tail = isLttng ? LARGEST_EVENT : Number.POSITIVE_INFINITY;
    const setting = { ...layout, listener: events, tail };
    const streams = chains.map((chain) => new Stream(setting, chain, base));
    if (naive === true) mergeByScan(streams, events, onProgress);
    else mergeStreams(streams, events, events.bodies(), layout.registers, onProgress);
  }

  skipped(): Record<string, number> {
    return this.#events?.skipped() ?? {};
  }

  probes(): ProbeInfo[] {
    return [];
  }

  #check({ major, minor, env, events }: CtfMetadata): void {
    if (major !== 1 || minor > 8)
      this.#refuse("ctf/version", `CTF ${major}.${minor}; forkcast reads CTF 1.8`);
    const domain = env.get("domain");
    if (domain !== undefined && domain !== "kernel") {
      this.#refuse(
        "ctf/not-kernel",
        `a trace of LTTng's domain ${domain}; expected one of its kernel tracer`,
      );
    }
    if (events.length === 0) this.#refuse("ctf/bad-metadata", "its metadata declares no events");
  }

  #refuse(code: string, what: string): never {
    throw new InputError(code, `${this.#options.path}: ${what}`);
  }

  #describe({ env, clocks }: CtfMetadata): void {
    this.#sink.kernel = env.get("kernel_release") ?? "";
    const [name] = clocks.keys();
    if (name !== undefined) this.#sink.clock = name === "monotonic" ? "mono" : name;
  }

  #compile(metadata: CtfMetadata): {
    readonly layout: PacketLayout;
    readonly classes: readonly EventClass[];
  } {
    const { path } = this.#options;
    const compiler = new LayoutCompiler(metadata.isLittle, path);
    const plans = new Map<number, StreamPlan>();
    for (const stream of metadata.streams.values()) {
      const eventHeader = compiler.compile(stream.eventHeader, EVENT_HEADER_SLOTS);
      plans.set(stream.id, {
        packetContext: compiler.compile(stream.packetContext, PACKET_CONTEXT_SLOTS),
        eventHeader,
        header: headerPlan(eventHeader),
      });
    }
    const classes = metadata.events.map(({ id, stream, name, context, fields }) => {
      const event = lttngEvent(name);
      const isWanted = event !== LttngEvent.skip;
      const ofStream = metadata.streams.get(stream)?.eventContext ?? null;
      const contextSlots = isWanted ? CONTEXT_SLOTS : NO_SLOTS;
      const steps = [
        ...compiler.compile(ofStream, contextSlots),
        ...compiler.compile(context, contextSlots),
        ...compiler.compile(fields, isWanted ? PAYLOAD_SLOTS : NO_SLOTS),
      ];
      return { id, stream, name, event, steps, body: bodyPlan(steps) };
    });
    const layout = {
      isLittle: metadata.isLittle,
      packetHeader: compiler.compile(metadata.packetHeader, PACKET_HEADER_SLOTS),
      plans,
      registers: compiler.registers,
    };
    return { layout, classes };
  }
}

/** The clock times are read from: the only one, or LTTng's. */
function clockOf({ clocks }: CtfMetadata): ReturnType<CtfMetadata["clocks"]["get"]> {
  const [first] = clocks.values();
  return clocks.get("monotonic") ?? first;
}

/** Files of the same stream and CPU, in the order of their first packets; and the earliest begin, in cycles. */
function chainsOf(
  layout: PacketLayout,
  { streams }: TraceFiles,
): { readonly chains: readonly (readonly StreamFile[])[]; readonly base: bigint } {
  const walker = new Walker(layout.registers);
  const head = new PacketHead();
  const found = new Map<string, { file: StreamFile; begin: number }[]>();
  let base: bigint | null = null;
  for (const file of streams) {
    if (base === null) {
      walker.setClock(0n, 0);
      const plan = readPacketHead(layout, walker, head, file.source, 0);
      if (typeof plan !== "string") base = BigInt(Math.max(0, Math.floor(head.values[HeadSlot.begin]! || 0)));
    }
    walker.setClock(base ?? 0n, 0);
    const plan = readPacketHead(layout, walker, head, file.source, 0);
    const { values } = head;
    const cpu = values[HeadSlot.cpu]!;
    // A damaged first packet tells no stream: its file is read, and refused, by itself.
    const key =
      typeof plan === "string" || Number.isNaN(cpu) ? file.name : `${values[HeadSlot.streamId]} ${cpu}`;
    const chain = found.get(key) ?? [];
    chain.push({ file, begin: values[HeadSlot.begin]! || 0 });
    found.set(key, chain);
  }
  const chains = [...found.values()].map((chain) =>
    chain.sort((a, b) => a.begin - b.begin).map(({ file }) => file),
  );
  return { chains, base: base ?? 0n };
}
