#!/usr/bin/python3
"""
make_ctl_corpus.py: writes the first inputs of fuzz_ctl, tests/fuzz/corpus/ctl: answers of each
form, and with each kind of mistake. Run it again when what swimctl reads changes.
"""
import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus', 'ctl')
OK = b'HTTP/1.1 200 OK\r\n'
EVENT = (b'retry: 1000\nid: 5be1c09d00c0ffee-16\n\n: heartbeat\n\nid: 5be1c09d00c0ffee-17\n'
         b'event: suspected\ndata: {"kind":"suspected"}\ndata: more\n\n')

INPUTS = {
    'sized': OK + b'Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"members":[]',
    'sized_short': OK + b'Content-Length: 20\r\n\r\n{}',
    'sized_long': OK + b'Content-Length: 1\r\n\r\n{}',
    'empty': OK + b'Content-Length: 0\r\n\r\n',
    'no_content': b'HTTP/1.1 204 No Content\r\n\r\n',
    'until_close': b'HTTP/1.0 200 OK\r\n\r\n' + EVENT,
    'chunked': OK + b'Transfer-Encoding: chunked\r\n\r\n%x\r\n' % len(EVENT) + EVENT +
               b'\r\n0\r\nTrailer: x\r\n\r\n',
    'chunk_cut': OK + b'Transfer-Encoding: chunked\r\n\r\nFf\r\n' + EVENT,
    'chunk_wrong': OK + b'Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
    'chunk_huge': OK + b'Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
    'chunk_extension': OK + b'Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n',
    'both_lengths': OK + b'Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n',
    'two_lengths': OK + b'Content-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'bad_length': OK + b'Content-Length: 99999999999999999999\r\n\r\n',
    'gzip': OK + b'Transfer-Encoding: gzip\r\n\r\n',
    'error': b'HTTP/1.1 409 Conflict\r\nContent-Length: 13\r\n\r\n{"error":"x"}',
    'continue': b'HTTP/1.1 100 Continue\r\n\r\n' + OK + b'\r\n',
    'no_headers': OK + b'\r\n',
    'folded': OK + b'A: b\r\n c\r\n\r\n',
    'no_colon': OK + b'Nothing\r\n\r\n',
    'bare_newline': b'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'not_http': b'SSH-2.0-OpenSSH_9.2\r\n',
    'version_2': b'HTTP/2 200\r\n\r\n',
    'zero': OK + b'A: \0\r\n\r\n',
    'escape': OK + b'\r\n\x1b[2J\x07\xc2\x9b\xe2\x80\xaetxt\xf0\x9f\x92\xa9\xff\xc0\xaf',
    'wide': 'node-\u6f22\u5b57-e\u0301-\u200b\U0001f600'.encode() * 3,
    'events_cr': OK + b'\r\n' + EVENT.replace(b'\n', b'\r'),
    'events_crlf': OK + b'\r\n' + EVENT.replace(b'\n', b'\r\n') + b'id: a b\nid\ndata\nevent:\n\n',
}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in INPUTS.items():
        with open(os.path.join(FOLDER, name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    if sys.argv[1:2] in (['-h'], ['--help']):
        sys.exit(print(__doc__.strip()))
    main()
