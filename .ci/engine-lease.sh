# Sourced: gives the script that sources it a container engine, and ends the engine with the script
# if it was started for it and no other script uses it. Sets engine_status: 0, or 3 when there is no
# engine to be had.
exec 8>"${TMPDIR:-/tmp}/jupyter-ppo-engine-$(id -u).lock"
flock --shared 8
engine_is_ours=

give_engine_back() {
  if [ -n "$engine_is_ours" ] && flock --exclusive --nonblock 8; then
    docker/engine.sh stop 2>/dev/null
  fi
}
trap give_engine_back EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

engine_status=0
if ! docker/engine.sh status >/dev/null 2>&1; then
  docker/engine.sh start && engine_is_ours=1 || engine_status=$?
fi

# Builds the front end and, with an engine, the sandbox image side by side; fails if either does.
# The image contains the code of the widgets.
build_both() {
  local front_end image=0
  .ci/setup.sh widgets || return
  .ci/setup.sh front-end &
  front_end=$!
  [ "$engine_status" != 0 ] || jupyter ppo image build >&2 || image=$?
  wait "$front_end" && return "$image"
}
