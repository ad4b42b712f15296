#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# setup.sh [build|test|bench|dev] - get what a build, the tests, the benchmark or all of them need.
#
# Debian packages come through apt-get; yyjson, whose library package is too old or missing on stable
# releases, comes as a pinned source archive. Run it as often as you like: when nothing is missing it only
# looks, in well under a second, touches no network and asks for no password.
#
#   COVARA_YYJSON_ARCHIVE=FILE   take yyjson's archive from FILE, for machines without a network
set -euo pipefail
cd "$(dirname "$0")/.."

goal=${1:-build}

# "a|b" is satisfied by either; when neither is there, the first one that apt knows is installed.
build_packages=(gcc libc6-dev make cmake ninja-build pkg-config curl xz-utils ca-certificates
    libsqlite3-dev libuv1-dev libssl-dev libcurl4-openssl-dev libpcre2-dev node-llhttp)
test_packages=(libcmocka-dev clang lld llvm wasi-libc "libclang-rt-14-dev|libclang-rt-dev"
    "libclang-rt-14-dev-wasm32|libclang-rt-dev-wasm32" sqlite3 "clang-format-14|clang-format" clang-tidy python3 openssl iproute2
    chromium chromium-driver)
bench_packages=(wrk nginx-light sqlite3)

case $goal in
    build) packages=("${build_packages[@]}") ;;
    test) packages=("${build_packages[@]}" "${test_packages[@]}") ;;
    bench) packages=("${build_packages[@]}" "${bench_packages[@]}") ;;
    dev) packages=("${build_packages[@]}" "${test_packages[@]}" "${bench_packages[@]}") ;;
    *) echo "usage: scripts/setup.sh [build|test|bench|dev]" >&2; exit 2 ;;
esac

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# Debian's Node or any other one serves; node-llhttp brings Debian's along.
node_is_recent() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge 18 ]
}
if [ "$goal" != build ] && ! node_is_recent; then
    packages+=(nodejs)
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ] && [ -z "${CI:-}" ]; then
        sudo "$@"
    else
        sudo -n "$@" # fails instead of waiting for a password nobody will type
    fi
}

missing_packages() {
    local installed entry name found
    installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | tr '\n' ' ') "
    for entry in "${packages[@]}"; do
        found=
        for name in ${entry//|/ }; do
            case $installed in *" $name "*) found=yes ;; esac
        done
        [ -n "$found" ] || echo "$entry"
    done
}

# The first alternative that apt has a candidate for; the last one otherwise, so that apt's message names it.
choose() {
    local name
    for name in ${1//|/ }; do
        if apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [^(]'; then
            break
        fi
    done
    echo "$name"
}

# Installing a web server would start it. The guard keeps package scripts from starting any service.
guard=/usr/sbin/policy-rc.d
guard_is_ours=
remove_guard() {
    if [ -n "$guard_is_ours" ]; then
        as_root rm -f "$guard"
        guard_is_ours=
    fi
}
trap remove_guard EXIT

install_packages() {
    local entry names=()
    if ! command -v apt-get >/dev/null; then
        echo "setup: no apt-get here; these Debian packages or your system's equivalents are needed:" >&2
        echo "  ${packages[*]}" >&2
        return
    fi
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0

    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        for entry in "${missing[@]}"; do names+=("$(choose "$entry")"); done
        fail "missing packages, and neither root nor sudo to install them. As root, run:" \
            "  apt-get update && apt-get install --no-install-recommends ${names[*]}"
    fi
    echo "setup: installing ${missing[*]}"
    as_root apt-get -q update ||
        fail "apt-get update failed; see its message above. Mend the network or apt's sources, then run this again."
    for entry in "${missing[@]}"; do names+=("$(choose "$entry")"); done

    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
        as_root chmod 755 "$guard"
        guard_is_ours=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "${names[@]}" ||
        fail "apt-get could not install: ${names[*]}" \
            "Its message is above. When node-llhttp is what conflicts (it depends on Debian's nodejs), either" \
            "install it by hand with 'apt-get download node-llhttp && dpkg --force-depends -i node-llhttp_*.deb'" \
            "or point CMake at llhttp's sources: cmake --preset release -DLLHTTP_SOURCE=DIR -DLLHTTP_INCLUDE=DIR."
    remove_guard
    case " ${names[*]} " in
        *" nginx-light "*) # only the benchmark uses it, with a configuration of its own
            as_root update-rc.d nginx disable >/dev/null 2>&1 || true ;;
    esac
}

# yyjson 0.10.0. The two files are the same bytes in Debian's archive and in the upstream release.
yyjson_debian_path=pool/main/y/yyjson/yyjson_0.10.0+ds.orig.tar.xz
yyjson_debian_sha256=ae6fde69a193e10afab426ef13f113d6903446405f9db9ee98bfb572bd6c961a
yyjson_upstream_url=https://github.com/ibireme/yyjson/archive/refs/tags/0.10.0.tar.gz
yyjson_c_sha256=98489c068ab65298320710e5be4c1090af1b5676e41301a3525b2e732641aace
yyjson_h_sha256=adce02aef5dfd868f7c0b632bd23bc0e79fa710b70d93bfe334c2bd15b21a41d

yyjson_is_good() {
    printf '%s  %s/yyjson.c\n%s  %s/yyjson.h\n' "$yyjson_c_sha256" "$1" "$yyjson_h_sha256" "$1" |
        sha256sum --check --status 2>/dev/null
}

# Unpack the two files of archive $1 into .deps/yyjson, if they are the pinned bytes.
yyjson_unpack() {
    local dir=$work/unpacked
    rm -rf "$dir" && mkdir "$dir"
    tar -xmf "$1" -C "$dir" --wildcards --strip-components=2 '*/src/yyjson.c' '*/src/yyjson.h' || return 1
    yyjson_is_good "$dir" || return 1
    mkdir -p .deps/yyjson
    mv "$dir/yyjson.c" "$dir/yyjson.h" .deps/yyjson/
}

# apt's own downloader first: it knows this machine's proxies and transports.
download() {
    local url=$1 file=$2 sha256=${3:-}
    if [ -n "$sha256" ] && [ -x /usr/lib/apt/apt-helper ] &&
        /usr/lib/apt/apt-helper download-file "$url" "$file" "SHA256:$sha256" >>"$work/log" 2>&1; then
        return 0
    fi
    curl -fsSL --retry 2 --connect-timeout 20 --max-time 120 -o "$file" "$url" >>"$work/log" 2>&1 || return 1
    [ -z "$sha256" ] || echo "$sha256  $file" | sha256sum --check --status
}

get_yyjson() {
    yyjson_is_good .deps/yyjson && return
    local base tried=() archive
    work=$(mktemp -d)
    trap 'rm -rf "$work"; remove_guard' EXIT

    if [ -n "${COVARA_YYJSON_ARCHIVE:-}" ]; then
        yyjson_unpack "$COVARA_YYJSON_ARCHIVE" && return
        tried+=("$COVARA_YYJSON_ARCHIVE (COVARA_YYJSON_ARCHIVE): not yyjson 0.10.0")
    fi
    if command -v apt-get >/dev/null; then
        archive=$work/yyjson.tar.xz
        # shellcheck disable=SC2016 # $(REPO_URI) is apt's own syntax
        # Repositories that call themselves Debian first, then whatever else apt is configured with.
        while read -r base; do
            if download "${base%/}/$yyjson_debian_path" "$archive" "$yyjson_debian_sha256" && yyjson_unpack "$archive"; then
                echo "setup: yyjson 0.10.0 from ${base%/}/$yyjson_debian_path"
                return
            fi
            tried+=("${base%/}/$yyjson_debian_path")
        done < <({ apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian'
            apt-get indextargets --format '$(REPO_URI)'; } 2>/dev/null | awk '!seen[$0]++')
    fi
    archive=$work/yyjson.tar.gz
    # No checksum of this archive: the forge may pack it anew. Its two files are checked instead.
    if download "$yyjson_upstream_url" "$archive" && yyjson_unpack "$archive"; then
        echo "setup: yyjson 0.10.0 from $yyjson_upstream_url"
        return
    fi
    tried+=("$yyjson_upstream_url")

    tail -n 20 "$work/log" >&2 || true
    fail "could not get yyjson 0.10.0. Tried, without success or with a wrong checksum:" "${tried[@]/#/  }" \
        "What to do: check the network and apt's sources; or copy an archive of yyjson 0.10.0 to this machine and" \
        "run COVARA_YYJSON_ARCHIVE=/path/to/archive scripts/setup.sh $goal; or put its src/yyjson.c and" \
        "src/yyjson.h (SHA-256 $yyjson_c_sha256 and" \
        "$yyjson_h_sha256) into .deps/yyjson/."
}

install_packages
get_yyjson
if [ "$goal" != build ] && ! node_is_recent; then
    fail "Node.js 18 or newer is needed, and this machine has $(node --version 2>/dev/null || echo none)." \
        "Install one (package nodejs on Debian 12 or newer) and put it first in PATH."
fi
