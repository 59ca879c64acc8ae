"""The form of the notebooks: limits, stored outputs, tags. Prints the table of limits."""

import re
import statistics

import pytest

from mnist_compress.ui.quiz import ask, load_questions
from tools.notebooks import code_cells, count_words, main_path, paths, read

NOTEBOOKS = pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)


def lines(cell):
    return len([line for line in cell.source.splitlines() if line.strip()])


def test_the_course_has_its_six_notebooks():
    names = [path.stem for path in paths()]
    assert names[:6] == ["01_data", "02_training", "03_pruning", "04_quantization",
                         "05_prediction_trace", "06_quiz"]


@NOTEBOOKS
def test_limits_of_the_main_path(path):
    notebook = read(path)
    main = main_path(notebook)
    code = [cell for cell in main if cell.cell_type == "code"]
    sizes, words = [lines(cell) for cell in code], count_words(main)
    deeper = len(code_cells(notebook)) - len(code)
    print(f"\n{path.stem:20} {len(code):2} code cells, lines median {statistics.median(sizes):g} "
          f"max {max(sizes)}, {words} words, {deeper} cells deeper")
    assert (8 if path.stem == "06_quiz" else 10) <= len(code) <= 14
    assert statistics.median(sizes) <= 5 and max(sizes) <= 15
    assert 390 <= words <= 480  # about 400 to 480
    assert deeper <= 8


@NOTEBOOKS
def test_title_minutes_and_links(path):
    notebook = read(path)
    first = notebook.cells[0].source
    assert re.match(r"# .+\?\n", first)
    assert re.search(r"\*Reading: \d+ minutes\. Doing: \d+ minutes\.\*", first)
    titles = [line for cell in notebook.cells if cell.cell_type == "markdown"
              for line in cell.source.splitlines() if line.startswith("# ")
              and cell is not notebook.cells[0] and "```" not in cell.source]
    assert not titles
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    for target in targets:
        assert target.startswith("https://") or (path.parent / target).is_file(), target


@NOTEBOOKS
def test_stored_outputs_are_clean(path):
    notebook = read(path)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    for cell in code_cells(notebook):
        assert cell.execution_count, cell.source
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.source
            text = str(output.get("text", "")) + str(output.get("data", {}).get("text/html", ""))
            text += str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"(/home/|/root/|/tmp/|/Users/|[A-Z]:\\|site-packages)", text)
            assert not re.search(r"0x[0-9a-f]{6,}", text)


@NOTEBOOKS
def test_pictures_carry_their_sentence(path):
    for cell in code_cells(read(path)):
        texts = [output.data.get("text/html", "") for output in cell.outputs if "data" in output]
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata["image/png"]["alt"]
                assert len(alt) > 20 and output.data["text/plain"] == alt
                assert any(re.match(r"<p[ >]", text) for text in texts)  # the sentence beside it


@NOTEBOOKS
def test_only_timing_cells_are_left_out_of_the_comparison(path):
    left_out = [cell for cell in code_cells(read(path))
                if any("nbval" in tag for tag in cell.metadata.get("tags", []))
                or "NBVAL" in cell.source]
    assert len(left_out) <= 1
    assert all("latency" in cell.source for cell in left_out)


@NOTEBOOKS
def test_the_check_question_is_about_this_notebook(path):
    asked = [int(number) for cell in code_cells(read(path))
             for number in re.findall(r"^quiz\(([\d, ]+)\)$", cell.source, re.MULTILINE)
             for number in number.split(",")]
    if path.stem == "06_quiz":  # all that came before it, each once
        wanted = [q.number for q in load_questions() if q.read_again < "06"]
        assert asked == wanted
    else:
        assert [ask(number).read_again for number in asked] == [path.stem]


@NOTEBOOKS
def test_one_exercise_in_each_teaching_notebook(path):
    if path.stem < "06":
        cells = [cell for cell in code_cells(read(path))
                 if "exercise" in cell.metadata.get("tags", [])]
        assert len(cells) == 1 and "check_" in cells[0].source
