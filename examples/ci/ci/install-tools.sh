#!/bin/sh
# Installs cosign, syft, grype and pulumi: `sh ci/install-tools.sh FOLDER`. Put FOLDER on PATH; on GitHub it is.
#
# Nothing that is downloaded runs, or is even unpacked, unless its SHA-256 is the one below. With a new version, take the
# new sums from the project's own list, and compare them with a second source:
#   cosign  https://github.com/sigstore/cosign/releases/download/vVERSION/cosign_checksums.txt
#   syft    https://github.com/anchore/syft/releases/download/vVERSION/syft_VERSION_checksums.txt
#   grype   https://github.com/anchore/grype/releases/download/vVERSION/grype_VERSION_checksums.txt
#   pulumi  https://get.pulumi.com/releases/sdk/pulumi-VERSION-checksums.txt
set -eu

cosign=3.1.3
syft=1.52.0
grype=0.120.1
pulumi=3.255.0

case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
    arch=amd64 pulumi_arch=x64
    cosign_sum=4629c757b7618056f8ddd7e2625ae9fdd94c0372a65049520bc7d9df9efc7f71
    syft_sum=caeedb81fb0491615f1ebd1761e4145d41ee86dd2cc7bf80669f9f5ad9d6133d
    grype_sum=0a9ee97ef5ae2ee953b0a80098105052e846cdbe319a57d808b519c33cd1343d
    pulumi_sum=cf559568e2c32f7fae56ea3de8ae5fa48973ba8c5aa9dd2b3dc0c8898fe50dba
    ;;
Linux-aarch64 | Linux-arm64)
    arch=arm64 pulumi_arch=arm64
    cosign_sum=c5d324e091826b0d7a78eb16fef316450b4eb9aaec045611c08ba06f5e73220a
    syft_sum=c46d5e4c28e12aa4c5becfaa343ef1c7f89045b6b895f2c21d471c62db09c706
    grype_sum=29f47391dc283aa79fcc38e65224cd61f64dec0ecfd0db7074128ebf8ff23514
    pulumi_sum=699fbc6ea848d997e9b3645487f108d27b1b55ec807c7576406131e6e080f0e3
    ;;
*)
    echo "install-tools: no checksums for $(uname -s) on $(uname -m); add them to $0" >&2
    exit 1
    ;;
esac

folder=${1:?"say where to: sh $0 FOLDER"}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# download FILE SHA-256 URL
download() {
    curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --output "$scratch/$1" "$3"
    if ! printf '%s  %s\n' "$2" "$scratch/$1" | sha256sum -c - > /dev/null 2>&1; then
        echo "install-tools: $3 isn't what was expected: its SHA-256 is $(sha256sum < "$scratch/$1" | cut -c1-64), not $2" >&2
        echo "  don't use it; compare with the project's own list of checksums, named at the top of $0" >&2
        exit 1
    fi
}

download cosign "$cosign_sum" "https://github.com/sigstore/cosign/releases/download/v$cosign/cosign-linux-$arch"
chmod 0755 "$scratch/cosign"
download syft.tar.gz "$syft_sum" "https://github.com/anchore/syft/releases/download/v$syft/syft_${syft}_linux_$arch.tar.gz"
tar -xzf "$scratch/syft.tar.gz" -C "$scratch" syft
download grype.tar.gz "$grype_sum" "https://github.com/anchore/grype/releases/download/v$grype/grype_${grype}_linux_$arch.tar.gz"
tar -xzf "$scratch/grype.tar.gz" -C "$scratch" grype
download pulumi.tar.gz "$pulumi_sum" "https://get.pulumi.com/releases/sdk/pulumi-v$pulumi-linux-$pulumi_arch.tar.gz"
tar -xzf "$scratch/pulumi.tar.gz" -C "$scratch"

mv "$scratch/cosign" "$scratch/syft" "$scratch/grype" "$scratch"/pulumi/* "$folder/"
if [ -n "${GITHUB_PATH:-}" ]; then echo "$folder" >> "$GITHUB_PATH"; fi
echo "installed cosign $cosign, syft $syft, grype $grype and pulumi $pulumi in $folder"
