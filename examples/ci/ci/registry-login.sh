#!/bin/sh
# Lets docker, cosign, syft and grype use a registry: REGISTRY, REGISTRY_USER, REGISTRY_PASSWORD -> docker's configuration.
# For a machine that is thrown away after the job; elsewhere set DOCKER_CONFIG to a folder of the job's own first.
set -eu
: "${REGISTRY:?}" "${REGISTRY_USER:?}" "${REGISTRY_PASSWORD:?}"
umask 077
folder=${DOCKER_CONFIG:-$HOME/.docker}
mkdir -p "$folder"
# printf is the shell's own: no program gets the password as an argument.
auth=$(printf '%s:%s' "$REGISTRY_USER" "$REGISTRY_PASSWORD" | base64 | tr -d '\n')
printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$REGISTRY" "$auth" > "$folder/config.json"
