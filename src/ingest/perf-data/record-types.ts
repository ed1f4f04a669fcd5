// Types of perf.data's records and their names, as perf report -D prints them: the kernel's below 64
// (include/uapi/linux/perf_event.h), perf's own from there on (tools/lib/perf/include/perf/event.h), as of 7.0.

/** Records that the kernel writes. */
export const RECORD = {
  mmap: 1,
  lost: 2,
  comm: 3,
  exit: 4,
  throttle: 5,
  unthrottle: 6,
  fork: 7,
  read: 8,
  sample: 9,
  mmap2: 10,
  aux: 11,
  itraceStart: 12,
  lostSamples: 13,
  switch: 14,
  switchCpuWide: 15,
  namespaces: 16,
  ksymbol: 17,
  bpfEvent: 18,
  cgroup: 19,
  textPoke: 20,
  auxOutputHwId: 21,
  callchainDeferred: 22,
} as const;

/** Records that perf writes; `compressed2` came with 6.16. */
export const PERF_RECORD = {
  headerAttr: 64,
  headerEventType: 65,
  headerTracingData: 66,
  headerBuildId: 67,
  finishedRound: 68,
  idIndex: 69,
  auxtraceInfo: 70,
  auxtrace: 71,
  auxtraceError: 72,
  threadMap: 73,
  cpuMap: 74,
  statConfig: 75,
  stat: 76,
  statRound: 77,
  eventUpdate: 78,
  timeConv: 79,
  headerFeature: 80,
  compressed: 81,
  finishedInit: 82,
  compressed2: 83,
  bpfMetadata: 84,
  schedstatCpu: 85,
  schedstatDomain: 86,
} as const;

/** The first type that is perf's own. */
export const FIRST_OF_PERF = 64;

const NAMES: ReadonlyMap<number, string> = new Map(
  [RECORD, PERF_RECORD].flatMap((types) =>
    Object.entries(types).map(([name, type]): [number, string] => [
      type,
      `PERF_RECORD_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`,
    ]),
  ),
);

/** "PERF_RECORD_MMAP2"; "PERF_RECORD 99" of a type that is not known. */
export function nameOfRecord(type: number): string {
  return NAMES.get(type) ?? `PERF_RECORD ${type}`;
}
