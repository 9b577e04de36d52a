"""What stands below a command's flags in its help: examples, and the exit codes that it can end with."""

from __future__ import annotations

from collections.abc import Mapping

EXIT_CODES: Mapping[int, str] = {
    0: "done",
    1: "a fault of ours",
    2: "bad usage or configuration",
    3: "the policy forbids what was found",
    4: "verification failed: missing, another's, or about another digest",
    5: "a tool is missing or too old",
    6: "infrastructure failed, after retries",
    7: "not authorised",
    130: "interrupted",
}
"""What each code means; 1 and 130 are any command's."""
ANY = (1, 130)


def epilog(*examples: str, codes: tuple[int, ...], meanings: Mapping[int, str] | None = None) -> str:
    """The end of a command's help.

    Args:
        examples: whole command lines.
        codes: the exit codes that the command can end with, besides `ANY`.
        meanings: what a code means here, in place of what it means elsewhere.
    """
    said = {**EXIT_CODES, **(meanings or {})}
    shown = [f"  {example}" for example in examples]
    rows = [f"  {code}  {said[code]}" for code in codes]
    return "\n".join(["\b", "Examples:", *shown, "", "\b", "Exit codes:", *rows])
