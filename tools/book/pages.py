"""A notebook as the main part of a page: text, code, outputs, and where its widgets stand."""

import html
import re
from urllib.parse import quote

from nbconvert.filters.markdown_mistune import markdown2html_mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.book.calls import TWINS, calls

CHIP = ('<p class="wants-python">This pad wants Python: an emulated chip runs the programs, '
        "digit by digit.</p>")
PYTHON = ('<p class="wants-python">This exercise wants Python: write it in your own copy of the '
          "notebook, where the check names the mistake. Hint and solution can be read here.</p>")


def title(notebook):
    """The notebook's question: its first heading."""
    return re.search(r"(?m)^# (.+)$", notebook.cells[0].source)[1]


def minutes(notebook):
    """Minutes for reading and doing together, as its first cell says them."""
    return sum(map(int, re.findall(r"(?:Reading|Doing): (\d+) minutes", notebook.cells[0].source)))


def body(notebook):
    """All cells as HTML. Pictures are still inside it; `polish` takes them out."""
    return "\n".join(_text(cell.source) if cell.cell_type == "markdown" else _code(cell)
                     for cell in notebook.cells)


def sections(notebook):
    """[(id and text of a heading, plain text below it)], for the search."""
    found = [["", title(notebook), ""]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if heading := re.match(r"#+ (.+)", line):
                    found.append([_anchor(heading[1]), heading[1], ""])
                elif not line.startswith("```"):
                    found[-1][2] += " " + re.sub(r"<[^>]*>|\]\([^)]*\)|[*`\[]", "", line)
    return [(anchor, heading, text.strip()) for anchor, heading, text in found if text.strip()]


def _anchor(heading):
    return heading.replace(" ", "-")  # as JupyterLab and nbconvert name it


def _text(source):
    page = markdown2html_mistune(source)
    return re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", page)


def _code(cell):
    shown = highlight(cell.source, PythonLexer(), HtmlFormatter())
    return f'<div class="cell">{shown}{_outputs(cell)}</div>'


def _outputs(cell):
    """What the cell left, with a place for each widget; after `reveal`, folded until a guess."""
    waiting, parts = calls(cell.source, *TWINS), []
    for output in filter(_stays, cell.outputs):
        widget = next((each for each in waiting if each.stands_for(output)), None)
        if widget:
            waiting.remove(widget)
        parts.append(_place(widget, _output(output)) if widget else _output(output))
    parts += [_place(widget, "") for widget in waiting]
    page = "".join(parts)
    page = _folded([reveal.texts[0] for reveal in calls(cell.source, "reveal")], page)
    return f'<div class="jp-OutputArea">{page}</div>' if page else ""


def _stays(output):
    """Whether it says something once the cell has run: the bar of a long cell ends in spaces."""
    return output.get("data", {}).keys() != {"text/plain"} or not (
        output.data["text/plain"].endswith(10 * " "))


def _place(widget, twin):
    """Where a script builds the widget; until then, and without scripts, its static twin."""
    if widget.name == "check":
        return PYTHON
    if widget.name == "explore_chip":
        return CHIP
    return (f'<div data-widget="{widget.name}" data-texts="{" ".join(widget.texts)}">{twin}</div>')


def _folded(keys, page):
    """Outputs that tell measured values, hidden until there are guesses or somebody opens them."""
    said = r"(Measured: (-?[\d.,e+]+)\s[^\n<]*?)\. There is no guess to compare it with\."
    values = [value.replace(",", "") for _, value in re.findall(said, page)]
    told = "".join(f'<p role="status" data-key="{key}" data-value="{value}"></p>'
                   for key, value in zip(keys, values, strict=False))
    if not told:
        return page
    page = re.sub(said, r"\1.", page)
    return ('<details class="reveal"><summary>What was measured: guess first, then open</summary>'
            f"{page}{told}</details>")


def _output(output):
    if output.output_type == "stream":
        return f'<pre class="printed">{html.escape(output.text, False)}</pre>'
    if output.output_type == "error":
        return f'<pre class="printed">{html.escape(f"{output.ename}: {output.evalue}")}</pre>'
    data = output.data
    if "text/html" in data:
        return data["text/html"]
    if "image/png" in data:
        about = output.metadata.get("image/png", {})
        png = data["image/png"].replace("\n", "")
        return (f'<p><img src="data:image/png;base64,{png}" width="{about.get("width", "")}" '
                f'alt="{html.escape(about.get("alt", data.get("text/plain", "")))}"></p>')
    if "image/svg+xml" in data:
        svg = quote(data["image/svg+xml"])
        return f'<p><img src="data:image/svg+xml,{svg}" alt="{data.get("text/plain", "")}"></p>'
    if "text/markdown" in data:
        return _text(data["text/markdown"])
    text = data.get("text/plain", "").rstrip()
    return f'<pre class="printed">{html.escape(text, False)}</pre>'
