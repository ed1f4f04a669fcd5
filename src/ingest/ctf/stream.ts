// The packets of one stream: one file, or the files it was rotated into, in the order of their times. Yields event heads;
// the reader decides whether the payload is wanted. Merged by index.ts.
import type { ByteSource } from "../source.ts";
import type { Step } from "./layout.ts";
import type { HeaderPlan } from "./plans.ts";
import { type Taker, Walker } from "./walk.ts";

/** First bytes of a packet. */
export const PACKET_MAGIC = 0xc1fc1fc1;
/** LTTng's sub-buffers are at most some MiB; a packet that claims more is damage, and is not allocated for. */
export const MAX_PACKET: number = 64 << 20;
/** Enough for a packet's header and context. */
const HEAD_BYTES = 4096;

/** Slots of packet header, packet context and event header. */
export const HeadSlot = {
  streamId: 0,
  instanceId: 1,
  contentSize: 2,
  packetSize: 3,
  begin: 4,
  discarded: 5,
  sequence: 6,
  cpu: 7,
  eventId: 8,
} as const;
const HEAD_SLOTS = 9;

export const PACKET_HEADER_SLOTS: ReadonlyMap<string, number> = new Map([
  ["stream_id", HeadSlot.streamId],
  ["stream_instance_id", HeadSlot.instanceId],
]);
export const PACKET_CONTEXT_SLOTS: ReadonlyMap<string, number> = new Map([
  ["content_size", HeadSlot.contentSize],
  ["packet_size", HeadSlot.packetSize],
  ["timestamp_begin", HeadSlot.begin],
  ["events_discarded", HeadSlot.discarded],
  ["packet_seq_num", HeadSlot.sequence],
  ["cpu_id", HeadSlot.cpu],
]);
export const EVENT_HEADER_SLOTS: ReadonlyMap<string, number> = new Map([["id", HeadSlot.eventId]]);

/** Compiled heads of one stream class. */
export interface StreamPlan {
  readonly packetContext: readonly Step[];
  readonly eventHeader: readonly Step[];
  /** The same where it is LTTng's; null: nothing is read ahead. */
  readonly header: HeaderPlan | null;
}

/** What a packet's head says; NaN where it does not. */
export class PacketHead implements Taker {
  readonly values: Float64Array = new Float64Array(HEAD_SLOTS).fill(Number.NaN);

  number(slot: number, value: number): void {
    this.values[slot] = value;
  }

  text(): void {}
}

/** Why a packet could not be read to its end. */
export type Damage = "magic" | "sizes" | "stream" | "event";

/** What the reader of the trace is told. */
export interface StreamListener {
  /** Events were lost on `cpu` before the stream's next event: `count` of them, -1 when nobody counted. */
  lost(stream: Stream, count: number, what: "events" | "packets"): void;
  damaged(stream: Stream, file: string, at: number, why: Damage): void;
}

/** How the packets of a trace are laid out. */
export interface PacketLayout {
  readonly isLittle: boolean;
  readonly packetHeader: readonly Step[];
  readonly plans: ReadonlyMap<number, StreamPlan>;
  readonly registers: number;
}

/** What all streams of a trace share. */
export interface StreamSetting extends PacketLayout {
  readonly listener: StreamListener;
  /** Bytes before a packet's end where an event too large for the rest may have been dropped; all of it when unknown. */
  readonly tail: number;
}

export interface StreamFile {
  readonly name: string;
  readonly source: ByteSource;
}

/** One stream, being read. */
export class Stream {
  /** Of the event at hand. */
  cpu = -1;
  eventId = 0;
  streamId = 0;
  readonly walker: Walker;
  /** Bytes of packets read so far. */
  read = 0;
  /** The event at hand stands where its packet's lost events may have stood before it. */
  inLoss = false;
  readonly #setting: StreamSetting;
  readonly #files: readonly StreamFile[];
  readonly #head = new PacketHead();
  /** Memory of the packet being read. */
  #room: Uint8Array = new Uint8Array(0);
  #file = 0;
  #offset = 0;
  /** File and place of the packet being read, for messages. */
  #packetFile = "";
  #packetAt = 0;
  #plan: StreamPlan | undefined;
  #discarded = Number.NaN;
  #sequence = Number.NaN;
  #lossFrom = Number.POSITIVE_INFINITY;
  /** The previous packet lost events at its end: the first event after it comes after the gap. */
  #lossBefore = false;

  constructor(setting: StreamSetting, files: readonly StreamFile[], base: bigint) {
    this.#setting = setting;
    this.#files = files;
    this.walker = new Walker(setting.registers);
    this.walker.setClock(base, 0);
  }

  /** Moves to the next event, past its header. False at the stream's end. */
  next(): boolean {
    const { walker } = this;
    while (this.open()) {
      const from = walker.at;
      if (walker.run(this.#plan!.eventHeader, this.#head)) {
        this.eventId = this.#head.values[HeadSlot.eventId]!;
        this.inLoss = from >= this.#lossFrom || this.#lossBefore;
        this.#lossBefore = false;
        return true;
      }
      this.damage("event");
    }
    return false;
  }

  /** Goes to the next packet when this one has no more events. False at the stream's end. */
  open(): boolean {
    while (this.#plan === undefined || this.walker.at >= this.walker.end) {
      if (!this.#openPacket()) return false;
    }
    return true;
  }

  /** Plan of the packet's event headers. */
  get header(): HeaderPlan | null {
    return this.#plan?.header ?? null;
  }

  /** Events that begin before this byte of the packet did not come after lost ones. */
  calmUntil(): number {
    return this.#lossBefore ? 0 : Math.ceil(this.#lossFrom / 8);
  }

  /** The rest of the packet cannot be read: what it held is lost. */
  damage(why: Damage): void {
    this.#setting.listener.damaged(this, this.#packetFile, this.#packetAt, why);
    this.walker.at = this.walker.end;
    this.#lossFrom = Number.POSITIVE_INFINITY;
    this.#lossBefore = true;
  }

  #openPacket(): boolean {
    this.#plan = undefined;
    this.#lossBefore ||= this.#lossFrom !== Number.POSITIVE_INFINITY;
    this.#lossFrom = Number.POSITIVE_INFINITY;
    while (this.#file < this.#files.length) {
      const { source, name } = this.#files[this.#file]!;
      this.#packetFile = name;
      this.#packetAt = this.#offset;
      if (this.#offset >= source.size) {
        this.#file++;
        this.#offset = 0;
        continue;
      }
      const size = this.#readPacket(source);
      if (size <= 0) {
        this.#file++;
        this.#offset = 0;
        continue;
      }
      this.#offset += size;
      this.read += size;
      return true;
    }
    return false;
  }

  /** Reads the packet at the offset; its size in bytes, or 0 when nothing after it in the file can be trusted. */
  #readPacket(source: ByteSource): number {
    const plan = readPacketHead(this.#setting, this.walker, this.#head, source, this.#offset, this.#room);
    const { values } = this.#head;
    if (typeof plan === "string") {
      this.damage(plan);
      return 0;
    }
    const left = source.size - this.#offset;
    const packet = Number.isNaN(values[HeadSlot.packetSize]!) ? left : values[HeadSlot.packetSize]! / 8;
    const content = Number.isNaN(values[HeadSlot.contentSize]!) ? packet : values[HeadSlot.contentSize]! / 8;
    if (!(packet > 0 && content > 0 && content <= packet && packet <= MAX_PACKET)) {
      this.damage("sizes");
      return 0;
    }
    const length = Math.ceil(content);
    if (this.#room.length < length) this.#room = new Uint8Array(Math.min(length, left));
    this.walker.bytes = source.readAt(this.#offset, length, this.#room);
    this.walker.end = Math.min(content, this.walker.bytes.length) * 8;
    this.cpu = Number.isNaN(values[HeadSlot.cpu]!) ? -1 : values[HeadSlot.cpu]!;
    this.streamId = Number.isNaN(values[HeadSlot.streamId]!) ? 0 : values[HeadSlot.streamId]!;
    this.#plan = plan;
    this.#countLoss(content);
    if (packet > left) {
      this.#setting.listener.damaged(this, this.#packetFile, this.#packetAt, "sizes");
      this.#lossBefore = true;
      return left;
    }
    return packet;
  }

  /**
   * events_discarded counts since the stream began, up to the packet's end. lttng-modules drops an event when it does not
   * fit the rest of its packet and the next one is not free, so what was lost would have stood near the packet's end; the
   * packet stays open meanwhile, and smaller events may still enter it.
   */
  #countLoss(content: number): void {
    const { values } = this.#head;
    const discarded = values[HeadSlot.discarded]!;
    const before = Number.isNaN(this.#discarded) ? 0 : this.#discarded;
    if (discarded > before) {
      this.#lossFrom = Math.max(0, content - this.#setting.tail) * 8;
      this.#setting.listener.lost(this, discarded - before, "events");
    }
    this.#discarded = discarded;
    const sequence = values[HeadSlot.sequence]!;
    if (!Number.isNaN(this.#sequence) && sequence !== this.#sequence + 1) {
      this.#lossBefore = true;
      this.#setting.listener.lost(this, -1, "packets");
    }
    this.#sequence = sequence;
  }
}

/**
 * Reads a packet's header and context into `head` and leaves the walker behind them, its clock at the packet's begin. What
 * is wrong with it, or the plan of its stream class.
 */
export function readPacketHead(
  setting: PacketLayout,
  walker: Walker,
  head: PacketHead,
  source: ByteSource,
  offset: number,
  room?: Uint8Array,
): StreamPlan | Damage {
  walker.bytes = source.readAt(offset, HEAD_BYTES, room);
  walker.at = 0;
  walker.end = walker.bytes.length * 8;
  head.values.fill(Number.NaN);
  if (setting.packetHeader.length > 0 && !hasMagic(walker.bytes, setting.isLittle)) return "magic";
  if (!walker.run(setting.packetHeader, head)) return "sizes";
  const id = Number.isNaN(head.values[HeadSlot.streamId]!) ? 0 : head.values[HeadSlot.streamId]!;
  const plan = setting.plans.get(id);
  if (plan === undefined) return "stream";
  if (!walker.run(plan.packetContext, head)) return "sizes";
  const begin = head.values[HeadSlot.begin]!;
  if (!Number.isNaN(begin)) walker.cycles = begin;
  return plan;
}

function hasMagic(bytes: Uint8Array, isLittle: boolean): boolean {
  if (bytes.length < 4) return false;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, isLittle) === PACKET_MAGIC;
}
