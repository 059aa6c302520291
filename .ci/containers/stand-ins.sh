#!/usr/bin/env bash
# Makes stand-ins for the official base images, for machines that cannot pull them. Same names, same layout.
#
#   debian:trixie-slim                          debootstrap of Debian 13
#   python:3.13-slim-trixie                     Debian's Python under /usr/local/bin
#   node:24.21.0-trixie-slim                    the Node of node_modules and npm under /usr/local
#   golang:1.26-trixie                          this machine's Go under /usr/local/go; left out where there is none
#   gcr.io/distroless/static-debian12:nonroot   authorities, time zones, users; no shell
#   redis:8.0                                   Debian's Redis with the entry point of the official image
#
# What is there or can be pulled is not made, so that a machine that reaches the registry works with official images.
# The plugins "compose" and "buildx" of the docker command are taken from Debian 13 where they are missing.
# The authorities that this machine trusts besides the public ones are trusted in the stand-ins too: without them,
# builds would not reach the package registries through a proxy that has its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

LABEL=trustspec.stand-in=true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { docker image inspect "$1" >/dev/null 2>&1; }

step() {
  # step IMAGE FUNCTION
  if has "$1" || timeout 300 docker pull --quiet "$1" >/dev/null 2>&1; then return; fi
  local started=$SECONDS
  # In the background, since a function behind which "||" stands goes on after an error.
  "$2" "$1" >"$work/log" 2>&1 &
  wait $! || {
    cat "$work/log" >&2
    echo "The stand-in for $1 could not be made" >&2
    exit 1
  }
  echo "Stand-in for $1 ($((SECONDS - started)) s)"
}

make_debian() {
  local root=$work/debian
  debootstrap --variant=minbase --include=ca-certificates trixie "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/log/*
  find /usr/local/share/ca-certificates -name '*.crt' -exec cat {} + >>"$root/etc/ssl/certs/ca-certificates.crt" 2>/dev/null || true
  tar -C "$root" -c . | docker import --change "LABEL $LABEL" --change 'CMD ["bash"]' - "$1"
}

make_python() {
  docker build --label "$LABEL" --tag "$1" - <<'DOCKERFILE'
FROM debian:trixie-slim
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update -qq \
 && cp /etc/ssl/certs/ca-certificates.crt /tmp/authorities \
 && apt-get install -y -qq --no-install-recommends python3 python3-venv \
 && cp /tmp/authorities /etc/ssl/certs/ca-certificates.crt \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /tmp/authorities /usr/lib/python3.*/EXTERNALLY-MANAGED \
 && for name in python python3 python3.13; do ln -s /usr/bin/python3.13 /usr/local/bin/$name; done
CMD ["python3"]
DOCKERFILE
}

make_node() {
  mkdir "$work/node"
  cp "$(node_modules/.bin/node -p process.execPath)" "$work/node/node"
  (cd "$work/node" && tar -xzf "$(npm pack --silent npm@11.19.1)" && mv package npm)
  docker build --label "$LABEL" --tag "$1" --file - "$work/node" <<'DOCKERFILE'
FROM debian:trixie-slim
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node \
 && ln -s node /usr/local/bin/nodejs \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
CMD ["node"]
DOCKERFILE
}

make_golang() {
  tar -C "$(go env GOROOT)" --exclude=./test --exclude=./doc --exclude=./api -c . >"$work/go.tar"
  mkdir "$work/go" && mv "$work/go.tar" "$work/go/"
  docker build --label "$LABEL" --tag "$1" --file - "$work/go" <<'DOCKERFILE'
FROM debian:trixie-slim
ENV GOPATH=/go GOTOOLCHAIN=local
ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ADD go.tar /usr/local/go/
WORKDIR /go
CMD ["bash"]
DOCKERFILE
}

make_distroless() {
  local root=$work/distroless
  mkdir -p "$root"/{etc/ssl/certs,home/nonroot,usr/share,tmp,root}
  docker run --rm debian:trixie-slim cat /etc/ssl/certs/ca-certificates.crt >"$root/etc/ssl/certs/ca-certificates.crt"
  cp -r /usr/share/zoneinfo "$root/usr/share/" 2>/dev/null || true
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n' >"$root/etc/group"
  chmod 1777 "$root/tmp" && chown 65532:65532 "$root/home/nonroot"
  tar -C "$root" -c . | docker import --change "LABEL $LABEL" --change 'USER 65532' --change 'WORKDIR /home/nonroot' \
    --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$1"
}

make_redis() {
  docker build --label "$LABEL" --tag "$1" - <<'DOCKERFILE'
FROM debian:trixie-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && mkdir -p /data && chown redis:redis /data \
 && printf '#!/bin/sh\nset -e\n[ "${1#-}" = "$1" ] || set -- redis-server "$@"\nexec "$@"\n' >/usr/local/bin/docker-entrypoint.sh \
 && chmod +x /usr/local/bin/docker-entrypoint.sh
VOLUME /data
WORKDIR /data
USER redis
ENTRYPOINT ["docker-entrypoint.sh"]
EXPOSE 6379
# The official image is built without protected mode.
CMD ["redis-server", "--protected-mode", "no"]
DOCKERFILE
}

plugins() {
  # The plugins are single programs; their packages belong to a newer Debian than this machine may have.
  local folder=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins started=$SECONDS
  if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then return; fi
  mkdir -p "$folder"
  docker run --rm debian:trixie-slim sh -c '
    cd /tmp && apt-get update -qq >&2 && apt-get download -qq docker-compose docker-buildx >&2
    for package in *.deb; do dpkg -x "$package" out; done
    tar -C out/usr/libexec/docker/cli-plugins -c .' | tar -C "$folder" -x --no-same-owner
  echo "Plugins $(ls "$folder" | tr '\n' ' ')($((SECONDS - started)) s)"
}

step debian:trixie-slim make_debian
plugins
step python:3.13-slim-trixie make_python
step node:24.21.0-trixie-slim make_node
step gcr.io/distroless/static-debian12:nonroot make_distroless
step redis:8.0 make_redis
if command -v go >/dev/null 2>&1; then
  step golang:1.26-trixie make_golang
else
  echo 'No Go on this machine: the image of the Go sample is not built'
fi
