#!/usr/bin/env bash
# Installs the programs that the tests use and that are not here yet: Debian
# packages, by their names. The tests fail without them; they do not skip.
set -euo pipefail

missing=()
need() { # need PROGRAM PACKAGE
	command -v "$1" >/dev/null || missing+=("$2")
}
need curl curl
need wget wget
need gcc gcc # for the race detector
need openssl openssl
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
