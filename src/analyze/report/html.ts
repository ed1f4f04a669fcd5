// HTML as a type: text becomes markup only through `html`, which escapes every value that is not markup already.
// All of the report is built with it; there is no other way for input text into the page.
import { printable } from "../plain-text.ts";

/** Markup that is safe to put into a page. Made by `html` and `trusted` only. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlValue = Html | string | number | null | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const CHARACTERS: ReadonlyMap<string, string> = new Map(
  Object.entries(ENTITIES).map(([char, entity]) => [entity, char]),
);

/** Text as HTML: markup characters as entities, invisible and control characters made visible. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** What a reader of the markup sees, without it and without ▲: for sentences that go to a terminal or a mail as well. */
export function textOf({ markup }: Html): string {
  return markup
    .replace(/<[^>]*>/g, "")
    .replaceAll("▲&nbsp;", "")
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => CHARACTERS.get(entity) ?? entity);
}

/** Tagged template: literal parts are markup, values are escaped unless they are Html; arrays are joined, null is nothing. */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let out = literals[0] ?? "";
  for (const [i, value] of values.entries()) out += markupOf(value) + (literals[i + 1] ?? "");
  return new Html(out);
}

/** Markup made elsewhere that needs no escaping: our own SVG, style sheet and scripts. Never input text. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

function markupOf(value: HtmlValue): string {
  if (value === null) return "";
  if (value instanceof Html) return value.markup;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeHtml(value);
  return value.map(markupOf).join("");
}

/** Input text set apart from the sentence around it: right-to-left names cannot reorder their neighbours. */
export function inputText(text: string | null): Html {
  return text === null || text === ""
    ? html`<span class="none">none</span>`
    : html`<bdi class="input">${text}</bdi>`;
}

export interface TableColumn {
  readonly title: string;
  /** Right-aligned, digits of equal width. */
  readonly isNumber?: boolean;
}

/** Markup, and what the column sorts by where that is not its text. */
export type TableCell = HtmlValue | { readonly sort: number | string; readonly show: HtmlValue };

/** A table in its own scrolling box, sortable by each column. `caption` says what a row is; `id` is that of the table. */
export function dataTable(
  caption: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
  id: string | null = null,
): Html {
  const cls = (i: number): Html => trusted(columns[i]?.isNumber === true ? ' class="n"' : "");
  const head = columns.map(({ title }, i) => html`<th scope="col"${cls(i)}>${title}</th>`);
  const body = rows.map(
    (cells) =>
      html`<tr>${cells.map((cell, i) => (i === 0 ? headCell(cell, cls(i)) : dataCell(cell, cls(i))))}</tr>\n`,
  );
  const name = id === null ? null : html` id="${id}"`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table${name}><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

function headCell(cell: TableCell, cls: Html): Html {
  return isSorted(cell)
    ? html`<th scope="row"${cls} data-sort="${cell.sort}">${cell.show}</th>`
    : html`<th scope="row"${cls}>${cell}</th>`;
}

function dataCell(cell: TableCell, cls: Html): Html {
  return isSorted(cell)
    ? html`<td${cls} data-sort="${cell.sort}">${cell.show}</td>`
    : html`<td${cls}>${cell}</td>`;
}

function isSorted(cell: TableCell): cell is { readonly sort: number | string; readonly show: HtmlValue } {
  return typeof cell === "object" && cell !== null && "sort" in cell && "show" in cell;
}
