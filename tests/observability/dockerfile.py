"""Reads a Dockerfile, as much of the format as ours uses; whatever else is in it is an error.

`read(path)` gives its stages: a list of Stage, each with its base image, its name, and its
instructions in order.
"""

import json
import shlex


class Instruction:
    def __init__(self, line, word, text):
        self.line = line
        self.word = word
        self.flags = {}
        while text.startswith("--"):
            flag, _, text = text.partition(" ")
            name, _, value = flag[2:].partition("=")
            self.flags[name] = value
            text = text.lstrip()
        self.text = text

    def exec_form(self):
        """The words of ["a", "b"]; None where it is not in that form."""
        if not self.text.startswith("["):
            return None
        words = json.loads(self.text)
        assert all(isinstance(word, str) for word in words), self.text
        return words


class Stage:
    def __init__(self, base, name):
        self.base = base
        self.name = name
        self.instructions = []

    def all(self, word):
        return [i for i in self.instructions if i.word == word]

    def last(self, word):
        found = self.all(word)
        return found[-1] if found else None

    def env(self):
        """The variables that a process in it has."""
        return dict(pair.split("=", 1) for i in self.all("ENV") for pair in shlex.split(i.text))


KNOWN = {"FROM", "COPY", "WORKDIR", "RUN", "LABEL", "ENV", "USER", "EXPOSE", "HEALTHCHECK",
         "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def logical_lines(path):
    """(line number, text) of each instruction, continuation lines joined."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    first, text = 0, ""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#") or (not line.strip() and not text):
            continue
        first = first or number
        if line.endswith("\\"):
            text += line[:-1] + " "
            continue
        yield first, (text + line).strip()
        first, text = 0, ""
    if text:
        raise ValueError(f"{path}:{first}: does not end")


def read(path):
    stages = []
    for number, text in logical_lines(path):
        word, _, rest = text.partition(" ")
        if word not in KNOWN:
            raise ValueError(f"{path}:{number}: {word} is not among {', '.join(sorted(KNOWN))}")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name or None))
        elif not stages:
            raise ValueError(f"{path}:{number}: {word} before FROM")
        else:
            stages[-1].instructions.append(Instruction(number, word, rest.strip()))
    return stages
