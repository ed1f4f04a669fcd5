// What the readers of text printed line by line have in common: the scanner beside line(), and reading a part of a trace
// apart from the rest (part.ts): from the state its beginning left, with a tally that is added up in the trace's order.
import type { ProbeInfo } from "../table/event-batch.ts";
import type { EventHead } from "./event-head.ts";
import { EventDecoder, type EventsState, type EventsTally } from "./events.ts";
import { type KernelFormat, type KernelScanned, type SeenStamps, theKernel } from "./kernel.ts";
import { handLine } from "./lines.ts";
import { LF } from "./numbers.ts";
import type { ReturnOrder } from "./probe-place.ts";
import { countLongLine, type FormatReader, type ReaderOptions } from "./reader.ts";
import { type Cursor, type ScannedFormat, scanPlain } from "./scan.ts";
import type { Sink } from "./sink.ts";

/**
 * Bytes given to the kernel at a time. Where it stops the TypeScript reads the rest of them, so that a text full of
 * lines it stops at is not copied to it again and again.
 */
const KERNEL_BYTES = 1 << 20;
/** Less than this is read before the kernel would have been told what the trace's beginning has taught. */
const MIN_KERNEL_BYTES = 32 << 10;

/** What plain lines of a trace are read with. Can be sent to another thread. */
export interface ReaderState {
  readonly events: EventsState;
  /** Flag column of hardirq/softirq; -1 to go by their number. */
  readonly irqColumn: number;
}

/** What plain lines of a part come to. */
export interface ReaderTally {
  readonly events: EventsTally;
  readonly matched: number;
  /** Stamps of the first and the last line: seconds and ns; -1 where the format does not watch them. */
  readonly first: readonly [number, number];
  readonly last: readonly [number, number];
  /** Lines whose stamp is below the one before. */
  readonly stepsBack: number;
}

export abstract class ScannedReader implements FormatReader, KernelScanned {
  unmatched = 0;
  matched = 0;
  abstract readonly readHead: ScannedFormat["readHead"];
  protected abstract readonly kernelFormat: KernelFormat;
  protected readonly sink: Sink;
  protected readonly decoder: EventDecoder;

  constructor({ sink, probes, state }: ReaderOptions, order: ReturnOrder) {
    this.sink = sink;
    this.decoder = new EventDecoder(sink, order, probes, state?.events);
  }

  abstract line(bytes: Uint8Array, start: number, end: number, lineNo: number): void;
  abstract complete(head: EventHead): boolean;

  count(_head: EventHead): void {
    this.matched++;
  }

  countMany(lines: number, _stamps: SeenStamps): void {
    this.matched += lines;
  }

  lines(bytes: Uint8Array, from: number, to: number, lineNo: number): number {
    const cursor = { at: from, line: lineNo };
    while (cursor.at < to) {
      const isLast = to - cursor.at <= KERNEL_BYTES;
      const next = isLast ? to : bytes.lastIndexOf(LF, cursor.at + KERNEL_BYTES - 1) + 1;
      const end = next > cursor.at ? next : to;
      if (end - cursor.at >= MIN_KERNEL_BYTES) this.readByKernel(bytes, cursor, end);
      this.#readOn(bytes, cursor, end);
    }
    return cursor.line;
  }

  #readOn(bytes: Uint8Array, cursor: Cursor, to: number): void {
    for (;;) {
      this.readPlain(bytes, cursor, to);
      if (cursor.at === to) return;
      cursor.at = handLine(this, bytes, cursor.at, ++cursor.line);
    }
  }

  /** Whether the next line has to be read by line(), plain as it may be. */
  get isWaiting(): boolean {
    return false;
  }

  /** As readPlain, by the kernel; nothing is read when it cannot. */
  readByKernel(bytes: Uint8Array, cursor: Cursor, to: number): void {
    const { sink, decoder, kernelFormat: name, irqColumn } = this;
    if (this.isWaiting || !sink.canSkim()) return;
    theKernel().scan({ sink, decoder, format: this, name, irqColumn }, bytes, cursor, to);
  }

  /** As scanPlain. */
  readPlain(bytes: Uint8Array, cursor: Cursor, to: number): void {
    if (this.isWaiting) return;
    scanPlain(this.sink, this.decoder, this, bytes, cursor, to);
  }

  longLine(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    this.unmatched++;
    countLongLine(this.sink, bytes, start, end, lineNo);
  }

  end(): void {}

  skipped(): Record<string, number> {
    return this.decoder.skipped();
  }

  probes(): ProbeInfo[] {
    return this.decoder.probes.list();
  }

  /** As ReaderState.irqColumn. */
  get irqColumn(): number {
    return -1;
  }

  state(): ReaderState {
    return { events: this.decoder.state(), irqColumn: this.irqColumn };
  }

  tally(): ReaderTally {
    const none = [-1, 0] as const;
    return { events: this.decoder.tally(), matched: this.matched, first: none, last: none, stepsBack: 0 };
  }

  /** Adds what was read apart. */
  absorb(tally: ReaderTally): void {
    this.matched += tally.matched;
    this.decoder.absorb(tally.events);
  }
}
