#!/usr/bin/python3
"""
make_agent_corpus.py: writes the first inputs of the fuzz targets over what the daemon reads,
tests/fuzz/corpus/config, keyfile, state, control, verbs and http: one of each kind that its
documents name, and one of each kind of mistake. Run it again when those change.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, '..', '..', 'docs', 'swim.example.toml')
MARK = b'mirrormirror'  # fuzz_http demands that it is in no answer


def write(target, name, data):
    folder = os.path.join(HERE, 'corpus', target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(data)


def config():
    with open(EXAMPLE, encoding='utf-8') as f:
        example = f.read()
    # Settings are commented out by "# "; prose doesn't look like them.
    settings = re.sub(r'^# ?([a-z0-9_]+ = .*)$', r'\1', example, flags=re.M)
    section = ''
    for line in settings.splitlines():
        if line.startswith('['):
            section = line
        elif re.match(r'[a-z0-9_]+ = ', line):
            name = f'{section.strip("[]")}_{line.split()[0]}'
            write('config', name, f'{section}\n{line}\n'.encode())
    for name, text in {
            'peers': '[network]\npeers = ["10.0.0.1:7000", "[fd00::1]:7000", "node-1.example:7946"]\n',
            'hosts': '[metrics]\nhttp_hosts = ["a.example", "*", "B.example"]\n',
            'dotted': 'gossip.interval_ms = 100\nprobes = { interval_ms = 500, timeout_ms = 200 }\n',
            'unknown_key': '[gossip]\nfanuot = 3\n',
            'twice': '[gossip]\nfanout = 3\nfanout = 4\n',
            'wrong_type': '[gossip]\nfanout = "3"\nmembers_max = 1.5\n',
            'too_large': '[gossip]\nfanout = 99999999999999999999\n',
            'negative': '[probes]\nsuspect_multiplier = -0.1\n',
            'fraction': '[probes]\nsuspect_multiplier = 1e-3\n',
            'together': '[probes]\ninterval_ms = 100\ntimeout_ms = 500\n',
            'deep': 'a = ' + '[' * 60 + ']' * 60 + '\n',
            'dates': 'a = 1979-05-27T07:32:00Z\n[[peer]]\nb = inf\n',
            'strings': '[node]\ncluster = """\na\\u00e9\\x"""\n[log]\nlevel = \'debug\'\n',
            'security': '[security]\nkey_file = "/etc/swim.keys"\nenvelope = 2\nplaintext = "accept"\n'
                        '[node]\ncluster = "blue"\n',
            'key': '[network]\ncluster_key = "' + '0123456789abcdef' * 4 + '"\nencryption = true\n',
            'no_bytes': '',
    }.items():
        write('config', 'text_' + name, text.encode())


def state():
    """A leading '+' asks the target for the right checksum."""
    head = b'+swim-state 1\n'
    rest = b'id 11400714819323198485\nincarnation 48\nstart 1700000000000\n'
    members = b'member 10.0.0.7:7000\nmember [2001:db8::7]:7000\n'
    for name, text in {
            'small': head + rest,
            'whole': head + b'cluster blue\n' + rest + members,
            'many': head + rest + b''.join(b'member 10.0.%d.%d:7000\n' % (i // 250, i % 250)
                                           for i in range(1025)),
            'zero_id': head + rest.replace(b'11400714819323198485', b'0'),
            'large_id': head + rest.replace(b'11400714819323198485', b'18446744073709551616'),
            'large_incarnation': head + rest.replace(b'tion 48', b'tion 4294967296'),
            'leading_zero': head + rest.replace(b'tion 48', b'tion 048'),
            'no_start': head + rest.split(b'start')[0],
            'twice': head + rest + rest,
            'version_2': b'+swim-state 2\n' + rest,
            'no_cluster': head + b'cluster \n' + rest,
            'long_cluster': head + b'cluster ' + b'a' * 65 + b'\n' + rest,
            'name': head + rest + b'member node-1.example:7000\n',
            'port_0': head + rest + b'member 10.0.0.7:0\n',
            'zero_byte': head + rest + b'member 10.0.0.7:7000\0\n',
            'no_newline': head + rest + b'member 10.0.0.7:7000',
            'no_checksum': head[1:] + rest,
            'foreign': b'[network]\nbind = "127.0.0.1:7000"\n',
            'nothing': b'',
    }.items():
        write('state', name, text)


def keyfile():
    first, second = b'8f0c' * 16, b'17AA' * 16
    for name, text in {
            'one': first + b'\n',
            'no_newline': first,
            'two': b'# first\n' + first + b'\n\n ' + second + b' # second\r\n',
            'eight': b''.join(b'%064x\n' % (i + 1) for i in range(8)),
            'nine': b''.join(b'%064x\n' % (i + 1) for i in range(9)),
            'twice': first + b'\n' + first.upper() + b'\n',
            'zeros': b'0' * 64 + b'\n',
            'short': first[:63] + b'\n',
            'long': first + b'0\n',
            'no_digit': first[:63] + b'g\n',
            'zero_byte': first[:32] + b'\0' + first[32:] + b'\n',
            'comments': b'#\n  # nothing\n',
            'no_bytes': b'',
    }.items():
        write('keyfile', name, text)


def control():
    """The first byte: 0x80 POST, 0x40 without keys, the rest the path of fuzz_control.c's table."""
    key = b'"' + b'5be1' * 16 + b'"'
    for name, path, body in (
            ('root', 0, b''), ('info', 1, b''), ('keys', 2, b''), ('keys_without', 0x42, b''),
            ('install', 0x83, b'{"key":' + key + b'}'), ('install_get', 3, b'{"key":' + key + b'}'),
            ('install_weak', 0x83, b'{"key":"' + b'0' * 64 + b'"}'),
            ('install_short', 0x83, b'{"key":"5be1"}'), ('install_number', 0x83, b'{"key":5}'),
            ('install_more', 0x83, b'{"key":' + key + b',"a":1}'),
            ('install_twice', 0x83, b'{"key":' + key + b',"key":' + key + b'}'),
            ('install_array', 0x83, b'[' + key + b']'), ('install_zero', 0x83, b'{"key":"\\u0000"}'),
            ('use', 0x84, b'{"id":"5be1c09d"}'), ('use_primary', 0x84, b'{"id":"01020304"}'),
            ('use_unknown', 0x84, b'{"id":"ffffffff"}'), ('use_escaped', 0x84, b'{"\\u0069d":"5be1c09d"}'),
            ('remove', 0x85, b'{"id":"5BE1C09D"}'), ('remove_primary', 0x85, b'{"id":"01020304"}'),
            ('deep', 0x85, b'[' * 200), ('broken', 0x84, b'{"id":"5be1c0'), ('no_path', 0x86, b'{}')):
        write('control', name, bytes([path]) + body)


def verbs():
    """The first byte: the path of fuzz_verbs.c's table; the second: the bytes of the query."""
    join, leave, force, tags, ping, rtt, members = range(7)
    for name, path, query, body in (
            ('join', join, b'', b'{"peers":["10.0.0.1:7000","[fd00::1]:1","node.example:7946"]}'),
            ('join_empty', join, b'', b'{"peers":[]}'), ('join_port', join, b'', b'{"peers":["a:0"]}'),
            ('join_more', join, b'', b'{"peers":["a:1"],"x":1}'),
            ('join_zero', join, b'', b'{"peers":["a\\u0000:1"]}'),
            ('leave', leave, b'', b''), ('leave_object', leave, b'', b'{}'), ('leave_more', leave, b'', b'{"a":1}'),
            ('force', force, b'', b'{"id":"18446744073709551615"}'),
            ('force_prune', force, b'', b'{"id":"1","prune":true}'),
            ('force_large', force, b'', b'{"id":"18446744073709551616"}'),
            ('force_zero', force, b'', b'{"id":"0","prune":false}'),
            ('tags_set', tags, b'', '{"set":{"role":"db","z\u00f6ne":"","a":"="}}'.encode()),
            ('tags_delete', tags, b'', b'{"delete":["role"]}'),
            ('tags_both', tags, b'', b'{"set":{"a":"1"},"delete":[]}'),
            ('tags_number', tags, b'', b'{"set":{"a":1}}'), ('tags_key', tags, b'', b'{"set":{"a=b":"1"}}'),
            ('tags_control', tags, b'', b'{"set":{"a":"\\u001b[2J"}}'),
            ('tags_long', tags, b'', b'{"set":{"a":"' + b'x' * 4000 + b'","b":"' + b'y' * 200 + b'"}}'),
            ('tags_get', 16 + tags + 5, b'', b''),
            ('ping', ping, b'', b'{"id":"5"}'), ('rtt', rtt, b'id=1', b''), ('rtt_unknown', rtt, b'id=2', b''),
            ('rtt_twice', rtt, b'id=1&id=1', b''),
            ('members', members, b'status=alive,dead&tag=role=db&tag=zone', b''), ('peers', 7, b'', b'')):
        write('verbs', name, bytes([path, len(query)]) + query + body)


def http():
    """The first byte: 0x80 the control socket's server, 0x40 with a token, the rest how much comes first."""
    host = b'Host: localhost\r\n'

    def put(name, request, first=0):
        write('http', name, bytes([first]) + request)

    for path in ('', 'membership', 'membership?status=alive', 'membership?status=' + MARK.decode(),
                 'membership?status=alive,dead&tag=role=db&tag=zone', 'membership?tag=%' + MARK.decode(),
                 'membership?' + MARK.decode() + '=1', 'membership?tag=' + MARK.decode(), 'events', 'events?snapshot=1&status=alive',
                 'events?last_event_id=' + MARK.decode(), 'events?last_event_id=0', 'events?' + MARK.decode(),
                 'events?snapshot=' + MARK.decode(), 'sd', 'sd?port=9100&status=dead&tag=a', 'sd?port=' + MARK.decode(),
                 'healthz',
                 'readyz', 'metrics', 'metrics/json', MARK.decode()):
        name = 'get_' + re.sub(r'\W', '_', path)
        request = b'GET /' + path.encode() + b' HTTP/1.1\r\n' + host + b'\r\n'
        put(name, request, 20)
        put('token_' + name, request, 0x40)
    for name, version, line in (('header', b'1.1', MARK), ('old', b'1.0', b'0'), ('id', b'1.1', b'0123456789abcdef-3')):
        put('events_' + name, b'GET /events?snapshot=1 HTTP/' + version + b'\r\n' + host + b'Last-Event-ID: ' + line +
            b'\r\n\r\n', 30)
    put('events_head', b'HEAD /events HTTP/1.1\r\n' + host + b'\r\n')
    put('events_pipelined', (b'GET /events?snapshot=1 HTTP/1.1\r\n' + host + b'\r\n') * 3, 21)
    put('control_events', b'GET /events HTTP/1.1\r\n' + host + b'\r\n', 0x80)
    get = b'GET /healthz HTTP/1.1\r\n'
    put('head', b'HEAD /metrics HTTP/1.1\r\n' + host + b'\r\n')
    put('post', b'POST / HTTP/1.1\r\n' + host + b'Content-Length: 3\r\n\r\nabc')
    put('pipelined', (get + host + b'\r\n') * 3, 40)
    put('old', b'GET / HTTP/1.0\r\n\r\n')
    for version in (b'0.1', b'1.99', b'1.-1', b'2.0', b'1.111111111111'):
        put('version_' + version.decode(), b'GET /healthz HTTP/' + version + b'\r\n' + host + b'\r\n')
    put('no_host', get + b'\r\n')
    put('two_hosts', get + host + host + b'\r\n')
    put('other_host', get + b'Host: ' + MARK + b'.example\r\n\r\n')
    put('whole_uri', b'GET http://' + MARK + b'/ HTTP/1.1\r\n' + host + b'\r\n')
    put('two_slashes', b'GET //' + MARK + b'/ HTTP/1.1\r\n' + host + b'\r\n')
    put('chunked', get + host + b'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
    put('expect', get + host + b'Expect: 100-continue\r\nContent-Length: 9\r\n\r\n')
    put('length', get + host + b'Content-Length: -1\r\n\r\n')
    put('long_length', get + host + b'Content-Length: 99999999999\r\n\r\n')
    put('open', get + host + b'Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4\r\n\r\n')
    put('many', get + host + b''.join(b'X-%d: %s\r\n' % (i, MARK) for i in range(65)) + b'\r\n')
    put('folded', get + host + b'X: a\r\n ' + MARK + b'\r\n\r\n')
    put('long_line', b'GET /' + MARK * 200 + b' HTTP/1.1\r\n' + host + b'\r\n', 50)
    put('connect', b'CONNECT ' + MARK + b':1 HTTP/1.1\r\n' + host + b'\r\n')
    put('options', b'OPTIONS * HTTP/1.1\r\n' + host + b'\r\n')
    put('method', MARK + b' / HTTP/1.1\r\n' + host + b'\r\n')
    put('no_http', b'\x16\x03\x01' + MARK)
    put('bearer', get + host + b'Authorization: Bearer ' + MARK + b'\r\n\r\n')
    put('part', get[:9], 3)
    control = 0x80 + 30
    put('control_info', b'GET /info HTTP/1.1\r\n' + host + b'\r\n', control)
    put('control_keys', b'GET /keys HTTP/1.1\r\n' + host + b'\r\n', control)
    put('control_post', b'POST /keys/use HTTP/1.1\r\n' + host + b'Content-Length: 17\r\n\r\n{"id":"5be1c09d"}', control)
    put('control_no_body', b'POST /keys/use HTTP/1.1\r\n' + host + b'\r\n', control)
    put('control_lengths', b'POST /keys/use HTTP/1.1\r\n' + host + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        control)
    put('control_put', b'PUT /keys HTTP/1.1\r\n' + host + b'\r\n', control)
    put('control_mark', b'GET /' + MARK + b' HTTP/1.1\r\n' + host + b'\r\n', control)


if __name__ == '__main__':
    if sys.argv[1:2] in (['-h'], ['--help']):
        sys.exit(print(__doc__.strip()))
    config()
    keyfile()
    state()
    control()
    verbs()
    http()
