"""What all widgets of the course share: keys that stay inside, problems shown, a static twin."""

import contextlib
import functools
import io
import re
from pathlib import Path

import anywidget
import traitlets

from .state import trouble

_FOLDER = Path(__file__).parent


def source(*names):
    """Files beside this module as one text; what they import from each other stands in it."""
    text = "\n".join(_FOLDER.joinpath(name).read_text("utf-8") for name in names)
    return re.sub(r'^import .* from "\./.*";\n', "", text, flags=re.MULTILINE)


class CourseWidget(anywidget.AnyWidget):
    """A widget that also shows where there is no kernel: on GitHub, in HTML, in a fresh notebook.

    A subclass sets `_esm = source("widget.js", "its_own.js")` and says in `twin` what stands in
    its place. `problem` is shown in the widget, as an alert.
    """

    _css = source("widget.css")
    problem = traitlets.Unicode().tag(sync=True)

    def _handle_custom_msg(self, content, buffers):
        if content == {"ping": True}:  # the page asks whether anybody is here
            self.send({"pong": True})
        else:
            super()._handle_custom_msg(content, buffers)

    def twin(self):
        """Return {mime type: data} with text/plain and what is better; the same in every run."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), **self.twin()}, metadata


def shown(observer):
    """Decorate a method that the page calls: what it raises or prints becomes the widget's
    `problem`, and so does why answers are not saved.

    Jupyter only logs it, so the learner would see a widget that does nothing.
    """
    @functools.wraps(observer)
    def guarded(self, *arguments):
        told = io.StringIO()
        try:
            with contextlib.redirect_stdout(told):
                observer(self, *arguments)
        except ValueError as error:  # made for the learner
            self.problem = f"{error}"
        except Exception as error:  # whatever it is, the learner must see it
            self.problem = f"{type(error).__name__}: {error}"
        else:
            self.problem = told.getvalue().strip() or trouble()

    return guarded
