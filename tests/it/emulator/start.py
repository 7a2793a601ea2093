#!/usr/bin/env python3
"""Starts the AWS emulator that the integration tests and the demo use.

Needs Python 3.10 or newer with venv and pip, and nothing else: the packages the emulator runs on
(requirements.txt) are installed into a virtual environment of their own, in the user's cache
folder, the first time. Two starts at once share that folder safely.

    python3 start.py --port 4599          start in the foreground
    python3 start.py --setup-only         install only
    python3 start.py --self-test          install, then run the emulator's own tests

When the server answers, exactly one line is printed:  {"url": "http://127.0.0.1:PORT", "pid": N}

**Invariant:** the server listens on the loopback address only.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys

OLDEST_PYTHON = (3, 10)
HERE = os.path.dirname(os.path.abspath(__file__))
REQUIREMENTS = os.path.join(HERE, "requirements.txt")


def main():
    """Reads the options, prepares the environment, then becomes the server."""
    parser = argparse.ArgumentParser(description="Start the AWS emulator.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument(
        "--exit-with-parent",
        action="store_true",
        help="end when standard input closes, so that a test never leaves the server behind",
    )
    parser.add_argument("--setup-only", action="store_true", help="only make the virtual environment")
    parser.add_argument("--self-test", action="store_true", help="run the emulator's own tests")
    options = parser.parse_args()

    check_python()
    folder = cache_folder()
    python = prepare(folder)
    environment = clean_environment(folder)
    os.chdir(HERE)
    if options.setup_only:
        return 0
    if options.self_test:
        arguments = [python, "-m", "unittest", "discover", "-s", "tests", "-t", "."]
        return subprocess.call(arguments, env=environment)
    arguments = [python, "-m", "studio_emulator.server", "--port", str(options.port)]
    if options.exit_with_parent:
        arguments.append("--exit-with-parent")
    # The server takes this process's place, so signals and the printed pid are the server's own.
    os.execve(python, arguments, environment)


def check_python():
    """Stops with what to install when this Python cannot make the environment."""
    if sys.version_info < OLDEST_PYTHON:
        fail(
            "the emulator needs Python 3.10 or newer; this is %d.%d (%s). Install a newer one and "
            "start with it, for example: python3.12 start.py"
            % (sys.version_info[0], sys.version_info[1], sys.executable)
        )
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            fail(
                "this Python (%s) comes without the module %s. On Debian and Ubuntu: apt-get install python3-venv; "
                "elsewhere install the full Python" % (sys.executable, module)
            )


def cache_folder():
    """The folder for this set of packages: another requirements.txt is another folder."""
    with open(REQUIREMENTS, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "terraform-provider-studio", "emulator-" + digest)


def prepare(folder):
    """Makes the virtual environment unless a whole one is there; returns its Python."""
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
    complete = os.path.join(folder, ".complete")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with locked(folder + ".lock"):
        if os.path.exists(complete) and runs(python):
            return python
        # What is there was left by a start that was interrupted, or its Python is gone.
        shutil.rmtree(folder, ignore_errors=True)
        step([sys.executable, "-m", "venv", folder], "make a virtual environment")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        step(install + ["--require-hashes", "--requirement", REQUIREMENTS], "install the packages of requirements.txt")
        with open(complete, "w", encoding="utf-8"):
            pass
    return python


def runs(python):
    """Whether that interpreter still starts."""
    try:
        return subprocess.call([python, "-c", ""], stdin=subprocess.DEVNULL) == 0
    except OSError:
        return False


def step(arguments, purpose):
    """Runs one command of the preparation; its output goes to standard error."""
    code = subprocess.call(arguments, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if code != 0:
        fail("could not %s: %s ended with exit code %d" % (purpose, arguments[0], code))


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive lock on that file; a lock whose holder died is free again."""
    with open(path, "a+", encoding="utf-8") as file:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # It gives up after ten seconds; an installation may take longer.
                    continue
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def clean_environment(folder):
    """The server's environment: none of the user's AWS or moto settings reach it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_", "PYTHON"))}
    kept["PYTHONPATH"] = HERE
    # Compiled files stay out of the source tree.
    kept["PYTHONPYCACHEPREFIX"] = os.path.join(folder, "pycache")
    return kept


def fail(message):
    """Says what is wrong and ends."""
    sys.stderr.write("emulator: error: " + message + "\n")
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
