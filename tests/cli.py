#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# The command line of numac, as TAP: which words give which exit status and what stands on which stream, colour,
# streams that break, and JSON whatever goes wrong.  What the verbs work out is tested elsewhere.
#   tests/cli.py [PATH OF NUMAC]

import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
NUMAC = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "numac").resolve()
SECONDS = 60
CLEAN = {key: value for key, value in os.environ.items()
         if key not in ("NO_COLOR", "CLICOLOR_FORCE", "TERM") and not key.startswith("NUMAC")}
SITE = """host r1 {
    synthetic "pack:2 [numa] core:8 pu:2"
}

guest a {
    memory 2GiB
    vcpus 2
}
"""
INPUTS = {
    "site.numa": SITE.encode(),
    "guest.xml": b"<domain type='kvm'><name>a</name><memory>1048576</memory><vcpu>2</vcpu></domain>\n",
    "guest.argv": b"qemu-system-x86_64 -name a -m 1G\n",
    "utf16.numa": SITE.encode("utf-16"),
    "nul.numa": b"guest a {\0}\n",
    "latin.numa": b"guest \xe9 {}\n",
    "odd\033[31m\n.numa": b"guest \xff\n",
}


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def want(condition, *about):
    if not condition:
        raise Failure(" ".join(str(part) for part in about))


def run(words, folder, environment=None, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run([NUMAC, *words], cwd=folder, env={**CLEAN, **(environment or {})}, timeout=SECONDS,
                          check=False, **how)
    want(b"Sanitizer" not in (done.stderr or b"") and b"runtime error" not in (done.stderr or b""), done)
    return done


# ---- usage: words, the message, the cure ----------------------------------------------------------------------------

USAGE = [
    ("", "no verb is given", "see 'numac --help'"),
    ("--format human", "no verb is given", "see 'numac --help'"),
    ("chek site.numa", "there is no verb 'chek'", "did you mean 'check'?"),
    ("ch site.numa", "there is no verb 'ch'", None),
    ("chec site.numa", "there is no verb 'chec'", "did you mean 'check'?"),
    ("zzzzzzzz", "there is no verb 'zzzzzzzz'", "see 'numac --help'"),
    ("--color never bild site.numa", "there is no verb 'bild'", "did you mean 'build'?"),
    ("migrate site.numa", "there is no verb 'migrate'", None),
    ("check", "'check' wants SITE...", "see 'numac help check'"),
    ("check --", "'check' wants SITE...", "see 'numac help check'"),
    ("build site.numa two.numa", "'build' has no use for 'two.numa'", "see 'numac help build'"),
    ("check --formt json site.numa", "there is no option '--formt'", "did you mean '--format'?"),
    ("check --form json site.numa", "there is no option '--form'", "did you mean '--format'?"),
    ("check --zzzzzzzzzzzz site.numa", "there is no option '--zzzzzzzzzzzz'", "see 'numac help check'"),
    ("check -x site.numa", "there is no option '-x'", "see 'numac help check'"),
    ("check --format xml site.numa", "'--format' cannot be 'xml'", "write '--format' with human|gcc|json"),
    ("check --fail-on eror site.numa", "'--fail-on' cannot be 'eror'", "did you mean 'error'?"),
    ("check --color=sometimes site.numa", "'--color' cannot be 'sometimes'", "write '--color' with auto|always|never"),
    ("check site.numa --format", "'--format' has no value", "write '--format human|gcc|json'"),
    ("check site.numa -D", "'-D' has no value", "write '-D NAME=VALUE'"),
    ("check --to yaml site.numa", "'check' takes no '--to'", "see 'numac help check'"),
    ("fmt -o out site.numa", "'fmt' takes no '--output'", "see 'numac help fmt'"),
    ("fmt --check=yes site.numa", "'--check' takes no value", "see 'numac help fmt'"),
    ("fmt -hx site.numa", "'-h' takes no value", "see 'numac help fmt'"),
    ("convert site.numa", "'convert' wants --to yaml|numa FILE", "see 'numac help convert'"),
    ("convert --to yml site.numa", "'--to' cannot be 'yml'", "did you mean 'yaml'?"),
    ("convert --to yaml --to numa site.numa", "'--to' is given twice", "keep one of them"),
    ("build -o a -ob site.numa", "'--output' is given twice", "keep one of them"),
    ("build --output= site.numa", "the value of '--output' is empty", "see 'numac help build'"),
    ("build --target libvirt,, site.numa", "'--target libvirt,,' holds an empty name", "see 'numac help build'"),
    ("build --target '' site.numa", "the value of '--target' is empty", "see 'numac help build'"),
    ("check --host r1 site.numa", "'--host r1' has no name and '='", "write '--host NAME=SOURCE'"),
    ("check --host =live site.numa", "'--host =live' has no name and '='", "write '--host NAME=SOURCE'"),
    ("check --host r1= site.numa", "'--host r1=' names no source", "see 'numac help check'"),
    ("check --host r1=a --host r1=b site.numa", "'--host' is given 'r1' twice", "keep one of them"),
    ("check -Dram=1 --define ram=2 site.numa", "'-D' is given 'ram' twice", "keep one of them"),
    ("check --allow-include= site.numa", "the value of '--allow-include' is empty", "see 'numac help check'"),
    ("explain NM9999", "there is no code 'NM9999'", "'numac explain' lists all codes"),
    ("explain NM0004x", "there is no code 'NM0004x'", "'numac explain' lists all codes"),
    ("explain NM0004 NM0001", "'explain' has no use for 'NM0001'", "see 'numac help explain'"),
    ("schema plam", "there is no schema 'plam'", None),
    ("host shw", "'host' cannot 'shw'", "did you mean 'show'?"),
    ("host", "'host' wants show|record [SOURCE]", "see 'numac help host'"),
    ("help chek", "there is no verb 'chek'", None),
]


def usage_is_two_lines(folder, row):
    words, message, cure = row
    done = run(shlex.split(words), folder)
    lines = done.stderr.decode().splitlines()
    want(done.returncode == 2 and not done.stdout, done)
    want(lines[0] == f"error[NM0004]: {message}", lines)
    want(len(lines) == 2 and lines[1].startswith("   = help: "), lines)
    want(cure is None or lines[1] == f"   = help: {cure}", lines)


# ---- JSON whatever goes wrong ---------------------------------------------------------------------------------------

def valid(schema, rule, value, where="$"):
    """What of draft 07 the schema of findings uses."""
    if "$ref" in rule:
        rule = schema["definitions"][rule["$ref"].rsplit("/", 1)[1]]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    known = {"type", "const", "enum", "required", "properties", "additionalProperties", "items", "pattern", "minimum",
             "minLength", "description", "$schema", "$id", "title", "definitions"}
    want(set(rule) <= known, "this test cannot judge", set(rule) - known)
    if "type" in rule:
        names = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
        want(type(value) in [kinds[name] for name in names], where, "is", value)
    want(value == rule.get("const", value) and value in rule.get("enum", [value]), where, "is", value)
    want("pattern" not in rule or re.search(rule["pattern"], value), where, "is", value)
    want("minimum" not in rule or value >= rule["minimum"], where, "is", value)
    want("minLength" not in rule or len(value) >= rule["minLength"], where, "is", value)
    if isinstance(value, dict):
        want(set(rule.get("required", [])) <= set(value), where, "lacks a key:", value)
        want(rule.get("additionalProperties", True) or set(value) <= set(rule["properties"]), where, "has", value)
        for key, inner in value.items():
            valid(schema, rule["properties"][key], inner, f"{where}.{key}")
    for index, inner in enumerate(value if isinstance(value, list) else []):
        valid(schema, rule["items"], inner, f"{where}[{index}]")


TROUBLE = [*[words for words, _, _ in USAGE if "--format" not in words],
           "check nowhere.numa", "check .", "check utf16.numa", "check nul.numa", "check latin.numa",
           "check site.numa nowhere.numa", "build nowhere.numa", "plan latin.numa", "fmt nul.numa",
           "convert --to yaml utf16.numa", "host show nowhere.xml", "host record nowhere.xml", "host show latin.numa"]


def trouble_is_json(folder, words):
    schema = json.loads((ROOT / "docs/schema/findings.schema.json").read_text())
    words = shlex.split(words)
    dashes = words.index("--") if "--" in words else len(words)
    # an option that lacks its value would take what is put behind it
    places = [0] if words and words[-1] == "-D" else [0, dashes]
    for place in places:
        done = run([*words[:place], "--format", "json", *words[place:]], folder)
        want(done.returncode == 2, done)
        want(not done.stderr, done)
        document = json.loads(done.stdout)
        valid(schema, schema, document)
        want(document["findings"], "no finding:", document)


def status_is_the_same_in_every_form(folder, words):
    statuses = {form: run(["--format", form, *shlex.split(words)], folder).returncode
                for form in ("human", "gcc", "json")}
    want(set(statuses.values()) == {2}, statuses)


# ---- which stream ---------------------------------------------------------------------------------------------------

def people_read_stderr_programs_stdout(folder):
    done = run(["check", "latin.numa"], folder)
    want(done.returncode == 2 and not done.stdout and b"error[NM0002]" in done.stderr, done)
    done = run(["check", "--format=gcc", "latin.numa"], folder)
    want(done.returncode == 2 and not done.stderr, done)
    want(re.match(rb"latin\.numa:1:1: error: .* \[NM0002\]\n", done.stdout), done)


def success_is_silent(folder):
    done = run(["check", "site.numa", "--color", "always"], folder)
    want(done.returncode == 0 and not done.stdout, done)


def a_bad_file_does_not_stop_the_rest(folder):
    done = run(["check", "--format", "json", "latin.numa", "site.numa", "nowhere.numa"], folder)
    files = [finding["spans"][0]["file"] for finding in json.loads(done.stdout)["findings"]
             if finding["severity"] == "error"]
    want(done.returncode == 2 and files == ["latin.numa", "nowhere.numa"], done)


def dash_is_standard_input(folder):
    done = run(["check", "-"], folder, stdin=None, input=b"guest \xff")
    want(done.returncode == 2 and b"--> <stdin>" in done.stderr, done)


def names_behind_two_dashes_are_files(folder):
    done = run(["check", "--", "--help", "-"], folder)
    want(done.returncode == 2 and b"--> --help\n" in done.stderr, done)


def names_cannot_steer_the_terminal(folder):
    done = run(["check", "odd\033[31m\n.numa"], folder)
    want(done.returncode == 2 and b"\033" not in done.stderr and b"odd<U+001B>[31m<U+000A>.numa" in done.stderr, done)


# ---- help, version, pages -------------------------------------------------------------------------------------------

def help_of(folder, verb=None):
    done = run(["help", *([verb] if verb else [])], folder)
    want(done.returncode == 0 and not done.stderr, done)
    return done.stdout.decode()


def verbs(folder):
    return re.findall(r"^  (\w+) ", help_of(folder).split("Verbs:\n")[1].split("\n\n")[0], re.MULTILINE)


def help_is_short(folder):
    text = help_of(folder)
    want(len(text.splitlines()) <= 50 and max(map(len, text.splitlines())) <= 100, text)
    for words in (["--help"], ["-h"]):
        want(run(words, folder).stdout.decode() == text, words)
    want("Examples:\n" in text and "Exit status:\n" in text, text)


def help_of_each_verb(folder):
    for verb in verbs(folder):
        text = help_of(folder, verb)
        for words in ([verb, "--help"], ["--help", verb], [verb, "-h", "--format", "json"]):
            done = run(words, folder)
            want(done.returncode == 0 and done.stdout.decode() == text, words, done)
        want(len(text.splitlines()) <= 30 and max(map(len, text.splitlines())) <= 100, text)


def needs_a_guest(example):
    """Those of the runtime are run by tests/runtime.py, with guests that run."""
    return re.match(r"numac (run|verify|stop|stat|diff|apply) ", example) and "--dry-run" not in example


def examples_of_help_run(folder):
    tools = folder / "tools"
    tools.mkdir()
    (tools / "numac").symlink_to(NUMAC)
    (folder / "other.yaml").write_text("guest:\n  b:\n    memory: 2GiB\n    vcpus: 2\n")
    examples = [line[2:] for verb in verbs(folder)
                for line in help_of(folder, verb).split("Examples:\n")[1].splitlines()]
    want(len(examples) >= len(verbs(folder)), examples)
    examples = [example for example in examples if not needs_a_guest(example)]
    environment = {**CLEAN, "PATH": f"{tools}:{CLEAN['PATH']}"}
    for example in examples:
        want(example.startswith("numac "), example)
        done = subprocess.run(example, shell=True, cwd=folder, env=environment, capture_output=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, check=False)
        want(done.returncode == 0, done)


def version_names_the_libraries(folder):
    done = run(["--version"], folder)
    lines = done.stdout.decode().splitlines()
    want(done.returncode == 0 and re.fullmatch(r"numac \d+\.\d+\.\d+", lines[0]), done)
    want([line.split()[0] for line in lines[1:]] == ["glib", "hwloc", "libyaml", "libxml2", "json-c"], lines)
    want(all(re.fullmatch(r"[a-z0-9-]+ \d+\.\d+(\.\d+)?", line) for line in lines), lines)


def every_code_is_explained(folder):
    codes = re.findall(r"^(NM\d{4}) (error|warning|hint) +\S", run(["explain"], folder).stdout.decode(), re.MULTILINE)
    told = json.loads(run(["explain", "--format", "json"], folder).stdout)["codes"]
    want([(one["code"], one["severity"]) for one in told] == codes and len(codes) >= 4, codes)
    for code, _ in codes:
        page = (ROOT / "docs/diagnostics" / f"{code}.md").read_bytes()
        for words in ([code], [code.lower()], [code[2:]]):
            done = run(["explain", *words], folder)
            want(done.returncode == 0 and done.stdout == page, code, done)


def schemas_are_those_of_the_tree(folder):
    for path in sorted((ROOT / "docs/schema").glob("*.schema.json")):
        done = run(["schema", path.name.removesuffix(".schema.json")], folder)
        want(done.returncode == 0 and done.stdout == path.read_bytes(), path, done)
        json.loads(done.stdout)


# ---- colour: option, environment, the stream is a terminal, colours expected ----------------------------------------

TERMINAL = {"TERM": "xterm"}
COLOUR = [
    ([], {}, False, False),
    ([], TERMINAL, False, False),
    ([], TERMINAL, True, True),
    ([], {}, True, False),
    ([], {"TERM": "dumb"}, True, False),
    ([], TERMINAL | {"NO_COLOR": "1"}, True, False),
    ([], TERMINAL | {"NO_COLOR": ""}, True, True),
    ([], TERMINAL | {"CLICOLOR_FORCE": "1"}, False, True),
    ([], TERMINAL | {"CLICOLOR_FORCE": "0"}, False, False),
    ([], {"CLICOLOR_FORCE": "1"}, False, True),
    ([], TERMINAL | {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, True, False),
    (["--color", "always"], TERMINAL | {"NO_COLOR": "1"}, False, True),
    (["--color", "always"], {"TERM": "dumb"}, False, True),
    (["--color=auto"], TERMINAL, True, True),
    (["--color", "never"], TERMINAL | {"CLICOLOR_FORCE": "1"}, True, False),
    (["--color", "always", "--format", "gcc"], TERMINAL, True, False),
]


def read_terminal(terminal):
    text = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            return text
        if not piece:
            return text
        text += piece


def through_terminal(words, folder, environment, stream):
    """(what the terminal got, what the other stream got)"""
    terminal, inner = pty.openpty()
    other = "stdout" if stream == "stderr" else "stderr"
    try:
        done = run(words, folder, environment, **{stream: inner, other: subprocess.PIPE})
    finally:
        os.close(inner)
    text = read_terminal(terminal)
    os.close(terminal)
    return text, getattr(done, other)


def colour(folder, row):
    words, environment, is_terminal, expected = row
    words = [*words, "check", "latin.numa"]
    if is_terminal:
        text = b"".join(through_terminal(words, folder, environment, "stdout" if "gcc" in words else "stderr"))
    else:
        done = run(words, folder, environment)
        text = done.stderr + done.stdout
    want(b"NM0002" in text, text)
    want((b"\033[" in text) == expected, "colours expected:", expected, text)


def streams_are_judged_apart(folder):
    text, other = through_terminal(["check", "latin.numa"], folder, TERMINAL, "stdout")
    want(not text and b"NM0002" in other and b"\033" not in other, text, other)


# ---- streams that break ---------------------------------------------------------------------------------------------

def full_disk(folder):
    for words in (["--help"], ["check", "--format", "json", "latin.numa"], ["schema", "findings"]):
        with open("/dev/full", "wb") as full:
            done = run(words, folder, stdout=full)
        want(done.returncode in (1, 2) and b"cannot be written: No space left on device" in done.stderr, words, done)
        want(b"NM1207" in done.stderr, words, done)


def closed_stdout(folder):
    done = subprocess.run(["/bin/sh", "-c", 'exec "$0" --help >&-', NUMAC], cwd=folder, env=CLEAN, check=False,
                          stderr=subprocess.PIPE, timeout=SECONDS)
    want(done.returncode == 1 and b"cannot be written: Bad file descriptor" in done.stderr, done)


def closed_stderr(folder):
    done = subprocess.run(["/bin/sh", "-c", 'exec "$0" check latin.numa 2>&-', NUMAC], cwd=folder, env=CLEAN,
                          check=False, stdout=subprocess.PIPE, timeout=SECONDS)
    want(done.returncode == 2 and not done.stdout, done)


def reader_that_left(folder):
    for restore, status in ((True, -signal.SIGPIPE), (False, 1)):  # Python ignores SIGPIPE; so may any caller
        reader, writer = os.pipe()
        os.close(reader)
        done = run(["--help"], folder, stdout=writer, restore_signals=restore)
        os.close(writer)
        want(done.returncode == status, restore, done)
        want(restore or b"cannot be written: Broken pipe" in done.stderr, done)


def interrupted(folder):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([NUMAC, "check", "-"], cwd=folder, env=CLEAN, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   # a shell that started us in the background had SIGINT ignored
                                   preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        time.sleep(0.3)
        want(process.poll() is None, "it did not wait for its input")
        process.send_signal(number)
        process.communicate(timeout=SECONDS)
        want(process.returncode == -number, process.returncode)


# ---- an editor ------------------------------------------------------------------------------------------------------

def vim_reads_the_gcc_form(folder):
    vim = shutil.which("vim")
    if not vim:
        raise Skip("vim is not installed")
    (folder / "errors").write_bytes(run(["check", "--format", "gcc", "latin.numa", "nul.numa"], folder).stdout)
    subprocess.run([vim, "-u", "NONE", "-es", "-c", "cfile errors",
                    "-c", "call writefile([json_encode(map(getqflist(), {_, v -> [bufname(v.bufnr), v.lnum, v.col, "
                          "v.valid, v.text]}))], 'list')", "-c", "qa!"],
                   cwd=folder, env=CLEAN, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    entries = json.loads((folder / "list").read_text())
    want(all(entry[3] for entry in entries), entries)
    errors = [entry for entry in entries if "error: " in entry[4]]
    want([entry[0] for entry in errors] == ["latin.numa", "nul.numa"], entries)


# ---- what is accepted, and until when -------------------------------------------------------------------------------

FAR = """host r1 { synthetic "pack:2 [numa(memory=8589934592)] core:4 pu:1" }
guest a {
    memory 1GiB
    vcpus 2
    node 1
    pin { 0-1 0-1 each }
    suppress NM0513 "the license is bound" { until 2027-01-31 }
}
"""
LAST_DAY = 1801440000 - 1  # the last second of it, UTC


def codes(done):
    return [one["code"] for one in json.loads(done.stdout)["findings"]]


def accepted_findings_are_counted(folder):
    (folder / "far.numa").write_text(FAR.replace("2027", "2999"))
    done = run(["check", "--fail-on", "hint", "far.numa"], folder)
    want(done.returncode == 0 and not done.stdout and done.stderr == b"1 accepted\n", done)
    done = run(["check", "--format", "json", "far.numa", "site.numa"], folder)
    document = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs/schema/findings.schema.json").read_text())
    valid(schema, schema, document)
    accepted = document["accepted"]
    want([(one["code"], one["reason"], one["until"], one["times"]) for one in accepted] ==
         [("NM0513", "the license is bound", "2999-01-31", 1)], accepted)
    want(accepted[0]["span"]["file"] == "far.numa" and accepted[0]["span"]["start"]["line"] == 7, accepted)


def sites_accept_nothing_for_each_other(folder):
    """The first site accepts a code everywhere; in the second one it is told."""
    (folder / "far.numa").write_text('suppress NM0513 "known"\n' + re.sub("    suppress.*\n", "", FAR))
    (folder / "other.numa").write_text(re.sub("    suppress.*\n", "", FAR))
    done = run(["check", "--format", "json", "far.numa", "other.numa"], folder)
    want(codes(done) == ["NM0513"] and json.loads(done.stdout)["findings"][0]["spans"][0]["file"] == "other.numa", done)


def acceptance_ends_with_its_day(folder):
    (folder / "far.numa").write_text(FAR)
    for epoch, wanted in ((0, []), (LAST_DAY, []), (LAST_DAY + 1, ["NM0513", "NM1404"]), (1 << 40, None),
                          ("-1", None), ("yesterday", None), ("", None)):
        done = run(["check", "--format", "json", "far.numa"], folder, {"SOURCE_DATE_EPOCH": str(epoch)})
        if wanted is None:  # no time: the clock says
            wanted = ["NM0513", "NM1404"] if time.time() > LAST_DAY else []
        want(codes(done) == wanted and done.returncode == 0, epoch, done)


def no_day_reaches_an_output(folder):
    (folder / "far.numa").write_text(FAR)
    built = [run(["build", "-o", "-", "--target", "libvirt", "far.numa"], folder, {"SOURCE_DATE_EPOCH": str(epoch)})
             for epoch in (0, LAST_DAY, LAST_DAY + 1)]
    want(len({done.stdout for done in built}) == 1 and built[0].stdout, built)
    strict = run(["check", "--fail-on", "warning", "far.numa"], folder, {"SOURCE_DATE_EPOCH": str(LAST_DAY + 1)})
    want(strict.returncode == 1, strict)


# ---- verbs that look at guests --------------------------------------------------------------------------------------

def hints_of_the_site_are_left_to_check(folder):
    """Nobody who stops a guest asks what a host does not tell."""
    (folder / "far.numa").write_text('host h { synthetic "[numa(memory=8589934592)] core:2 pu:1" }\n'
                                     "guest far { memory 1GiB; vcpus 2; pin cpus }\n")
    environment = {"XDG_RUNTIME_DIR": str(folder)}
    told = run(["check", "far.numa"], folder, environment)
    want(b"hint[" in told.stderr, told)
    for verb in ("verify", "stop", "list", "stat"):
        done = run([verb, "far.numa"], folder, environment)
        want(b"hint[" not in done.stderr, verb, done)
        done = run([verb, "--fail-on", "hint", "far.numa"], folder, environment)
        want(b"hint[" in done.stderr, verb, done)


# ---- all of them ----------------------------------------------------------------------------------------------------

def tests():
    for row in USAGE:
        yield f"usage: {row[0] or 'nothing'}", usage_is_two_lines, row
    for words in TROUBLE:
        yield f"json: {words or 'nothing'}", trouble_is_json, words
    for words in ("check latin.numa", "chek", "check nowhere.numa", "explain NM9999"):
        yield f"status: {words}", status_is_the_same_in_every_form, words
    for row in COLOUR:
        yield f"colour: {row}", colour, row
    for test in (people_read_stderr_programs_stdout, success_is_silent, a_bad_file_does_not_stop_the_rest,
                 dash_is_standard_input, names_behind_two_dashes_are_files, names_cannot_steer_the_terminal,
                 help_is_short, help_of_each_verb, examples_of_help_run, version_names_the_libraries,
                 every_code_is_explained, schemas_are_those_of_the_tree, streams_are_judged_apart, full_disk,
                 closed_stdout, closed_stderr, reader_that_left, interrupted, vim_reads_the_gcc_form,
                 accepted_findings_are_counted, sites_accept_nothing_for_each_other, acceptance_ends_with_its_day,
                 no_day_reaches_an_output, hints_of_the_site_are_left_to_check):
        yield test.__name__.replace("_", " "), test, None


def outcome(test, row):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in INPUTS.items():
            pathlib.Path(folder, name).write_bytes(content)
        test(pathlib.Path(folder), *([] if row is None else [row]))


def main():
    if not NUMAC.exists():
        sys.exit(f"{NUMAC} is not there; run make first")
    listed = list(tests())
    print(f"TAP version 13\n1..{len(listed)}")
    failed = 0
    for number, (name, test, row) in enumerate(listed, 1):
        name = name.replace("#", "\\#").replace("\n", " ")
        try:
            outcome(test, row)
            print(f"ok {number} - {name}")
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}")
        except (Failure, ValueError, subprocess.TimeoutExpired, OSError, LookupError) as trouble:
            failed += 1
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in f"{type(trouble).__name__}: {trouble}"[:4000].splitlines()), end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
