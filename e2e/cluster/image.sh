#!/usr/bin/env bash
# Makes a container image of one static program, as a Docker archive.
#
#   image.sh NAME:TAG PROGRAM OUT.tar
set -euo pipefail

[ $# = 3 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 64; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=${2##*/}
case "$(uname -m)" in x86_64) architecture=amd64 ;; *) architecture=arm64 ;; esac

reproducible=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner)
tar "${reproducible[@]}" --dereference -C "$(dirname "$2")" -cf "$work/layer.tar" "$program"
digest=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
cat > "$work/config.json" << JSON
{"architecture": "$architecture", "os": "linux", "config": {"Entrypoint": ["/$program"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$digest"]}}
JSON
printf '[{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]\n' "$1" > "$work/manifest.json"
tar "${reproducible[@]}" -C "$work" -cf "$3" manifest.json config.json layer.tar
