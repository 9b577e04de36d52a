#!/bin/sh
# Writes preview.md: what an update of STACK would change of the policy and of the steps. BASE is a checkout of what is
# there now, whose policy is compared with.
set -eu
umask 077
trap 'rm -f preview.json' EXIT
if ! pulumi preview --stack "${STACK:?say which stack}" --non-interactive --json > preview.json; then
    # The reasons are in the JSON.
    python3 -c 'import json; print("\n".join(d["message"] for d in json.load(open("preview.json")).get("diagnostics", [])))' >&2
    exit 1
fi
sc-secure changes --preview preview.json --policy policy.yaml --policy-before "${BASE:?say what to compare with}/policy.yaml" > preview.md
