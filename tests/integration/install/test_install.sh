#!/usr/bin/env bash
# Install a build, move it, and use it from outside, through CMake and through pkg-config.
#
# usage: test_install.sh BUILD WORK VERSION static|shared
#   BUILD    a configured and built tree (static), or one to make from the source tree (shared)
#   WORK     a folder to work in; made anew
set -euo pipefail
build=$1 work=$2 version=$3 kind=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)

if [ "$kind" = shared ]; then
    cmake -S "$here/../../.." -B "$build" -G Ninja -DBUILD_SHARED_LIBS=ON -DFL_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug >"$work/configure.log"
    cmake --build "$build" >"$work/build.log"
fi
cmake --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/moved"
prefix=$work/moved

fail() {
    echo "install test ($kind): $*" >&2
    exit 1
}

if grep -rIl -- "$work/first" "$prefix"; then fail "these installed files name the folder they were installed into"; fi
for file in bin/faultline include/faultline/triage.h share/man/man1/faultline.1 \
    share/bash-completion/completions/faultline share/zsh/site-functions/_faultline \
    share/fish/vendor_completions.d/faultline.fish; do
    [ -s "$prefix/$file" ] || fail "$file is missing"
done
# The pages are clean roff, the script is clean shell.
for page in "$prefix"/share/man/man1/*.1; do
    complaints=$(LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 >/dev/null)
    [ -z "$complaints" ] || fail "$page: $complaints"
done
bash -n "$prefix/share/bash-completion/completions/faultline"
case $kind in
static)
    [ -s "$prefix/lib/libfaultline.a" ] || fail "the static library is missing"
    # A consumer's own names must stay free.
    others=$(nm -g --defined-only "$prefix/lib/libfaultline.a" | awk 'NF == 3 && $2 ~ /[A-Z]/ && $3 !~ /^(fl_|_)/ { print $3 }')
    [ -z "$others" ] || fail "the library exports names that do not begin with fl_: $others"
    ;;
shared)
    [ -s "$prefix/lib/libfaultline.so" ] || fail "the shared library is missing"
    # It exports what the installed headers declare: no more, no less.
    declared=$(grep -ohE '^[A-Za-z][A-Za-z0-9_ ]*[ *]fl_[a-z0-9_]+\(' "$prefix"/include/faultline/*.h | grep -v '^static' | grep -oE 'fl_[a-z0-9_]+\($' | tr -d '(' | sort -u)
    exported=$(nm -D --defined-only "$prefix/lib/libfaultline.so" | awk '{ print $3 }' | sort -u)
    [ "$declared" = "$exported" ] || fail "declared and exported functions differ: $(diff <(echo "$declared") <(echo "$exported"))"
    ;;
esac
answer=$("$prefix/bin/faultline" --version)
[ "$answer" = "faultline $version" ] || fail "faultline --version says '$answer', not 'faultline $version'"

cmake -S "$here" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$work/consumer.log" || {
    cat "$work/consumer.log"
    fail "find_package(faultline) failed"
}
cmake --build "$work/cmake"
answer=$("$work/cmake/consumer")
[ "$answer" = "$version" ] || fail "the CMake consumer says '$answer', not '$version'"
"$work/cmake/cxx_consumer" || fail "the C++ consumer failed"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
[ "$(pkg-config --modversion faultline)" = "$version" ] || fail "pkg-config gives another version"
static=()
if [ "$kind" = static ]; then static=(--static); fi
read -ra flags <<<"$(pkg-config --cflags --libs "${static[@]}" faultline)"
"${CC:-cc}" -std=c11 -o "$work/pkg_consumer" "$here/consumer.c" "${flags[@]}" -Wl,-rpath,"$prefix/lib"
answer=$("$work/pkg_consumer")
[ "$answer" = "$version" ] || fail "the pkg-config consumer says '$answer', not '$version'"
echo "install test ($kind): all good"
