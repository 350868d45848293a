#!/usr/bin/python3
"""
`make bench-check`: counts the instructions of each benchmark, under callgrind, and compares them with
bench/baseline.json. Times of a shared machine are too noisy to tell a tenth; instructions are not.

    bench/compare.py [--update] [--build DIR] [--limit PERCENT] [NAME...]

Exit codes: 0 all within the limit, 1 something costs more or is gone, 2 it could not be measured.
Counts depend on the compiler: with another one than the baseline's, that is said, and 25 % are
allowed. What costs less is told, so that the baseline can follow (--update).
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BASELINE = os.path.join(ROOT, 'bench/baseline.json')
FOREIGN_LIMIT = 25


def fail(message):
    print(f'bench/compare.py: {message}', file=sys.stderr)
    sys.exit(2)


def parse_dumps(paths):
    """{title: instructions} of callgrind's dumps"""
    found = {}
    for path in paths:
        with open(path, encoding='utf-8') as f:
            text = f.read()
        title = re.search(r'^desc: Trigger: Client Request: (.*)$', text, re.M)
        total = re.search(r'^(?:summary|totals): (\d+)', text, re.M)
        if title and total:
            found[title[1]] = int(total[1])
    return found


def count(build, names):
    """(compiler, {title: instructions an operation})"""
    if not shutil.which('valgrind'):
        fail('valgrind is missing; tools/setup test installs it')
    program = os.path.join(build, 'bench/micro')
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.run(
            ['valgrind', '--tool=callgrind', '--collect-atstart=no', '--quiet',
             f'--callgrind-out-file={folder}/out', program, '--count', *names],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if process.returncode:
            fail(f'{program} under valgrind: {process.stderr.strip()[-2000:]}')
        first, *rest = map(json.loads, process.stdout.splitlines())
        repeats = {said['name']: said['repeats'] for said in rest}
        if not repeats:
            fail('no title has any of these in it; bench/run.py --list shows them')
        counts = parse_dumps(os.path.join(folder, n) for n in os.listdir(folder))
    missing = [title for title in repeats if not counts.get(title)]
    if missing:
        fail(f'nothing was counted for "{missing[0]}": was {program} built with '
             'valgrind/callgrind.h?')
    return first['compiler'], {title: round(counts[title] / times, 1)
                               for title, times in repeats.items()}


def compare(now, then, limit):
    """(lines to print, number of regressions)"""
    lines, worse = [], 0
    for title, cost in now.items():
        if title not in then:
            lines.append(f'new      {cost:>14,.1f}  {title}')
            continue
        change = 100 * (cost / then[title] - 1)
        if change > limit:
            worse += 1
        elif change > -limit:
            continue
        word = 'DEARER' if change > 0 else 'cheaper'
        lines.append(f'{word:<8} {cost:>14,.1f}  {title}: {change:+.1f} % of {then[title]:,.1f}')
    return lines, worse


def gone(now, then, names):
    """What the baseline has and nobody measures any longer: it could cost anything."""
    return [f'gone     {then[title]:>14,.1f}  {title}' for title in then if title not in now
            and (not names or any(name in title for name in names))]


def self_test():
    then = {'a': 100.0, 'b': 100.0, 'c': 100.0}
    assert compare({'a': 109.0, 'b': 91.0}, then, 10) == ([], 0)
    lines, worse = compare({'a': 111.0, 'b': 50.0, 'd': 1.0}, then, 10)
    assert worse == 1 and [line.split()[0] for line in lines] == ['DEARER', 'cheaper', 'new']
    assert len(gone({'a': 100.0}, then, [])) == 2 and len(gone({'a': 100.0}, then, ['b'])) == 1
    print('self-test: a regression is found')


def main(given):
    parser = argparse.ArgumentParser(
        prog='bench/compare.py', description=__doc__.split('\n\n')[0].strip(),
        epilog=__doc__.split('\n\n')[2].strip())
    parser.add_argument('names', nargs='*', metavar='NAME', help='only titles with one of these in them')
    parser.add_argument('--build', default='build-bench', help='build directory (%(default)s)')
    parser.add_argument('--limit', type=float, default=10, metavar='PERCENT',
                        help='how much more is a failure (%(default)g)')
    parser.add_argument('--update', action='store_true', help='writes bench/baseline.json anew')
    parser.add_argument('--self-test', action='store_true', help='whether a regression would be found')
    options = parser.parse_args(given)
    if options.self_test:
        self_test()
        return 0
    if subprocess.run(['ninja', '-C', options.build, '--quiet', 'bench/micro'], stdout=sys.stderr,
                      check=False).returncode:
        fail(f'{options.build} does not build; meson setup {options.build} makes it')
    by, now = count(options.build, options.names)
    if options.update:
        then = {}
        if options.names and os.path.exists(BASELINE):
            with open(BASELINE, encoding='utf-8') as f:
                then = json.load(f)['instructions']
        with open(BASELINE, 'w', encoding='utf-8') as f:
            json.dump({'compiler': by, 'instructions': {**then, **now}}, f, indent=1)
            f.write('\n')
        print(f'bench-check: {len(now)} counts written to {os.path.relpath(BASELINE)}')
        return 0
    with open(BASELINE, encoding='utf-8') as f:
        baseline = json.load(f)
    limit = options.limit
    if baseline['compiler'] != by:
        limit = max(limit, FOREIGN_LIMIT)
        print(f"bench-check: the baseline is of {baseline['compiler']}, this is {by}: "
              f'{limit:g} % are allowed')
    lines, worse = compare(now, baseline['instructions'], limit)
    lost = gone(now, baseline['instructions'], options.names)
    print('\n'.join(lines + lost + [f'bench-check: {len(now)} benchmarks, {worse} more than '
                             f'{limit:g} % dearer than the baseline, {len(lost)} gone']))
    return 1 if worse or lost else 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
