// Chart: fast-path rate over the recording for the reference policy, in at most 120 bins, with a rug of unsafe forks.
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { OUTCOMES, outcomesOf } from "../outcomes.ts";
import { printable } from "../plain-text.ts";
import { referencePolicy } from "../policy-summary.ts";
import { groupDigits, percent, plural } from "../statistics.ts";
import { commonUnit, type Summary } from "../summary.ts";
import { type Chart, type JsonObject, PALETTE, specOf } from "./chart.ts";

const MOST_BINS = 120;
/** With fewer forks a bin than this, a rate is noise. */
const FORKS_PER_BIN = 8;
/** Unsafe forks closer together than this share of the axis fall on one rug mark. */
const RUG_POSITIONS = 600;
/** More lines than this cannot be told apart. */
const MOST_TRACES = 6;

interface TraceForks {
  /** Fork rows, in time order. */
  readonly rows: number[];
  readonly startNs: number[];
}

/** Fast-path rate over time; one line a trace, each from its own first fork. */
export function overTimeChart(summary: Summary, tables: VerdictTables): Chart {
  const policy = referencePolicy(summary.policies);
  const base = { id: "over-time", title: `Fast path over time${policy === null ? "" : `: ${policy}`}` };
  const traces = byTrace(tables).slice(0, MOST_TRACES);
  const span = Math.max(0, ...traces.map(({ startNs }) => startNs.at(-1) ?? 0));
  if (policy === null || span === 0) {
    return {
      ...base,
      description: "Fewer than two forks at different times: no course to show.",
      spec: null,
    };
  }
  const isTicks = commonUnit(summary) === "ticks";
  const unit = isTicks ? 1 : 1e9;
  const outcomes = outcomesOf(tables, policy);
  const names = traces.map((_, trace) => `${trace + 1} ${printable(summary.traces[trace]?.path ?? "")}`);
  const values = traces.flatMap((forks, trace) => bins(forks, outcomes, names[trace]!, span / unit, unit));
  const rug = traces.flatMap((forks, trace) => rugMarks(forks, outcomes, names[trace]!, span / unit, unit));
  const x = {
    field: "at",
    type: "quantitative",
    title: isTicks ? "ticks since the first fork" : "seconds since the first fork",
    scale: { domain: [0, span / unit], nice: false },
  };
  const series =
    traces.length > 1
      ? { strokeDash: { field: "trace", type: "nominal", legend: { orient: "top", title: null } } }
      : {};
  return {
    ...base,
    description: describe(summary, policy, values.length, rug.length),
    spec: specOf(values, {
      height: 190,
      layer: [
        {
          mark: {
            type: "line",
            color: PALETTE.blue,
            strokeWidth: 1.5,
            point: { size: 14, filled: true, color: PALETTE.blue },
          },
          encoding: {
            x,
            y: {
              field: "rate",
              type: "quantitative",
              title: "fast path taken",
              axis: { format: "%" },
              scale: { domain: [0, 1] },
            },
            ...series,
            tooltip: [{ field: "at", format: ".6~g" }, { field: "rate", format: ".1%" }, { field: "forks" }],
          },
        },
        {
          data: { values: rug },
          mark: {
            type: "point",
            shape: "triangle-up",
            filled: true,
            color: PALETTE.vermillion,
            size: 45,
            yOffset: -6,
          },
          encoding: { x, y: { datum: 0 }, tooltip: [{ field: "at", format: ".6~g" }, { field: "unsafe" }] },
        },
      ],
    }),
  };
}

function byTrace({ forks }: VerdictTables): TraceForks[] {
  const out: (TraceForks & { first: bigint })[] = [];
  for (let row = 0; row < forks.length; row++) {
    const start = forks.get("start_ns", row);
    const trace = forks.get("trace", row);
    if (start === null || trace === null) continue;
    out[trace] ??= { rows: [], startNs: [], first: start };
    out[trace].rows.push(row);
    out[trace].startNs.push(Number(start - out[trace].first));
  }
  return Array.from(out, (trace) => trace ?? { rows: [], startNs: [] });
}

function bins(
  { rows, startNs }: TraceForks,
  outcomes: Uint8Array,
  trace: string,
  span: number,
  unit: number,
): JsonObject[] {
  const count = Math.max(1, Math.min(MOST_BINS, Math.floor(rows.length / FORKS_PER_BIN)));
  const total = new Float64Array(count);
  const fast = new Float64Array(count);
  for (const [i, row] of rows.entries()) {
    const bin = Math.max(0, Math.min(count - 1, Math.floor((startNs[i]! / unit / span) * count)));
    total[bin]! += 1;
    if (outcomes[row]! < OUTCOMES.indexOf("slow")) fast[bin]! += 1;
  }
  const out: JsonObject[] = [];
  for (const [bin, forks] of total.entries()) {
    // A bin without forks breaks the line: no forks is not a rate of 0.
    out.push({
      trace,
      at: ((bin + 0.5) * span) / count,
      rate: forks === 0 ? null : fast[bin]! / forks,
      forks,
    });
  }
  return out;
}

function rugMarks(
  { rows, startNs }: TraceForks,
  outcomes: Uint8Array,
  trace: string,
  span: number,
  unit: number,
): JsonObject[] {
  const unsafe = OUTCOMES.indexOf("unsafe");
  const marks = new Map<number, number>();
  for (const [i, row] of rows.entries()) {
    if (outcomes[row] !== unsafe) continue;
    const position = Math.floor((startNs[i]! / unit / span) * RUG_POSITIONS);
    marks.set(position, (marks.get(position) ?? 0) + 1);
  }
  return [...marks].map(([position, n]) => ({ trace, at: (position * span) / RUG_POSITIONS, unsafe: n }));
}

function describe({ policies, forks, traces }: Summary, id: string, points: number, marks: number): string {
  const { fast, unsafe } = policies[id]!;
  const cut =
    traces.length > MOST_TRACES ? ` The first ${MOST_TRACES} of ${traces.length} traces are drawn.` : "";
  const rate = `${groupDigits(fast)} of ${plural(forks.total, "fork")} (${percent(fast, forks.total)} %)`;
  const triangles =
    unsafe > 0
      ? ` Triangles mark the unsafe forks (${groupDigits(unsafe)} at ${plural(marks, "place")}).`
      : "";
  return `${id} takes the fast path in ${rate}, here in ${plural(points, "bin")}.${triangles}${cut}`;
}
