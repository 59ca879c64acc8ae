"""README's pictures, from the widgets of the built site: the six cards, and a slider and the draw
pad in motion. First `make book`, then `python -m tools.pictures`; it needs Chromium."""

import io
import shutil
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from tools import ROOT
from tools.book import BOOK
from tools.check import BROWSERS

IMAGES = ROOT / "notebooks" / "images"
WIDTH, COLORS = 600, 48  # of the moving picture
SLIDER = [0, 60, 80, 85, 90, 92, 94, 96, 97, 98, 99]  # per cent of zeros
STROKES = ([(0.28, 0.28), (0.40, 0.17), (0.58, 0.15), (0.70, 0.25), (0.66, 0.38), (0.50, 0.47)],
           [(0.50, 0.47), (0.68, 0.54), (0.74, 0.68), (0.64, 0.82), (0.46, 0.86), (0.28, 0.78)])


def slider(page):
    """Frames of the slider of 03 on its way up: (picture, milliseconds)."""
    box = _widget(page, "03_pruning", "explore_pruning")
    control = box.get_by_role("slider")
    for share in SLIDER:
        control.evaluate("(input, to) => { input.value = to;"
                         "input.dispatchEvent(new Event('input')); }", share)
        page.get_by_text(f"At {share} % zeros").first.wait_for()
        page.wait_for_timeout(200)
        yield _shot(box), 400 if share < 99 else 700


def pad(page):
    """Frames of a 3 that is drawn on the pad of 05, in two strokes: (picture, milliseconds)."""
    box = _widget(page, "05_prediction_trace", "DrawPad")
    box.get_by_label("Draw here").scroll_into_view_if_needed()
    box.get_by_role("button", name="Clear").click()
    paper = box.get_by_label("Draw here").bounding_box()
    for stroke in STROKES:
        points = [(paper["x"] + x * paper["width"], paper["y"] + y * paper["height"])
                  for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points:
            page.mouse.move(*point, steps=4)
            page.wait_for_timeout(250)
            yield _shot(box), 250
        page.mouse.up()
        page.wait_for_timeout(500)
        yield _shot(box), 1200


def _widget(page, name, widget):
    page.goto((BOOK / f"{name}.html").as_uri())
    box = page.locator(f"[data-widget={widget}] .mc")
    box.wait_for()
    return box


def _shot(box):
    return Image.open(io.BytesIO(box.screenshot(animations="disabled"))).convert("RGB")


def moving(frames):
    """Write the frames on sheets of one size and in one palette, that of all of them together."""
    pictures, times = zip(*frames, strict=True)
    pictures = [each.resize((WIDTH, round(each.height * WIDTH / each.width)),
                            Image.Resampling.LANCZOS) for each in pictures]
    height = max(each.height for each in pictures)
    together = Image.new("RGB", (WIDTH, height * len(pictures)), "white")
    for place, each in enumerate(pictures):
        together.paste(each, (0, height * place))
    together = together.quantize(COLORS, dither=Image.Dither.NONE)
    first, *others = (together.crop((0, height * place, WIDTH, height * (place + 1)))
                      for place in range(len(pictures)))
    first.save(IMAGES / "moving.gif", save_all=True, append_images=others, duration=list(times),
               loop=0, optimize=False)


def main():
    """Write cards.png and moving.gif; print their bytes."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(args=["--no-sandbox"], executable_path=next(
            filter(None, map(shutil.which, BROWSERS)), None))
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        moving([*slider(page), *pad(page)])
        page.goto((BOOK / "index.html").as_uri())
        cards = page.locator(".jp-OutputArea > ol", has_text="Model quantization").last
        picture = _shot(cards)
        picture.quantize(COLORS, dither=Image.Dither.NONE).save(IMAGES / "cards.png", optimize=True)
        browser.close()
    for name in ("cards.png", "moving.gif"):
        print(f"{name}: {(IMAGES / name).stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
