"""HTML of notebooks made fit for a page: pictures as files, styles as classes, table headers."""

import base64
import hashlib
import io
import re

from bs4 import BeautifulSoup
from PIL import Image

COLORS = 64  # of a picture's palette
SHORT = 30  # letters of a table's cell that stay on one line


class Folder:
    """The site's folder: what pages share is written once. `styles`: {declarations: class}."""

    def __init__(self, path):
        self.path, self.styles = path, {}
        (path / "pictures").mkdir(parents=True, exist_ok=True)

    def picture(self, source):
        """A data: address -> where the same picture is as a file, and its size in pixels."""
        data = base64.b64decode(source.partition(",")[2])
        name = f"pictures/{hashlib.sha256(data).hexdigest()[:12]}.webp"
        small = small_picture(data)
        (self.path / name).write_bytes(small)
        return name, Image.open(io.BytesIO(small)).size

    def style(self, declarations):
        """The class that stands for a style attribute, which the pages' policy forbids."""
        return self.styles.setdefault(declarations, f"look{len(self.styles)}")

    def css(self):
        """Rules for all classes so far."""
        return "".join(f".{name} {{ {text} }}\n" for text, name in self.styles.items())


def small_picture(data):
    """PNG -> WebP of at most COLORS colors, without the transparency that plots do not need."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    with io.BytesIO() as file:
        picture.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB").save(
            file, "WEBP", lossless=True, quality=100)
        return file.getvalue()


def polish(page, folder, front):
    """HTML of a page's main part -> the same without styles and data in it.

    front: the notebook that is the site's index.
    """
    soup = BeautifulSoup(page, "html.parser")
    for style in soup("style"):
        style.decompose()
    for element in soup(style=True):
        name = folder.style(element.attrs.pop("style"))
        element["class"] = [*element.get("class", []), name]
    for place, picture in enumerate(soup("img", src=re.compile("^data:image/png"))):
        _out(picture, folder)
        picture.attrs |= {"loading": "lazy"} if place else {"fetchpriority": "high"}
    for table in soup("table"):
        _header(soup, table)
    for text in soup.find_all(string=re.compile(r"\d %")):
        if text.find_parent(("p", "li", "td", "th")):  # a number and its sign stay on one line
            text.replace_with(re.sub(r"(?<=\d) (?=%)", "\u00a0", text))
    for link in soup("a", href=True):
        link["href"] = address(link["href"], front)
        if link["href"].startswith("device/"):  # what a notebook writes when it runs
            link.unwrap()
    return str(soup)


def address(link, front):
    """A link between notebooks, or to the smallest page that one makes -> between pages."""
    link = re.sub(r"^(\d\d_\w+)\.ipynb", r"\1.html", link)
    link = link.replace("device/small.html", "digit.html")
    return link.replace(f"{front}.html", "index.html")


def _out(picture, folder):
    name, (wide, high) = folder.picture(picture["src"])
    shown = int(picture.get("width") or wide)
    picture.attrs.update(src=name, width=shown, height=round(high * shown / wide))


def _header(soup, table):
    """Say what the header cells of a table head; join pandas' second line, the index's name."""
    table.attrs.pop("border", None)
    lines = table.select("thead tr")
    if len(lines) == 2 and not any(cell.text for cell in lines[1]("th")[1:]):
        lines[0].th.string = lines[1].th.text
        lines[1].decompose()
    for cell in table.select("thead th"):
        cell["scope"] = "col"
        if not cell.text.strip():
            cell.name = "td"
            del cell["scope"]
    for cell in table.select("tbody th"):
        cell["scope"] = "row"
    for cell in table.select("td") if "dataframe" in table.get("class", []) else []:
        if len(cell.text) <= SHORT:  # rather scrolled than broken into many lines
            cell["class"] = [*cell.get("class", []), "short"]
    table.wrap(soup.new_tag("div", attrs={"class": "scroll"}))
