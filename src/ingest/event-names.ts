// Event names <-> small integers, and where a name ends. A trace has a few dozen names: the one a line is likely to have
// is guessed from four of its bytes and compared as a whole, so that a known name is read once and not hashed.
import { ByteInterner } from "../base/interner.ts";
import { COLON, LPAREN, SPACE, skipSpaces, startsWith } from "./numbers.ts";

/** Names told apart; names are the input's, memory must not follow them. */
export const MAX_NAMES = 8192;
/** Results of EventNames.read that are no id. */
export const UNNAMED = -1;
export const TOO_MANY = -2;

const GUESSES = 256;
/** The last of the bytes a guess rests on. */
const GUESS_REACH = 10;

/** All event names of one trace. Ids are dense, from 0. */
export class EventNames {
  /** Where the name read last ends: at its colon, or where an unnamed line's first word ends. */
  end = 0;
  /** Where the body of the event read last begins. */
  body = 0;
  readonly #ids = new ByteInterner();
  /** "sched_switch:", by id. */
  readonly #printed: Uint8Array[] = [];
  readonly #guesses: Int16Array = new Int16Array(GUESSES).fill(-1);

  get size(): number {
    return this.#printed.length;
  }

  text(id: number): string {
    return this.#ids.text(id);
  }

  /**
   * Reads "sched_switch: " at `at`. UNNAMED when what stands there does not end in a colon, TOO_MANY for a new name
   * once MAX_NAMES are known.
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (at + GUESS_REACH >= end) return this.#look(bytes, at, end);
    const key =
      (bytes[at]! + bytes[at + 2]! * 5 + bytes[at + 5]! * 7 + bytes[at + GUESS_REACH]! * 11) % GUESSES;
    const guess = this.#guesses[key]!;
    if (guess >= 0) {
      const printed = this.#printed[guess]!;
      const stop = at + printed.length;
      if (startsWith(bytes, at, end, printed) && (stop === end || bytes[stop] === SPACE)) {
        this.end = stop - 1;
        this.body = skipSpaces(bytes, stop, end);
        return guess;
      }
    }
    const id = this.#look(bytes, at, end);
    if (id >= 0) this.#guesses[key] = id;
    return id;
  }

  #look(bytes: Uint8Array, from: number, end: number): number {
    const at = nameEnd(bytes, from, end);
    this.end = at;
    if (at === end || bytes[at] !== COLON) return UNNAMED;
    this.body = skipSpaces(bytes, at + 1, end);
    if (this.size >= MAX_NAMES) {
      const known = this.#ids.find(bytes, from, at);
      return known < 0 ? TOO_MANY : known;
    }
    const id = this.#ids.intern(bytes, from, at);
    if (id === this.size) this.#printed.push(bytes.slice(from, at + 1));
    return id;
  }
}

/** Index of the ":" that ends a name (a blank or the line's end follows), of the first " " or "(", or `end`. */
function nameEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const c = bytes[at]!;
    if (c === SPACE || c === LPAREN) return at;
    if (c === COLON && (at + 1 >= end || bytes[at + 1] === SPACE)) return at;
  }
  return end;
}
