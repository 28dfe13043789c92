#!/usr/bin/env bash
# Runs a command beside a Podman of this checkout's own, and ends that Podman afterwards:
#
#   .ci/podman.sh python -m pytest -m podman tests/sandbox/test_engines.py
#
# The command finds its address in PPO_TEST_PODMAN. Where there can be no Podman, PPO_TEST_PODMAN_WHY
# says why instead, and the tests skip with that reason. Images stay in .build/podman for the next
# time; the sandbox image's libraries are copied from the Docker engine, which has built them.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
state=$PWD/.build/podman
# Short on purpose: the path of a Unix socket may have 107 bytes, and a checkout may lie deep.
run=/run/jupyter-ppo-podman-$(printf '%s' "$PWD" | cksum | cut -d' ' -f1)
socket=$run/podman.sock
options=(--root "$state/root" --runroot "$run" --storage-driver overlay --cgroup-manager cgroupfs
  --events-backend none)
service=

say() { printf 'podman: %s\n' "$*" >&2; }

stop() {
  trap - EXIT
  if [ -n "$service" ]; then
    podman "${options[@]}" rm --all --force --time 0 >/dev/null 2>&1 </dev/null || true
    podman "${options[@]}" volume prune --force >/dev/null 2>&1 </dev/null || true
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  # Podman mounts its storage onto itself.
  umount "$state/root/overlay" 2>/dev/null || true
  rm -rf --one-file-system "$run"
}

# Starts the service and fills in the image; fails with the reason in $why.
start() {
  local deadline=$((SECONDS + 60))
  [ "$(id -u)" = 0 ] || { why="only root can run this Podman"; return 1; }
  .ci/setup.sh podman || { why="Podman is not installed"; return 1; }
  mkdir -p "$state" "$run"
  # Storage remembers its place; that of a checkout which was moved is of no more use.
  podman "${options[@]}" info >"$state/info.log" 2>&1 </dev/null ||
    { umount "$state/root/overlay" 2>/dev/null || true; rm -rf --one-file-system "$state/root"; }
  podman "${options[@]}" info >"$state/info.log" 2>&1 </dev/null ||
    { why="Podman cannot use this file system (log: .build/podman/info.log)"; return 1; }
  # In a folder of its own: Podman's monitor leaves a file "oom" where it works.
  (cd "$run" && exec podman "${options[@]}" system service --time=0 "unix://$socket") \
    >"$state/service.log" 2>&1 </dev/null 9>&- &
  service=$!
  until [ -S "$socket" ]; do
    if ! kill -0 "$service" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
      why="Podman's service did not start (log: .build/podman/service.log)"
      return 1
    fi
    sleep 0.1
  done
  python .ci/podman_image.py "unix://$socket" >"$state/image.log" 2>&1 </dev/null || {
    tail -n 20 "$state/image.log" >&2
    why="the sandbox image could not be brought into Podman (log: .build/podman/image.log)"
    return 1
  }
}

mkdir -p .build
exec 9>.build/podman.lock # one of a checkout at a time: they share the storage
flock 9
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if start; then
  export PPO_TEST_PODMAN=unix://$socket
else
  say "$why"
  export PPO_TEST_PODMAN_WHY=$why
fi
status=0
"$@" 9>&- || status=$?
exit "$status"
