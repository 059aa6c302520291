#!/usr/bin/env bash
# Ends the process group of the origin: kindly, and after five seconds surely.
set -euo pipefail

[[ ${GROUP:-} =~ ^[1-9][0-9]*$ ]] || exit 0
kill -TERM -- "-$GROUP" 2>/dev/null || exit 0
until ! kill -0 -- "-$GROUP" 2>/dev/null; do
  if ((SECONDS >= 5)); then
    kill -KILL -- "-$GROUP" 2>/dev/null || true
    break
  fi
  sleep 0.1
done
