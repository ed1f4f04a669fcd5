// Columns that grow together a page at a time. One page is open, an array as it is; the others are packed (packed-cells.ts), and
// written where they are. For tables whose rows are mostly made, changed and read near their end.
import { assert } from "./assert.ts";
import { PackedCells } from "./packed-cells.ts";

/** Rows of a page, as a power of two. */
const PAGE_BITS = 12;
/** Room the first page begins with. */
const FIRST_ROOM = 64;

/** What the two kinds of columns have in common; `open` is the page that is open, `first` its first row. */
abstract class Paged<A extends Int32Array | Float64Array> {
  protected open: A;
  protected first = 0;
  /** It is not as it was when it was packed. */
  protected isChanged = false;
  protected readonly size: number;
  readonly #bits: number;
  readonly #make: (room: number) => A;
  readonly #packed: (PackedCells | undefined)[] = [];

  constructor(make: (room: number) => A, bits: number) {
    this.#make = make;
    this.#bits = bits;
    this.size = 1 << bits;
    this.open = make(Math.min(FIRST_ROOM, this.size));
  }

  /** Numbers there is room for in the open page. */
  get room(): number {
    return this.open.length;
  }

  /** Makes more room in it. */
  widen(): void {
    const wider = this.#make(this.open.length * 2);
    wider.set(this.open);
    this.open = wider;
  }

  /** Packs the open page, of which `used` rows are in use, and opens page `page`, which is empty if it was never open. */
  turn(used: number, page: number): void {
    const last = this.first >> this.#bits;
    if (this.isChanged || this.#packed[last]?.length !== used)
      this.#packed[last] = new PackedCells(this.open.subarray(0, used) as A);
    this.isChanged = false;
    this.first = page << this.#bits;
    const cells = this.#packed[page];
    if (cells === undefined) this.open.fill(0);
    else {
      for (let i = 0; i < cells.length; i++) this.open[i] = cells.at(i);
      this.open.fill(0, cells.length);
    }
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#packed.reduce((sum, cells) => sum + (cells?.bytes ?? 0), this.open.byteLength);
  }

  protected cold(row: number): number {
    return this.#packed[row >> this.#bits]!.at(row & (this.size - 1));
  }

  protected setCold(row: number, value: number): void {
    const page = row >> this.#bits;
    const cells = this.#packed[page]!;
    const i = row & (this.size - 1);
    if (cells.set(i, value)) return;
    const all = this.#make(cells.length);
    for (let at = 0; at < cells.length; at++) all[at] = cells.at(at);
    all[i] = value;
    this.#packed[page] = new PackedCells(all);
  }
}

/** A column of int32. */
export class PagedInts extends Paged<Int32Array> {
  constructor(bits: number) {
    super((room) => new Int32Array(room), bits);
  }

  at(row: number): number {
    const i = row - this.first;
    return i >= 0 && i < this.size ? this.open[i]! : this.cold(row);
  }

  set(row: number, value: number): void {
    const i = row - this.first;
    if (i >= 0 && i < this.size) {
      this.open[i] = value;
      this.isChanged = true;
    } else this.setCold(row, value);
  }

  add(row: number, by: number): void {
    this.set(row, this.at(row) + by);
  }

  or(row: number, bits: number): void {
    this.set(row, this.at(row) | bits);
  }
}

/** A column of float64. */
export class PagedFloats extends Paged<Float64Array> {
  constructor(bits: number) {
    super((room) => new Float64Array(room), bits);
  }

  at(row: number): number {
    const i = row - this.first;
    return i >= 0 && i < this.size ? this.open[i]! : this.cold(row);
  }

  set(row: number, value: number): void {
    const i = row - this.first;
    if (i >= 0 && i < this.size) {
      this.open[i] = value;
      this.isChanged = true;
    } else this.setCold(row, value);
  }
}

/** A table of such columns, to be extended. */
export abstract class PagedTable {
  readonly #columns: (PagedInts | PagedFloats)[] = [];
  readonly #bits: number;
  #page = 0;
  #length = 0;

  /** `bits`: rows of a page as a power of two. */
  constructor(bits: number = PAGE_BITS) {
    this.#bits = bits;
  }

  protected ints(): PagedInts {
    const column = new PagedInts(this.#bits);
    this.#columns.push(column);
    return column;
  }

  protected floats(): PagedFloats {
    const column = new PagedFloats(this.#bits);
    this.#columns.push(column);
    return column;
  }

  get length(): number {
    return this.#length;
  }

  /** A new row, 0 in every column; returns its index. */
  protected addRow(): number {
    const row = this.#length++;
    const page = row >> this.#bits;
    if (page !== this.#page) this.#turn(page, row);
    else {
      const used = row & ((1 << this.#bits) - 1);
      if (used === this.#columns[0]?.room) for (const column of this.#columns) column.widen();
    }
    return row;
  }

  /** Opens the page of `row`, for rows that are read one after the other. */
  focus(row: number): void {
    const page = row >> this.#bits;
    if (page !== this.#page) this.#turn(page, this.#length);
  }

  /** Bytes held of all columns. */
  get bytes(): number {
    return this.#columns.reduce((sum, column) => sum + column.bytes, 0);
  }

  #turn(page: number, length: number): void {
    assert(page >= 0, "no such row");
    const used = Math.min(length - (this.#page << this.#bits), 1 << this.#bits);
    for (const column of this.#columns) column.turn(used, page);
    this.#page = page;
  }
}

const SPARSE_MASK: number = (1 << PAGE_BITS) - 1;

/** Values of few rows, by row. */
export class Sparse<T> {
  readonly #none: T;
  readonly #pages: (T[] | undefined)[] = [];

  /** `none`: what the others have. */
  constructor(none: T) {
    this.#none = none;
  }

  at(row: number): T {
    const page = this.#pages[row >> PAGE_BITS];
    return page === undefined ? this.#none : (page[row & SPARSE_MASK] ?? this.#none);
  }

  set(row: number, value: T): void {
    const index = row >> PAGE_BITS;
    let page = index < this.#pages.length ? this.#pages[index] : undefined;
    if (page === undefined) {
      if (value === this.#none) return;
      page = [];
      while (this.#pages.length <= index) this.#pages.push(undefined);
      this.#pages[index] = page;
    }
    const at = row & SPARSE_MASK;
    while (page.length <= at) page.push(this.#none);
    page[at] = value;
  }
}
