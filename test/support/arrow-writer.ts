// Arrow files as Perfetto's trace_processor writes them (v58, core/dataframe/arrow_serializer.cc and arrow_internal.h):
// dictionaries first, one record batch, buffers at multiples of 64, an end marker in front of the footer. Built with the
// flatbuffers of apache-arrow and none of forkcast's own code.
import { Block } from "apache-arrow/fb/block";
import { Buffer as FbBuffer } from "apache-arrow/fb/buffer";
import { DictionaryBatch } from "apache-arrow/fb/dictionary-batch";
import { DictionaryEncoding } from "apache-arrow/fb/dictionary-encoding";
import { Field } from "apache-arrow/fb/field";
import { FieldNode } from "apache-arrow/fb/field-node";
import { FloatingPoint } from "apache-arrow/fb/floating-point";
import { Footer } from "apache-arrow/fb/footer";
import { Int } from "apache-arrow/fb/int";
import { Message } from "apache-arrow/fb/message";
import { MessageHeader } from "apache-arrow/fb/message-header";
import { MetadataVersion } from "apache-arrow/fb/metadata-version";
import { Precision } from "apache-arrow/fb/precision";
import { RecordBatch } from "apache-arrow/fb/record-batch";
import { Schema } from "apache-arrow/fb/schema";
import { Type } from "apache-arrow/fb/type";
import { Utf8 } from "apache-arrow/fb/utf8";
import { Builder } from "flatbuffers";

export type Cell = number | bigint | string | null;

export interface Column {
  readonly name: string;
  readonly type: "u32" | "i32" | "i64" | "f64" | "text";
  readonly nullable?: boolean;
  readonly values: readonly Cell[];
  /** Keys instead of those that follow from `values`: a damaged file. */
  readonly keys?: readonly number[];
}

const ALIGNMENT = 64;
const MAGIC = new TextEncoder().encode("ARROW1");

interface Body {
  readonly rows: number;
  readonly nodes: readonly (readonly [number, number])[];
  readonly buffers: readonly Uint8Array[];
}

function align(n: number, to = ALIGNMENT): number {
  return Math.ceil(n / to) * to;
}

/** One table as a file. */
export function writeArrow(columns: readonly Column[]): Uint8Array {
  const rows = columns[0]?.values.length ?? 0;
  const texts = columns.filter(({ type }) => type === "text");
  const dictionaries = texts.map(({ values }) => [...new Set(values.filter((v) => v !== null).map(String))]);
  const out: Uint8Array[] = [padded(MAGIC, 8)];
  const size = (): number => out.reduce((sum, part) => sum + part.length, 0);
  const schema = new Builder();
  schema.finish(messageOf(schema, MessageHeader.Schema, schemaOf(schema, columns), 0));
  out.push(messageBytes(schema.asUint8Array(), 16));
  const blocks: [number, number, number][] = [];
  const emit = (b: Builder, body: Body): void => {
    const head = messageBytes(b.asUint8Array(), 8);
    const bytes = bodyBytes(body);
    blocks.push([size(), head.length, bytes.length]);
    out.push(head, bytes);
  };
  for (const [id, values] of dictionaries.entries()) {
    const body = textBody(values);
    const b = new Builder();
    const data = batchOf(b, body);
    DictionaryBatch.startDictionaryBatch(b);
    DictionaryBatch.addId(b, BigInt(id));
    DictionaryBatch.addData(b, data);
    const header = DictionaryBatch.endDictionaryBatch(b);
    b.finish(messageOf(b, MessageHeader.DictionaryBatch, header, bodyBytes(body).length));
    emit(b, body);
  }
  const body = columnsBody(columns, rows, (column) => dictionaries[texts.indexOf(column)] ?? []);
  const b = new Builder();
  b.finish(messageOf(b, MessageHeader.RecordBatch, batchOf(b, body), bodyBytes(body).length));
  emit(b, body);
  const footer = footerOf(columns, blocks);
  const tail = new Uint8Array(8 + footer.length + 4 + MAGIC.length);
  const view = new DataView(tail.buffer);
  view.setInt32(0, -1, true);
  tail.set(footer, 8);
  view.setInt32(8 + footer.length, footer.length, true);
  tail.set(MAGIC, 12 + footer.length);
  out.push(tail);
  return joined(out);
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes);
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Prefix and flatbuffer; with the `leading` bytes before its flatbuffer the body behind it is aligned. */
function messageBytes(flatbuffer: Uint8Array, leading: number): Uint8Array {
  const length = align(flatbuffer.length + leading) - leading;
  const out = new Uint8Array(8 + length);
  const view = new DataView(out.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, length, true);
  out.set(flatbuffer, 8);
  return out;
}

function messageOf(b: Builder, type: MessageHeader, header: number, bodyLength: number): number {
  return Message.createMessage(b, MetadataVersion.V5, type, header, BigInt(bodyLength), 0);
}

function schemaOf(b: Builder, columns: readonly Column[]): number {
  let dictionary = 0;
  const fields = columns.map((column) => fieldOf(b, column, column.type === "text" ? dictionary++ : -1));
  const vector = Schema.createFieldsVector(b, fields);
  Schema.startSchema(b);
  Schema.addFields(b, vector);
  return Schema.endSchema(b);
}

function fieldOf(b: Builder, { name, type, nullable = false }: Column, dictionary: number): number {
  let encoding = 0;
  let inner: number;
  if (type === "text") {
    const index = Int.createInt(b, 32, true);
    DictionaryEncoding.startDictionaryEncoding(b);
    DictionaryEncoding.addId(b, BigInt(dictionary));
    DictionaryEncoding.addIndexType(b, index);
    encoding = DictionaryEncoding.endDictionaryEncoding(b);
    Utf8.startUtf8(b);
    inner = Utf8.endUtf8(b);
  } else if (type === "f64") inner = FloatingPoint.createFloatingPoint(b, Precision.DOUBLE);
  else inner = Int.createInt(b, type === "i64" ? 64 : 32, type !== "u32");
  const text = b.createString(name);
  Field.startField(b);
  Field.addName(b, text);
  Field.addNullable(b, nullable);
  Field.addTypeType(b, type === "text" ? Type.Utf8 : type === "f64" ? Type.FloatingPoint : Type.Int);
  Field.addType(b, inner);
  if (encoding !== 0) Field.addDictionary(b, encoding);
  return Field.endField(b);
}

function batchOf(b: Builder, { rows, nodes, buffers }: Body): number {
  let at = buffers.reduce((sum, { length }) => sum + align(length), 0);
  RecordBatch.startBuffersVector(b, buffers.length);
  for (const { length } of [...buffers].reverse()) {
    at -= align(length);
    FbBuffer.createBuffer(b, BigInt(at), BigInt(length));
  }
  const bufferVector = b.endVector();
  RecordBatch.startNodesVector(b, nodes.length);
  for (const [length, nulls] of [...nodes].reverse())
    FieldNode.createFieldNode(b, BigInt(length), BigInt(nulls));
  const nodeVector = b.endVector();
  RecordBatch.startRecordBatch(b);
  RecordBatch.addLength(b, BigInt(rows));
  RecordBatch.addNodes(b, nodeVector);
  RecordBatch.addBuffers(b, bufferVector);
  return RecordBatch.endRecordBatch(b);
}

function footerOf(
  columns: readonly Column[],
  blocks: readonly (readonly [number, number, number])[],
): Uint8Array {
  const b = new Builder();
  const schema = schemaOf(b, columns);
  const vector = (list: typeof blocks, start: (b: Builder, count: number) => void): number => {
    start(b, list.length);
    for (const [at, head, body] of [...list].reverse()) Block.createBlock(b, BigInt(at), head, BigInt(body));
    return b.endVector();
  };
  const batches = vector(blocks.slice(-1), Footer.startRecordBatchesVector);
  const dictionaries = vector(blocks.slice(0, -1), Footer.startDictionariesVector);
  Footer.startFooter(b);
  Footer.addVersion(b, MetadataVersion.V5);
  Footer.addSchema(b, schema);
  Footer.addDictionaries(b, dictionaries);
  Footer.addRecordBatches(b, batches);
  b.finish(Footer.endFooter(b));
  return b.asUint8Array();
}

function bodyBytes({ buffers }: Body): Uint8Array {
  return joined(buffers.map((buffer) => padded(buffer, align(buffer.length))));
}

function textBody(values: readonly string[]): Body {
  const pieces = values.map((value) => new TextEncoder().encode(value));
  const offsets = new Int32Array(values.length + 1);
  for (const [i, piece] of pieces.entries()) offsets[i + 1] = offsets[i]! + piece.length;
  return {
    rows: values.length,
    nodes: [[values.length, 0]],
    buffers: [new Uint8Array(0), new Uint8Array(offsets.buffer), joined(pieces)],
  };
}

function columnsBody(
  columns: readonly Column[],
  rows: number,
  dictionaryOf: (column: Column) => readonly string[],
): Body {
  const nodes: [number, number][] = [];
  const buffers: Uint8Array[] = [];
  for (const column of columns) {
    const { values, nullable = false } = column;
    nodes.push([rows, nullable ? values.filter((value) => value === null).length : 0]);
    const bits = new Uint8Array(nullable ? Math.ceil(rows / 8) : 0);
    if (nullable)
      for (const [row, value] of values.entries()) if (value !== null) bits[row >> 3]! |= 1 << (row & 7);
    buffers.push(bits, cellBytes(column, dictionaryOf(column)));
  }
  return { rows, nodes, buffers };
}

function cellBytes({ type, values, keys }: Column, dictionary: readonly string[]): Uint8Array {
  if (type === "text") {
    const places = new Map(dictionary.map((text, key) => [text, key]));
    return new Uint8Array(
      Int32Array.from(keys ?? values.map((value) => (value === null ? 0 : (places.get(String(value)) ?? 0))))
        .buffer,
    );
  }
  if (type === "i64")
    return new Uint8Array(
      BigInt64Array.from(values.map((value) => BigInt.asIntN(64, BigInt(value ?? 0)))).buffer,
    );
  if (type === "f64")
    return new Uint8Array(Float64Array.from(values.map((value) => Number(value ?? 0))).buffer);
  return new Uint8Array(Uint32Array.from(values.map((value) => Number(value ?? 0) >>> 0)).buffer);
}
