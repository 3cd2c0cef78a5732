"""A stand-in for the hub: folders of data sets and models, as huggingface_hub asks for them."""

import hashlib
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "1" * 40


def handler(root: Path, asked: list[str]) -> type[BaseHTTPRequestHandler]:
    """Serves `root/datasets/<owner>/<name>/…` and `root/models/<owner>/<name>/…`."""

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            paths = parse_qs(body)["paths"] if "paths=" in body else json.loads(body)["paths"]
            folder = self._folder(urlsplit(self.path).path.split("/")[2:])
            self._json([_entry(folder, folder / p) for p in paths if (folder / p).exists()])

        def do_GET(self) -> None:
            parts = unquote(urlsplit(self.path).path).strip("/").split("/")
            if parts[0] != "api":
                kind = parts if parts[0] == "datasets" else ["models", *parts]
                self._file(self._folder(kind) / "/".join(kind[5:]))
                return
            folder = self._folder(parts[1:])
            if not folder.is_dir():
                self._json({"error": "Repository not found"}, 404)
            elif "tree" in parts:
                below = folder / "/".join(parts[parts.index("tree") + 2 :])
                deep = "recursive=True" in self.path or "recursive=true" in self.path
                found = sorted(below.rglob("*") if deep else below.glob("*"))
                self._json([_entry(folder, path) for path in found] if below.is_dir() else [])
            else:
                files = sorted(p for p in folder.rglob("*") if p.is_file())
                self._json(
                    {
                        "id": "/".join(parts[2:4]),
                        "sha": COMMIT,
                        "siblings": [{"rfilename": str(p.relative_to(folder))} for p in files],
                    }
                )

        def _folder(self, parts: list[str]) -> Path:
            return root.joinpath(*parts[:3])

        def _json(self, value: object, status: int = 200) -> None:
            self._send(json.dumps(value).encode(), "application/json", status)

        def _file(self, path: Path) -> None:
            if path.is_file():
                self._send(path.read_bytes(), "application/octet-stream", 200)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _send(self, body: bytes, kind: str, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Hub


def _entry(folder: Path, path: Path) -> dict[str, object]:
    name = str(path.relative_to(folder))
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": "0" * 40, "size": 0}
    body = path.read_bytes()
    return {"type": "file", "path": name, "oid": hashlib.sha1(body).hexdigest(), "size": len(body)}
