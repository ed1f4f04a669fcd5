import type { Check } from "../policies/policy.ts";
import type { Op } from "./bound.ts";
import type { Step } from "./steps.ts";
import type { System } from "./system.ts";
export class Recorder {
  step(_s: System, _step: Step): void {}
  settled(_s: System, _cpu: number): void {}
  schedSwitch(_s: System, _cpu: number, _prev: number, _next: number): void {}
  enterLazyTlb(_cpu: number, _prev: number, _next: number, _mm: number): void {}
  switchMm(_cpu: number, _prev: number, _next: number, _from: number, _to: number): void {}
  check(_s: System, _cpu: number, _check: Check, _op: Op): void {}
  copyPageRange(_s: System, _cpu: number): void {}
  forked(_s: System, _cpu: number): void {}
  flush(_s: System, _cpu: number): void {}
  leaveLazy(_s: System, _cpu: number): void {}
  flushed(_s: System, _cpu: number): void {}
  exitMm(_s: System, _cpu: number, _task: number): void {}
  execMmRelease(_s: System, _cpu: number, _task: number): void {}
  execMmap(_s: System, _cpu: number, _task: number): void {}
  mmput(_s: System, _cpu: number, _task: number): void {}
  getTaskMm(_s: System, _cpu: number, _task: number): void {}
  gotTaskMm(_s: System, _cpu: number, _task: number): void {}
  kthreadUseMm(_s: System, _cpu: number, _task: number): void {}
  kthreadUnuseMm(_s: System, _cpu: number, _task: number): void {}
}
