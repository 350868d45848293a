"""The live page as a document, and what it is served with: docs/dashboard.md. What it does in a
browser is tested in tests/page."""

import base64
import hashlib
import os
import re
import subprocess

import swimtest

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
BYTES_MAX = 150 * 1024


def hash_of(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


class Page(swimtest.SwimTestCase):
    def page(self, node, **headers):
        status, answered, body = node.http("/", headers={"Accept": BROWSER, **headers})
        self.assertEqual(status, 200)
        self.assertEqual(answered["Content-Type"], "text/html; charset=utf-8")
        return answered, body.decode()

    def policy(self, headers):
        parts = [part.split() for part in headers["Content-Security-Policy"].split(";")]
        return {part[0]: part[1:] for part in parts}

    def test_size(self):
        """150 KiB in all, and nothing else is fetched."""
        _, body = self.page(self.node().await_http())
        self.assertLessEqual(len(body.encode()), BYTES_MAX)
        self.assertTrue(body.startswith("<!doctype html>"))
        for found in re.findall(r"""(?:\bsrc|\bhref|\baction)=["']?([^"'>\s]+)""", body):
            self.assertRegex(found, r"^(data:|#)")
        self.assertNotRegex(body, r"@import|\burl\(|\bimport\b *[({\"]|\beval\b")

    def test_policy(self):
        """Only this very script and this very style run, and only this node is asked."""
        headers, body = self.page(self.node().await_http())
        policy = self.policy(headers)
        (script,) = re.findall(r'<script type="module">(.*?)</script>', body, re.S)
        (style,) = re.findall(r"<style>(.*?)</style>", body, re.S)
        self.assertEqual(body.count("<script"), 1)
        self.assertEqual(policy["script-src"], [hash_of(script)])
        self.assertEqual(policy["style-src"], [hash_of(style)])
        self.assertEqual(policy["connect-src"], ["'self'"])
        for name in ("default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"):
            self.assertEqual(policy[name], ["'none'"], name)
        self.assertEqual(policy["require-trusted-types-for"], ["'script'"])
        self.assertNotRegex(headers["Content-Security-Policy"], r"unsafe|http|\*")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertNotRegex(body, r"""\son\w+=|\sstyle=|javascript:""")

    def test_text_for_the_others(self):
        """Who doesn't name HTML gets the list of the paths."""
        node = self.node().await_http()
        for accept in (None, "*/*", "text/plain", "text/*", "application/json", "text/htmlx",
                       "text/plain, text/html;q=0.5", "text/html;q=0", ""):
            with self.subTest(accept):
                headers = {} if accept is None else {"Accept": accept}
                status, answered, body = node.http("/", headers=headers)
                self.assertEqual((status, answered["Content-Type"]),
                                 (200, "text/plain; charset=utf-8"))
                self.assertIn(b"/membership", body)
                self.assertNotIn("Content-Security-Policy", answered)
        for accept in ("text/html", "TEXT/HTML", "*/*, text/html ;q=0.1", "text/plain,text/html"):
            with self.subTest(accept):
                self.page(node, Accept=accept)

    def test_head(self):
        node = self.node().await_http()
        headers, body = self.page(node)
        status, answered, nothing = node.http("/", method="HEAD", headers={"Accept": BROWSER})
        self.assertEqual((status, nothing), (200, b""))
        self.assertEqual(answered["Content-Length"], str(len(body.encode())))
        self.assertEqual(answered["Content-Security-Policy"], headers["Content-Security-Policy"])

    def test_the_same_for_everybody(self):
        """The page holds nothing of the member, so that it needs no token; what it fetches does."""
        token = self.file("token", "secret-of-the-page-0123456789\n")
        os.chmod(token, 0o600)
        config = self.file("swim.toml", f'[metrics]\nhttp_token_file = "{token}"\n')
        closed = self.node("--config", config).await_http()
        self.assertEqual(self.page(closed)[1], self.page(self.node().await_http())[1])
        for path in ("/membership", "/metrics/json"):
            self.assertEqual(closed.http(path, headers={"Accept": BROWSER})[0], 401)
        self.assertEqual(closed.http("/")[0], 401, "the list needs it")
        self.assertEqual(closed.http("/", headers={"Accept": BROWSER, "Host": "evil.example"})[0],
                         421, "a stranger's name")

    def test_parts_are_put_together(self):
        tool = os.path.join(swimtest.ROOT, "tools", "embed-page")
        done = subprocess.run([tool, "--self-test"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    swimtest.main()
