"""From nothing to a run that is done: asks, waits, starts, watches, and asks again."""

import pathlib
import tempfile
import time

from tpu_pod import host, shell
from tpu_pod.errors import CommandError, PodError
from tpu_pod.options import Options
from tpu_pod.shell import Command
from tpu_pod.state import Outcome, Report, Stage, State, report_of
from tpu_pod.way import Way

# What the services say when there is no room at the moment. Other refusals would come again.
_NO_ROOM = (
    "ZONE_RESOURCE_POOL_EXHAUSTED",
    "STOCKOUT",
    "no more capacity",
    "does not have enough resources",
    "not enough resources",
    "resource pool exhausted",
)


class Launcher:
    """A pod and its run, as one command sees them."""

    def __init__(self, options: Options, way: Way):
        self._options = options
        self._way = way
        self._temporary = pathlib.Path(tempfile.gettempdir())
        self._shown: dict[str, str] = {}
        self._was_active = False  # Whether all hosts of this pod were there.

    # Commands.

    @property
    def _startup_file(self) -> pathlib.Path:
        return self._temporary / f"symmflow-{self._options.name}-startup.sh"

    @property
    def _command_file(self) -> pathlib.Path:
        return self._temporary / f"symmflow-{self._options.name}-command"

    def _files(self) -> dict[pathlib.Path, str]:
        """Local files that the commands read, and their texts."""
        return {
            self._startup_file: host.startup_script(self._options, self._way.delete()),
            self._command_file: host.command_script(self._options),
        }

    def _uploads(self) -> list[Command]:
        archive = self._temporary / f"symmflow-{self._options.name}-code.tar.gz"
        copy, folder = ["gcloud", "storage", "cp"], self._options.folder
        return [
            host.pack(archive),
            [*copy, str(archive), f"{folder}/code.tar.gz"],
            [*copy, str(self._command_file), f"{folder}/command"],
        ]

    def _forget(self) -> Command:
        """Removes the reports of an earlier pod."""
        return ["gcloud", "storage", "rm", f"{self._options.folder}/status/**"]

    def _notes(self) -> Command:
        return ["gcloud", "storage", "cat", f"{self._options.folder}/status/*"]

    def _present_command(self) -> Command:
        return ["gcloud", "storage", "cat", f"{self._options.folder}/command"]

    def _follow(self) -> list[Command]:
        return self._way.on_hosts(host.follow_command(), first=True)

    def steps(self) -> list[Command]:
        """The commands of a run without troubles, in order."""
        if self._options.delete:
            return self._way.delete()
        return [
            *self._way.looks(),
            self._notes(),
            self._present_command(),
            *self._uploads(),
            self._forget(),
            *self._way.leftovers(),
            *self._way.create(str(self._startup_file)),
            *self._way.looks(),
            self._notes(),
            *(self._follow() if self._options.follow else []),
            *(self._way.delete() if self._options.delete_when_done else []),
        ]

    def show(self) -> None:
        """Prints the files and commands, as a shell would take them."""
        if not self._options.delete:
            for path, text in self._files().items():
                shell.write(f"cat > {shell.quoted([str(path)])} <<'SYMMFLOW'\n{text}SYMMFLOW")
        for command in self.steps():
            shell.write(shell.quoted(command))

    # Deeds.

    def delete(self) -> None:
        for command in self._way.delete():
            shell.attempt(command)
        state = self._way.state()
        if state.stage not in (Stage.ABSENT, Stage.LEAVING):
            raise PodError(f"{self._options.name} could not be deleted: it is {state.text}")
        self._tell("deleted" if state.stage is Stage.ABSENT else "is being deleted")

    def launch(self) -> Report:
        """Brings the run to its end.

        Returns:
            What the hosts reported last: that they are done, failed, or that their time is over.

        Raises:
            PodError: if the cloud refuses for a reason that lasts.
        """
        over = self._begin()
        while over is None:
            over = self._advance()
            if over is None:
                time.sleep(self._options.poll_seconds)
        if over.outcome is Outcome.LIMIT or self._options.delete_when_done:
            self.delete()
        return over

    def _begin(self) -> Report | None:
        """Compares what is there with what is wanted."""
        state, report = self._way.state(), self._report()
        self._was_active = report.outcome is not Outcome.NOTHING
        is_same, restart = self._is_same_command(), self._options.restart
        if report.outcome is Outcome.DONE and is_same and not restart:
            return report
        is_idle = report.outcome in (Outcome.DONE, Outcome.FAILED)
        match state.stage:
            case Stage.ABSENT:
                self._ask()
            case Stage.FAILED | Stage.LOST:
                # Perhaps what a refused request lacked, such as quota, is there now.
                self._ask_again(state)
            case Stage.ACTIVE if restart or is_idle:
                self._start_again()
            case Stage.WAITING if restart:
                self._upload()  # The hosts fetch it when they start.
            case Stage.ACTIVE | Stage.WAITING if not is_same:
                raise PodError(
                    f"{self._options.name} has another command; --restart stops that one, which "
                    "saves, and starts this one"
                )
        return None

    def _is_same_command(self) -> bool:
        present = shell.attempt(self._present_command())
        return present == host.command_script(self._options)

    def _advance(self) -> Report | None:
        """One look at the pod and what follows from it."""
        try:
            state = self._way.state()
        except CommandError as error:
            # The laptop may have lost its network; the run has not.
            self._tell(f"cannot be seen now: {error}", "trouble")
            return None
        match state.stage:
            case Stage.ACTIVE:
                return self._watch(state)
            case Stage.FAILED:
                self._refused(state)
            case Stage.LEAVING:
                self._tell(state.text)
            case Stage.WAITING if not self._was_active:
                self._tell(state.text)
            case _:
                return self._lost(state)
        return None

    def _lost(self, state: State) -> Report | None:
        """Asks again, unless the pod's end was wanted."""
        report = self._report()
        if report.outcome in (Outcome.DONE, Outcome.FAILED, Outcome.LIMIT):
            return report
        if state.stage is Stage.ABSENT and not self._way.may_vanish:
            raise PodError(
                f"{self._options.name} is not there any more: it was deleted; the same command "
                "asks for it again, and the run goes on"
            )
        self._ask_again(state)
        return None

    def _watch(self, state: State) -> Report | None:
        self._was_active = True
        report = self._report()
        self._tell(f"{state.text}; {report.text}")
        if report.outcome in (Outcome.DONE, Outcome.FAILED, Outcome.LIMIT):
            return report
        if self._options.follow:
            for command in self._follow():
                if status := shell.show(command):
                    self._tell(f"the log broke off (exit status {status})", "trouble")
        return None

    def _refused(self, state: State) -> None:
        if not _is_for_want_of_room(state.reason):
            raise PodError(
                f"{self._options.name} was refused: {state.reason or state.text}; "
                "launch/tpu_pod.sh --delete removes the request"
            )
        self._ask_again(state)

    def _ask_again(self, state: State) -> None:
        self._tell(f"{state.text}{': ' if state.reason else ''}{state.reason}; asks again")
        for command in self._way.delete():
            shell.attempt(command)
        self._ask()

    def _ask(self) -> None:
        self._upload()
        shell.attempt(self._forget())
        for command in self._way.leftovers():
            shell.attempt(command)
        self._was_active = False
        for command in self._way.create(str(self._startup_file)):
            self._create(command)

    def _create(self, command: Command) -> None:
        """Waits as long as there is no room."""
        while True:
            try:
                shell.run(command)
                return
            except CommandError as error:
                if not _is_for_want_of_room(str(error)):
                    raise
                self._tell(f"no room in {self._options.zone}: {error}", "trouble")
                time.sleep(self._options.poll_seconds)

    def _start_again(self) -> None:
        """Starts the wanted command on hosts that are there."""
        self._upload()
        shell.attempt(self._forget())
        for command in self._way.on_hosts(host.restart_command(), first=False):
            if status := shell.show(command):
                raise PodError(
                    f"the run could not be started on {self._options.name} (exit status {status}); "
                    "the same command tries again"
                )

    def _upload(self) -> None:
        for path, text in self._files().items():
            path.write_text(text, encoding="utf-8")
        for command in self._uploads():
            shell.run(command)

    def _report(self) -> Report:
        return report_of(shell.attempt(self._notes()), self._options.hosts)

    def _tell(self, text: str, kind: str = "state") -> None:
        """Reports what is new of its kind."""
        if text != self._shown.get(kind):
            shell.report(f"{self._options.name}: {text}")
        self._shown[kind] = text


def _is_for_want_of_room(text: str) -> bool:
    return any(sign.lower() in text.lower() for sign in _NO_ROOM)
