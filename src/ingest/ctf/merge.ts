// Puts the events of all streams into one order: the earliest first, of equal times the first stream's. Whole runs of one
// stream's events go to the taker at once. Called by index.ts.
import { MAX_CPU } from "../limits.ts";
import type { Bodies } from "./ahead.ts";
import { EventsAhead } from "./ahead.ts";
import type { EventTaker } from "./events.ts";
import type { Stream } from "./stream.ts";

/** Events read ahead: of one stream at most, and of all together. */
const MAX_AHEAD = 4096;
const MAX_AHEAD_OF_ALL: number = 1 << 20;
const REPORT_EVENTS = 100_000;

/** A stream that is being merged. */
interface Lane {
  readonly stream: Stream;
  readonly ahead: EventsAhead;
  /** The next event of `ahead`; its count when the stream itself stands at an event. */
  next: number;
}

/** Takes all events. `onProgress` gets the bytes read so far. */
export function mergeStreams(
  streams: readonly Stream[],
  taker: EventTaker,
  bodies: Bodies,
  registers: number,
  onProgress: (read: number) => void,
): void {
  const room = Math.max(1, Math.min(MAX_AHEAD, Math.floor(MAX_AHEAD_OF_ALL / streams.length)));
  const lanes = streams.map((stream) => ({
    stream,
    ahead: new EventsAhead(room, bodies, registers),
    next: 0,
  }));
  const heap = new TimeHeap(lanes.length);
  for (const [rank, lane] of lanes.entries()) if (refill(lane)) heap.add(timeOf(lane), rank);
  let reported = 0;
  while (heap.size > 0) {
    const lane = lanes[heap.top]!;
    if (!takeRun(lane, taker, heap)) heap.drop();
    else heap.replace(timeOf(lane));
    if (taker.records - reported > REPORT_EVENTS) {
      reported = taker.records;
      onProgress(streams.reduce((sum, { read }) => sum + read, 0));
    }
  }
  taker.end();
}

/** Takes the first event of the first lane and those of it that still come first. False at the stream's end. */
function takeRun(lane: Lane, taker: EventTaker, heap: TimeHeap): boolean {
  const { ahead, stream } = lane;
  const { second } = heap;
  const until = second > 0 ? heap.timeAt(second) : Number.POSITIVE_INFINITY;
  const isBeforeEqual = second === 0 || heap.isBeforeEqual(second);
  for (;;) {
    if (lane.next < ahead.count)
      lane.next = taker.takeAhead(ahead, lane.next, stream.cpu, until, isBeforeEqual);
    else taker.take(stream);
    if (lane.next < ahead.count) return true;
    if (!refill(lane)) return false;
    const time = timeOf(lane);
    if (time > until || (time === until && !isBeforeEqual)) return true;
  }
}

/** Reads on behind the lane's last event: some events ahead, or the next one. False at the stream's end. */
function refill(lane: Lane): boolean {
  const { stream, ahead } = lane;
  lane.next = 0;
  ahead.count = 0;
  if (!stream.open()) return false;
  if (stream.cpu >= -1 && stream.cpu <= MAX_CPU && ahead.read(stream) > 0) return true;
  return stream.next();
}

function timeOf({ stream, ahead, next }: Lane): number {
  return next < ahead.count ? ahead.times[next]! : stream.walker.cycles;
}

/** Streams by the time of their next event; of equal times the lower number comes first. */
export class TimeHeap {
  size = 0;
  readonly #times: Float64Array;
  readonly #streams: Int32Array;

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity);
    this.#streams = new Int32Array(capacity);
  }

  /** The stream that comes first. */
  get top(): number {
    return this.#streams[0]!;
  }

  /** Where the stream stands that comes second; 0 without one. */
  get second(): number {
    if (this.size < 3) return this.size - 1;
    return this.#isAfter(1, this.#times[2]!, this.#streams[2]!) ? 2 : 1;
  }

  timeAt(place: number): number {
    return this.#times[place]!;
  }

  /** Whether the first stream would come before the one at `place` if their times were equal. */
  isBeforeEqual(place: number): boolean {
    return this.#streams[0]! < this.#streams[place]!;
  }

  add(time: number, stream: number): void {
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isAfter(parent, time, stream)) break;
      this.#times[at] = this.#times[parent]!;
      this.#streams[at] = this.#streams[parent]!;
      at = parent;
    }
    this.#times[at] = time;
    this.#streams[at] = stream;
  }

  /** Gives the first stream another time. */
  replace(time: number): void {
    this.#sink(time, this.#streams[0]!);
  }

  /** Leaves out the first stream. */
  drop(): void {
    const last = --this.size;
    if (last > 0) this.#sink(this.#times[last]!, this.#streams[last]!);
  }

  #isAfter(at: number, time: number, stream: number): boolean {
    const other = this.#times[at]!;
    return other > time || (other === time && this.#streams[at]! > stream);
  }

  /** Puts a stream where the first one stands, and in its place from there. */
  #sink(time: number, stream: number): void {
    const { size } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isAfter(child, this.#times[child + 1]!, this.#streams[child + 1]!))
        child++;
      if (this.#isAfter(child, time, stream)) break;
      this.#times[at] = this.#times[child]!;
      this.#streams[at] = this.#streams[child]!;
      at = child;
    }
    this.#times[at] = time;
    this.#streams[at] = stream;
  }
}

/** As mergeStreams() without anything read ahead and by looking at all streams each time: the reference it is tested against. */
export function mergeByScan(
  all: readonly Stream[],
  taker: EventTaker,
  onProgress: (read: number) => void,
): void {
  const streams = all.filter((stream) => stream.next());
  while (streams.length > 0) {
    const least = Math.min(...streams.map(({ walker }) => walker.cycles));
    const first = streams.findIndex(({ walker }) => walker.cycles === least);
    taker.take(streams[first]!);
    if (!streams[first]!.next()) streams.splice(first, 1);
  }
  onProgress(all.reduce((sum, { read }) => sum + read, 0));
}
