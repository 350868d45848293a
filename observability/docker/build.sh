#!/bin/sh
# build.sh DIR: what the image consists of. Installs what `make` needs, builds swimd and swimctl as
# static programs, and leaves in DIR
#
#     image/       the image's root, to be owned by root
#     owned/       folders that the daemon's user must own
#
# The Dockerfile runs it, and so does tools/check-docker, on a Debian 12 without anything. Against
# glibc, not musl: Debian's C++ compiler and libraries are made for it, and nothing here asks the
# name service switch, which is what a static glibc can't do (names of peers go through c-ares).
set -eu

[ $# -eq 1 ] || { echo "usage: build.sh DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."

tools/setup build
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
meson setup "$build" -Dtests=false -Dbuildtype=release -Ddefault_library=static \
    -Dprefer_static=true -Dc_link_args=-static-pie -Dcpp_link_args=-static-pie
ninja -C "$build" swimd swimctl

image=$out/image
mkdir -p "$image/usr/bin" "$image/etc/swim" "$image/run" "$image/tmp"
chmod 1777 "$image/tmp"
for program in swimd swimctl; do
    strip -o "$image/usr/bin/$program" "$build/$program"
    chmod 755 "$image/usr/bin/$program"
done
cp observability/docker/swim.toml "$image/etc/swim/swim.toml"
printf 'root:x:0:0:root:/:/\nnobody:x:65534:65534:nobody:/:/\n' >"$image/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$image/etc/group"

# Terminals for `swimctl top`; all that Debian takes for essential.
for terminal in linux screen screen-256color tmux tmux-256color vt100 xterm xterm-256color; do
    entry=lib/terminfo/$(printf %.1s "$terminal")/$terminal
    [ ! -e "/$entry" ] || install -D -m 644 "/$entry" "$image/$entry"
done

# What was linked in, and under which terms.
licences=$image/usr/share/doc
install -D -m 644 LICENSE "$licences/swim/copyright"
for package in libc-ares-dev libevent-dev libjansson-dev libsodium-dev libtomlplusplus-dev \
    libc6-dev libstdc++-12-dev libncurses-dev; do
    [ ! -e "/usr/share/doc/$package/copyright" ] ||
        install -D -m 644 "/usr/share/doc/$package/copyright" "$licences/$package/copyright"
done

for folder in run/swim var/lib/swim; do
    mkdir -p "$out/owned/$folder"
    chmod 700 "$out/owned/$folder"
done
du -sh "$image"
