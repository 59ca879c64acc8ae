"""The project of 06: the smallest file within one point of the dense network.

`try_out` judges a network on validation digits, as often as you like. `hand_in` asks the test
digits and keeps a line of history: bytes, accuracy, recipe. The first line is the result.
"""

from ..integer import IntegerNetwork
from ..measure import changed_answers, packed_file
from ..training import evaluate
from .state import Sentence, attempt, load_state

_NAME = "06-smallest"
_CODEC = "order0"  # packs in milliseconds; "context_mixing" finds smaller files in seconds


def try_out(network, dense, validation, codec: str = _CODEC) -> Sentence:
    """Pack an `IntegerNetwork` into a file and say whether it is within one point of `dense`.

    One point of 1,000 digits are 10 right answers. ValueError for another kind of network, or a
    codec that is none of `packed.CODECS`.
    """
    size, right, least = _judged(network, dense, validation, codec)
    verdict = "within one point" if right >= least else "more than one point below"
    return Sentence(f"{size:,} bytes. {right:,} of {len(validation):,} validation digits are "
                    f"right; at least {least:,} are needed: {verdict}.")


def hand_in(recipe: str, network, dense, validation, test, codec: str = _CODEC) -> Sentence:
    """Ask the test digits about a network that is within one point on validation digits, and keep
    the line that says so. A network that is not is told so, and no test digit is asked.

    recipe: how it was made, up to 60 characters in one line; without one, nothing is handed in, so
    that running all cells does no harm. ValueError as `try_out` says, or if both are the same.
    """
    if not isinstance(recipe, str) or len(recipe) > 60 or not recipe.isprintable():
        raise ValueError(f"recipe must be up to 60 characters in one line; got {recipe!r}")
    if not recipe.strip():
        return Sentence("Nothing was handed in. When you are done, write your recipe between the "
                        "quotation marks; the test digits are asked then.")
    if validation is test:
        raise ValueError("validation and test must be different digits; got the same for both")
    size, right, least = _judged(network, dense, validation, codec)
    if right < least:
        return Sentence(f"{right:,} validation digits are right, and {least:,} are needed. Nothing "
                        "was handed in; the test digits were not asked.")
    chances = [evaluate(each, test).accuracy for each in (network, dense)]
    line = (f"{size:,} bytes; test {chances[0]:.1%} (dense {chances[1]:.1%}); validation "
            f"{right / len(validation):.1%}; {codec}; {' '.join(recipe.split())}")
    if line not in _lines():
        attempt("projects", _NAME, line)
    return Sentence(f"{changed_answers(dense, network, test).sentence}\n{_history()}")


def _judged(network, dense, validation, codec):
    """Bytes, right answers, and how many are needed; one point is a hundredth of the digits."""
    if not isinstance(network, IntegerNetwork):
        raise ValueError("network must be an IntegerNetwork, as quantize_model makes it; got "
                         f"{type(network).__name__}")
    right, base = (int(evaluate(each, validation).correct.sum()) for each in (network, dense))
    row = packed_file("yours", network, validation, codec)
    return row.bytes, right, base - len(validation) // 100


def _lines():
    return [line for line, _ in load_state()["projects"].get(_NAME, [])]


def _history():
    """Every line handed in, the first one first."""
    lines = [f"- {'result' if not place else f'look {place + 1}'}: {line}"
             for place, line in enumerate(_lines())]
    if len(lines) > 1:
        lines.append("The first line is your result. The others saw the test digits again, and may "
                     "owe something to them.")
    return "\n".join(lines)
