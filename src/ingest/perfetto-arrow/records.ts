// An event's arguments as a record of the kernel, with a description like those of events/SYSTEM/EVENT/format: what
// ../tracepoints decodes. Every event name gets a layout from the arguments its first row has; numbers are eight bytes
// there, texts lie behind the fields.
import type { RecordDecoder } from "../tracepoints/decoder.ts";
import { STOCK_RECORDS } from "../tracepoints/stock-events.ts";
import type { ArgSets } from "./args.ts";

/** Formats the decoder can hold: an id is 16 bits. */
const MAX_FORMATS = 65535;
const FIELDS_AT = 8;
const RECORD_BYTES = 65000;
const PROBE_IP = "__probe_ip";
const PROBE_FUNC = "__probe_func";
/**
 * The event of probes that Perfetto makes itself (protos/perfetto/trace/ftrace/generic.proto, KprobeEvent): they name a
 * function and record no argument.
 */
export const OWN_PROBE = "kprobe_event";
const OWN_BEGIN = 1;
const OWN_END = 2;
const OWN_INSTANT = 3;

/** One field of a layout. */
interface Slot {
  readonly name: string;
  readonly isText: boolean;
  readonly offset: number;
}

/** The records of one event name. */
export interface Layout {
  readonly id: number;
  readonly name: string;
  /** Its records make rows; of others the name is counted. */
  readonly isWanted: boolean;
  /** A probe of Perfetto's own: place() makes its records, fill() those of the others. */
  readonly isOwn: boolean;
  readonly slots: readonly Slot[];
  /** Bytes of the fields. */
  readonly size: number;
  /** By an argument's number: its key in the row before, and the field it went to (-1: none). */
  readonly keys: number[];
  readonly places: number[];
}

/** Makes records; one a recording. */
export class EventRecords {
  /** The record made last: its first `length` bytes. */
  readonly bytes: Uint8Array = new Uint8Array(RECORD_BYTES);
  length = 0;
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #args: ArgSets;
  readonly #decoder: RecordDecoder;
  readonly #own = new Map<string, Layout>();
  #formats = 0;
  /** Fields of the record being made that have a value. */
  readonly #filled: Uint8Array = new Uint8Array(256);

  constructor(args: ArgSets, decoder: RecordDecoder) {
    this.#args = args;
    this.#decoder = decoder;
  }

  /**
   * The layout of an event whose arguments are selected (none, when `hasArgs` is false). Null when it cannot be told from this
   * row: it lacks the arguments that would tell.
   */
  layoutOf(name: string, hasArgs: boolean): Layout | null {
    const stock = STOCK_RECORDS.get(name);
    if (stock !== undefined) return this.#declare(name, this.#stockSlots(stock.fields), true);
    if (!hasArgs) return null;
    const names = this.#names();
    const isProbe = names.includes(PROBE_IP) || names.includes(PROBE_FUNC);
    return this.#declare(name, isProbe ? this.#allSlots() : [], isProbe);
  }

  /** The layout of the probe that a kprobe_event, whose arguments are selected, is of; null when it names none. */
  ownProbe(): Layout | null {
    const names = this.#names();
    const nameAt = names.indexOf("name");
    const typeAt = names.indexOf("type");
    if (nameAt < 0 || typeAt < 0 || !this.#args.isInt(typeAt)) return null;
    const type = this.#args.low(typeAt);
    const key = `${this.#args.textKey(nameAt)} ${type}`;
    const known = this.#own.get(key);
    if (known !== undefined) return known;
    if ((type !== OWN_BEGIN && type !== OWN_END && type !== OWN_INSTANT) || !this.#args.text(nameAt))
      return null;
    const { bytes, start, end } = this.#args;
    const func = new TextDecoder().decode(bytes.subarray(start, end));
    if (!/^[A-Za-z_][\w.$]*$/.test(func)) return null;
    const place: Slot = {
      name: type === OWN_END ? PROBE_FUNC : PROBE_IP,
      isText: false,
      offset: FIELDS_AT,
    };
    const layout = this.#declare(func, [place], true, func);
    if (layout !== null) this.#own.set(key, layout);
    return layout;
  }

  /** Makes the record of an event no row is made of. */
  bare({ id }: Layout): void {
    this.view.setUint16(0, id, true);
    this.length = 2;
  }

  /** As fill(), for a probe of Perfetto's own: its only field is an address that was not recorded. */
  place({ id, size }: Layout): void {
    this.bytes.fill(0, 0, size);
    this.view.setUint16(0, id, true);
    this.length = size;
  }

  /** Makes the record of the selected arguments. False when one is missing or of another type than the layout's. */
  fill(layout: Layout): boolean {
    const { id, slots, size } = layout;
    this.view.setUint16(0, id, true);
    this.length = size;
    this.#filled.fill(0, 0, slots.length);
    let missing = slots.length;
    for (let i = 0; i < this.#args.count; i++) {
      const at = this.#slotOf(layout, i);
      if (at < 0) continue;
      if (!this.#put(slots[at]!, i)) return false;
      if (this.#filled[at] === 0) missing--;
      this.#filled[at] = 1;
    }
    return missing === 0;
  }

  /** Index of argument i's field, -1 when it has none. */
  #slotOf({ keys, places, slots }: Layout, i: number): number {
    const key = this.#args.key(i);
    if (keys[i] === key) return places[i]!;
    const name = this.#args.name(key);
    const at = slots.findIndex((slot) => slot.name === name);
    keys[i] = key;
    places[i] = at;
    return at;
  }

  /** Writes argument i into its field. */
  #put({ isText, offset }: Slot, i: number): boolean {
    const args = this.#args;
    if (!isText) {
      if (!args.isInt(i)) return false;
      this.view.setInt32(offset, args.low(i), true);
      this.view.setInt32(offset + 4, args.high(i), true);
      return true;
    }
    if (args.isInt(i) || !args.text(i)) return false;
    const length = args.end - args.start;
    if (this.length + length > RECORD_BYTES) return false;
    this.bytes.set(args.bytes.subarray(args.start, args.end), this.length);
    // __data_loc: offset | length << 16, include/trace/stages/ (6.1)
    this.view.setUint32(offset, this.length | (length << 16), true);
    this.length += length;
    return true;
  }

  #names(): readonly string[] {
    return Array.from({ length: this.#args.count }, (_, i) => this.#args.name(this.#args.key(i)));
  }

  /** The fields a stock event needs, and those of its optional ones that this row has. */
  #stockSlots(fields: readonly string[]): readonly Slot[] {
    const names = this.#names();
    const wanted = fields
      .filter((field) => !field.endsWith("?") || names.includes(field.slice(0, -1)))
      .map((field) => (field.endsWith("?") ? field.slice(0, -1) : field));
    return slotsOf(wanted.map((name) => ({ name, isText: name === "buf" || name.endsWith("comm") })));
  }

  #allSlots(): readonly Slot[] {
    const args = this.#args;
    const list = this.#names().map((name, i) => ({ name, isText: !args.isInt(i) }));
    return slotsOf(list.filter(({ name }) => /^[A-Za-z_]\w*$/.test(name)));
  }

  #declare(name: string, slots: readonly Slot[], isWanted: boolean, func?: string): Layout | null {
    if (this.#formats === MAX_FORMATS) return null;
    const id = ++this.#formats;
    const fields = slots.map(({ name: field, isText, offset }) =>
      isText
        ? `\tfield:__data_loc char[] ${field};\toffset:${offset};\tsize:4;\tsigned:1;\n`
        : `\tfield:s64 ${field};\toffset:${offset};\tsize:8;\tsigned:1;\n`,
    );
    const shown = name.replace(/[^\w.:$-]/g, "_").slice(0, 128);
    const bytes = new TextEncoder().encode(
      `name: ${shown === "" ? "_" : shown}\nID: ${id}\nformat:\n${fields.join("")}`,
    );
    this.#decoder.addFormat({
      bytes,
      start: 0,
      end: bytes.length,
      system: "",
      ...(func === undefined ? {} : { func }),
    });
    return {
      id,
      name,
      isWanted,
      isOwn: func !== undefined,
      slots,
      size: FIELDS_AT + 8 * slots.length,
      keys: [],
      places: [],
    };
  }
}

function slotsOf(list: readonly { readonly name: string; readonly isText: boolean }[]): readonly Slot[] {
  return list.map(({ name, isText }, i) => ({ name, isText, offset: FIELDS_AT + 8 * i }));
}
