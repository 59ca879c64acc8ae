"""Which widgets a cell shows, read from its source: `quiz("scale")`, `guess_box("03-bytes")`."""

import ast
import re
from typing import NamedTuple

# widget: how the text begins that a notebook keeps in its place; no text for what may say anything
TWINS = {
    "quiz": r"Question \(", "guess_box": r"No guess yet|Your guess",
    "cards": r"No card is due|(?s:.*Read .* again\.\)$)",
    "report": r"No answers yet|\d+ right at", "guess_report": r"No guess has met|You were",
    "progress": "The whole course", "DrawPad": r"Draw pad\.",
    "explore_flatten": "", "explore_epochs": "", "explore_pruning": "",
    "explore_quantization": "", "explore_tradeoff": "",
    "explore_chip": r"Draw pad\.|The pad needs",
    "check": r"Not yet|Right\.|Your (code|function)|You changed|There is no|Hand over"}


class Widget(NamedTuple):
    """A call such as quiz("scale", "luck"): its name, and those arguments that are texts."""

    name: str
    texts: tuple[str, ...]

    def stands_for(self, output: dict) -> bool:
        """Whether this output is what the call left in the notebook."""
        data = output.get("data", {})
        if self.name.startswith("explore_") and not TWINS[self.name]:
            return "image/png" in data or "<img" in data.get("text/html", "")
        return "text/plain" in data and bool(re.match(TWINS[self.name], data["text/plain"]))


def calls(source: str, *names: str) -> list[Widget]:
    """The calls of functions with these names in a cell's source, in their order."""
    found = []
    for node in ast.walk(ast.parse(re.sub(r"(?m)^[%!].*$", "", source))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in names:
                texts = tuple(each.value for each in node.args
                              if isinstance(each, ast.Constant) and isinstance(each.value, str))
                found.append((node.lineno, node.col_offset, Widget(name, texts)))
    return [widget for *_, widget in sorted(found)]
