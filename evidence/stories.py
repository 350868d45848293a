"""What users of membership systems complain of, played through."""
from lab import Job, code, memory_of, number, table

NAME = 'stories'
TITLE = 'Users’ stories'

# (what happens, scenario, more flags, members)
STORIES = [
    ('isolated for ten minutes, back without an operator', 'isolation-ten-minutes', [], 10),
    ('all of 1,000 restart in the same second', 'mass-restart', ['--nodes', '1000'], 1000),
    ('all of 200 restart with their ids, but no memory', 'mass-restart-same-id', [], 200),
    ('nodes die while a partition outlasts their tombstones', 'zombies', [], 20),
    ('a tenth hears the rest, and is not heard', 'asymmetric-partition', [], 20),
    ('two nodes cannot reach each other', 'two-that-accuse', [], 6),
    ('a node of one cluster at an address of another', 'address-reuse', [], 10),
    ('clusters of 2', 'bootstrap-2', [], 2),
    ('clusters of 3', 'bootstrap-3', [], 3),
    ('5 % of 1,000 replaced every minute', 'churn', ['--nodes', '1000', '--for', '6m'], 1000),
    ('a fifth pauses for 2.5 s', 'pause-a-fifth', [], 50),
]


def job(number_of):
    what, scenario, flags, nodes = STORIES[number_of]

    def keep(report):
        return {'is_ok': report['is_ok'], 'failure': report['failure'],
                'converged': report['convergence']['at_end'],
                'wrong': report['wrong']['failed_by_healthy'],
                'resurrections': report['wrong']['resurrections'],
                'news_queued': report['core']['news_queued_at_end'],
                'datagrams': report['traffic']['sent_a_member_second']['datagrams_mean']}
    return Job(number_of, flags + ['--seed', '1'], f'scenarios/{scenario}.toml', keep, may_fail=True,
               memory_mib=memory_of(2 * nodes))


def measure(lab):
    kept = lab.run(job(index) for index in range(len(STORIES)))
    return {'stories': [kept[index] for index in range(len(STORIES))]}


def summary(found):
    good = sum(story['is_ok'] for story in found['stories'])
    return [('users’ stories that end as the user hopes, with all checkers on',
             f'{len(STORIES)}', f'{good}', 'yes' if good == len(STORIES) else 'no')]


def page(found):
    lines = []
    for (what, scenario, flags, _), story in zip(STORIES, found['stories']):
        verdict = 'ok' if story['is_ok'] else story['failure']
        lines.append([f'{what} (`{" ".join([scenario] + flags)}`)', verdict,
                      number(story['wrong']), number(story['resurrections']),
                      number(story['news_queued']), number(story['datagrams'])])
    head = ['', 'verdict', 'deaths wrongly declared by the healthy', 'forgotten ones back',
            'news queued at the end', 'datagrams a member and second']
    return f"""
Each is a scenario of the library, run as

{code('build/swimsim SCENARIO --seed 1')}

with all [checkers](simulator.md#checkers) on, and its own expectations (that all agree in the end, for
one). {len(STORIES)} stories:

{table(head, lines)}

Two clusters with names stay two when an address of one is reused by the other. Without names they become
one: nothing in version 1 names a cluster. Counters at their maximum and forged incarnations are in `tests/scenario/test_limits.c`.
Fleets of 4,500 and churn among 5,000 are the same scenarios with `--nodes`; they take minutes to hours
of one processor, and are not part of this page.
"""
