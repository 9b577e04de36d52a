"""The one family of errors that reaches a person, with the exit code that each ends the CLI with.

An error says what was wrong (with the path of the property or flag), why, and in `advice` what to do next.
It never holds a secret: callers put paths, names and digests into it, not values.
"""


class ScSecureError(Exception):
    """What every error of this package derives from.

    Args:
        message: what was wrong and why, starting with the property's or flag's path where there is one.
        advice: what to do next; printed on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def diagnostics(self) -> str:
        """The message, and under it the advice."""
        return f"{self.message}\n  {self.advice}" if self.advice else self.message


class ConfigError(ScSecureError):
    """Bad usage or configuration: an unknown key, a flag out of range, a reference without a digest."""

    exit_code = 2


class PolicyViolation(ScSecureError):
    """The scan found what the policy forbids. Never retried, never soft."""

    exit_code = 3


class VerificationFailed(ScSecureError):
    """A signature or attestation is absent, is another's, or is not about this digest. Never retried, never soft."""

    exit_code = 4


class ToolMissing(ScSecureError):
    """A program that a step needs is absent, or older than the minimum in `sc_secure.tools.table`."""

    exit_code = 5


class InfrastructureError(ScSecureError):
    """A tool, registry or disk failed, after its retries; soft where the step isn't required."""

    exit_code = 6


class NotAuthorised(InfrastructureError):
    """The registry or key service refused our identity. Never retried; soft where the step isn't required."""

    exit_code = 7
