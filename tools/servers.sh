#!/bin/sh
# Sees to the servers that tests want. As root on Debian it installs the ones that are missing; elsewhere their tests skip,
# saying why, unless CACHERY_TEST_REDIS=required makes them fail.
set -eu
command -v redis-server >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y redis-server; } >/dev/null 2>&1 ||
        echo "redis-server could not be installed" >&2
fi
