#!/usr/bin/env bash
# Make .venv with this package (editable) and the extras named: .ci/venv.sh [lint] [train]
#
# With a sourced ROS 2 installation its rclpy is used (system site packages); without one, ROS 2 comes from wheels: Jazzy,
# or what ROS names (ROS=kilted). VENV names another folder than .venv.
# The file `installed` in it lists what has been installed from which files, so that a second call returns at once. It is
# written last: after an interrupted installation there is no list, and the next call starts again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=${VENV:-.venv}
list=$venv/installed
supported='import sys; assert (3, 10) <= sys.version_info[:2] <= (3, 13)'

fail() {
  echo "error: $*" >&2
  exit 2
}

# Wheels of Kilted that are there are kept until another ROS is named.
case ${ROS:-} in
  '') ros=wheels; if grep -q ' ros-wheels-kilted ' "$list" 2>/dev/null; then ros=wheels-kilted; fi ;;
  jazzy) ros=wheels ;;
  kilted) ros=wheels-kilted ;;
  *) fail "ROS=$ROS: there are wheels of jazzy and kilted; for another ROS 2, source its installation" ;;
esac
if [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ]; then
  [ "${ROS:-$ROS_DISTRO}" = "$ROS_DISTRO" ] || fail "ROS=$ROS, but ROS 2 $ROS_DISTRO is sourced; open a shell without it"
  ros=$ROS_DISTRO
  supported="$supported; import rclpy"
fi
case $ros in
  wheels) ros_extra=ros wheels_of=Jazzy ;;
  wheels-kilted) ros_extra=ros-kilted wheels_of=Kilted ;;
  *) ros_extra='' ;;
esac

# Prints the interpreter to build with: PYTHON if it was named, else the first supported one.
choose_python() {
  local candidate
  for candidate in ${PYTHON:-python3 /usr/bin/python3 python3.12 python3.13 python3.11 python3.10}; do
    if "$candidate" -c "$supported" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  if [ -n "$ros_extra" ]; then
    fail "${PYTHON:-python3} is not Python 3.10, 3.11, 3.12 or 3.13; name one that is: make PYTHON=/path/to/python3.12"
  fi
  fail "ROS 2 $ros is sourced, but ${PYTHON:-python3} cannot import its rclpy; name its Python: make PYTHON=/usr/bin/python3"
}

# What is there is kept, unless another interpreter was named or ROS is another.
if [ -z "${PYTHON:-}" ] && grep -q " ros-$ros " "$list" 2>/dev/null && "$venv"/bin/python -c "$supported" 2>/dev/null; then
  python="$venv"/bin/python
else
  python=$(choose_python)
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
key="python-$version ros-$ros $(cat setup.py setup.cfg pyproject.toml .ci/venv.sh | cksum | tr ' ' -)"

wanted=(base "$@")
missing=()
for extra in "${wanted[@]}"; do
  grep -qxF "$extra $key" "$list" 2>/dev/null || missing+=("$extra")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# Another interpreter, another ROS, or an installation that was never finished: start again.
if ! grep -q " python-$version ros-$ros " "$list" 2>/dev/null; then
  rm -rf "$venv"
  options=()
  if [ -n "$ros_extra" ]; then
    echo "Making $venv with Python $version and ROS 2 $wheels_of from wheels."
  else
    echo "Making $venv with Python $version and the sourced ROS 2 $ros."
    options=(--system-site-packages)
  fi
  "$python" -m venv "${options[@]}" "$venv" ||
    fail "$python cannot make a virtual environment; on Debian and Ubuntu: sudo apt install python3-venv"
  # "System" means the base of $python. Where that is a virtual environment itself, its own packages count, too.
  if [ -z "$ros_extra" ]; then
    "$python" -c 'import sys, sysconfig; sys.prefix != sys.base_prefix and print(sysconfig.get_path("purelib"))' \
      > "$("$venv"/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/system_packages.pth"
  fi
  # Older pips lose their way among the versions of the ROS wheels.
  "$venv"/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=24'
fi

done_before=$(grep -F " $key" "$list" 2>/dev/null || true)
rm -f "$list"
for extra in "${missing[@]}"; do
  case $extra in
    base) extras=${ros_extra:+$ros_extra,}test ;;
    *) extras=$extra ;;
  esac
  echo "Installing the package with the extras $extras (a minute or two the first time) ..."
  PYTHONWARNINGS=ignore "$venv"/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]"
done
{
  if [ -n "$done_before" ]; then echo "$done_before"; fi
  for extra in "${missing[@]}"; do echo "$extra $key"; done
} > "$list.new"
mv "$list.new" "$list"
