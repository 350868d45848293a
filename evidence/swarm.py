"""The swarm: random scenarios under all checkers."""
import re
import subprocess

from lab import ROOT, Failed, code

NAME = 'swarm'
TITLE = 'The swarm'

SEEDS = 2000
COMMAND = ['swarm', '--seeds', str(SEEDS), '--seed', '1']


def measure(lab):
    done = subprocess.run([lab.swimsim] + COMMAND, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    text = done.stdout.decode()
    line = [line for line in text.splitlines() if line.startswith('swarm: all:')]
    if not line:
        raise Failed(text[-2000:])
    return {'line': re.sub(r', \d+ s$', '', line[-1]), 'code': done.returncode}


def summary(found):
    hours = re.search(r'([\d.]+) virtual hours', found['line']).group(1)
    failures = re.search(r'(\d+) failures', found['line']).group(1)
    return [('random scenarios with faults, all checkers on: seeds; virtual hours; failures',
             '2,000; 200; 0', f'{SEEDS:,}; {hours}; {failures}', 'yes' if found['code'] == 0 else 'no')]


def page(found):
    return f"""
Each seed draws a cluster, its settings, its network, a workload and faults; then the faults end, or stay
on a minority, and agreement is demanded within a bound that follows from the settings.

{code('build/swimsim ' + ' '.join(COMMAND), found['line'])}

That the checkers can fail is shown by `tools/check-bugs`: each of the deliberate faults in `tests/bugs/`
is found by this very swarm.
"""
