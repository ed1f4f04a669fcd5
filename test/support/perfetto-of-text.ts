// What trace_processor would hold of a run that our recordings have as ftrace text: typed events with the field names of
// protos/perfetto/trace/ftrace/*.proto, probes as generic events with the fields of their format, addresses for functions.
import type { ArgValue, ExportEvent, ExportSpec } from "./perfetto-writer.ts";

/** Two forks of a task, a switch to its child, which takes two references. */
export const SPECIMEN = `# entries-in-buffer/entries-written: 9/9   #P:2
            bash-100     (    100) [000] .....     1.000100: dup_mmap: (dup_mmap+0x0/0x610) mm=0xff42a6ce82591680 oldmm=0xff42a6ce82594800 users=1 count=1
            bash-100     (    100) [000] .....     1.000200: dup_mmap_ret: ([unknown/kretprobe'd] <- dup_mmap) ret=0
            bash-100     (    100) [000] .....     1.000210: task_newtask: pid=101 comm=bash clone_flags=1200000 oom_score_adj=0
            bash-100     (    100) [000] .....     1.000220: sched_process_fork: comm=bash pid=100 child_comm=bash child_pid=101
            bash-100     (    100) [000] .....     1.000225: irq_handler_entry: irq=5 name=eth0
          <idle>-0       (-------) [001] d..2.     1.000230: sched_switch: prev_comm=swapper/1 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=bash next_pid=101 next_prio=120
            bash-101     (    101) [001] .....     1.000300: mmput: (mmput+0x0/0x30) mm=0xff42a6ce82591680 users=1 count=1
            bash-101     (    101) [001] .....     1.000310: mmput: (mmput+0x0/0x30) mm=0xff42a6ce82591680 users=1 count=1
            bash-100     (    100) [000] .....     1.000400: dup_mmap: (dup_mmap+0x0/0x610) mm=0xff42a6ce82591990 oldmm=0xff42a6ce82594800 users=1 count=1
            bash-100     (    100) [000] .....     1.000500: dup_mmap_ret: ([unknown/kretprobe'd] <- dup_mmap) ret=0
`;

type Args = (readonly [string, ArgValue])[];

const LINE =
  /^ *(.{1,16}?)-(\d+) +(?:\( *(\d+|-+)\) +)?\[(\d+)\] +(?:\S{4,7} +)?(\d+)\.(\d{6}): ([\w:]+)(\(| -> |: )(.*)$/;
const STATES: Readonly<Record<string, number>> = {
  R: 0,
  "R+": 256,
  S: 1,
  D: 2,
  T: 4,
  t: 8,
  X: 16,
  Z: 32,
  P: 64,
  I: 128,
};

/** An export of the text's events. */
export function perfettoOfText(text: string): ExportSpec {
  const tasks = new Tasks();
  const events: ExportEvent[] = [];
  const addresses = new Map<string, bigint>();
  let cpus = Number(/#P:(\d+)/.exec(text)?.[1] ?? 0);
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, comm = "", tid, tgid, cpu, seconds = "0", micros = "0", name = "", sign = "", body = ""] = match;
    const utid = tasks.met(Number(tid), comm, Number(tgid));
    cpus = Math.max(cpus, Number(cpu) + 1);
    const event = eventOf(name, sign, body, addresses);
    events.push({
      ts: BigInt(seconds) * 1_000_000_000n + BigInt(micros) * 1000n,
      ...event,
      utid,
      ucpu: Number(cpu),
    });
    if (name === "task_newtask") tasks.begin(Number(event.args[0]![1]));
  }
  return {
    events,
    threads: tasks.threads,
    processes: tasks.processes,
    cpus: Array.from({ length: cpus }, (_, cpu) => ({ cpu })),
  };
}

/** Threads and processes as ProcessTracker keeps them. */
class Tasks {
  readonly threads: { tid: number; name: string | null; upid: number | null }[] = [
    { tid: 0, name: "swapper", upid: null },
  ];
  readonly processes: number[] = [];
  readonly #utids = new Map<number, number>([[0, 0]]);

  /** The utid of a thread that an event is of; `tgid` is NaN when it is not printed. */
  met(tid: number, comm: string, tgid: number): number {
    const utid = this.#utids.get(tid) ?? this.begin(tid);
    const thread = this.threads[utid]!;
    if (tid !== 0) thread.name = comm;
    if (Number.isNaN(tgid)) return utid;
    const upid = this.processes.indexOf(tgid);
    thread.upid = upid < 0 ? this.processes.push(tgid) - 1 : upid;
    return utid;
  }

  /** Another thread begins at task_newtask, also when its tid was used before. */
  begin(tid: number): number {
    const utid = this.threads.push({ tid, name: null, upid: null }) - 1;
    this.#utids.set(tid, utid);
    return utid;
  }
}

function eventOf(
  name: string,
  sign: string,
  body: string,
  addresses: Map<string, bigint>,
): { readonly name: string; readonly args: Args } {
  // "sys_clone(clone_flags: 1200011, …)", "sys_clone -> 0x13fc"
  if (sign === " -> ") return { name: name.replace("sys_", "sys_exit_"), args: [["ret", hex(body)]] };
  if (sign === "(") {
    const flags = /clone_flags: ([0-9a-f]+)/.exec(body)?.[1];
    return {
      name: name.replace("sys_", "sys_enter_"),
      args: flags === undefined ? [["__syscall_nr", 1]] : [["clone_flags", hex(flags)]],
    };
  }
  const place = /^\((?:(\w[\w.]*)\+0x\w+\/0x\w+|[^()]* <- (\w+))\) ?(.*)$/.exec(body);
  if (place !== null) {
    const [, from, func, rest = ""] = place;
    const address = (symbol: string): bigint => {
      const known = addresses.get(symbol) ?? 0xffffffff81000000n + BigInt(addresses.size * 4096);
      addresses.set(symbol, known);
      return known;
    };
    const where: Args =
      func === undefined
        ? [["__probe_ip", address(from!)]]
        : [
            ["__probe_func", address(func)],
            ["__probe_ret_ip", 0xffffffff80000000n],
          ];
    return { name, args: [...where, ...words(rest)] };
  }
  return { name, args: typed(name, body) };
}

function typed(name: string, body: string): Args {
  switch (name) {
    case "sched_switch": {
      const m =
        /^prev_comm=(.*) prev_pid=(\d+) prev_prio=(-?\d+) prev_state=(\S+) ==> next_comm=(.*) next_pid=(\d+) next_prio=(-?\d+)$/.exec(
          body,
        )!;
      return [
        ["prev_comm", m[1]!],
        ["prev_pid", Number(m[2])],
        ["prev_prio", Number(m[3])],
        ["prev_state", STATES[m[4]!] ?? 1],
        ["next_comm", m[5]!],
        ["next_pid", Number(m[6])],
        ["next_prio", Number(m[7])],
      ];
    }
    case "task_newtask": {
      const m = /^pid=(\d+) comm=(.*) clone_flags=([0-9a-f]+) oom_score_adj=(-?\d+)$/.exec(body)!;
      return [
        ["pid", Number(m[1])],
        ["comm", m[2]!],
        ["clone_flags", hex(m[3]!)],
        ["oom_score_adj", Number(m[4])],
      ];
    }
    case "sched_process_fork": {
      const m = /^comm=(.*) pid=(\d+) child_comm=(.*) child_pid=(\d+)$/.exec(body)!;
      return [
        ["parent_comm", m[1]!],
        ["parent_pid", Number(m[2])],
        ["child_comm", m[3]!],
        ["child_pid", Number(m[4])],
      ];
    }
    case "sched_process_exit":
    case "sched_process_free":
    case "sched_migrate_task": {
      const m = /^comm=(.*) (pid=\d+ prio=.*)$/.exec(body)!;
      return [["comm", m[1]!], ...words(m[2]!)];
    }
    case "tlb_flush": {
      const m = /^pages:(-?\d+) reason:.* \((\d+)\)$/.exec(body)!;
      return [
        ["reason", Number(m[2])],
        ["pages", BigInt.asUintN(64, BigInt(m[1]!))],
      ];
    }
    case "tracing_mark_write":
      return [["buf", body]];
    default:
      return words(body);
  }
}

function hex(text: string): bigint {
  return BigInt(`0x${text.replace(/^0x/, "")}`);
}

/** "mm=ff2f70a182d43180 memcg_path=/ write=true pid=5" */
function words(text: string): Args {
  return [...text.matchAll(/(\w+)=(\S*)/g)].map(
    ([, key = "", value = ""]) => [key, cellOf(key, value)] as const,
  );
}

function cellOf(key: string, value: string): ArgValue {
  if (value === "true" || value === "false") return value === "true" ? 1 : 0;
  if (/^0x[0-9a-f]+$/.test(value) || (key === "mm" && /^[0-9a-f]{8,}$/.test(value))) return hex(value);
  return /^-?\d+$/.test(value) ? Number(value) : value;
}
