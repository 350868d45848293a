"""Figures as a table, as JSON and as a picture."""
import json
import os
import statistics

ROWS = [
    ('all_see_all_s', 'all see all after the last start, s'),
    ('cpu_ms', 'CPU a member and second, idle, ms'),
    ('pss_kib', 'memory a member (PSS), KiB'),
    ('datagrams', 'datagrams a member and second, idle'),
    ('bytes', 'bytes on the wire a member and second, idle'),
    ('first_suspected_s', 'kill -9: first member suspects, s'),
    ('first_failed_s', 'kill -9: first member says failed, s'),
    ('all_failed_s', 'kill -9: all say failed, s'),
    ('rejoin_s', 'started again: seen by all, s'),
    ('storm_all_see_all_s', '0.1 s apart: all see all after the last start, s'),
    ('storm_healthy_suspected', '0.1 s apart, 60 s: running members suspected'),
    ('storm_healthy_failed', '0.1 s apart, 60 s: running members declared dead'),
    ('pause_healthy_suspected', 'a fifth stands still 2.5 s: others suspected'),
    ('pause_healthy_failed', 'a fifth stands still 2.5 s: others declared dead'),
    ('pause_whole', 'and afterwards all see all'),
]
COLOURS = {'swimd': '#2266aa', 'serf': '#cc7722', 'bare': '#999999'}
PLOTTED = ['cpu_ms', 'pss_kib', 'all_see_all_s', 'all_failed_s', 'rejoin_s']


def values_of(runs, key):
    """One of each repetition, or of each of its deaths."""
    return [told[key] for run in runs for told in [run] + run.get('deaths', []) if key in told]


def middle(runs, key):
    """Median of all values; None when it never came in one of them."""
    values = values_of(runs, key)
    if not values or None in values:
        return None
    return all(values) if isinstance(values[0], bool) else statistics.median(values)


def written(value):
    if value is None:
        return 'never'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return f'{value:.0f}' if value == int(value) or value >= 100 else f'{value:.3g}'


def ratio(ours, theirs):
    if None in (ours, theirs) or isinstance(ours, bool) or not ours:
        return ''
    return f'{theirs / ours:.3g}'


def has(runs, key):
    return bool(values_of(runs, key))


def every_death(kind, runs):
    """They are too different from each other for a median to tell all."""
    values = sorted(values_of(runs, 'first_failed_s'), key=lambda value: (value is None, value))
    return f'  {kind}: first failed of {len(values)} kills, s: ' + ' '.join(map(written, values))


def table(results):
    """`results`: {(scene, count): {kind: [figures of each repetition]}}. The ratio is the second
    kind's figure to the first one's."""
    lines = []
    for (scene, count), by_kind in results.items():
        kinds = list(by_kind)
        compared = [kind for kind in kinds if kind != 'bare'][:2]
        lines += ['', f'{scene}, N = {count}, median of {len(by_kind[kinds[0]])}']
        lines.append(f'  {"":52}' + ''.join(f'{kind:>10}' for kind in kinds)
                     + (f'{"ratio":>10}' if len(compared) == 2 else ''))
        for key, title in ROWS:
            if not any(has(runs, key) for runs in by_kind.values()):
                continue
            values = {kind: middle(by_kind[kind], key) for kind in kinds}
            lines.append(f'  {title:52}' + ''.join(
                f'{written(values[kind]) if has(by_kind[kind], key) else "":>10}' for kind in kinds)
                + (f'{ratio(*(values[kind] for kind in compared)):>10}' if len(compared) == 2
                   else ''))
        lines += [every_death(kind, by_kind[kind]) for kind in compared
                  if has(by_kind[kind], 'first_failed_s')]
    return '\n'.join(lines) + '\n'


def write(path, text):
    """As a whole or not at all: a run may be ended at any time."""
    with open(path + '.new', 'w', encoding='utf-8') as file:
        file.write(text)
    os.replace(path + '.new', path)


def write_json(path, about, results):
    told = [{'scene': scene, 'members': count, 'kind': kind, 'runs': runs}
            for (scene, count), by_kind in results.items() for kind, runs in by_kind.items()]
    write(path, json.dumps({'about': about, 'results': told}, indent=1) + '\n')


# ---- The picture: a small chart a figure, bars on a scale of their own ------------------------

WIDTH, HEIGHT, LEFT, GAP = 200, 150, 40, 14


def bars(groups, top):
    """groups: [(label, [(kind, value)])]."""
    parts, x = [], LEFT
    most = max([value for _, pairs in groups for _, value in pairs if value] or [1])
    step = (WIDTH - 2 * GAP) / max(1, len(groups))
    for label, pairs in groups:
        wide = (step - 8) / max(1, len(pairs))
        for i, (kind, value) in enumerate(pairs):
            high = (value or 0) / most * HEIGHT
            parts.append(f'<rect x="{x + i * wide:.1f}" y="{top + HEIGHT - high:.1f}" '
                         f'width="{wide - 1:.1f}" height="{high:.1f}" fill="{COLOURS[kind]}"/>'
                         f'<text x="{x + (i + 0.5) * wide:.1f}" y="{top + HEIGHT - high - 3:.1f}" '
                         f'class="v">{written(value)}</text>')
        parts.append(f'<text x="{x + step / 2 - 4:.1f}" y="{top + HEIGHT + 14}" class="l">'
                     f'{label}</text>')
        x += step
    return parts


def write_svg(path, results):
    lives = {count: by_kind for (scene, count), by_kind in results.items() if scene == 'life'}
    kinds = list(next(iter(lives.values()), {}))
    parts = []
    for column, key in enumerate(PLOTTED):
        groups = [(f'N={count}', [(kind, middle(by_kind[kind], key)) for kind in by_kind
                                  if has(by_kind[kind], key)]) for count, by_kind in lives.items()]
        parts.append(f'<g transform="translate({column * (WIDTH + LEFT)} 0)">'
                     f'<text x="{LEFT}" y="34" class="t">{dict(ROWS)[key]}</text>'
                     + ''.join(bars(groups, 60)) + '</g>')
    legend = ''.join(f'<text x="{LEFT + 90 * i}" y="16" fill="{COLOURS[kind]}">{kind}</text>'
                     for i, kind in enumerate(kinds))
    width = len(PLOTTED) * (WIDTH + LEFT) + LEFT
    write(path, f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 240" '
          'font-family="sans-serif" font-size="11"><style>.v{font-size:8px;'
          'text-anchor:middle}.l{text-anchor:middle}.t{font-size:10px}</style>'
          f'<rect width="{width}" height="240" fill="#fff"/>'
          + legend + ''.join(parts) + '</svg>\n')
