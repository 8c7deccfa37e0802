# Sourced by the scripts beside it: one virtual environment, .venv, installed from the checkout.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
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

create_venv() {
  local python
  "$venv/$programs/python" -c 'import pip' 2>/dev/null && return
  python=$(find_python)
  step "Creating .venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
}

# Changes whenever anything that the package is built from does.
sources() {
  find Cargo.* pyproject.toml README.md LICENSE rust python -type f \
    ! -name '*.pyc' ! -name '*.so' -exec cksum {} + | LC_ALL=C sort | cksum
}

# pip_install WHAT STATE ARGUMENT...: does nothing if WHAT was last installed from this STATE.
pip_install() {
  local what=$1 stamp=$venv/installed-$1 state=$2
  shift 2
  [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && return
  step "Installing into .venv: $what"
  "$venv/$programs/python" -m pip install --quiet "$@"
  printf '%s\n' "$state" >"$stamp"
}

# install [GROUP...]: the package with its demo extra, built from the checkout, and these
# dependency groups of pyproject.toml. The first build takes a few minutes.
install() {
  local group
  create_venv
  pushd "$root" >/dev/null
  # Dependency groups need pip 25.1.
  pip_install pip 25.1 --upgrade 'pip>=25.1'
  pip_install ratiopath "$(sources)" '.[demo]'
  for group; do
    pip_install "$group" "$(cksum <pyproject.toml)" --group "$group"
  done
  popd >/dev/null
}
