#!/bin/sh
# Brings everything that Polyloom needs: system libraries for Qt, OpenGL and a virtual display (Debian family), uv, and
# the Python packages. With "test" also node and the glTF validator. Done once; a warm start costs a few milliseconds.
# "peers" brings what some benchmarks compare with (GPL, in an environment of its own that the program never uses).
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}
if [ "$want" = peers ]; then
    sh "$0" test
    uv=$(command -v uv || echo .tools/uv/bin/uv)
    "$uv" venv --quiet --allow-existing --python 3.11 .tools/peers
    exec "$uv" pip install --quiet --python .tools/peers/bin/python bpy==5.0.1 pymeshlab==2025.7.post1 pymeshfix==0.18.1
fi
state="$(cat pyproject.toml resources/setup.sh tests/gltf/package.json 2>/dev/null | cksum | tr -d ' ')"
stamp=".tools/ready-$want-$state"
[ -e "$stamp" ] && [ -x .venv/bin/python ] && exit 0
mkdir -p .tools

say() { printf 'setup: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else return 1; fi
}

packages=""
need_library() { ldconfig -p 2>/dev/null | grep -q "$1" || packages="$packages $2"; }
need_command() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }

if [ "$(uname -s)" = Linux ]; then
    PATH="$PATH:/sbin:/usr/sbin"
    need_library libGL.so.1 libgl1
    need_library libEGL.so.1 libegl1
    need_library libGLX_mesa.so.0 libglx-mesa0
    need_library libOSMesa.so libosmesa6
    need_library libxkbcommon-x11.so.0 libxkbcommon-x11-0
    need_library libxcb-cursor.so.0 libxcb-cursor0
    need_library libxcb-icccm.so.4 libxcb-icccm4
    need_library libxcb-keysyms.so.1 libxcb-keysyms1
    need_library libxcb-shape.so.0 libxcb-shape0
    need_library libxcb-xinerama.so.0 libxcb-xinerama0
    need_library libxcb-image.so.0 libxcb-image0
    need_library libxcb-render-util.so.0 libxcb-render-util0
    need_library libxcb-xkb.so.1 libxcb-xkb1
    need_library libX11-xcb.so.1 libx11-xcb1
    need_library libSM.so.6 libsm6
    need_library libdbus-1.so.3 libdbus-1-3
    need_library libfontconfig.so.1 libfontconfig1
    need_library libglib-2.0.so.0 libglib2.0-0
    need_library libXrender.so.1 libxrender1
    need_library libXcursor.so.1 libxcursor1
    need_library libgomp.so.1 libgomp1
    [ -n "$(ls /usr/share/fonts/truetype 2>/dev/null)" ] || packages="$packages fonts-dejavu-core"
    if [ "$want" = test ]; then
        need_command Xvfb xvfb
        need_command xauth xauth
        need_command node nodejs
        need_command npm npm
    fi
fi
uv=$(command -v uv || true)
[ -n "$uv" ] || uv=.tools/uv/bin/uv
if ! [ -x "$uv" ] && ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    packages="$packages python3-venv"
fi

if [ -n "$packages" ]; then
    command -v apt-get >/dev/null 2>&1 || {
        say "these system packages (Debian names) are missing, and there is no apt-get to bring them:$packages"
        say "install them with this system's own package manager, then start again"
        exit 1
    }
    say "installing system packages:$packages"
    # shellcheck disable=SC2086
    { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $packages; } >.tools/apt.log 2>&1 || {
        say "that did not work (see .tools/apt.log). As an administrator, run:"
        say "    apt-get update && apt-get install --no-install-recommends$packages"
        exit 1
    }
fi

[ -x "$uv" ] || { say "bringing uv"; python3 -m venv .tools/uv && .tools/uv/bin/pip install --quiet uv==0.13.9; }
say "bringing Python packages (the first time takes a few minutes)"
"$uv" sync --quiet --inexact

say "compiling the numeric kernels (once)"
.venv/bin/python resources/warm_up.py >/dev/null 2>.tools/warm-up.log || say "the starter graph did not run: see .tools/warm-up.log"

if [ "$want" = test ]; then
    npm install --prefix tests/gltf --no-package-lock --no-audit --no-fund --silent
fi
rm -f .tools/ready-"$want"-*
: >"$stamp"
say "ready"
