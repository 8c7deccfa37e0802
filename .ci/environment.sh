# Sourced by the scripts beside it: one virtual environment, .venv, installed from the checkout in the
# versions of constraints.txt.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# .ci/versions has environments and versions of its own.
venv=${RATIOPATH_VENV:-$root/.venv}
constraints=${RATIOPATH_CONSTRAINTS:-$root/.ci/constraints.txt}
# Where a virtual environment has its programs.
case $(uname -s) in
  MINGW* | MSYS* | CYGWIN*) programs=Scripts ;;
  *) programs=bin ;;
esac
unset PYTHONHOME PYTHONPATH
export PYTHONNOUSERSITE=1

step() { printf '\n== %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# need_rust [cargo subcommand...]: Rust is there, with these of its components.
need_rust() {
  command -v cargo >/dev/null || die "cargo was not found: install Rust from https://rustup.rs"
  local component
  for component; do
    cargo "$component" --version >/dev/null 2>&1 ||
      die "cargo $component is missing: run 'rustup component add rustfmt clippy'"
  done
}

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
      2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  die "no Python 3.11 or later with venv was found: install one, or name it in PYTHON"
}

# A virtual environment with a pip that knows dependency groups and constraints on builds.
create_venv() {
  local python
  if ! "$venv/$programs/python" -c 'import pip' 2>/dev/null; then
    python=$(find_python)
    step "Creating $(basename "$venv") with $("$python" --version)"
    "$python" -m venv --clear "$venv"
  fi
  pip_install pip '' 'pip>=25.3'
}

# Changes whenever anything that the package is built from does.
sources() {
  find Cargo.* pyproject.toml README.md LICENSE THIRD-PARTY-NOTICES.txt rust python -type f \
    ! -name '*.pyc' ! -name '*.so' -exec cksum {} + | LC_ALL=C sort | cksum
}

# pip_install WHAT STATE ARGUMENT...: does nothing if WHAT was last installed from this STATE and these
# constraints.
pip_install() {
  local what=$1 stamp=$venv/installed-$1 state
  state="$2 $(cksum <"$constraints")"
  shift 2
  [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && return
  step "Installing into $(basename "$venv"): $what"
  "$venv/$programs/python" -m pip install --quiet --constraint "$constraints" "$@"
  printf '%s\n' "$state" >"$stamp"
}

# install_group GROUP: one of pyproject.toml's dependency groups.
install_group() {
  pip_install "$1" "$(cksum <"$root/pyproject.toml")" --group "$root/pyproject.toml:$1"
}

# install [GROUP...]: the package with its demo extra, built from the checkout, and these groups. The
# first build takes a few minutes.
install() {
  local group
  create_venv
  pushd "$root" >/dev/null
  pip_install ratiopath "$(sources)" --build-constraint "$constraints" '.[demo]'
  popd >/dev/null
  for group; do install_group "$group"; done
}

# resolve ARGUMENT...: has uv choose a version for everything that pyproject.toml, its build and the
# scripts here ask for. Uv itself is the newest, in an environment of its own.
resolve() (
  venv=$root/.venv-lock constraints=/dev/null
  create_venv
  install_group lock
  cd "$root"
  read_project='import pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())'
  groups=$("$venv/$programs/python" -c "$read_project
for group in project['dependency-groups']: print('--group', group)")
  build=$("$venv/$programs/python" -c "$read_project
print(*project['build-system']['requires'], sep='\n')")
  step "Resolving"
  # Pip trusts the certificates of the system, uv its own unless told, by a name that has changed.
  export UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1
  # Words on purpose: no group has a space in its name.
  # shellcheck disable=SC2086
  printf '%s\n' 'pip>=25.3' "$build" | "$venv/$programs/python" -m uv pip compile --quiet \
    --custom-compile-command 'bash .ci/lock' --annotation-style line \
    pyproject.toml - --all-extras $groups "$@"
)
