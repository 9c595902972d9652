"""API keys are handed out once, kept as hashes, and end when they are revoked."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.access import keys
from files.checkout import ROOT


def command(*arguments: str, secrets: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.access", "--secrets", str(secrets), "keys", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_file_has_no_secret_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets/api-keys"
    key = command("add", "studio", secrets=file.parent).stdout.strip()
    key_id, _, secret = key.partition(":")
    assert key_id in file.read_text() and secret not in file.read_text()
    assert len(secret) == 43  # 256 bits
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in file.parent.iterdir()) == [".api-keys.lock", "api-keys"]


def test_a_holder_may_have_several_keys_and_lose_one_or_all(tmp_path: Path) -> None:
    file = tmp_path / "api-keys"
    ids = [keys.add(name, file).partition(":")[0] for name in ("studio", "studio", "studio-2", "editor")]
    assert [key_id for key_id, _ in keys.listed(file)] == ids
    assert keys.revoke(ids[0], file) == ids[:1]
    assert keys.revoke("studio", file) == ids[1:2]
    assert [key_id for key_id, _ in keys.listed(file)] == ids[2:]


@pytest.mark.parametrize("name", ["", "Studio", "a:b", "a b", "_a", "a\nb", "a" * 41])
def test_names_that_could_break_the_file_are_refused(tmp_path: Path, name: str) -> None:
    done = command("add", name, secrets=tmp_path)
    assert done.returncode == 1 and "small letters" in done.stderr
    assert not (tmp_path / "api-keys").exists()


def test_a_key_that_is_revoked_while_others_are_added_stays_revoked(tmp_path: Path) -> None:
    file = tmp_path / "api-keys"
    stolen = [keys.add("freelancer", file).partition(":")[0] for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        added = pool.map(lambda number: keys.add(f"studio-{number}", file), range(40))
        list(pool.map(lambda key_id: keys.revoke(key_id, file), stolen))
        ids = {key.partition(":")[0] for key in added}
    assert {key_id for key_id, _ in keys.listed(file)} == ids and len(ids) == 40


def test_wrong_keys_of_known_and_unknown_ids_cost_the_proxy_the_same(tmp_path: Path) -> None:
    """A hash that takes milliseconds would tell strangers which IDs exist."""
    keys.add("studio", tmp_path / "api-keys")
    hashed = (tmp_path / "api-keys").read_text().split(":")[1]
    assert hashed.startswith("{SSHA}")


def test_who_may_read_the_file_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "api-keys"
    keys.add("studio", file)
    file.chmod(0o640)
    keys.add("editor", file)
    assert file.stat().st_mode & 0o777 == 0o640


def test_revoking_what_is_not_there_is_told(tmp_path: Path) -> None:
    keys.add("studio", tmp_path / "api-keys")
    done = command("revoke", "stduio", secrets=tmp_path)
    assert done.returncode == 1 and "no key of 'stduio'" in done.stderr


def test_secrets_are_never_tracked() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    for name in ("api-keys", "operator.key", "server.key", "ca.key", "client.key"):
        ignored = subprocess.run(["git", "check-ignore", "-q", f"secrets/{name}"], cwd=ROOT, check=False)
        assert ignored.returncode == 0
