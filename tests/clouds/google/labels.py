"""The rules for labels that Google's services share."""

from collections.abc import Mapping

from tests.clouds.google.errors import invalid

_MOST = 64
_LONGEST = 63


def check_labels(labels: Mapping[str, str], path: str) -> None:
    """Refuse labels that https://cloud.google.com/resource-manager/docs/labels-overview#requirements doesn't allow."""
    if len(labels) > _MOST:
        raise invalid(f"{path}: at most {_MOST} labels are allowed, got {len(labels)}", path)
    for key, value in labels.items():
        # International characters are fine: what has no upper and lower case is neither.
        if not 1 <= len(key) <= _LONGEST or not key[0].isalpha() or not _plain(key):
            reason = (
                "Label keys must start with a lowercase letter and contain only lowercase letters, numbers, - and _"
            )
            raise invalid(f"{path}: {reason}; at most {_LONGEST} characters: {key!r}", path)
        if len(value) > _LONGEST or not _plain(value):
            reason = "Label values can contain only lowercase letters, numbers, - and _"
            raise invalid(f"{path}: {reason}; at most {_LONGEST} characters: {key!r} is {value!r}", path)


def _plain(text: str) -> bool:
    return all((c.isalnum() and c == c.lower()) or c in "-_" for c in text)
