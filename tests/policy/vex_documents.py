"""OpenVEX documents for tests, valid unless a test changes them."""

import json
from typing import Any

CONTEXT = "https://openvex.dev/ns/v0.2.0"


def statement(product: Any, **changes: Any) -> dict[str, Any]:
    """A statement that CVE-2024-4340 doesn't affect the product (a package URL, or a whole product)."""
    whole = {
        "vulnerability": {"name": "CVE-2024-4340"},
        "products": [product if isinstance(product, dict) else {"@id": product}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def vex(*statements: dict[str, Any], **changes: Any) -> bytes:
    """A document of these statements."""
    whole = {
        "@context": CONTEXT,
        "@id": "https://example.com/vex/1",
        "author": "security@example.com",
        "timestamp": "2026-11-20T00:00:00Z",
        "version": 1,
        "statements": list(statements),
    } | changes
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()
