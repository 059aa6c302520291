#!/usr/bin/env bash
# Starts the origin in the background, as a process group of its own, and waits until it answers.
set -euo pipefail

folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/trustspec.XXXXXX")
log=$folder/origin.log

if ! [[ $WAIT_FOR =~ ^https?:// ]]; then
  echo '::error title=trustspec::What to wait for is no URL; set wait-for to one that the origin answers, with any status'
  exit 2
fi
if ! [[ $WAIT_SECONDS =~ ^[1-9][0-9]{0,3}$ ]]; then
  echo '::error title=trustspec::wait-seconds is no whole number from 1 to 9999'
  exit 2
fi

set -m
bash -c "$START" >"$log" 2>&1 </dev/null &
group=$!
set +m
printf 'group=%s\nlog=%s\n' "$group" "$log" >>"$GITHUB_OUTPUT"

fail() {
  # What the origin printed is no command to the runner.
  local token
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  echo "The last lines of the origin:"
  echo "::stop-commands::$token"
  tail -n 50 "$log"
  echo "::$token::"
  echo "::error title=trustspec::$1"
  exit 2
}

# Any answer will do: a protected route refuses.
answers() {
  curl --silent --globoff --insecure --output /dev/null --max-time 5 -- "$WAIT_FOR"
}

ended=''
until answers; do
  if [ -z "$ended" ] && ! kill -0 "$group" 2>/dev/null; then
    # One that ends well may have left the origin running, as docker compose up --detach does.
    if wait "$group"; then ended=yes; else fail "The origin ended with exit code $? before it answered"; fi
  fi
  if ((SECONDS >= WAIT_SECONDS)); then fail "The origin did not answer within $WAIT_SECONDS seconds"; fi
  sleep 0.2
done
echo "The origin answers after $SECONDS s; its log is in $log"
