// CSV text (RFC 4180) for people's spreadsheets: input text is quoted and cannot become a formula there.
import { printable } from "./plain-text.ts";

export type CsvValue = number | string | null;

/** Lines ended by CRLF, header first. Null is an empty field. */
export function csvText(header: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [header, ...rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/**
 * One field. Text that a spreadsheet would calculate (it starts with =, +, -, @ or a tab) gets an apostrophe in front,
 * as OWASP's "CSV Injection" advises; numbers are left as they are; control characters are made visible.
 */
function csvField(value: CsvValue): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const shown = printable(value);
  const safe = /^\s*[=+\-@|%\uff0b\uff0d\uff1d\uff20]/.test(shown) ? `'${shown}` : shown;
  return /[",'\s]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
