// TSDL text to tokens (CTF 1.8.3, appendix C): identifiers, numbers, strings, punctuation; comments left out. Used by tsdl.ts.
import { InputError, quote } from "../../base/errors.ts";

export interface Token {
  readonly is: "name" | "number" | "text" | "sign" | "end";
  readonly text: string;
  /** Where it ends in the metadata. */
  readonly at: number;
}

/**
 * One token with the blanks before it, or a comment; all parts are optional, so that the end matches too. No part repeats a
 * group: the stack of a regular expression ends after some million rounds. A text is read from its opening quote on.
 */
const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(-?(?:0[xX][0-9a-fA-F]+|\d+))[uUlL]*|(\.\.\.|:=|[{}[\]<>;=:,.()"])|\/\*[\s\S]*?\*\/|\/\/[^\n]*)?/y;

/** Metadata larger than this is no metadata: LTTng writes some hundred bytes an event class. */
export const MAX_METADATA: number = 64 << 20;

/** Splits metadata text. Throws InputError at what is no token. */
export function tokenize(text: string, path: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const token = match === null ? null : tokenOf(match, text, TOKEN.lastIndex);
    // A quote that nothing closes is left.
    const end = token?.at ?? TOKEN.lastIndex - (match?.[3] === '"' ? 1 : 0);
    if (token !== null) tokens.push(token);
    else if (end === at && at < text.length) {
      throw new InputError(
        "ctf/bad-metadata",
        `${path}: line ${lineAt(text, at)} of its metadata: ${quote(text.slice(at, at + 20))} is no TSDL`,
      );
    } else if (end === at) break;
    at = end;
  }
  tokens.push({ is: "end", text: "end of metadata", at: text.length });
  return tokens;
}

/** 1-based. */
export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** null where only blanks and a comment stand, and for a quote that nothing closes. */
function tokenOf([, name, number, sign]: RegExpExecArray, text: string, at: number): Token | null {
  if (name !== undefined) return { is: "name", text: name, at };
  if (number !== undefined) return { is: "number", text: number, at };
  if (sign !== '"') return sign === undefined ? null : { is: "sign", text: sign, at };
  const end = closingQuote(text, at);
  return end < 0 ? null : { is: "text", text: unescaped(text.slice(at, end)), at: end + 1 };
}

/** Where the quote stands that closes a text begun before `at`; -1 when there is none. */
function closingQuote(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === '"') return i;
    if (c === "\\") i++;
  }
  return -1;
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
}
