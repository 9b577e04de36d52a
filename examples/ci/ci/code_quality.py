"""Writes code-quality.json, GitLab's form for findings in merge requests and pipelines, from reports/release.json.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import hashlib
import json
from pathlib import Path

REPORT, TARGET = Path("reports/release.json"), Path("code-quality.json")
PLACE = "app/Dockerfile"
"""GitLab shows a finding at a file of the repository: the one that the image is made from."""
SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}


def issues(release: dict) -> list[dict]:
    """What the policy forbids or warns of."""
    found = (release.get("scan") or {}).get("findings") or []
    return [
        {
            "check_name": finding["id"],
            "description": f"{finding['id']} in {finding['package']} {finding['version']} ({finding['reason']})",
            "fingerprint": hashlib.sha256(
                "\0".join(finding[part] for part in ("id", "package", "version")).encode()
            ).hexdigest(),
            "severity": SEVERITIES.get(finding["severity"], "info"),
            "location": {"path": PLACE, "lines": {"begin": 1}},
        }
        for finding in found
        if finding["action"] in ("fail", "warn")
    ]


if __name__ == "__main__":
    release = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    TARGET.write_text(json.dumps(issues(release), indent=2) + "\n")
