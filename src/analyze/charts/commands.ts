// Chart: forks by the forker's command and outcome under the reference policy, the 15 most frequent and the rest.
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { OUTCOME_LABELS, OUTCOMES, outcomesOf } from "../outcomes.ts";
import { printable } from "../plain-text.ts";
import { referencePolicy } from "../policy-summary.ts";
import { textAt } from "../rows.ts";
import { groupDigits, percent, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import { type Chart, NARROW_PLOT_WIDTH, OUTCOME_SCALE, specOf } from "./chart.ts";

const MOST_COMMANDS = 15;

interface CommandForks {
  readonly name: string;
  readonly byOutcome: number[];
  total: number;
}

/** Who forks, and what the reference policy decides for each. */
export function commandsChart(summary: Summary, tables: VerdictTables): Chart {
  const policy = referencePolicy(summary.policies);
  const base = { id: "commands", title: `Forks by command${policy === null ? "" : `: ${policy}`}` };
  if (policy === null || summary.forks.total === 0)
    return { ...base, description: "There are no forks.", spec: null };
  const all = countCommands(tables, outcomesOf(tables, policy));
  const shown = all.slice(0, MOST_COMMANDS);
  const rest = all.slice(MOST_COMMANDS);
  if (rest.length > 0) shown.push(merged(`other (${rest.length})`, rest));
  const names = shown.map(({ name }) => name);
  const values = shown.flatMap(({ name, byOutcome, total }) =>
    OUTCOMES.flatMap((outcome, i) =>
      byOutcome[i] === 0
        ? []
        : [{ command: name, outcome: OUTCOME_LABELS[outcome], order: i, forks: byOutcome[i]!, of: total }],
    ),
  );
  const totals = shown.map(({ name, byOutcome, total }) => {
    const fast = total - byOutcome[OUTCOMES.indexOf("slow")]! - byOutcome[OUTCOMES.indexOf("indeterminate")]!;
    const unsafe = byOutcome[OUTCOMES.indexOf("unsafe")]!;
    const mark = unsafe > 0 ? `, ▲ ${groupDigits(unsafe)} unsafe` : "";
    return { command: name, forks: total, text: `${percent(fast, total)} % fast${mark}` };
  });
  const y = {
    field: "command",
    type: "nominal",
    sort: names,
    title: null,
    axis: { labelLimit: 150, ticks: false },
  };
  const top = all[0]!;
  return {
    ...base,
    description:
      `${plural(all.length, "command")} fork; ${top.name} most often, ` +
      `${groupDigits(top.total)} of ${plural(summary.forks.total, "fork")} (${percent(top.total, summary.forks.total)} %).`,
    spec: specOf(values, {
      width: NARROW_PLOT_WIDTH,
      height: { step: 20 },
      layer: [
        {
          mark: { type: "bar", stroke: "#ffffff", strokeWidth: 1 },
          encoding: {
            y,
            x: {
              field: "forks",
              type: "quantitative",
              title: "forks",
              axis: { tickMinStep: 1, format: "~s" },
            },
            color: {
              field: "outcome",
              type: "nominal",
              scale: OUTCOME_SCALE,
              legend: { title: null, orient: "top" },
            },
            order: { field: "order" },
            tooltip: [{ field: "command" }, { field: "outcome" }, { field: "forks" }, { field: "of" }],
          },
        },
        {
          data: { values: totals },
          mark: { type: "text", align: "left", dx: 5, fontSize: 10 },
          encoding: { y, x: { field: "forks", type: "quantitative" }, text: { field: "text" } },
        },
      ],
    }),
  };
}

/** Commands by number of forks, then name. */
function countCommands({ forks }: VerdictTables, outcomes: Uint8Array): CommandForks[] {
  const comm = forks.column("comm");
  const byName = new Map<string, CommandForks>();
  for (let row = 0; row < forks.length; row++) {
    const name = printable(textAt(comm, comm.ints.data[row]) ?? "(unknown)");
    let command = byName.get(name);
    if (command === undefined) {
      command = { name, byOutcome: OUTCOMES.map(() => 0), total: 0 };
      byName.set(name, command);
    }
    command.byOutcome[outcomes[row]!]! += 1;
    command.total++;
  }
  return [...byName.values()].sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1));
}

function merged(name: string, commands: readonly CommandForks[]): CommandForks {
  const sum = (pick: (command: CommandForks) => number): number =>
    commands.reduce((n, command) => n + pick(command), 0);
  return {
    name,
    byOutcome: OUTCOMES.map((_, i) => sum(({ byOutcome }) => byOutcome[i]!)),
    total: sum(({ total }) => total),
  };
}
