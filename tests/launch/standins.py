"""Stand-ins of programs: they note how they were called, and play states in their order."""

import os
import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).parents[2]

# In bash, which starts ten times as fast as Python. The answers of rule N are in files N.0, N.1 ...
_PROGRAM = """\
#!/usr/bin/env bash
folder={folder} name={name}
# At once, because the stand-ins of several hosts run beside each other.
printf -v call '%s\\1' "$name" "$PWD" "$@"
printf '%s\\2\\n' "$call" >>"$folder/calls"
case "$*" in
{cases}
esac
if [[ -v rule ]]; then
  printf . >>"$folder/$name.$rule.used"
  read -r used <"$folder/$name.$rule.used" || true
  answer=$((${{#used}} - 1))
  # The last answer stays.
  while [[ ! -e $folder/$name.$rule.$answer ]]; do ((answer--)); done
  source "$folder/$name.$rule.$answer"
fi
[[ $name == gcloud && $1 == storage ]] || exit 0

# A folder for each bucket. The patterns of gcloud are those of bash here.
shopt -s nullglob globstar
buckets=$folder/buckets
case $2 in
  cp)
    target=$buckets/${{4#gs://}}
    mkdir -p "${{target%/*}}"
    cp "$3" "$target"
    ;;
  cat | rm)
    found=("$buckets"/${{3#gs://}})
    [[ -e ${{found[0]}} ]] || exit 1
    "$2" "${{found[@]}}"
    ;;
esac
"""


class StandIns:
    """A folder of stand-ins, which are first on the PATH of what `launch` starts."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.buckets = folder / "buckets"
        self._programs = folder / "programs"
        self._programs.mkdir()

    def play(self, program: str, *rules: tuple[str, list[dict]]) -> None:
        """Makes a stand-in, or gives it new rules.

        The first rule whose words are in a call answers it, with the next of its answers: a dict of
        `out`, `err` and `status`, of `notes` to write to the buckets, and of `shell`, lines to run.
        Without a rule it succeeds silently; `gcloud storage` keeps its files.
        """
        for old in self.folder.glob(f"{program}.*"):
            old.unlink()
        cases = []
        for number, (words, answers) in enumerate(rules):
            cases.append(f"  *{shlex.quote(words)}*) rule={number} ;;")
            for index, answer in enumerate(answers):
                path = self.folder / f"{program}.{number}.{index}"
                path.write_text(self._answer(answer), encoding="utf-8")
        text = _PROGRAM.format(
            folder=shlex.quote(str(self.folder)), name=program, cases="\n".join(cases)
        )
        path = self._programs / program
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def _answer(self, answer: dict) -> str:
        lines = []
        for name, note in answer.get("notes", {}).items():
            path = self.buckets / name
            lines += [f"mkdir -p {shlex.quote(str(path.parent))}"]
            lines += [f"printf %s {shlex.quote(note)} >{shlex.quote(str(path))}"]
        lines.append(answer.get("shell", ""))
        lines.append(f"printf %s {shlex.quote(answer.get('out', ''))}")
        lines.append(f"printf %s {shlex.quote(answer.get('err', ''))} >&2")
        return "\n".join([*lines, f"exit {answer.get('status', 0)}"])

    def launch(self, *command: str | pathlib.Path, **env: str) -> subprocess.CompletedProcess:
        """Runs a script of bash with its arguments."""
        # From elsewhere: nothing may depend on where the script is called.
        path = f"{self._programs}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", *command],
            cwd="/",
            env=os.environ | {"PATH": path, "TMPDIR": str(self.folder)} | env,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def raw_calls(self) -> list[list[str]]:
        """Program, working directory and arguments of each call."""
        path = self.folder / "calls"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [call.split("\1") for call in text.split("\1\2\n")[:-1]]

    def calls(self, words: str = "") -> list[list[str]]:
        """Program and arguments of each call that has these words."""
        found = [[program, *args] for program, _, *args in self.raw_calls()]
        return [call for call in found if words in " ".join(call)]
