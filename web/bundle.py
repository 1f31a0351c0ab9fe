# SPDX-License-Identifier: Apache-2.0
"""bundle.py OUT.c: the script and the style sheet of the pages, bundled by esbuild, as C arrays for the library.

The digest goes into the page's content security policy, so that a browser runs this script there and no other."""
import base64
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent
ESBUILD = WEB / "node_modules" / ".bin" / "esbuild"
OPTIONS = ["--bundle", "--minify", "--charset=utf8", "--legal-comments=inline", "--log-level=warning", "--format=iife",
           "--target=chrome100,firefox100,safari15.4"]


def bundle(folder):
    """(script, style sheet) as bytes."""
    subprocess.run([ESBUILD, "src/main.ts", *OPTIONS, f"--outfile={folder}/page.js"], cwd=WEB, check=True)
    script, style = (Path(folder, f"page.{end}").read_bytes().strip() for end in ("js", "css"))
    for name, text, word in (("script", script, b"</script"), ("script", script, b"<!--"), ("style", style, b"</style")):
        if word in text.lower():
            sys.exit(f"bundle.py: the {name} would end its own element: expected no '{word.decode()}' in it")
    return script, style


def array(name, data):
    lines = [",".join(map(str, data[i:i + 32])) for i in range(0, len(data), 32)]
    return f"const unsigned char {name}[] = {{\n" + ",\n".join(lines) + f"}};\nconst size_t {name}_bytes = {len(data)};\n"


def main():
    if not ESBUILD.exists():
        sys.exit("web/node_modules is not there: './run' installs it, and so does 'npm ci' in web/.")
    with tempfile.TemporaryDirectory() as folder:
        script, style = bundle(folder)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    Path(sys.argv[1]).write_text('#include "report/report_bundle.h"\n\n' + array("few__report_script", script)
                                 + array("few__report_style", style)
                                 + f'const char few__report_script_digest[] = "sha256-{digest}";\n')


if __name__ == "__main__":
    main()
