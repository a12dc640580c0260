#!/bin/sh
# Lays a copy of the sources without a single compiled file into build/interpreted, for running them as plain Python.
set -eu
cd "$(dirname "$0")/.."
rm -rf build/interpreted
mkdir -p build/interpreted
cp -R src/cachery build/interpreted/cachery
find build/interpreted \( -name '*.so' -o -name '*.pyd' -o -name '__pycache__' \) -prune -exec rm -rf {} +
