// The mix of events a long trace is made of: which lines, and how many, stand between those that a recording of ours
// holds. Used by workload.ts. The lines are printed as the tracepoints' own formats print them (events/*/*/format).

/** One kind of line forkcast has no use for. */
interface Filler {
  /** Lines of this kind in the recording that the mix is taken from. */
  readonly weight: number;
  /** What ftrace prints behind the time stamp; `n` makes one line unlike the last. */
  readonly ftrace: (n: number) => string;
  /** What perf script prints there. */
  readonly perf: (n: number) => string;
}

/** A mix: for each sched_switch of the recording, `perSwitch` lines of other kinds. */
export interface Mix {
  readonly what: string;
  readonly perSwitch: number;
  readonly fillers: readonly Filler[];
}

function stock(weight: number, group: string, name: string, body: (n: number) => string): Filler {
  return { weight, ftrace: (n) => `${name}: ${body(n)}`, perf: (n) => `${group}:${name}: ${body(n)}` };
}

/** A system call's entry and exit, as trace_print_syscalls.c and perf print them. */
function call(
  weight: number,
  name: string,
  args: (n: number, hex: (value: number) => string) => string,
): readonly Filler[] {
  const padded = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  return [
    {
      weight,
      ftrace: (n) => `sys_${name}(${args(n, (value) => value.toString(16))})`,
      perf: (n) => `syscalls:sys_enter_${name}: ${args(n, padded)}`,
    },
    {
      weight,
      ftrace: (n) => `sys_${name} -> 0x${(n % 4096).toString(16)}`,
      perf: (n) => `syscalls:sys_exit_${name}: 0x${(n % 4096).toString(16)}`,
    },
  ];
}

const WAKE = (n: number): string => `comm=bash pid=${2000 + (n % 900)} prio=120 target_cpu=00${n % 4}`;
const pointer = (n: number): string => `0x7ffd${(0x1000_0000 + n * 4096).toString(16).slice(-8)}`;

const CALLS: readonly Filler[] = [
  ...call(25_000, "read", (n, hex) => `fd: ${hex(n % 40)}, buf: ${pointer(n)}, count: ${hex(8192)}`),
  ...call(24_000, "close", (n, hex) => `fd: ${hex(n % 40)}`),
  ...call(
    18_000,
    "openat",
    (n, hex) => `dfd: ${hex(0xffff_ff9c)}, filename: ${pointer(n)}, flags: ${hex(0x8_0000)}, mode: ${hex(0)}`,
  ),
  ...call(15_000, "newstat", (n) => `filename: ${pointer(n)}, statbuf: ${pointer(n + 7)}`),
  ...call(12_000, "write", (n, hex) => `fd: ${hex(n % 40)}, buf: ${pointer(n)}, count: ${hex(n % 4096)}`),
  ...call(
    9_000,
    "poll",
    (n, hex) => `ufds: ${pointer(n)}, nfds: ${hex(n % 9)}, timeout_msecs: ${hex(n % 5000)}`,
  ),
];

export type MixName = "user" | "sched" | "dense";
export const MIX_NAMES: readonly MixName[] = ["user", "sched", "dense"];

export const MIXES: Readonly<Record<MixName, Mix>> = {
  // 280,137 events of which sched_switch 12,549, process forks 539; two of three lines are system calls.
  user: {
    what: "tracevizlab 103-apt (everything on, package manager): 21 other lines per sched_switch, 73 % of all are system calls",
    perSwitch: 21,
    fillers: [
      ...CALLS,
      stock(6_829, "sched", "sched_waking", WAKE),
      stock(6_829, "sched", "sched_wakeup", WAKE),
      stock(6_696, "irq", "softirq_raise", (n) => `vec=${1 + (n % 9)} [action=TIMER]`),
      stock(6_696, "irq", "softirq_entry", (n) => `vec=${1 + (n % 9)} [action=TIMER]`),
      stock(6_696, "irq", "softirq_exit", (n) => `vec=${1 + (n % 9)} [action=TIMER]`),
      stock(
        5_015,
        "timer",
        "hrtimer_start",
        (n) =>
          `hrtimer=000000008d01c2${n % 10}a function=tick_sched_timer expires=${374_000_000_000 + n * 1000} softexpires=${374_000_000_000 + n * 1000} mode=ABS`,
      ),
      stock(5_014, "timer", "hrtimer_cancel", (n) => `hrtimer=000000008d01c2${n % 10}a`),
      stock(
        1_953,
        "timer",
        "hrtimer_expire_entry",
        (n) => `hrtimer=000000008d01c2${n % 10}a function=tick_sched_timer now=${374_000_000_000 + n * 1000}`,
      ),
      stock(1_953, "timer", "hrtimer_expire_exit", (n) => `hrtimer=000000008d01c2${n % 10}a`),
      stock(1_795, "irq", "irq_handler_entry", (n) => `irq=${10 + (n % 30)} name=virtio1-req.0`),
      stock(1_795, "irq", "irq_handler_exit", (n) => `irq=${10 + (n % 30)} ret=handled`),
      stock(1_600, "block", "block_rq_issue", (n) => `254,0 R 4096 () ${n * 8} + 8 [bash]`),
      stock(1_600, "block", "block_rq_complete", (n) => `254,0 R () ${n * 8} + 8 [0]`),
    ],
  },
  // 336 events of which sched_switch 106.
  sched: {
    what: "panopticon ftrace.txt (sched:* on, desktop): two other lines per sched_switch",
    perSwitch: 2,
    fillers: [
      stock(
        76,
        "sched",
        "sched_stat_runtime",
        (n) => `comm=bash pid=${2000 + (n % 900)} runtime=${50_000 + n} [ns] vruntime=${9_000_000 + n} [ns]`,
      ),
      stock(55, "sched", "sched_waking", WAKE),
      stock(55, "sched", "sched_wakeup", WAKE),
      stock(28, "sched", "sched_wake_idle_without_ipi", (n) => `cpu=${n % 4}`),
    ],
  },
  dense: { what: "as recorded: every line is one forkcast uses", perSwitch: 0, fillers: [] },
};

/** Deals fillers in proportion to their weights, the same sequence every time. */
export class Dealer {
  readonly #piles: { readonly filler: Filler; readonly share: number; owed: number }[];
  #dealt = 0;

  constructor(mix: Mix) {
    const total = mix.fillers.reduce((sum, filler) => sum + filler.weight, 0);
    this.#piles = mix.fillers.map((filler) => ({ filler, share: filler.weight / total, owed: 0 }));
  }

  /** Body of the next line. */
  next(format: "ftrace" | "perf"): string {
    for (const pile of this.#piles) pile.owed += pile.share;
    const most = this.#piles.reduce((a, b) => (b.owed > a.owed ? b : a));
    most.owed -= 1;
    return most.filler[format](this.#dealt++);
  }
}
