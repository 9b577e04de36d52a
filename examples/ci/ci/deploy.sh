#!/bin/sh
# Updates STACK, and writes the reports into reports/ however it ends. Its exit code is the update's.
set -eu
rm -rf reports .sc/artifacts
code=0
pulumi up --stack "${STACK:?say which stack}" --yes --skip-preview --non-interactive || code=$?
if [ "$code" = 0 ]; then
    pulumi stack export --stack "$STACK" | sc-secure report --to reports
else
    # What the scan found is known, if it came so far.
    for scan in .sc/artifacts/sha256-*/scan.json; do
        if [ -f "$scan" ]; then sc-secure report --scan "$scan" --to reports; fi
    done
fi
exit "$code"
