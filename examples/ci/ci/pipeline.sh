#!/bin/sh
# The pipeline for a CI system that has no file of its own here, such as Jenkins: `sh ci/pipeline.sh preview` for a branch,
# `sh ci/pipeline.sh deploy` for main. One job at a time on a stack.
#
# Settings, from the environment: STACK; REGISTRY, REGISTRY_USER and REGISTRY_PASSWORD; what Pulumi's backend and the cloud
# need; for a preview BASE, a checkout of what is there now; for a deployment SIGSTORE_ID_TOKEN, an OIDC token for the
# audience `sigstore`, unless the policy names a key.
set -eu
work=${1:-}
case "$work" in
preview | deploy) ;;
*)
    echo "usage: sh ci/pipeline.sh preview|deploy" >&2
    exit 2
    ;;
esac

# The registry's password is for this run alone.
DOCKER_CONFIG=$(mktemp -d)
export DOCKER_CONFIG
trap 'rm -rf "$DOCKER_CONFIG"' EXIT

if [ ! -x .venv/bin/python ]; then python3 -m venv .venv; fi
. .venv/bin/activate
pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
sh ci/install-tools.sh .tools
PATH=$PWD/.tools:$PATH
export PATH
sh ci/registry-login.sh
sc-secure config validate --file policy.yaml
sh "ci/$work.sh"
