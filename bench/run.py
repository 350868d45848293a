#!/usr/bin/python3
"""
`make bench`: runs the benchmarks of one build and prints them as tables, each beside the least that
this machine could take for it, and beside another implementation's figure where there is one.

    bench/run.py [options] [NAME...]      NAME: a part of a title, such as 'merge' or '(1000)';
                                          of several, one is enough

Writes everything as JSON, too. Titles end in "(n)". Instructions come from bench/baseline.json
(bench/compare.py).
"""
import argparse
import json
import math
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = {
    'sim': ['bench_sim'],
    'worst': ['bench_worst'],
    'sync': ['bench_sync'],
    'crowd': ['crowd', '100'],
}


def milliseconds(text):
    if not text.isdecimal() or not 1 <= int(text) <= 60000:
        raise argparse.ArgumentTypeError(f'{text!r}: a number from 1 to 60000')
    return int(text)


def arguments(given):
    parser = argparse.ArgumentParser(prog='bench/run.py', description=__doc__.split('\n\n')[0].strip())
    parser.add_argument('names', nargs='*', metavar='NAME', help='only titles with one of these in them')
    parser.add_argument('--build', default='build-bench', help='build directory (%(default)s)')
    parser.add_argument('--json', help='where to (BUILD/bench.json)')
    parser.add_argument('--budget-ms', type=milliseconds, default=100, metavar='N',
                        help='time for each benchmark (%(default)s)')
    parser.add_argument('--list', action='store_true', help='titles, and nothing else')
    parser.add_argument('--programs', nargs='?', const='sim,worst,sync,crowd', default='',
                        metavar='NAMES', help='afterwards these programs: %(const)s')
    options = parser.parse_args(given)
    unknown = set(filter(None, options.programs.split(','))) - set(PROGRAMS)
    if unknown:
        parser.error(f'no such program: {", ".join(sorted(unknown))}; there are '
                     f'{", ".join(PROGRAMS)}')
    return options


def build(options, targets):
    if subprocess.run(['ninja', '-C', options.build, '--quiet', *(f'bench/{t}' for t in targets)],
                      stdout=sys.stderr, check=False).returncode:
        sys.exit(f'bench/run.py: {options.build} does not build; meson setup {options.build} makes it')


def instructions():
    """By title; {} when there is no baseline."""
    try:
        with open(os.path.join(ROOT, 'bench/baseline.json'), encoding='utf-8') as f:
            return json.load(f)['instructions']
    except FileNotFoundError:
        return {}


def progress(text):
    """In a line of its own, which the next one takes; for somebody who looks on."""
    if sys.stderr.isatty():
        print(f'\r{text:<75.75}\r', end='', file=sys.stderr, flush=True)


def run(options):
    """(machine, results): as the program prints them, line by line."""
    command = [os.path.join(options.build, 'bench/micro'), '--budget-ms', str(options.budget_ms),
               *options.names]
    machine, results, counts = {}, [], instructions()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            said = json.loads(line)
            if 'machine' in said:
                machine = said['machine']
                continue
            said['instructions'] = counts.get(said['name'])
            results.append(said)
            progress(f"{len(results)} {said['name']}")
    progress('')
    if process.returncode:
        sys.exit(f'bench/run.py: {command[0]} ended with {process.returncode}')
    return machine, results


def duration(ns):
    if ns >= 1e6:
        return f'{ns / 1e6:.2f} ms'
    return f'{ns / 1e3:.2f} us' if ns >= 1e4 else f'{ns:.1f} ns'


def row(said):
    limit = f"{said['ns'] / said['limit_ns']:.1f}" if said['limit_ns'] > 1 else ''
    cells = [said['name'], duration(said['ns']),
             f"{said['instructions']:,.0f}" if said['instructions'] else '',
             duration(said['limit_ns']) if said['limit_ns'] > 1 else '', limit]
    if 'published_ns' in said:
        ratio = said['published_ns'] / said['ns']
        cells += [duration(said['published_ns']), f'{ratio:.1f}']
        cells += [f"{said['wanted']:.0f}", 'met' if ratio >= said['wanted'] else 'NOT MET'
                  ] if said['wanted'] else ['', '']
    else:
        cells += ['', '', '', '']
    return cells


HEAD = ['', 'time', 'instructions', 'limit', 'x limit', 'published', 'times faster', 'wanted', '']


def print_table(head, rows):
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    for r in [head, ['-' * w for w in widths], *rows]:
        cells = [f'{c:<{w}}' if i == 0 else f'{c:>{w}}' for i, (c, w) in enumerate(zip(r, widths))]
        print('| ' + ' | '.join(cells) + ' |')
    print()


def slope(points):
    """Least squares of ns over log10 n: (ns at n = 10, ns more for ten times as many)"""
    xs = [math.log10(n) for n, _ in points]
    ys = [ns for _, ns in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    below = sum((x - mean_x) ** 2 for x in xs)
    steep = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / below
    return mean_y + steep * (1 - mean_x), steep


def scale(results):
    """What is measured at 10 to 1,000,000 members: a row each, with the slope; and memory's."""
    rows, sizes = [], sorted({r['n'] for r in results if r['name'].startswith('scale: ')})
    for title in dict.fromkeys(r['name'].rsplit(' (', 1)[0] for r in results
                               if r['name'].startswith('scale: ')):
        found = {r['n']: r['ns'] for r in results if r['name'].rsplit(' (', 1)[0] == title}
        if len(found) < 2:
            continue
        exponent = slope([(n, math.log10(ns)) for n, ns in found.items()])[1]
        rows.append([title.removeprefix('scale: '), *(f'{found.get(n, 0):.0f}' for n in sizes),
                     f'{slope(list(found.items()))[1]:+.1f}', f'n^{exponent:.3f}'])
    if rows:
        print_table(['ns at n =', *(f'{n:,}' for n in sizes), 'ns a decade', 'grows as'], rows)
    counted = sorted({r['n'] for r in results if r.get('instructions')})
    rows = []
    for title in dict.fromkeys(r['name'].rsplit(' (', 1)[0] for r in results):
        found = {r['n']: r['instructions'] for r in results
                 if r['name'].rsplit(' (', 1)[0] == title and r['instructions']}
        if len(found) > 1:
            rows.append([title.removeprefix('scale: '),
                         *(f'{found[n]:,.0f}' if n in found else '' for n in counted),
                         f'{slope(list(found.items()))[1]:+.1f}'])
    if rows:
        print_table(['instructions at n =', *(f'{n:,}' for n in counted), 'a decade'], rows)


def memory(results):
    rows = [[f"{r['n']:,}", f"{r['footprint']:,}", f"{r['per_member']:.1f}", f"{r['touched']:,}",
             f"{r['touched_per_member']:.1f}"] for r in results if 'footprint' in r]
    if rows:
        print_table(['members', 'arena, bytes', 'each', 'touched, bytes', 'each'], rows)


def report(machine, results):
    print('This machine, in nanoseconds: a load from 32 KiB '
          '{load_32k_ns}, 512 KiB {load_512k_ns}, 16 MiB {load_16m_ns}, 256 MiB {load_256m_ns}; '
          '1,400 bytes copied {copy_1400_ns}, summed up {sum_1400_ns}\n'.format(**machine))
    rows = [row(r) for r in results if 'ns' in r and not r['name'].startswith('scale: ')]
    if rows:
        print_table(HEAD, rows)
    scale([r for r in results if 'ns' in r and r['name'].startswith('scale: ')])
    memory(results)


def main(given):
    options = arguments(given)
    programs = [p for p in options.programs.split(',') if p]
    build(options, ['micro', *(PROGRAMS[p][0] for p in programs)])
    if options.list:
        subprocess.run([os.path.join(options.build, 'bench/micro'), '--list', *options.names],
                       check=True)
        return 0
    path = options.json or os.path.join(options.build, 'bench.json')
    try:  # before minutes are spent on what could not be written
        with open(path, 'a', encoding='utf-8'):
            pass
    except OSError as error:
        sys.exit(f'bench/run.py: {path}: {error.strerror}')
    machine, results = run(options)
    if not results:
        sys.exit('bench/run.py: no title has any of these in it; --list shows them')
    with open(path, 'w', encoding='utf-8') as f:
        json.dump({'machine': machine, 'results': results}, f, indent=1)
    report(machine, results)
    print(f'bench: all of it is in {path}', file=sys.stderr)
    for program in programs:
        name, *rest = PROGRAMS[program]
        print(f'## {program}\n', flush=True)
        subprocess.run([os.path.join(options.build, 'bench', name), *rest], check=True)
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
