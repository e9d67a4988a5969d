"""The coverage tool finds messages in eleven languages, fills their values, and asks about each; the committed figures hold."""

import subprocess

import pytest

from benchmarks.coverage import asking, messages, python_messages, results, trees, wording
from benchmarks.coverage.products import products

WRITTEN = {
    "a.go": (
        'return fmt.Errorf("issuer %q of realm %s is unknown", iss, realm)',
        'issuer "acme" of realm acme is unknown',
    ),
    "a.cc": ('return absl::StrCat("kid ", kid, " is gone " "for good");', "kid acme is gone for good"),
    "a.c": ('oidc_error(r, "the " OIDC_AUD " claim took %d s", n);', "the acme claim took 7 s"),
    "a.lua": ("ngx.log(ngx.ERR, 'no consumer named ', name)", "no consumer named acme"),
    "b.lua": ('return nil, "realm " .. (realm or "none") .. " is closed"', "realm acme is closed"),
    "a.ts": ("throw new Error(`the claim ${name} is absent`);", "the claim acme is absent"),
    "a.js": ("var m = 'the nonce ' + nonce + ' was used';", "the nonce acme was used"),
    "a.java": ('throw new BadToken("Subject " + sub\n    + " is locked");', "Subject acme is locked"),
    "a.kt": ('error("issuer $issuer is not ours")', "issuer acme is not ours"),
    "a.cs": ('throw new E($"Key {key.Id} is too short");', "Key acme is too short"),
    "a.php": ("throw new E('Key ' . $kid . ' was revoked');", "Key acme was revoked"),
    "a.rb": ('raise E, "Audience #{aud} is foreign"', "Audience acme is foreign"),
    "a.rs": ('#[error("algorithm {0} is unknown")]', "algorithm acme is unknown"),
    "a.ex": ('{:error, "claim #{name} is stale"}', "claim acme is stale"),
    "a.erl": ('error("no key for " ++ Kid)', "no key for acme"),
}


@pytest.mark.parametrize("path", WRITTEN)
def test_a_message_is_found_with_its_values_filled_in(path):
    """Concatenations, interpolations, format verbs and macros become one text."""
    source, expected = WRITTEN[path]
    language = messages.SUFFIXES[path[1:]]

    found = [wording.filled(one.text) for one in messages.messages(path, source, language)]

    assert expected in found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("raise E(f'scope {scope!r} is absent')", "scope acme is absent"),
        ("raise E('scope %s is absent' % scope)", "scope acme is absent"),
        ("raise E('scope {} is absent'.format(scope))", "scope acme is absent"),
        ("raise E('scope ' + scope + ' is absent')", "scope acme is absent"),
        ("raise E('scope is '\n 'absent')", "scope is absent"),
    ],
)
def test_python_is_read_by_its_own_parser(source, expected):
    """All ways to fill a text in Python give the same message; a docstring gives none."""
    found = [
        wording.filled(one.text) for one in python_messages.messages("a.py", f'"""A docstring of words."""\n{source}\n')
    ]

    assert [expected] == found


@pytest.mark.parametrize(
    ("text", "call", "expected"),
    [
        ("token is expired", "errors.New", True),
        ("token is expired", "log.Debug", False),
        ("token is expired", "klog.V .Infof | klog.V", False),
        ("an option of the help", "description", False),
        ("the reason", "error_description", True),
        ("expired", "errors.New", False),
        ("/etc/keys and more", "open", False),
        ("https://idp.example.com is it", "x", False),
        ("SELECT a FROM b", "query", False),
        ("{a} [b] (c) == d;", "x", False),
    ],
)
def test_what_nobody_reads_is_no_message(text, call, expected):
    """Debug output, help, paths, addresses and code are left out."""
    message = messages.Message(text=text, call=call, path="a.go", line=1)

    assert expected == wording.is_message(message)


def test_words_without_a_blank_are_messages_where_the_product_says_so():
    """Error constants have no blank; only the product's data can tell them from other names."""
    message = messages.Message(text="ext_authz_denied", call="x", path="a.cc", line=1)

    assert [False, True] == [wording.is_message(message), wording.is_message(message, "[a-z]+(?:_[a-z]+)+")]


def test_the_scanner_keeps_to_its_bounds():
    """A file of nothing but joins is read in linear time, and one message is at most MAX_PARTS long."""
    found = list(messages.messages("a.go", 'f("a b"' + ' + "c d" + x' * 20_000 + ")", "go"))

    assert len(found) > 100
    assert max(one.text.count("c d") for one in found) <= messages.MAX_PARTS


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "check.lua").write_text('return "No API key found in request"\nreturn "zq wv bx"\n')
    (tmp_path / "auth" / "other.lua").write_text('return "not of this product"\n')
    return tmp_path


def test_a_git_directory_is_read_at_a_revision(tree):
    """The files of a commit are the same as those of the folder, and a bare directory has no other."""
    git = ["git", "-C", str(tree), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *command], check=True)

    by_folder = list(trees.files(tree, "", ["auth/*.lua"], ["*/other.lua"]))
    by_revision = list(trees.files(tree / ".git", "HEAD", ["auth/*.lua"], ["*/other.lua"]))

    assert ["auth/check.lua"] == [file.path for file in by_folder]
    assert by_folder == by_revision


def product(tmp_path, rows=""):
    file = tmp_path / "products.toml"
    file.write_text(f'[product.p]\ngateway = "kong"\nrepository = "a/b"\npaths = ["auth/check.lua"]\n{rows}')
    return products(file)["p"]


def test_messages_are_counted_by_who_knows_them(tree, tmp_path):
    """Kong's own text is its signature's; a text of invented words is nobody's."""
    found, ignored = asking.auth_messages(product(tmp_path), tree)
    asked = asking.Asker(product(tmp_path)).ask(found)
    row = results.row_of("p", "1", asked, ignored)

    assert [("token_missing", asking.OWN), ("unclassified", asking.NONE)] == [(one.code, one.bucket) for one in asked]
    assert (2, 1, 0.5, 0) == (row.messages, row.own, row.share, row.ignored)


def test_ignored_texts_are_counted_and_have_a_reason(tree, tmp_path):
    """What is ignored is no message, and says why."""
    rows = "[[product.p.ignore]]\npattern = '^zq'\nreason = \"invented\"\n"
    found, ignored = asking.auth_messages(product(tmp_path, rows), tree)

    assert (["No API key found in request"], 1) == ([one.text for one in found], ignored)
    with pytest.raises(ValueError, match="needs a reason"):
        product(tmp_path, "[[product.p.ignore]]\npattern = '^zq'\n")


def test_too_much_may_not_be_ignored(tmp_path):
    """A long list of ignored texts is a sign of wrong paths."""
    with pytest.raises(ValueError, match="at most 60"):
        product(tmp_path, "[[product.p.ignore]]\npattern = 'a'\nreason = \"b\"\n" * 61)


def test_a_row_is_kept_once(tmp_path):
    """A second measurement of one version replaces the first."""
    file = tmp_path / "results.toml"
    file.write_text("")
    for own in (1, 2):
        results.keep(results.row_of("p", "1", [], own), file)

    assert [2] == [row.ignored for row in results.rows(file)]
    assert "| p | 1 | 0 | 0 | 100.0% |" in "".join(results.table(file))


def test_the_products_are_those_of_the_knowledge_base():
    """Each product's data loads, and names a gateway or library that has signatures."""
    from analyzer.knowledge.signatures import signatures

    known = {one.gateway or one.library for one in signatures()}

    assert set() == {one.of for one in products().values()} - known
    assert {row.product for row in results.rows()} <= products().keys()


def test_most_messages_have_a_signature_of_their_product():
    """The aim of the catalogue, over all measured products and versions."""
    rows = results.rows()

    assert sum(row.own for row in rows) >= 0.98 * sum(row.messages for row in rows)
