"""The key: made once, read by its owner alone, never overwritten, and refused in any other form."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from serverdomain import InvalidInput, Servers, StoreError
from serverdomain.audit.ledger.key import PublicKey, SigningKey
from tests.store.test_durable import no_room


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_where_there_is_none_and_read_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key, made = SigningKey.read_or_make(path)
    assert made
    again, made_again = SigningKey.read_or_make(path)
    assert not made_again
    text = b"a text"
    assert again.sign(text) == key.sign(text)
    for half in (path, tmp_path / "key.pub"):
        public = PublicKey.read(half)
        assert public.signed(key.sign(text), text)
        assert not public.signed(key.sign(text), b"another")
        assert not public.signed(b"no signature", text)
    assert b"PRIVATE" not in (tmp_path / "key.pub").read_bytes()


def test_nobody_else_may_read_it_from_its_first_byte_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_with = []
    really = os.open

    def watched(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            name = Path(path).name[1:].removesuffix(".part").rpartition(".")[0]
            made_with.append((name, mode, bool(flags & os.O_EXCL)))
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        SigningKey.read_or_make(tmp_path / "key")
    finally:
        os.umask(before)
    assert made_with == [("key", 0o600, True), ("key.pub", 0o666, True)]
    assert mode_of(tmp_path / "key") == 0o600


def test_on_a_full_disk_there_is_no_half_of_a_key_and_the_next_time_there_is_a_key(
    tmp_path: Path,
) -> None:
    path = tmp_path / "key"
    with no_room(), pytest.raises(StoreError, match="key cannot be written"):
        SigningKey.read_or_make(path)
    assert [*tmp_path.iterdir()] == []
    assert SigningKey.read_or_make(path)[1]


def test_the_public_half_is_put_back_and_never_overwritten(tmp_path: Path) -> None:
    path, public = tmp_path / "key", tmp_path / "key.pub"
    SigningKey.read_or_make(path)
    content = public.read_bytes()
    public.unlink()
    SigningKey.read_or_make(path)
    assert public.read_bytes() == content
    path.unlink()
    with pytest.raises(InvalidInput, match=r"^key: .*key\.pub is: the key that is lost"):
        SigningKey.read_or_make(path)
    assert public.read_bytes() == content
    assert not path.exists()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    SigningKey.read_or_make(path)
    for mode in (0o640, 0o604, 0o660, 0o777):
        path.chmod(mode)
        with pytest.raises(InvalidInput, match=f"^key: .*mode {mode:04o}.*mode 0600 is allowed"):
            SigningKey.read_or_make(path)
        with pytest.raises(InvalidInput, match=f"mode {mode:04o}"):
            PublicKey.read(path)
    path.chmod(0o400)
    PublicKey.read(path)


def other_keys() -> dict[str, bytes]:
    ours = ed25519.Ed25519PrivateKey.generate()
    another = ec.generate_private_key(ec.SECP256R1())
    form, plain = pem.PrivateFormat.PKCS8, pem.NoEncryption()
    whole = ours.private_bytes(pem.Encoding.PEM, form, plain)
    return {
        "empty": b"",
        "text": b"no key at all\n",
        "bytes": bytes(range(256)),
        "cut": whole[: len(whole) // 2],
        "another kind": another.private_bytes(pem.Encoding.PEM, form, plain),
        "another public kind": another.public_key().public_bytes(
            pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo
        ),
        "der": ours.private_bytes(pem.Encoding.DER, form, plain),
        "raw": ours.private_bytes_raw(),
        "encrypted": ours.private_bytes(
            pem.Encoding.PEM, form, pem.BestAvailableEncryption(b"seekr3t")
        ),
    }


@pytest.mark.parametrize("what", other_keys())
def test_another_form_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(other_keys()[what])
    path.chmod(0o600)
    for read in (SigningKey.read_or_make, PublicKey.read):
        with pytest.raises(InvalidInput, match=r"^key: .* is allowed$") as refused:
            read(path)
        assert str(refused.value).isprintable()
    assert [*tmp_path.iterdir()] == [path]


def test_what_cannot_be_read_or_made_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"^key: .*cannot be read \(No such file"):
        PublicKey.read(tmp_path / "none")
    with pytest.raises(InvalidInput, match=r"^key: .*cannot be written \(No such file"):
        SigningKey.read_or_make(tmp_path / "none" / "key")
    with pytest.raises(InvalidInput, match=r"^key: .*cannot be read \(Is a directory"):
        SigningKey.read_or_make(tmp_path)
    (tmp_path / "key.pub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match=r"^key: .*key\.pub"):
        SigningKey.read_or_make(tmp_path / "key")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="cannot be read"):
        SigningKey.read_or_make(tmp_path / "dangling")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("key", ["monday", "monday.leaves", "../ledger/monday", "link"])
def test_no_key_is_made_where_the_checkpoint_will_be_written(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "ledger"
    folder.mkdir()
    (folder / "link").symlink_to("monday")
    with Servers.open("memory:") as servers:
        with pytest.raises(InvalidInput, match=r"^key: .* is written besides"):
            servers.ledger.checkpoint(folder / key, folder / "monday")
        with pytest.raises(InvalidInput, match=r"^key: .*key\.pub is written besides"):
            servers.ledger.checkpoint(folder / "key", folder / "key.pub")
    assert [*folder.iterdir()] == [folder / "link"]


@pytest.mark.parametrize("name", ["/", "", ".", "a\0b", "\ud800", "x" * 300, "absent/key"])
def test_what_no_key_or_checkpoint_can_lie_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with Servers.open("memory:") as servers:
        with pytest.raises(InvalidInput, match=r"^key: "):
            servers.ledger.checkpoint(name, "monday")
        with pytest.raises(InvalidInput, match=r"^out: "):
            servers.ledger.checkpoint("key", name)
        with pytest.raises(InvalidInput, match=r"^checkpoint: "):
            servers.ledger.verify(name, ["key.pub"])


def test_two_places_where_nothing_can_lie_are_not_taken_for_one() -> None:
    with Servers.open("memory:") as servers, pytest.raises(InvalidInput) as wrong:
        servers.ledger.checkpoint("a\0b", "c\0d")
    assert "besides" not in str(wrong.value)
