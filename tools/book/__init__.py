"""A static site that is the course: all notebooks, with widgets that work without a kernel.

It opens from disk, book/index.html, and from any static host, and asks for nothing outside.
`pages` makes a notebook a page, `calls` finds its widgets, `polish` mends what HTML of notebooks
lacks, `scripts` joins JavaScript, `recorded` and `networks` bring what a page cannot compute; the
rest is in `site/`.
"""

import html
import string
import time
from pathlib import Path

from mnist_compress import pretrained
from mnist_compress.deploy import export_page
from tools import ROOT
from tools.book import networks, pages, recorded, scripts
from tools.book.polish import Folder, address, polish
from tools.notebooks import paths, read

BOOK = ROOT / "book"


def main(folder=BOOK):
    """Write the site into this folder."""
    began, folder = time.monotonic(), Folder(Path(folder))
    notebooks = {path.stem: read(path) for path in paths()}
    size = f"{export_page(pretrained.load('thousand'), folder.path / 'alone.html'):,}"
    for name, notebook in notebooks.items():
        page = _page(name, notebooks, polish(pages.body(notebook), folder, _front(notebooks)), size)
        (folder.path / _file(name, notebooks)).write_text(page, encoding="utf-8")
    pad = string.Template(scripts.read("digit.html")).substitute(size=size)
    (folder.path / "digit.html").write_text(_shell("Draw a digit", notebooks, pad, size), "utf-8")
    (folder.path / "minisearch.js").write_text(scripts.read("minisearch.js"), "utf-8")
    (folder.path / "course.js").write_text(scripts.joined("page.js"), "utf-8")
    css = scripts.read("site.css") + scripts.read("widget.css") + folder.css()
    (folder.path / "site.css").write_text(css, "utf-8")
    _write_data(folder.path, notebooks)
    print(f"Open {folder.path / 'index.html'} ({time.monotonic() - began:.0f} s)")
    return 0


def _write_data(folder, notebooks):
    found = [[_file(name, notebooks), anchor, heading, text] for name, notebook in notebooks.items()
             for anchor, heading, text in pages.sections(notebook)]
    scripts.write_data(folder, "search", found)
    scripts.write_data(folder, "networks", networks.networks())
    scripts.write_data(folder, "practice", recorded.practice())
    for name in recorded.EXPLORERS:
        opens, pictures = recorded.explorer(name)
        scripts.write_data(folder, f"{name}_opens", opens)
        for places, shown in pictures.items():  # one each, so that a move loads little
            scripts.write_data(folder, f"{name}/{places}", shown)


def _front(notebooks):
    return next(iter(notebooks))


def _file(name, notebooks):
    return address(f"{name}.html", _front(notebooks))


def _page(name, notebooks, main, size):
    """The whole page of one notebook."""
    names = list(notebooks)
    place = names.index(name)
    steps = [(word, names[there]) for word, there in (("Previous", place - 1), ("Next", place + 1))
             if 0 <= there < len(names)]
    links = "\n".join(f'<a rel="{word.lower()[:4]}" href="{_file(there, notebooks)}">{word}: '
                      f'{html.escape(pages.title(notebooks[there]))}</a>' for word, there in steps)
    steps = f'<nav class="steps" aria-label="Previous and next page">\n{links}\n</nav>'
    about = '<p class="about">' + scripts.read("about.html") + "</p>\n"
    return _shell(pages.title(notebooks[name]), notebooks, about + main, size, steps, name)


def _shell(title, notebooks, main, size, steps="", here=None):
    """A page of the site: what all have around the main part."""
    return string.Template(scripts.read("shell.html")).substitute(
        title=html.escape(title), main=main, size=size, steps=steps,
        contents="\n".join(_entry(each, notebooks, each == here) for each in notebooks))


def _entry(name, notebooks, here):
    mark = ' aria-current="page"' if here else ""
    return (f'<li><a href="{_file(name, notebooks)}"{mark}>{html.escape(name[:2])} '
            f'{html.escape(pages.title(notebooks[name]))}</a> '
            f'<span class="minutes">{pages.minutes(notebooks[name])} minutes</span></li>')
