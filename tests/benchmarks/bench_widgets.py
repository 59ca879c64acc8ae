"""How long the learner waits for a widget, by the clock of the page: a table in Markdown."""

import statistics
import sys
import tempfile

from tests.browser import conftest

MOVES = 24  # measured; the first few are not counted
WARM = 4
PAD = [
    "import torch\n"
    "from mnist_compress.trace import run_pipeline\n"
    "from mnist_compress.ui import DrawPad\n"
    "torch.set_num_threads(1)\n"
    "pipeline = run_pipeline()",
    "DrawPad(pipeline.models, pipeline.test[::300])",
]
SLIDER = [
    "import torch\n"
    "from mnist_compress.data import load_sample\n"
    "from mnist_compress.training import train, trained_model\n"
    "from mnist_compress.ui import explore_{0}, tradeoffs\n"
    "torch.set_num_threads(1)\n"
    "digits, validation, test = load_sample()",
    "explore_{0}({1})",
]
QUIZ = ["from mnist_compress.ui import quiz", 'quiz("pixel-150")']
# From the event until the first frame after nodes of this name came: a list in milliseconds.
WATCH = """([start, watched, name]) => {
    const waited = window.waited = [];
    let since = 0;
    document.querySelector(start[0]).addEventListener(
        start[1], (event) => { since = event.timeStamp; }, {capture: true});
    new MutationObserver((records) => {
        const came = records.some((record) => [...record.addedNodes].some(
            (node) => node.nodeName === name));
        if (!since || !came) return;
        const began = since;
        since = 0;
        requestAnimationFrame(() => setTimeout(() => waited.push(performance.now() - began)));
    }).observe(document.querySelector(watched),
               {childList: true, characterData: true, subtree: true});
}"""


def drawpad(notebook):
    """Stroke end -> probabilities on screen, each stroke another one; milliseconds."""
    page = notebook.page
    notebook.run_all()
    paper = page.locator(".mc-pad-paper")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    page.evaluate(WATCH, [[".mc-pad-paper", "pointerup"], ".mc-pad-table", "#text"])
    for move in range(WARM + MOVES):
        x = box["x"] + box["width"] * (0.1 + 0.8 * move / (WARM + MOVES))
        page.mouse.move(x, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(x, box["y"] + 180, steps=8)
        page.mouse.up()
        page.wait_for_function("count => window.waited.length > count", arg=move, timeout=10_000)
    return page.evaluate("window.waited")[WARM:]


def explorer(notebook):
    """Arrow key -> new picture, each value a new one; milliseconds."""
    page = notebook.page
    notebook.run_all()
    page.locator(".mc img").scroll_into_view_if_needed()
    page.evaluate(WATCH, [[".mc input", "keydown"], ".mc", "IMG"])
    slider = page.locator(".mc input[type=range]").first
    slider.focus()
    key, last = "ArrowLeft", slider.get_attribute("max")
    for move in range(WARM + MOVES):  # to and fro between the ends
        key = {"0": "ArrowRight", last: "ArrowLeft"}.get(slider.input_value(), key)
        page.keyboard.press(key)
        page.wait_for_function("count => window.waited.length > count", arg=move, timeout=10_000)
    return page.evaluate("window.waited")[WARM:]


def quiz(notebook):
    """Click on an option -> its feedback, each time another option; milliseconds."""
    page = notebook.page
    notebook.run_all()
    page.locator(".mc-option").first.scroll_into_view_if_needed()
    page.evaluate(WATCH, [[".mc fieldset", "click"], ".mc-feedback", "#text"])
    for move in range(WARM + MOVES):
        page.locator(".mc-option").nth(move % 4).click()
        page.wait_for_function("count => window.waited.length > count", arg=move, timeout=10_000)
    return page.evaluate("window.waited")[WARM:]


def sliders(kind, arguments):
    return [cell.format(kind, arguments) for cell in SLIDER]


MEASURES = {
    "drawpad": ("stroke end to probabilities on screen", 40, PAD, drawpad),
    "pruning": ("slider key to new picture, pruning", 100,
                sliders("pruning", "trained_model(), digits, validation"), explorer),
    "epochs": ("slider key to new picture, epochs", 100,
               sliders("epochs", "digits, train(digits, validation)[1]"), explorer),
    "flatten": ("slider key to new picture, rows", 100,
                sliders("flatten", "digits.images[700]"), explorer),
    "quantization": ("slider key to new picture, quantization", 100,
                     sliders("quantization", "trained_model(), validation"), explorer),
    "tradeoff": ("slider key to new picture, trade-off", 100,
                 sliders("tradeoff", "tradeoffs(trained_model(), digits, validation)"), explorer),
    "quiz": ("quiz click to feedback", 50, QUIZ, quiz),
}


def main():
    path = conftest.find_chromium()
    if not path:
        print("## Widgets\n\nChromium was not found: nothing was measured.")
        return 0
    print("## Widgets\n\n| what | n | median ms | fastest | slowest | wanted |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home, conftest.serve(home) as address, \
            conftest.launch(path) as chromium, conftest.tabs(address, chromium) as open_one:
        for name, (what, wanted, cells, measure) in MEASURES.items():
            conftest.write_cells(home, f"bench-{name}", cells)
            times = measure(open_one(f"bench-{name}"))
            print(f"| {what} | {len(times)} | {statistics.median(times):.0f} | {min(times):.0f} "
                  f"| {max(times):.0f} | {wanted} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
