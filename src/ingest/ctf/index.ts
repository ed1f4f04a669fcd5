// Reader of CTF 1.8 traces that LTTng's kernel tracer wrote: a directory with a metadata file and stream files, rotated or
// not. Streams are merged by time; an event that no row is made of is walked over and counted.
import { InputError } from "../../base/errors.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { CONTEXT_SLOTS, LttngFields, PAYLOAD_SLOTS, type Slot } from "../lttng/fields.ts";
import { LttngEvent, lttngEvent } from "../lttng/names.ts";
import { LttngRows } from "../lttng/rows.ts";
import { BAD_BODY, CTF_DAMAGED, CTF_DISCARDED, CTF_LOST_PACKETS } from "../problems.ts";
import type { RecordingReader, RecordingReaderOptions } from "../recordings/reader.ts";
import type { Sink } from "../sink.ts";
import { ClockTime } from "./clock.ts";
import { findTrace, type TraceFiles } from "./files.ts";
import { LayoutCompiler, type Step } from "./layout.ts";
import { metadataText } from "./metadata.ts";
import {
  type Damage,
  EVENT_HEADER_SLOTS,
  HeadSlot,
  PACKET_CONTEXT_SLOTS,
  PACKET_HEADER_SLOTS,
  PacketHead,
  readPacketHead,
  Stream,
  type StreamFile,
  type StreamListener,
  type StreamPlan,
  type StreamSetting,
} from "./stream.ts";
import { parseTsdl } from "./tsdl.ts";
import type { CtfMetadata } from "./types.ts";
import { type Taker, Walker } from "./walk.ts";

/** The largest event forkcast reads: sched_process_exec with a path of PATH_MAX, its header, and room. */
const LARGEST_EVENT = 4096 + 512;
/** Streams: a CPU of the largest machine each, in a few channels. */
const MAX_STREAMS = 65536;
const WHY: Readonly<Record<Damage, string>> = {
  magic: "no packet begins here",
  sizes: "its sizes do not fit the file",
  stream: "it is of a stream the metadata does not have",
  event: "an event in it does not fit its layout",
};
const NO_SLOTS: ReadonlyMap<string, number> = new Map();

/** An event class, ready to be walked over. */
interface EventPlan {
  readonly name: string;
  readonly event: LttngEvent;
  readonly steps: readonly Step[];
  count: number;
}

export class CtfReader implements RecordingReader, StreamListener {
  records = 0;
  readonly #options: RecordingReaderOptions;
  readonly #sink: Sink;
  readonly #fields = new LttngFields();
  readonly #rows: LttngRows;
  readonly #taker: Taker;
  readonly #plans = new Map<number, Map<number, EventPlan>>();

  constructor(options: RecordingReaderOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#rows = new LttngRows(options.sink, this.#fields);
    this.#taker = takerOf(this.#fields);
  }

  read(): void {
    const { path, files } = this.#options;
    const trace = findTrace(files, path);
    const metadata = parseTsdl(metadataText(trace.metadata, path), path);
    this.#check(metadata);
    const setting = this.#compile(metadata);
    const { chains, base } = chainsOf(setting, trace);
    if (chains.length > MAX_STREAMS) this.#refuse("ctf/bad-metadata", `${chains.length} streams`);
    const clock = new ClockTime(clockOf(metadata), base);
    this.#describe(metadata);
    this.#merge(
      chains.map((chain) => new Stream(setting, chain, base)),
      clock,
    );
  }

  skipped(): Record<string, number> {
    const out: Record<string, number> = {};
    for (const plans of this.#plans.values()) {
      for (const { name, event, count } of plans.values()) {
        if (event === LttngEvent.skip && count > 0) out[name] = (out[name] ?? 0) + count;
      }
    }
    return out;
  }

  probes(): ProbeInfo[] {
    return [];
  }

  lost(stream: Stream, count: number, what: "events" | "packets"): void {
    this.#sink.lost(stream.cpu, count, this.records + 1);
    this.#rows.lost(stream.cpu);
    const text = new TextEncoder().encode(
      `CPU ${stream.cpu}: ${count < 0 ? "an unknown number of" : count} ${what} lost`,
    );
    const kind = what === "events" ? CTF_DISCARDED : CTF_LOST_PACKETS;
    this.#sink.problem(kind, this.records + 1, text, 0, text.length);
  }

  damaged(stream: Stream, file: string, at: number, why: Damage): void {
    this.#sink.lost(stream.cpu, -1, this.records + 1);
    this.#rows.lost(stream.cpu);
    const text = new TextEncoder().encode(`${file}, packet at byte ${at}: ${WHY[why]}`);
    this.#sink.problem(CTF_DAMAGED, this.records + 1, text, 0, text.length);
  }

  /** Streams in time order; of equal times the first stream's event comes first. */
  #merge(all: readonly Stream[], clock: ClockTime): void {
    const streams = all.filter((stream) => stream.next());
    let reported = 0;
    while (streams.length > 0) {
      const { first, until } = earliest(streams);
      const stream = streams[first]!;
      let isOpen = true;
      do {
        this.#event(stream, clock);
        isOpen = stream.next();
      } while (isOpen && stream.walker.cycles < until);
      if (!isOpen) streams.splice(first, 1);
      if (this.records - reported > 100_000 || !isOpen) {
        reported = this.records;
        this.#options.onProgress(all.reduce((sum, { read }) => sum + read, 0));
      }
    }
  }

  #event(stream: Stream, clock: ClockTime): void {
    const { walker } = stream;
    const plan = this.#plans.get(stream.streamId)?.get(stream.eventId);
    if (plan === undefined) {
      stream.damage("event");
      return;
    }
    this.records++;
    plan.count++;
    const { head } = this.#sink;
    clock.set(walker.cycles);
    head.hi = clock.hi;
    head.lo = clock.lo;
    head.ticks = false;
    head.cpu = stream.cpu;
    head.tid = -1;
    head.tgid = -1;
    head.line = this.records;
    if (stream.inLoss) {
      this.#sink.lost(stream.cpu, 0, this.records);
      this.#rows.lost(stream.cpu);
    }
    head.bytes = walker.bytes;
    const isWanted = plan.event !== LttngEvent.skip;
    if (isWanted) {
      this.#fields.clear();
      this.#fields.bytes = walker.bytes;
    }
    const start = walker.at >>> 3;
    const isWhole = walker.run(plan.steps, this.#taker);
    head.start = start;
    head.end = Math.min(start + 64, walker.end >>> 3);
    if (!isWhole) stream.damage("event");
    else if (this.#sink.begin() && isWanted && !this.#rows.add(plan.event)) {
      this.#sink.problemAt(BAD_BODY, plan.name);
    }
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

  #compile(metadata: CtfMetadata): StreamSetting {
    const { path } = this.#options;
    const compiler = new LayoutCompiler(metadata.isLittle, path);
    const plans = new Map<number, StreamPlan>();
    for (const stream of metadata.streams.values()) {
      plans.set(stream.id, {
        packetContext: compiler.compile(stream.packetContext, PACKET_CONTEXT_SLOTS),
        eventHeader: compiler.compile(stream.eventHeader, EVENT_HEADER_SLOTS),
      });
    }
    for (const declared of metadata.events) {
      const event = lttngEvent(declared.name);
      const isWanted = event !== LttngEvent.skip;
      const context = metadata.streams.get(declared.stream)?.eventContext ?? null;
      const contextSlots = isWanted ? CONTEXT_SLOTS : NO_SLOTS;
      const steps = [
        ...compiler.compile(context, contextSlots),
        ...compiler.compile(declared.context, contextSlots),
        ...compiler.compile(declared.fields, isWanted ? PAYLOAD_SLOTS : NO_SLOTS),
      ];
      const ofStream = this.#plans.get(declared.stream) ?? new Map<number, EventPlan>();
      ofStream.set(declared.id, { name: declared.name, event, steps, count: 0 });
      this.#plans.set(declared.stream, ofStream);
    }
    const isLttng = metadata.env.get("tracer_name") === "lttng-modules";
    return {
      isLittle: metadata.isLittle,
      packetHeader: compiler.compile(metadata.packetHeader, PACKET_HEADER_SLOTS),
      plans,
      registers: compiler.registers,
      listener: this,
      tail: isLttng ? LARGEST_EVENT : Number.POSITIVE_INFINITY,
    };
  }
}

/** The stream whose event comes first, and the time of the next of the others. */
function earliest(streams: readonly Stream[]): { readonly first: number; readonly until: number } {
  let first = 0;
  let until = Number.POSITIVE_INFINITY;
  for (let i = 1; i < streams.length; i++) {
    const { cycles } = streams[i]!.walker;
    const least = streams[first]!.walker.cycles;
    if (cycles < least) {
      until = least;
      first = i;
    } else if (cycles < until) until = cycles;
  }
  return { first, until };
}

/** The clock times are read from: the only one, or LTTng's. */
function clockOf({ clocks }: CtfMetadata): ReturnType<CtfMetadata["clocks"]["get"]> {
  const [first] = clocks.values();
  return clocks.get("monotonic") ?? first;
}

function takerOf(fields: LttngFields): Taker {
  return {
    number: (slot, value) => {
      fields.values[slot] = value;
    },
    text: (slot, start, end) => fields.setText(slot as Slot, start, end),
  };
}

/** Files of the same stream and CPU, in the order of their first packets; and the earliest begin, in cycles. */
function chainsOf(
  setting: StreamSetting,
  { streams }: TraceFiles,
): { readonly chains: readonly (readonly StreamFile[])[]; readonly base: bigint } {
  const walker = new Walker(setting.registers);
  const head = new PacketHead();
  const found = new Map<string, { file: StreamFile; begin: number }[]>();
  let base: bigint | null = null;
  for (const file of streams) {
    if (base === null) {
      walker.setClock(0n, 0);
      const plan = readPacketHead(setting, walker, head, file.source, 0);
      if (typeof plan !== "string") base = BigInt(Math.max(0, Math.floor(head.values[HeadSlot.begin]! || 0)));
    }
    walker.setClock(base ?? 0n, 0);
    const plan = readPacketHead(setting, walker, head, file.source, 0);
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
