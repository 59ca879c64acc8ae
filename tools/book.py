"""A static site of all executed notebooks that opens from disk: book/index.html."""

import html
import re
import sys
from pathlib import Path

import nbconvert

from mnist_compress import pretrained
from mnist_compress.deploy.page import export_page
from tools import ROOT
from tools.notebooks import code_cells, paths, read

BOOK = ROOT / "book"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>mnist_compress</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}}
a{{color:#0b57a4}}</style></head>
<body><main><h1>Making a neural network smaller</h1>
<p>Each page is a notebook of the course as it ran, with all its outputs. To run one yourself,
install the course and type <code>make lab</code>.</p>
<ol>{items}</ol>
<p><a href="digit.html">Try it: draw a digit</a>. That page is {size:,} bytes with the network of
notebook 07, its decoder and the pad. Notebook 08 makes it.</p></main></body></html>
"""

CODE = """<style>.highlight{  /* darker than nbconvert's: contrast of at least 4.5 on its grey */
--jp-mirror-editor-comment-color:#2f6060;--jp-mirror-editor-number-color:#006400;
--jp-mirror-editor-operator-color:#7a00cc;--jp-mirror-editor-keyword-color:#006400}</style></head>"""


def title(notebook):
    """The notebook's question: its first heading."""
    return re.search(r"(?m)^# (.+)$", notebook.cells[0].source)[1]


def add_alt(notebook):
    """Give each picture that brought an alt text to nbconvert in the place where it looks."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                output.metadata["alt"] = alt
    return notebook


def convert(path):
    """One notebook as a page without any outside request, linked to its neighbours."""
    exporter = nbconvert.HTMLExporter(
        require_js_url="", mathjax_url="", mermaid_js_url="", sanitize_html=False)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    notebook = add_alt(read(path))
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title(notebook)}})
    page = re.sub(r'href="(\d\d_\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', page)
    page = page.replace("</head>", CODE, 1)
    style = "padding:1rem;font:1rem system-ui,sans-serif"
    contents = f'<body\\1><nav style="{style}"><a href="index.html">Contents</a></nav>'
    return re.sub(r"<body([^>]*)>", contents, page, count=1)


def main(folder=BOOK):
    """Write the pages and the contents page."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for path in paths():
        (folder / f"{path.stem}.html").write_text(convert(path), encoding="utf-8")
        items.append(f'<li><a href="{path.stem}.html">{html.escape(title(read(path)))}</a></li>')
    size = export_page(pretrained.load("thousand"), folder / "digit.html")
    page = PAGE.format(items="\n".join(items), size=size)
    (folder / "index.html").write_text(page, encoding="utf-8")
    print(f"Open {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
