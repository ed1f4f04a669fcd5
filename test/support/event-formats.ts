// Format texts as a kernel prints them for a given word size, and records laid out by them, for tests.
import { ByteWriter } from "./byte-writer.ts";

export interface FieldSpec {
  readonly declaration: string;
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
}

export interface EventSpec {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  readonly fields: readonly FieldSpec[];
}

const field = (declaration: string, name: string, size: number, signed = false): FieldSpec => ({
  declaration,
  name,
  size,
  signed,
});

const COMMON: readonly FieldSpec[] = [
  field("unsigned short common_type", "common_type", 2),
  field("unsigned char common_flags", "common_flags", 1),
  field("unsigned char common_preempt_count", "common_preempt_count", 1),
  field("int common_pid", "common_pid", 4, true),
];

/** sched_switch, task_newtask and a kprobe on mmput, as a kernel whose long has `long` bytes describes them. */
export function eventSpecs(long: number): readonly EventSpec[] {
  return [
    {
      system: "sched",
      name: "sched_switch",
      id: 319,
      fields: [
        field("char prev_comm[16]", "prev_comm", 16, true),
        field("pid_t prev_pid", "prev_pid", 4, true),
        field("int prev_prio", "prev_prio", 4, true),
        field("long prev_state", "prev_state", long, true),
        field("char next_comm[16]", "next_comm", 16, true),
        field("pid_t next_pid", "next_pid", 4, true),
        field("int next_prio", "next_prio", 4, true),
      ],
    },
    {
      system: "task",
      name: "task_newtask",
      id: 110,
      fields: [
        field("pid_t pid", "pid", 4, true),
        field("char comm[16]", "comm", 16, true),
        field("unsigned long clone_flags", "clone_flags", long),
        field("short oom_score_adj", "oom_score_adj", 2, true),
      ],
    },
    {
      system: "kprobes",
      name: "p_mmput_0",
      id: 1493,
      fields: [
        field("unsigned long __probe_ip", "__probe_ip", long),
        field("u64 mm", "mm", 8),
        field("s32 users", "users", 4, true),
      ],
    },
    { system: "irq", name: "softirq_raise", id: 140, fields: [field("unsigned int vec", "vec", 4)] },
  ];
}

/** Offset of each field, one behind the other (kprobes do not align either). */
function offsets(spec: EventSpec): number[] {
  const sizes = [...COMMON, ...spec.fields].map(({ size }) => size);
  return sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
}

const PRINT: Readonly<Record<string, string>> = {
  sched_switch:
    '"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%ld ==> next_comm=%s next_pid=%d next_prio=%d", REC->prev_comm, REC->prev_pid, REC->prev_prio, REC->prev_state, REC->next_comm, REC->next_pid, REC->next_prio',
  task_newtask:
    '"pid=%d comm=%s clone_flags=%lx oom_score_adj=%hd", REC->pid, REC->comm, REC->clone_flags, REC->oom_score_adj',
  p_mmput_0: '"(%lx) mm=0x%Lx users=%d", REC->__probe_ip, REC->mm, REC->users',
  softirq_raise: '"vec=%u", REC->vec',
};

/** The text of events/<system>/<name>/format. */
export function formatText(spec: EventSpec): string {
  const at = offsets(spec);
  const line = ({ declaration, size, signed }: FieldSpec, i: number): string =>
    `\tfield:${declaration};\toffset:${at[i]};\tsize:${size};\tsigned:${signed ? 1 : 0};\n`;
  const common = COMMON.map(line).join("");
  const own = spec.fields.map((f, i) => line(f, i + COMMON.length)).join("");
  return `name: ${spec.name}\nID: ${spec.id}\nformat:\n${common}\n${own}\nprint fmt: ${PRINT[spec.name] ?? '""'}\n`;
}

/** A record of the event; `values` by field name, those of common_pid included. */
export function recordOf(
  spec: EventSpec,
  big: boolean,
  values: Readonly<Record<string, string | number | bigint>>,
): Uint8Array {
  const w = new ByteWriter(big);
  for (const { name, size } of [...COMMON, ...spec.fields]) {
    const value = name === "common_type" ? spec.id : (values[name] ?? 0);
    if (typeof value === "string") w.text(value.slice(0, size - 1).padEnd(size, "\0"));
    else w.int(size, value);
  }
  return w.take();
}
