"""A hook of MkDocs: links of a page to files of the repository outside of docs/ work on the site, too.

On a forge a link such as ``../config/generators/cart.yaml`` is a way to the file. The site gets a copy of each such
file under ``files/``, and the link is turned there. A link to a file that does not exist stops the build.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LINK = re.compile(r"(?<=\]\()(\.\./[^)#\s]*)")

# Files and folders outside of docs/ that are pages of the site.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "config/README.md": "configuration.md",
    "results/reference": "results.md",
    "results/reference/README.md": "results.md",
}


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn a page's links to files outside of docs/ to copies on the site."""
    root = Path(config["docs_dir"]).parent

    def turned(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), link[1]))
        if path in PAGES:
            return PAGES[path]
        if not (root / path).is_file() or path.endswith(".md"):
            raise PluginError(f"{page.file.src_uri} links to {link[1]}, which is no file that the site can have.")
        copy = f"files/{path}"
        if files.get_file_from_path(copy) is None:
            files.append(File.generated(config, copy, abs_src_path=str(root / path)))
        return copy

    return LINK.sub(turned, markdown)
