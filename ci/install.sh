#!/usr/bin/env bash
# Installs what trustspec needs at run time beside the action itself.
set -euo pipefail

if ! version=$(node --version 2>/dev/null); then version='none'; fi
case $version in
  v22.2[2-9].* | v22.[3-9][0-9].* | v24.* | v2[6-9].* | v[3-9][0-9].*) ;;
  *)
    echo "::error title=trustspec::trustspec needs Node 22.22, 24, 26 or later, and this runner has $version; put actions/setup-node before this step"
    exit 2
    ;;
esac

cd "$ACTION_PATH"
# A second use in the same job finds it installed.
if ! [ -e node_modules/.package-lock.json ]; then
  npm ci --omit=dev --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
fi
