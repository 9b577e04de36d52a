"""Files of a project, for the tests of what is read from them."""

from pathlib import Path


def write(name: str, text: str) -> str:
    """Writes a file in the working directory, with its folders, and gives its name back."""
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return name
