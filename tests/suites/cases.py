# SPDX-License-Identifier: MIT
#
# Drop-in cases: a site in tests/cases and, beside it, what numac must say and write.  Both notations of one stem must
# give the same bytes.  tests/cases/README.md tells how to add one.

import difflib
import pathlib
import tempfile

from harness import sites
from harness.program import headlines
from harness.tap import Failure, Test


PER_GUEST = (".xml", ".argv", ".sh")
OUTPUTS = (*PER_GUEST, ".plan.json", ".txt")


def differ(what, expected, got):
    if expected != got:
        lines = difflib.unified_diff(expected.split("\n"), got.split("\n"), "expected", "got", lineterm="", n=2)
        raise Failure(f"{what} differs\n" + "\n".join(list(lines)[:80]))


def _on_disk(site):
    """The expected outputs that stand beside the case: ".xml" or, of several guests, ".d/GUEST.xml", to path."""
    found = {kind: site.sibling(kind) for kind in OUTPUTS if site.sibling(kind).exists()}
    folder = site.sibling(".d")
    return found | {f".d/{path.name}": path for path in (sorted(folder.iterdir()) if folder.is_dir() else ())}


def _kind(key):
    return key if key in OUTPUTS else pathlib.Path(key).suffix


def wanted_kinds(site):
    return {_kind(key) for key in _on_disk(site)} | set(sites.directives(site.inputs[0]).expect)


def verb(site):
    said = sites.directives(site.inputs[0])
    if said.verb:
        return said.verb
    wanted = wanted_kinds(site)
    if wanted == {".txt"}:
        return "plan"
    return "build" if wanted or not site.sibling(".diag").exists() else "check"


def _targets(site):
    """The targets whose files are expected, where the case does not name its own."""
    wanted = wanted_kinds(site)
    targets = (["libvirt"] if ".xml" in wanted else []) + (["qemu"] if wanted & {".argv", ".sh"} else [])
    return ["--target", ",".join(targets)] if targets else []


def words(site, path, folder, output):
    """The command line for one input, run in `folder`."""
    said = sites.directives(path)
    verb_word = verb(site)
    line = [verb_word, path.name, *said.arguments, *sites.host_arguments(said, folder)]
    if verb_word == "build":
        line += ["-o", str(output)]
        line += [] if "--target" in said.arguments else _targets(site)
    return line


def files(folder):
    """All files of an output folder: name to bytes."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _outputs(site, run, folder):
    """What was written, by the sibling that would expect it."""
    told = {".txt": run.out} if verb(site) == "plan" else {}
    built = {name: data.decode() for name, data in files(folder).items()}
    if "plan.json" in built:
        told[".plan.json"] = built["plan.json"]
    for kind in PER_GUEST:
        of_kind = [name for name in built if name.endswith(kind)]
        told |= {kind if len(of_kind) == 1 else f".d/{name}": built[name] for name in of_kind}
    return told


def _check_findings(site, path, run):
    own = site.sibling(".yaml.diag") if path.suffix == ".yaml" else site.sibling(".diag")
    shared = site.sibling(".diag")
    expected = own.read_text() if own.exists() else ""
    if path.suffix == ".yaml" and not own.exists() and shared.exists():
        if len(site.inputs) == 2:  # places differ between the notations, what is wrong does not
            told = headlines(shared.read_text())
            if headlines(run.err) != told:
                raise Failure(f"findings are not those of the other notation, {told}\n{run.told()}")
            return shared.read_text()
        expected = shared.read_text()
    differ("findings", expected, run.err)
    return expected


def _check_one(numac, site, path, output):
    run = numac.run(words(site, path, path.parent, output), path.parent)
    expected = _check_findings(site, path, run)
    said = sites.directives(path)
    status = said.status if said.status is not None else int("error[" in expected)
    if run.status != status:
        raise Failure(f"exit status {status} expected, {run.told()}")
    wanted = wanted_kinds(site)
    told = {key: text for key, text in _outputs(site, run, output).items() if _kind(key) in wanted}
    expected = {key: path.read_text() for key, path in _on_disk(site).items()}
    if told.keys() != expected.keys():
        raise Failure(f"expected to be written: {sorted(expected)}; written: {sorted(told)}; {run.told()}")
    for key, text in expected.items():
        differ(site.stem.name + key, text, told[key])
    return files(output)


def check(numac, site):
    with tempfile.TemporaryDirectory(prefix="numac-case-") as scratch:
        written = [_check_one(numac, site, path, pathlib.Path(scratch) / path.suffix[1:]) for path in site.inputs]
    if len(written) == 2 and written[0] != written[1]:
        names = sorted(name for name in written[0].keys() | written[1].keys()
                       if written[0].get(name) != written[1].get(name))
        for name in names:
            texts = [one.get(name, b"").decode() for one in written]
            differ(f"{name} of the two notations", texts[0], texts[1])


def bless(numac, site):
    """Writes what numac says now as what it must say, and returns the paths."""
    blessed = []

    def write(sibling, text):
        if not sibling.exists() or sibling.read_text() != text:
            sibling.parent.mkdir(exist_ok=True)
            sibling.write_text(text)
            blessed.append(sibling)

    for path in site.inputs:
        with tempfile.TemporaryDirectory(prefix="numac-case-") as scratch:
            output = pathlib.Path(scratch) / "out"
            run = numac.run(words(site, path, path.parent, output), path.parent)
            is_second = path.suffix == ".yaml" and len(site.inputs) == 2
            diag = site.sibling(".yaml.diag" if is_second else ".diag")
            if run.err and not (is_second and not diag.exists()):
                write(diag, run.err)
            elif diag.exists() and not run.err:
                diag.unlink()
                blessed.append(diag)
            told = _outputs(site, run, output)
        wanted = wanted_kinds(site)
        for key, path_then in _on_disk(site).items():
            if key not in told:
                path_then.unlink()
                blessed.append(path_then)
        for key, text in told.items():
            if _kind(key) in wanted:
                write(site.sibling(key), text)
    return blessed


def _stray(path):
    raise Failure(f"{path.name} belongs to no site of this folder, or no test reads its kind")


def strays():
    """Files that nothing reads are lost expectations."""
    known = {site.stem for site in sites.cases()}
    tests = []
    for path in sorted(sites.CASES.rglob("*")):
        if path.is_dir() or "parts" in path.relative_to(sites.CASES).parts or path.name == "README.md":
            continue
        if path.parent.suffix == ".d" and path.parent.with_suffix("") in known:
            continue
        stems = [path.parent / path.name.removesuffix(kind) for kind in (*sites.KINDS, *sites.NOTATIONS)
                 if path.name.endswith(kind)]
        if not any(stem in known for stem in stems):
            tests.append(Test(f"stray {path.relative_to(sites.ROOT)}", lambda path=path: _stray(path)))
    return tests


def collect(numac):
    return [Test(f"case {site.name}", lambda site=site: check(numac, site)) for site in sites.cases()] + strays()
