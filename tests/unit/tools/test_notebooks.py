"""Which notebooks there are, what counts as the main path, what is compared."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks


def test_numbers_that_match_nothing_are_refused():
    assert [path.name[:2] for path in notebooks.paths("03", "05")] == ["03", "05"]
    with pytest.raises(SystemExit, match="got 3"):
        notebooks.paths("3")


def test_the_main_path_ends_where_it_goes_deeper():
    cells = [new_markdown_cell("# Why?"), new_code_cell("1"), new_markdown_cell("## Go deeper"),
             new_code_cell("2"), new_code_cell("3")]
    notebook = new_notebook(cells=cells)
    assert notebooks.main_path(notebook) == cells[:2]
    assert notebooks.code_cells(notebook) == [cells[1], *cells[3:]]
    assert notebooks.main_path(new_notebook(cells=cells[:2])) == cells[:2]


def test_words_in_folded_blocks_and_code_do_not_count():
    text = "Four words stand here.\n<details>\nnot these\n</details> And three more."
    assert notebooks.count_words([new_markdown_cell(text), new_code_cell("# five")]) == 7


def test_outputs_are_what_nbval_compares():
    cell = new_code_cell("", outputs=[
        new_output("stream", name="stdout", text="a\n"),
        new_output("display_data", {"text/plain": "p", "image/png": "x",
                                    "text/html": '<img src="data:image/png;base64,iVBO="> h'}),
        new_output("stream", name="stdout", text="b\n"),
        new_output("error", ename="E", evalue="v")])
    assert notebooks.outputs(cell) == [("error", "E: v"), ("stdout", "a\nb\n"),
                                       ("text/html", '<img src="data:image"> h'),
                                       ("text/plain", "p")]
    cell.metadata.tags = ["nbval-ignore-output"]
    assert notebooks.outputs(cell) == []
