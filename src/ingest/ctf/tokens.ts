// TSDL text to tokens (CTF 1.8.3, appendix C): identifiers, numbers, strings, punctuation; comments left out. Used by tsdl.ts.
import { InputError, quote } from "../../base/errors.ts";

export interface Token {
  readonly is: "name" | "number" | "text" | "sign" | "end";
  readonly text: string;
  /** Where it ends in the metadata. */
  readonly at: number;
}

/** Blanks and comments, then one token; all parts are optional, so that the end matches too. */
const TOKEN =
  /(?:\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*(?:([A-Za-z_]\w*)|(-?(?:0[xX][0-9a-fA-F]+|\d+))[uUlL]*|"((?:[^"\\]|\\[\s\S])*)"|(\.\.\.|:=|[{}[\]<>;=:,.()]))?/y;

/** Metadata larger than this is no metadata: LTTng writes some hundred bytes an event class. */
export const MAX_METADATA: number = 64 << 20;

/** Splits metadata text. Throws InputError at what is no token. */
export function tokenize(text: string, path: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const token = match === null ? null : tokenOf(match, at);
    if (match !== null) at += match[0].length;
    if (token !== null) tokens.push(token);
    else if (at >= text.length) break;
    else {
      throw new InputError(
        "ctf/bad-metadata",
        `${path}: line ${lineAt(text, at)} of its metadata: ${quote(text.slice(at, at + 20))} is no TSDL`,
      );
    }
  }
  tokens.push({ is: "end", text: "end of metadata", at: text.length });
  return tokens;
}

/** 1-based. */
export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** null where only blanks and comments stand. */
function tokenOf([all, name, number, string, sign]: RegExpExecArray, from: number): Token | null {
  const at = from + all.length;
  if (name !== undefined) return { is: "name", text: name, at };
  if (number !== undefined) return { is: "number", text: number, at };
  if (string !== undefined) return { is: "text", text: unescaped(string), at };
  return sign === undefined ? null : { is: "sign", text: sign, at };
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
}
