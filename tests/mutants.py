#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# One mistake, one finding: valid sites get one small mistake each (a word of the language or a bracket lost, doubled or
# misspelt, a reference misspelt).  Every mutant must raise an error, nearly all of them at most two, none may crash.

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import sys
import tempfile
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import sites, tap
from harness.program import ROOT, Numac, findings_of, omitted

SEED = 20230610
A_RUN = 40  # files for one run of numac
MOST_ERRORS, SHARE = 2, 0.95
DOUBLED_IS_A_NAME = {"features", "let"}  # the second one is taken as the name of a feature, of a variable

LABELLED = ("guest", "profile", "host", "cell", "expander-bus")
NAMING = {*LABELLED, "let", "group", "device"}  # in YAML the keys of their mappings are names, whatever word they are

TOKEN = re.compile(r'(?P<comment>(?<![^\s{};])#[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<bracket>[{}])|'
                   r'(?P<end>[;\n])|(?P<word>[A-Za-z0-9_.:,^/%$-]+)')
KEY = re.compile(r"^(?P<before>\s*(?:- )?|.*?[{,]\s*)(?P<word>[a-z][a-z-]*)(?=:(?:\s|$))", re.MULTILINE)
GUEST = re.compile(r"(?:.*\n)*guest: *(?:\n +)?\{?[a-z][a-z-]*\Z")  # the text up to the name of the first guest


@dataclass(frozen=True)
class Mutant:
    site: pathlib.Path
    operator: str
    line: int
    about: str
    text: str


def misspelt(word, chance):
    """Never by luck another word: no word of the language holds this letter pair."""
    at = chance.randrange(len(word))
    return word[:at] + "qz" + word[at + 1:]


def _numa_places(text):
    """(begin, end, kind) of words that begin an item, of brackets, and of references to labels of this file."""
    places, labels, begins = [], set(), True
    previous = ""
    for token in TOKEN.finditer(text):
        kind, word = token.lastgroup, token.group()
        if kind == "word" and begins and re.fullmatch(r"[a-z][a-z-]*", word):
            places.append((*token.span(), "word"))
        elif kind == "bracket":
            places.append((*token.span(), "bracket"))
        elif kind == "word" and not begins:
            if previous in LABELLED and re.match(r"[ \t]*\{", text[token.end():]):
                labels.add(word)
            else:
                places.append((*token.span(), "argument"))
        if kind != "comment":
            begins = kind in ("bracket", "end")
            previous = word
    return places, labels


def _yaml_places(text):
    plain = re.sub(r"(^|\s)#[^\n]*", lambda match: " " * len(match.group()), text)
    places = [(*match.span("word"), "word") for match in KEY.finditer(plain)]
    places += [(*match.span(), "bracket") for match in re.finditer(r"[{}\[\]]", re.sub(
        r'"[^"\n]*"', lambda match: " " * len(match.group()), plain))]
    return places, set()


def mutants_of(path, chance):
    text = path.read_text()
    places, labels = _numa_places(text) if path.suffix == ".numa" else _yaml_places(text)
    found = []

    def add(operator, begin, end, instead):
        found.append(Mutant(path, operator, text.count("\n", 0, begin) + 1, f"'{text[begin:end]}'",
                            text[:begin] + instead + text[end:]))

    for begin, end, kind in places:
        word = text[begin:end]
        if kind == "argument" and word in labels:
            add("misspelt reference", begin, end, misspelt(word, chance))
        elif kind == "word":
            is_label = path.suffix == ".yaml" and (not _is_language(word) or GUEST.match(text, 0, end) or
                                                   _key_above(text, begin) in NAMING)
            if is_label:
                continue
            add("misspelt word", begin, end, misspelt(word, chance))
            add("lost word", begin, end, "")
            if path.suffix == ".numa" and word not in DOUBLED_IS_A_NAME:
                add("doubled word", begin, end, f"{word} {word}")
        elif kind == "bracket":
            add("lost bracket", begin, end, "")
            add("doubled bracket", begin, end, word * 2)
    return found


def _key_above(text, begin):
    """The key whose mapping a line of block style stands in; None at the top and within braces."""
    *above, line = text[:begin].split("\n")
    if line.strip():
        return None
    for one in reversed(above):
        match = re.match(r"( *)(?:- )?([a-z][a-z-]*):\s*$", one)
        if match and len(match.group(1)) < len(line):
            return match.group(2)
        if one.strip() and not one.lstrip().startswith("#") and len(one) - len(one.lstrip()) < len(line):
            return None
    return None


_words = set()


def _is_language(word):
    """A word of the vocabulary, for YAML, where labels look like words; all words where the table is not there yet."""
    if not _words:
        table = ROOT / "compiler" / "model" / "vocabulary.def"
        _words.update(re.findall(r'"([a-z][a-z0-9-]*)"', table.read_text()) if table.exists() else {""})
    return _words == {""} or word in _words


# ---- running ---------------------------------------------------------------------------------------------------

def _errors(numac, folder, names, options):
    """{name: number of errors placed in it}, and how many there were in all"""
    run = numac.run(["check", *names, *options, "--format", "json"], folder)
    counts = dict.fromkeys(names, 0)
    errors = [finding for finding in findings_of(run) if finding.severity == "error"]
    for finding in errors:
        if finding.file in counts:
            counts[finding.file] += 1
    return counts, len(errors) + omitted(run)


def judge(numac, path, mutants):
    """[(mutant, number of errors or None for a crash, what was said)]"""
    said = sites.directives(path)
    judged = []
    with tempfile.TemporaryDirectory(prefix="numac-mutants-") as scratch:
        folder = sites.link_surroundings(path, scratch)
        options = [*said.arguments, *sites.host_arguments(said, path.parent)]
        whole = f"whole{path.suffix}"
        (folder / whole).write_bytes(path.read_bytes())
        sound = _alone(numac, folder, whole, Mutant(path, "no mistake", 1, "", ""), options)
        if sound[1] != 0:
            return [sound]
        named = {}
        for number, mutant in enumerate(mutants):
            name = f"mutant-{number:04}{path.suffix}"
            (folder / name).write_text(mutant.text)
            named[name] = mutant
        names = list(named)
        for begin in range(0, len(names), A_RUN):
            some = names[begin:begin + A_RUN]
            try:
                counts, _ = _errors(numac, folder, some, options)
                # an error may be placed in another file, of a host or an include: then only a run alone can tell
                judged += [(named[name], count, "") if count else _alone(numac, folder, name, named[name], options)
                           for name, count in counts.items()]
            except tap.Failure:
                judged += [_alone(numac, folder, name, named[name], options) for name in some]
    return judged


def _alone(numac, folder, name, mutant, options):
    try:
        return mutant, _errors(numac, folder, [name], options)[1], ""
    except tap.Failure as failure:
        return mutant, None, str(failure)


def all_judged(numac, most):
    chance = random.Random(SEED)
    chosen = []
    for site in [*sites.examples(), *sites.cases()]:
        if sites.is_valid(site):
            for path in site.inputs:
                chosen += mutants_of(path, chance)
    if len(chosen) > most:
        chosen = chance.sample(chosen, most)
    by_site = {}
    for mutant in chosen:
        by_site.setdefault(mutant.site, []).append(mutant)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        futures = [pool.submit(judge, numac, path, mutants) for path, mutants in sorted(by_site.items())]
        return [one for future in futures for one in future.result()]


# ---- verdict ---------------------------------------------------------------------------------------------------

def _listed(judged):
    return "\n".join(f"{mutant.site.relative_to(ROOT)}:{mutant.line}: {mutant.operator} {mutant.about}: "
                     f"{'crash' if count is None else f'{count} errors'} {said[:300]}"
                     for mutant, count, said in judged[:40]) + ("\n..." if len(judged) > 40 else "")


def sound(unsound):
    if unsound:
        raise tap.Failure(f"sites with errors before anything was broken\n{_listed(unsound)}")


def none_of(judged, wrong, about):
    offenders = [one for one in judged if wrong(one[1])]
    if offenders:
        raise tap.Failure(f"{len(offenders)} of {len(judged)} mutants {about}\n{_listed(offenders)}")
    return f"{len(judged)} mutants"


def _share(judged):
    return sum((count or 0) <= MOST_ERRORS for _, count, _ in judged) / max(len(judged), 1)


def few_errors(judged):
    rates = ", ".join(f"{operator} {_share([one for one in judged if one[0].operator == operator]):.0%}"
                      for operator in sorted({mutant.operator for mutant, _, _ in judged}))
    alone = sum(count == 1 for _, count, _ in judged) / max(len(judged), 1)
    told = f"{_share(judged):.1%} of {len(judged)} mutants ({rates}); {alone:.1%} have exactly one"
    if _share(judged) < SHARE:
        raise tap.Failure(f"at most {MOST_ERRORS} errors have only {told}\n" +
                          _listed(sorted((one for one in judged if (one[1] or 0) > MOST_ERRORS),
                                         key=lambda one: -one[1])))
    return told


def main():
    parser = argparse.ArgumentParser(description="valid sites with one mistake each, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--most", type=int, default=3000, help="mutants at most")
    options = parser.parse_args()
    judged = all_judged(Numac(options.numac), options.most)
    if not judged:
        return tap.skip_all("there is no valid site to break")
    unsound = [one for one in judged if one[0].operator == "no mistake"]
    judged = [one for one in judged if one[0].operator != "no mistake"]
    tests = [tap.Test("sites are sound before they are broken", lambda: sound(unsound)),
             tap.Test("no mutant crashes", lambda: none_of(judged, lambda count: count is None, "crash")),
             tap.Test("every mutant raises an error", lambda: none_of(judged, lambda count: count == 0, "are silent"))]
    tests.append(tap.Test(f"{SHARE:.0%} have at most {MOST_ERRORS} errors", lambda: few_errors(judged)))
    return tap.run(tests)


if __name__ == "__main__":
    sys.exit(main())
