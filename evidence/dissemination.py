"""How fast one piece of news reaches everybody, against the mean-field curve."""
import os

from lab import Curve, Job, code, memory_of, number, plot, rounded, table

NAME = 'dissemination'
TITLE = 'Dissemination against the mean-field curve'

SIZES = [100, 1000, 10000]
LOSSES = [0, 25, 50]
SEEDS = {100: 10, 1000: 5, 10000: 1}
# Serf's convergence curve: interval 0.2 s, fan-out 3; seconds to 99 % and to 99.99 %.
CURVE = {(100, 0): (1.4, 2.0), (1000, 0): (1.6, 2.2), (10000, 0): (2.0, 2.6), (1000, 25): (2.2, 3.0),
         (10000, 50): (3.8, 5.0)}
# Only the one piece of news: no probes, no comparison of views.
QUIET = ['--set', 'probes.interval_ms=3600000', '--set', 'gossip.anti_entropy_interval_ms=0',
         '--set', 'gossip.max_sends=3', '--set', 'gossip.adaptive_targets=false']


def job(nodes, loss, seed):
    def keep(report):
        joins = report['dissemination']['joins']
        return [joins['share_99_s'], joins['share_9999_s'], joins['share_all_s'], joins['points']]
    return Job((nodes, loss, seed), ['--nodes', str(nodes), '--join', '1@2s', '--for', '12s', '--loss',
                                     f'{loss}%', '--seed', str(seed)] + QUIET, keep=keep,
               is_checked=False, memory_mib=memory_of(nodes))


def middle(values):
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if len(known) == len(values) else None


def measure(lab):
    kept = lab.run(job(nodes, loss, seed + 1)
                   for nodes in SIZES for loss in LOSSES for seed in range(SEEDS[nodes]))
    rows = []
    for nodes in SIZES:
        for loss in LOSSES:
            runs = [kept[nodes, loss, seed + 1] for seed in range(SEEDS[nodes])]
            rows.append({'nodes': nodes, 'loss': loss, 'seeds': len(runs),
                         't99': rounded(middle([run[0] for run in runs])),
                         't9999': rounded(middle([run[1] for run in runs])),
                         'all': sum(run[2] is not None for run in runs), 'points': runs[0][3]})
    return {'rows': rows}


def summary(found):
    rows = {(row['nodes'], row['loss']): row for row in found['rows']}
    theirs = '; '.join(f'{a} / {b}' for a, b in CURVE.values())
    ours = '; '.join(f'{number(rows[key]["t99"])} / {number(rows[key]["t9999"])}' for key in CURVE)
    good = all(rows[key]['t99'] is not None and rows[key]['t99'] <= a for key, (a, _) in CURVE.items())
    return [('mean-field: 99 % / 99.99 % know, s, N = 100; 1,000; 10,000; 1,000 at 25 %, 10,000 at 50 % loss',
             theirs, ours, 'yes' if good else 'no')]


def page(found):
    lines = [[f'{row["nodes"]:,}, {row["loss"]} % loss', number(row['t99'], 3), number(row['t9999'], 3),
              *(number(v, 1) for v in CURVE.get((row['nodes'], row['loss']), (None, None))),
              f'{row["all"]} of {row["seeds"]}'] for row in found['rows']]
    return f"""
One member joins a cluster in which all know each other; probes and comparisons of views are off, so
only gossip spreads it: to 3 members every 200 ms, as in Serf's convergence curve. Medians.

{table(['', '99 % know after, s', '99.99 %', 'the curve: 99 %', '99.99 %', 'runs in which all know'], lines)}

{code('build/swimsim ' + ' '.join(job(1000, 25, 1).arguments()))}

Ours is faster than the curve since a member that has had nothing to tell for an interval tells fresh
news at once: the curve is that of rounds which all wait for their turn. (With probes and comparisons
on, whoever is missed learns it from them.)

![Dissemination](evidence/dissemination.svg)
"""


def plots(found, folder):
    curves = [Curve(f'{row["nodes"]:,}, {row["loss"]} % loss',
                    [(0, 0)] + [(at, 100 * share) for at, share in row['points']], 'steps',
                    1 + LOSSES.index(row['loss'])) for row in found['rows']]
    plot(os.path.join(folder, 'dissemination.svg'), 'Who knows of a newcomer', 'seconds', '% of the members',
         curves, ['set yrange [0:105]', 'set xrange [0:*]'])
