"""Parts of the site: calls that are found in cells, HTML made fit, scripts joined, and the draw
pad's networks in JavaScript against the kernel's."""

import base64
import io
import json
import shutil
import subprocess

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from mnist_compress import pretrained
from mnist_compress.pruning import prune
from mnist_compress.trace import run_pipeline
from mnist_compress.training import logits
from tools.book import networks, pages, scripts
from tools.book.calls import calls
from tools.book.polish import Folder, polish

node = pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")


def test_calls_are_found_wherever_they_stand():
    source = '%time x\nprint(reveal("b", 2))\ndisplay(guess_box("c"), ui.guess_box("d", 3))'
    assert calls(source, "guess_box", "reveal") == [
        ("reveal", ("b",)), ("guess_box", ("c",)), ("guess_box", ("d",))]


def html(plain, text=""):
    return new_output("display_data", {"text/plain": plain, "text/html": text or f"<p>{plain}</p>"})


def test_widgets_stand_where_their_twins_stood_and_measurements_are_folded():
    said = "Measured: 1,409.4 KB. There is no guess to compare it with."
    cells = [new_markdown_cell("# Why?\n\n*Reading: 4 minutes. Doing: 8 minutes.*"),
             new_code_cell('print(1)\nquiz("a", "b")', outputs=[
                 new_output("stream", text="1 < 2\n"), html("Question (easy): what?")]),
             new_code_cell('reveal("k", 1)', outputs=[html(said)]),
             new_code_cell('display(Strip(), cards("a"))', outputs=[
                 new_output("display_data", {"text/plain": "a bar" + 12 * " "}),
                 html("1 Original data"), html("Why?\n(So. Read 03, again.)")]),
             new_code_cell("def f():\n    return 1\n\ncheck(f)", outputs=[html("Not yet.")])]
    notebook = new_notebook(cells=cells)
    body = pages.body(notebook)
    assert pages.minutes(notebook) == 12 and pages.title(notebook) == "Why?"
    assert ('1 &lt; 2\n</pre><div data-widget="quiz" data-texts="a b"><p>Question (easy): what?</p>'
            "</div>") in body
    assert '<summary>What was measured' in body and "no guess to compare" not in body
    assert 'data-key="k" data-value="1409.4"' in body
    assert "a bar" not in body and "<p>1 Original data</p><div data-widget=\"cards\"" in body
    assert "wants Python" in body and "Not yet" not in body


def test_pictures_become_files_styles_classes_and_headers_say_what_they_head(tmp_path):
    with io.BytesIO() as file:
        Image.new("RGBA", (40, 20), "red").save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
    page = (f'<img alt="x" width="20" src="data:image/png;base64,{data}"><p style="color: red">a'
            f'</p><img alt="y" width="20" src="data:image/png;base64,{data}">'
            '<style>b {}</style><table border="1"><thead><tr><th></th><th>v</th></tr><tr><th>n'
            '</th><th></th></tr></thead><tbody><tr><th>1</th><td>2 %</td></tr></tbody></table>'
            '<a href="00_story.ipynb#x">0</a><a href="01_data.ipynb">1</a>'
            '<a href="device/small.html">2</a>+<a href="device/qr.html">3</a>')
    folder = Folder(tmp_path)
    done = polish(page, folder, "00_story")
    (picture,) = (tmp_path / "pictures").iterdir()
    assert Image.open(picture).size == (40, 20)
    assert f'fetchpriority="high" height="10" src="pictures/{picture.name}" width="20"' in done
    assert f'height="10" loading="lazy" src="pictures/{picture.name}" width="20"' in done
    assert '<p class="look0">a</p>' in done and folder.css() == ".look0 { color: red }\n"
    assert "style" not in done and "border" not in done
    assert '<tr><th scope="col">n</th><th scope="col">v</th></tr></thead>' in done
    assert '<th scope="row">1</th><td>2\u00a0%</td>' in done
    assert 'href="index.html#x"' in done and 'href="01_data.html"' in done
    assert done.endswith('<a href="digit.html">2</a>+3')


def test_joined_scripts_are_classic_and_bring_each_module_once():
    text = scripts.joined("page.js")
    assert "\nimport " not in text and "\nexport " not in text
    assert text.count('modules["widget.js"] = ') == 1
    assert "`${notebook}.html`" in text and ".ipynb" not in text


@node
def test_networks_in_javascript_answer_as_the_kernel_does(tmp_path):
    """On all validation and test digits, though float weights are rounded to float16."""
    pipeline = run_pipeline()
    digits = [pipeline.validation, pipeline.test]
    images = np.concatenate([part.images.flatten(1).numpy() for part in digits])
    (tmp_path / "pixels").write_bytes(images.tobytes())
    (tmp_path / "networks.json").write_text(json.dumps(networks.networks()))
    script = scripts.joined("networks.js").rstrip().removesuffix("})();") + """
const fs = require("fs"), at = (name) => `${process.argv[2]}/${name}`;
const pixels = fs.readFileSync(at("pixels"));
const data = JSON.parse(fs.readFileSync(at("networks.json")));
modules["networks.js"].networks(data).then(({read}) => {
  const said = [];
  for (let place = 0; place < pixels.length; place += 784) {
    const found = read([...pixels.subarray(place, place + 784)], JSON.parse(process.argv[3]));
    said.push(Object.values(found).map(({chances}) => chances.indexOf(Math.max(...chances))));
  }
  console.log(JSON.stringify(said));
});
})();"""
    (tmp_path / "read.cjs").write_text(script)
    models = pipeline.models | {"98 % zeros": prune(pipeline.model, 0.98),
                                "notebook 07": pretrained.load("perceptron")}
    done = subprocess.run(["node", tmp_path / "read.cjs", tmp_path, json.dumps(list(models))],
                          capture_output=True, text=True)
    assert done.stderr == ""
    wanted = [np.concatenate([logits(model, part).argmax(1).numpy() for part in digits])
              for model in models.values()]
    assert len(images) == 4000
    assert (np.array(json.loads(done.stdout)) == np.stack(wanted, 1)).all()
