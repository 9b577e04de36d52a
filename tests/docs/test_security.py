"""SECURITY.md claims nothing that no test proves."""

import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLAIM = re.compile(r"^- \*\*([A-Z])(\d+)\*\* (.*?)(?=^- |^$|^#|\Z)", re.MULTILINE | re.DOTALL)
PROOF = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


def claims() -> dict[str, str]:
    """Number -> the claim with its proof."""
    return {f"{letter}{number}": text for letter, number, text in CLAIM.findall((ROOT / "SECURITY.md").read_text())}


def test_each_claim_has_a_number_of_its_own_and_a_proof() -> None:
    found = CLAIM.findall((ROOT / "SECURITY.md").read_text())
    for letter, group in groupby(found, key=lambda claim: claim[0]):
        assert [int(number) for _, number, _ in group] == list(range(1, len([c for c in found if c[0] == letter]) + 1))
    assert len(claims()) == len(found) > 30
    assert [number for number, text in claims().items() if not PROOF.search(text.partition("Proof: ")[2])] == []


def test_each_reference_is_to_a_claim() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert set(re.findall(r"\(([A-Z]\d+)\)", text)) <= set(claims())


def test_each_proof_is_a_test() -> None:
    """As pytest itself collects them: one that isn't there is an error."""
    names = sorted({name for text in claims().values() for name in PROOF.findall(text)})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    collected = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert collected == set(names)
