// TSDL text to tokens (CTF 1.8.3, appendix C): identifiers, numbers, strings, punctuation; comments left out. Used by tsdl.ts.
import { InputError, quote } from "../../base/errors.ts";

export interface Token {
  readonly is: "name" | "number" | "text" | "sign" | "end";
  readonly text: string;
  /** 1-based. */
  readonly line: number;
}

const TOKEN =
  /\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*|([A-Za-z_]\w*)|(-?(?:0[xX][0-9a-fA-F]+|\d+))(?:[uU]?[lL]{0,2}[uU]?)|"((?:[^"\\]|\\[\s\S])*)"|(\.\.\.|:=|[{}[\]<>;=:,.()])/y;

/** Metadata larger than this is no metadata: LTTng writes some hundred bytes an event class. */
export const MAX_METADATA: number = 64 << 20;

/** Splits metadata text. Throws InputError at what is no token. */
export function tokenize(text: string, path: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) {
      throw new InputError(
        "ctf/bad-metadata",
        `${path}: line ${line} of its metadata: ${quote(text.slice(at, at + 20))} is no TSDL`,
      );
    }
    const token = tokenOf(match, line);
    if (token !== null) tokens.push(token);
    const [all] = match;
    for (let i = 0; i < all.length; i++) if (all.charCodeAt(i) === 10) line++;
    at += all.length;
  }
  tokens.push({ is: "end", text: "end of metadata", line });
  return tokens;
}

/** null for blanks and comments. */
function tokenOf([, name, number, string, sign]: RegExpExecArray, line: number): Token | null {
  if (name !== undefined) return { is: "name", text: name, line };
  if (number !== undefined) return { is: "number", text: number, line };
  if (string !== undefined) return { is: "text", text: unescaped(string), line };
  return sign === undefined ? null : { is: "sign", text: sign, line };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
}
