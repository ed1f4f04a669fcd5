// A comparison for people and mailing lists: under 80 columns, input text escaped.
import { formatDuration, type TimeUnit } from "../base/time.ts";
import type { Comparison, PolicyComparison, SharePair, Waits } from "./compare.ts";
import { plural } from "./figure-text.ts";
import type { Difference, Share } from "./intervals.ts";
import { printable, wrap } from "./plain-text.ts";
import { referencePolicy } from "./policy-summary.ts";
import { commonUnit, type Summary } from "./summary.ts";

const NAME = 16;
const SHARE = 19;

/** Lines of text, each below 80 columns. Ends without a newline. */
export function renderComparison(comparison: Comparison, a: Summary, b: Summary): string {
  const { policies } = comparison;
  const entries = Object.entries(policies);
  const lines = [
    ...wrap(`A  ${printable(comparison.a.path)}: ${plural(comparison.a.forks, "fork")}`, 3),
    ...wrap(`B  ${printable(comparison.b.path)}: ${plural(comparison.b.forks, "fork")}`, 3),
    "",
    ...caveatLines(comparison),
    ...shareTable(
      "fast path, % of decided forks",
      entries.map(([id, { fast }]) => [id, fast]),
    ),
    ...shareTable(
      "unsafe, % of fast forks",
      entries.flatMap(([id, { unsafe }]) => (unsafe.a.n + unsafe.b.n > 0 ? [[id, unsafe]] : [])),
    ),
    ...denialTable(policies, a),
    ...waitTable(entries, commonUnit(a), commonUnit(b)),
    ...wrap(
      "Intervals are 95 %: Wilson's of a share, Newcombe's (method 10) of a difference; * where they exclude 0. " +
        "Undecided forks widen them to both sides. They take forks for independent; forks of one loop are not, " +
        "so the truth is less certain than they say.",
      0,
    ),
  ];
  return lines.join("\n");
}

function caveatLines({ not_comparable }: Comparison): string[] {
  if (not_comparable.length === 0) return [];
  const lines = not_comparable.flatMap(({ about, a, b, why }) => [
    ...wrap(`  ${about}: ${printable(why)}`, 4),
    ...wrap(`      A  ${printable(a)}`, 9),
    ...wrap(`      B  ${printable(b)}`, 9),
  ]);
  return ["not comparable, or only with care", ...lines, ""];
}

function shareTable(title: string, rows: readonly (readonly [string, SharePair])[]): string[] {
  if (rows.length === 0) return [];
  const head = `${"".padEnd(NAME)}${"A".padEnd(SHARE)}${"B".padEnd(SHARE)}B - A`;
  const body = rows.map(([name, { a, b, difference }]) =>
    `${name.padEnd(NAME)}${shareText(a).padEnd(SHARE)}${shareText(b).padEnd(SHARE)}${differenceText(difference)}`.trimEnd(),
  );
  return [title, head, ...body, ""];
}

const percent = (share: number | null): string => ((share ?? 0) * 100).toFixed(1);

/** " 87.3 [79.4, 92.4]" */
function shareText({ share, low, high }: Share): string {
  return share === null ? "    -" : `${percent(share).padStart(5)} [${percent(low)}, ${percent(high)}]`;
}

/** "-12.3 [-20.1, -4.0] *": the star where 0 is outside. */
function differenceText({ difference, low, high }: Difference): string {
  if (difference === null || low === null || high === null) return "    -";
  const signed = (share: number): string => `${share > 0 ? "+" : ""}${percent(share)}`;
  const star = low > 0 || high < 0 ? " *" : "";
  return `${signed(difference).padStart(6)} [${signed(low)}, ${signed(high)}]${star}`;
}

function denialTable(policies: Readonly<Record<string, PolicyComparison>>, a: Summary): string[] {
  const known = Object.fromEntries(Object.entries(a.policies).filter(([id]) => id in policies));
  const id = referencePolicy(known);
  const causes = id === null ? [] : Object.entries(policies[id]?.denied_by ?? {});
  return shareTable(`denied the fast path (${id}), % of all forks`, causes);
}

function waitTable(
  entries: readonly (readonly [string, PolicyComparison])[],
  unitOfA: TimeUnit,
  unitOfB: TimeUnit,
): string[] {
  const some = entries.filter(([, { waits }]) => isShown(waits.a) || isShown(waits.b));
  if (some.length === 0) return [];
  const head = `${"".padEnd(NAME)}${"A".padEnd(30)}B`;
  const rows = some.flatMap(([id, { waits }]) =>
    wrap(
      `${id.padEnd(NAME)}${waitsText(waits.a, unitOfA).padEnd(29)} ${waitsText(waits.b, unitOfB)}`,
      NAME + 30,
    ),
  );
  return ["waits (events, median, p99)", head, ...rows, ""];
}

function isShown(waits: Waits): boolean {
  return "not_evaluable" in waits || waits.events > 0;
}

function waitsText(waits: Waits, unit: TimeUnit): string {
  if ("not_evaluable" in waits) return `n/e: needs ${printable(waits.not_evaluable)}`;
  const { events, p50_ns, p99_ns } = waits;
  if (p50_ns === null || p99_ns === null) return String(events);
  return `${events}, ${formatDuration(p50_ns, unit)}, ${formatDuration(p99_ns, unit)}`;
}
