// Tables in Arrow IPC files that other programs wrote: one record batch, flat columns, cells read by row through small
// windows of the file. No checksum protects such a file, so nothing in it is believed: apache-arrow's accessors of the
// flatbuffers are used without its decoder, whose loops run as long as a damaged length says.
import { DictionaryBatch } from "apache-arrow/fb/dictionary-batch";
import { Endianness } from "apache-arrow/fb/endianness";
import type { Field } from "apache-arrow/fb/field";
import { FloatingPoint } from "apache-arrow/fb/floating-point";
import { Footer } from "apache-arrow/fb/footer";
import { Int } from "apache-arrow/fb/int";
import { Message } from "apache-arrow/fb/message";
import { MessageHeader } from "apache-arrow/fb/message-header";
import { Precision } from "apache-arrow/fb/precision";
import { RecordBatch } from "apache-arrow/fb/record-batch";
import { Type } from "apache-arrow/fb/type";
import { ByteBuffer } from "flatbuffers";
import { corrupt, decoding, MAGIC, type RandomAccess } from "./arrow-ipc.ts";
import { ByteWindow } from "./byte-window.ts";

const HEAD_BYTES = 8;
const TAIL_BYTES = 10;
const PREFIX_BYTES = 8;
/** Bytes a flatbuffer may have; a schema of a thousand columns has a tenth. */
const MAX_FLATBUFFER: number = 1 << 24;
const MAX_COLUMNS = 4096;

/** What a column's cells are; `text`: utf8 by int32 keys of a dictionary. */
export type StoredType = "i32" | "u32" | "i64" | "f64" | "text";

const WIDTHS: Readonly<Record<StoredType, 4 | 8>> = { i32: 4, u32: 4, i64: 8, f64: 8, text: 4 };

/** A range of bytes in the file. */
interface Region {
  readonly at: number;
  readonly length: number;
}

/** A message of the file: its flatbuffer's head, and where its body lies. */
interface StoredMessage {
  readonly message: Message;
  readonly body: Region;
}

/** The texts of one dictionary, by key. */
export class StoredTexts {
  /** Number of keys. */
  readonly size: number;
  /** Where find() found the text: bytes[start, end). Valid until the next find(). */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #offsets: ByteWindow | null;
  readonly #data: ByteWindow | null;

  constructor(size: number, offsets: ByteWindow | null, data: ByteWindow | null) {
    this.size = size;
    this.#offsets = offsets;
    this.#data = data;
  }

  /** Finds a key's text, of which the first `most` bytes are taken. False when there is no such key or its place is damaged. */
  find(key: number, most: number): boolean {
    if (!(key >= 0 && key < this.size) || this.#offsets === null || this.#data === null) return false;
    const from = this.#offsets.int32(key * 4);
    const to = this.#offsets.int32(key * 4 + 4);
    if (from < 0 || to < from || to > this.#data.length) return false;
    const length = Math.min(most, to - from);
    this.bytes = this.#data.range(from, length);
    this.start = this.#data.rangeStart;
    this.end = this.start + length;
    return true;
  }
}

/** One column; rows are counted from 0 and not checked. */
export class StoredColumn {
  readonly type: StoredType;
  /** The texts its cells are keys of; empty for numbers. */
  readonly texts: StoredTexts;
  readonly #values: ByteWindow;
  /** Null when no cell is null. */
  readonly #validity: ByteWindow | null;

  constructor(type: StoredType, values: ByteWindow, validity: ByteWindow | null, texts: StoredTexts) {
    this.type = type;
    this.#values = values;
    this.#validity = validity;
    this.texts = texts;
  }

  isNull(row: number): boolean {
    if (this.#validity === null) return false;
    return ((this.#validity.byte(Math.floor(row / 8)) >> (row & 7)) & 1) === 0;
  }

  /** The low 32 bits of a cell as int32; of text its key. */
  low(row: number): number {
    return this.#values.int32(row * WIDTHS[this.type]);
  }

  /** The high 32 bits of a cell as int32; of a narrower one what its sign extends to. */
  high(row: number): number {
    if (this.type === "i64" || this.type === "f64") return this.#values.int32(row * 8 + 4);
    return this.type === "i32" && this.low(row) < 0 ? -1 : 0;
  }

  /** An integer cell as a number, exact within 2^53. */
  number(row: number): number {
    return this.high(row) * 4294967296 + (this.low(row) >>> 0);
  }

  /** A text cell, at most `most` bytes of it; null for null and for a key the dictionary does not have. */
  text(row: number, most = 4096): string | null {
    if (this.type !== "text" || this.isNull(row) || !this.texts.find(this.low(row), most)) return null;
    const { bytes, start, end } = this.texts;
    return new TextDecoder().decode(bytes.subarray(start, end));
  }
}

/** A table of a file. */
export interface StoredTable {
  readonly rows: number;
  /** The column of that name, when it is of one of `types`; null otherwise. */
  column(name: string, ...types: readonly StoredType[]): StoredColumn | null;
}

/**
 * Opens an Arrow IPC file of one record batch (or none) with flat columns. Bytes of `source` are copied before the next
 * are read. Throws InputError `table/corrupt` for anything else, and later for cells that cannot be read.
 */
export function openStoredTable(source: RandomAccess): StoredTable {
  return decoding(() => readTable(source));
}

function readTable(source: RandomAccess): StoredTable {
  const footer = readFooter(source);
  const schema = footer.schema();
  if (schema === null) throw corrupt("no schema in the footer");
  if (schema.endianness() !== Endianness.Little) throw corrupt("its numbers are big-endian");
  const fields = schema.fieldsLength();
  const batches = footer.recordBatchesLength();
  if (fields > MAX_COLUMNS) throw corrupt(`a schema of ${fields} columns`);
  if (batches !== 0 && batches !== 1) throw corrupt(`${batches} record batches; expected one`);
  const block = footer.recordBatches(0);
  if (batches === 0 || block === null) return { rows: 0, column: () => null };
  const { message, body } = readMessage(source, block.offset(), block.metaDataLength(), block.bodyLength());
  const batch = message.header(new RecordBatch()) as RecordBatch | null;
  if (message.headerType() !== MessageHeader.RecordBatch || batch === null)
    throw corrupt("a record batch block holds another message");
  const rows = countOf(batch.length());
  const places = placesOf(footer, fields);
  const opened = new Map<string, StoredColumn | null>();
  return {
    rows,
    column: (name, ...types) => {
      const place = places.get(name);
      if (place === undefined || !types.includes(place.type)) return null;
      const known = opened.get(name);
      if (known !== undefined) return known;
      const column = decoding(() => openColumn(source, footer, batch, body, place, rows));
      opened.set(name, column);
      return column;
    },
  };
}

function readFooter(source: RandomAccess): Footer {
  const { size } = source;
  const tail = size < HEAD_BYTES + TAIL_BYTES ? null : source.readAt(size - TAIL_BYTES, TAIL_BYTES).slice();
  if (tail === null || tail.length < TAIL_BYTES || new TextDecoder().decode(tail.subarray(4)) !== MAGIC)
    throw corrupt("it has no Arrow footer; it was cut short or is no Arrow file");
  const length = new DataView(tail.buffer).getInt32(0, true);
  const start = size - TAIL_BYTES - length;
  if (length <= 0 || length > MAX_FLATBUFFER || start < HEAD_BYTES)
    throw corrupt(`footer length ${length} of a file of ${size} bytes`);
  return Footer.getRootAsFooter(new ByteBuffer(source.readAt(start, length).slice()));
}

function readMessage(source: RandomAccess, at: bigint, head: number, length: bigint): StoredMessage {
  const offset = Number(at);
  const bodyLength = Number(length);
  const isInside =
    offset >= HEAD_BYTES &&
    bodyLength >= 0 &&
    head > PREFIX_BYTES &&
    offset + head + bodyLength <= source.size;
  if (!isInside || head > MAX_FLATBUFFER) throw corrupt(`block at ${offset} reaches outside the file`);
  const bytes = source.readAt(offset + PREFIX_BYTES, head - PREFIX_BYTES).slice();
  const message = Message.getRootAsMessage(new ByteBuffer(bytes));
  return { message, body: { at: offset + head, length: bodyLength } };
}

function countOf(value: bigint): number {
  const count = Number(value);
  if (!(count >= 0 && count <= 0xffffffff)) throw corrupt(`a length of ${value}`);
  return count;
}

/** A column by its place in the schema. */
interface Place {
  readonly name: string;
  readonly type: StoredType;
  readonly node: number;
  /** The first of its buffers, its validity; its values follow. */
  readonly buffer: number;
  readonly dictionary: bigint;
}

/** The columns that can be read, by name; of two with the same name the first. */
function placesOf(footer: Footer, fields: number): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const schema = footer.schema();
  let buffer = 0;
  for (let node = 0; node < fields; node++) {
    const field = schema?.fields(node) ?? null;
    if (field === null) throw corrupt(`column ${node} has no description`);
    if (field.childrenLength() > 0) throw corrupt(`column ${node} is nested`);
    const name = field.name() ?? "";
    const type = typeOf(field);
    const dictionary = field.dictionary()?.id() ?? -1n;
    if (type !== null && !places.has(name)) places.set(name, { name, type, node, buffer, dictionary });
    buffer += isTextWithout(field) ? 3 : 2;
  }
  return places;
}

/** Text that stands in the batch itself has offsets and bytes. */
function isTextWithout(field: Field): boolean {
  return field.dictionary() === null && (field.typeType() === Type.Utf8 || field.typeType() === Type.Binary);
}

function typeOf(field: Field): StoredType | null {
  const dictionary = field.dictionary();
  if (dictionary !== null) {
    const index = dictionary.indexType();
    // An absent index type is int32 (Schema.fbs, DictionaryEncoding).
    const isInt32 = index === null || (index.bitWidth() === 32 && index.isSigned());
    return isInt32 && field.typeType() === Type.Utf8 ? "text" : null;
  }
  if (field.typeType() === Type.Int) {
    const int = field.type(new Int()) as Int | null;
    if (int?.bitWidth() === 64) return "i64";
    if (int?.bitWidth() === 32) return int.isSigned() ? "i32" : "u32";
  }
  if (field.typeType() === Type.FloatingPoint) {
    const float = field.type(new FloatingPoint()) as FloatingPoint | null;
    return float?.precision() === Precision.DOUBLE ? "f64" : null;
  }
  return null;
}

function openColumn(
  source: RandomAccess,
  footer: Footer,
  batch: RecordBatch,
  body: Region,
  { name, type, node, buffer, dictionary }: Place,
  rows: number,
): StoredColumn {
  const counts = node < batch.nodesLength() ? batch.nodes(node) : null;
  if (counts === null || countOf(counts.length()) !== rows)
    throw corrupt(`column ${name} has not ${rows} rows`);
  if (batch.compression() !== null) throw corrupt("its buffers are compressed");
  const values = bufferOf(source, batch, body, buffer + 1, rows * WIDTHS[type], name);
  const validity =
    counts.nullCount() === 0n ? null : bufferOf(source, batch, body, buffer, Math.ceil(rows / 8), name);
  const texts = type === "text" ? openTexts(source, footer, dictionary) : new StoredTexts(0, null, null);
  return new StoredColumn(type, values, validity, texts);
}

/** A buffer of a batch, which holds at least `least` bytes. */
function bufferOf(
  source: RandomAccess,
  batch: RecordBatch,
  body: Region,
  index: number,
  least: number,
  of: string,
): ByteWindow {
  const buffer = index < batch.buffersLength() ? batch.buffers(index) : null;
  const offset = Number(buffer?.offset() ?? -1n);
  const length = Number(buffer?.length() ?? -1n);
  if (!(offset >= 0 && length >= least && offset + length <= body.length))
    throw corrupt(`a buffer of ${of} lies outside its batch or is shorter than ${least} bytes`);
  return new ByteWindow(source, body.at + offset, length);
}

function openTexts(source: RandomAccess, footer: Footer, id: bigint): StoredTexts {
  const count = footer.dictionariesLength();
  if (count > MAX_COLUMNS) throw corrupt(`${count} dictionaries`);
  for (let i = 0; i < count; i++) {
    const block = footer.dictionaries(i);
    if (block === null) continue;
    const { message, body } = readMessage(source, block.offset(), block.metaDataLength(), block.bodyLength());
    if (message.headerType() !== MessageHeader.DictionaryBatch)
      throw corrupt("a dictionary block holds another message");
    const header = message.header(new DictionaryBatch()) as DictionaryBatch | null;
    const data = header?.id() === id ? header.data() : null;
    if (data === null) continue;
    const size = countOf(data.length());
    if (size === 0) break;
    const of = `dictionary ${id}`;
    const offsets = bufferOf(source, data, body, 1, (size + 1) * 4, of);
    return new StoredTexts(size, offsets, bufferOf(source, data, body, 2, 0, of));
  }
  return new StoredTexts(0, null, null);
}
