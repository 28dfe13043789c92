#!/usr/bin/env bash
# `make demo`: sets up everything, then JupyterLab on the demo course. Arguments go to `jupyter ppo demo`.
# Without a container engine all the rest starts; the demo says that grading is unavailable.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

.ci/setup.sh python
. .ci/engine-lease.sh
[ "$engine_status" = 0 ] || [ "$engine_status" = 3 ] || exit "$engine_status"
build_both
# In the background with wait, the shell handles a signal at once; the demo ends its server on TERM.
jupyter ppo demo "$@" </dev/null &
demo=$!
trap 'kill "$demo" 2>/dev/null; wait "$demo"; exit 130' INT TERM HUP
wait "$demo"
