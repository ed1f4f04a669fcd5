// The description of a tracepoint's record as the kernel prints it, events/<system>/<event>/format:
//   name: sched_switch
//   ID: 319
//   format:
//   	field:char prev_comm[16];	offset:8;	size:16;	signed:1;
//   	field:__data_loc char[] filename;	offset:8;	size:4;	signed:1;
// (f_show(), kernel/trace/trace_events.c). Recordings carry these texts; every field is read where its text says.

/** How a field's bytes are to be taken. */
export type FieldShape = "number" | "array" | "data-loc" | "rel-loc";

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly isSigned: boolean;
  readonly shape: FieldShape;
}

export interface EventFormat {
  readonly id: number;
  readonly system: string;
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
}

/** Largest record the ring buffer holds is a page; sub-buffers of 6.8 and later can be larger, up to 64 KiB and more. */
const MAX_OFFSET = 1 << 20;
const MAX_FIELDS = 1024;

/** Reads a format text; null when it has no name, no ID or a field line that cannot be. */
export function parseEventFormat(text: string, system: string): EventFormat | null {
  const name = /^name: (\S+)/m.exec(text)?.[1];
  const id = /^ID: (\d{1,9})\s*$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) return null;
  const fields = new Map<string, Field>();
  for (const line of text.matchAll(
    /^\s*field:([^;]*);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d+);)?/gm,
  )) {
    const field = fieldOf(line[1] ?? "", Number(line[2]), Number(line[3]), line[4]);
    if (field === null || fields.size >= MAX_FIELDS) return null;
    if (!fields.has(field.name)) fields.set(field.name, field);
  }
  return { id: Number(id), system, name, fields };
}

/** "unsigned char common_flags", "char prev_comm[16]", "__data_loc char[] filename", "u64 args[6]", "char buf[]". */
function fieldOf(
  declaration: string,
  offset: number,
  size: number,
  signed: string | undefined,
): Field | null {
  const match = /^(.*?)\s*\b([A-Za-z_]\w*)\s*((?:\[[^\]]*\])*)\s*$/.exec(declaration);
  if (match === null || offset > MAX_OFFSET || size > MAX_OFFSET) return null;
  const [, type = "", name = "", brackets = ""] = match;
  return { name, offset, size, isSigned: signed === "1", shape: shapeOf(type, brackets, size) };
}

function shapeOf(type: string, brackets: string, size: number): FieldShape {
  if (type.startsWith("__data_loc") && size === 4) return "data-loc";
  if (type.startsWith("__rel_loc") && size === 4) return "rel-loc";
  if (brackets !== "") return "array";
  return size === 1 || size === 2 || size === 4 || size === 8 ? "number" : "array";
}
