// Chart: forks by worst exposure class.
import { groupDigits, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import { type Chart, NARROW_PLOT_WIDTH, PALETTE, specOf } from "./chart.ts";

/** What each class means, shorter than docs and never wider than the plot allows. */
export const EXPOSURE_MEANING: Readonly<Record<string, string>> = {
  U1: "in use elsewhere at the check",
  U2: "thread switched in",
  U2b: "thread resumed from lazy",
  U3: "kthread_use_mm begins",
  U3b: "borrower switched in",
  U4: "lazy residue only",
  U4b: "lazy, cleared by this fork's flush",
  U5: "vfork child's tail",
  U6: "device suspected",
  U7: "trace cannot tell",
};

/** Worst class of each exposed fork. Lazy residue is drawn apart: it is reported, never unsafe by itself. */
export function exposuresChart({ forks }: Summary): Chart {
  const base = { id: "exposures", title: "Use of the mm elsewhere inside the window" };
  const found = Object.entries(forks.exposure).filter(([id]) => id !== "none");
  const none = forks.exposure["none"] ?? 0;
  const hit = found.filter(([id]) => kindOf(id) === "exposed").reduce((sum, [, n]) => sum + n, 0);
  const description = `Exposed: ${groupDigits(hit)} of ${plural(forks.total, "fork")}; nothing of the kind in ${groupDigits(none)}.`;
  if (found.length === 0) return { ...base, description, spec: null };
  const values = found.map(([id, n]) => ({
    class: `${id} ${EXPOSURE_MEANING[id] ?? ""}`,
    kind: kindOf(id),
    forks: n,
    text: String(n),
  }));
  const y = {
    field: "class",
    type: "nominal",
    title: null,
    sort: null,
    axis: { labelLimit: 230, ticks: false },
  };
  const scale = {
    domain: ["exposed", "lazy residue", "cannot tell"],
    range: [PALETTE.vermillion, PALETTE.sky, PALETTE.grey],
  };
  return {
    ...base,
    description,
    spec: specOf(values, {
      width: NARROW_PLOT_WIDTH,
      height: { step: 22 },
      layer: [
        {
          mark: { type: "bar" },
          encoding: {
            y,
            x: {
              field: "forks",
              type: "quantitative",
              title: "forks",
              axis: { tickMinStep: 1, format: "~s" },
            },
            color: { field: "kind", type: "nominal", scale, legend: { title: null, orient: "top" } },
            tooltip: [{ field: "class" }, { field: "kind" }, { field: "forks" }],
          },
        },
        {
          mark: { type: "text", align: "left", dx: 5, fontSize: 10 },
          encoding: { y, x: { field: "forks", type: "quantitative" }, text: { field: "text" } },
        },
      ],
    }),
  };
}

function kindOf(id: string): string {
  if (id === "U7") return "cannot tell";
  return id === "U4" || id === "U4b" ? "lazy residue" : "exposed";
}
