"""The merge order, as a theorem; and the model of the protocol."""
import json
import os
import re
import subprocess
import sys
import tempfile

from lab import ROOT, Failed, code, number, table

NAME = 'proofs'
TITLE = 'Proofs'


def merge_counts(lab):
    done = subprocess.run([os.path.join(lab.drivers, 'tests', 'model', 'model_merge')], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode()
    if done.returncode:
        raise Failed(text)
    return {'tests': len(re.findall(r'^\[ +OK', text, re.M))}


def measure(lab):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'model.json')
        done = subprocess.run([sys.executable, 'tools/check-model', '--json', path], cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Failed(done.stdout.decode())
        with open(path, encoding='utf-8') as file:
            model = json.load(file)
    for run in model if isinstance(model, list) else []:
        run.pop('seconds', None)  # differs from machine to machine
    return {'merge': merge_counts(lab), 'model': model}


def runs_of(found):
    model = found['model']
    return model if isinstance(model, list) else model.get('runs', model.get('searches', []))


def summary(found):
    return [('merge is a join: all triples of 384 records; and a model of three members, exhaustively',
             'proved', f'{len(runs_of(found))} searches as expected', 'yes')]


def page(found):
    rows = []
    for run in runs_of(found):
        rows.append([run.get('what', run.get('name', '')), number(run.get('states')),
                     run.get('result', run.get('verdict', 'as expected'))])
    return f"""
**Theorem.** Let records about one id be ordered by (incarnation, is terminal, heartbeat, severity,
address), field by field. This order is total, so the greater of two records is unique, and merging,
which keeps it, is commutative, associative and idempotent: records and merge are a join semilattice.
So whatever set of records reaches a member, in whatever order, grouping and repetition, it ends up
holding the greatest; two members that heard the same hold the same.

*Checked by enumeration*: 384 records (every field with at least three values, extremes included), every
pair for totality and antisymmetry, all 56,623,104 triples for transitivity and associativity; and 40,000
permuted, repeated and regrouped histories through whole members.

{code('meson test -C build-test/release merge convergence')}

**Model.** `tests/promela/swim.pml` is the protocol for three members in Promela: probes that fail,
suspicion, death, forgetting, refutation, healing, synchronisation. spin visits every state within the
bounds that the file states; once nothing is lost any more, all agree within three rounds, and no live
member stays dead. Each mutation of the model is found, so the search can fail.

{table(['search', 'states', ''], rows)}

{code('tools/check-model')}
"""
