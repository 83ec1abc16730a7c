"""Serve a model with the user's scoring script, over HTTP on a Unix socket.

The script's init() is called once, then run(body) for each POST /score. GET /
answers as soon as init() has returned. Run as:

    host.py --socket PATH

with the script in AZUREML_ENTRY_SCRIPT and the model in AZUREML_MODEL_DIR.
"""

import argparse
import http.server
import importlib.util
import inspect
import json
import os
import socketserver
import sys
import threading
import time
import traceback

MAX_BODY = 10 << 20


class Script:
    """The user's scoring script."""

    def __init__(self, path):
        folder = os.path.dirname(os.path.abspath(path))
        sys.path.insert(0, folder)
        os.chdir(folder)
        spec = importlib.util.spec_from_file_location("score", path)
        if spec is None:
            raise RuntimeError(f"{path} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules["score"] = module
        spec.loader.exec_module(module)
        for name in ("init", "run"):
            if not callable(getattr(module, name, None)):
                raise RuntimeError(f"{path} has no function {name}()")
        self._run = module.run
        self._argument = self._first_argument(module.run)
        module.init()

    @staticmethod
    def _first_argument(function):
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters:
            raise RuntimeError("run() takes no argument; it must take the request's body")
        return parameters[0].name

    def score(self, body):
        """Call run() and give its answer as (content type, bytes)."""
        answer = self._run(body)
        if isinstance(answer, (bytes, bytearray)):
            return "application/octet-stream", bytes(answer)
        return "application/json", json.dumps(answer, default=plain).encode()


def plain(value):
    """Turn what json does not know, such as numpy's arrays and numbers, into what it does."""
    for name in ("tolist", "to_dict", "isoformat"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    raise TypeError(f"run() returned a {type(value).__name__}, which is not JSON")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "scoring"
    sys_version = ""

    def address_string(self):
        return "socket"

    def log_message(self, form, *args):
        print(f"[{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}] {form % args}", flush=True)

    def do_GET(self):
        if self.path == "/":
            self.answer(200, "text/plain; charset=utf-8", b"Healthy")
        else:
            self.problem(404, f"there is nothing at {self.path}")

    def do_POST(self):
        if self.path.partition("?")[0] != "/score":
            self.problem(404, f"there is nothing at {self.path}")
            return
        body = self.body()
        if body is None:
            return
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            self.problem(400, "the body is not UTF-8")
            return
        try:
            kind, data = self.server.script.score(text)
        except Exception as error:  # whatever the user's code raises is an answer, not our end
            traceback.print_exc()
            sys.stderr.flush()
            self.problem(500, f"run() raised {type(error).__name__}: {error}")
            return
        self.answer(200, kind, data)

    def body(self):
        """Read the request's body, or answer why not and give None."""
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if length < 0:
            self.close_connection = True
            self.problem(411, "Content-Length is missing")
            return None
        if length > MAX_BODY:
            self.close_connection = True
            self.discard(min(length, 4 * MAX_BODY))  # so that the client gets to read why
            self.problem(413, f"the body has more than {MAX_BODY} bytes")
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        return body

    def discard(self, count):
        while count > 0:
            piece = self.rfile.read(min(count, 1 << 16))
            if not piece:
                return
            count -= len(piece)

    def problem(self, status, message):
        self.answer(status, "application/json", json.dumps({"message": message}).encode())

    def answer(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path, script):
        self.script = script
        if os.path.exists(path):
            os.unlink(path)
        super().__init__(path, Handler)
        os.chmod(path, 0o666)  # the folder that it is in says who may connect

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (BrokenPipeError, ConnectionResetError)):
            traceback.print_exc()


def main():
    parser = argparse.ArgumentParser(description="Serve a scoring script on a Unix socket.")
    parser.add_argument("--socket", required=True)
    args = parser.parse_args()
    path = os.environ.get("AZUREML_ENTRY_SCRIPT", "")
    if not path:
        sys.exit("AZUREML_ENTRY_SCRIPT is not set")
    started = time.monotonic()
    try:
        script = Script(path)
    except Exception as error:
        traceback.print_exc()
        sys.exit(f"the scoring script could not be started: {type(error).__name__}: {error}")
    print(f"init() took {time.monotonic() - started:.2f} s; serving", flush=True)
    with Server(args.socket, script) as server:
        server.serve_forever()


if __name__ == "__main__":
    threading.current_thread().name = "serve"
    main()
