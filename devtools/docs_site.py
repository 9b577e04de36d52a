"""What MkDocs needs told to build a site of pages that are written to be read in the repository: its hooks.

- The pages of the repository's root (README and its like) become pages of the site; README is its first.
- A link to a file of the repository that isn't on the site becomes the file's path, since the site doesn't know where
  the repository is published. One to a file that isn't there is left to MkDocs, which refuses it.
- A word behind a fence's language, by which a test finds the fence, is dropped.
"""

import logging
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT_PAGES = {"README.md": "index.md"} | {name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
"""Pages outside the folder of pages: path in the repository → path on the site."""

# The name of MkDocs' loggers: what is warned of there fails a strict build.
_log = logging.getLogger("mkdocs.hooks.docs_site")
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#\s]+)(#[^)\s]*)?\)")
_NAMED_FENCE = re.compile(r"^(```\w+) [\w.-]+$", re.MULTILINE)
_CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages of the repository's root."""
    repository = Path(config.docs_dir).parent
    for name, page in ROOT_PAGES.items():
        files.append(File.generated(config, page, content=(repository / name).read_text()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as the site has them."""
    docs = Path(config.docs_dir)
    uri = page.file.src_uri
    source = next((name for name, shown in ROOT_PAGES.items() if shown == uri), f"{docs.name}/{uri}")

    def adapted(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = PurePosixPath(os.path.normpath(PurePosixPath(source).parent / target))
        on_site = ROOT_PAGES.get(str(path), str(path).removeprefix(f"{docs.name}/"))
        if files.get_file_from_path(on_site):
            return f"[{text}]({os.path.relpath(on_site, PurePosixPath(uri).parent)}{anchor})"
        if not (docs.parent / path).exists():
            _log.warning("%s has a link to '%s', and the repository has no %s", source, target, path)
        name = text.strip("`")
        return f"`{path}`" if name.rstrip("/") == str(path) else f"{text} (`{path}`)"

    parts = _CODE.split(_NAMED_FENCE.sub(r"\1", markdown))
    # Every second part is code, in which nothing is a link.
    return "".join(part if number % 2 else _LINK.sub(adapted, part) for number, part in enumerate(parts))
