#!/bin/sh
# Makes the virtual environment $2 from the interpreter $1: the package, editable, and every tool of the Makefile.
set -eu
cd "$(dirname "$0")/.."
"$1" -m venv "$2" 2>/dev/null || "$1" -m venv --clear "$2"
"$2/bin/python" -m pip install --quiet --upgrade "pip>=25.1"
"$2/bin/python" -m pip install --quiet --editable ".[all]" --group test --group lint --group docs --group bench
