// An ftrace text whose forking tasks have names made to break out of whatever prints them. Every command that shows
// task names is run on it: they must stay text.

/** 15 bytes at most, as the kernel keeps them; one has bytes that are no UTF-8. */
export const HOSTILE_COMMS: readonly Uint8Array[] = [
  "</script>",
  "=cmd|' /C calc",
  "\u001b[31mred\u001b[0m",
  "a\u202egnp.exe",
  "x'); DROP --",
  "a|b`c`*d*[e](f)",
].map((text) => new TextEncoder().encode(text).subarray(0, 15));
const BROKEN_UTF8 = Uint8Array.of(0xff, 0xfe, 0x80, 0x41, 0xc3);

/** One fork a name, each with a window of 50 us that is measured, both counts 1; 2 CPUs. */
export function hostileTrace(): Uint8Array {
  const parts: Uint8Array[] = [
    bytes("# tracer: nop\n#\n# entries-in-buffer/entries-written: 9/9   #P:2\n#\n"),
  ];
  [...HOSTILE_COMMS, BROKEN_UTF8].forEach((comm, i) => {
    const tid = 100 + i;
    const line = (us: number, body: string): void => {
      const time = `1.${String(1000 * i + us).padStart(6, "0")}`;
      parts.push(bytes(" "), comm, bytes(`-${tid}     [000] d..1. ${time}: ${body}\n`));
    };
    const mm = `0xffff8880000${String(tid)}`;
    line(10, `uprobe_dup_mmap: (uprobe_dup_mmap+0x0/0x10) oldmm=${mm} newmm=${mm}0 users=1 count=1`);
    line(50, `flush_tlb_mm_range: (flush_tlb_mm_range+0x0/0x10) mm=${mm}`);
    line(60, "flush_tlb_mm_range_ret: (dup_mmap+0x0/0x10 <- flush_tlb_mm_range)");
    parts.push(
      bytes(" "),
      comm,
      bytes(`-${tid}     [000] d..1. 1.${String(1000 * i + 70).padStart(6, "0")}: sched_process_fork: comm=`),
      comm,
    );
    parts.push(bytes(` pid=${tid} child_comm=`), comm, bytes(` child_pid=${tid + 100}\n`));
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Whether text holds a control or format character other than a line end or tab: none may reach a terminal. */
export function hasControls(text: string): boolean {
  return /[\p{Cc}\p{Cf}]/u.test(text.replace(/[\n\t]/g, ""));
}
