"""The static site, from disk and from a loopback server: links, sizes, what works without a kernel,
at three sizes, by keyboard alone, on paper, in the dark; requests and axe."""

import functools
import json
import re
import threading
import time
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from mnist_compress.ui import guesses, questions, story
from mnist_compress.ui.questions import ask, load_questions
from tests.browser.test_quiz import complaints, field_of, told
from tools import book
from tools.book.calls import calls
from tools.notebooks import code_cells, paths, read

NAMES = ["index", *(path.stem for path in paths()[1:])]
NOTEBOOKS = dict(zip(NAMES, paths(), strict=True))
SIZES = {"phone": (390, 844), "tablet": (1024, 768), "desk": (1366, 900)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    assert book.main(folder) == 0
    return folder


class Page(HTMLParser):
    """Links, anchors, pictures and scripts of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.pictures, self.files, self.inline = [], [], [], [], []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.anchors.append(attributes["id"])
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "img":
            self.pictures.append(attributes)
        if tag in ("img", "script") or (tag == "link" and attributes["rel"] == "stylesheet"):
            self.files.append(attributes.get("src", attributes.get("href")))
        if "style" in attributes or tag == "style" or (tag == "script" and "src" not in attributes):
            self.inline.append((tag, attributes))


@pytest.fixture(scope="module")
def parsed(folder):
    return {path.name: Page(path) for path in folder.glob("*.html") if path.stem != "alone"}


def test_links_lead_to_pages_and_headings_of_the_site(parsed, folder):
    followed = set()
    for name, page in parsed.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", (name, link)  # a source in the text
                continue
            target = unquote(parts.path) or name
            assert (folder / target).exists(), (name, link)
            if parts.fragment:
                assert unquote(parts.fragment) in parsed[target].anchors, (name, link)
            followed.add(target)
    assert followed >= parsed.keys() | {"alone.html"}  # each page can be reached


def test_what_texts_of_widgets_link_to_is_there(parsed):
    """Feedback and cards send a learner to headings."""
    for question in load_questions().values():
        notebook, _, heading = question.read_again.partition("#")
        page = parsed["index.html" if notebook == "00_story" else f"{notebook}.html"]
        assert heading.replace(" ", "-") in page.anchors, question.id


def test_pages_have_one_policy_and_nothing_inline_and_words_for_pictures(parsed, folder):
    for name, page in parsed.items():
        assert page.inline == [], name
        assert len(page.anchors) == len(set(page.anchors)), name
        text = (folder / name).read_text("utf-8")
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in text
        assert "CC BY-SA" in text and "Yann LeCun" in text
        for picture in page.pictures:
            assert len(picture["alt"]) > 20 and picture["width"] and picture["height"], name
    assert sum(len(page.pictures) for page in parsed.values()) > 10


def test_pages_are_small(parsed, folder):
    """All that a page loads before anybody asks for more, uncompressed."""
    for name, page in parsed.items():
        files = {name, *page.files, "data/practice.js"}
        text = (folder / name).read_text("utf-8")
        files |= {f"data/{name}_opens.js"
                  for name in re.findall('data-widget="(explore_[a-z]+)"', text)}
        files |= {"data/networks.js"} if 'data-widget="DrawPad"' in text else set()
        size = sum((folder / file).stat().st_size for file in files)
        assert size <= (900_000 if "data/networks.js" in files else 600_000), (name, size)


@pytest.fixture(scope="module")
def served(folder):
    """The address of the site on a loopback server."""
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_first_picture_of_each_page_is_asked_for_first(parsed):
    """Nothing that runs comes before it; the others wait until they are near."""
    for page in parsed.values():
        first, *others = page.pictures or [{"fetchpriority": "high"}]
        assert first.get("fetchpriority") == "high" and "loading" not in first
        assert all(picture["loading"] == "lazy" for picture in others)
        assert page.files[-1] == "course.js"


@pytest.fixture(params=["disk", "server"])
def base(request, folder):
    """Where the site is."""
    if request.param == "disk":
        return folder.as_uri()
    return request.getfixturevalue("served")


@pytest.fixture
def visit(chromium):
    """visit(address) -> a page whose errors and outside requests fail the test at its end."""
    pages = []

    def go(address, **options):
        page = chromium.new_page(**options)
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("requestfailed", lambda request: None if "ERR_ABORTED" in request.failure
                else wrong.append(request.url))  # a picture may be on its way when a page is left
        home = address.rsplit("/", 1)[0]
        page.on("request", lambda request: None if request.url.startswith(
            (home, "data:", "blob:")) else wrong.append(request.url))
        page.goto(address)
        pages.append((page, wrong))
        return page

    yield go
    for page, wrong in pages:
        page.close()
        assert wrong == []


def ready(page):
    """Wait until each widget that needs no Python is there."""
    page.wait_for_load_state("networkidle")
    texts = "[data-widget$=report], [data-widget=progress]"
    for place in page.locator(f"[data-widget]:not({texts})").all():
        expect(place.locator(".mc")).to_have_count(1)


@pytest.mark.parametrize("name", [*NAMES, "digit"])
def test_every_page_at_three_sizes_in_both_lights(folder, chromium, name):
    """Nothing is wider than the screen; nothing serious for axe on phone and desk."""
    for (width, height), scheme in zip(SIZES.values(), ("dark", "light", "light"), strict=True):
        page = chromium.new_page(viewport={"width": width, "height": height}, bypass_csp=True,
                                 color_scheme=scheme)  # axe is a script of ours
        page.goto((folder / f"{name}.html").as_uri())
        ready(page)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")  # folded parts too
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert width == 1024 or complaints(page, "body") == []
        page.close()


def test_each_call_in_a_notebook_has_its_widget(folder):
    for name, path in NOTEBOOKS.items():
        page = (folder / f"{name}.html").read_text("utf-8")
        for cell in code_cells(read(path)):
            for widget in calls(cell.source, "quiz", "guess_box", "cards"):
                texts = " ".join(widget.texts)
                assert f'data-texts="{texts}" data-widget="{widget.name}"' in page, widget
            for widget in calls(cell.source, "reveal"):
                assert f'data-key="{widget.texts[0]}" data-value=' in page, widget


def kept(page):
    return json.loads(page.evaluate("localStorage.getItem('mnist_compress')"))


def as_python_says(monkeypatch, tmp_path, state, function, *arguments):
    """What the course's own function says in this state, as lines."""
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path))
    (tmp_path / "state.json").write_text(json.dumps(state))
    said = function(*arguments)
    return re.sub(r"\s+", " ", getattr(said, "sentence", said).replace("\n- ", "\n")).strip()


def text_of(place):
    return re.sub(r"\s+", " ", place.inner_text()).strip()


def test_quiz_by_keyboard_and_the_report(base, visit, monkeypatch, tmp_path):
    page = visit(f"{base}/06_quiz.html")
    ready(page)
    asked = calls("\n".join(cell.source for cell in code_cells(read(paths("06")[0]))), "quiz")
    names = [name for widget in asked for name in widget.texts][:3]
    for place, (name, keys) in enumerate(zip(names, (
            ["Space"], ["ArrowDown", "Space"], ["ArrowDown", "ArrowDown", "Enter"]), strict=True)):
        field_of(page, name).get_by_role("radio").first.focus()
        for key in keys:
            page.keyboard.press(key)
        expect(field_of(page, name).get_by_role("status")).to_contain_text(
            told(name, "abc"[place]).replace("`", ""))
    again = field_of(page, names[2])
    again.get_by_role("button", name="Try again").click()
    again.get_by_role("radio").nth([each.correct for each in ask(names[2]).options].index(True)
                                   ).check()
    again.get_by_role("button", name="Show me").click()
    expect(again.locator(".mc-evidence")).to_contain_text(re.compile(r"\d"))
    report = text_of(page.locator("[data-widget=report]"))
    python = as_python_says(monkeypatch, tmp_path, kept(page), questions.report)
    assert report.replace("`", "") == python.replace("`", "")
    page.reload()
    ready(page)
    assert text_of(page.locator("[data-widget=report]")) == report
    assert again.get_by_role("radio", checked=True).count() == 1


def test_a_guess_opens_what_was_measured(base, visit, monkeypatch, tmp_path):
    page = visit(f"{base}/03_pruning.html")
    ready(page)
    fold = page.locator("details.reveal", has=page.locator("[data-key='03-bytes']"))
    box = page.locator("[data-texts='03-bytes']")
    assert not fold.locator("p").first.is_visible()
    box.get_by_role("spinbutton").fill("286")
    page.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_contain_text("Your guess: 286 KB.")
    status = fold.get_by_role("status")
    expect(status).to_be_visible()
    state, truth = kept(page), float(status.get_attribute("data-value"))
    assert state["truths"] == {"03-bytes": truth}
    assert text_of(status) in as_python_says(monkeypatch, tmp_path, state, guesses.reveal,
                                             "03-bytes", truth)
    other = page.locator("details.reveal", has=page.locator("[data-key='03-sparsity']"))
    other.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(other).to_have_attribute("open", "")
    page.locator("[data-texts='03-sparsity']").get_by_role("spinbutton").fill("50")
    page.keyboard.press("Enter")
    expect(page.locator("[data-texts='03-sparsity']").get_by_role("status")).to_contain_text(
        "You have seen the answer")
    page.goto(f"{base}/06_quiz.html")
    ready(page)
    lines = as_python_says(monkeypatch, tmp_path, state, lambda: f"{guesses.guess_report()!r}")
    assert text_of(page.locator("[data-widget=guess_report]")) == lines


def test_two_values_of_one_cell_wait_for_both_guesses(folder, visit):
    page = visit((folder / "04_quantization.html").as_uri())
    ready(page)
    fold = page.locator("details.reveal", has=page.locator("[data-key='04-flips']"))
    for key, open_then in (("04-flips", False), ("04-bytes", True)):
        page.locator(f"[data-texts='{key}']").get_by_role("spinbutton").fill("25")
        page.keyboard.press("Enter")
        expect(page.locator(f"[data-texts='{key}'] [role=status]")).to_contain_text("25")
        assert fold.evaluate("fold => fold.open") is open_then
    assert len(kept(page)["truths"]) == 2


def test_cards_come_back_by_date(base, visit):
    page, name = visit(f"{base}/05_prediction_trace.html"), "scale"
    long_ago = int(time.time()) - 100 * 86400
    state = {"answers": {name: [["a", long_ago]]}, "guesses": {"03-bytes": "damaged"}}
    page.evaluate("text => localStorage.setItem('mnist_compress', text)", json.dumps(state))
    page.reload()
    ready(page)
    box = page.locator("[data-widget=cards]").first
    for _ in range(3):
        box.locator("button.mc-card").focus()
        known = ask(name).question[:20] in box.inner_text()
        page.keyboard.press("Enter")
        for _ in range(1 if known else 2):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    expect(box.locator("p[role=status]").last).to_contain_text("You knew 1 of 3.")
    made = kept(page)["cards"]
    assert made[name][0][0] == "knew" and len(made) == 3
    assert sorted(text for (text, _), in made.values()) == ["knew", "not", "not"]


def test_the_page_that_reads_digits_works_in_its_frame(base, visit):
    page = visit(f"{base}/digit.html")
    paper = page.frame_locator("iframe").locator("canvas").first
    paper.focus()
    for key in ["ArrowUp", "Space", *["ArrowDown"] * 10, "Space"]:
        page.keyboard.press(key)
    expect(page.frame_locator("iframe").get_by_role("status")).to_contain_text("1")


def test_the_map_says_what_is_done(folder, visit, monkeypatch, tmp_path):
    page = visit((folder / "index.html").as_uri())
    state = {"answers": {name: [["b", 9]] for name in list(load_questions())[:5]},
             "guesses": {"03-bytes": 9, "00-right": 800}, "truths": {}, "cards": {
                 "scale": [["knew", 9]]}, "exercises": {"my_mask": [["No.", 8], ["right", 9]]}}
    page.evaluate("text => localStorage.setItem('mnist_compress', text)", json.dumps(state))
    page.reload()
    ready(page)
    said = as_python_says(monkeypatch, tmp_path, state, story.progress)
    place = page.locator("[data-widget=progress]")
    assert text_of(place).replace("`", "") == said.replace("`", "")
    place.get_by_role("link", name="03_pruning", exact=True).click()
    page.wait_for_url(re.compile("03_pruning.html$"))


def test_search_by_keyboard(base, visit):
    page = visit(f"{base}/04_quantization.html")
    page.get_by_label("Search the course").focus()
    page.keyboard.type("magnitude prun")
    first = page.locator("#found a").first
    expect(first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("03_pruning.html"))


def test_explorers_open_as_in_their_notebooks(folder):
    """They are recorded from the same networks."""
    opens = {}
    for path in (folder / "data").glob("*_opens.js"):
        text = path.read_text("utf-8")
        opens[path.stem.removesuffix("_opens")] = json.loads(
            text[text.index("{"):text.rindex("}") + 1])
    for path in NOTEBOOKS.values():
        for cell in code_cells(read(path)):
            for widget in calls(cell.source, *opens):
                said = [output.data["text/plain"] for output in cell.outputs if "data" in output]
                assert opens.pop(widget.name)["sentence"] in said
    assert opens == {}


def test_sliders_show_what_was_recorded(base, visit, folder):
    page = visit(f"{base}/03_pruning.html")
    ready(page)
    box = page.locator("[data-widget=explore_pruning]")
    before, picture = text_of(box.locator("p").first), box.locator("img").get_attribute("src")
    box.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(box.locator("p").first).not_to_have_text(before)
    expect(box.locator(f"img[src='{picture}']")).to_have_count(0)
    assert "91 % zeros" in text_of(box.locator("p").first)
    for _ in range(4):  # each position has its picture
        page.keyboard.press("ArrowLeft")
    expect(box.locator("p").first).to_contain_text("87 % zeros")
    assert box.locator("img").get_attribute("alt") == box.locator("p").first.inner_text()


def test_paper_has_everything_open(folder, visit):
    page = visit((folder / "03_pruning.html").as_uri())
    ready(page)
    page.pdf()
    solution = page.locator("details", has_text="The solution").last
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert solution.evaluate("fold => fold.open")
    assert page.evaluate("[...document.querySelectorAll('main pre')]"
                         ".every(box => box.scrollWidth <= box.clientWidth + 1)")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not solution.evaluate("fold => fold.open")
    assert "truths" not in (page.evaluate("localStorage.getItem('mnist_compress')") or "")


def test_the_pad_picks_moves_and_draws(base, visit):
    page = visit(f"{base}/05_prediction_trace.html")
    ready(page)
    box = page.locator("[data-widget=DrawPad]")
    cell = next(cell for cell in code_cells(read(NOTEBOOKS["05_prediction_trace"]))
                if "DrawPad(" in cell.source and cell.outputs)
    assert "validation[::20]" in cell.source
    sentence = box.locator(".mc-pad-sentence")
    assert f"Draw pad. {text_of(sentence)}" in cell.outputs[-1].data["text/plain"]
    box.get_by_role("button", name="Next").click()
    expect(sentence).to_contain_text("Picture 1, a 0: float says 0")
    box.get_by_label("What the network sees").focus()
    page.keyboard.press("ArrowLeft")
    expect(sentence).to_contain_text("moved 1 left")
    paper = box.get_by_label("Draw here")
    paper.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(sentence).to_contain_text("Your drawing: float says 1")
    box.locator("summary").click()
    expect(box.get_by_role("row", name="quantization applied")).to_be_visible()
    box.get_by_role("button", name="Clear").click()
    expect(sentence).to_contain_text("There is no ink yet.")
