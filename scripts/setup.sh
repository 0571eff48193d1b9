#!/bin/sh
# Prepares a checkout: the packages of the system, .venv, the models. Does nothing when all is there.
#
# Needs sh, make and Python 3.11 or newer. As root on Debian it installs what the tests use;
# elsewhere it says what is missing and goes on. PYTHON=... names the Python to take.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
stop() {
    echo "setup: $*" >&2
    exit 1
}

# ---- the system ----------------------------------------------------------------------------

venv_missing() {
    [ ! -x .venv/bin/python ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null
}

there() {
    for file in "$@"; do
        [ -e "$file" ] && return 0
    done
    return 1
}

# One line for each package that is not there: its name, and what cannot be tried without it.
missing_packages() {
    if venv_missing; then echo "python3-venv: no .venv can be made"; fi
    if ! command -v mosquitto >/dev/null && [ ! -x /usr/sbin/mosquitto ]; then
        echo "mosquitto: tests use the embedded broker alone"
    fi
    if ! command -v initdb >/dev/null && ! there /usr/lib/postgresql/*/bin/initdb; then
        echo "postgresql: the hub is not tried on PostgreSQL, on SQLite alone"
    fi
    if ! command -v chromium >/dev/null; then echo "chromium: the console is not tried in a browser"; fi
    if ! command -v Xvfb >/dev/null; then echo "xvfb: screens are not captured in tests"; fi
    if ! command -v ip >/dev/null && [ ! -x /usr/sbin/ip ]; then echo "iproute2: bad networks are not tried"; fi
    if ! there /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc /usr/share/fonts/*/NotoSansCJK*; then
        echo "fonts-noto-cjk: slides and pages show boxes instead of Chinese"
    fi
    if ! there /usr/lib/*/libatomic.so.1 /lib/*/libatomic.so.1 /usr/lib/libatomic.so.1 /usr/lib64/libatomic.so.1; then
        echo "libatomic1: the browser cannot be driven"
    fi
    if ! there /usr/lib/*/libportaudio.so.2 /usr/lib/libportaudio.so.2 /usr/local/lib/libportaudio.so.2; then
        echo "libportaudio2: no microphone can be opened"
    fi
}

install_system_packages() {
    missing=$(missing_packages)
    tried=.cache/setup/system-tried
    if [ -z "$missing" ] || { [ -e "$tried" ] && [ "$(cat "$tried")" = "$missing" ] && ! venv_missing; }; then
        return 0
    fi
    names=$(echo "$missing" | sed 's/:.*//' | tr '\n' ' ')
    mkdir -p .cache/setup
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing ${names}with apt-get"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086 # one word a package
        if ! { apt-get update && apt-get install -y --no-install-recommends $names; } >.cache/setup/apt.log 2>&1; then
            tail -n 3 .cache/setup/apt.log >&2
            say "apt-get failed; the whole of what it said is in .cache/setup/apt.log"
        fi
        missing=$(missing_packages)
    fi
    if [ -n "$missing" ]; then
        say "going on without these packages (on Debian, as root: apt-get install ${names% }):"
        echo "$missing" | sed 's/^/setup:   /'
    fi
    echo "$missing" >"$tried"
}

# ---- Python --------------------------------------------------------------------------------

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for one in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$one" >/dev/null && new_enough "$one"; then
            python=$one
            return 0
        fi
    done
    stop "no Python 3.11 or newer found; install one (Debian: apt-get install python3) or name it: make setup PYTHON=/path/to/python3"
}

make_environment() {
    [ -x .venv/bin/python ] && return 0
    say "making .venv with $("$python" -c 'import sys; print(sys.executable, sys.version.split()[0])')"
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        stop "$python cannot make a virtual environment; on Debian install python3-venv, then try again"
    fi
}

# A moved .venv has scripts that point to the old place; one whose Python is gone cannot start.
environment_fits() {
    .venv/bin/python -I - 2>/dev/null <<'PY'
import pathlib, sys

made = pathlib.Path(".venv/pyvenv.cfg").read_text(encoding="utf-8")
raise SystemExit(sys.version_info < (3, 11) or f"{pathlib.Path.cwd()}/.venv\n" not in made)
PY
}

drop_stale_environment() {
    if [ -e .venv ] && ! environment_fits; then
        say ".venv does not fit (its Python is gone, or it was made in another place); making it anew"
        rm -rf .venv
    fi
}

# A stamp holds the hash of what a step was made from.
hash_of() {
    .venv/bin/python -I - "$@" <<'PY'
import hashlib, pathlib, sys

made_from = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    if (file := pathlib.Path(name)).exists():
        made_from.update(name.encode() + b"\0" + file.read_bytes())
print(made_from.hexdigest())
PY
}

done_before() { [ -e ".venv/stamp-$1" ] && [ "$(cat ".venv/stamp-$1")" = "$2" ]; }

out_of_reach() {
    stop "$1
  Is the package registry in reach from here? A mirror: PIP_INDEX_URL=ADDRESS make setup
  A folder of wheels, without any network: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER make setup"
}

install_packages() {
    made_from=$(hash_of requirements.lock pyproject.toml scripts/setup.sh)
    done_before packages "$made_from" && return 0
    say "installing the packages of requirements.lock (about 300 MB, a few minutes the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock ||
        out_of_reach "the packages could not be installed; pip's own words stand above."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e . ||
        stop "Tongtang itself could not be installed into .venv; pip's own words stand above."
    echo "$made_from" >.venv/stamp-packages
}

# Asks the same code that will look for them, so that another HOME or TONGTANG_MODELS is noticed.
models_there() {
    .venv/bin/python - <<'PY'
from models.manifest import load_manifest, models_folder

files = [(models_folder() / model.file, model.bytes) for model in load_manifest().model]
raise SystemExit(not all(file.is_file() and file.stat().st_size == size for file, size in files))
PY
}

install_models() {
    models_there && return 0
    say "installing the models"
    .venv/bin/tongtang models install || out_of_reach "the models could not be installed; the reason stands above."
}

drop_stale_environment
if [ -x .venv/bin/python ]; then python=.venv/bin/python; else find_python; fi
install_system_packages
make_environment
install_packages
install_models
