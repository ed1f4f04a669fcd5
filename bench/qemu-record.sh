#!/bin/bash
# Runs a recipe for real: boots a kernel in qemu with an initramfs of busybox, records a shell workload with the recipe's
# script, and analyzes what came out. Not part of CI.
#
#   bench/qemu-record.sh VMLINUZ TOOL OUTDIR      TOOL: tracefs, trace-cmd, perf or bpftrace
#
# The last three are taken, with their libraries, from ROOTFS (a tree made by debootstrap, say; / by default), bpftool too where it is there.
# Needs qemu-system-x86_64, busybox (static), cpio, gzip and a built forkcast; shellcheck-clean. It emulates (about a minute), unless
# ACCEL=kvm says otherwise. CPUS (4), SECONDS_TO_RECORD (5). Debian kernels need no module for this. WORKLOAD: a script in the place of
# the one below. EDIT: what sed changes in the recipe's script, 's/-C mono/-C global/' for another clock. APPEND: more kernel parameters.
set -euo pipefail
vmlinuz=$1 tool=$2 out=$3
cpus=${CPUS:-4} secs=${SECONDS_TO_RECORD:-5}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work"/root/{bin,proc,sys,dev,tmp,run}
cp "$(command -v busybox)" "$work/root/bin/busybox"

rootfs=$(cd "${ROOTFS:-/}" && pwd)
rootfs=${rootfs%/}
# A program of ROOTFS with its libraries, at the same paths. Its own loader lists them: the libraries here may be older.
take() {
  local file program
  program=$(PATH="$rootfs/usr/local/bin:$rootfs/usr/bin:$rootfs/usr/sbin" command -v "$1") || { echo "no $1 in ${rootfs:-/}" >&2; return 1; }
  for file in "$program" $("$rootfs/lib64/ld-linux-x86-64.so.2" --inhibit-cache --library-path \
    "$rootfs/usr/lib/x86_64-linux-gnu:$rootfs/usr/lib" --list "$program" | grep -o '/[^ )]*'); do
    mkdir -p "$work/root$(dirname "${file#"$rootfs"}")"
    cp -L "$file" "$work/root${file#"$rootfs"}"
  done
  mkdir -p "$work/root/lib64"
  cp -L "$rootfs/lib64/ld-linux-x86-64.so.2" "$work/root/lib64/"
}
case $tool in
  trace-cmd) take trace-cmd ;;
  perf) take perf ;;
  bpftrace) take bpftrace ;;
esac
take bpftool 2>/dev/null || true

node "$here/dist/cli/main.js" recipe "$tool" | sed "${EDIT:-}" >"$work/root/record.sh"
cat "${WORKLOAD:-/dev/stdin}" >"$work/root/workload.sh" <<'EOF'
# Forks with and without exec, pipelines, readers of /proc, and tasks that keep the other CPUs busy for a while.
( i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done ) &
( i=0; while [ $i -lt 60 ]; do cat /proc/1/maps /proc/self/status >/dev/null; usleep 20000; i=$((i+1)); done ) &
i=0
while [ $i -lt 120 ]; do
  ( : )
  /bin/busybox true
  x=$(echo a | /bin/busybox tr a b)
  usleep 5000
  i=$((i+1))
done
wait
EOF
cat >"$work/root/init" <<EOF
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin:/sbin:/usr/local/bin HOME=/
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mount -t tracefs nodev /sys/kernel/tracing; mount -t debugfs nodev /sys/kernel/debug
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
ln -s /proc/self/fd /dev/fd
cd /tmp
echo "guest \$(uname -r) \$(nproc) CPUs"
FC_COMMAND='sh /workload.sh; sleep $secs' sh /record.sh
echo "recipe exit \$?"
echo "left behind: \$(cat /sys/kernel/tracing/kprobe_events | wc -l) probes, \$(ls /sys/kernel/tracing/instances | wc -l) instances, \$(ls /tmp)"
stty -F /dev/ttyS1 raw
tar cf - * | gzip -c >/dev/ttyS1
sleep 1
poweroff -f
EOF
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"

accel=${ACCEL:-tcg,thread=multi}

cpu=max; [ "$accel" = kvm ] && cpu=max,-arch-capabilities
# With several threads the emulator can run a patched instruction half old, half new: an int3 oops or a hang (7.2.13 in QEMU 7.2, one boot
# of four). Then again, three times at most.
for attempt in 1 2 3; do
  timeout "${LIMIT:-900}" nice qemu-system-x86_64 -accel "$accel" -cpu "$cpu" -smp "$cpus" -m 2G -nographic -no-reboot -nodefaults \
    -serial "file:$out/console.log" -serial "file:$work/out.tgz" \
    -kernel "$vmlinuz" -initrd "$work/initrd.gz" \
    -append "console=ttyS0 quiet panic=-1 tsc=reliable clocksource=tsc no_timer_check mitigations=off ${APPEND:-}" || true
  if grep -q '^left behind:' "$out/console.log"; then break; fi
  echo "attempt $attempt: the guest died" >&2
done
cat "$out/console.log"
tar xzf "$work/out.tgz" -C "$out"
for trace in "$out"/trace.txt "$out"/trace.csv "$out"/trace.dat "$out"/perf.data; do [ -e "$trace" ] && break; done
node "$here/dist/cli/main.js" doctor "$trace"
node "$here/dist/cli/main.js" analyze "$trace" -o "$out/result"
