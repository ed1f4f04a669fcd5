// A diagnosis for people: what the recording is, what it can answer, what to add. Under 80 columns, input text escaped.
import { formatDuration } from "../base/time.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { groupDigits, plural } from "./figure-text.ts";
import { printable, wrap } from "./plain-text.ts";
import type { Question } from "./questions.ts";

const LABEL = 14;
const ID = 24;
const MOST_SKIPPED = 8;
const MOST_HIDDEN = 8;

/** Lines of text, each below 80 columns. Ends without a newline. */
export function renderDiagnosis(diagnosis: Diagnosis): string {
  const { trace, recipe } = diagnosis;
  const lines = [
    ...wrap(printable(trace.path), 2),
    ...recordingLines(diagnosis),
    "",
    ...diagnosis.questions.flatMap(questionLines),
    ...hiddenLines(diagnosis),
    ...closerLines(diagnosis),
  ];
  if (recipe !== null) lines.push("", ...wrap(`record the rest: ${recipe} > record.sh`, 2));
  return lines.join("\n");
}

function recordingLines(diagnosis: Diagnosis): string[] {
  const { trace, windows, armed_silent } = diagnosis;
  const kinds = Object.entries(diagnosis.events_by_kind).sort(([, a], [, b]) => b - a);
  const lost =
    trace.lost_events === null ? "some, the recorder does not say how many" : groupDigits(trace.lost_events);
  return [
    ...row("format", trace.format),
    ...row("kernel", trace.kernel === "" ? "unknown (--kernel sets the rules)" : trace.kernel),
    ...row("clock", `${trace.clock}, ${trace.time_unit}${clockNote(trace.clock, trace.time_unit)}`),
    ...row("CPUs", String(trace.cpus)),
    ...row("span", `${formatDuration(trace.span_ns, trace.time_unit)}, ${plural(trace.events, "event")}`),
    ...row("lost events", lost),
    ...row("events used", kinds.map(([name, n]) => `${name} ${groupDigits(n)}`).join(", ") || "none"),
    ...row("not used", skippedText(diagnosis)),
    ...row("probes", probesText(diagnosis)),
    ...unrecognisedLines(diagnosis),
    ...(armed_silent.length === 0 ? [] : row("armed, silent", armed_silent.join(", "))),
    ...row("forks", String(diagnosis.forks)),
    ...windows.flatMap(({ window, start_by, end_by, forks }) =>
      row("", `${forks} ${window}: ${start_by || "?"} to ${end_by || "no end seen"}`),
    ),
    ...(trace.problems.length === 0
      ? []
      : row("problems", trace.problems.map(({ code, count }) => `${code} x${count}`).join(", "))),
  ];
}

function clockNote(clock: string, unit: string): string {
  if (unit === "ticks") return ": order only, no durations";
  return clock === "local" ? ": not ordered across CPUs, prefer mono" : "";
}

function skippedText({ skipped }: Diagnosis): string {
  const names = Object.entries(skipped).sort(([, a], [, b]) => b - a);
  if (names.length === 0) return "none";
  const shown = names.slice(0, MOST_SKIPPED).map(([name, n]) => `${name} ${groupDigits(n)}`);
  const rest = names.length - shown.length;
  return rest > 0 ? `${shown.join(", ")}, ${plural(rest, "more kind")}` : shown.join(", ");
}

function probesText({ probes }: Diagnosis): string {
  if (probes.recognised.length === 0) return "none recognised";
  return probes.recognised
    .map(({ event, func, by }) => (event === func ? event : `${event} = ${func} (by its ${by})`))
    .join(", ");
}

function unrecognisedLines({ probes }: Diagnosis): string[] {
  return probes.unrecognised.flatMap(({ event, events }) =>
    row("unrecognised", `${event}, ${plural(events, "event")}: name it with --probe ${event}=FUNCTION`),
  );
}

function questionLines({ id, answer, why }: Question): string[] {
  return wrap(`${id.padEnd(ID)}${answer.padEnd(8)}${printable(why)}`, ID + 8);
}

/** Who may hide where it matters, and the hook that would show it. */
function hiddenLines({ hidden }: Diagnosis): string[] {
  if (hidden.length === 0) return [];
  const lines = hidden
    .slice(0, MOST_HIDDEN)
    .flatMap(({ kinds, hook, forks }) => wrap(`  ${kinds}: shown by ${hook} (${plural(forks, "fork")})`, 6));
  const rest = hidden.length - MOST_HIDDEN;
  if (rest > 0) lines.push(`  and ${groupDigits(rest)} more`);
  return ["", "who may hold or use an mm unseen, where that leaves a policy open", ...lines];
}

/** What would close the gaps, each once, with the questions it serves. */
function closerLines({ questions }: Diagnosis): string[] {
  const serves = new Map<string, { readonly would_tell: string; readonly ids: string[] }>();
  for (const { id, closes } of questions) {
    for (const { probe, would_tell } of closes) {
      const entry = serves.get(probe) ?? { would_tell, ids: [] };
      entry.ids.push(id);
      serves.set(probe, entry);
    }
  }
  if (serves.size === 0) return [];
  const isAll = (ids: readonly string[]): boolean => ids.length === questions.length;
  const lines = [...serves].flatMap(([probe, { would_tell, ids }]) =>
    wrap(`  ${printable(`${probe}: ${would_tell}`)} (${isAll(ids) ? "all of them" : ids.join(", ")})`, 6),
  );
  return ["", "what would close the gaps (and for which questions)", ...lines];
}

function row(label: string, text: string): string[] {
  return wrap(`${label.padEnd(LABEL)}${printable(text)}`, LABEL);
}
