#!/bin/sh
# Makes the virtual environment $2 from the interpreter $1: the package, editable, and every tool of the Makefile. As root on
# Debian it first installs what that needs and is missing.
set -eu
cd "$(dirname "$0")/.."
python=$1
venv=$2

lacks_headers() { ! "$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; }
lacks_venv() { ! "$python" -c 'import ensurepip, venv' 2>/dev/null; }
lacks_compiler() { ! command -v cc >/dev/null; }

if { lacks_venv || lacks_compiler || lacks_headers; } && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y gcc libc6-dev python3-dev python3-venv >/dev/null
fi

"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
# Compiling is the business of tools/compile.py, which does it again when a source changes.
CACHERY_INTERPRETED=1 "$venv/bin/python" -m pip install --quiet --editable ".[all]" \
    --group test --group lint --group docs --group bench
