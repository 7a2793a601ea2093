#!/usr/bin/env python3
"""Judges IAM policy documents by parliament, a linter from PyPI that asks nobody.

Reads a JSON list of documents, each as text, from standard input; prints a JSON list with what was
found in each: a list of {"issue", "detail"}.

Needs Python 3.10 or newer with venv and pip, and nothing else: the packages of requirements.txt
are installed into a virtual environment of their own, in the user's cache folder, the first time.

**Invariant:** what cannot be judged is an error, never "nothing found".
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REQUIREMENTS = os.path.join(HERE, "requirements.txt")
INSIDE = "STUDIO_LINTER_INSIDE"


def main():
    """Prepares the environment and starts again inside it; there, judges."""
    if os.environ.get(INSIDE):
        return judge()
    if sys.version_info < (3, 10):
        fail("the linter needs Python 3.10 or newer, this is %d.%d" % sys.version_info[:2])
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
    environment[INSIDE] = "1"
    return subprocess.call([prepare(), os.path.abspath(__file__)], env=environment)


def judge():
    """Runs the linter over what comes in."""
    import warnings

    warnings.simplefilter("ignore")
    import parliament

    results = []
    for text in json.load(sys.stdin):
        policy = parliament.analyze_policy_string(text)
        results.append([{"issue": found.issue, "detail": str(found.detail)} for found in policy.findings])
    json.dump(results, sys.stdout)
    return 0


def prepare():
    """Makes the virtual environment unless a whole one is there; returns its Python."""
    with open(REQUIREMENTS, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(base, "terraform-provider-studio", "linter-" + digest)
    python = os.path.join(folder, "bin", "python")
    complete = os.path.join(folder, ".complete")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    import fcntl

    with open(folder + ".lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (os.path.exists(complete) and os.path.exists(python)):
            shutil.rmtree(folder, ignore_errors=True)
            step([sys.executable, "-m", "venv", folder], "make a virtual environment (apt-get install python3-venv)")
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            step(install + ["--require-hashes", "--requirement", REQUIREMENTS], "install the packages")
            with open(complete, "w", encoding="utf-8"):
                pass
    return python


def step(arguments, purpose):
    """Runs one command of the preparation; its output goes to standard error."""
    if subprocess.call(arguments, stdin=subprocess.DEVNULL, stdout=sys.stderr) != 0:
        fail("could not " + purpose)


def fail(message):
    """Says what is wrong and ends."""
    sys.stderr.write("linter: error: " + message + "\n")
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
