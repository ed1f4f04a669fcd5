// CSV text (RFC 4180) for people's spreadsheets: input text is quoted and cannot become a formula there. The one rule for
// it: the report's downloads and query --format csv both take it from here.
import { printable } from "./plain-text.ts";

export type CsvValue = number | string | null;

/** Lines ended by CRLF, header first. Null is an empty field. */
export function csvText(header: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [header, ...rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/** One field; numbers are left as they are. */
function csvField(value: CsvValue): string {
  if (value === null) return "";
  return typeof value === "number" ? String(value) : csvQuoted(defused(printable(value)));
}

/**
 * Text that a spreadsheet would calculate gets an apostrophe in front, which it shows as text: OWASP's "CSV Injection" names
 * =, +, -, @ and blanks before them, | and % begin one in some, and the full-width forms are taken for the others. For text
 * without control characters.
 */
export function defused(text: string): string {
  return /^\s*[=+\-@|%\uff0b\uff0d\uff1d\uff20]/.test(text) ? `'${text}` : text;
}

/** A field in quotation marks where it holds what ends one. */
export function csvQuoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
