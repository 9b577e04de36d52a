"""The table of how each step ends, over everything that can go wrong; `docs/outcomes.md` is made of it.

`.venv/bin/python -m tests.steps.outcomes` writes the page anew. `test_outcomes.py` lets each of it happen.
"""

from dataclasses import dataclass

from devtools.cache import REPOSITORY

PAGE = REPOSITORY / "docs/outcomes.md"
ATTEMPTS = 3
SIGN = "--key cosign.key --no-transparency-log"


@dataclass(frozen=True)
class Step:
    """A step, and the tool that does its work."""

    words: str
    tool: str
    does: str
    """The tool's subcommand that does the work; it alone fails."""
    may_be_soft: bool = True
    """Whether a policy can leave it to be not required."""


STEPS = {
    "sbom": Step("sbom generate", "syft", "scan"),
    "scan": Step("image scan --fail-on critical", "grype", "sbom:*"),
    "sign": Step(f"image sign {SIGN}", "cosign", "sign"),
    "attest sbom": Step(f"sbom attach {SIGN}", "cosign", "attest"),
    "attest provenance": Step(f"provenance attach {SIGN}", "cosign", "attest"),
    "attest scan": Step(f"scan attach {SIGN}", "cosign", "attest"),
    "verify": Step("image verify --key cosign.pub", "cosign", "verify*", may_be_soft=False),
}


@dataclass(frozen=True)
class Happens:
    """Something that happens while a step runs."""

    means: str
    required: int
    """The exit code of a required step."""
    optional: int
    """The exit code where it isn't required; 0 after a failure is a soft failure."""
    tries: int = 1
    """How often the tool is run, where `ATTEMPTS` are allowed."""
    script: str = ""
    """What the tool's subcommand is then; empty: the tool is as it is."""
    steps: tuple[str, ...] = tuple(STEPS)
    """Where it can happen."""


OUTCOMES = {
    "works": Happens("the tool does its work", 0, 0, script='exec "$real" "$@"'),
    "is gone in a moment": Happens(
        "a lost connection, a network's time-out or a busy server (429, 5xx), gone in a moment", 0, 0, tries=2,
        script='[ $(wc -l < RUNS) = 1 ] && fail "connection refused"; exec "$real" "$@"',
    ),
    "stays away": Happens(
        "the same, and it stays", 6, 0, tries=ATTEMPTS, script='fail "dial tcp 192.0.2.1:443: connection refused"'
    ),
    "is permanent": Happens("the tool fails for another reason", 6, 0, script='fail "something else is wrong"'),
    "not authorised": Happens(
        "the registry or a service refuses our identity (401, 403)", 7, 0,
        script='fail "GET https://r.example/v2/: unexpected status code 401 Unauthorized"',
    ),
    "hangs": Happens("the step takes longer than `--timeout`", 6, 0, script="exec sleep 60"),
    "is killed": Happens("the tool is killed", 6, 0, script="kill -9 $$"),
    "missing": Happens("the tool is missing or too old", 5, 0, tries=0),
    "other content": Happens("the registry gives other content than the digest's", 4, 4, tries=0),
    "forbidden": Happens("the policy forbids what is found", 3, 3, steps=("scan",)),
    "foreign": Happens("the catalogue that is given is another image's", 4, 4, tries=0, steps=("scan",)),
    "absent": Happens("what must be attached isn't, or is another's, or about another digest", 4, 4, steps=("verify",)),
    "usage": Happens("a flag or a file is wrong", 2, 2, tries=0),
}  # fmt: skip

_WORDS = {
    0: "0",
    2: "2 usage",
    3: "3 policy",
    4: "4 verification",
    5: "5 tool",
    6: "6 infrastructure",
    7: "7 not authorised",
}


def page() -> str:
    """The text of `docs/outcomes.md`."""
    heads = ["what happens", *STEPS, "not required", "tries"]
    rows = [heads, ["---"] * len(heads)]
    for happens in OUTCOMES.values():
        cells = [_WORDS[happens.required] if name in happens.steps else "" for name in STEPS]
        soft = "the same" if happens.optional == happens.required else "0, `soft_failed`"
        soft = "" if not any(STEPS[name].may_be_soft for name in happens.steps) else soft
        rows.append([happens.means, *cells, soft, str(happens.tries)])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    return f"{_HEAD}\n{table}\n"


_HEAD = f"""\
# How each step ends

Made by `python -m tests.steps.outcomes`; `tests/steps/test_outcomes.py` lets each of it happen, with the real tools.
The cells are exit codes of required steps. One that isn't required (`required: false` in the policy, `--allow-failure`
at the command line) ends with 0 and the status `soft_failed` where it could not be done, and the next update tries it
again; what the policy forbids, what isn't verified and bad usage end it all the same. Verifying is always required.
Tries are how often the tool is run with `--retry-attempts {ATTEMPTS}`; 0 is a failure that is found before. What ends a
step ends every step after it.
"""

if __name__ == "__main__":
    PAGE.write_text(page())
