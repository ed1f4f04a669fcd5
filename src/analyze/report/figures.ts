// Figures of summary.json in sentences and tables: read by their path, so that a sentence cannot say another number, and
// marked with that path, so that anybody (and a test) can check the page against the file.
import { formatDuration, type TimeUnit } from "../../base/time.ts";
import { groupDigits, percent } from "../figure-text.ts";
import type { Summary } from "../summary.ts";
import { type Html, html } from "./html.ts";

export type Path = readonly string[];

/** Reads figures of one summary. Every method throws when there is no number at the path: that would be our bug. */
export class Figures {
  readonly summary: Summary;
  readonly unit: TimeUnit;

  constructor(summary: Summary, unit: TimeUnit) {
    this.summary = summary;
    this.unit = unit;
  }

  /** The number itself. */
  value(path: Path): number {
    let at: unknown = this.summary;
    for (const key of path) at = (at as Record<string, unknown> | undefined)?.[key];
    if (typeof at !== "number") throw new TypeError(`summary has no number at ${path.join("/")}`);
    return at;
  }

  /** "1,234". */
  count(...path: string[]): Html {
    return this.#mark(path.join("/"), this.value(path), groupDigits(this.value(path)));
  }

  /** "12.3 %": the figure at `part` of the one at `whole`. */
  share(part: Path, whole: Path): Html {
    const [k, n] = [this.value(part), this.value(whole)];
    return this.#mark(
      `${part.join("/")} of ${whole.join("/")}`,
      n === 0 ? 0 : k / n,
      n === 0 ? "of none" : `${percent(k, n)} %`,
    );
  }

  /** "24.2 ms". */
  duration(...path: string[]): Html {
    return this.#mark(path.join("/"), this.value(path), formatDuration(this.value(path), this.unit));
  }

  #mark(path: string, value: number, text: string): Html {
    return html`<data data-figure="${path}" value="${value}">${text}</data>`;
  }
}

/** "a, b and c". */
export function listOf(items: readonly Html[]): Html {
  return html`${items.map((item, i) => html`${i === 0 ? "" : i === items.length - 1 ? " and " : ", "}${item}`)}`;
}

/** Items with the same key together, in order of first appearance. */
export function groupsBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
