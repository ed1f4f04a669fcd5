// A fork's window as a drawing: one lane a CPU, time from left to right; who runs there and how the CPU has the
// forker's mm, the mmap write lock, the window, and the exposures shaded. A pure function of the records.
import { formatDuration, type TimeUnit } from "../../base/time.ts";
import { EventKind, LOCK_SUCCESS, LOCK_WRITE } from "../../table/event-kinds.ts";
import type { CpuState } from "./cpu-states.ts";
import { type Html, html } from "./html.ts";
import { nextState, type WindowEvent, type WindowRecord } from "./window-events.ts";

const WIDTH = 900;
const LEFT = 84;
const LANE = 30;
const TOP = 34;
/** More CPUs than this are counted, not drawn. */
const MOST_LANES = 12;
/** A name needs so many px to be read. */
const NAME_PX = 7.2;

/** One use of the mm elsewhere, in ns since the epoch; `isLazy`: residue, not counted as exposure. */
export interface Shade {
  readonly cpu: number;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly isLazy: boolean;
}

export interface LaneInput {
  readonly fork: number;
  readonly record: WindowRecord;
  /** The window, ns since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly cpu: number;
  readonly tid: number;
  readonly comm: string;
  readonly shades: readonly Shade[];
  readonly unit: TimeUnit;
}

const STATES = ["forker", "user", "lazy", "kept", "other"] as const;
type State = (typeof STATES)[number];
const STATE_WORDS: Readonly<Record<State, string>> = {
  forker: "forker runs",
  user: "mm loaded, another task runs",
  lazy: "mm loaded lazily",
  kept: "reference kept lazily, mm not loaded",
  other: "something else",
};

interface Segment {
  readonly from: number;
  readonly to: number;
  readonly state: State;
  readonly name: string;
}

/** The drawing with its text alternative. */
export function swimLanes(input: LaneInput): Html {
  const { fork, record, start, end, unit } = input;
  const lanes = lanesOf(input);
  const shown = lanes.slice(0, MOST_LANES);
  const hasLock = record.events.some((event) => event.isMm && lockEdge(event) !== 0);
  const height = TOP + (shown.length + (hasLock ? 1 : 0)) * LANE + 26;
  const x = (ns: number): number =>
    LEFT + ((clamp(ns, record) - record.from) / (record.to - record.from)) * (WIDTH - LEFT - 8);
  const title = `Fork ${fork}: ${shown.length} CPUs over ${formatDuration(end - start, unit)}`;
  const left = lanes.length - shown.length;
  return html`<svg class="lanes" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="lanes-${fork}-t lanes-${fork}-d">
<title id="lanes-${fork}-t">${title}</title><desc id="lanes-${fork}-d">${describe(input, shown)}${left > 0 ? ` ${left} more CPUs are not drawn.` : ""}</desc>
<defs><pattern id="hatch-${fork}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch" width="2.5" height="6"/></pattern></defs>
${ticks(input, height, x)}<rect class="window" x="${px(x(start))}" y="${TOP - 6}" width="${px(x(end) - x(start))}" height="${height - TOP - 14}"/>
${shown.map((lane, i) => laneMarkup(input, lane, TOP + i * LANE, x))}${hasLock ? lockLane(input, TOP + shown.length * LANE, x) : null}
${axis(input, height, x)}</svg>
`;
}

/** The legend of all drawings. */
export function lanesLegend(): Html {
  const items = STATES.slice(0, 4).map(
    (state) =>
      html`<li><svg class="key" viewBox="0 0 26 14" aria-hidden="true"><rect class="${state}" x="1" y="1" width="24" height="12"/></svg> ${STATE_WORDS[state]}</li>`,
  );
  return html`<ul class="legend">${items}
<li><svg class="key" viewBox="0 0 26 14" aria-hidden="true"><rect class="shade" x="1" y="1" width="24" height="12" fill="none"/><path class="hatch-line" d="M4 13 10 1M10 13 16 1M16 13 22 1"/></svg> exposure: the mm in use elsewhere inside the window</li>
<li><svg class="key" viewBox="0 0 26 14" aria-hidden="true"><rect class="lock" x="1" y="4" width="24" height="6"/></svg> mmap_lock held for write</li>
<li><svg class="key" viewBox="0 0 26 14" aria-hidden="true"><rect class="window" x="1" y="1" width="24" height="12"/></svg> the window, check to flush</li></ul>
`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function clamp(ns: number, { from, to }: WindowRecord): number {
  return Math.min(to, Math.max(from, ns));
}

interface Lane {
  readonly cpu: number;
  readonly segments: readonly Segment[];
}

/** CPUs on which something of this mm is seen, the forker's first. */
function lanesOf(input: LaneInput): Lane[] {
  const { record, cpu, shades } = input;
  const cpus = new Set<number>([cpu, ...shades.map((shade) => shade.cpu)]);
  for (const event of record.events) if (event.namesMm && event.cpu >= 0) cpus.add(event.cpu);
  for (const [number, state] of record.before)
    if (state.loaded === true || state.active || state.tid === input.tid) cpus.add(number);
  const sorted = [...cpus].sort((a, b) => Number(b === cpu) - Number(a === cpu) || a - b);
  return sorted.map((number) => ({ cpu: number, segments: segmentsOf(input, number) }));
}

function segmentsOf(input: LaneInput, cpu: number): Segment[] {
  const { record } = input;
  let state: CpuState = record.before.get(cpu) ?? {
    tid: -1,
    comm: "",
    loaded: null,
    active: false,
    lazy: false,
  };
  let from = record.from;
  const out: Segment[] = [];
  const cut = (to: number): void => {
    if (to <= from) return;
    out.push({ from, to, state: laneState(input, cpu, state, from, to), name: state.comm });
    from = to;
  };
  for (const event of record.events) {
    if (event.cpu !== cpu) continue;
    const next = nextState(state, event);
    if (next === state) continue;
    cut(event.ns);
    state = next;
  }
  cut(record.to);
  return merged(out);
}

function laneState(input: LaneInput, cpu: number, state: CpuState, from: number, to: number): State {
  const { tid, loaded, active, lazy } = state;
  if (tid === input.tid) return "forker";
  // A trace without the switch before the window: the check itself says who runs on the forker's CPU.
  if (tid === -1 && cpu === input.cpu && from <= input.start && to >= input.start) return "forker";
  if (loaded === true) return lazy ? "lazy" : "user";
  if (!active) return "other";
  return loaded === null && lazy ? "lazy" : "kept";
}

function merged(segments: readonly Segment[]): Segment[] {
  const out: Segment[] = [];
  for (const segment of segments) {
    const last = out.at(-1);
    if (last !== undefined && last.state === segment.state && last.name === segment.name)
      out[out.length - 1] = { ...last, to: segment.to };
    else out.push(segment);
  }
  return out;
}

function laneMarkup(input: LaneInput, { cpu, segments }: Lane, top: number, x: (ns: number) => number): Html {
  const textOf = ({ state, name }: Segment): string =>
    state === "forker" && name === "" ? input.comm : name;
  const bars = segments.map((segment) => {
    const { from, to, state } = segment;
    const width = px(Math.max(0.8, x(to) - x(from)));
    return html`<rect class="${state}" x="${px(x(from))}" y="${top + 2}" width="${width}" height="${LANE - 10}"><title>${textOf(segment)} ${STATE_WORDS[state]}</title></rect>`;
  });
  const names = segments.map((segment) => {
    const { from, to, state } = segment;
    const text = textOf(segment);
    const room = Math.floor((x(to) - x(from) - 6) / NAME_PX);
    if (room < 3 || text === "") return null;
    const cut = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
    return html`<text class="name on-${state}" x="${px(x(from) + 4)}" y="${top + 16}">${cut}</text>`;
  });
  const shades = input.shades
    .filter((shade) => shade.cpu === cpu && !shade.isLazy)
    .map((shade) => {
      const from = x(shade.from);
      const width = Math.max(2, x(shade.to) - from);
      return html`<rect class="shade" x="${px(from)}" y="${top - 2}" width="${px(width)}" height="${LANE - 2}" fill="url(#hatch-${input.fork})"><title>${shade.label}</title></rect>`;
    });
  return html`<text class="cpu" x="4" y="${top + 16}">CPU ${cpu}${cpu === input.cpu ? " ●" : ""}</text>${bars}${shades}${names}\n`;
}

/** 1: the write lock on the mm is taken; -1: released. */
function lockEdge({ kind, flags }: WindowEvent): -1 | 0 | 1 {
  if ((flags & LOCK_WRITE) === 0) return 0;
  if (kind === EventKind.mmapLockAcquireReturned && (flags & LOCK_SUCCESS) !== 0) return 1;
  return kind === EventKind.mmapLockReleased ? -1 : 0;
}

function lockLane(input: LaneInput, top: number, x: (ns: number) => number): Html {
  const { record } = input;
  const held: (readonly [number, number])[] = [];
  let since: number | null = null;
  let isFirst = true;
  for (const event of record.events) {
    const edge = event.isMm ? lockEdge(event) : 0;
    if (edge === 0) continue;
    if (edge > 0) since = event.ns;
    else if (since !== null || isFirst) {
      held.push([since ?? record.from, event.ns]);
      since = null;
    }
    isFirst = false;
  }
  if (since !== null) held.push([since, record.to]);
  const bars = held.map(
    ([from, to]) =>
      html`<rect class="lock" x="${px(x(from))}" y="${top + 6}" width="${px(Math.max(1, x(to) - x(from)))}" height="10"/>`,
  );
  return html`<text class="cpu" x="4" y="${top + 16}">mmap_lock</text>${bars}\n`;
}

const SHARES = [0, 0.25, 0.5, 0.75, 1] as const;

function ticks({ start, end }: LaneInput, height: number, x: (ns: number) => number): Html {
  return html`${SHARES.map((share) => {
    const at = px(x(start + share * (end - start)));
    return html`<line class="tick" x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${height - 20}"/>`;
  })}\n`;
}

function axis({ start, end, unit }: LaneInput, height: number, x: (ns: number) => number): Html {
  const times = SHARES.map((share) => {
    const since = share * (end - start);
    const text = share === 0 ? "0" : `+${formatDuration(since, unit).replace(" us", " µs")}`;
    return html`<text class="time" x="${px(x(start + since))}" y="${height - 6}">${text}</text>`;
  });
  return html`${times}<text class="time" x="${px(x(start))}" y="${TOP - 14}">check</text><text class="time" x="${px(x(end))}" y="${TOP - 14}">end</text>`;
}

function describe(input: LaneInput, lanes: readonly Lane[]): string {
  const { comm, tid, cpu, shades, start, unit } = input;
  const users = shades
    .filter(({ isLazy }) => !isLazy)
    .map(
      ({ label, from, to }) =>
        `${label} from +${formatDuration(Math.max(0, from - start), unit)} to +${formatDuration(to - start, unit)}`,
    );
  const lazy = lanes
    .filter(({ segments }) => segments.some(({ state }) => state === "lazy" || state === "kept"))
    .map((lane) => `CPU ${lane.cpu}`);
  const sentences = [
    `${comm} tid ${tid} forks on CPU ${cpu}.`,
    users.length > 0
      ? `The mm is in use elsewhere by ${users.join("; ")}.`
      : "No other task uses the mm on another CPU inside the window.",
    ...(lazy.length > 0 ? [`Held lazily at some time by ${lazy.join(", ")}.`] : []),
  ];
  return sentences.join(" ");
}
