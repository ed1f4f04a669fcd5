// The numbers: verdict tables of a run -> summary.json. Everything the text answer and the report say is taken from
// here, so that no two outputs can disagree. Field names are interface: extend, never rename.
import type { TimeUnit } from "../base/time.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import type { Evidence, ReplayInfo, ResultTables } from "../table/verdict-tables.ts";
import { EVIDENCE, SCHEMA_VERSION } from "../table/verdict-tables.ts";
import { type Agreement, agreement } from "./agreement.ts";
import { type Attribution, attribution } from "./attribution.ts";
import { type Claim, claims } from "./claims.ts";
import type { FilterNote } from "./filter.ts";
import { type PolicySummary, policySummaries } from "./policy-summary.ts";
import { countTexts } from "./rows.ts";

export interface TraceSummary {
  readonly path: string;
  readonly format: string;
  /** SHA-256 of the input as it is stored; null when the events do not carry it. */
  readonly sha256: string | null;
  readonly clock: string;
  readonly time_unit: TimeUnit;
  /** "" when the input does not say. */
  readonly kernel: string;
  /** Kernel rules the replay used, and where that came from. */
  readonly kernel_rules: string;
  readonly kernel_rules_from: ReplayInfo["kernelFrom"] | "unknown";
  readonly cpus: number;
  readonly span_ns: number;
  readonly lines: number;
  readonly events: number;
  /** null: events were lost, the recorder does not say how many. */
  readonly lost_events: number | null;
  readonly problems: readonly { readonly code: string; readonly severity: string; readonly count: number }[];
}

export interface ForksSummary {
  readonly total: number;
  readonly windows: { readonly measured: number; readonly bracketed: number; readonly point: number };
  /** Forks by how their count is known. */
  readonly mm_users_evidence: Readonly<Record<Evidence, number>>;
  readonly mm_count_evidence: Readonly<Record<Evidence, number>>;
  /** Forks by worst exposure class, "none" included; classes that never occurred are left out. */
  readonly exposure: Readonly<Record<string, number>>;
  /** Who holds the references beyond the first, per counter. */
  readonly attribution: Attribution;
}

export interface MissingEvidence {
  readonly probe: string;
  readonly would_tell: string;
  /** Forks it left undecided, over all traces and whatever the filter. */
  readonly forks: number;
}

/** Which of the recorded forks the figures are of. */
export interface FilterSummary extends FilterNote {
  /** Selected forks: forks.total. */
  readonly selected: number;
}

export interface Summary {
  readonly schema_version: number;
  /** null: all forks. */
  readonly filter: FilterSummary | null;
  readonly traces: readonly TraceSummary[];
  readonly forks: ForksSummary;
  readonly policies: Readonly<Record<string, PolicySummary>>;
  readonly agreement: Agreement;
  readonly claims: readonly Claim[];
  readonly missing: readonly MissingEvidence[];
  readonly assumptions: readonly string[];
}

/** All figures of a run. `metas` and `infos` are parallel, by trace index. `filter`: what `tables` were chosen by. */
export function summarize(
  tables: ResultTables,
  metas: readonly TraceMeta[],
  infos: readonly ReplayInfo[],
  filter: FilterNote | null = null,
): Summary {
  const forks = forksSummary(tables);
  const policies = policySummaries(tables, infos, filter !== null);
  const traces = metas.map((meta, trace) => traceSummary(tables, meta, infos[trace], trace));
  return {
    schema_version: SCHEMA_VERSION,
    filter: filter === null ? null : { ...filter, selected: forks.total },
    traces,
    forks,
    policies,
    agreement: agreement(tables, infos),
    claims: claims(tables, policies, infos, commonUnit({ traces }), filter !== null),
    missing: missingEvidence(infos),
    assumptions: [...new Set(infos.flatMap((info) => info.assumptions))],
  };
}

/** The unit of all traces' times; ns when they differ. */
export function commonUnit({ traces }: Pick<Summary, "traces">): TimeUnit {
  return traces.length > 0 && traces.every((trace) => trace.time_unit === "ticks") ? "ticks" : "ns";
}

function traceSummary(
  tables: ResultTables,
  meta: TraceMeta,
  info: ReplayInfo | undefined,
  trace: number,
): TraceSummary {
  const problems: TraceSummary["problems"][number][] = [];
  for (let row = 0; row < tables.problems.length; row++) {
    if (tables.problems.get("trace", row) !== trace) continue;
    problems.push({
      code: tables.problems.get("code", row) ?? "",
      severity: tables.problems.get("severity", row) ?? "",
      count: tables.problems.get("count", row) ?? 0,
    });
  }
  return {
    path: meta.path,
    format: meta.format,
    sha256: meta.sha256 ?? null,
    clock: meta.clock,
    time_unit: meta.timeUnit,
    kernel: meta.kernel,
    kernel_rules: info?.kernel ?? "",
    kernel_rules_from: info?.kernelFrom ?? "unknown",
    cpus: meta.cpus,
    span_ns: meta.spanNs,
    lines: meta.lines,
    events: meta.events,
    lost_events: meta.lostEvents < 0 ? null : meta.lostEvents,
    problems,
  };
}

function forksSummary(tables: ResultTables): ForksSummary {
  const { forks } = tables;
  const windows = countTexts(forks, "window");
  const exposure = [...countTexts(forks, "exposure")].filter(([, n]) => n > 0);
  return {
    total: forks.length,
    windows: {
      measured: windows.get("measured") ?? 0,
      bracketed: windows.get("bracketed") ?? 0,
      point: windows.get("point") ?? 0,
    },
    mm_users_evidence: evidenceCounts(tables, "mm_users_evidence"),
    mm_count_evidence: evidenceCounts(tables, "mm_count_evidence"),
    exposure: Object.fromEntries(exposure.sort(([a], [b]) => (a < b ? -1 : 1))),
    attribution: attribution(tables),
  };
}

function evidenceCounts(
  tables: ResultTables,
  name: "mm_users_evidence" | "mm_count_evidence",
): Record<Evidence, number> {
  const counts = countTexts(tables.forks, name);
  const out = Object.fromEntries(EVIDENCE.map((word) => [word, counts.get(word) ?? 0])) as Record<
    Evidence,
    number
  >;
  // A fork without an evidence word is unknown, not absent.
  out.unknown += tables.forks.length - EVIDENCE.reduce((sum, word) => sum + out[word], 0);
  return out;
}

function missingEvidence(infos: readonly ReplayInfo[]): MissingEvidence[] {
  const byKey = new Map<string, MissingEvidence>();
  for (const { probe, wouldTell, forks } of infos.flatMap((info) => info.missing)) {
    const key = `${probe}\0${wouldTell}`;
    byKey.set(key, { probe, would_tell: wouldTell, forks: (byKey.get(key)?.forks ?? 0) + forks });
  }
  return [...byKey.values()];
}
