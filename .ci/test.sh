#!/usr/bin/env bash
# `make test`: sets up everything, runs every step (see .ci/steps.py), ends what it started.
# Here an engine is a must: tests that are skipped prove nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

.ci/setup.sh python
. .ci/engine-lease.sh
if [ "$engine_status" != 0 ]; then
  echo "make test: no container engine, so the tests cannot run." >&2
  exit "$engine_status"
fi
.ci/setup.sh browser
.ci/setup.sh postgresql
# The rest of the setting up is steps: it goes on beside tests that do not need it.
.ci/setup.sh widgets
# In the background with wait: the shell then handles a signal at once, and passes it on.
python .ci/steps.py "$@" &
steps=$!
trap 'kill "$steps" 2>/dev/null; wait "$steps"; exit 143' TERM INT HUP
wait "$steps"
