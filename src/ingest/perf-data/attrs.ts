// perf_event_attr and what it says of the records of its event: include/uapi/linux/perf_event.h (6.12). Attributes of
// newer kernels are longer; the fields used here lie at their beginning.
import { high32, i32, low32, u32, u64 } from "../words.ts";

/** PERF_TYPE_TRACEPOINT: config is the tracepoint's id. */
export const TYPE_TRACEPOINT = 2;
/** PERF_ATTR_SIZE_VER0: no attribute is shorter. */
export const MIN_ATTR = 64;
const MAX_IDS = 1 << 20;

/** PERF_SAMPLE_* bits of sample_type that come before RAW in a record, or in the trailer of other records. */
export const SAMPLE = {
  ip: 0x1,
  tid: 0x2,
  time: 0x4,
  addr: 0x8,
  read: 0x10,
  callchain: 0x20,
  id: 0x40,
  cpu: 0x80,
  period: 0x100,
  streamId: 0x200,
  raw: 0x400,
  identifier: 0x10000,
} as const;

/** PERF_FORMAT_* bits of read_format. */
export const READ = { enabled: 1, running: 2, id: 4, group: 8, lost: 16 } as const;

const FLAG_SAMPLE_ID_ALL = 18;
const FLAG_USE_CLOCKID = 25;

/** clockid_t, include/uapi/linux/time.h, by ftrace's name of the same clock where it has one. */
const CLOCKS: ReadonlyMap<number, string> = new Map([
  [0, "realtime"],
  [1, "mono"],
  [4, "mono_raw"],
  [7, "boot"],
  [11, "tai"],
]);

export interface Attr {
  readonly type: number;
  /** Low 32 bits: a tracepoint's id. */
  readonly config: number;
  readonly sampleType: number;
  readonly readFormat: number;
  readonly hasSampleId: boolean;
  /** "" when the attribute names none. */
  readonly clock: string;
}

/** Reads the attribute at `at`; at least MIN_ATTR bytes follow. `length` is how many belong to it. */
export function readAttr(bytes: Uint8Array, at: number, length: number, big: boolean): Attr {
  const flag = (bit: number): boolean => {
    const mask = big ? 0x80 >> (bit & 7) : 1 << (bit & 7);
    return (bytes[at + 40 + (bit >> 3)]! & mask) !== 0;
  };
  const clockId = length >= 96 && flag(FLAG_USE_CLOCKID) ? i32(bytes, at + 92, big) : -1;
  return {
    type: u32(bytes, at, big),
    config: low32(bytes, at + 8, big),
    sampleType: low32(bytes, at + 24, big),
    readFormat: low32(bytes, at + 32, big),
    hasSampleId: flag(FLAG_SAMPLE_ID_ALL),
    clock: clockId < 0 ? "" : (CLOCKS.get(clockId) ?? `clockid ${clockId}`),
  };
}

/** The events of a recording, found by the id in their records. */
export class AttrTable {
  readonly attrs: Attr[] = [];
  readonly #byId = new Map<number, Attr>();

  /** `ids` holds 64-bit ids one behind the other. */
  add(attr: Attr, ids: Uint8Array, big: boolean): void {
    this.attrs.push(attr);
    for (let at = 0; at + 8 <= ids.length && this.#byId.size < MAX_IDS; at += 8) {
      this.#byId.set(u64(ids, at, big), attr);
    }
  }

  /** The event of an id; the only one there is when the id is 0 or unknown, else null. */
  find(bytes: Uint8Array, at: number, big: boolean): Attr | null {
    const found = this.#byId.get(u64(bytes, at, big));
    if (found !== undefined) return found;
    return this.attrs.length === 1 ? this.attrs[0]! : null;
  }

  ofId(id: number): Attr | undefined {
    return this.#byId.get(id);
  }
}

/** Bytes that a record's read values take (PERF_SAMPLE_READ) at `at`; NaN when they cannot be. */
export function readValuesLength(
  bytes: Uint8Array,
  at: number,
  end: number,
  format: number,
  big: boolean,
): number {
  const times = ((format & READ.enabled) !== 0 ? 8 : 0) + ((format & READ.running) !== 0 ? 8 : 0);
  const each = 8 + ((format & READ.id) !== 0 ? 8 : 0) + ((format & READ.lost) !== 0 ? 8 : 0);
  if ((format & READ.group) === 0) return times + each;
  if (at + 8 > end || high32(bytes, at, big) !== 0) return Number.NaN;
  return 8 + times + low32(bytes, at, big) * each;
}
