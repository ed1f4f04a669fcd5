// Places in a kernel's memory for blocks of records that wait, and for tables. A block's place is free when nobody waits in it;
// the memory grows when none is large enough.
import type { KernelRows } from "../kernel-rows.ts";
import { viewOf } from "../words.ts";
import { Block } from "./rounds.ts";

/** The kernel looks this far behind a record. */
const MARGIN = 64;
const ALIGN = 16;

/** Bytes [at, at + size) of the memory, `room` of them taken. */
interface Place {
  readonly at: number;
  readonly room: number;
  isPinned: boolean;
  block: KernelBlock | null;
}

/** A block of the kernel's memory. */
export class KernelBlock extends Block {
  readonly at: number;
  #length: number;

  constructor(at: number, bytes: Uint8Array) {
    super(bytes);
    this.at = at;
    this.#length = bytes.length;
  }

  override cut(length: number): void {
    this.#length = length;
    super.cut(length);
  }

  /** The memory is another array, the place in it the same. */
  moveTo(memory: Uint8Array): void {
    this.bytes = memory.subarray(this.at, this.at + this.#length);
    this.view = viewOf(this.bytes);
  }
}

export class KernelBlocks {
  readonly #rows: KernelRows;
  /** Addresses that records wait at. */
  readonly #waitedIn: () => ReadonlySet<number>;
  readonly #places: Place[] = [];
  #end: number;

  constructor(rows: KernelRows, heap: number, waitedIn: () => ReadonlySet<number>) {
    this.#rows = rows;
    this.#end = heap;
    this.#waitedIn = waitedIn;
  }

  /** A new block of `length` bytes, whose place is its own until release() when nobody waits in it. */
  block(length: number): KernelBlock {
    const place = this.#place(length);
    const block = new KernelBlock(place.at, this.#rows.bytes.subarray(place.at, place.at + length));
    place.block = block;
    return block;
  }

  /** The block is not read on; its place is free as soon as nobody waits in it. */
  release(block: KernelBlock): void {
    const place = this.#places.find(({ at }) => at === block.at);
    if (place !== undefined && place.block === block) place.block = null;
  }

  /** Address of `length` bytes that stay taken until unpin(). */
  pin(length: number): number {
    const place = this.#place(length);
    place.isPinned = true;
    return place.at;
  }

  unpin(at: number): void {
    const place = this.#places.find((candidate) => candidate.at === at);
    if (place !== undefined) place.isPinned = false;
  }

  #place(length: number): Place {
    const waitedIn = this.#waitedIn();
    const isFree = ({ at, isPinned, block }: Place): boolean =>
      !isPinned && block === null && !waitedIn.has(at);
    const best = this.#places
      .filter((place) => place.room >= length && isFree(place))
      .sort((a, b) => a.room - b.room)[0];
    if (best !== undefined) return best;
    // Places at the end that were too small make room for it.
    for (let last = this.#places.at(-1); last !== undefined && isFree(last); last = this.#places.at(-1)) {
      this.#places.pop();
      this.#end = last.at;
    }
    const room = Math.ceil(length / ALIGN) * ALIGN;
    const place: Place = { at: this.#end, room, isPinned: false, block: null };
    this.#end += room;
    this.#places.push(place);
    if (this.#rows.makeRoom(this.#end + MARGIN)) {
      for (const { block } of this.#places) block?.moveTo(this.#rows.bytes);
    }
    return place;
  }
}
