// Chart: how long fork windows are, as an ECDF a kind of window on a logarithmic axis.
import { formatDuration } from "../../base/time.ts";
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { WINDOW_KINDS } from "../../table/verdict-tables.ts";
import { durationNs, textAt } from "../rows.ts";
import { nearestRank, plural } from "../statistics.ts";
import { commonUnit, type Summary } from "../summary.ts";
import { type Chart, type JsonObject, PALETTE, specOf } from "./chart.ts";

/** Points an ECDF is drawn with; more cannot be seen. */
const POINTS = 200;

/** Durations of measured and bracketed windows; a point has none. */
export function windowsChart(summary: Summary, tables: VerdictTables): Chart {
  const base = { id: "windows", title: "Window durations" };
  const isTicks = commonUnit(summary) === "ticks";
  const { byKind, left } = durations(tables);
  const drawn = [...byKind].filter(([, values]) => values.length > 0);
  const without =
    left > 0 ? ` ${plural(left, "fork")} without a length (a point, or cut off) not drawn.` : "";
  if (drawn.length === 0) return { ...base, description: `No window has a length.${without}`, spec: null };
  const values = drawn.flatMap(([kind, sorted]) => ecdf(kind, sorted, isTicks ? 1 : 1000));
  const sentences = drawn.map(([kind, sorted]) => {
    const [median, p99] = [0.5, 0.99].map((q) =>
      formatDuration(nearestRank(sorted, q) ?? 0, isTicks ? "ticks" : "ns"),
    );
    return `${plural(sorted.length, `${kind} window`)}: median ${median}, p99 ${p99}.`;
  });
  const kindScale = { domain: [...WINDOW_KINDS], range: [PALETTE.blue, PALETTE.vermillion, PALETTE.grey] };
  return {
    ...base,
    description: `${sentences.join(" ")}${without}`,
    spec: specOf(values, {
      height: 190,
      mark: { type: "line", interpolate: "step-after", strokeWidth: 2 },
      encoding: {
        x: {
          field: "length",
          type: "quantitative",
          title: isTicks ? "ticks" : "µs",
          scale: { type: "log", nice: true },
          axis: { format: "~s", labelOverlap: true },
        },
        y: {
          field: "share",
          type: "quantitative",
          title: "share of windows at most this long",
          axis: { format: "%" },
          scale: { domain: [0, 1] },
        },
        color: { field: "kind", type: "nominal", scale: kindScale, legend: { title: null, orient: "top" } },
        strokeDash: {
          field: "kind",
          type: "nominal",
          scale: {
            domain: [...WINDOW_KINDS],
            range: [
              [1, 0],
              [6, 3],
              [2, 2],
            ],
          },
          legend: { title: null, orient: "top" },
        },
        tooltip: [{ field: "kind" }, { field: "length", format: ".4~g" }, { field: "share", format: ".1%" }],
      },
    }),
  };
}

function durations({ forks }: VerdictTables): { byKind: Map<string, Float64Array>; left: number } {
  const start = forks.column("start_ns");
  const end = forks.column("end_ns");
  const window = forks.column("window");
  const lists = new Map<string, number[]>(WINDOW_KINDS.map((kind) => [kind, []]));
  let left = 0;
  for (let row = 0; row < forks.length; row++) {
    const kind = textAt(window, window.ints.data[row]) ?? "point";
    const length = kind === "point" ? null : durationNs(start, end, row);
    // A logarithm needs a positive length; zero is a clock too coarse to tell.
    if (length === null || length <= 0) left++;
    else lists.get(kind)?.push(length);
  }
  return { byKind: new Map([...lists].map(([kind, list]) => [kind, Float64Array.from(list).sort()])), left };
}

function ecdf(kind: string, sorted: Float64Array, unit: number): JsonObject[] {
  const step = Math.max(1, Math.floor(sorted.length / POINTS));
  const out: JsonObject[] = [{ kind, length: sorted[0]! / unit, share: 0 }];
  for (let i = 0; i < sorted.length; i += step)
    out.push({ kind, length: sorted[i]! / unit, share: (i + 1) / sorted.length });
  out.push({ kind, length: sorted.at(-1)! / unit, share: 1 });
  return out;
}
