"""
The bench on which the evidence is taken: runs of swimsim, several at a time, their figures, and
tables and plots from them. Standard library only; plots through gnuplot.

A row of evidence is a module of this folder with
    NAME, TITLE             as in `tools/evidence NAME`
    measure(lab) -> dict    runs everything; what can be kept as JSON. The same on every machine
    page(found) -> str      its section of docs/evidence.md, from what measure returned
    summary(found) -> list  rows of the page's first table: (claim, published, ours, verdict)
    plots(found, folder)    writes its SVG files there (optional)
"""
import concurrent.futures
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Failed(Exception):
    """Something that should have run did not."""


class Job:
    """
    One run: `scenario` is a file of this repository (from its top), or TOML text, or None; `keep`
    gets the report and returns what is kept of it. With `reads_trace` it gets the lines of the
    trace instead, with datagrams if `reads_trace` is 'datagrams'.
    """

    def __init__(self, key, flags=(), scenario=None, keep=None, reads_trace=None, is_checked=True,
                 may_fail=False, memory_mib=300):
        self.key = key
        self.flags = list(flags)
        self.scenario = scenario
        self.keep = keep
        self.reads_trace = reads_trace
        self.is_checked = is_checked
        self.memory_mib = memory_mib
        self.may_fail = may_fail  # a checker's complaint, or an expectation, is part of the result

    def is_text(self):
        return self.scenario is not None and '\n' in self.scenario

    def arguments(self, text_file='SCENARIO'):
        words = ['run']
        if self.scenario is not None:
            words.append(text_file if self.is_text() else self.scenario)
        return words + self.flags + ([] if self.is_checked else ['--no-checks'])


def memory_of(nodes):
    """MiB that so many members take at most, each holding all the others."""
    return 100 + nodes * nodes * 150 // 2 ** 20


def command(job):
    """How a reader repeats it. Of generated scenarios the page shows the text."""
    return 'build/swimsim ' + ' '.join(shlex.quote(word) for word in job.arguments())


class Lab:
    def __init__(self, swimsim, jobs=2, drivers=None, is_full=False):
        self.swimsim = swimsim
        self.jobs = jobs
        self.drivers = drivers  # the build directory, for test programs
        self.is_full = is_full
        self.name = ''
        self.memory = threading.Condition()
        self.memory_used = 0
        self.memory_mib = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2 ** 20 * 3 // 4

    def run_in_turn(self, job):
        """Large runs wait until there is memory for them; the largest run alone."""
        share = min(job.memory_mib, self.memory_mib)
        with self.memory:
            self.memory.wait_for(lambda: self.memory_used + share <= self.memory_mib)
            self.memory_used += share
        try:
            return self.run_one(job)
        finally:
            with self.memory:
                self.memory_used -= share
                self.memory.notify_all()

    def run_one(self, job):
        arguments = [self.swimsim]
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as file:
            if job.is_text():
                file.write(job.scenario)
                file.flush()
            arguments += job.arguments(file.name)
            if job.reads_trace:
                arguments += ['--quiet', '--trace']
                arguments += ['--datagrams'] if job.reads_trace == 'datagrams' else []
            else:
                arguments += ['--json']
            done = subprocess.run(arguments, cwd=ROOT, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in (0, 1) or not done.stdout:
            raise Failed(f'{shlex.join(arguments)}\n{done.stderr.decode()}')
        if job.reads_trace:
            if done.returncode:
                raise Failed(f'{command(job)}\n{done.stderr.decode()}')
            return job.keep(done.stdout.decode().splitlines())
        report = json.loads(done.stdout)
        if not report['is_ok'] and not job.may_fail:
            raise Failed(f'{command(job)}\n{job.scenario}\n{report["failure"]}')
        return job.keep(report) if job.keep else report

    def run(self, all_jobs):
        """Runs all of them; returns {key: what was kept}, in the order of the list."""
        all_jobs = list(all_jobs)
        results, begin, said = {}, time.monotonic(), 0.0
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for number, (job, kept) in enumerate(
                    zip(all_jobs, pool.map(self.run_in_turn, all_jobs)), 1):
                results[job.key] = kept
                now = time.monotonic()
                if now - said >= (0.5 if sys.stderr.isatty() else 30) or number == len(all_jobs):
                    said = now
                    self.say(f'{number} of {len(all_jobs)} runs, {now - begin:.0f} s')
        return results

    def say(self, text):
        is_tty = sys.stderr.isatty()
        print(f'{self.name}: {text}', end='\r' if is_tty else '\n', file=sys.stderr, flush=True)


# ---- Numbers ------------------------------------------------------------------------------------


def percentile(numbers, share):
    """By nearest rank; None of nothing."""
    ordered = sorted(numbers)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * share / 100 - 1e-9) - 1)]


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else None


def rounded(value, digits=3):
    return None if value is None else round(value, digits)


def number(value, digits=2):
    """For the page: thousands separated, - for nothing."""
    if value is None:
        return '–'
    if isinstance(value, int) or digits == 0:
        return f'{value:,.0f}'
    return f'{value:,.{digits}f}'


def percent(part, whole, digits=2):
    return '–' if not whole else f'{100 * part / whole:.{digits}f} %'


# ---- Markdown -----------------------------------------------------------------------------------


def table(head, rows):
    """The first column to the left, the others to the right."""
    lines = ['| ' + ' | '.join(head) + ' |', '|---|' + '---:|' * (len(head) - 1)]
    return '\n'.join(lines + ['| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows])


def code(*lines):
    return '```\n' + '\n'.join(lines) + '\n```'


# ---- Plots --------------------------------------------------------------------------------------

COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999',
           '#f0e442']


class Curve:
    def __init__(self, title, points, style='linespoints', dash=1, colour=None):
        self.title = title
        self.points = points
        self.style = style
        self.dash = dash
        self.colour = colour


def plot(path, title, x_label, y_label, curves, settings=()):
    """Lines over numbers, as an SVG file that is the same each time."""
    script = [
        'set terminal svg size 720,420 font "sans-serif,12" background "#ffffff"',
        f'set output {quoted(path)}',
        f'set title {quoted(title)} noenhanced',
        f'set xlabel {quoted(x_label)} noenhanced',
        f'set ylabel {quoted(y_label)} noenhanced',
        'set grid lc rgb "#dddddd"',
        'set key outside right top noenhanced',
        *settings,
    ]
    parts, data = [], []
    for index, curve in enumerate(curves):
        colour = curve.colour or COLOURS[index % len(COLOURS)]
        look = f'lc rgb "{colour}" lw 2 dt {curve.dash}'
        look += ' pt 7 ps 0.5' if 'points' in curve.style else ''
        parts.append(f'$data{index} with {curve.style} {look} title {quoted(curve.title)}')
        data.append(f'$data{index} << end')
        data += [' '.join(f'{value:.6g}' for value in point) for point in curve.points]
        data.append('end')
    script[1:1] = data
    script.append('plot ' + ', \\\n  '.join(parts))
    draw('\n'.join(script) + '\n')


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def draw(script):
    program = os.environ.get('SWIM_GNUPLOT', 'gnuplot')
    try:
        done = subprocess.run([program], input=script.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    except FileNotFoundError:
        raise Failed('gnuplot is not installed (Debian: apt-get install gnuplot-nox)')
    if done.returncode:
        raise Failed('gnuplot: ' + done.stdout.decode())


# ---- Reading traces -----------------------------------------------------------------------------

DEAD = re.compile(r'^ *(\d+\.\d+) +n(\d+) +marks n(\d+) dead')
PING = re.compile(r'^ *(\d+\.\d+) +n(\d+) +-> n(\d+) +PING ')
SENT = re.compile(r'^ *(\d+\.\d+) +n(\d+) +-> n(\d+) +')
BLOCKED = re.compile(r'^ *(\d+\.\d+) +n(\d+) +is blocked')
