#!/usr/bin/env bash
# Runs trustspec with what the inputs say, and tells the steps behind it what came of it.
set -euo pipefail
# Words of inputs are no patterns of file names.
set -f

usage() {
  echo "::error title=trustspec::$1"
  exit 2
}

case $REPORT_FOLDER in
  '' | *$'\n'*) usage 'report-folder is the name of a folder' ;;
esac
mkdir -p "$REPORT_FOLDER"
folder=$(cd "$REPORT_FOLDER" && pwd)

arguments=(run)
flag() {
  if [ -n "$2" ]; then arguments+=("--$1=$2"); fi
}
flag as "$AS"
flag exec "$EXEC"
flag config "$CONFIG"
flag baseline "$BASELINE"
flag fail-on "$FAIL_ON"
flag edition "$EDITION"
flag source "$SOURCE"
case $STRICT in
  true) arguments+=(--strict) ;;
  false | '') ;;
  *) usage 'strict is true or false' ;;
esac

# Words as a shell reads them, quotes and all, with nothing of them executed or expanded.
if [ -n "${ARGS//[[:space:]]/}" ]; then
  words=$(mktemp)
  xargs printf '%s\0' <<<"$ARGS" >"$words" 2>/dev/null || usage 'A quote in args is not closed'
  while IFS= read -r -d '' word; do arguments+=("$word"); done <"$words"
  rm "$words"
fi

file_of() {
  case $1 in
    html) echo report.html ;;
    json) echo report.json ;;
    junit) echo junit.xml ;;
    sarif) echo trustspec.sarif ;;
    ctrf) echo ctrf.json ;;
    markdown) echo report.md ;;
    badge) echo badge.json ;;
    *) return 1 ;;
  esac
}

kinds=${REPORTS//,/ }
for kind in $kinds; do
  name=$(file_of "$kind") || usage 'reports is a list out of html, json, junit, sarif, ctrf, markdown and badge'
  # What a run before this one left there says nothing of this one.
  rm -f "$folder/$name"
  case $kind in
    json) arguments+=("--json=$folder/$name") ;;
    *) arguments+=("--report=$kind=$folder/$name") ;;
  esac
done

rm -f "$folder/evidence.json"
if [ -n "${TRUSTSPEC_EVIDENCE_KEY:-}" ]; then
  arguments+=("--evidence=$folder/evidence.json")
  if [ -n "${GITHUB_SHA:-}" ]; then
    arguments+=("--subject=git+$GITHUB_SERVER_URL/$GITHUB_REPOSITORY@gitCommit:$GITHUB_SHA")
  fi
  for subject in $SUBJECT; do arguments+=("--subject=$subject"); done
elif [ -n "$SUBJECT" ]; then
  usage 'subject says what evidence is about, and evidence needs evidence-key'
fi
if [ -n "$URL" ]; then arguments+=(-- "$URL"); fi

code=0
node "$ACTION_PATH/harness/cli/main.ts" "${arguments[@]}" || code=$?

case $code in
  0) verdict=conforms ;;
  1) verdict=nonconforming ;;
  *) verdict=error ;;
esac
{
  printf 'exit-code=%s\nverdict=%s\nfolder=%s\n' "$code" "$verdict" "$folder"
  for kind in $kinds; do
    name=$(file_of "$kind")
    if [ -e "$folder/$name" ]; then printf '%s=%s\n' "$kind" "$folder/$name"; fi
  done
  if [ -e "$folder/evidence.json" ]; then printf 'evidence=%s\n' "$folder/evidence.json"; fi
} >>"$GITHUB_OUTPUT"
exit "$code"
