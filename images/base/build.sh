#!/usr/bin/env bash
# Makes the base image of the operator and the trainer, without a registry and without root: Debian's
# C and C++ libraries and a Java runtime of just the modules that are needed. There is no shell in it.
#
#   images/base/build.sh FILE     FILE: where the archive goes, in Docker's format
#
# Needs apt-get and dpkg-deb, so Debian or Ubuntu, and takes what the machine's own sources have, checked by
# apt's signatures. The archive is kept by its packages' hashes below ${XDG_CACHE_HOME:-~/.cache}/finetune-operator;
# packages are looked for again after a day. The same packages give the same bytes.
set -euo pipefail

fail() { printf '[base] %s\n' "$*" >&2; exit 1; }
say() { printf '[base] %s\n' "$*" >&2; }

[ $# = 1 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64; }
target=$1
for tool in apt-get dpkg-deb tar sha256sum; do
  command -v "$tool" > /dev/null || fail "$tool is missing: build on Debian or Ubuntu"
done

self=$(readlink -f "$0")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/finetune-operator/image-base
jvm=openjdk-17
# base-files has os-release, by which scanners know whose packages these are.
# java.desktop's JPEG reader links to libjpeg. (Of its other libraries, the readers of pictures load none.)
shipped=(base-files libc6 libgcc-s1 libjpeg62-turbo libstdc++6 zlib1g "$jvm-jre-headless")
# jlink and the modules that it links; nothing of this package itself is shipped.
needed=("${shipped[@]}" "$jvm-jdk-headless")
# What jdeps finds in the programs' jars, and: crypto.ec for TLS, httpserver for the trainer's progress,
# desktop for java.beans and pictures, jcmd's and jfr's for whoever looks into a running one.
modules=java.base,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,java.rmi
modules+=,java.security.jgss,java.security.sasl,java.sql,java.xml,jdk.crypto.ec,jdk.httpserver,jdk.jfr
modules+=,jdk.management,jdk.net,jdk.unsupported,jdk.zipfs
# All files carry this time, and so does the image.
epoch=1

mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9

apt() {
  apt-get -qq -o Dir::State="$cache/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$cache/apt" \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

resolve() {
  mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial"
  apt update >&2
  apt download --print-uris "${needed[@]}" > "$cache/resolved.new"
  [ "$(wc -l < "$cache/resolved.new")" = "${#needed[@]}" ] || fail "not all of ${needed[*]} were found"
  mv "$cache/resolved.new" "$cache/resolved"
}

if [ -z "$(find "$cache/resolved" -mmin -1440 2> /dev/null)" ]; then
  say "looking for the newest packages"
  resolve || { [ -e "$cache/resolved" ] || exit 1; say "that failed: going on with the last ones found"; }
fi

# Name and hash of each package, and this script: all that the archive depends on.
key=$({ awk '{print $2, $4}' "$cache/resolved" | sort; cat "$self"; } | sha256sum | cut -c1-16)
archive=$cache/$key.tar
if [ -e "$archive" ]; then
  say "$archive is up to date"
else
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/debs" "$work/jdk" "$work/root" "$work/image"

  say "downloading ${#needed[@]} packages, 120 MB"
  (cd "$work/debs" && apt download "${needed[@]}")
  deb() { find "$work/debs" -name "$1_*.deb"; }

  say "linking a Java runtime"
  for package in "$jvm-jre-headless" "$jvm-jdk-headless"; do
    dpkg-deb -x "$(deb "$package")" "$work/jdk"
  done
  home=$(find "$work/jdk/usr/lib/jvm" -mindepth 1 -maxdepth 1 -type d -name 'java-*')
  "$home/bin/jlink" --module-path "$home/jmods" --add-modules "$modules" --output "$work/root/opt/java" \
    --strip-debug --no-man-pages --no-header-files --compress 0
  # No archive of the JDK's classes: -Xshare:dump writes other bytes each time.

  for package in "${shipped[@]}"; do
    say "unpacking $package"
    mkdir -p "$work/root/var/lib/dpkg/status.d"
    # Where scanners look for packages in an image without dpkg.
    dpkg-deb -f "$(deb "$package")" > "$work/root/var/lib/dpkg/status.d/$package"
    [ "$package" = "$jvm-jre-headless" ] || dpkg-deb -x "$(deb "$package")" "$work/root"
  done
  mkdir -p "$work/root/usr/share/doc/$jvm-jre-headless"
  cp "$work/jdk/usr/share/doc/$jvm-jre-headless/copyright" "$work/root/usr/share/doc/$jvm-jre-headless/"

  (
    cd "$work/root"
    # Licences stay; programs, other documentation, iconv's tables and what only a login needs go.
    find usr/share/doc -type f ! -name copyright -delete
    rm -rf bin sbin usr/bin usr/sbin usr/lib/x86_64-linux-gnu/gconv usr/share/{man,info,lintian,gcc,gdb,base-files}
    rm -rf etc/{update-motd.d,profile.d,ld.so.conf.d/fakeroot*} home root srv mnt media run boot dev proc sys var/{backups,cache,local,log,mail,opt,run,spool,tmp,lock}
    rm -f etc/{issue,issue.net,motd,host.conf}
    find . -type d -empty -delete
    mkdir -p tmp etc home/nonroot proc sys dev
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' > etc/passwd
    printf 'root:x:0:\nnonroot:x:65532:\n' > etc/group
    chmod -R go-w,u-s,g-s .
    chmod 1777 tmp
  )

  say "writing the archive"
  tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=pax \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime -C "$work/root" -cf "$work/image/layer.tar" .
  layer=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
  mkdir "$work/image/$layer"
  mv "$work/image/layer.tar" "$work/image/$layer/layer.tar"
  cat > "$work/image/config.json" << JSON
{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:01Z","config":{"User":"65532:65532","WorkingDir":"/home/nonroot","Env":["PATH=/opt/java/bin","JAVA_HOME=/opt/java","LANG=C.UTF-8"]},"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]},"history":[{"created":"1970-01-01T00:00:01Z","created_by":"images/base/build.sh"}]}
JSON
  printf '[{"Config":"config.json","RepoTags":["finetune-base:%s"],"Layers":["%s/layer.tar"]}]' "$key" "$layer" \
    > "$work/image/manifest.json"
  # Plain names: jib takes "./" for a way out of its folder.
  tar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -C "$work/image" -cf "$work/base.tar" \
    manifest.json config.json "$layer/layer.tar"
  mv "$work/base.tar" "$archive"
  say "$archive: $(($(stat -c %s "$archive") >> 20)) MiB"
fi

mkdir -p "$(dirname "$target")"
cmp -s "$archive" "$target" || cp "$archive" "$target"
