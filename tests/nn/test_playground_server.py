"""The server of the playground: its page, its commands, and that it answers nobody else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from http.client import HTTPConnection

import pytest

import nn


@pytest.fixture
def opened():
    with nn.playground(open_browser=False) as opened:
        yield opened


def asked(opened, method="POST", path="/command", body=b'{"command":"program"}', **headers):
    """Status and body of an answer."""
    port = opened.server.server_address[1]
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    given = {"X-Token": opened.server.token} | {k.replace("_", "-"): v for k, v in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in given, skip_accept_encoding=True)
    if method == "POST" and "Content-Length" not in given:
        given["Content-Length"] = str(len(body))
    for name, text in given.items():
        if text is not None:
            connection.putheader(name, text)
    connection.endheaders(body if method == "POST" else None)
    response = connection.getresponse()
    answer = response.status, response.read().decode(), response.headers
    connection.close()
    return answer


def test_the_page_and_its_commands_are_answered_with_the_token(opened):
    token = opened.server.token
    status, page, headers = asked(opened, "GET", f"/?token={token}")
    assert status == 200 and "<title>A disc in a ring: 2-4-2-1" in page and token in page
    assert "default-src 'none'" in page and "connect-src 'self'" in page
    assert headers["Referrer-Policy"] == "no-referrer" and headers["X-Frame-Options"] == "DENY"
    assert headers["Server"] == "playground" and "Set-Cookie" not in headers
    status, text, headers = asked(opened)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(text)["program"] == opened.program()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", opened.url)
    port = opened.server.server_address[1]
    assert asked(opened, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")[0] == 200
    assert opened.server.server_address[0] == "127.0.0.1"


FORBIDDEN = [
    ({"X_Token": None}, 403),
    ({"X_Token": "x"}, 403),
    ({"X_Token": "\xe4" * 32}, 403),
    ({"Host": "example.org"}, 403),
    ({"Host": "127.0.0.1"}, 403),
    ({"Host": None}, 403),
    ({"Origin": "http://example.org"}, 403),
    ({"Origin": "null"}, 403),
    ({"method": "GET", "path": "/"}, 403),
    ({"method": "GET", "path": "/?token=x"}, 403),
    ({"method": "GET", "path": "/?token="}, 403),
    ({"method": "GET", "path": "/command"}, 404),
    ({"method": "GET", "path": "/../../etc/passwd"}, 404),
    ({"method": "GET", "path": "/favicon.ico"}, 404),
    ({"path": "/"}, 404),
    ({"path": "/command/"}, 404),
    ({"path": "/command?x=1"}, 404),
    ({"method": "PUT"}, 501),
    ({"method": "OPTIONS"}, 501),
    ({"Content_Length": None}, 411),
    ({"Content_Length": "-1"}, 411),
    ({"Content_Length": "five"}, 411),
    ({"Transfer_Encoding": "chunked"}, 411),
    ({"Content_Length": "100001"}, 413),
    ({"Content_Length": "9" * 5000}, 413),
    ({"body": b"{"}, 400),
    ({"body": b"\xff"}, 400),
    ({"body": b"[" * 90_000}, 400),
]


@pytest.mark.parametrize(("request_", "status"), FORBIDDEN)
def test_nothing_else_is_served(request_, status, opened):
    found, text, _ = asked(opened, **request_)
    assert found == status
    assert len(text) < 60 and opened.server.token not in text
    assert asked(opened)[0] == 200


def test_a_setting_that_is_refused_is_an_answer(opened):
    body = json.dumps({"command": "adjust", "setting": "l1", "value": "<b>"}).encode()
    status, text, _ = asked(opened, body=body)
    assert status == 200
    assert json.loads(text)["setting"] == "l1"


def test_when_it_is_closed_nothing_is_answered_on_open_connections_either(opened):
    connection = HTTPConnection("127.0.0.1", opened.server.server_address[1], timeout=20)
    path = f"/?token={opened.server.token}"
    connection.request("GET", path)
    connection.getresponse().read()
    opened.close()
    opened.close()  # is no error
    assert repr(opened) == "<Playground at nowhere: it is closed>"
    connection.request("GET", path)
    assert connection.getresponse().status == 503
    connection.close()
    with pytest.raises(OSError):
        asked(opened)


def test_the_command_line_serves_until_it_is_interrupted():
    process = subprocess.Popen(
        [sys.executable, "-m", "nn", "playground", "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = process.stdout.readline()
    assert re.match(r"the playground is at http://127\.0\.0\.1:\d+/\?token=", line)
    process.send_signal(2)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    for arguments in (["playground", "--port", "-1"], ["cook"]):
        done = subprocess.run(
            [sys.executable, "-m", "nn", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2 and "error:" in done.stderr


def test_two_playgrounds_have_nothing_in_common():
    with nn.playground(open_browser=False) as one, nn.playground(open_browser=False) as other:
        assert one.server.token != other.server.token
        asked(one, body=b'{"command":"advance","epochs":2}')
        assert "epochs=2" in one.program() and "nn.fit" not in other.program()
        assert asked(one, X_Token=other.server.token)[0] == 403
