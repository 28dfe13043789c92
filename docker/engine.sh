#!/usr/bin/env bash
# Finds or starts a Docker engine.
#
#   docker/engine.sh start    use the engine that answers; else, as root on Debian or Ubuntu, install
#                             docker.io and start a dockerd that belongs to this checkout
#   docker/engine.sh stop     end the dockerd that this checkout started, and nothing else
#   docker/engine.sh status   say which engine answers
#
# Exit status: 0 an engine answers (stop: none of ours runs any more), 3 there is none and one sentence
# on stderr says what to install, 1 anything else that went wrong.
#
# The dockerd of a checkout keeps its data, log and pid under .build/engine, so that a fresh clone
# shares nothing. It has no bridge and leaves the firewall alone: sandboxes have no network.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
state=$root/.build/engine
pid_file=$state/dockerd.pid
log=$state/dockerd.log
socket=/var/run/docker.sock
host=${DOCKER_HOST:-unix://$socket}
# Short on purpose: the path of a Unix socket may have 107 bytes, and a checkout may lie deep.
exec_root=/run/jupyter-ppo-$(printf '%s' "$root" | cksum | cut -d' ' -f1)

say() { printf 'engine: %s\n' "$*" >&2; }

none() {
  say "$*"
  exit 3
}

# Prints the version of the engine at $host; fails when none answers within a few seconds.
version() {
  case $host in
    unix://* | tcp://*) ;;
    *) timeout 20 docker version --format '{{.Server.Version}}' 2>/dev/null && return || return 1 ;;
  esac
  python3 - "$host" <<'PYTHON'
import http.client, json, socket, sys

kind, _, address = sys.argv[1].partition("://")
try:
    if kind == "unix":
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(10)
        connection.sock.connect(address)
    else:
        connection = http.client.HTTPConnection(address.rstrip("/"), timeout=10)
    connection.request("GET", "/version")
    print(json.load(connection.getresponse())["Version"])
except (OSError, ValueError, KeyError, http.client.HTTPException):
    sys.exit(1)
PYTHON
}

# The pid of our dockerd while it lives; a number that another program got since does not count.
ours() {
  local pid
  pid=$(cat "$pid_file" 2>/dev/null) || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "--data-root=$state/data" || return 1
  printf '%s\n' "$pid"
}

install_engine() {
  command -v dockerd >/dev/null && return
  command -v apt-get >/dev/null ||
    none "no container engine answers at $host; install Docker Engine, start it, and run this again."
  say "installing Debian's docker.io"
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get -q -o DPkg::Lock::Timeout=600 update || true
    apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends docker.io ca-certificates
  } >"$state/apt.log" 2>&1 </dev/null || {
    tail -n 20 "$state/apt.log" >&2
    none "apt-get could not install docker.io (see $state/apt.log); install Docker Engine by hand."
  }
}

# A machine without systemd may have no cgroups mounted; dockerd does not start then.
mount_cgroups() {
  [ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] && return
  command -v cgroupfs-mount >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q cgroupfs-mount >>"$state/apt.log" 2>&1 </dev/null || return 0
  cgroupfs-mount || true
}

start() {
  local answer pid deadline
  if answer=$(version); then
    say "Docker $answer answers at $host"
    return
  fi
  [ -z "${DOCKER_HOST:-}" ] ||
    none "nothing answers at DOCKER_HOST=$host; start that engine or unset DOCKER_HOST."
  [ "$(uname -s)" = Linux ] ||
    none "no container engine answers; install and start Docker Desktop (or any Docker Engine)."
  [ "$(id -u)" = 0 ] ||
    none "no container engine answers at $host; install Docker Engine (Debian, Ubuntu: sudo apt-get install docker.io), start it, and let $(id -un) use it (group docker)."
  mkdir -p "$state"
  # Two scripts of one checkout may start at once; the second finds the engine of the first.
  exec 9>"$state/lock"
  flock 9
  if answer=$(version); then
    say "Docker $answer answers at $host"
    return
  fi
  install_engine
  mount_cgroups
  mkdir -p "$exec_root"
  setsid nohup dockerd \
    --host="unix://$socket" --pidfile="$exec_root/dockerd.pid" \
    --data-root="$state/data" --exec-root="$exec_root" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    --log-level=warn >"$log" 2>&1 </dev/null 8>&- 9>&- &
  pid=$!
  printf '%s\n' "$pid" >"$pid_file"
  deadline=$((SECONDS + 120))
  until answer=$(version); do
    if ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
      tail -n 20 "$log" >&2
      kill "$pid" 2>/dev/null || true
      rm -f "$pid_file"
      none "dockerd did not start (log: $log); install and start a Docker Engine by hand."
    fi
    sleep 0.2
  done
  say "started Docker $answer (pid $pid, log $log)"
}

stop() {
  local pid deadline inner
  if ! pid=$(ours); then
    say "no dockerd of this checkout runs"
    rm -f "$pid_file"
    return
  fi
  inner=$(cat "$exec_root/containerd/containerd.pid" 2>/dev/null || true)
  kill "$pid"
  deadline=$((SECONDS + 60))
  while kill -0 "$pid" 2>/dev/null; do
    if [ $SECONDS -ge $deadline ]; then
      say "dockerd $pid does not stop; killing it"
      kill -KILL "$pid" 2>/dev/null || true
      sleep 1
      break
    fi
    sleep 0.2
  done
  # dockerd ends its containerd itself; only a killed dockerd leaves it behind.
  if [ -n "$inner" ] && grep -qa "$exec_root" "/proc/$inner/cmdline" 2>/dev/null; then
    kill "$inner" 2>/dev/null || true
  fi
  rm -f "$pid_file"
  rm -rf --one-file-system "$exec_root" 2>/dev/null || true
  say "stopped dockerd $pid"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status)
    answer=$(version) || none "no container engine answers at $host; run docker/engine.sh start."
    pid=$(ours) && say "Docker $answer answers at $host (started here, pid $pid)" ||
      say "Docker $answer answers at $host"
    ;;
  *)
    printf 'usage: %s start|stop|status\n' "$0" >&2
    exit 2
    ;;
esac
