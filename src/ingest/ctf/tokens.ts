// TSDL text token by token (CTF 1.8.3, appendix C): identifiers, numbers, strings, punctuation; comments left out. A trace's
// metadata has some hundred kB, which is read before the first event is: no token is kept. Used by tsdl.ts.
import { InputError, quote } from "../../base/errors.ts";

/** Metadata larger than this is no metadata: LTTng writes some hundred bytes an event class. */
export const MAX_METADATA: number = 64 << 20;

const SIGNS = "{}[]<>;=:,.()";
const QUOTE = 0x22;
const SLASH = 0x2f;
const STAR = 0x2a;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** Stands at one token. */
export class Lexer {
  is: "name" | "number" | "text" | "sign" | "end" = "end";
  text = "";
  /** Where the token begins and ends, and where the one before ended. */
  from = 0;
  at = 0;
  before = 0;
  readonly source: string;
  readonly #path: string;

  /** Throws InputError at what is no token, as next() does. */
  constructor(source: string, path: string) {
    this.source = source;
    this.#path = path;
    this.next();
  }

  /** Goes on behind `at`, which is a token's end. */
  jump(at: number): void {
    this.at = at;
    this.next();
  }

  next(): void {
    const { source } = this;
    this.before = this.at;
    const from = this.#blanksEnd(this.at);
    this.from = from;
    if (from === source.length) {
      this.#set("end", from, "end of metadata");
      return;
    }
    const c = source.charCodeAt(from);
    if (isLetter(c)) this.#set("name", endOf(source, from, isWord));
    else if (isDigit(c) || c === MINUS) this.#number(from);
    else if (c === QUOTE) this.#quoted(from);
    else if (source.startsWith("...", from)) this.#set("sign", from + 3);
    else if (source.startsWith(":=", from)) this.#set("sign", from + 2);
    else if (SIGNS.includes(source.charAt(from))) this.#set("sign", from + 1);
    else this.#fail(from);
  }

  #set(is: Lexer["is"], end: number, text = this.source.slice(this.from, end)): void {
    this.is = is;
    this.text = text;
    this.at = end;
  }

  /** "0x1fUL", "-12": digits without what C says of their type. */
  #number(from: number): void {
    const { source } = this;
    const digits = source.charCodeAt(from) === MINUS ? from + 1 : from;
    const isHex =
      source.charCodeAt(digits) === ZERO &&
      (source.charCodeAt(digits + 1) | 0x20) === 0x78 &&
      isHexDigit(source.charCodeAt(digits + 2));
    const end = isHex ? endOf(source, digits + 2, isHexDigit) : endOf(source, digits, isDigit);
    if (end === digits) this.#fail(from);
    this.#set("number", endOf(source, end, isSuffix), source.slice(from, end));
  }

  #quoted(from: number): void {
    const { source } = this;
    for (let i = from + 1; i < source.length; i++) {
      const c = source.charCodeAt(i);
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) {
        this.#set("text", i + 1, unescaped(source.slice(from + 1, i)));
        return;
      }
    }
    this.#fail(from);
  }

  /** Where blanks and comments from `at` on end. */
  #blanksEnd(from: number): number {
    const { source } = this;
    for (let at = from; ; ) {
      at = endOf(source, at, isBlank);
      if (source.charCodeAt(at) !== SLASH) return at;
      const kind = source.charCodeAt(at + 1);
      const end = kind === STAR ? source.indexOf("*/", at + 2) + 2 : source.indexOf("\n", at);
      if (kind === SLASH) at = end < 0 ? source.length : end;
      else if (kind === STAR && end > 1) at = end;
      else return at;
    }
  }

  #fail(at: number): never {
    throw new InputError(
      "ctf/bad-metadata",
      `${this.#path}: line ${lineAt(this.source, at)} of its metadata: ${quote(this.source.slice(at, at + 20))} is no TSDL`,
    );
  }
}

/** 1-based. */
export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

function endOf(source: string, from: number, isOne: (c: number) => boolean): number {
  let at = from;
  while (at < source.length && isOne(source.charCodeAt(at))) at++;
  return at;
}

function isLetter(c: number): boolean {
  return ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || c === 0x5f;
}

function isDigit(c: number): boolean {
  return c >= ZERO && c <= 0x39;
}

function isWord(c: number): boolean {
  return isLetter(c) || isDigit(c);
}

function isHexDigit(c: number): boolean {
  return isDigit(c) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
}

/** u, U, l, L. */
function isSuffix(c: number): boolean {
  return (c | 0x20) === 0x75 || (c | 0x20) === 0x6c;
}

function isBlank(c: number): boolean {
  return c === 0x20 || (c >= 0x09 && c <= 0x0d);
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
}
