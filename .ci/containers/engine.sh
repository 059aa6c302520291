#!/usr/bin/env bash
# engine.sh start: makes sure that a Docker engine runs; installs and starts one where there is none (Debian, as root).
#                  Exit code 1, and the reason, where that cannot be done.
# engine.sh stop:  stops the engine if it was started here, and nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."

state=.trustspec/engine
pid_file=$state/dockerd.pid

runs() { docker version >/dev/null 2>&1; }

cannot() {
  echo "No Docker engine: $1"
  exit 1
}

start() {
  if runs; then return; fi
  [ "$(id -u)" = 0 ] || cannot 'none runs, and only root can start one'
  local wanted=()
  for pair in dockerd:docker.io iptables:iptables debootstrap:debootstrap; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || wanted+=("${pair##*:}")
  done
  if [ ${#wanted[@]} -gt 0 ]; then
    command -v apt-get >/dev/null 2>&1 || cannot "none is installed (${wanted[*]}), and this is no Debian"
    echo "Installing ${wanted[*]}"
    apt-get update -qq
    # Its service is not to be started by the package: here it is started and stopped by this script.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null ||
      cannot 'its packages cannot be installed'
  fi
  if runs; then return; fi
  mkdir -p "$state"
  setsid dockerd >"$state/dockerd.log" 2>&1 &
  echo $! >"$pid_file"
  for _ in $(seq 120); do
    if runs; then
      echo "Docker $(docker version --format '{{.Server.Version}}') started"
      return
    fi
    kill -0 "$(cat "$pid_file")" 2>/dev/null || break
    sleep 0.5
  done
  tail -5 "$state/dockerd.log"
  stop
  cannot 'it does not start on this machine'
}

stop() {
  [ -f "$pid_file" ] || return 0
  local pid
  pid=$(cat "$pid_file")
  rm -f "$pid_file"
  # The engine stops its containers, and containerd, which it started.
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 60); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.5
  done
  kill -KILL "$pid" 2>/dev/null || true
}

case ${1:-} in
start) start ;;
stop) stop ;;
*)
  echo 'engine.sh start|stop' >&2
  exit 2
  ;;
esac
