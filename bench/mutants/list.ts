// The mutants of npm run mutants: each breaks one rule of docs/model.md or of a policy. `find` stands in `file` exactly once.

export interface Mutant {
  /** The rule, as it holds. */
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    rule: "a user that leaves a CPU to a kernel task leaves a lazy reference",
    file: "src/replay/model/switching.ts",
    find: "      park(m, cpu, prevUsing, prev, tasks.borrowed[prev]! >= 0 ? Left.borrower : Left.switched);\n",
    replace: "",
  },
  {
    rule: "a lazy reference counts only when its mmgrab is proven",
    file: "src/replay/model/switching.ts",
    find: "    cpus.pendingGrab[cpu] = life;\n    cpus.grabStage[cpu] = GrabStage.lazy;",
    replace: "    cpus.grabStage[cpu] = GrabStage.lazy;",
  },
  {
    rule: "a task picked elsewhere proves the grab it left behind",
    file: "src/replay/model/switching.ts",
    find: "  if (next !== IDLE) settleLeftBehind(m, cpu, next);\n",
    replace: "",
  },
  {
    rule: "a drop after kernel to user is open until the task's own next event",
    file: "src/replay/model/switching.ts",
    find: "  cpus.pendingDrop[cpu] = prevUsing >= 0 ? NO_LIFE : from;",
    replace: "  cpus.pendingDrop[cpu] = NO_LIFE;",
  },
  {
    rule: "kthread_use_mm makes the kthread a borrower",
    file: "src/replay/model/switching.ts",
    find: "    beginBorrow(m, task, life);\n    tasks.borrowSeq[task] = seq;",
    replace: "    tasks.borrowSeq[task] = seq;",
  },
  {
    rule: "kthread_unuse_mm turns the reference into the CPU's lazy one",
    file: "src/replay/model/switching.ts",
    find: "  park(m, cpu, life, task, Left.borrower);\n  cpus.pendingGrab[cpu]",
    replace: "  m.world.setLazy(cpu, NO_LIFE);\n  cpus.pendingGrab[cpu]",
  },
  {
    rule: "exit_mm leaves the CPU lazily on the mm",
    file: "src/replay/model/switching.ts",
    find: "  park(m, cpu, life, task, Left.exit);\n  setActive(m, cpu, task, NO_LIFE);\n}\n\n/** kthread_use_mm() called",
    replace: "  setActive(m, cpu, task, NO_LIFE);\n}\n\n/** kthread_use_mm() called",
  },
  {
    rule: "exec gives the task the new mm",
    file: "src/replay/model/switching.ts",
    find: "  join(m, task, life, true);\n  tasks.execNew[task] = NO_LIFE;",
    replace: "  tasks.execNew[task] = NO_LIFE;",
  },
  {
    rule: "a borrow with no reference shown proves a hidden holder",
    file: "src/replay/model/switching.ts",
    find: "if (!isBacked(m, task, life)) mms.hiddenHolder[life] = 1;\n    if (cpu >= 0) {",
    replace: "if (cpu >= 0) {",
  },
  {
    rule: "a seen get raises mm_users",
    file: "src/replay/model/users.ts",
    find: "  mms.sum[life]! += 1;\n  mms.joinSeq[life] = world.seq;",
    replace: "  mms.joinSeq[life] = world.seq;",
  },
  {
    rule: "a put is open until its caller goes on",
    file: "src/replay/model/users.ts",
    find: "  tasks.pendingPut[task] = life;\n  mms.pendingPuts[life]! += 1;",
    replace: "  tasks.pendingPut[task] = life;",
  },
  {
    rule: "a put nobody's seen get explains proves a hidden get",
    file: "src/replay/model/users.ts",
    find: "  forks.patchUsers(world, life, from, world.seq, 0, 1, Doubt.hiddenGet);\n",
    replace: "",
  },
  {
    rule: "CLONE_VM adds a user",
    file: "src/replay/model/users.ts",
    find: "  join(m, child, life, true);\n  mms.sum[life]! += 1;",
    replace: "  join(m, child, life, true);",
  },
  {
    rule: "an io_uring ring may hold mm_count",
    file: "src/replay/model/users.ts",
    find: "    mms.rings[life]! += 1;\n",
    replace: "",
  },
  {
    rule: "an opener may hold a /proc file until its death",
    file: "src/replay/model/users.ts",
    find: "  mms.procFds[life]! += 1;\n",
    replace: "",
  },
  {
    rule: "__khugepaged_enter holds mm_count",
    file: "src/replay/lower.ts",
    find: "      registered(r, task, mms.of(b.mm[i]!), mms.khugepaged, Note.khugepaged);\n",
    replace: "",
  },
  {
    rule: "mm_init begins a life at a reused address",
    file: "src/replay/lower.ts",
    find: "      if (old >= 0) mms.unbind(old);\n      const life = mms.create(label, world.seq, task);",
    replace: "      const life = old >= 0 ? old : mms.create(label, world.seq, task);",
  },
  {
    rule: "a lock's waiters are the calls inside the window",
    file: "src/replay/lower.ts",
    find: '      noteCall(r, life, "kthread_use_mm", task, b.comm[i]!);\n',
    replace: "",
  },
  {
    rule: "a failed fork is none",
    file: "src/replay/lower.ts",
    find: "        windows.drop(attempt);",
    replace: "        windows.finish(attempt, END.copy_process_ret, -1);",
  },
  {
    rule: "events without a switch to their task are a gap",
    file: "src/replay/context.ts",
    find: "    loseSince(r, cpu, lastSeq, lastNs);\n",
    replace: "    forgetCpu(r, cpu);\n",
  },
  {
    rule: "mm_users is exact only for mms born in the trace",
    file: "src/replay/counts.ts",
    find: "    mms.birth[life]! >= 0 &&\n    mms.hiddenHolder[life] === 0 &&\n    forks.usersLow[row]! >= 1;",
    replace: "    mms.hiddenHolder[life] === 0 &&\n    forks.usersLow[row]! >= 1;",
  },
  {
    rule: "mm_count is exact only where khugepaged is proven armed",
    file: "src/replay/counts.ts",
    find: "    armed.khugepaged &&\n    armed.mmput",
    replace: "    armed.mmput",
  },
  {
    rule: "lazy references count",
    file: "src/replay/evaluate.ts",
    find: "const low = 1 + lazyRefs - grabs",
    replace: "const low = 1 - grabs",
  },
  {
    rule: "borrowers count",
    file: "src/replay/evaluate.ts",
    find: " + mms.borrows[life]! + mms.khugepaged[life]! + mms.ksm[life]!;\n  f.countLow",
    replace: " + mms.khugepaged[life]! + mms.ksm[life]!;\n  f.countLow",
  },
  {
    rule: "the forker's own CPU is no exposure",
    file: "src/replay/windows.ts",
    find: "} else if (cpu !== attempt.forkerCpu) this.#elsewhere",
    replace: "} else this.#elsewhere",
  },
  {
    rule: "mm-count-only reads mm_count",
    file: "src/replay/policies/mm-count-only.ts",
    find: "is(check.count, 1)",
    replace: "is(check.users, 1)",
  },
  {
    rule: "counts-unlocked reads both",
    file: "src/replay/policies/counts-unlocked.ts",
    find: "is(check.users, 1), is(check.count, 1)",
    replace: "is(check.users, 1)",
  },
  {
    rule: "users-only reads mm_users",
    file: "src/replay/policies/users-only.ts",
    find: "is(check.users, 1)",
    replace: "is(check.count, 1)",
  },
  {
    rule: "get-task-mm keeps out a diverted get",
    file: "src/replay/policies/get-task-mm.ts",
    find: "entry.gotInside",
    replace: "false",
  },
  {
    rule: "fork-lock keeps out a borrower",
    file: "src/replay/policies/fork-lock.ts",
    find: "entry.borrowedInside",
    replace: "false",
  },
  {
    rule: "mmap-lock keeps out a borrower",
    file: "src/replay/policies/mmap-lock.ts",
    find: "entry.borrowedInside",
    replace: "false",
  },
  {
    rule: "users-mmap-lock counts borrowers as users",
    file: "src/replay/policies/users-mmap-lock.ts",
    find: ", is(check.borrowers, 0)",
    replace: "",
  },
  {
    rule: "cpumask reads the other CPUs",
    file: "src/replay/policies/cpumask.ts",
    find: "is(check.otherCpus, 0)",
    replace: "is(check.users, 1)",
  },
  {
    rule: "always-atomic never is fast",
    file: "src/replay/policies/always-atomic.ts",
    find: '"slow"',
    replace: '"fast"',
  },
  {
    rule: "a decision on a lower bound is indeterminate",
    file: "src/replay/policies/policy.ts",
    find: '  if (!counted.exact) return "unknown";\n',
    replace: "",
  },
];
