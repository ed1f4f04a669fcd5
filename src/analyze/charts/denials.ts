// Chart: who denies the fast path. One bar a cause, for a policy the reader picks; the reference policy at first.
import { referencePolicy } from "../policy-summary.ts";
import { groupDigits, percent, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import { type Chart, NARROW_PLOT_WIDTH, PALETTE, specOf } from "./chart.ts";

/** Denial causes, counted over slow decisions; a fork may have several. */
export function denialsChart({ policies }: Summary): Chart {
  const base = { id: "denials", title: "Who denies the fast path" };
  const id = referencePolicy(policies);
  const denying = Object.entries(policies).filter(([, { denied_by }]) => Object.keys(denied_by).length > 0);
  const first = denying.find(([policy]) => policy === id) ?? denying[0];
  if (first === undefined)
    return { ...base, description: "No decision names a cause of denial.", spec: null };
  const values = denying.flatMap(([policy, { denied_by, slow }]) =>
    Object.entries(denied_by).map(([cause, forks]) => ({
      policy,
      cause,
      forks,
      text: `${groupDigits(forks)} (${percent(forks, slow)} % of ${groupDigits(slow)} slow)`,
    })),
  );
  const [firstId, { denied_by, slow }] = first;
  const [cause, forks] = Object.entries(denied_by).sort(([, a], [, b]) => b - a)[0]!;
  const y = { field: "cause", type: "nominal", sort: "-x", title: null, axis: { ticks: false } };
  return {
    ...base,
    description:
      `Under ${firstId}, ${cause} denies most often: ${groupDigits(forks)} of ${plural(slow, "slow fork")} ` +
      `(${percent(forks, slow)} %); a fork can have several causes.`,
    spec: specOf(values, {
      width: NARROW_PLOT_WIDTH,
      height: { step: 22 },
      params: [
        {
          name: "policy",
          value: firstId,
          bind: { input: "select", options: denying.map(([policy]) => policy), name: "policy " },
        },
      ],
      transform: [{ filter: "datum.policy === policy" }],
      layer: [
        {
          mark: { type: "bar", color: PALETTE.orange },
          encoding: {
            y,
            x: {
              field: "forks",
              type: "quantitative",
              title: "slow forks",
              axis: { tickMinStep: 1, format: "~s" },
            },
            tooltip: [{ field: "cause" }, { field: "text" }],
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
