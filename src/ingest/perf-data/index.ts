// Reader of perf.data, as perf record writes it to a file or to a pipe. Records are put into time order round by round
// (rounds.ts); tracepoints go to the shared decoder, the kernel's own task records stand in for tracepoints that were
// not recorded (task-records.ts).
import { InputError } from "../../base/errors.ts";
import { NONE, type ProbeInfo } from "../../table/event-batch.ts";
import { Cursor, EndOfData } from "../cursor.ts";
import {
  PERF_COMPRESSION,
  PERF_LOST,
  PERF_NO_EVENT,
  PERF_OVERFLOW,
  PERF_THROTTLED,
  RECORDING_CUT,
} from "../problems.ts";
import type { RecordingReader, RecordingReaderOptions } from "../recordings/reader.ts";
import { type ByteSource, CodecError } from "../source.ts";
import { RecordDecoder } from "../tracepoints/decoder.ts";
import { Symbols } from "../tracepoints/symbols.ts";
import { SplitTime, u32, u64, viewOf } from "../words.ts";
import {
  type Attr,
  AttrTable,
  isRawTracepoint,
  MIN_ATTR,
  readAttr,
  SAMPLE,
  TYPE_TRACEPOINT,
} from "./attrs.ts";
import { FEATURE, FEATURE_BITS, readFeatureText, readTracingData } from "./features.ts";
import {
  type KernelRounds,
  type KernelRoundsOptions,
  type RoundCounts,
  withRounds,
} from "./kernel-rounds.ts";
import { Pieces } from "./pieces.ts";
import { FIRST_OF_PERF, nameOfRecord, PERF_RECORD, RECORD } from "./record-types.ts";
import { Block, RoundQueue } from "./rounds.ts";
import { RecordHead } from "./sample.ts";
import { MAX_TRACING_DATA, RecordStream } from "./stream.ts";
import { TaskRecords } from "./task-records.ts";

const MAGIC = 8;
const PIPE_HEADER = 16;
const FILE_HEADER = 104;
const RECORD_HEADER = 8;
const MAX_ATTRS = 65536;
const MAX_ATTR = 4096;
const PROGRESS_EVERY = 1 << 14;

export class PerfDataReader implements RecordingReader {
  readonly #options: RecordingReaderOptions;
  readonly #sink: RecordingReaderOptions["sink"];
  readonly #source: ByteSource;
  readonly #attrs = new AttrTable();
  readonly #head = new RecordHead();
  readonly #time = new SplitTime();
  readonly #queue: RoundQueue;
  readonly #counts = new Map<string, number>();
  readonly #tasks: TaskRecords;
  readonly #pieces: Pieces;
  #big = false;
  #decoder: RecordDecoder | null = null;
  #symbols: Symbols | null = null;
  /** `samples` is the line that `perf script` prints a row on. */
  readonly #counted: RoundCounts = { records: 0, samples: 0, isDeclared: false };
  /** Null where the reference reads. */
  #rounds: KernelRounds | null = null;

  constructor(options: RecordingReaderOptions) {
    this.#options = options;
    this.#sink = options.sink;
    const [file] = options.files;
    if (file === undefined || options.files.length > 1) {
      throw new InputError("perf-data/header", `${options.path}: a perf.data is one file`);
    }
    this.#source = file;
    this.#tasks = new TaskRecords(options.sink);
    this.#pieces = new Pieces(options.codecs);
    this.#queue = new RoundQueue((block, start, end) => this.#ordered(block, start, end));
  }

  read(): void {
    let stream: RecordStream;
    try {
      stream = this.#open();
    } catch (error) {
      if (error instanceof EndOfData) this.#refuse("ends inside its header: the recording was cut short");
      throw error;
    }
    if (this.#big || this.#options.naive) {
      this.#readAll(stream);
      return;
    }
    const options: KernelRoundsOptions = {
      sink: this.#sink,
      decoder: this.#recordDecoder(),
      names: this.#tasks.names,
      attrs: this.#attrs,
      onRecord: (block, start, end) => this.#ordered(block, start, end),
      onStray: () => this.#stray(),
    };
    withRounds(options, this.#counted, (rounds) => {
      this.#rounds = rounds;
      this.#readAll(stream);
    });
  }

  get records(): number {
    return this.#counted.records;
  }

  #readAll(stream: RecordStream): void {
    const rounds = this.#rounds;
    while (stream.next()) {
      const { start, end, type } = stream;
      if (rounds !== null && (type < FIRST_OF_PERF || type === PERF_RECORD.finishedRound)) {
        stream.pass(rounds.read(start) - start);
        this.#options.onProgress(stream.read);
        continue;
      }
      this.#record(stream.block, start, end, type, stream);
      if (this.records % PROGRESS_EVERY === 0) this.#options.onProgress(stream.read);
    }
    if (this.#attrs.attrs.length === 0) this.#refuse("describes no event");
    const waiting = rounds ?? this.#queue;
    waiting.end();
    if (stream.damage !== "") {
      this.#sink.problems.add(RECORDING_CUT, 0, `byte ${stream.at}: ${stream.damage}`);
      this.#sink.lost(NONE, -1, this.#counted.samples);
    }
    if (this.#pieces.isUnfinished) {
      this.#sink.problems.add(
        PERF_COMPRESSION,
        this.#counted.samples,
        "the compressed records end too early",
      );
      this.#sink.lost(NONE, -1, this.#counted.samples);
    }
    if (waiting.overflows > 0) this.#sink.problems.add(PERF_OVERFLOW, 0, "", waiting.overflows);
  }

  skipped(): Record<string, number> {
    return { ...this.#decoder?.skipped(), ...Object.fromEntries(this.#counts) };
  }

  probes(): ProbeInfo[] {
    return this.#decoder?.probes() ?? [];
  }

  #refuse(what: string): never {
    throw new InputError("perf-data/header", `${this.#options.path} (perf-data) ${what}`);
  }

  /** Reads the header; returns the records behind it. */
  #open(): RecordStream {
    const magic = this.#source.readAt(0, MAGIC).slice();
    const text = new TextDecoder().decode(magic);
    if (text !== "PERFILE2" && text !== "2ELIFREP")
      this.#refuse("does not begin as a perf.data of version 2 does");
    this.#big = text === "2ELIFREP";
    const c = new Cursor(this.#source, this.#big, MAGIC);
    const size = c.u64();
    if (size === PIPE_HEADER) return this.#stream(PIPE_HEADER, this.#source.size);
    if (size < FILE_HEADER)
      this.#refuse(`claims a header of ${size} bytes; expected 16 (pipe) or 104 and more`);
    const attrSize = c.u64();
    const attrsAt = c.u64();
    const attrsSize = c.u64();
    const dataAt = c.u64();
    const dataSize = c.u64();
    c.skip(16);
    const features = c.bytes(FEATURE_BITS / 8);
    this.#readAttrs(attrSize, attrsAt, attrsSize);
    if (dataAt >= this.#source.size) this.#refuse("ends before its data");
    if (dataSize === 0) {
      // perf writes the size, and the features behind the data, when it ends.
      this.#sink.problems.add(RECORDING_CUT, 0, "perf record did not finish: the header gives no size");
      return this.#stream(dataAt, this.#source.size);
    }
    this.#readFeatures(features, dataAt + dataSize);
    if (dataAt + dataSize > this.#source.size) {
      this.#sink.problems.add(RECORDING_CUT, 0, "the file ends inside its data");
    }
    return this.#stream(dataAt, dataAt + dataSize);
  }

  #stream(at: number, limit: number): RecordStream {
    const newBlock = (length: number): Block =>
      this.#rounds === null ? new Block(new Uint8Array(length)) : this.#rounds.newBlock(length);
    return new RecordStream(this.#source, at, limit, this.#big, newBlock);
  }

  /** Each entry is an attribute and where its ids lie. */
  #readAttrs(entry: number, at: number, size: number): void {
    if (entry < MIN_ATTR + 16 || entry > MAX_ATTR) this.#refuse(`claims attributes of ${entry} bytes`);
    const count = Math.floor(size / entry);
    if (count > MAX_ATTRS) this.#refuse(`claims ${count} attributes`);
    for (let i = 0; i < count; i++) {
      const bytes = new Cursor(this.#source, this.#big, at + i * entry).bytes(entry);
      const idsAt = u64(bytes, entry - 16, this.#big);
      const idsSize = u64(bytes, entry - 8, this.#big);
      if (idsSize > 1 << 24) this.#refuse(`claims ${idsSize} bytes of ids`);
      const ids = new Cursor(this.#source, this.#big, idsAt).bytes(idsSize);
      this.#addAttr(readAttr(bytes, 0, entry - 16, this.#big), ids);
    }
  }

  #addAttr(attr: Attr, ids: Uint8Array): void {
    if (this.#attrs.attrs.length >= MAX_ATTRS) return;
    if (attr.isOverwritten && !this.#attrs.attrs.some(({ isOverwritten }) => isOverwritten))
      this.#sink.bufferStarted(NONE, 0);
    this.#attrs.add(attr, ids, this.#big);
    if (attr.clock !== "") this.#sink.clock = attr.clock;
  }

  /** One <8> offset, <8> size for every bit that is set, in order. */
  #readFeatures(mask: Uint8Array, at: number): void {
    const c = new Cursor(this.#source, this.#big, at);
    try {
      for (let bit = 0; bit < FEATURE_BITS; bit++) {
        if (!this.#hasBit(mask, bit)) continue;
        const from = c.u64();
        const size = c.u64();
        if (!this.#wantsFeature(bit)) continue;
        this.#feature(bit, new Cursor(this.#source, this.#big, from).bytes(Math.min(size, MAX_TRACING_DATA)));
      }
    } catch (error) {
      if (!(error instanceof EndOfData)) throw error;
      this.#sink.problems.add(RECORDING_CUT, 0, "the header's features cannot be read");
    }
  }

  /** The mask is written as 64-bit words. */
  #hasBit(mask: Uint8Array, bit: number): boolean {
    const byte = this.#big ? (bit & ~63) / 8 + 7 - ((bit & 63) >> 3) : bit >> 3;
    return (mask[byte]! & (1 << (bit & 7))) !== 0;
  }

  #wantsFeature(bit: number): boolean {
    return bit === FEATURE.tracingData || bit === FEATURE.osRelease || bit === FEATURE.nrCpus;
  }

  #feature(id: number, bytes: Uint8Array): void {
    if (id === FEATURE.tracingData) this.#tracingData(bytes);
    else if (id === FEATURE.osRelease) this.#sink.kernel = readFeatureText(bytes, this.#big);
    else if (id === FEATURE.nrCpus && bytes.length >= 8) this.#sink.declareCpus(u32(bytes, 4, this.#big));
  }

  #tracingData(bytes: Uint8Array): void {
    const { formats, kallsyms } = readTracingData(bytes);
    if (kallsyms.length > 0) this.#symbols = new Symbols(kallsyms);
    for (const text of formats) this.#recordDecoder().addFormat(text);
  }

  #recordDecoder(): RecordDecoder {
    this.#decoder ??= new RecordDecoder({
      sink: this.#sink,
      big: this.#big,
      probes: this.#options.probes,
      commOf: (tid) => this.#tasks.names.of(tid),
      symbols: () => this.#symbols,
      taskFromRecord: false,
    });
    return this.#decoder;
  }

  /** One record as it lies in the file or came out of a compressed one; `stream` is null for the latter. */
  #record(block: Block, start: number, end: number, type: number, stream: RecordStream | null): void {
    this.#counted.records++;
    if (type < FIRST_OF_PERF) {
      this.#timed(block, start, end, type);
      return;
    }
    const { bytes } = block;
    switch (type) {
      case PERF_RECORD.finishedRound:
        this.#queue.finishRound();
        return;
      case PERF_RECORD.compressed:
        this.#compressed(bytes.subarray(start + RECORD_HEADER, end));
        return;
      case PERF_RECORD.compressed2: {
        // The data's size, the data, and zeros up to a multiple of 8.
        const from = start + RECORD_HEADER + 8;
        const size = from <= end ? u64(bytes, from - 8, this.#big) : 0;
        this.#compressed(bytes.subarray(from, Math.min(end, from + size)));
        return;
      }
      case PERF_RECORD.headerAttr:
        this.#pipeAttr(bytes, start + RECORD_HEADER, end);
        return;
      case PERF_RECORD.headerTracingData:
        if (stream !== null) this.#pipeData(() => this.#tracingData(stream.trailing));
        return;
      case PERF_RECORD.headerFeature:
        if (end - start >= RECORD_HEADER + 8) {
          const id = u64(bytes, start + RECORD_HEADER, this.#big);
          this.#pipeData(() => this.#feature(id, bytes.slice(start + RECORD_HEADER + 8, end)));
        }
        return;
      default:
        this.#count(nameOfRecord(type));
    }
  }

  #pipeData(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof EndOfData)) throw error;
      this.#sink.problems.add(RECORDING_CUT, 0, "a header record ends too early");
    }
  }

  /** HEADER_ATTR: the attribute, as long as its own size says, then its ids. */
  #pipeAttr(bytes: Uint8Array, at: number, end: number): void {
    const size = end - at >= MIN_ATTR ? u32(bytes, at + 4, this.#big) : 0;
    if (size < MIN_ATTR || at + size > end) {
      this.#sink.problems.add(RECORDING_CUT, 0, "an attribute record ends too early");
      return;
    }
    this.#addAttr(readAttr(bytes, at, size, this.#big), bytes.slice(at + size, end));
  }

  #compressed(piece: Uint8Array): void {
    const pieces = this.#pieces;
    let bytes: Uint8Array;
    try {
      bytes = pieces.decode(piece);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      // The stream is lost from here on: every further piece counts.
      this.#sink.problems.add(PERF_COMPRESSION, this.#counted.samples, error.message);
      if (!pieces.isBroken) this.#sink.lost(NONE, -1, this.#counted.samples);
      pieces.isBroken = true;
      return;
    }
    const rounds = this.#rounds;
    if (rounds === null || bytes.length < RECORD_HEADER) {
      const block = new Block(bytes);
      const read = (at: number, end: number, type: number): number => {
        this.#record(block, at, end, type, null);
        return end;
      };
      pieces.keep(this.#inner(bytes, read));
    } else pieces.keep(rounds.beside(bytes, (read) => this.#inner(bytes, read)));
  }

  /** The records of a decoded piece, `read` from one of the kernel's on; returns the beginning of the one its end cuts. */
  #inner(bytes: Uint8Array, read: (at: number, end: number, type: number) => number): Uint8Array {
    let at = 0;
    while (at + RECORD_HEADER <= bytes.length) {
      const size = bytes[at + (this.#big ? 7 : 6)]! | (bytes[at + (this.#big ? 6 : 7)]! << 8);
      if (size < RECORD_HEADER) {
        this.#sink.problems.add(PERF_COMPRESSION, this.#counted.samples, `a record claims ${size} bytes`);
        this.#sink.lost(NONE, -1, this.#counted.samples);
        return new Uint8Array(0);
      }
      if (at + size > bytes.length) break;
      const type = u32(bytes, at, this.#big);
      // perf compresses what the kernel wrote: a record of its own in there would be a lie.
      if (type < FIRST_OF_PERF) at = read(at, at + size, type);
      else {
        this.#count(nameOfRecord(type));
        at += size;
      }
    }
    return bytes.slice(at);
  }

  /** A record of the kernel: into the queue with its time, or at once when it has none. */
  #timed(block: Block, start: number, end: number, type: number): void {
    const head = this.#head;
    if (!this.#readHead(block, start, end, type)) {
      this.#stray();
      return;
    }
    if ((head.high | head.low) === 0 || (head.high & head.low) === -1) this.#ordered(block, start, end);
    else this.#queue.add(block, start, end, head.high, head.low);
  }

  #stray(): void {
    this.#sink.problems.add(PERF_NO_EVENT, this.#counted.samples, `record ${this.records}`);
  }

  #readHead(block: Block, start: number, end: number, type: number): boolean {
    const body = start + RECORD_HEADER;
    if (type === RECORD.sample) return this.#head.readSample(block.view, body, end, this.#attrs, this.#big);
    this.#head.readTrailer(block.view, body, end, this.#attrs, this.#big);
    return true;
  }

  /** A record whose turn has come. */
  #ordered(block: Block, start: number, end: number): void {
    const { bytes, view } = block;
    const type = view.getUint32(start, !this.#big);
    const record = this.#head;
    if (!this.#readHead(block, start, end, type)) return;
    if (type === RECORD.sample) this.#counted.samples++;
    this.#time.set(record.high, record.low);
    const head = this.#sink.head;
    head.hi = this.#time.hi;
    head.lo = this.#time.lo;
    head.cpu = record.cpu;
    head.tid = record.tid;
    head.tgid = record.pid;
    head.line = this.#counted.samples;
    head.ctx = 0;
    if (type === RECORD.sample) this.#sample(record, block);
    else if (type === RECORD.lost || type === RECORD.lostSamples) this.#lost(bytes, start, end, type);
    else if (type === RECORD.throttle) this.#throttle(bytes, start, end);
    else if (!this.#tasks.read(record, bytes, start, end, this.#big, this.#recorded))
      this.#count(nameOfRecord(type));
  }

  /** Names of the tracepoints that were armed: a task record stands in only for those that were not. */
  readonly #recorded = (name: string): boolean => {
    this.#armed ??= new Set(
      this.#attrs.attrs
        .filter((attr) => attr.type === TYPE_TRACEPOINT)
        .map((attr) => this.#recordDecoder().nameOf(attr.config)),
    );
    return this.#armed.has(name);
  };
  #armed: Set<string> | null = null;

  /**
   * The attributes are the events that were on; on every task, once the idle task has a sample: perf record without -a attaches to
   * tasks, of which that cannot be one (perf_event_open(2): pid 0 is the caller).
   */
  #declareArmed(): void {
    this.#counted.isDeclared = true;
    const ids = this.#attrs.attrs.filter(isRawTracepoint).map(({ config }) => config);
    this.#recordDecoder().declareArmed(ids);
  }

  #sample(record: RecordHead, block: Block): void {
    const { attr } = record;
    if (attr === null) return;
    if (!isRawTracepoint(attr)) {
      this.#count(`sample of ${TYPE_NAMES[attr.type] ?? `type ${attr.type}`}`);
      this.#tasks.begin();
      return;
    }
    if ((attr.sampleType & SAMPLE.time) === 0) {
      this.#count("tracepoint without a time");
      return;
    }
    const { rawStart, rawEnd } = record;
    (this.#decoder ?? this.#recordDecoder()).decode(block.bytes, block.view, rawStart, rawEnd);
    this.#rounds?.teach(block, rawStart, rawEnd);
    if (record.tid === 0 && !this.#counted.isDeclared && this.#sink.events > 0) this.#declareArmed();
  }

  /** LOST: <8> id, <8> lost. LOST_SAMPLES: <8> lost. */
  #lost(bytes: Uint8Array, start: number, end: number, type: number): void {
    const at = start + RECORD_HEADER + (type === RECORD.lost ? 8 : 0);
    const count = at + 8 <= end ? u64(bytes, at, this.#big) : -1;
    this.#sink.lost(this.#head.cpu, count, this.#counted.samples);
    this.#sink.problems.add(
      PERF_LOST,
      this.#counted.samples,
      `${nameOfRecord(type)} cpu ${this.#head.cpu} lost ${count}`,
    );
  }

  /** THROTTLE: <8> time, <8> id, <8> stream id. The event is off until UNTHROTTLE; only a tracepoint's absence matters. */
  #throttle(bytes: Uint8Array, start: number, end: number): void {
    const at = start + RECORD_HEADER + 8;
    const attr = at + 8 <= end ? this.#attrs.ofId(viewOf(bytes), at, this.#big) : undefined;
    this.#count(nameOfRecord(RECORD.throttle));
    if (attr?.type !== TYPE_TRACEPOINT) return;
    this.#sink.lost(this.#head.cpu, -1, this.#counted.samples);
    this.#sink.problems.add(PERF_THROTTLED, this.#counted.samples, `cpu ${this.#head.cpu}`);
  }

  #count(name: string): void {
    if (this.#counts.has(name) || this.#counts.size < 512)
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

const TYPE_NAMES: readonly string[] = [
  "hardware",
  "software",
  "tracepoint",
  "cache",
  "raw PMU",
  "breakpoint",
];
