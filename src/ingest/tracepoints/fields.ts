// Values of a record's fields, read where the event's format says. Used by the stock events and the probes.
import { nulAt } from "../words.ts";
import type { Field } from "./event-format.ts";

/** A record being read: bytes[start, end) in the recording's byte order. */
export interface RecordBytes {
  bytes: Uint8Array;
  /** Of the same bytes: a number is one load, not four. */
  view: DataView;
  start: number;
  end: number;
  big: boolean;
}

/** Low 32 bits of a number field as int32; narrower ones are extended as their sign says. The field lies in the record. */
export function intOf(r: RecordBytes, field: Field): number {
  const at = r.start + field.offset;
  switch (field.size) {
    case 4:
      return r.view.getInt32(at, !r.big);
    case 1:
      return field.isSigned ? r.view.getInt8(at) : r.view.getUint8(at);
    case 2:
      return field.isSigned ? r.view.getInt16(at, !r.big) : r.view.getUint16(at, !r.big);
    default:
      return r.view.getInt32(r.big ? at + 4 : at, !r.big);
  }
}

/** High 32 bits of a number field as int32: of an 8-byte field its own, of a narrower one what its sign extends to. */
export function highOf(r: RecordBytes, field: Field): number {
  if (field.size === 8) return r.view.getInt32(r.start + field.offset + (r.big ? 0 : 4), !r.big);
  return field.isSigned && intOf(r, field) < 0 ? -1 : 0;
}

/** Where textOf found the text read last: bytes[textStart, textEnd). */
export interface TextRange {
  textStart: number;
  textEnd: number;
}

/**
 * Finds a char[n], __data_loc or __rel_loc field's text, without its NUL. False when it lies outside the record.
 * A __data_loc word is offset | length << 16 from the record's start, a __rel_loc word from the field's end
 * (include/trace/stages/, 6.1).
 */
export function findText(r: RecordBytes, field: Field, range: TextRange): boolean {
  const at = r.start + field.offset;
  let from = at;
  let length = field.size;
  if (field.shape === "data-loc" || field.shape === "rel-loc") {
    const word = r.view.getUint32(at, !r.big);
    from = (field.shape === "data-loc" ? r.start : at + 4) + (word & 0xffff);
    length = word >>> 16;
  } else if (length === 0) {
    length = r.end - from;
  }
  if (from + length > r.end) return false;
  range.textStart = from;
  range.textEnd = nulAt(r.bytes, from, from + length);
  return true;
}
