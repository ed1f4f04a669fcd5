// Arrow IPC *file* framing over flat buffers: magic, schema, messages, footer. Knows no forkcast schema; arrow.ts
// feeds and reads it. Buffers go straight from typed arrays to the file and back: no Vector, no row proxies.
// Dictionaries may be written after the record batches that use them: in the file format readers find both through
// the footer ("no requirement that dictionary keys should be defined in a DictionaryBatch before they are used in a
// RecordBatch, as long as the keys are defined somewhere in the file", Arrow columnar format, IPC file format).
import { MetadataVersion } from "apache-arrow/enum";
import { FileBlock, Footer } from "apache-arrow/ipc/metadata/file";
import {
  BufferRegion,
  DictionaryBatch,
  FieldNode,
  Message,
  RecordBatch,
} from "apache-arrow/ipc/metadata/message";
import { Schema } from "apache-arrow/schema";
import { assert } from "../base/assert.ts";
import { InputError } from "../base/errors.ts";

export const MAGIC = "ARROW1";
/** Magic plus two bytes of padding: where the first message starts. */
const HEAD_BYTES = 8;
/** Footer length (int32) plus magic. */
const TAIL_BYTES = 10;
/** Between the end marker and the footer: the footer's CRC. Readers find the footer from the end, so it is skipped. */
const CHECK_BYTES = 4;
/** Footer metadata: CRC of every message's flatbuffer, hexadecimal, batches first, then dictionaries. */
const CHECK_KEY = "forkcast.message_crc32";
/** Continuation marker plus metadata length, before each message's flatbuffer. */
const PREFIX_BYTES = 8;

/** Length and null count of one array of a batch, in depth-first order. */
export interface ArrayNode {
  readonly length: number;
  readonly nullCount: number;
}

/** What one record batch is made of: nodes and buffers of all columns in depth-first order. */
export interface BatchParts {
  readonly length: number;
  readonly nodes: readonly ArrayNode[];
  readonly buffers: readonly Uint8Array[];
}

/** A batch of a file whose buffers are read when asked for. */
export interface StoredBatch {
  readonly length: number;
  readonly nodes: readonly ArrayNode[];
  /** `bytes`: of its beginning; the whole when absent. */
  buffer(index: number, bytes?: number): Uint8Array;
}

/** Bytes that can be read at any offset. `readAt` hands over the bytes: the reader may keep and change them. */
export interface RandomAccess {
  readonly size: number;
  readAt(offset: number, length: number): Uint8Array;
}

/** The last bytes of a file, from offset `at` on. */
export interface FileTail {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Bytes of any typed array. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Takes the next bytes of a file, in pieces that are valid during the call: a batch's are its columns as they stand. */
export type WritePieces = (pieces: readonly Uint8Array[]) => void;

/** Where a file goes, front to back: to a function that may keep the bytes, or as it stands. */
export type FileOutput = ((bytes: Uint8Array) => void) | { readonly pieces: WritePieces };

function piecesTo(output: FileOutput): WritePieces {
  if (typeof output !== "function") return output.pieces;
  return (pieces) => {
    for (const piece of pieces) if (piece.length > 0) output(piece.slice());
  };
}

/** Nothing, and up to seven bytes of padding. */
const PADDING: readonly Uint8Array[] = Array.from({ length: 8 }, (_, length) => new Uint8Array(length));

/** Writes one file front to back. */
export class IpcFileWriter {
  readonly #write: WritePieces;
  readonly #schema: Schema;
  readonly #batches: FileBlock[] = [];
  readonly #dictionaries: FileBlock[] = [];
  readonly #batchChecks: string[] = [];
  readonly #dictionaryChecks: string[] = [];
  #position = 0;
  /** Where the end marker stands; -1 before finish(). */
  #tailAt = -1;

  constructor(schema: Schema, output: FileOutput) {
    this.#schema = schema;
    this.#write = piecesTo(output);
    const head = new Uint8Array(HEAD_BYTES);
    head.set(new TextEncoder().encode(MAGIC));
    this.#emit([head]);
    this.#message(Message.from(schema), [], 0, []);
  }

  batch(parts: BatchParts): void {
    const { header, bodyLength } = recordBatch(parts);
    const message = Message.from(header, bodyLength);
    this.#batches.push(this.#message(message, parts.buffers, bodyLength, this.#batchChecks));
  }

  /** Writes the whole dictionary `id`; once per id. Unpaired surrogates become U+FFFD. */
  dictionary(id: number, values: readonly string[]): void {
    const parts = utf8Parts(values);
    const { header, bodyLength } = recordBatch(parts);
    const message = Message.from(new DictionaryBatch(header, id, false), bodyLength);
    this.#dictionaries.push(this.#message(message, parts.buffers, bodyLength, this.#dictionaryChecks));
  }

  /** Writes the end marker and the footer, whose schema carries `metadata`. */
  finish(metadata: ReadonlyMap<string, string>): void {
    this.#tailAt = this.#position;
    this.#emit([this.#tail(metadata)]);
  }

  /** What finish() would have written for other metadata, and the offset it goes to. The file ends with it. */
  otherTail(metadata: ReadonlyMap<string, string>): FileTail {
    assert(this.#tailAt >= 0, "the file has been finished");
    return { at: this.#tailAt, bytes: this.#tail(metadata) };
  }

  #tail(metadata: ReadonlyMap<string, string>): Uint8Array {
    const checks = [...this.#batchChecks, ...this.#dictionaryChecks].join(" ");
    const schema = new Schema(this.#schema.fields, new Map([...metadata, [CHECK_KEY, checks]]));
    const footer = Footer.encode(new Footer(schema, MetadataVersion.V5, this.#batches, this.#dictionaries));
    const start = PREFIX_BYTES + CHECK_BYTES;
    const tail = new Uint8Array(start + footer.length + TAIL_BYTES);
    const view = new DataView(tail.buffer);
    view.setInt32(0, -1, true);
    view.setUint32(PREFIX_BYTES, crc32(footer), true);
    tail.set(footer, start);
    view.setInt32(start + footer.length, footer.length, true);
    tail.set(new TextEncoder().encode(MAGIC), start + footer.length + 4);
    return tail;
  }

  #message(
    message: Message,
    buffers: readonly Uint8Array[],
    bodyLength: number,
    checks: string[],
  ): FileBlock {
    const flatbuffer = Message.encode(message);
    const metadataLength = align8(PREFIX_BYTES + flatbuffer.length);
    const head = new Uint8Array(metadataLength);
    const view = new DataView(head.buffer);
    view.setInt32(0, -1, true);
    view.setInt32(4, metadataLength - PREFIX_BYTES, true);
    head.set(flatbuffer, PREFIX_BYTES);
    // Not put together: a copy of every batch was an eighth of the main thread's time for 1 GB of rows, and its pages as much again.
    const pieces: Uint8Array[] = [head];
    for (const buffer of buffers) {
      if (buffer.length === 0) continue;
      pieces.push(buffer);
      const padding = align8(buffer.length) - buffer.length;
      if (padding > 0) pieces.push(PADDING[padding]!);
    }
    checks.push(crc32(head.subarray(PREFIX_BYTES)).toString(16));
    const block = new FileBlock(metadataLength, bodyLength, this.#position);
    this.#emit(pieces);
    return block;
  }

  #emit(pieces: readonly Uint8Array[]): void {
    for (const { length } of pieces) this.#position += length;
    this.#write(pieces);
  }
}

/** Nodes and buffers of a utf8 array without nulls. */
function utf8Parts(values: readonly string[]): BatchParts {
  const encoder = new TextEncoder();
  const offsets = new Int32Array(values.length + 1);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const [i, value] of values.entries()) {
    const piece = encoder.encode(value);
    pieces.push(piece);
    length += piece.length;
    offsets[i + 1] = length;
  }
  const bytes = new Uint8Array(length);
  for (const [i, piece] of pieces.entries()) bytes.set(piece, offsets[i]);
  return {
    length: values.length,
    nodes: [{ length: values.length, nullCount: 0 }],
    buffers: [new Uint8Array(0), bytesOf(offsets), bytes],
  };
}

function recordBatch(parts: BatchParts): { header: RecordBatch; bodyLength: number } {
  let bodyLength = 0;
  const regions = parts.buffers.map((buffer) => {
    const region = new BufferRegion(bodyLength, buffer.length);
    bodyLength += align8(buffer.length);
    return region;
  });
  const nodes = parts.nodes.map((node) => new FieldNode(node.length, node.nullCount));
  return { header: new RecordBatch(parts.length, nodes, regions, null), bodyLength };
}

function align8(n: number): number {
  return Math.ceil(n / 8) * 8;
}

/** A file opened by its footer. Batches and dictionaries are read when asked for, never kept. */
export interface IpcFile {
  readonly schema: Schema;
  readonly batchCount: number;
  batch(index: number): BatchParts;
  /** What batch `index` is made of; its buffers are read one by one, when asked for. */
  stored(index: number): StoredBatch;
  /** Values of dictionary `id`; empty when the file has none of that id. Delta batches are appended. */
  dictionary(id: number): string[];
}

/**
 * Opens an Arrow IPC file that IpcFileWriter wrote. Throws InputError `table/not-arrow` when it is none, `table/corrupt` when its footer
 * or a message is damaged, `table/compressed` for compressed bodies (we write none).
 */
export function openIpcFile(source: RandomAccess): IpcFile {
  const footer = readFooter(source);
  const checks = footer.schema.metadata.get(CHECK_KEY)?.split(" ") ?? [];
  const dictionaryChecks = checks.slice(footer.numRecordBatches);
  return {
    schema: footer.schema,
    batchCount: footer.numRecordBatches,
    batch: (index) => decoding(() => readBatch(source, footer.getRecordBatch(index), checks[index])),
    stored: (index) => decoding(() => storedBatch(source, footer.getRecordBatch(index), checks[index])),
    dictionary: (id) => decoding(() => readDictionary(source, footer, dictionaryChecks, id)),
  };
}

function readFooter(source: RandomAccess): Footer {
  const tail =
    source.size < HEAD_BYTES + TAIL_BYTES ? null : source.readAt(source.size - TAIL_BYTES, TAIL_BYTES);
  if (tail === null || new TextDecoder().decode(tail.subarray(4)) !== MAGIC) {
    throw new InputError("table/not-arrow", "not an Arrow IPC file, or one that was not written to its end");
  }
  const length = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true);
  const start = source.size - TAIL_BYTES - length;
  if (length <= 0 || start - CHECK_BYTES < HEAD_BYTES) {
    throw corrupt(`footer length ${length} of a file of ${source.size} bytes`);
  }
  const bytes = source.readAt(start - CHECK_BYTES, CHECK_BYTES + length);
  const expected = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const footer = bytes.subarray(CHECK_BYTES);
  if (crc32(footer) !== expected) throw corrupt("the footer's checksum is wrong");
  return decoding(() => Footer.decode(footer));
}

function readBatch(source: RandomAccess, block: FileBlock | null, check: string | undefined): BatchParts {
  const { message, body } = readMessage(source, block, check);
  return batchParts(batchHeader(message), body);
}

function batchHeader(message: Message): RecordBatch {
  if (!message.isRecordBatch()) throw corrupt("a record batch block holds another message");
  return message.header() as RecordBatch;
}

function storedBatch(source: RandomAccess, block: FileBlock | null, check: string | undefined): StoredBatch {
  const { message, bodyAt, bodyLength } = readHead(source, block, check);
  const { length, nodes, regions } = batchRegions(batchHeader(message), bodyLength);
  return {
    length,
    nodes,
    buffer: (index, bytes = Number.POSITIVE_INFINITY) => {
      const region = regions[index];
      if (region === undefined) throw corrupt("a batch has fewer buffers than its schema");
      return aligned(source.readAt(bodyAt + region.offset, Math.min(bytes, region.length)));
    },
  };
}

function readMessage(
  source: RandomAccess,
  block: FileBlock | null,
  check: string | undefined,
): { message: Message; body: Uint8Array } {
  const { message, bodyAt, bodyLength } = readHead(source, block, check);
  return { message, body: aligned(source.readAt(bodyAt, bodyLength)) };
}

/** Typed arrays need their own alignment; a pooled Buffer can start anywhere. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
}

function readHead(
  source: RandomAccess,
  block: FileBlock | null,
  check: string | undefined,
): { readonly message: Message; readonly bodyAt: number; readonly bodyLength: number } {
  if (block === null) throw corrupt("a block is missing from the footer");
  const { offset, metaDataLength, bodyLength } = block;
  if (
    offset < 0 ||
    metaDataLength < PREFIX_BYTES ||
    bodyLength < 0 ||
    offset + metaDataLength + bodyLength > source.size
  ) {
    throw corrupt(`block at ${offset} reaches outside the file`);
  }
  const metadata = source.readAt(offset, metaDataLength);
  // A flatbuffer whose vector lengths are damaged makes its decoder loop for minutes: check before decoding.
  const flatbuffer = metadata.subarray(PREFIX_BYTES);
  if (crc32(flatbuffer).toString(16) !== check)
    throw corrupt(`the checksum of the message at ${offset} is wrong`);
  return { message: Message.decode(flatbuffer), bodyAt: offset + metaDataLength, bodyLength };
}

function batchParts(header: RecordBatch, body: Uint8Array): BatchParts {
  const { length, nodes, regions } = batchRegions(header, body.length);
  const buffers = regions.map(({ offset, length: size }) => body.subarray(offset, offset + size));
  return { length, nodes, buffers };
}

/** Where in its body a batch's buffers lie. */
function batchRegions(
  header: RecordBatch,
  bodyLength: number,
): {
  readonly length: number;
  readonly nodes: readonly ArrayNode[];
  readonly regions: readonly BufferRegion[];
} {
  if (header.compression !== null) {
    throw new InputError("table/compressed", "compressed Arrow record batches are not supported");
  }
  for (const { offset, length } of header.buffers) {
    if (offset < 0 || offset % 8 !== 0 || length < 0 || offset + length > bodyLength) {
      throw corrupt(`buffer at ${offset} reaches outside its batch`);
    }
  }
  return { length: header.length, nodes: header.nodes, regions: header.buffers };
}

function readDictionary(
  source: RandomAccess,
  footer: Footer,
  checks: readonly string[],
  id: number,
): string[] {
  const decoder = new TextDecoder();
  const values: string[] = [];
  for (let i = 0; i < footer.numDictionaries; i++) {
    const { message, body } = readMessage(source, footer.getDictionaryBatch(i), checks[i]);
    if (!message.isDictionaryBatch()) throw corrupt("a dictionary block holds another message");
    const header = message.header() as DictionaryBatch;
    if (header.id !== id) continue;
    const { length, buffers } = batchParts(header.data, body);
    const offsets = typed(Int32Array, buffers[1], length === 0 ? 0 : length + 1);
    const bytes = buffers[2] ?? new Uint8Array(0);
    for (let row = 0; row < length; row++)
      values.push(decoder.decode(bytes.subarray(offsets[row], offsets[row + 1])));
  }
  return values;
}

/** What `typed` needs of Int32Array and its kin. */
export interface TypedArrayClass<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The first `length` values of a buffer as a typed array on the same bytes. */
export function typed<T>(type: TypedArrayClass<T>, buffer: Uint8Array | undefined, length: number): T {
  if (buffer === undefined || buffer.length < length * type.BYTES_PER_ELEMENT) {
    throw corrupt(`a buffer of ${buffer?.length ?? 0} bytes should hold ${length} values`);
  }
  return new type(buffer.buffer, buffer.byteOffset, length);
}

/** An InputError for a file whose parts contradict each other. */
export function corrupt(what: string): InputError {
  return new InputError("table/corrupt", `damaged Arrow file: ${what}`);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 (zlib's). Only for headers, never for bodies: node:zlib has it from Node 22 on. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Flatbuffers throws RangeError or TypeError on damaged input, some only when a field is read: the file's fault. */
export function decoding<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
}
