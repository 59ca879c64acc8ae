"""Readable JavaScript and CSS -> few bytes: comments and blanks go, names become short.

For the project's own sources, which keep to a few rules: every statement ends in a semicolon, no
regular expressions, no object keys of their own but those in KEPT, no blank matters in a string.
"""

import re
from collections import Counter

KEPT = set("""
    alert Array atob Math Number Uint8Array document Infinity length willReadFrequently
    ondblclick onpointerdown performance
    const let return if else for while continue break of in new true false
""".split())  # keywords, and names that belong to the browser
TOKEN = re.compile(r'//[^\n]*|"[^"\n]*"|`[^`]*`|\.\.\.|\d[\w.]*|\.?[A-Za-z_$][\w$]*|\s+|.', re.S)
HOLE = re.compile(r"\$\{([^}]*)\}")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def minify_js(source, keep=()):
    """JavaScript -> the same program, shorter; names in `keep` stay, for callers outside.

    A statement begins at the left margin. Names declared in such a line are known everywhere and
    differ from all others; all other names are private to their statement and use letters again.
    """
    stay = KEPT | set(keep)
    statements = re.split(r"\n(?=[^\s}])", source)
    counts = Counter(word for part in statements for word in _words(part) if word not in stay)
    order = sorted(counts, key=lambda word: (-counts[word], word))
    shared = set(_words("\n".join(part.partition("\n")[0] for part in statements)))
    common = _short([word for word in order if word in shared], stay)
    out = []
    for part in statements:
        words = set(_words(part))
        known = {word: common[word] for word in words & common.keys()}
        private = [word for word in order if word in words - shared]
        out.append(_rewrite(part, known | _short(private, stay | set(known.values()))))
    return ";".join(text.rstrip(";") for text in out if text) + ";"


def _short(words, taken):
    """Words -> new names, the shortest for the first, none of them taken."""
    fresh = (a + b for a in ["", *LETTERS] for b in LETTERS if a + b not in taken)
    return dict(zip(words, fresh, strict=False))


def minify_css(source):
    """CSS without the blanks that mean nothing."""
    return re.sub(r"\s*([{};,>])\s*|(:)\s+|\s+(?=\s)", r"\1\2", source.strip()).replace(";}", "}")


def _words(source):
    """Every name in the source, those in the holes of template literals too."""
    for token in TOKEN.findall(source):
        if re.match(r"[A-Za-z_$]", token):
            yield token
        elif token[0] == "`":
            for hole in HOLE.findall(token):
                yield from _words(hole)


def _rewrite(source, short):
    out = ""
    for token in TOKEN.findall(source):
        if token.startswith("//") or token.isspace():
            out += " " * (not out.endswith(" "))
            continue
        if token[0] == "`":
            token = HOLE.sub(lambda hole: "${" + _rewrite(hole[1], short) + "}", token)
        token = "let" if token == "const" else short.get(token, token)
        if out.endswith(" ") and not _must_part(out[-2:-1], token[0]):
            out = out[:-1]
        out += token
    return out.strip().replace(";}", "}")


def _must_part(one, other):
    word = re.compile(r"[\w$]")
    return bool(word.match(one) and word.match(other)) or (one == other and one in tuple("+-"))
