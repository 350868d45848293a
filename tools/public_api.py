"""The public headers, read: what they declare, and what they say of it. For tools/make-exports,
tools/make-man and tests."""
import re


class Entry:
    """A declaration. `text` is it, as written; `comment` what stands above it, as paragraphs'
    lines; `section` the headline that it stands under."""

    def __init__(self, kind, name, text, comment, section):
        self.kind = kind  # 'function', 'type' or 'constant'
        self.name = name
        self.text = text
        self.comment = comment
        self.section = section


# A comment, a declaration that ends with ; or }; or a line of the preprocessor with its continuation.
PIECE = re.compile(r'(?P<comment>/\*.*?\*/)|(?P<macro>^#.*?(?<!\\)$)|'
                   r'(?P<code>^[A-Za-z][^;{]*(?:\{[^}\n]*\}|\{.*?^\})?;)|'
                   r'(?P<blank>\n[ \t]*\n)', re.M | re.S)
ATTRIBUTES = {'SWIM_API', 'SWIM_MUST_CHECK', 'SWIM_NORETURN'}
SECTION = re.compile(r'/\* -{4} (.*?) -{4,} \*/')


def comment_lines(comment):
    """A comment without its marks."""
    body = comment[2:-2].strip('*')
    lines = [re.sub(r'^\s*\* ?', '', line).rstrip() for line in body.splitlines()]
    if lines:
        lines[0] = lines[0].lstrip()
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def declared(text):
    """(kind, name) of a declaration; None for what is no part of the interface."""
    if 'SWIM_API' in text:
        return 'function', re.search(r'(\w+)\s*\(', text).group(1)
    found = re.match(r'(?:struct|enum) (\w+)(?: \{|;)', text)
    if found:
        return 'type', found.group(1)
    found = re.match(r'typedef .*?(\w+);$', text, re.S)
    return ('type', found.group(1)) if found else None


def read(path):
    """(the comment that the file opens with, [Entry])"""
    with open(path, encoding='utf-8') as file:
        text = file.read().replace('extern "C" {', '')
    opening, entries, section, comment = [], [], '', []
    for piece in PIECE.finditer(text):
        kind, body = piece.lastgroup, piece.group(0)
        if kind == 'comment':
            headline = SECTION.match(body)
            if headline:
                section, comment = headline.group(1).strip(), []
            elif not opening:
                opening = comment_lines(body)
            elif body.startswith('/* clang-format'):
                pass
            else:
                comment = comment_lines(body)
        elif kind == 'blank':
            comment = []
        elif kind == 'macro':
            found = re.match(r'#define (SWIM_\w+)\S* +[^\s]', body)
            if found and found.group(1) not in ATTRIBUTES:
                entries.append(Entry('constant', found.group(1), body, comment, section))
        else:
            found = declared(body)
            if found:
                entries.append(Entry(*found, body, comment, section))
    return opening, entries


def functions(path):
    """Names of the functions that are part of the interface, in order."""
    return [entry.name for entry in read(path)[1] if entry.kind == 'function']
