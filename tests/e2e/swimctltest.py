"""What the tests of swimctl share: nodes with a control socket, and swimctl run against them."""

import json
import os
import signal  # noqa: F401 (for the tests)
import subprocess

import swimtest

SWIMCTL = os.path.abspath(os.environ.get(
    "SWIMCTL", os.path.join(swimtest.ROOT, "build", "swimctl")))
OK, FAILURE, USAGE, CONFIG, UNREACHABLE, PARTIAL, TIMEOUT = 0, 1, 2, 3, 5, 6, 7


def environment(**changes):
    """The environment without what would reach swimctl by accident, and with these changes."""
    kept = {key: value for key, value in os.environ.items()
            if key not in ("SWIM_SOCKET", "RUNTIME_DIRECTORY", "NO_COLOR", "TERM")}
    kept.update({"LC_ALL": "C.UTF-8", **changes})
    return {key: value for key, value in kept.items() if value is not None}


def swimctl(*arguments, path=None, stdin="", env=None, timeout=30):
    """Runs swimctl to its end, against the socket `path`; returns the CompletedProcess."""
    command = [SWIMCTL, *(["--socket", path] if path else []), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True,
                          env=env or environment(), timeout=timeout * swimtest.FACTOR, check=False)


class CtlCase(swimtest.SwimTestCase):
    def controlled(self, *arguments, **options):
        """A node with a control socket at node.control, once it answers."""
        path = os.path.join(self.directory, f"control{len(self.nodes)}.sock")
        node = self.node("--control-socket", path, *arguments, **options)
        node.control = path
        return node.await_http()

    def ctl(self, node, *arguments, code=OK, **options):
        """Standard output of swimctl, which must end with this code."""
        path = node if isinstance(node, (str, type(None))) else node.control
        done = swimctl(*arguments, path=path, **options)
        self.assertEqual(done.returncode, code,
                         f"swimctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        if code == OK:
            self.assertEqual(done.stderr, "")
        elif code != PARTIAL:
            self.assertNotEqual(done.stderr, "")
        return done.stdout if code in (OK, PARTIAL) else done.stderr

    def ctl_json(self, node, *arguments, **options):
        """The same with --json, which prints one line."""
        text = self.ctl(node, *arguments, "--json", **options)
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.endswith("\n"))
        return json.loads(text)
