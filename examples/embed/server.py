"""A web site's own back end with nothing but Python: it keeps the API key, and hands its page short-lived tokens.

    VISAVIS_SERVER=https://your.server VISAVIS_API_KEY=... python3 examples/embed/server.py

then open http://localhost:3000. In your own site, ask who the visitor is before you answer /visavis-token.
"""

import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SERVER = os.environ.get("VISAVIS_SERVER", "http://localhost:8080").rstrip("/")
KEY = os.environ.get("VISAVIS_API_KEY", "")
PAGE = Path(__file__).with_name("index.html").read_text("utf-8").replace("{{SERVER}}", SERVER)
GUIDE = "You are Ada, the guide of a harbour museum. It is open from ten to six. Be brief."


def make_token():
    """A token for ten minutes. What stands in `session` holds for calls made with it."""
    wanted = {
        "expires_after": {"anchor": "created_at", "seconds": 600},
        "session": {"type": "realtime", "instructions": GUIDE},
    }
    request = urllib.request.Request(
        f"{SERVER}/v1/realtime/client_secrets",
        json.dumps(wanted).encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        body = json.load(reply)
    return {"value": body["value"], "expires_at": body["expires_at"]}


class Site(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            self.reply(200, "text/html; charset=utf-8", PAGE)
        else:
            self.reply(404, "text/plain", "There is nothing here.")

    def do_POST(self):
        if self.path != "/visavis-token":
            self.reply(404, "text/plain", "There is nothing here.")
        # A page of another origin cannot read the answer, but it must not use up tokens either.
        elif self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            self.reply(403, "text/plain", "Tokens are for pages of this site.")
        else:
            self.reply_with_token()

    def reply_with_token(self):
        try:
            token = make_token()
        except (OSError, ValueError, KeyError) as error:
            said = error.read().decode() if isinstance(error, urllib.error.HTTPError) else ""
            self.log_error("No token: %s %s", error, said)
            self.reply(502, "text/plain", "No token could be made; the log of this server says why.")
        else:
            self.reply(200, "application/json", json.dumps(token))

    def reply(self, status, kind, body):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    site = ThreadingHTTPServer(("localhost", int(os.environ.get("PORT", "3000"))), Site)
    print(f"listening on http://localhost:{site.server_port}", flush=True)
    site.serve_forever()
