"""The site's scripts: modules joined to one classic script, and data that scripts load.

From disk a browser refuses modules and fetch, but loads classic scripts.
"""

import json
import re
from pathlib import Path

from tools import ROOT

_HERE = Path(__file__).with_name("site")
_FOLDERS = (_HERE, ROOT / "mnist_compress" / "ui", ROOT / "mnist_compress" / "deploy" / "web")


def read(name):
    """A file of the site, or one that it shares with the widgets or the pages of notebook 08."""
    return next(folder / name for folder in _FOLDERS if (folder / name).exists()).read_text("utf-8")


def joined(name):
    """A module and all that it imports as one classic script; each becomes a function's inside."""
    done = {}
    _add(name, done)
    return '"use strict";\n(() => {\nconst modules = {};\n' + "\n".join(done.values()) + "\n})();\n"


def _add(name, done):
    text, names = read(name), []
    # links of texts lead to notebooks there, to pages here
    text = text.replace("`${notebook}.ipynb`", "`${notebook}.html`")
    for other in re.findall(r'^import .* from "\./(.*)";$', text, re.MULTILINE):
        if other not in done:
            _add(other, done)

    def exported(match):
        names.append(match[2])
        return match[0].removeprefix("export ")

    text = re.sub(r'^import (\{.*\}) from "\./(.*)";$', r'const \1 = modules["\2"];', text,
                  flags=re.MULTILINE)
    text = re.sub(r'^import (\w+) from "\./(.*)";$', r'const \1 = modules["\2"].widget;', text,
                  flags=re.MULTILINE)
    text = re.sub(r"^export ((?:async )?function|const|class) (\w+)", exported, text,
                  flags=re.MULTILINE)
    text, widgets = re.subn(r"^export default ", "const widget = ", text, flags=re.MULTILINE)
    names += ["widget"] * widgets
    done[name] = (f'modules["{name}"] = (() => {{\n{text}\n'
                  f'return {{{", ".join(names)}}};\n}})();')


def write_data(folder, name, value):
    """Data that `load(name)` gives a script of the page."""
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f'course.data("{name}", {text});\n', "utf-8")
