"""The static book, opened from disk: links, alt texts, the quiz without a kernel, requests, axe."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.test_quiz import complaints
from tools import book
from tools.notebooks import paths

NAMES = ["index", "digit", *(path.stem for path in paths())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    assert book.main(folder) == 0
    return folder


class Page(HTMLParser):
    """Links, anchors and pictures of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.pictures = [], set(), []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "img":
            self.pictures.append(attributes)


def test_no_dead_link_and_no_picture_without_words(folder):
    pages = {path.name: Page(path) for path in folder.glob("*.html")}
    assert sorted(pages) == sorted(f"{name}.html" for name in NAMES)
    followed = set()
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", (name, link)  # a source in the text
                continue
            target = pages.get(unquote(parts.path) or name)
            assert target is not None, (name, link)
            assert not parts.fragment or unquote(parts.fragment) in target.anchors, (name, link)
            followed.add(unquote(parts.path))
        for picture in page.pictures:
            assert len(picture.get("alt", "")) > 20, (name, picture.get("alt"))
    assert followed >= pages.keys()  # each page can be reached
    assert sum(len(page.pictures) for page in pages.values()) > 10


@pytest.fixture(scope="module")
def visits(folder, chromium):
    """{name: (a page that was opened from disk, what it asked for, what went wrong)}."""
    found = {}
    for name in NAMES:
        page = chromium.new_page(bypass_csp=True)  # axe is a script of ours
        asked, wrong = [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
        page.goto((folder / f"{name}.html").as_uri())
        found[name] = page, asked, wrong
    yield found
    for page, *_ in found.values():
        page.close()


@pytest.mark.parametrize("name", NAMES)
def test_opens_from_disk_asks_for_nothing_and_is_accessible(visits, name):
    page, asked, wrong = visits[name]
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert wrong == []
    assert complaints(page, "body") == []


def test_the_quiz_can_be_read_without_a_kernel(visits):
    page = visits["06_quiz"][0]
    answers = page.locator("details", has_text="Answers").first
    question = answers.locator("..")
    assert question.get_by_text("Question (").is_visible()
    assert question.locator("ol").first.locator("li").count() == 4
    right = answers.get_by_text("Right.")
    assert answers.is_visible() and not right.is_visible()  # folded
    answers.locator("summary").click()
    assert right.is_visible()
